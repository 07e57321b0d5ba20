"""One signed POST through the guarded client. Never reaches a private address, never follows a redirect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp
import orjson

from services.notifications.webhooks.signing import headers
from shared.runtime.clock import Clock
from shared.web.outbound import OutboundPolicy, guarded_request

TIMEOUT_SECONDS = 15.0
MAX_ANSWER_BYTES = 16 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]


class NotSent(Exception):
    """Raised when no byte of the message left: the address is refused or nobody listens."""

    def __init__(self, reason: str, *, forbidden: bool) -> None:
        super().__init__(reason)
        self.forbidden = forbidden


class NoAnswer(Exception):
    """Raised when the message left and no whole answer came back."""


class Sender:
    """Signs and posts. `session` must be a guarded one with the same policy."""

    def __init__(
        self,
        session: Callable[[], aiohttp.ClientSession],
        policy: OutboundPolicy,
        clock: Clock,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._session = session
        self._policy = policy
        self._clock = clock
        self._timeout_seconds = timeout_seconds

    async def post(self, url: str, secret: str, message_id: str, body: str) -> Answer:
        """Send `body` (JSON text) once. Raises `NotSent` or `NoAnswer`."""
        raw = body.encode()
        try:
            status, answered, _ = await guarded_request(
                self._session(),
                self._policy,
                "POST",
                url,
                timeout_seconds=self._timeout_seconds,
                max_bytes=MAX_ANSWER_BYTES,
                data=raw,
                headers={
                    "Content-Type": "application/json",
                    "User-Agent": "Herald",
                    **headers(secret, message_id, self._clock.now(), raw),
                },
            )
        except ValueError as error:  # the address, or what its name resolves to
            raise NotSent(str(error), forbidden=True) from error
        except aiohttp.ClientConnectorError as error:
            raise NotSent(f"cannot connect: {error.os_error}", forbidden=False) from error
        except TimeoutError as error:
            raise NoAnswer(f"no answer within {self._timeout_seconds:g} seconds") from error
        except aiohttp.ClientError as error:
            raise NoAnswer(f"the connection broke: {error!r}") from error
        return Answer(status, answered)


def message(event_type: str, timestamp: str, data: Mapping[str, object]) -> str:
    """The body of a message. `timestamp` is when the event happened, RFC 3339."""
    return orjson.dumps({"type": event_type, "timestamp": timestamp, "data": data}).decode()
