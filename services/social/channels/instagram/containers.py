"""Containers: pictures that Instagram has taken in and not yet shown. One is published at most once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import regex

from services.social.channels.instagram.answers import FETCH_SECONDS, NOT_FETCHED, READY_SECONDS
from services.social.channels.instagram.compose import Frozen
from services.social.channels.meta import GraphClient
from shared.delivery.errors import GiveUp, TryAgain

LIFE = timedelta(hours=24)
PROCESSING_SECONDS = 40.0
POLL_SECONDS = 0.5
READY, PUBLISHED = "FINISHED", "PUBLISHED"


@dataclass(frozen=True)
class Container:
    """What was taken in for one delivery."""

    id: str
    made_at: datetime
    content: tuple[str, str, str]


class Containers:
    """Remembers, while this process lives, which container belongs to which delivery."""

    def __init__(self, client: GraphClient, user_id: str, clock: Callable[[], datetime]) -> None:
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
        """A container of exactly this content, new unless an earlier try has made it."""
        content = (frozen.caption, frozen.image_url, frozen.alt)
        found = self.known(frozen.key)
        if found and found.content == content:
            return found
        body = {"image_url": frozen.image_url, "caption": frozen.caption}
        if frozen.alt:
            body["alt_text"] = frozen.alt
        # Nobody sees a container, and one that is left behind expires: nothing here is unknown.
        answer = await self._client.ask("POST", f"{self._user_id}/media", field="id", json=body)
        made = Container(str(answer.body["id"]), self._clock(), content)
        self._known = {
            key: one for key, one in self._known.items() if self._clock() - one.made_at < LIFE
        }
        self._known[frozen.key] = made
        return made

    async def state(self, container: Container) -> tuple[str, str]:
        """`status_code` and the words that go with it."""
        answer = await self._client.ask(
            "GET", container.id, field="status_code", params={"fields": "status_code,status"}
        )
        return str(answer.body["status_code"]), str(answer.body.get("status", ""))

    async def settled(self, container: Container, key: str) -> str:
        """`FINISHED` or `PUBLISHED`. Raises `TryAgain` or `GiveUp` for a container that is neither."""
        try:
            async with asyncio.timeout(PROCESSING_SECONDS):
                state = await self.state(container)
                while state[0] == "IN_PROGRESS":
                    await asyncio.sleep(POLL_SECONDS)
                    state = await self.state(container)
        except TimeoutError as error:
            raise TryAgain("Instagram is still working on the image", READY_SECONDS) from error
        if state[0] in {READY, PUBLISHED}:
            return state[0]
        self.forget(key)
        number = regex.search(r"\b22\d{5}\b", state[1])
        if state[0] == "EXPIRED" or (number and int(number[0]) in NOT_FETCHED):
            raise TryAgain(f"{state[0]}: {state[1]}", FETCH_SECONDS)
        raise GiveUp(f"{state[0]}: {state[1]}")
