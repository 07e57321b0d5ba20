"""Webhooks in: a signed message of another CMS, and the list of those that may send one."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import aiohttp
from aiohttp import web

from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.api.transfer_answers import (
    ADD_SOURCE,
    LIST_SOURCES,
    RECEIVE,
    REMOVE_SOURCE,
)
from services.publishing.domain.article import article_url
from services.publishing.domain.errors import Invalid
from services.publishing.domain.imported import SOURCE, SOURCE_LENGTH
from services.publishing.domain.inbound.messages import NewSource, Nothing, read_message
from services.publishing.domain.inbound.signing import Unsigned, verify_ghost, verify_standard
from services.publishing.store.inbound import InboundSource, InboundStore
from services.publishing.usecases.inbound import Done, Fetch, follow, sections_of
from services.publishing.usecases.pictures import Darkroom
from services.publishing.usecases.ports import ActRecord, Newsroom
from shared.contracts.identity import Role
from shared.web.app import MAX_UPLOAD_BYTES
from shared.web.description import described
from shared.web.identity import Identity, require_role
from shared.web.outbound import LazySession, OutboundPolicy, guarded_request
from shared.web.problems import Problem, not_found
from shared.web.requests import BODY_SECONDS, json_response, object_in, query_values, read_json

FETCH_SECONDS = 8.0


def fetching(session: LazySession, policy: OutboundPolicy) -> Fetch:
    """Pictures through the guarded client: no private address, no redirect, 20 MB."""

    async def fetch(address: str) -> bytes:
        try:
            status, _, content = await guarded_request(
                session(),
                policy,
                "GET",
                address,
                timeout_seconds=FETCH_SECONDS,
                max_bytes=MAX_UPLOAD_BYTES + 1,
            )
        except aiohttp.ClientError as error:
            raise OSError(str(error) or type(error).__name__) from error
        if status != 200:
            raise OSError(f"its address answers {status}")
        if len(content) > MAX_UPLOAD_BYTES:
            raise OSError("has more than 20 MB")
        return content

    return fetch


def _name(request: web.Request, field: str) -> str:
    name = request.match_info[field]
    if len(name) > SOURCE_LENGTH or not re.fullmatch(SOURCE, name):
        raise not_found("source", field)
    return name


def _source_json(source: InboundSource, public_url: str) -> dict[str, Any]:
    return {
        **source.told.model_dump(),
        "endpoint": f"{public_url}/api/v1/inbound/{source.told.name}",
        "created_at": source.created_at,
    }


class InboundRoutes:
    """Handlers of the endpoint and of its sources."""

    def __init__(
        self, room: Newsroom, store: InboundStore, darkroom: Darkroom, fetch: Fetch
    ) -> None:
        self._room, self._store = room, store
        self._darkroom, self._fetch = darkroom, fetch

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            described(web.post("/api/v1/inbound/{source}", refusing(self.receive)), RECEIVE),
            described(web.post("/api/v1/inbound-sources", refusing(self.add)), ADD_SOURCE),
            described(web.get("/api/v1/inbound-sources", refusing(self.listing)), LIST_SOURCES),
            described(
                web.delete("/api/v1/inbound-sources/{name}", refusing(self.remove)), REMOVE_SOURCE
            ),
        ]

    async def add(self, request: web.Request) -> web.Response:
        admin = await require_role(request, Role.ADMIN)
        new = await read_json(request, NewSource)
        known = {section.slug for section in self._room.publication.sections}
        wrong = {
            f"section_map.{old}": "there is no such section"
            for old, section in new.section_map.items()
            if section not in known
        }
        if new.default_section and new.default_section not in known:
            wrong["default_section"] = "there is no such section"
        if wrong:
            raise Invalid(wrong)
        source, secret = await self._store.add(new, self._room.clock.now())
        await self._log("inbound_source.add", admin, new.name)
        body = {**_source_json(source, self._room.public_url), "secret": secret}
        return json_response(shown(body), status=201, headers={"Cache-Control": "no-store"})

    async def listing(self, request: web.Request) -> web.Response:
        await require_role(request, Role.ADMIN)
        query_values(request, set())
        items = [_source_json(one, self._room.public_url) for one in await self._store.all()]
        return json_response({"items": shown(items), "next": None})

    async def remove(self, request: web.Request) -> web.Response:
        admin, name = await require_role(request, Role.ADMIN), _name(request, "name")
        if not await self._store.remove(name):
            raise not_found("source", "name")
        await self._log("inbound_source.remove", admin, name)
        return web.Response(status=204)

    async def _log(self, act: str, by: Identity, name: str) -> None:
        done = ActRecord(act, by.subject, by.name, self._room.clock.now(), {"source": name})
        await self._room.records.audit(self._room.make_id(), done)

    async def receive(self, request: web.Request) -> web.Response:
        """200 for what was done or asks for nothing; 401 unsigned, 409 and 422 name the field."""
        known = await self._store.get(_name(request, "source"))
        if known is None:
            raise not_found("source", "source")
        if request.content_type != "application/json":
            raise Problem(415, "The body must be application/json", field="Content-Type")
        source, secret = known[0].told, known[1]
        if secret is None:
            detail = "its secret was sealed with another HERALD_SECRET_KEY; register it again"
            raise Problem(409, "Not possible as things stand", field="source", detail=detail)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                raw = await request.read()
        except TimeoutError as error:
            raise Problem(408, "The body did not arrive in time", field="body") from error
        now = self._room.clock.now()
        verify = verify_ghost if source.kind == "ghost" else verify_standard
        try:
            message_id, sent = verify(secret, request.headers, raw, now)
        except Unsigned as error:
            raise Problem(
                401,
                "The message is not signed as it must be",
                field=error.header,
                detail=str(error),
            ) from error
        if await self._store.was_seen(source.name, message_id):
            return self._answer(Done("ignored", ignored="seen"))
        sections = sections_of(self._room, source)
        message = read_message(source.kind, object_in(raw), sections, sent)
        if isinstance(message, Nothing):
            return self._answer(Done("ignored", ignored=message.reason))
        done = await follow(self._room, self._darkroom, self._fetch, source, message)
        # Only now: what failed on our side may be sent again as it is.
        await self._store.remember(source.name, message_id, now)
        return self._answer(done)

    def _answer(self, done: Done) -> web.Response:
        body: dict[str, Any] = {"outcome": done.outcome, "notes": list(done.notes)}
        if done.ignored:
            body["ignored"] = done.ignored
        if copy := done.copy:
            slug = copy.live.slug if copy.live else copy.slug
            body |= {
                "id": copy.id,
                "status": copy.status.value,
                "revision": copy.revision,
                "url": article_url(self._room.public_url, slug),
            }
        return json_response(body)
