"""Which lines a change makes: include, edit, remove, each once, and nothing where nothing was done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.sitemap.domain.entry import FEED_OUTLET, NEWS_OUTLET, Entry, lines, render_entry
from shared.contracts.articles import Article, Status

Make = Callable[..., Article]
ADDRESSES = {NEWS_OUTLET: "https://x.example/news-sitemap.xml", FEED_OUTLET: "https://x.example/f"}


def step(
    article: Article, previous: Entry | None, *, fresh: bool = True, within: bool | None = None
) -> Entry:
    stands = {
        NEWS_OUTLET: fresh if within is None else within,
        FEED_OUTLET: True if within is None else within,
    }
    return render_entry(article, previous, fresh=fresh, within=stands, publication_language="en")


def did(entry: Entry) -> set[str]:
    return {line.delivery.split(":", 1)[1] for line in lines(entry, ADDRESSES, 5)}


def test_the_life_of_an_article(make_article: Make) -> None:
    one = step(make_article(), None)
    assert did(one) == {"news_sitemap:include:1", "feed:include:1"}
    two = step(make_article(revision=2), one)
    assert did(two) == {"news_sitemap:edit:2", "feed:edit:2"}
    three = step(make_article(revision=3, noindex=True), two)
    assert did(three) == {"news_sitemap:remove:3", "feed:edit:3"}
    four = step(make_article(revision=4, status=Status.UNPUBLISHED), three)
    assert did(four) == {"feed:remove:4"}
    five = step(make_article(revision=5), four)
    assert did(five) == {"news_sitemap:include:5", "feed:include:5"}


def test_a_replay_answers_the_same_lines(make_article: Make) -> None:
    entry = step(make_article(), None)
    again = step(make_article(), entry)
    assert lines(again, ADDRESSES, 5) == lines(entry, ADDRESSES, 5)


def test_nothing_to_do_makes_no_line(make_article: Make) -> None:
    skipped: dict[str, Any] = {"skip_outlets": ("news_sitemap", "feed")}
    assert did(step(make_article(**skipped), None)) == set()


def test_what_left_by_age_is_not_removed_again(make_article: Make) -> None:
    entry = step(make_article(), None)
    late = step(make_article(revision=2, status=Status.RETRACTED), entry, fresh=False)
    assert did(late) == {"feed:remove:2"}
    assert late.news is None


def test_what_is_past_the_end_is_not_touched(make_article: Make) -> None:
    entry = step(make_article(), None, within=False)
    assert did(entry) == set()
    assert entry.item is not None
    assert entry.news is not None


def test_the_line_carries_address_time_and_revision(make_article: Make) -> None:
    line = lines(step(make_article(revision=3), None), ADDRESSES, 17)[1]
    assert line.outlet == NEWS_OUTLET
    assert line.url == ADDRESSES[NEWS_OUTLET]
    assert (line.milliseconds, line.sequence, line.revision) == (17, 3, 3)
    assert line.state == "confirmed"


def test_what_was_published_elsewhere_is_in_feed_and_archive_but_is_no_news(
    make_article: Make,
) -> None:
    entry = step(make_article(imported=True), None)
    assert did(entry) == {"feed:include:1"}
    assert entry.news is None
    assert entry.archive is not None
