"""Renews credentials before they run out, and once when a network takes them no more. One call, whatever the replicas.

What only a person can renew is said in time, once at each of `WARN_DAYS`.

A refresh token that rotates works once, so the right to use it is a lease on the account's document. Must
never ask a network without that lease, nor pause an account for anything but a refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from enum import Enum
from typing import Any, Protocol

import structlog

from services.social.channels.base import ChannelSpec
from services.social.channels.oauth import Ask, OAuthFlow, Tokens
from services.social.domain.forecast import WARN_DAYS, in_words
from services.social.oauth.alerts import Alerts
from services.social.oauth.apps import Apps
from services.social.oauth.asking import understood
from services.social.oauth.store import Credentials, Renewal, Standing
from shared.delivery.errors import AuthDead, DeliveryError, OutcomeUnknown, TryAgain
from shared.runtime.clock import Clock
from shared.runtime.loops import back_off
from shared.storage.errors import StorageUnavailable

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=90)
"""Longer than a call and the writing down of its answer may take."""
PUT_OFF_SECONDS = (60, 300, 900, 3600)
TELL_AFTER = 4
"""Failures in a row after which an operator hears of it; the credentials still live by then, as a rule."""
GOES_ON_SECONDS = 0.5
BUSY_SECONDS = 2.0
FRESH = timedelta(minutes=10)
"""Credentials that were renewed because they were dead, and are dead again so soon, are dead for good."""
RECORD_TRIES = 8
STEP_SECONDS = 30.0


class Outcome(Enum):
    RENEWED = "renewed"
    BUSY = "busy"
    """Another holds the lease, or the last attempt was put off."""
    LATER = "later"
    REFUSED = "refused"


class Specs(Protocol):
    """`services.social.channels.discover`."""

    def __call__(self) -> Mapping[str, ChannelSpec]: ...


class Renewals:
    """Everything that renews: the loop's step, and the answer to a call that found credentials dead."""

    def __init__(
        self,
        credentials: Credentials,
        apps: Apps,
        alerts: Alerts,
        ask: Ask,
        specs: Specs,
        clock: Clock,
    ) -> None:
        self._credentials = credentials
        self._apps = apps
        self._alerts = alerts
        self._ask = ask
        self._specs = specs
        self._clock = clock

    async def step(self) -> float:
        """Renew what is due; one account's trouble is not another's."""
        for account_id in await self._credentials.due():
            try:
                standing = await self._credentials.of(account_id)
                # Another may have renewed them since they were found due.
                if standing and standing.renew_at and standing.renew_at <= self._clock.now():
                    outcome, reason = await self._renew(standing, reviving=False)
                    if outcome is Outcome.REFUSED:
                        await self._alerts.dead(account_id, reason)
            except StorageUnavailable:
                raise
            except Exception:
                log.exception("credentials not renewed", account=account_id)
        await self._warn()
        return STEP_SECONDS

    async def _warn(self) -> None:
        for standing, days in await self._credentials.ending():
            if standing.ends_at is None:
                continue
            now = self._clock.now()
            event = self._alerts.event(
                standing.account_id,
                "critical" if days == min(WARN_DAYS) else "warning",
                f"credentials-end-{days}",
                f"The credentials of {standing.account_id} need a person",
                in_words(standing.ends_at, now),
            )
            if await self._credentials.warn(standing, days, event):
                self._alerts.sent(standing.account_id)

    async def instead(self, account_id: str, version: int, dead: AuthDead) -> DeliveryError:
        """What a call that found the credentials of `version` dead should raise in the place of `dead`."""
        standing = await self._credentials.of(account_id)
        if standing is None:
            return dead
        if standing.version > version:
            return TryAgain("the credentials were renewed meanwhile", GOES_ON_SECONDS)
        if not standing.refreshes or self._was_just_revived(standing):
            return dead
        outcome, reason = await self._renew(standing, reviving=True)
        if outcome is Outcome.REFUSED:
            return AuthDead(reason)
        if outcome is Outcome.RENEWED:
            return TryAgain("the credentials were renewed", GOES_ON_SECONDS)
        if outcome is Outcome.BUSY and standing.problem is None:
            return TryAgain("the credentials are being renewed", BUSY_SECONDS)
        said = reason or standing.problem
        return TryAgain(f"the credentials cannot be renewed now: {said}", PUT_OFF_SECONDS[0])

    def _was_just_revived(self, standing: Standing) -> bool:
        revived, obtained = standing.revived_at, standing.obtained_at
        if revived is None or obtained is None or obtained < revived:
            return False
        return self._clock.now() - obtained < FRESH

    async def _renew(self, standing: Standing, *, reviving: bool) -> tuple[Outcome, str]:
        """The outcome, and why where it is no success."""
        spec = self._specs().get(standing.account_id.partition("/")[0])
        flow = spec.oauth if spec else None
        renewal = await self._credentials.claim(standing, LEASE, reviving=reviving)
        if renewal is None:
            return Outcome.BUSY, ""
        try:
            if spec is None or flow is None or flow.refresh is None:
                raise TryAgain("this version of Herald cannot renew them")
            tokens = await self._asked(spec, flow, renewal)
        except AuthDead as error:
            return await self._refused(renewal, error.reason)
        except (TryAgain, OutcomeUnknown) as error:
            in_doubt = isinstance(error, OutcomeUnknown)
            return await self._put_off(renewal, error.reason, in_doubt=in_doubt)
        settings = renewal.settings | {next(iter(flow.filled)): tokens.access_token}
        await self._record(renewal, settings, tokens)
        log.info("credentials renewed", account=standing.account_id, reviving=reviving)
        return Outcome.RENEWED, ""

    async def _asked(self, spec: ChannelSpec, flow: OAuthFlow, renewal: Renewal) -> Tokens:
        registered = await self._apps.of(spec.name)
        if registered is None or flow.refresh is None:
            raise TryAgain(f"the app credentials for {spec.name} are not entered")
        settings = spec.settings.model_validate({**renewal.settings, **registered.addresses})
        tokens = await understood(flow.refresh(self._ask, registered.app, settings, renewal.tokens))
        # RFC 6749, section 6: a server that names no new refresh token means the old one.
        return replace(tokens, refresh_token=tokens.refresh_token or renewal.tokens.refresh_token)

    async def _refused(self, renewal: Renewal, reason: str) -> tuple[Outcome, str]:
        if renewal.cut_off:
            reason = f"{reason} (an earlier renewal was cut off, so its answer may be lost)"
        if not await self._credentials.refuse(renewal, reason):
            return Outcome.BUSY, ""  # a person has connected the account anew meanwhile
        log.warning("credentials refused", account=renewal.standing.account_id, reason=reason)
        return Outcome.REFUSED, reason

    async def _put_off(
        self, renewal: Renewal, reason: str, *, in_doubt: bool
    ) -> tuple[Outcome, str]:
        account_id, failures = renewal.standing.account_id, renewal.standing.failures
        seconds = PUT_OFF_SECONDS[min(failures, len(PUT_OFF_SECONDS) - 1)]
        event = None
        if failures + 1 == TELL_AFTER:
            event = self._alerts.event(
                account_id,
                "warning",
                "renewal-failing",
                f"The credentials of {account_id} could not be renewed so far",
                f"{reason}. Herald keeps trying.",
            )
        until = self._clock.now() + timedelta(seconds=seconds)
        await self._credentials.put_off(renewal, reason, until, in_doubt=in_doubt, event=event)
        if event is not None:
            self._alerts.sent(account_id)
        log.warning("renewal put off", account=account_id, seconds=seconds, reason=reason)
        return Outcome.LATER, reason

    async def _record(self, renewal: Renewal, settings: dict[str, Any], tokens: Tokens) -> None:
        """These tokens are the only ones that work: a failover must not lose them."""
        for failures in range(RECORD_TRIES):
            try:
                await self._credentials.renewed(renewal, settings, tokens)
                return
            except StorageUnavailable:
                if failures == RECORD_TRIES - 1:
                    raise
                await asyncio.sleep(back_off(failures))
