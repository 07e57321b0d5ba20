"""Previews of sitemap and feed entries: the bytes that then stand there, or the rule that keeps them out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from services.sitemap.domain.feed import FEED_CAP
from shared.contracts.articles import Article, Status
from shared.contracts.identity import Role
from shared.runtime.clock import ManualClock
from shared.runtime.keys import KeyRing
from shared.storage.client import Database
from shared.web.identity import Identities

ROUTE = "/api/v1/previews/sitemap"
Make = Callable[..., Article]


async def preview(replica: Any, article: Article) -> dict[str, dict[str, Any]]:
    token, _, _ = Identities(KeyRing("s" * 32), replica.clock).issue(
        "u", "Una", Role.CONTRIBUTOR, timedelta(hours=1)
    )
    body = {
        "article": article.model_dump(mode="json"),
        "acted_at": replica.clock.now().isoformat(),
    }
    headers = {"Authorization": f"Bearer {token}"}
    async with replica.client.post(ROUTE, json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
        return {line["outlet"]: line for line in (await answer.json())["outlets"]}


async def everything(database: Database) -> dict[str, list[Any]]:
    names = await database.collection_names()
    return {name: await database[name].find({}, sort=[("_id", 1)]) for name in names}


async def test_the_entries_stand_as_they_were_shown(
    replica: Any, make_article: Make, database: Database
) -> None:
    for revision, operation in ((1, "include"), (2, "edit")):
        article = make_article(revision=revision, headline=f"Take {revision} & more")
        before = await everything(database)
        lines = await preview(replica, article)
        assert await everything(database) == before
        assert {line["operation"] for line in lines.values()} <= {operation, "none"}
        assert lines["news_sitemap"]["operation"] == lines["feed"]["operation"] == operation
        await replica.handle(article)
        await replica.sitemaps.refresh()
        assert lines["news_sitemap"]["xml"] in await replica.text("/news-sitemap.xml")
        assert lines["feed"]["xml"] in await replica.text("/feed.xml")
        assert lines["sitemap"]["xml"] in await replica.text("/sitemaps/articles-1.xml")
        assert "The Example Courier" in lines["news_sitemap"]["xml"]
    gone = await preview(replica, make_article(revision=3, status=Status.RETRACTED))
    for line in gone.values():
        assert (line["operation"], line["included"]) == ("remove", False)
        assert line["reason"] == "the article is not public"


@pytest.mark.parametrize(
    ("changes", "news", "archive", "feed"),
    [
        ({"noindex": True}, "noindex", "noindex", None),
        (
            {"canonical_url": "https://elsewhere.example/a"},
            "its canonical address is elsewhere",
            "its canonical address is elsewhere",
            None,
        ),
        (
            {"skip_outlets": ("news_sitemap", "feed")},
            "left out by the editor",
            None,
            "left out by the editor",
        ),
        ({"access": "premium"}, None, None, None),
    ],
)
async def test_each_rule_is_named(
    replica: Any,
    make_article: Make,
    changes: dict[str, Any],
    news: str | None,
    archive: str | None,
    feed: str | None,
) -> None:
    lines = await preview(replica, make_article(**changes))
    assert lines["news_sitemap"].get("reason") == news
    assert lines["sitemap"].get("reason") == archive
    assert lines["feed"].get("reason") == feed
    for line in lines.values():
        assert line["included"] is ("reason" not in line) is ("xml" in line)
    if changes.get("access") == "premium":
        assert "encoded" not in lines["feed"]["xml"]  # the teaser only


async def test_what_is_too_old_for_a_document_is_not_in_it(
    replica: Any, make_article: Make, clock: ManualClock
) -> None:
    old = make_article()
    clock.advance(49 * 3600)
    lines = await preview(replica, old)
    assert "48 hours" in lines["news_sitemap"]["reason"]
    assert lines["feed"]["included"] is True
    for number in range(2, FEED_CAP + 2):
        await replica.handle(make_article(number=number, published_at=clock.now()))
    lines = await preview(replica, old)
    assert lines["feed"]["reason"] == f"{FEED_CAP} articles are newer"
    assert (lines["feed"]["operation"], lines["sitemap"]["included"]) == ("none", True)


async def test_nobody_is_shown_anything(replica: Any) -> None:
    async with replica.client.post(ROUTE, json={}) as answer:
        assert answer.status == 401
