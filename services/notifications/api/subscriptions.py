"""Public sign-up, confirmation and one-click unsubscribe. Never says who is subscribed, changes nothing on GET."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.notifications.api.pages import page
from services.notifications.domain.addresses import MAX_ADDRESS, normalised
from services.notifications.domain.campaigns import ALERTS
from services.notifications.domain.errors import BadLink
from services.notifications.domain.links import MAX_TOKEN, Links
from services.notifications.usecases import PlanBook, SubscriberStore, confirm, sign_up, unsubscribe
from shared.runtime.clock import Clock
from shared.runtime.publication import Publication
from shared.web.description import (
    FORM,
    Answer,
    Operation,
    Parameter,
    Refusal,
    Shown,
    Tag,
    described,
)
from shared.web.problems import Problem
from shared.web.requests import json_response, read_json

ROOT = "/api/v1/subscriptions"

EmailField = Annotated[
    str, StringConstraints(min_length=3, max_length=MAX_ADDRESS), AfterValidator(normalised)
]
ListsField = Annotated[
    list[Literal["alerts"]], Field(default_factory=lambda: [ALERTS], min_length=1, max_length=10)
]


class SignUp(BaseModel):
    """Who wants mail, and which."""

    model_config = ConfigDict(extra="forbid")

    email: EmailField
    lists: ListsField


class OneClick(BaseModel):
    """What a mail provider sends (RFC 8058); any other form will do, or none."""

    model_config = ConfigDict(serialize_by_alias=True)

    list_unsubscribe: Annotated[str, Field(alias="List-Unsubscribe")] = "One-Click"


class Accepted(Shown):
    """The same whoever the address belongs to."""

    status: Literal["accepted"]
    detail: str

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "status": "accepted",
        "detail": "Look into your mailbox to confirm.",
    }


SUBSCRIPTIONS = Tag("Subscriptions", "Readers sign up, confirm, and leave. Nobody signs in here.")
HTML = ("text/html",)
TOKEN = (
    Parameter(
        "t",
        "The signed token of the link.",
        {"type": "string", "minLength": 1, "maxLength": MAX_TOKEN},
        required=True,
    ),
)
BAD_LINK = Refusal(400, "This link does not work", "t", "the link is not complete", media=HTML)

SIGN_UP = Operation(
    "sign_up",
    "Subscribe to alerts by mail",
    SUBSCRIPTIONS,
    {202: Answer("A mail with a link to confirm is on its way, if it is wanted.", Accepted)},
    body=SignUp,
    example={"email": "reader@example.org", "lists": ["alerts"]},
)
ASK_CONFIRM = Operation(
    "ask_confirm",
    "The page behind the link in the first mail",
    SUBSCRIPTIONS,
    {200: Answer("One form with one button; opening it changes nothing.", media=HTML)},
    query=TOKEN,
    refusals=(BAD_LINK,),
)
CONFIRM = Operation(
    "confirm",
    "Confirm a subscription",
    SUBSCRIPTIONS,
    {200: Answer("They are subscribed.", media=HTML)},
    query=TOKEN,
    refusals=(BAD_LINK,),
)
ASK_UNSUBSCRIBE = Operation(
    "ask_unsubscribe",
    "The page behind the link at the end of every mail",
    SUBSCRIPTIONS,
    {200: Answer("One form with one button; opening it changes nothing.", media=HTML)},
    query=TOKEN,
    refusals=(BAD_LINK,),
)
UNSUBSCRIBE = Operation(
    "unsubscribe",
    "Leave, with one click",
    SUBSCRIPTIONS,
    {200: Answer("They get no more of it. Again changes nothing.", media=("text/plain", *HTML))},
    body=OneClick,
    body_media=FORM,
    body_optional=True,
    example={"List-Unsubscribe": "One-Click"},
    query=TOKEN,
    refusals=(BAD_LINK,),
)


class SubscriptionRoutes:
    """Below `/api/v1/subscriptions`; nobody signs in here."""

    def __init__(
        self,
        store: SubscriberStore,
        ledger: PlanBook,
        links: Links,
        clock: Clock,
        publication: Publication,
        wake_mail: Callable[[], None],
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._links = links
        self._clock = clock
        self._publication = publication
        self._wake_mail = wake_mail

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            described(web.post(ROOT, self.sign_up), SIGN_UP),
            described(web.get(f"{ROOT}/confirm", self.ask_confirm), ASK_CONFIRM),
            described(web.post(f"{ROOT}/confirm", self.confirm), CONFIRM),
            described(web.get(f"{ROOT}/unsubscribe", self.ask_unsubscribe), ASK_UNSUBSCRIBE),
            described(web.post(f"{ROOT}/unsubscribe", self.unsubscribe), UNSUBSCRIBE),
        ]

    async def sign_up(self, request: web.Request) -> web.Response:
        """The same answer whoever the address belongs to."""
        wanted = await read_json(request, SignUp)
        await sign_up(
            self._store,
            self._ledger,
            self._clock.now(),
            email=wanted.email,
            lists=sorted(set(wanted.lists)),
            language=self._publication.language,
        )
        self._wake_mail()
        return json_response(
            {"status": "accepted", "detail": "Look into your mailbox to confirm."}, status=202
        )

    async def ask_confirm(self, request: web.Request) -> web.Response:
        """Mail scanners open every link, so opening it only shows a button."""
        try:
            self._links.read_confirm(_token(request), self._clock.now())
        except BadLink as error:
            return self._bad(request, error)
        return page(
            self._publication,
            "Confirm your subscription",
            f"Press the button to receive alerts from {self._publication.name}.",
            button="Confirm",
        )

    async def confirm(self, request: web.Request) -> web.Response:
        try:
            await confirm(self._store, self._links, self._clock.now(), _token(request))
        except BadLink as error:
            return self._bad(request, error)
        return page(
            self._publication,
            "You are subscribed",
            "Every mail has a link with which you can leave at any time.",
        )

    async def ask_unsubscribe(self, request: web.Request) -> web.Response:
        try:
            self._links.read_leave(_token(request))
        except BadLink as error:
            return self._bad(request, error)
        return page(
            self._publication,
            "Unsubscribe",
            f"Press the button and {self._publication.name} will send you no more alerts.",
            button="Unsubscribe",
        )

    async def unsubscribe(self, request: web.Request) -> web.Response:
        """RFC 8058: a bare POST with any form body or none, no cookie, no redirect, idempotent."""
        try:
            await unsubscribe(self._store, self._links, _token(request))
        except BadLink as error:
            return self._bad(request, error)
        if _is_browser(request):
            return page(
                self._publication, "You are unsubscribed", "We will send you no more alerts."
            )
        return web.Response(text="You are unsubscribed.\n")

    def _bad(self, request: web.Request, error: BadLink) -> web.Response:
        if not _is_browser(request):
            raise Problem(400, "This link does not work", field="t", detail=str(error)) from error
        return page(self._publication, "This link does not work", f"{error}.", status=400)


def _is_browser(request: web.Request) -> bool:
    """A person's browser names HTML; a mail provider's one-click request does not."""
    return "text/html" in request.headers.get("Accept", "")


def _token(request: web.Request) -> str:
    """The `t` of the address. Raises `BadLink`."""
    given = request.query.getall("t", [])
    if len(given) != 1 or not 1 <= len(given[0]) <= MAX_TOKEN:
        raise BadLink("the link is not complete")
    return given[0]
