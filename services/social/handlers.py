"""Events in: article snapshots become plans in the ledger, revoked tokens are remembered. Local work only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from services.social.changes import Watch
from services.social.domain.planning import plans
from services.social.store import Accounts
from shared.contracts.articles import Status
from shared.contracts.outlets import Operation, OutletLine
from shared.delivery.ledger import Ledger
from shared.delivery.model import Delivery
from shared.storage.held import Held

LOOKS = 2


async def unwatched(_: Sequence[Delivery]) -> None:
    """Nobody asks how posts are doing."""


class Planning:
    """Applies a held snapshot: plan what it asks for, cancel what it makes void, wake the worker."""

    def __init__(
        self,
        ledger: Ledger,
        accounts: Accounts,
        lateness: timedelta,
        wake_worker: Callable[[], None],
        watch: Watch = unwatched,
    ) -> None:
        self._ledger = ledger
        self._accounts = accounts
        self._lateness = lateness
        self._wake_worker = wake_worker
        self._watch = watch

    async def apply(self, held: Held) -> Sequence[OutletLine]:
        article = held.article
        for _ in range(LOOKS):
            existing, accounts = await asyncio.gather(
                self._ledger.of_article(article.id), self._accounts.all()
            )
            wanted = plans(
                article,
                held.acted_at,
                [account for account, _ in accounts],
                existing,
                lateness=self._lateness,
                traceparent=held.traceparent,
            )
            if existing:
                await self._void(article.id, article.revision, article.status)
            entered = await asyncio.gather(*(self._ledger.plan(plan) for plan in wanted))
            if wanted:
                self._wake_worker()
            if all(entered):
                break
            # The handler of another revision entered the same post since we looked; with it in
            # the ledger this revision may ask for something else, such as an edit of that post.
        planned = await self._ledger.of_article(article.id)
        await self._watch([one for one in planned if one.operation is Operation.POST])
        return [delivery.line() for delivery in planned]

    async def _void(self, article_id: str, revision: int, status: Status) -> None:
        """What has not begun and is overtaken by this revision never begins."""
        if status is Status.PUBLISHED:
            await self._ledger.cancel_pending(
                article_id,
                "overtaken by a newer change",
                before_revision=revision,
                operation=Operation.EDIT,
            )
        else:
            await self._ledger.cancel_pending(
                article_id,
                f"the article was {status.value} first",
                before_revision=revision,
                operation=None,
            )
