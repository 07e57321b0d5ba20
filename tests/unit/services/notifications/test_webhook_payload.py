"""What partners get: thin, always below 20 KB, and named after what happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notifications.domain.webhooks import MAX_BYTES, event_type, message_id, payload
from services.notifications.webhooks.sender import message
from shared.contracts.articles import Article, Correction, Retraction, Status

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
MakeArticle = Callable[..., Article]
LongText = st.builds(
    lambda text, times: text * times, st.text(min_size=1, max_size=40), st.integers(1, 400)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(headline=LongText, summary=LongText, reason=LongText, texts=st.lists(LongText, max_size=8))
def test_the_message_stays_below_twenty_kilobytes(
    article: MakeArticle, headline: str, summary: str, reason: str, texts: list[str]
) -> None:
    data = payload(
        article(
            headline=headline,
            summary=summary,
            retraction=Retraction(at=NOW, reason=reason),
            corrections=tuple(Correction(at=NOW, kind="correction", text=text) for text in texts),
        )
    )
    body = message("article.updated", "2026-11-23T09:30:00.000Z", data)
    assert len(body.encode()) < MAX_BYTES
    read = orjson.loads(body)
    assert set(read) == {"type", "timestamp", "data"}
    assert set(read["data"]) == {
        "id", "slug", "url", "headline", "summary", "status", "revision", "section", "language",
        "published_at", "updated_at", "corrections", "retraction",
    }  # fmt: skip
    kept = read["data"]["headline"]
    assert kept == headline or (kept.endswith("…") and headline.startswith(kept[:-1]))
    assert [one["text"][:20] for one in read["data"]["corrections"]] == [
        text[:20] for text in texts[-4:]
    ]


@pytest.mark.parametrize(
    ("status", "first_seen", "named"),
    [
        (Status.PUBLISHED, True, "article.published"),
        (Status.PUBLISHED, False, "article.updated"),
        (Status.RETRACTED, False, "article.retracted"),
        (Status.RETRACTED, True, "article.retracted"),
        (Status.UNPUBLISHED, False, "article.unpublished"),
    ],
)
def test_the_type_follows_the_snapshot(
    article: MakeArticle, status: Status, first_seen: bool, named: str
) -> None:
    assert event_type(article(status=status), first_seen=first_seen) == named


@given(st.text(), st.text())
def test_ids_are_stable_distinct_and_without_dots(one: str, other: str) -> None:
    assert message_id(one) == message_id(one)
    assert "." not in message_id(one)
    assert (message_id(one) == message_id(other)) == (one == other)
