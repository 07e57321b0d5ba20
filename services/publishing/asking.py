"""Asks the services over our own origin what they would do. Never follows a redirect, never waits long."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson

from services.publishing.usecases.preview import Ask, NoAnswer
from shared.runtime.tracing import current_traceparent
from shared.web.previews import ROOT, Line, Snapshot

SECONDS = 5.0
MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""A page and a feed item of the longest article, with room to spare."""


class Asker:
    """`origin` is where the services are reached from inside."""

    def __init__(
        self, session: Callable[[], aiohttp.ClientSession], origin: str, seconds: float = SECONDS
    ) -> None:
        self._session = session
        self._root = f"{origin}{ROOT}"
        self._timeout = aiohttp.ClientTimeout(total=seconds)

    def on_behalf_of(self, authorization: str) -> Ask:
        """Asks with the caller's own identity, so that nobody sees more than they may."""

        async def ask(service: str, snapshot: Snapshot) -> list[Line]:
            return await self._ask(service, snapshot, authorization)

        return ask

    async def _ask(self, service: str, snapshot: Snapshot, authorization: str) -> list[Line]:
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        if trace := current_traceparent():
            headers["traceparent"] = trace
        try:
            async with self._session().post(
                f"{self._root}/{service}",
                # A stream, because a long text at once would hold up the event loop.
                data=io.BytesIO(snapshot.model_dump_json().encode()),
                headers=headers,
                allow_redirects=False,
                timeout=self._timeout,
            ) as answer:
                raw = await _read(answer.content)
        except TimeoutError as error:
            raise NoAnswer(f"no answer within {self._timeout.total:g} seconds") from error
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer(f"cannot be reached: {error}") from error
        return _lines(answer.status, raw)


async def _read(content: aiohttp.StreamReader) -> bytes:
    raw = bytearray()
    async for chunk in content.iter_any():
        raw += chunk
        if len(raw) > MAX_ANSWER_BYTES:
            raise NoAnswer(f"its answer has more than {MAX_ANSWER_BYTES:,} bytes")
    return bytes(raw)


def _lines(status: int, raw: bytes) -> list[Line]:
    try:
        answer: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        answer = None
    document = answer if isinstance(answer, dict) else {}
    lines = document.get("outlets")
    if status != 200:
        raise NoAnswer(f"answers {status}: {document.get('detail', 'without a reason')}")
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise NoAnswer("answers something else than a preview")
    return lines
