"""Sorts what Meta's Graph APIs answer (Facebook, Instagram, Threads) into the outcomes of a delivery.

Never quotes a request. What one of the networks alone says is sorted in its own folder, before this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol

import aiohttp
import orjson
from pydantic import SecretStr

from services.social.channels.base import RateBudget
from services.social.channels.transport import Answer, call
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, OutcomeUnknown, TryAgain

MAY_HAVE_HAPPENED = frozenset({1, 2})
"""Unknown error and service unavailable: Facebook has published in spite of both."""
THROTTLED = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
BLOCKED = 368
"""Temporarily blocked for what looked like misuse; asking again soon makes it longer."""
DEAD = frozenset({102, 190})
PERMISSION = frozenset({10, *range(200, 300)})
GONE = frozenset({(100, 33), (803, 0)})

ASK_AGAIN_SECONDS = 900.0
"""After a throttle that names no time: the windows roll over an hour."""


def codes(answer: Answer) -> tuple[int, int]:
    """The error's code and subcode; 0 where there is none."""
    error = _error(answer)
    return _number(error.get("code")), _number(error.get("error_subcode"))


def gone(answer: Answer) -> bool:
    """Whether the network says that there is no such object."""
    return codes(answer) in GONE


def budget(answer: Answer, now: datetime) -> RateBudget | None:
    """`X-App-Usage` and `X-Business-Use-Case-Usage`: percentages used up; None where neither came."""
    usages = list(_usages(answer))
    if not usages:
        return None
    names = ("call_count", "total_cputime", "total_time")
    used = max(_number(usage.get(name)) for usage in usages for name in names)
    seconds = _regained_in(usages) or ASK_AGAIN_SECONDS
    return RateBudget(
        100,
        min(100, max(0, 100 - used)),
        now + timedelta(seconds=seconds),
        counted=False,
    )


def failure(answer: Answer, *, mutation: bool, one_post: bool, blocked: float) -> DeliveryError:
    """The outcome of an answer that is no success, as all of Meta's networks mean it.

    `one_post` says that the call is about a post that is out: refusing that says nothing of the account,
    which may lack a permission that only corrections or deletions need. `blocked` is how many seconds to
    leave an account alone that is blocked for a time.
    """
    said = words(answer)
    code, subcode = codes(answer)
    if {code, subcode} & THROTTLED or (answer.status == 429 and not code):
        seconds = _regained_in(list(_usages(answer))) or ASK_AGAIN_SECONDS
        return TryAgain(said, seconds, whole_account=True)
    if code == BLOCKED:
        return TryAgain(said, blocked, whole_account=True)
    if code in DEAD or (answer.status == 401 and not code):
        return AuthDead(said)
    if code in PERMISSION:
        return GiveUp(said) if one_post else AuthDead(said)
    passing = _error(answer).get("is_transient") is True
    if code in MAY_HAVE_HAPPENED or passing or (answer.status >= 500 and not code):
        return OutcomeUnknown(said) if mutation else TryAgain(said)
    return GiveUp(said)


def words(answer: Answer) -> str:
    """The network's own words, for the person at the board."""
    error = _error(answer)
    said = error.get("error_user_msg") or error.get("message")
    code, subcode = codes(answer)
    numbers = f"{code}/{subcode}" if subcode else str(code)
    return f"error {numbers}: {said}"[:500] if said else f"HTTP {answer.status}"


class Connected(Protocol):
    """What every account on Meta's networks is connected by."""

    @property
    def server(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def access_token(self) -> SecretStr: ...


class Failure(Protocol):
    """How a network's own folder sorts a refusal."""

    def __call__(self, answer: Answer, *, mutation: bool, one_post: bool) -> DeliveryError: ...


class GraphClient:
    """Authorised calls of one account. `heard` is told what each answer's headers leave of the budget."""

    def __init__(
        self,
        settings: Connected,
        http: aiohttp.ClientSession,
        clock: Callable[[], datetime],
        heard: Callable[[RateBudget], None],
        failure: Failure,
    ) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._heard = heard
        self._failure = failure

    async def ask(
        self,
        method: str,
        path: str,
        *,
        field: str,
        mutation: bool = False,
        one_post: bool = False,
        json: Any = None,
        data: Any = None,
        params: dict[str, str] | None = None,
        bear: Callable[[Answer], bool] = lambda _: False,
    ) -> Answer:
        """One call; the answer is a success that has `field`, or a refusal that `bear` knows.

        All else is raised.
        """
        answer = await call(
            self._http,
            method,
            f"{self._settings.server}/{self._settings.version}/{path}",
            mutation=mutation,
            # In a header, so that the token appears in no address.
            headers={"Authorization": f"Bearer {self._settings.access_token.get_secret_value()}"},
            json=json,
            data=data,
            params=params,
        )
        if left := budget(answer, self._clock()):
            self._heard(left)
        told = answer.body if isinstance(answer.body, dict) else {}
        if answer.ok and "error" not in told:
            if told.get(field, False) is not False:
                return answer
            said = f"a success without {field}"
            raise OutcomeUnknown(said) if mutation else TryAgain(said)
        if bear(answer):
            return answer
        raise self._failure(answer, mutation=mutation, one_post=one_post)


def _error(answer: Answer) -> dict[str, Any]:
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    return error if isinstance(error, dict) else {}


def _usages(answer: Answer) -> Iterator[dict[str, Any]]:
    """Every usage that the headers tell: one of the app, lists of them by account."""
    for name in ("x-app-usage", "x-business-use-case-usage"):
        try:
            told = orjson.loads(answer.headers.get(name, "{}"))
        except orjson.JSONDecodeError:
            continue
        if not isinstance(told, dict):
            continue
        cases = [told] if name == "x-app-usage" else told.values()
        for case in cases:
            each = case if isinstance(case, list) else [case]
            yield from (usage for usage in each if usage and isinstance(usage, dict))


def _regained_in(usages: list[dict[str, Any]]) -> float:
    """Seconds until access comes back, a day at most, where the network estimates it; else 0."""
    minutes = (_number(usage.get("estimated_time_to_regain_access")) for usage in usages)
    return min(max([0, *minutes]) * 60.0, 86_400.0)


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and abs(value) < 10**12 else 0
