"""One HTTP call to a network, with failures sorted by phase: before the body left, or after. Never retries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from yarl import URL

from shared.delivery.errors import GiveUp, OutcomeUnknown, TryAgain

TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)
MAX_ANSWER_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """What the network said. `body` is parsed JSON, or None where it sent none or something else."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: Any
    text: str

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


async def call(
    session: aiohttp.ClientSession,
    method: str,
    url: str | URL,
    *,
    mutation: bool,
    headers: dict[str, str] | None = None,
    json: Any = None,
    data: Any = None,
    params: Any = None,
    timeout: aiohttp.ClientTimeout = TIMEOUT,
) -> Answer:
    """Perform one request. No redirects are followed. A `URL` goes out exactly as it is spelled.

    Raises `TryAgain` when the request cannot have reached the network (name, connect, TLS), and when
    anything goes wrong with a request that changes nothing (`mutation=False`); `OutcomeUnknown` when
    a mutation left and no answer came back; `GiveUp` where there is no such address.
    """
    try:
        async with session.request(
            method,
            url,
            headers=headers,
            json=json,
            data=data,
            params=params,
            timeout=timeout,
            allow_redirects=False,
            middlewares=(_once,) if mutation else None,
        ) as response:
            raw = await _read(response.content)
            lowered = {name.lower(): value for name, value in response.headers.items()}
            text = raw.decode("utf-8", "replace")
            return Answer(response.status, lowered, _parse(raw), text)
    except (aiohttp.InvalidURL, UnicodeError) as error:
        # `1.2.3.999` is the first, and a name with an empty part the other. Nothing has left.
        raise GiveUp("the address cannot be called: no host has such a name") from error
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        # Also covers DNS and TLS: the connection never stood, so no byte of the request was read.
        raise TryAgain(f"cannot connect: {error}") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        said = f"no answer: {type(error).__name__}: {error}".rstrip(": ")
        if mutation:
            raise OutcomeUnknown(said) from error
        raise TryAgain(said) from error


async def _read(content: aiohttp.StreamReader) -> bytes:
    """The whole answer, or its first `MAX_ANSWER_BYTES`: one `read` gives only what has arrived."""
    raw = bytearray()
    async for chunk in content.iter_any():
        raw += chunk
        if len(raw) >= MAX_ANSWER_BYTES:
            break
    return bytes(raw[:MAX_ANSWER_BYTES])


async def _once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keeps aiohttp from repeating a PUT or DELETE by itself when a kept connection breaks.

    It does so on two exceptions only (RFC 9112, 9.3.1); under another name they reach our caller.
    """
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(f"{type(error).__name__}: {error}") from error


def _parse(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
