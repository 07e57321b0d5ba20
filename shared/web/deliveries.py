"""The routes over a delivery ledger, the same for every service that has one: see, retry, resolve, cancel."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any, Literal, Protocol

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.contracts.identity import Role
from shared.contracts.outlets import DeliveryState
from shared.web.identity import require_role
from shared.web.problems import Problem, not_found
from shared.web.requests import json_response, paging, query_values, read_json


class DeliveryDesk(Protocol):
    """What the routes need of a ledger. Acts raise ValueError with the reason for refusing."""

    async def page(
        self, filters: dict[str, Any], *, after: str | None, limit: int
    ) -> list[dict[str, Any]]: ...

    async def read(self, delivery_id: str) -> dict[str, Any] | None: ...

    async def retry(self, delivery_id: str, who: str) -> dict[str, Any] | None: ...

    async def cancel(self, delivery_id: str, who: str) -> dict[str, Any] | None: ...

    async def resolve(
        self, delivery_id: str, who: str, *, happened: bool, url: str | None
    ) -> dict[str, Any] | None: ...


class Resolution(BaseModel):
    """What a person found out about an unknown outcome."""

    model_config = ConfigDict(extra="forbid")

    outcome: Literal["happened", "did_not_happen"]
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=2000)] | None = None


class DeliveryRoutes:
    """Handlers below `root`, for example `/api/v1/deliveries`."""

    def __init__(self, root: str, desk: DeliveryDesk) -> None:
        self._root = root
        self._desk = desk

    def routes(self) -> list[web.AbstractRouteDef]:
        one = f"{self._root}/{{id}}"
        return [
            web.get(self._root, self.list),
            web.get(one, self.read),
            web.post(f"{one}/retry", self.retry),
            web.post(f"{one}/resolve", self.resolve),
            web.post(f"{one}/cancel", self.cancel),
        ]

    async def list(self, request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        values = query_values(request, {"state", "article", "outlet", "limit", "cursor"})
        limit, cursor = paging(values)
        if values.get("state", "planned") not in {state.value for state in DeliveryState}:
            raise Problem(422, "There is no such state", field="state")
        stored_as = {"state": "state", "article": "article_id", "outlet": "outlet"}
        filters = {stored: values[name] for name, stored in stored_as.items() if name in values}
        found = await self._desk.page(filters, after=cursor, limit=limit + 1)
        following = found[limit - 1]["id"] if len(found) > limit else None
        return json_response({"items": found[:limit], "next": following})

    async def read(self, request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        return _found(await self._desk.read(request.match_info["id"]))

    async def retry(self, request: web.Request) -> web.Response:
        identity = await require_role(request, Role.EDITOR)
        return await _act(self._desk.retry(request.match_info["id"], identity.name))

    async def cancel(self, request: web.Request) -> web.Response:
        identity = await require_role(request, Role.EDITOR)
        return await _act(self._desk.cancel(request.match_info["id"], identity.name))

    async def resolve(self, request: web.Request) -> web.Response:
        identity = await require_role(request, Role.EDITOR)
        said = await read_json(request, Resolution)
        return await _act(
            self._desk.resolve(
                request.match_info["id"],
                identity.name,
                happened=said.outcome == "happened",
                url=said.url,
            )
        )


async def _act(act: Awaitable[dict[str, Any] | None]) -> web.Response:
    try:
        return _found(await act)
    except ValueError as error:
        raise Problem(409, "Not possible now", field="state", detail=str(error)) from error


def _found(delivery: dict[str, Any] | None) -> web.Response:
    if delivery is None:
        raise not_found("delivery")
    return json_response(delivery)
