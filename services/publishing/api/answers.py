"""What the routes about people have in common: pages by id, secrets shown once, tokens that end at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from services.publishing.api.shown import shown
from services.publishing.domain.callers import Caller, caller
from services.publishing.usecases.front_desk import Token
from shared.runtime.ids import is_id
from shared.web.identity import IDENTITIES
from shared.web.problems import Problem
from shared.web.requests import client_address, json_response, paging


def caller_of(request: web.Request, trusted_proxies: int) -> Caller:
    """Where the request came from and with what program."""
    address = client_address(request, trusted_proxies)
    return caller(address, request.headers.get("User-Agent", ""))


def page_of(values: dict[str, str]) -> tuple[int, str | None]:
    """`limit`, and `cursor` where it is an id."""
    limit, cursor = paging(values)
    if cursor is not None and not is_id(cursor):
        raise Problem(422, "cursor is not one of ours", field="cursor")
    return limit, cursor


def listed(items: list[dict[str, Any]], limit: int) -> web.Response:
    """A page, from one item more than it holds."""
    page = items[:limit]
    following = page[-1]["id"] if len(items) > limit else None
    return json_response({"items": shown(page), "next": following})


def once(document: dict[str, Any], status: int = 201) -> web.Response:
    """An answer with a secret in it, which nothing on its way may keep."""
    return json_response(shown(document), status=status, headers={"Cache-Control": "no-store"})


async def refuse_at_once(request: web.Request, ended: Iterable[Token]) -> None:
    """Refuse these tokens in this process now; their events do the same everywhere else."""
    for token in ended:
        await request.app[IDENTITIES].revoke(token.id, token.expires_at)
