"""Mail through an SMTP relay, phase by phase, so that it is always known what may have been accepted.

Before the message's final dot nothing was accepted and trying again is safe. Once the message is on its
way, only a reply tells; without one the outcome is unknown, and this room never sends it again by itself
(RFC 5321 4.5.3.2.6, RFC 1047).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import aiosmtplib
import structlog
from aiosmtplib import SMTPException, SMTPResponseException, SMTPServerDisconnected

from services.notifications.mail.compose import Envelope
from services.notifications.mail.relay import Relay
from services.notifications.mail.replies import Judgement, Phase, judge
from shared.delivery.errors import GiveUp, OutcomeUnknown, TryAgain

log = structlog.get_logger(__name__)

COMMAND_SECONDS = 30.0
FINAL_REPLY_SECONDS = 120.0
RELAY_BACK_OFF = (2.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds all mail pauses after the relay could not be used this many times in a row."""
RELAY_ALARM_AFTER = 3

LEASE_SECONDS = 5 * COMMAND_SECONDS + FINAL_REPLY_SECONDS + 30.0
"""Longer than one whole transaction may take, so that nobody takes a mail from a live sender."""

Alarm = Callable[[str, str, str], Awaitable[None]]
"""Fingerprint, title and detail for the operators."""


class SmtpMailer:
    """Keeps connections that are free for the next mail; each carries one mail at a time."""

    idempotent = False

    def __init__(
        self,
        relay: Relay,
        alarm: Alarm,
        *,
        command_seconds: float = COMMAND_SECONDS,
        final_reply_seconds: float = FINAL_REPLY_SECONDS,
    ) -> None:
        self._relay = relay
        self._alarm = alarm
        self._command_seconds = command_seconds
        self._final_reply_seconds = final_reply_seconds
        self._free: list[aiosmtplib.SMTP] = []
        self._relay_failures = 0

    async def send(self, envelope: Envelope) -> str:
        """The relay's reply to the message. Raises `TryAgain`, `GiveUp` or `OutcomeUnknown`."""
        client = await self._begin(envelope.sender)
        kept = False
        try:
            reply = await self._hand_over(client, envelope)
            kept = True
        except (TryAgain, GiveUp):
            kept = await self._reset(client)
            raise
        finally:
            if kept:
                self._free.append(client)
            else:
                client.close()
        return reply

    async def close(self) -> None:
        """Say goodbye on every free connection."""
        while self._free:
            client = self._free.pop()
            try:
                await client.quit(timeout=2)
            except (SMTPException, OSError, TimeoutError):
                client.close()

    async def _begin(self, sender: str) -> aiosmtplib.SMTP:
        """A connection that has taken MAIL; one the relay has closed meanwhile is replaced."""
        while True:
            used = bool(self._free)
            client = self._free.pop() if used else await self._connect()
            try:
                await client.mail(sender, timeout=self._command_seconds)
            except SMTPResponseException as error:
                if await self._reset(client):
                    self._free.append(client)
                else:
                    client.close()
                raise await self._refused(Phase.SENDER, error) from error
            except (SMTPException, OSError, TimeoutError) as error:
                client.close()
                if used and isinstance(error, SMTPServerDisconnected):
                    continue
                raise await self._relay_trouble(f"lost at MAIL: {error}") from error
            except BaseException:
                client.close()
                raise
            else:
                self._relay_failures = 0
                return client

    async def _connect(self) -> aiosmtplib.SMTP:
        client = aiosmtplib.SMTP(
            hostname=self._relay.host,
            port=self._relay.port,
            username=self._relay.user,
            password=self._relay.password,
            use_tls=self._relay.tls,
            start_tls=self._relay.start_tls,
            timeout=self._command_seconds,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo(timeout=self._command_seconds)
        except SMTPResponseException as error:
            client.close()
            said = judge(Phase.RELAY, error.code, str(error.message)).reason
            raise await self._relay_trouble(said) from error
        except (SMTPException, OSError, TimeoutError, ValueError) as error:
            client.close()
            raise await self._relay_trouble(f"cannot connect: {error}") from error
        except BaseException:
            client.close()
            raise
        return client

    async def _hand_over(self, client: aiosmtplib.SMTP, envelope: Envelope) -> str:
        try:
            await client.rcpt(envelope.recipient, timeout=self._command_seconds)
        except SMTPResponseException as error:
            raise await self._refused(Phase.RECIPIENT, error) from error
        except (SMTPException, OSError, TimeoutError) as error:
            raise await self._relay_trouble(f"lost at RCPT: {error}") from error
        try:
            reply = await client.data(
                envelope.message.encode("ascii"), timeout=self._final_reply_seconds
            )
        except SMTPResponseException as error:
            raise await self._refused(Phase.MESSAGE, error) from error
        except (SMTPException, OSError, TimeoutError) as error:
            raise OutcomeUnknown(
                f"the relay fell silent after the message was sent: {error}"
            ) from error
        return f"{reply.code} {reply.message}"

    async def _reset(self, client: aiosmtplib.SMTP) -> bool:
        """Whether the connection is good for another mail."""
        try:
            await client.rset(timeout=self._command_seconds)
        except (SMTPException, OSError, TimeoutError):
            return False
        return client.is_connected

    async def _refused(self, phase: Phase, error: SMTPResponseException) -> TryAgain | GiveUp:
        judgement = judge(phase, error.code, str(error.message))
        if judgement.ours:
            await self._alarm(
                f"smtp:{phase.value}:{error.code}", "The relay refuses our mail", judgement.reason
            )
        return _as_error(judgement)

    async def _relay_trouble(self, reason: str) -> TryAgain:
        """Nobody's mail was touched: all mail pauses, longer each time."""
        step = min(self._relay_failures, len(RELAY_BACK_OFF) - 1)
        self._relay_failures += 1
        if self._relay_failures == RELAY_ALARM_AFTER:
            await self._alarm("smtp:relay", "The mail relay cannot be used", reason)
        log.warning("relay trouble", reason=reason, pause=RELAY_BACK_OFF[step])
        return TryAgain(reason, after=RELAY_BACK_OFF[step], whole_account=True)


def _as_error(judgement: Judgement) -> TryAgain | GiveUp:
    if not judgement.again:
        return GiveUp(judgement.reason)
    return TryAgain(judgement.reason, judgement.after, whole_account=judgement.whole_relay)
