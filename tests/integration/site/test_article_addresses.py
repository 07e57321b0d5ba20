"""An article's address through its whole life: published, corrected, moved, withdrawn, taken back."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shared.contracts.articles import Article, Correction, Retraction, Status
from shared.contracts.identity import TokenRevoked
from shared.contracts.outlets import Operation
from shared.runtime.clock import ManualClock
from shared.storage.client import Database

ADDRESS = "/articles/harbour-opens"
Make = Callable[..., Article]


async def test_published_is_there_at_once(replica: Any, make_article: Make) -> None:
    assert (await replica.get(ADDRESS)).status == 404
    await replica.handle(make_article())
    response = await replica.get(ADDRESS)
    page = await response.text()
    assert response.status == 200
    assert response.content_type == "text/html"
    assert "<h1>The harbour opens</h1>" in page
    assert "<p>Ships came in.</p>" in page
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy


async def test_corrected_shows_the_notice(
    replica: Any, make_article: Make, clock: ManualClock
) -> None:
    article = make_article()
    await replica.handle(article)
    clock.advance(3600)
    notice = Correction(at=clock.now(), kind="correction", text="There were three ships.")
    await replica.handle(
        make_article(
            revision=2,
            published_at=article.published_at,
            corrections=(notice,),
            body_html="<p>Three ships came in.</p>",
        )
    )
    page = await replica.text(ADDRESS)
    assert "There were three ships." in page
    assert "Three ships came in." in page
    assert "Updated" in page


async def test_retracted_answers_410_with_the_reason(
    replica: Any, make_article: Make, clock: ManualClock
) -> None:
    await replica.handle(make_article())
    why = Retraction(at=clock.now(), reason="It was not true.")
    await replica.handle(make_article(revision=2, status=Status.RETRACTED, retraction=why))
    response = await replica.get(ADDRESS)
    page = await response.text()
    assert response.status == 410
    assert "It was not true." in page
    assert "The harbour opens" in page
    assert "Ships came in" not in page


async def test_unpublished_is_gone_and_can_come_back(replica: Any, make_article: Make) -> None:
    await replica.handle(make_article())
    await replica.handle(make_article(revision=2, status=Status.UNPUBLISHED))
    response = await replica.get(ADDRESS)
    assert response.status == 404
    assert response.content_type == "text/html"
    await replica.handle(make_article(revision=3, publication=2))
    assert (await replica.get(ADDRESS)).status == 200
    operations = [line.operation for report in await replica.reports() for line in report.lines]
    assert operations == [Operation.INCLUDE, Operation.REMOVE, Operation.INCLUDE]


async def test_a_former_slug_leads_to_the_new_address_and_may_be_taken_again(
    replica: Any, make_article: Make
) -> None:
    await replica.handle(make_article())
    await replica.handle(make_article(revision=2, slug="new-one", redirects=("harbour-opens",)))
    moved = await replica.get(ADDRESS)
    assert moved.status == 301
    assert moved.headers["Location"] == "https://news.example/articles/new-one"
    assert (await replica.get("/articles/new-one")).status == 200
    await replica.handle(make_article(revision=3, redirects=("new-one", "harbour-opens")))
    assert (await replica.get(ADDRESS)).status == 200
    assert (await replica.get("/articles/new-one")).headers["Location"].endswith("harbour-opens")


async def test_a_former_slug_of_an_unpublished_article_is_gone_too(
    replica: Any, make_article: Make
) -> None:
    await replica.handle(make_article(redirects=("old",)))
    assert (await replica.get("/articles/old")).status == 301
    await replica.handle(make_article(revision=2, redirects=("old",), status=Status.UNPUBLISHED))
    assert (await replica.get("/articles/old")).status == 404


async def test_a_late_event_never_brings_a_page_back(replica: Any, make_article: Make) -> None:
    await replica.handle(make_article(revision=3, status=Status.UNPUBLISHED))
    await replica.handle(make_article(revision=1))
    await replica.handle(make_article(revision=2, slug="other", redirects=("harbour-opens",)))
    assert (await replica.get(ADDRESS)).status == 404
    assert (await replica.get("/articles/other")).status == 404


async def test_events_in_any_order_and_side_by_side_end_in_the_newest(
    start_replica: Callable[..., Awaitable[Any]], make_article: Make
) -> None:
    one, two = await start_replica(), await start_replica()
    events = [make_article(revision=n, headline=f"Headline {n}") for n in (1, 5, 3, 2, 4)]
    await asyncio.gather(*(replica.handle(event) for event in events * 2 for replica in (one, two)))
    for replica in (one, two):
        assert "<h1>Headline 5</h1>" in await replica.text(ADDRESS)
        assert "Headline 5" in await replica.text("/")


async def test_a_slug_stays_with_its_first_article(replica: Any, make_article: Make) -> None:
    await replica.handle(make_article())
    await replica.handle(make_article(id="another", revision=1, headline="An impostor"))
    assert "<h1>The harbour opens</h1>" in await replica.text(ADDRESS)


async def test_the_report_says_what_was_done_and_how_fast(
    replica: Any, make_article: Make, clock: ManualClock
) -> None:
    article = make_article()
    clock.advance(0.25)
    await replica.handle(article)
    await replica.handle(article)
    await replica.handle(make_article(revision=2))
    first, again, second = await replica.reports()
    assert first.service == "site"
    line = first.lines[0]
    assert line.delivery == f"{article.id}:site:include:1"
    assert (line.url, line.milliseconds, line.sequence) == (article.url, 250, 1)
    assert again.lines == first.lines
    assert second.lines[0].delivery == f"{article.id}:site:edit:2"


async def test_skipping_the_site_takes_the_page_off(replica: Any, make_article: Make) -> None:
    await replica.handle(make_article(skip_outlets=("site",)))
    await replica.handle(make_article(id="b", slug="b"))
    await replica.handle(make_article(id="b", slug="b", revision=2, skip_outlets=("site",)))
    assert [(await replica.get(path)).status for path in (ADDRESS, "/articles/b")] == [404, 404]
    assert "The harbour opens" not in await replica.text("/")
    reports = await replica.reports()
    none = next(report for report in reports if report.article_id != "b")
    removed = next(report for report in reports if report.revision == 2)
    assert none.lines == ()
    assert removed.lines[0].operation is Operation.REMOVE


async def test_a_page_from_an_earlier_dress_is_made_anew(
    start_replica: Callable[..., Awaitable[Any]], make_article: Make, database: Database
) -> None:
    old = await start_replica("An old tagline")
    await old.handle(make_article(redirects=("older",)))
    new = await start_replica("A new tagline")
    assert "A new tagline" in await new.text(ADDRESS)
    assert (await new.get("/articles/older")).status == 301
    style = (await new.text(ADDRESS)).partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert (await new.get(style)).status == 200
    stored = await database["pages"].find_one({"_id": "harbour-opens"})
    assert stored is not None
    assert b"A new tagline" in gzip.decompress(stored["document"]["gzipped"])


async def test_right_to_left(replica: Any, make_article: Make) -> None:
    await replica.handle(make_article(language="ar", direction="rtl", headline="سوق الليل"))
    assert '<html lang="ar" dir="rtl">' in await replica.text(ADDRESS)
    assert 'lang="ar" dir="rtl"' in await replica.text("/")


async def test_conditional_requests_and_gzip(replica: Any, make_article: Make) -> None:
    await replica.handle(make_article())
    plain = await replica.get(ADDRESS, Accept_Encoding="identity")
    zipped = await replica.get(ADDRESS, Accept_Encoding="gzip")
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert await zipped.read() == await plain.read()  # the client has unpacked it
    assert int(zipped.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    for response in (plain, zipped):
        again = await replica.get(ADDRESS, If_None_Match=response.headers["ETag"])
        assert again.status == 304
        assert "Content-Security-Policy" in again.headers
    dated = await replica.get(ADDRESS, If_Modified_Since=plain.headers["Last-Modified"])
    assert dated.status == 304
    head = await replica.client.head(ADDRESS)
    assert (head.status, await head.read()) == (200, b"")
    await replica.handle(make_article(revision=2, headline="Another"))
    assert (await replica.get(ADDRESS, If_None_Match=plain.headers["ETag"])).status == 200


@pytest.mark.parametrize("slug", ["%00", "%ff%fe", "a" * 5000, "..%2f..%2fetc", "%ed%a0%80", "$ne"])
async def test_no_slug_is_an_error(replica: Any, slug: str) -> None:
    response = await replica.get(f"/articles/{slug}")
    assert response.status == 404
    assert (await replica.get(f"/sections/{slug}")).status == 404


async def test_a_revoked_token_is_remembered(
    replica: Any, database: Database, clock: ManualClock
) -> None:
    await replica.send(TokenRevoked(token_id="t-1", expires_at=clock.now()))
    assert await database["revoked_tokens"].count({"_id": "t-1"}) == 1
