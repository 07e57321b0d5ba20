"""The line that a plugin's HTTP calls take: over our own guarded client, each once, sorted by what came of it.

Never lets a second call leave after one that failed, so a plugin cannot retry; never repeats an address.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import importlib
import threading
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from yarl import URL

from services.social.channels.transport import Answer, call
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain
from shared.web.outbound import Forbidden, OutboundPolicy

UNSTATED_RETRY_SECONDS = 60.0
"""Wait after a 429 that names no time."""
DEAD = frozenset({401, 403, 404, 410})
"""The service does not know the token, or has nothing at the address: every message will get this."""
PASSED_ON = frozenset({"auth", "cookies", "data", "files", "headers", "json", "params"})
SETTLED_HERE = frozenset({"allow_redirects", "stream", "timeout", "verify"})
"""What a plugin may say of a call, and is not asked: no redirects, our time limits, always checked."""
ANY, PUBLIC = OutboundPolicy(https_only=False), OutboundPolicy()


class Unwind(BaseException):
    """Takes a plugin back to where it was started, past all that it would do about a failure."""


class Line:
    """What one message's calls come to. Made in the event loop, used by the plugin's thread."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._closed = False
        self._under_way: concurrent.futures.Future[Answer] | None = None
        self.calls = 0
        """How many have begun."""
        self.failure: BaseException | None = None
        """Of the call that ended it."""

    def close(self) -> None:
        """Nothing leaves from now on, and nobody waits for what has."""
        with self._lock:
            self._closed = True
            if self._under_way is not None:
                self._under_way.cancel()

    def carry(self, prepared: Any) -> Any:
        """Perform a `requests.PreparedRequest`; a success as `requests.Response`, else raises `Unwind`."""
        with self._lock:
            if self._closed:
                raise Unwind
            self.calls += 1
            perform = self._perform(prepared)
            self._under_way = asyncio.run_coroutine_threadsafe(perform, self._loop)
        try:
            answer = self._under_way.result()
            if answer.ok:
                return _response(answer, prepared)
            raise refused(answer)
        except DeliveryError as error:
            # What an earlier call has done we cannot know: it may have been the message.
            first = self.calls == 1
            self.failure = error if first else OutcomeUnknown(f"in a later call: {error.reason}")
        except BaseException as error:
            self.failure = error
        self.close()
        raise Unwind

    async def _perform(self, prepared: Any) -> Answer:
        url = URL(prepared.url, encoded=True)
        check(url)
        body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
        headers = dict(prepared.headers)
        headers.pop("Content-Length", None)
        try:
            return await call(
                self._http, prepared.method, url, mutation=True, headers=headers, data=body
            )
        except DeliveryError as error:
            # The client's own words may have the address, which is a secret here.
            cause = error.__cause__
            if getattr(getattr(cause, "os_error", None), "errno", None) == errno.EACCES:
                said = "the address leads into a private network, which is not allowed"
                raise GiveUp(said) from None
            raise type(error)(
                f"{error.reason.partition(':')[0]} ({type(cause).__name__})"
            ) from None


class Requests:
    """Stands in a plugin's module for `requests`: the same calls, over the line of the thread they are made in."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def use(self, line: Line) -> None:
        """From now on this thread's calls take `line`."""
        self._of_thread.line = line

    def request(self, method: str, url: str, **options: Any) -> Any:
        """As `requests.request`; what a plugin may not decide is left aside."""
        if unknown := options.keys() - PASSED_ON - SETTLED_HERE:
            raise TypeError(f"a plugin's call has what nobody has thought about: {min(unknown)}")
        line: Line = self._of_thread.line
        passed_on = {name: options[name] for name in PASSED_ON & options.keys()}
        requests = importlib.import_module("requests")
        return line.carry(requests.Request(method.upper(), url, **passed_on).prepare())

    def get(self, url: str, **options: Any) -> Any:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> Any:
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> Any:
        return self.request("PUT", url, **options)

    @property
    def codes(self) -> Any:
        return importlib.import_module("requests").codes

    @property
    def RequestException(self) -> Any:  # as the module has it
        return importlib.import_module("requests").RequestException


def check(url: URL) -> None:
    """Raises `GiveUp` where a public host would be called in the clear or at an unusual port.

    Whether a private one may be called is for the session to say, which knows the names that are allowed.
    """
    try:
        ANY.check_url(str(url.with_port(None)))
    except Forbidden:
        return
    try:
        PUBLIC.check_url(str(url))
    except Forbidden as error:
        raise GiveUp(f"the service's address {error}") from None


def refused(answer: Answer) -> DeliveryError:
    """The outcome of an answer that is no success: of its status only, since every service words it its own way."""
    said = f"the service answered {answer.status}"
    if answer.status == 429:
        return TryAgain(said, _retry_after(answer), whole_account=True)
    if answer.status in DEAD:
        return AuthDead(said)
    if answer.status == 408 or answer.status >= 500:
        return OutcomeUnknown(said)
    return GiveUp(said)


def _retry_after(answer: Answer) -> float:
    """Seconds, of a number or a date (RFC 9110, 10.2.3)."""
    told = answer.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return max(float(told[:9]), 1.0)
    try:
        return max((parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds(), 1.0)
    except (ValueError, TypeError):
        return UNSTATED_RETRY_SECONDS


def _response(answer: Answer, prepared: Any) -> Any:
    response = importlib.import_module("requests").Response()
    response.status_code = answer.status
    response.headers.update(answer.headers)
    response.url, response.request, response.encoding = prepared.url, prepared, "utf-8"
    response._content = answer.text.encode()
    return response
