"""Which deliveries may begin beside those under way: express always finds room, a slow outlet never takes all. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from shared.delivery.model import BREAKING, LANES, NORMAL, Delivery, Lanes


@dataclass(frozen=True)
class Slots:
    """How many deliveries one process carries at a time."""

    standard: int
    """For everything."""
    express: int = 0
    """Beside them, for breaking news only; it takes standard ones too where they are free."""
    per_outlet: int | None = None
    """The most on one outlet in each lane, so that one that answers slowly leaves slots to the others."""

    def lanes(self, running: Collection[Delivery], blocked: Lanes) -> Lanes:
        """Where the next one may come from: each lane with room, and the outlets to leave alone in it."""
        room = {
            BREAKING: self.standard + self.express - len(running),
            NORMAL: self.standard - sum(one.priority != BREAKING for one in running),
        }
        room[NORMAL] = min(room.values())
        return {
            lane: {*blocked.get(lane, ()), *self._full(lane, running)}
            for lane in LANES
            if room[lane] > 0
        }

    def _full(self, lane: int, running: Iterable[Delivery]) -> set[str]:
        if self.per_outlet is None:
            return set()
        taken = Counter(one.outlet for one in running if one.priority == lane)
        return {outlet for outlet, count in taken.items() if count >= self.per_outlet}
