"""Subscribers as the newsroom sees them: look, enter a consent given elsewhere, forget a person."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, ClassVar, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.notifications.api.subscriptions import EmailField, ListsField
from services.notifications.domain.errors import HasUnsubscribed, SubscriberExists
from services.notifications.domain.subscribers import Standing, Subscriber
from services.notifications.store.subscribers import Subscribers
from services.notifications.usecases import bring_in
from shared.contracts.identity import Role
from shared.web.description import (
    PAGING,
    Answer,
    Id,
    Moment,
    Operation,
    Page,
    Parameter,
    Refusal,
    Shown,
    Tag,
    described,
)
from shared.web.identity import require_role
from shared.web.problems import Problem, not_found
from shared.web.requests import json_response, paging, path_id, query_values, read_json

ROOT = "/api/v1/subscribers"


class Import(BaseModel):
    """A person who said yes elsewhere; `consent` says where and when, in words."""

    model_config = ConfigDict(extra="forbid")

    email: EmailField
    lists: ListsField
    confirmed: Literal[True]
    consent: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class SubscriberAnswer(Shown):
    """One mailbox."""

    id: Id
    email: str
    status: Standing
    lists: list[str]
    language: str
    created_at: Moment
    confirmed_at: Moment | None
    unsubscribed_at: Moment | None
    consent: dict[str, Any]
    """When and how they said yes."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": "0199f0b1-4c2e-7d90-a1b3-6f7e8d9c0a12",
        "email": "reader@example.org",
        "status": "confirmed",
        "lists": ["alerts"],
        "language": "en",
        "created_at": "2026-11-01T10:00:00Z",
        "confirmed_at": "2026-11-01T10:00:00Z",
        "unsubscribed_at": None,
        "consent": {"words": "Paper form at the open day, 1 November 2026"},
    }


SUBSCRIBERS = Tag(
    "Subscribers", "People who said that they want our mail, as the newsroom sees them."
)
LIST = Operation(
    "list_subscribers",
    "List subscribers, newest first",
    SUBSCRIBERS,
    {200: Answer("Subscribers.", Page[SubscriberAnswer])},
    role=Role.EDITOR,
    query=(
        Parameter("status", "Only those that stand so.", {"enum": [one.value for one in Standing]}),
        *PAGING,
    ),
)
ADD = Operation(
    "add_subscriber",
    "Enter a consent that was given elsewhere",
    SUBSCRIBERS,
    {201: Answer("The subscriber.", SubscriberAnswer, headers=("Location",))},
    role=Role.EDITOR,
    text="They are not asked to confirm again. Who has unsubscribed can come back only by themselves.",
    body=Import,
    example={
        "email": "reader@example.org",
        "lists": ["alerts"],
        "confirmed": True,
        "consent": "Paper form at the open day, 1 November 2026",
    },
    refusals=(
        Refusal(409, "The address is subscribed already", "email"),
        Refusal(
            409,
            "This person has unsubscribed",
            "email",
            "only they themselves can subscribe again",
        ),
    ),
)
REMOVE = Operation(
    "remove_subscriber",
    "Forget a subscriber",
    SUBSCRIBERS,
    {204: Answer("They are forgotten.")},
    role=Role.EDITOR,
)


class SubscriberRoutes:
    """Below `/api/v1/subscribers`."""

    def __init__(self, subscribers: Subscribers, language: str) -> None:
        self._subscribers = subscribers
        self._language = language

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            described(web.get(ROOT, self.list), LIST),
            described(web.post(ROOT, self.add), ADD),
            described(web.delete(f"{ROOT}/{{id}}", self.remove), REMOVE),
        ]

    async def list(self, request: web.Request) -> web.Response:
        await require_role(request, Role.EDITOR)
        values = query_values(request, {"status", "limit", "cursor"})
        limit, cursor = paging(values)
        status = values.get("status")
        if status is not None and status not in set(Standing):
            raise Problem(422, "There is no such status", field="status")
        found = await self._subscribers.page(
            Standing(status) if status else None, after=cursor, limit=limit + 1
        )
        following = found[limit - 1].id if len(found) > limit else None
        return json_response({"items": [_shown(one) for one in found[:limit]], "next": following})

    async def add(self, request: web.Request) -> web.Response:
        identity = await require_role(request, Role.EDITOR)
        wanted = await read_json(request, Import)
        try:
            entered = await bring_in(
                self._subscribers,
                email=wanted.email,
                lists=sorted(set(wanted.lists)),
                language=self._language,
                consent=wanted.consent,
                who=identity.name,
            )
        except SubscriberExists as error:
            raise Problem(409, "The address is subscribed already", field="email") from error
        except HasUnsubscribed as error:
            raise Problem(
                409,
                "This person has unsubscribed",
                field="email",
                detail="only they themselves can subscribe again",
            ) from error
        return json_response(
            _shown(entered), status=201, headers={"Location": f"{ROOT}/{entered.id}"}
        )

    async def remove(self, request: web.Request) -> web.Response:
        await require_role(request, Role.EDITOR)
        if not await self._subscribers.remove(path_id(request)):
            raise not_found("subscriber")
        return web.Response(status=204)


def _shown(person: Subscriber) -> dict[str, Any]:
    return asdict(person)
