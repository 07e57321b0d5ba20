"""Partners' webhooks: register, look, test, remove. The secret is shown once, when it is made."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, ClassVar, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.notifications.domain.errors import WebhookExists
from services.notifications.domain.webhooks import Webhook
from services.notifications.store.webhooks import Webhooks
from services.notifications.webhooks.sender import NoAnswer, NotSent, Sender, message
from shared.contracts.identity import Role
from shared.runtime.clock import Clock, monotonic
from shared.runtime.ids import new_token
from shared.web.description import (
    PAGING,
    Answer,
    Id,
    Moment,
    Operation,
    Page,
    Refusal,
    Shown,
    Tag,
    described,
)
from shared.web.identity import require_role
from shared.web.outbound import Forbidden, OutboundPolicy
from shared.web.problems import Problem, not_found
from shared.web.requests import json_response, paging, path_id, query_values, read_json

ROOT = "/api/v1/webhooks"
TEST = "herald.test"

EventName = Literal[
    "article.published", "article.updated", "article.retracted", "article.unpublished"
]


class NewWebhook(BaseModel):
    """A partner's endpoint. Without `events` it gets all of them."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    url: Annotated[str, StringConstraints(min_length=8, max_length=2000)]
    events: Annotated[list[EventName], Field(default_factory=list, max_length=10)]


class WebhookAnswer(Shown):
    """A partner's endpoint, without its secret."""

    id: Id
    name: str
    url: str
    events: list[str]
    """Empty for all of them."""
    enabled: bool
    created_at: Moment
    disabled_reason: str | None

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": "0199f0c3-7b1d-7e5a-8c2f-3d4e5f6a7b80",
        "name": "wire-partner",
        "url": "https://partner.example/hooks/herald",
        "events": ["article.published", "article.retracted"],
        "enabled": True,
        "created_at": "2026-11-01T10:00:00Z",
        "disabled_reason": None,
    }


class NewWebhookAnswer(WebhookAnswer):
    """A fresh webhook."""

    secret: str
    """Signs every message (Standard Webhooks); shown this once."""

    EXAMPLE: ClassVar[dict[str, Any]] = {**WebhookAnswer.EXAMPLE, "secret": "whsec_..."}


class WebhookTestAnswer(Shown):
    """What the partner answered."""

    ok: bool
    status: int | None
    """Null where there was no answer; `reason` says why."""
    milliseconds: int | None = None
    reason: str | None = None

    EXAMPLE: ClassVar[dict[str, Any]] = {"ok": True, "status": 204, "milliseconds": 38}


WEBHOOKS = Tag("Webhooks", "Partners who are told of every article, with signed messages.")
LIST = Operation(
    "list_webhooks",
    "List webhooks, newest first",
    WEBHOOKS,
    {200: Answer("Webhooks, without their secrets.", Page[WebhookAnswer])},
    role=Role.CHIEF,
    query=PAGING,
)
ADD = Operation(
    "add_webhook",
    "Register a partner's endpoint",
    WEBHOOKS,
    {201: Answer("The webhook with its secret.", NewWebhookAnswer, headers=("Location",))},
    role=Role.CHIEF,
    body=NewWebhook,
    example={
        "name": "wire-partner",
        "url": "https://partner.example/hooks/herald",
        "events": ["article.published", "article.retracted"],
    },
    refusals=(Refusal(409, "There is a webhook of this name", "name"),),
)
READ = Operation(
    "read_webhook",
    "Read a webhook",
    WEBHOOKS,
    {200: Answer("It, without its secret.", WebhookAnswer)},
    role=Role.CHIEF,
)
REMOVE = Operation(
    "remove_webhook",
    "Remove a webhook",
    WEBHOOKS,
    {204: Answer("It gets nothing any more.")},
    role=Role.CHIEF,
)
TRY = Operation(
    "test_webhook",
    "Send a signed test message now",
    WEBHOOKS,
    {200: Answer("What came back.", WebhookTestAnswer)},
    role=Role.CHIEF,
)


class WebhookRoutes:
    """Below `/api/v1/webhooks`; for chiefs, because each one is a standing copy of the news."""

    def __init__(
        self, webhooks: Webhooks, sender: Sender, policy: OutboundPolicy, clock: Clock
    ) -> None:
        self._webhooks = webhooks
        self._sender = sender
        self._policy = policy
        self._clock = clock

    def routes(self) -> list[web.AbstractRouteDef]:
        one = f"{ROOT}/{{id}}"
        return [
            described(web.get(ROOT, self.list), LIST),
            described(web.post(ROOT, self.add), ADD),
            described(web.get(one, self.read), READ),
            described(web.delete(one, self.remove), REMOVE),
            described(web.post(f"{one}/test", self.test), TRY),
        ]

    async def list(self, request: web.Request) -> web.Response:
        await require_role(request, Role.CHIEF)
        limit, cursor = paging(query_values(request, {"limit", "cursor"}))
        found = await self._webhooks.page(after=cursor, limit=limit + 1)
        following = found[limit - 1].id if len(found) > limit else None
        return json_response({"items": [_shown(one) for one in found[:limit]], "next": following})

    async def add(self, request: web.Request) -> web.Response:
        await require_role(request, Role.CHIEF)
        wanted = await read_json(request, NewWebhook)
        try:
            self._policy.check_url(wanted.url)
        except Forbidden as error:
            raise Problem(
                422, "Not an address to send to", field="url", detail=str(error)
            ) from error
        try:
            webhook, secret = await self._webhooks.add(
                wanted.name, wanted.url, sorted(set(wanted.events))
            )
        except WebhookExists as error:
            raise Problem(409, "There is a webhook of this name", field="name") from error
        return json_response(
            {**_shown(webhook), "secret": secret},
            status=201,
            headers={"Location": f"{ROOT}/{webhook.id}", "Cache-Control": "no-store"},
        )

    async def read(self, request: web.Request) -> web.Response:
        await require_role(request, Role.CHIEF)
        query_values(request, set())
        return json_response(_shown(await self._webhook(request)))

    async def remove(self, request: web.Request) -> web.Response:
        await require_role(request, Role.CHIEF)
        if not await self._webhooks.remove(path_id(request)):
            raise not_found("webhook")
        return web.Response(status=204)

    async def test(self, request: web.Request) -> web.Response:
        """Send one signed message now and say what came back."""
        await require_role(request, Role.CHIEF)
        webhook = await self._webhook(request)
        secret = await self._webhooks.secret(webhook.id)
        if secret is None:
            raise not_found("webhook")
        now = self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = message(TEST, now, {"webhook": webhook.name})
        began = monotonic()
        try:
            answer = await self._sender.post(webhook.url, secret, f"msg_{new_token()}", body)
        except (NotSent, NoAnswer) as error:
            return json_response({"ok": False, "status": None, "reason": str(error)})
        return json_response(
            {
                "ok": 200 <= answer.status < 300,
                "status": answer.status,
                "milliseconds": round((monotonic() - began) * 1000),
            }
        )

    async def _webhook(self, request: web.Request) -> Webhook:
        webhook = await self._webhooks.get(path_id(request))
        if webhook is None:
            raise not_found("webhook")
        return webhook


def _shown(webhook: Webhook) -> dict[str, Any]:
    return asdict(webhook)
