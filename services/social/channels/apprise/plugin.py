"""One of Apprise's plugins, given one message in a thread of its own. Never logs, waits, retries or splits."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from services.social.channels.apprise.compose import MessagePayload, Room
from services.social.channels.apprise.line import Line, Requests, Unwind
from services.social.channels.apprise.reach import FILES, scheme_of
from shared.delivery.errors import GiveUp, OutcomeUnknown, TryAgain

SECONDS = 60.0
"""For all of a message; below the lease of a delivery, so that no other worker takes it up meanwhile."""
REQUESTS = Requests()
NOT_AN_ADDRESS = "this is not an address of the service as Apprise writes it"

T = TypeVar("T")


class Plugin:
    """The plugin of one address. Made in a thread: the first of a process loads Apprise."""

    def __init__(self, address: str) -> None:
        """Raises `GiveUp`, in words that repeat nothing of the address."""
        self._address = address
        made = self._make()
        self.service = str(made.service_name)
        self.room = Room(title=max(0, made.title_maxlen), body=made.body_maxlen)
        if made.body_max_line_count:
            raise GiveUp("the service shows too few lines for a link of its own")
        if len(made) != 1:
            raise GiveUp("the address must name exactly one target: connect an account for each")

    async def send(self, message: MessagePayload, line: Line) -> None:
        """Give it the message. Returns once the service has taken it; raises the delivery's errors."""
        try:
            async with asyncio.timeout(SECONDS):
                sent = await in_thread(lambda: self._send(message, line))
        except TimeoutError as error:
            if line.calls:
                raise OutcomeUnknown(f"no end after {SECONDS:g} seconds") from error
            raise TryAgain(f"nothing sent after {SECONDS:g} seconds") from error
        finally:
            line.close()
        if line.failure is not None:
            raise line.failure
        if not line.calls:
            raise GiveUp(
                "nothing was sent: the service's plugin does not take the address or message"
            )
        if not sent:
            raise OutcomeUnknown("the service's answer is not the success that its plugin knows")

    def _send(self, message: MessagePayload, line: Line) -> bool:
        # Each message has its own: a plugin that has sent before would wait between the two.
        plugin = self._make()
        plugin.request_rate_per_sec = 0
        REQUESTS.use(line)
        try:
            # As it is, whatever its length: we have cut it, and another cut could make two of it.
            sent = plugin.notify(
                title=message.title,
                body=message.body,
                notify_type=message.kind,
                body_format="text",
                overflow="upstream",
            )
        except Unwind:
            return False
        except Exception:
            return False  # whose words may have the address; what was called says what became of it
        return sent is True

    def _make(self) -> Any:
        scheme = scheme_of(self._address)
        try:
            apprise = importlib.import_module("apprise")
            # It writes addresses and payloads into its log, and nobody else here uses it.
            logging.getLogger("apprise").disabled = True
            module: Any = importlib.import_module(f"apprise.plugins.{FILES[scheme]}")
            plugin = _class_of(module, scheme)
            module.requests = REQUESTS
            told = plugin.parse_url(self._address)
            return plugin(**told, asset=_asset(apprise))
        except Exception:
            # The words, and what is on the stack, have parts of the address.
            raise GiveUp(NOT_AN_ADDRESS) from None


def _class_of(module: Any, scheme: str) -> Any:
    for found in vars(module).values():
        if isinstance(found, type) and found.__module__ == module.__name__:
            told = (getattr(found, "protocol", None), getattr(found, "secure_protocol", None))
            names = [
                one for each in told if each for one in ([each] if isinstance(each, str) else each)
            ]
            if scheme in names:
                return found
    raise LookupError(scheme)


def _asset(apprise: Any) -> Any:
    """What Apprise tells of itself, which is us: no pictures of its own, nothing kept on disk."""
    return apprise.AppriseAsset(
        app_id="Herald",
        app_desc="Herald",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        storage_mode="memory",
        http_redirects=False,
    )


async def in_thread(act: Callable[[], T]) -> T:
    """What `act` returns or raises, from a thread that nothing waits for when we are cancelled."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(settle: Callable[[Any], None], outcome: Any) -> None:
        if not done.done():
            settle(outcome)

    def work() -> None:
        settle: Callable[[Any], None] = done.set_result
        outcome: Any
        try:
            outcome = act()
        except Exception as error:
            settle, outcome = done.set_exception, error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, settle, outcome)

    threading.Thread(target=work, name="apprise", daemon=True).start()
    return await done
