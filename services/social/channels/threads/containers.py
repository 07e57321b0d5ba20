"""Containers: posts that Threads has taken in and not yet shown. One is published at most once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.social.channels.meta import gone
from services.social.channels.threads.answers import PROPAGATION_SECONDS
from services.social.channels.threads.client import ThreadsClient
from services.social.channels.threads.compose import Frozen
from shared.delivery.errors import GiveUp, TryAgain

LIFE = timedelta(hours=24)
POLL_SECONDS = 0.5
READY, PUBLISHED, IN_WORK, EXPIRED = "FINISHED", "PUBLISHED", "IN_PROGRESS", "EXPIRED"
NOT_FETCHED = "FAILED_DOWNLOADING"
"""Beginning of the error of an image that the network could not read just now."""


@dataclass(frozen=True)
class Container:
    """What was taken in for one delivery."""

    id: str
    made_at: datetime
    content: dict[str, str]


class Containers:
    """Remembers, while this process lives, which container belongs to which delivery."""

    def __init__(self, client: ThreadsClient, user_id: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._user_id = user_id
        self._clock = clock
        self._known: dict[str, Container] = {}

    def known(self, key: str) -> Container | None:
        """The container of an earlier try, if it lives."""
        found = self._known.get(key)
        return found if found and self._clock() - found.made_at < LIFE else None

    def forget(self, key: str) -> None:
        self._known.pop(key, None)

    async def take_in(self, frozen: Frozen) -> Container:
        """A container of exactly this content, new unless an earlier try has made it or has published another."""
        content = frozen.container()
        found = self.known(frozen.key)
        if found and (found.content == content or (await self.state(found))[0] == PUBLISHED):
            return found
        # Nobody sees a container, and one that is left behind expires: nothing here is unknown.
        path = f"{self._user_id}/threads"
        answer = await self._client.ask("POST", path, field="id", values=content)
        made = Container(str(answer.body["id"]), self._clock(), content)
        self._known = {
            key: one for key, one in self._known.items() if self._clock() - one.made_at < LIFE
        }
        self._known[frozen.key] = made
        return made

    async def state(self, container: Container) -> tuple[str, str]:
        """`status` and `error_message`; one that the network does not know any more is as good as expired."""
        answer = await self._client.ask(
            "GET",
            container.id,
            field="status",
            values={"fields": "status,error_message"},
            bear=gone,
        )
        if gone(answer):
            return EXPIRED, ""
        return str(answer.body["status"]), str(answer.body.get("error_message") or "")

    async def settled(self, container: Container, key: str) -> str:
        """`FINISHED` or `PUBLISHED`. Raises `TryAgain` or `GiveUp` for a container that is neither."""
        state, said = await self.state(container)
        while state == IN_WORK:
            await asyncio.sleep(POLL_SECONDS)
            state, said = await self.state(container)
        if state in {READY, PUBLISHED}:
            return state
        self.forget(key)
        if state == EXPIRED or said.startswith(NOT_FETCHED):
            raise TryAgain(f"{state}: {said}".rstrip(": "), PROPAGATION_SECONDS)
        raise GiveUp(f"{state}: {said}".rstrip(": "))
