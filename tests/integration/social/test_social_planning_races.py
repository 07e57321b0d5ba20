"""Two revisions of one article taken in at the same instant: the later one's changes are never forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.social.domain.planning import Account
from services.social.handlers import Planning
from shared.contracts.articles import Article, Status
from shared.contracts.outlets import Operation
from shared.delivery.ledger import Ledger
from shared.delivery.model import Delivery
from shared.runtime.clock import ManualClock
from shared.storage.client import Database
from shared.storage.held import Held


class _Accounts:
    def __init__(self, clock: ManualClock) -> None:
        self._account = Account("mastodon", "main", clock.now() - timedelta(days=1))

    async def all(self) -> list[tuple[Account, None]]:
        return [(self._account, None)]


def _held(clock: ManualClock, revision: int) -> Held:
    now = clock.now()
    article = Article(
        id="a1",
        slug="s",
        url="https://news.example/articles/s",
        headline="h",
        body="b",
        body_html="<p>b</p>",
        section="city",
        language="en",
        status=Status.PUBLISHED,
        revision=revision,
        publication=1,
        published_at=now,
        updated_at=now,
    )
    return Held(article, now, None, 0, {})


async def test_a_post_entered_by_an_older_revision_meanwhile_still_gets_its_edit(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(database["deliveries"], clock, lambda _: None, lambda *_: None)
    accounts: Any = _Accounts(clock)
    planning = Planning(ledger, accounts, timedelta(hours=6), lambda: None)
    look = ledger.of_article
    looks = 0

    async def overtaken(article_id: str) -> list[Delivery]:
        """The older revision's handler comes between the newer one's look and its plan."""
        nonlocal looks
        looks += 1
        seen = await look(article_id)
        if looks == 1:
            await planning.apply(_held(clock, 2))
        return seen

    monkeypatch.setattr(ledger, "of_article", overtaken)
    lines = await planning.apply(_held(clock, 4))
    assert [(line.operation, line.revision) for line in lines] == [
        (Operation.POST, 2),
        (Operation.EDIT, 4),
    ]
