"""Subscribers as the newsroom sees them: look, enter a consent given elsewhere, forget a person."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.notifications.api.subscriptions import EmailField, ListsField
from services.notifications.domain.errors import HasUnsubscribed, SubscriberExists
from services.notifications.domain.subscribers import Standing, Subscriber
from services.notifications.store.subscribers import Subscribers
from services.notifications.usecases import bring_in
from shared.contracts.identity import Role
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


class SubscriberRoutes:
    """Below `/api/v1/subscribers`."""

    def __init__(self, subscribers: Subscribers, language: str) -> None:
        self._subscribers = subscribers
        self._language = language

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get(ROOT, self.list),
            web.post(ROOT, self.add),
            web.delete(f"{ROOT}/{{id}}", self.remove),
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
