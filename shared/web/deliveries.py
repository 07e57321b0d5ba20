"""The routes over a delivery ledger, the same for every service that has one: see, retry, resolve, cancel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, ClassVar, Literal, Protocol

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.contracts.identity import Role
from shared.contracts.outlets import DeliveryState, OutletLine
from shared.web.description import (
    PAGING,
    Answer,
    DescribedRoute,
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
from shared.web.requests import json_response, paging, query_values, read_json

ARTICLE = "0199f0a2-6f3e-7c41-9d2b-5a8e4c1b7d60"
DELIVERY_ID = Parameter(
    "id",
    "As the board names it (`delivery`), percent-encoded.",
    example=f"{ARTICLE}:social/mastodon/newsroom:post:1",
)
STATE = Parameter(
    "state", "Only those that stand so.", {"enum": [state.value for state in DeliveryState]}
)
ARTICLE_FILTER = Parameter("article", "Only those of this article.")
OUTLET_FILTER = Parameter("outlet", "Only those to this outlet.", example="email")


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


class DeliveryAnswer(OutletLine, Shown):
    """One outside effect and where it stands."""

    id: str
    article_id: str

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": f"{ARTICLE}:social/mastodon/newsroom:post:1",
        "article_id": ARTICLE,
        "outlet": "social/mastodon/newsroom",
        "delivery": f"{ARTICLE}:social/mastodon/newsroom:post:1",
        "operation": "post",
        "state": "unknown",
        "sequence": 5,
        "revision": 3,
        "reason": "the connection broke after the post was sent",
        "attempts": 1,
    }


class DeliveryInFull(DeliveryAnswer):
    """A delivery with what was frozen before it was sent."""

    payload: dict[str, Any] | None
    """Null until it is armed."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        **DeliveryAnswer.EXAMPLE,
        "payload": {"status": "Trams cross the harbour again."},
    }


class DeliveryRoutes:
    """Handlers below `root`, for example `/api/v1/deliveries`; `name` tells two ledgers' operations apart."""

    def __init__(self, root: str, desk: DeliveryDesk, tag: Tag, name: str = "delivery") -> None:
        self._root = root
        self._desk = desk
        self._tag = tag
        self._name = name

    def routes(self) -> list[web.AbstractRouteDef]:
        one = f"{self._root}/{{id}}"
        return [
            described(
                web.get(self._root, self.list),
                Operation(
                    f"list_{self._name.removesuffix('y')}ies",
                    "List deliveries, newest article first",
                    self._tag,
                    {200: Answer("Deliveries that match.", Page[DeliveryAnswer])},
                    role=Role.CONTRIBUTOR,
                    query=(STATE, ARTICLE_FILTER, OUTLET_FILTER, *PAGING),
                ),
            ),
            described(
                web.get(one, self.read),
                Operation(
                    f"read_{self._name}",
                    "Read a delivery",
                    self._tag,
                    {200: Answer("It, with its payload.", DeliveryInFull)},
                    role=Role.CONTRIBUTOR,
                    path=(DELIVERY_ID,),
                ),
            ),
            self._act("retry", self.retry, "Try it again now", "Only what waits or has failed."),
            self._act(
                "resolve",
                self.resolve,
                "Say how an unknown outcome came out, or that a task is done",
                "For the few cases in which only a person can look or act. `did_not_happen` sends it again; "
                "a task (`task` is true) `happened` once you have done what its `reason` says.",
                Resolution,
            ),
            self._act("cancel", self.cancel, "Cancel it", "Only what has not begun."),
        ]

    def _act(
        self,
        name: str,
        handler: Callable[[web.Request], Awaitable[web.Response]],
        summary: str,
        text: str,
        body: type[BaseModel] | None = None,
    ) -> DescribedRoute:
        return described(
            web.post(f"{self._root}/{{id}}/{name}", handler),
            Operation(
                f"{name}_{self._name}",
                summary,
                self._tag,
                {200: Answer("The delivery afterwards.", DeliveryAnswer)},
                role=Role.EDITOR,
                text=text,
                body=body,
                example=body
                and {"outcome": "happened", "url": "https://mastodon.example/@newsroom/1"},
                path=(DELIVERY_ID,),
                refusals=(Refusal(409, "Not possible now", "state", "it is confirmed already"),),
            ),
        )

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
        query_values(request, set())
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
