"""Speaks the Threads API for one account: token, budget, refusals sorted. Never retries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import aiohttp

from services.social.channels.base import RateBudget
from services.social.channels.threads.answers import budget, failure
from services.social.channels.threads.settings import ThreadsSettings
from services.social.channels.transport import Answer, call
from shared.delivery.errors import OutcomeUnknown, TryAgain


class ThreadsClient:
    """Authorised calls. `heard` is told what each answer's headers leave of the budget."""

    def __init__(
        self,
        settings: ThreadsSettings,
        http: aiohttp.ClientSession,
        clock: Callable[[], datetime],
        heard: Callable[[RateBudget], None],
    ) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._heard = heard

    async def ask(
        self,
        method: str,
        path: str,
        *,
        field: str,
        values: dict[str, str],
        mutation: bool = False,
        own_post: bool = False,
        bear: Callable[[Answer], bool] = lambda _: False,
    ) -> Answer:
        """One call with `values`; the answer is a success that has `field`, or a refusal that `bear` knows.

        All else is raised.
        """
        answer = await call(
            self._http,
            method,
            f"{self._settings.server}/{self._settings.version}/{path}",
            mutation=mutation,
            # In a header, so that the token appears in no address.
            headers={"Authorization": f"Bearer {self._settings.access_token.get_secret_value()}"},
            data=values if method == "POST" else None,
            params=None if method == "POST" else values,
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
        raise failure(answer, mutation=mutation, own_post=own_post)
