"""How many wrong sign-ins are borne, and for how long. Pure numbers; the store counts.

Three limits at once. The pair (an e-mail from one place) stops somebody trying passwords. The place
stops somebody trying many e-mails. The e-mail stops many places trying one person; it is high, and
it does not hold where that person has signed in lately, so that no stranger can lock an editor out
of the editor's own office.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Limit:
    """At most `tries` failures within `window`."""

    tries: int
    window: timedelta


PAIR = Limit(5, timedelta(minutes=15))
PLACE = Limit(50, timedelta(minutes=15))
EMAIL = Limit(30, timedelta(hours=1))
KNOWN = timedelta(days=30)
"""How long a place stays known for a person after a sign-in from it."""


@dataclass(frozen=True)
class Attempt:
    """One counted attempt, so that exactly it can be taken back."""

    id: str
    email: str
    place: str
    wait: int = 0
    """Seconds until another may be made; 0 when this one may."""
