"""What `/api/v1/channels` takes and answers, in the words of the reference. Never describes a secret."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator

from services.social.channels import discover
from services.social.domain.policy import Manner
from services.social.store import EVERYTHING
from shared.contracts.identity import Role
from shared.web.description import (
    Answer,
    Moment,
    Operation,
    Page,
    Parameter,
    Refusal,
    Shown,
    Tag,
)

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class NewAccount(BaseModel):
    """One account to connect. `settings` are as the channel's README lists them."""

    model_config = ConfigDict(extra="forbid")

    channel: Slug
    name: Slug
    settings: dict[str, Any]


class PauseReason(BaseModel):
    """Why posts stop; the board shows it."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


Scope = Annotated[
    str, StringConstraints(pattern=r"^(all|[a-z0-9]+(-[a-z0-9]+)*|article:[0-9a-f-]{36})$")
]


class WideScope(BaseModel):
    """How much stops or goes on: everything, one network, or one article on all networks."""

    model_config = ConfigDict(extra="forbid")

    scope: Scope = EVERYTHING

    @field_validator("scope")
    @classmethod
    def _known(cls, value: str) -> str:
        if value != EVERYTHING and not value.startswith("article:") and value not in discover():
            raise ValueError(
                f"must be all, article:<id> or one of: {', '.join(sorted(discover()))}"
            )
        return value


class WidePause(WideScope, PauseReason):
    """A kill switch wider than one account."""


class CapabilitiesAnswer(Shown):
    """What the network can do."""

    edit: bool
    delete: bool
    alt_text: bool
    lookup: bool
    """A post in doubt can be found again."""
    idempotent: bool
    """Sending the same post twice makes one."""
    reply: bool
    """A notice can be said below a post."""


class PolicyAnswer(Shown):
    """What is done about each kind of change."""

    minor: Manner
    correction: Manner
    retraction: Manner


class PauseAnswer(Shown):
    """The kill switch that is on."""

    scope: str
    reason: str


class AccountAnswer(Shown):
    """A connected account, without its credentials."""

    id: str
    channel: str
    name: str
    outlet: str
    """Its name on the board and in `skip_outlets`."""
    created_at: Moment
    paused: PauseAnswer | None
    capabilities: CapabilitiesAnswer
    policy: PolicyAnswer
    """Chosen, else the network's default."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": "mastodon/newsroom",
        "channel": "mastodon",
        "name": "newsroom",
        "outlet": "social/mastodon/newsroom",
        "created_at": "2026-11-01T10:00:00Z",
        "paused": None,
        "capabilities": {
            "edit": True,
            "delete": True,
            "alt_text": True,
            "lookup": True,
            "idempotent": True,
            "reply": False,
        },
        "policy": {"minor": "edit", "correction": "edit", "retraction": "delete"},
    }


class CredentialsAnswer(Shown):
    """How credentials that a consent gave stand. None of them."""

    renews: bool
    """Herald renews them by itself."""
    ends_at: Moment | None
    """When a person must connect the account again, where that is known."""
    forecast: str | None
    """The same in words, from 14 days before on."""
    problem: str | None
    """Why the last renewal came to nothing."""


class BudgetAnswer(Shown):
    """How many calls of one kind the network has left for the account."""

    operation: Literal["post", "edit", "delete"]
    limit: int
    remaining: int
    kept_for_breaking: int
    """Other posts wait once no more than these are left."""
    unit: Literal["calls", "percent"]
    resets_at: Moment


class BreakerAnswer(Shown):
    """The network failed so often in a row that posts wait; one at a time tries it out."""

    reason: str
    until: Moment


class SpendAnswer(Shown):
    """What the account has cost in a calendar month (UTC)."""

    month: str
    usd: float
    limit_usd: float | None
    """As of its last post."""


