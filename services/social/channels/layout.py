"""Sets notice, body, link and hashtags under each other within what a network counts.

Never leaves out the link: hashtags give way first, then the body, then the notice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.social.channels import fitting

GAP = "\n\n"


@dataclass(frozen=True)
class Layout:
    """The room that one text has."""

    limit: int
    length: Callable[[str], int]
    """Of plain words, as the network counts what it is sent of them: with escapes, where it counts those."""
    protect: Sequence[re.Pattern[str]] = fitting.DEFAULT
    """What is never cut in two; see `channels.fitting`."""

    def fits(self, text: str) -> bool:
        return self.length(text) <= self.limit

    def fit(self, text: str, limit: int | None = None) -> str:
        """`text` if it is no longer than `limit`, else its beginning and "…"."""
        most = self.limit if limit is None else limit
        return fitting.fit(text, most, self.length, protect=self.protect)

    def stacked(self, notice: str, body: str, link: str = "") -> list[str]:
        """What there is of the three, in order. Too long only where the link alone is."""
        room = self.limit - (self.length(link) + len(GAP) if link else 0)
        if notice:
            free = room - self.length(body) - len(GAP)
            notice = self.fit(notice, max(free, room // 2))
            room -= self.length(notice) + len(GAP)
        return [part for part in (notice, self.fit(body, room), link) if part]

    def linked(self, notice: str, body: str, link: str, shows: Callable[[str], bool]) -> list[str]:
        """The same; the link stands at the end unless what is shown of notice and body `shows` it already."""
        parts = self.stacked(notice, body)
        return parts if shows(GAP.join(parts)) else self.stacked(notice, body, link)

    def tagged(self, text: str, tags: Sequence[str]) -> str:
        """`text` and on a line below it those of `tags` that there is room for."""
        before = GAP
        for tag in tags:
            if self.fits(longer := f"{text}{before}{tag}"):
                text, before = longer, " "
        return text
