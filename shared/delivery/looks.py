"""Whether the ledger is worth a look: one that finds nothing passes over a whole backlog of full outlets. Pure."""

from __future__ import annotations


class Looks:
    """After a look that found nothing, each delivery that ends makes room for one; news of work for any number.

    Times are of one monotonic clock, in seconds.
    """

    def __init__(self) -> None:
        self._freed: int | None = None
        """How many have ended since nothing was found; None while anything may be found."""
        self._until = 0.0
        self._unbounded = True

    def news(self) -> None:
        """Something may have become due."""
        self._freed = None

    def ended(self) -> None:
        """A delivery is done with; where it was, another may begin."""
        if self._freed is not None:
            self._freed += 1

    def wait(self, now: float) -> float:
        """Seconds that no look is worth it; 0 begins one, before which whatever comes counts for the next."""
        if self._freed == 0 and now < self._until:
            return self._until - now
        self._unbounded = not self._freed
        self._freed = self._freed - 1 if self._freed else 0
        return 0.0

    def found(self) -> None:
        """There was one, and where nothing had been found before there may be more."""
        if self._unbounded:
            self._freed = None

    def nothing(self, until: float) -> None:
        """There was none, and by itself none falls due before `until`."""
        self._until = until
