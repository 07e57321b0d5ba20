"""Open event streams of the fan-out board: woken by what this process hears, polling for what others hear.

Never holds up a shutdown: stopping ends every stream at once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from services.publishing.store.board import BoardLine, BoardStore
from shared.runtime.clock import monotonic
from shared.runtime.loops import Wakeable

POLL_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
OVERLAP = timedelta(seconds=2)
"""Reports are written side by side, so a line may appear behind one that was read already."""


def event_id(line: BoardLine) -> str:
    return f"{int(line.changed_at.timestamp() * 1000)}-{line.line.delivery}"


def resume_point(last_event_id: str) -> tuple[datetime, str] | None:
    """When the last line a client saw had changed, and which it was; None for no id of ours."""
    milliseconds, dash, delivery = last_event_id.partition("-")
    if not (dash and milliseconds.isascii() and milliseconds.isdigit() and len(milliseconds) < 15):
        return None
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC), delivery


class Streams:
    """Every open stream of this process."""

    def __init__(self, board: BoardStore) -> None:
        self._board = board
        self._open: defaultdict[str, set[Wakeable]] = defaultdict(set)
        self._stopping = False

    def start(self) -> None:
        self._stopping = False

    async def stop(self, grace: float) -> None:
        """End all streams; each notices at once."""
        self._stopping = True
        for streams in self._open.values():
            for wakeable in streams:
                wakeable.wake()
        await asyncio.sleep(0)

    def changed(self, article_id: str) -> None:
        """The board of this article has changed."""
        for wakeable in self._open.get(article_id, ()):
            wakeable.wake()

    async def follow(
        self, article_id: str, last_event_id: str | None
    ) -> AsyncGenerator[BoardLine | None, None]:
        """Lines as they change, oldest first; None is a heartbeat, or a chance to notice a lost client.

        A resumed stream repeats lines of its last two seconds; `sequence` tells them from news.
        """
        point = resume_point(last_event_id or "")
        since = point[0] - OVERLAP if point else None
        sent: dict[str, int] = {}
        with self._listening(article_id) as wakeable:
            while not self._stopping:
                for line in await self._board.lines(article_id, since):
                    key = line.line.delivery
                    known = point is not None and (line.changed_at, key) == point
                    if line.line.sequence > sent.get(key, -1) and not known:
                        yield line
                    sent[key] = line.line.sequence
                    since = max(since or line.changed_at - OVERLAP, line.changed_at - OVERLAP)
                yield None
                if not self._stopping:
                    await wakeable.wait(POLL_SECONDS)

    @contextmanager
    def _listening(self, article_id: str) -> Iterator[Wakeable]:
        wakeable = Wakeable()
        self._open[article_id].add(wakeable)
        try:
            yield wakeable
        finally:
            self._open[article_id].discard(wakeable)
            if not self._open[article_id]:
                del self._open[article_id]


class Heart:
    """Says when the next heartbeat is due."""

    def __init__(self) -> None:
        self._beat = monotonic()

    def due(self) -> bool:
        if monotonic() - self._beat < HEARTBEAT_SECONDS:
            return False
        self._beat = monotonic()
        return True
