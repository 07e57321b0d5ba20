"""Failures of a stand-in network on demand, and what each does in words. Never fails before and after one act."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from aiohttp import web

from services.social.channels.base import FAULTS

CLOSING: web.AppKey[asyncio.Event] = web.AppKey("closing", asyncio.Event)
"""Set when the stand-in shuts down, so that nothing goes on hanging."""

CALLS = {
    "": "A post",
    "edit:": "An edit or a correction",
    "delete:": "A deletion",
    "media:": "The upload of a picture",
    "blob:": "The upload of a picture",
    "container:": "Taking in a post, which is published later",
    "read:": "Reading posts back",
    "counts:": "Reading how posts are doing",
}
"""What a fault's name begins with, and what it hits then; the creating call has no prefix."""

WORDS = {
    "error_before": "is answered with a server error; nothing happens",
    "error_after": "happens, and is answered with a server error",
    "hang_after": "happens, and is never answered",
    "disconnect_after": "happens, and then the connection is cut",
    "rate_limited": "is refused as too many, with the network's own way to say until when",
    "auth_dead": "is refused as by a network that has revoked the token",
    "refuse": "is refused for good",
}
"""For every one of `FAULTS`, how a sentence goes on that begins with a call."""


class FaultSwitches(ABC):
    """`left` counts, per name, how many more requests a fault will hit; `words` says what it does."""

    def __init__(
        self,
        calls: Sequence[str],
        own: Mapping[str, str] | None = None,
        own_calls: Sequence[str] = ("",),
    ) -> None:
        """`own` are the network's own faults, in words like those of `WORDS`, and hit each of `own_calls`."""
        self.words = {
            f"{call}{name}": f"{CALLS[call]} {WORDS[name]}" for call in calls for name in FAULTS
        }
        for call in own_calls:
            self.words |= {
                f"{call}{name}": f"{CALLS[call]} {how}" for name, how in (own or {}).items()
            }
        self.left = dict.fromkeys(self.words, 0)

    @abstractmethod
    def broken(self) -> web.StreamResponse:
        """A server error in the network's form; may raise it in place of answering."""

    def take(self, fault: str) -> bool:
        """Whether the fault strikes now; it has one time less then."""
        if self.left.get(fault, 0) <= 0:
            return False
        self.left[fault] -= 1
        return True

    async def after(
        self, request: web.Request, call: str, answer: web.StreamResponse
    ) -> web.StreamResponse:
        """Faults that act after it was done."""
        if self.take(f"{call}error_after"):
            return self.broken()
        if self.take(f"{call}disconnect_after"):
            if request.transport is not None:
                request.transport.abort()
            await asyncio.sleep(0)
        elif self.take(f"{call}hang_after"):
            # The transport goes when the client does; nobody waits for us longer than that.
            closing = request.app[CLOSING]
            while request.transport is not None and not closing.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(closing.wait(), 0.02)
            if request.transport is not None:
                request.transport.abort()  # we shut down, and have never answered
        return answer
