"""What an SMTP reply means: whose fault it is, and whether trying again can help.

Sources: RFC 5321 4.2, RFC 3463 (the extended code wins over the three digits), Gmail's and Outlook's
reply lists. Never blames the person for what is our relay's or our message's fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_EXTENDED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")

MINUTE, HOUR = 60.0, 3600.0
PAUSE_AFTER_421 = 10.0
GMAIL_RATE_MINUTES = 10


class Phase(StrEnum):
    """How far the transaction had come when the reply arrived."""

    RELAY = "connection"
    SENDER = "MAIL"
    RECIPIENT = "RCPT"
    MESSAGE = "DATA"


@dataclass(frozen=True)
class Judgement:
    """`again` False gives up. `after` is seconds, None for the usual back-off. `ours` alerts us."""

    again: bool
    reason: str
    after: float | None = None
    whole_relay: bool = False
    ours: bool = False


def judge(phase: Phase, code: int, text: str) -> Judgement:
    """Sort a refusal. Every reply judged here means that this message was not accepted."""
    found = _EXTENDED.search(text)
    extended = found.group(0) if found else ""
    subject, detail = (int(found.group(2)), int(found.group(3))) if found else (-1, -1)
    temporary = extended.startswith("4") if extended else 400 <= code < 500
    said = f"{phase.value}: {code} {' '.join(text.split())}"[:300]

    if phase is Phase.RELAY:
        return Judgement(True, said, None, whole_relay=True, ours=True)
    if code == 421 and subject != 7:
        return Judgement(True, said, PAUSE_AFTER_421, whole_relay=True)
    if temporary and (subject == 7 or code == 454):
        pause = GMAIL_RATE_MINUTES * MINUTE if detail == 28 else MINUTE
        return Judgement(True, said, pause, whole_relay=True)
    if (subject, detail) == (2, 2) or (subject == 2 and _too_fast(text)):
        return Judgement(True, said, HOUR)
    if temporary:
        return Judgement(True, said)
    if subject == 7:
        return Judgement(True, said, HOUR, ours=True)
    if (subject, detail) == (4, 5):
        return Judgement(True, said, HOUR, whole_relay=True, ours=True)
    if subject in {3, 6}:
        return Judgement(False, said, ours=True)
    if phase is Phase.SENDER:
        # Our own sender address is refused; the person behind the recipient has no part in it.
        return Judgement(True, said, HOUR, whole_relay=True, ours=True)
    # x.1.x and x.2.x speak of the mailbox, even after the message; anything else of the message.
    return Judgement(False, said, ours=phase is Phase.MESSAGE and subject not in {1, 2})


def _too_fast(text: str) -> bool:
    """Gmail says 450 and 550 with x.2.1 for a mailbox that gets mail too quickly."""
    lowered = text.lower()
    return any(words in lowered for words in ("too quickly", "rate that", "too many messages"))
