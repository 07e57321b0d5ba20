"""One supervised connection to the broker: made lazily, made again for ever. Never replays a publish by itself."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    PublishError,
)

from shared.messaging.bus import BrokerUnavailable, BusError, Unroutable

log = structlog.get_logger(__name__)

_CONNECT_SECONDS = 10.0
_HEARTBEAT_SECONDS = 10
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0

Restore = Callable[[AbstractConnection], Awaitable[None]]


@contextmanager
def broker_errors() -> Iterator[None]:
    """Translate whatever the client library raises into `Unroutable`, `BrokerUnavailable` or `BusError`.

    A connection that dies rejects its waiters with CancelledError or a bare Exception [aiormq
    `Base.close`, `FutureStore.reject_all`]; let through, the first would end the caller's task in
    silence. Only a cancellation that was asked of the current task passes.
    """
    try:
        yield
    except BusError:
        raise
    except TimeoutError as error:
        raise BrokerUnavailable("the broker did not answer in time") from error
    except (PublishError, ChannelNotFoundEntity) as error:
        raise Unroutable(str(error)) from error
    except ChannelPreconditionFailed as error:
        raise BusError(f"exists with other arguments: {error}") from error
    except (TypeError, ValueError):
        raise
    except Exception as error:
        raise BrokerUnavailable(repr(error)) from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise BrokerUnavailable("the connection was lost") from error


def back_off() -> Iterator[float]:
    """Seconds to wait before each try: 0.1 doubling to 2, each with jitter between half and full."""
    jitter = secrets.SystemRandom()
    for tries in count():
        yield min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(tries, 10)) * jitter.uniform(0.5, 1.0)


class Link:
    """A connection that comes back. `restore` runs on each new one before anybody may use it."""

    def __init__(self, url: str, name: str, restore: Restore) -> None:
        self._url = url
        self._name = name
        self._restore = restore
        self._up = asyncio.Event()
        self._connection: AbstractConnection | None = None
        self._supervisor: asyncio.Task[None] | None = None

    async def connection(self) -> AbstractConnection:
        """The live connection; waits as long as there is none, so put a timeout around it."""
        if self._supervisor is None:
            self._supervisor = asyncio.create_task(self._supervise(), name=f"amqp {self._name}")
        while self._connection is None or not self._up.is_set():
            await self._up.wait()
        return self._connection

    async def close(self) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)

    async def _supervise(self) -> None:
        pauses = back_off()
        while True:
            try:
                await self._live()
                pauses = back_off()
            except CONNECTION_EXCEPTIONS as error:
                log.warning("broker not reachable", link=self._name, error=repr(error))
            except Exception as error:
                log.exception("broker connection failed", link=self._name, error=repr(error))
            await asyncio.sleep(next(pauses))

    async def _live(self) -> None:
        """Connect, restore, and return when the connection has gone."""
        lost = asyncio.Event()

        def on_close(*_: object) -> None:
            self._up.clear()
            lost.set()

        connection = await aio_pika.connect(
            self._url,
            timeout=_CONNECT_SECONDS,
            heartbeat=_HEARTBEAT_SECONDS,
            client_properties={"connection_name": f"herald {self._name}"},
        )
        connection.close_callbacks.add(on_close)
        try:
            await self._restore(connection)
            if not lost.is_set():
                self._connection = connection
                self._up.set()
                log.info("broker connected", link=self._name)
            await lost.wait()
            log.warning("broker connection lost", link=self._name)
        finally:
            self._up.clear()
            self._connection = None
            await _close(connection)


async def _close(connection: AbstractConnection) -> None:
    try:
        with broker_errors():
            async with asyncio.timeout(_CONNECT_SECONDS):
                await connection.close()
    except BusError as error:
        log.debug("closing a broken connection", error=repr(error))
