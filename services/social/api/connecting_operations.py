"""What `/api/v1/channels/oauth` takes and answers, in the words of the reference. Never describes a secret."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, SecretStr, StringConstraints

from services.social.api.channel_operations import CHANNELS, AccountAnswer, Slug
from shared.contracts.identity import Role
from shared.web.description import Answer, Moment, Operation, Parameter, Refusal, Shown

LONGEST = {"state": 200, "code": 1000, "error": 200}
"""Characters of what networks send people back with."""
Stated = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[!-~]+$")]


class AppCredentials(BaseModel):
    """The newsroom's own app at a network. `settings` are its addresses, where they are not the usual ones."""

    model_config = ConfigDict(extra="forbid")

    client_id: Stated
    client_secret: Annotated[SecretStr, StringConstraints(min_length=1, max_length=500)]
    settings: dict[str, str] = {}


class NewConnection(BaseModel):
    """One account to connect by consent. `settings` without credentials; those of an account that is there stay."""

    model_config = ConfigDict(extra="forbid")

    channel: Slug
    name: Slug
    settings: dict[str, Any] = {}


class Choosing(BaseModel):
    """Which of the choices to post as; needed only where there are several."""

    model_config = ConfigDict(extra="forbid")

    choice: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None


class ChoiceAnswer(Shown):
    """One account, page or organisation that the consent reaches."""

    id: str
    name: str


class ConnectionAnswer(Shown):
    """A connection under way."""

    id: str
    channel: str
    name: str
    status: Literal["waiting", "asking", "granted", "failed"]
    """`waiting` for the consent, `asking` the network, `granted`: choose, `failed`: see `reason`."""
    reason: str | None
    choices: list[ChoiceAnswer]
    expires_at: Moment

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": "019ab000-0000-7000-8000-000000000001",
        "channel": "x",
        "name": "newsroom",
        "status": "granted",
        "reason": None,
        "choices": [{"id": "2244994945", "name": "@newsroom"}],
        "expires_at": "2026-11-25T10:10:00Z",
    }


class BegunConnection(ConnectionAnswer):
    """A connection that was just begun."""

    url: str
    """Open it in the browser of somebody who may speak for the account."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        **ConnectionAnswer.EXAMPLE,
        "status": "waiting",
        "choices": [],
        "url": "https://x.com/i/oauth2/authorize?response_type=code&state=...",
    }


HTML = ("text/html",)
CHANNEL = (Parameter("channel", "The network.", {"type": "string"}, "x"),)


def _back(name: str, text: str, *, required: bool = False) -> Parameter:
    schema = {"type": "string", "minLength": 1, "maxLength": LONGEST[name], "pattern": "^[ -~]+$"}
    return Parameter(name, text, schema, required=required)


NOT_CONNECTABLE = Refusal(
    409,
    "Not connected by consent",
    "channel",
    "enter the credentials of the newsroom's app first",
)

ENTER_APP = Operation(
    "enter_channel_app",
    "Enter the newsroom's app at a network",
    CHANNELS,
    {204: Answer("It is kept encrypted and never shown again.")},
    role=Role.ADMIN,
    text="Register `<public address>/api/v1/channels/callback` with the app.",
    body=AppCredentials,
    example={"client_id": "a1B2", "client_secret": "..."},
    path=CHANNEL,
    refusals=(NOT_CONNECTABLE,),
)
BEGIN = Operation(
    "begin_connection",
    "Begin to connect an account by consent",
    CHANNELS,
    {201: Answer("The connection under way.", BegunConnection, headers=("Location",))},
    role=Role.ADMIN,
    text="Good for ten minutes, once, and for the caller alone. An account that is there gets new credentials.",
    body=NewConnection,
    example={"channel": "x", "name": "newsroom"},
    refusals=(NOT_CONNECTABLE,),
)
COME_BACK = Operation(
    "come_back",
    "Where networks send people back to",
    CHANNELS,
    {200: Answer("A page that says what to do next.", media=HTML)},
    text="Connects nothing: that takes the one who began. Parameters that are not listed are ignored.",
    query=(
        _back("state", "What the consent page was opened with.", required=True),
        _back("code", "What the network grants tokens for."),
        _back("error", "Why there is no code."),
    ),
    refusals=(
        Refusal(404, "This connection is not under way", "state", "begin again", media=HTML),
    ),
)
SEE = Operation(
    "see_connection",
    "See how a connection stands",
    CHANNELS,
    {200: Answer("The connection; only for the one who began it.", ConnectionAnswer)},
    role=Role.ADMIN,
)
FINISH = Operation(
    "finish_connection",
    "Connect the account that consented",
    CHANNELS,
    {
        200: Answer(
            "The account, with new credentials; a pause for dead ones is over.", AccountAnswer
        )
    },
    role=Role.ADMIN,
    body=Choosing,
    example={"choice": "2244994945"},
    refusals=(
        Refusal(409, "Nobody has consented", "id", "nobody has consented yet"),
        Refusal(422, "Not to be chosen", "choice", "choose one of: 1 (@newsroom)"),
    ),
)