class ListedAccount(AccountAnswer):
    """An account in the list, and how it stands with its network."""

    quiet_until: Moment | None
    """Until when the network asked to be left alone."""
    credentials: CredentialsAnswer | None
    """None where they were entered by hand: nobody said how long they live."""
    standing: Literal["open", "paused", "quiet", "breaker_open"]
    """`open`: posts go out, as far as the budgets allow."""
    breaker: BreakerAnswer | None
    budgets: list[BudgetAnswer]
    """Those that the network told and that are not over."""
    spend: SpendAnswer | None

    EXAMPLE: ClassVar[dict[str, Any]] = {
        **AccountAnswer.EXAMPLE,
        "quiet_until": None,
        "credentials": {
            "renews": False,
            "ends_at": "2026-12-05T10:00:00Z",
            "forecast": "the credentials run out in 10 days: connect the account again",
            "problem": None,
        },
        "standing": "open",
        "breaker": None,
        "budgets": [
            {
                "operation": "post",
                "limit": 300,
                "remaining": 271,
                "kept_for_breaking": 30,
                "unit": "calls",
                "resets_at": "2026-11-24T10:05:00Z",
            }
        ],
        "spend": None,
    }


class ChannelTestAnswer(Shown):
    """Whether the network took the credentials."""

    ok: bool
    account: str | None = None
    """What the network calls the account, when it did."""
    reason: str | None = None
    """Why it did not."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"ok": True, "account": "@newsroom@mastodon.example"}


class SwitchAnswer(Shown):
    """The switch as it stands now."""

    scope: str
    paused: bool
    changed: bool
    """False when it stood so already."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "scope": "mastodon/newsroom",
        "paused": True,
        "changed": True,
    }


CHANNELS = Tag("Channels", "Accounts on social networks, and the switches that stop them.")
DELIVERIES = Tag("Deliveries", "Each post, edit and deletion on each account, one by one.")
ACCOUNT = (
    Parameter("channel", "The network.", {"type": "string"}, "mastodon"),
    Parameter("name", "The account's name here.", {"type": "string"}, "newsroom"),
)
SWITCHED = {200: Answer("The switch as it stands now.", SwitchAnswer)}

LIST = Operation(
    "list_channels",
    "List connected accounts",
    CHANNELS,
    {200: Answer("All of them, on one page.", Page[ListedAccount])},
    role=Role.CONTRIBUTOR,
)
ADD = Operation(
    "add_channel",
    "Connect an account",
    CHANNELS,
    {201: Answer("The account.", AccountAnswer, headers=("Location",))},
    role=Role.ADMIN,
    text="`settings` differ by network; they are kept encrypted and never shown again.",
    body=NewAccount,
    example={
        "channel": "mastodon",
        "name": "newsroom",
        "settings": {"server": "https://mastodon.example", "access_token": "..."},
    },
    refusals=(Refusal(409, "The channel has an account of this name", "name"),),
)
PAUSE_WIDE = Operation(
    "pause_channels",
    "Stop everything, one network, or one article",
    CHANNELS,
    SWITCHED,
    role=Role.EDITOR,
    body=WidePause,
    example={"scope": "mastodon", "reason": "wrong picture went out"},
)
RESUME_WIDE = Operation(
    "resume_channels",
    "Let it go on",
    CHANNELS,
    SWITCHED,
    role=Role.EDITOR,
    body=WideScope,
    body_optional=True,
    example={"scope": "mastodon"},
)
REMOVE = Operation(
    "remove_channel",
    "Disconnect an account",
    CHANNELS,
    {204: Answer("Its credentials are forgotten; what it posted stays.")},
    role=Role.ADMIN,
    path=ACCOUNT,
)
TEST = Operation(
    "test_channel",
    "Try an account's credentials",
    CHANNELS,
    {200: Answer("What the network said.", ChannelTestAnswer)},
    role=Role.ADMIN,
    text="Posts nothing.",
    path=ACCOUNT,
)
PAUSE = Operation(
    "pause_channel",
    "Stop one account",
    CHANNELS,
    SWITCHED,
    role=Role.EDITOR,
    body=PauseReason,
    example={"reason": "the account was taken over"},
    path=ACCOUNT,
)
RESUME = Operation(
    "resume_channel",
    "Let one account go on",
    CHANNELS,
    SWITCHED,
    role=Role.EDITOR,
    text="Lifts its pause and closes its circuit breaker; what waits on it is looked at again at once.",
    path=ACCOUNT,
)
