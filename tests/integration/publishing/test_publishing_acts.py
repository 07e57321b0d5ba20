"""What each public act stores and announces, and that it does so exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shared.contracts.articles import (
    ArticleEvent,
    ArticlePublished,
    ArticleRetracted,
    ArticleUnpublished,
    ArticleUpdated,
)
from shared.contracts.base import EventData
from shared.contracts.events import Event
from shared.runtime.ids import is_id

pytestmark = pytest.mark.integration


def _data(events: list[Event[EventData]]) -> list[Any]:
    return [event.data for event in events]


async def test_publishing_announces_the_whole_article_once(desk: Any) -> None:
    made = await desk.article(tags=["bridge"], social={"mastodon": "It is open."})
    done = await desk.act(made["id"], "publish", match=1)
    (event,) = await desk.relayed()
    assert event.type == "article.published"
    assert event.subject == made["id"]
    assert is_id(event.id)
    assert isinstance(event.data, ArticlePublished)
    article = event.data.article
    assert event.data.acted_at == desk.clock.now()
    assert article.url == done["url"] == "https://news.example/articles/harbour-bridge-reopens"
    assert article.body_html == "<p>The bridge <em>reopened</em> on Monday.</p>\n"
    assert (article.revision, article.publication, article.status) == (2, 1, "published")
    assert article.published_at == article.updated_at == desk.clock.now()
    assert article.language == "en"
    assert article.social == {"mastodon": "It is open."}
    assert article.bylines[0].name == "Ada Quill"
    assert await desk.relayed() == [event]


async def test_breaking_news_takes_the_express_route(desk: Any) -> None:
    await desk.published(priority="breaking")
    (event,) = await desk.relayed()
    assert event.routing_key == "article.published.breaking"


async def test_an_edit_reaches_readers_only_when_published(desk: Any) -> None:
    article = await desk.published()
    path = f"/api/v1/articles/{article['id']}"
    status, edited, _ = await desk.call("PATCH", path, {"headline": "Bridge is open"}, match=2)
    assert (status, edited["unpublished_changes"], edited["status"]) == (200, True, "published")
    assert edited["url"] == article["url"]
    assert len(await desk.relayed()) == 1
    desk.clock.advance(60)
    again = await desk.act(article["id"], "publish", match=3)
    assert again["unpublished_changes"] is False
    update = _data(await desk.relayed())[1]
    assert isinstance(update, ArticleUpdated)
    assert update.change == "minor"
    assert update.article.headline == "Bridge is open"
    assert update.article.revision == 4
    assert update.article.publication == 1
    assert update.article.published_at < update.article.updated_at


async def test_publishing_what_has_not_changed_is_a_conflict(desk: Any) -> None:
    article = await desk.published()
    path = f"/api/v1/articles/{article['id']}/publish"
    status, problem, _ = await desk.call("POST", path, match=2)
    assert (status, problem["field"]) == (409, "status")
    assert len(await desk.relayed()) == 1


async def test_a_correction_is_appended_and_announced(desk: Any) -> None:
    article = await desk.published()
    for text in ("It was Monday.", "At nine."):
        await desk.act(article["id"], "correct", {"kind": "clarification", "text": text})
    corrected = _data(await desk.relayed())[-1]
    assert isinstance(corrected, ArticleUpdated)
    assert corrected.change == "correction"
    assert [one.text for one in corrected.article.corrections] == ["It was Monday.", "At nine."]
    assert corrected.article.corrections[0].at == desk.clock.now()


async def test_retracting_withdraws_what_was_public_and_is_final(desk: Any) -> None:
    article = await desk.published()
    path = f"/api/v1/articles/{article['id']}"
    await desk.call("PATCH", path, {"headline": "Nobody should see this"}, match=2)
    done = await desk.act(article["id"], "retract", {"reason": "It was invented."})
    assert done["retraction"]["reason"] == "It was invented."
    retracted = _data(await desk.relayed())[-1]
    assert isinstance(retracted, ArticleRetracted)
    assert retracted.article.headline == "Harbour bridge reopens"
    assert retracted.article.retraction.reason == "It was invented."
    assert retracted.article.revision == 4
    for name, body in (
        ("publish", None),
        ("correct", {"text": "x"}),
        ("unpublish", None),
        ("retract", {"reason": "x"}),
    ):
        status, problem, _ = await desk.call(
            "POST", f"{path}/{name}", body, role="chief", match="*"
        )
        assert (status, problem["field"], problem["current"]) == (409, "status", "retracted")
    status, problem, _ = await desk.call("PATCH", path, {"headline": "x"}, match="*")
    assert (status, problem["field"], problem["current"]) == (409, "status", "retracted")


async def test_publishing_again_after_unpublishing_is_a_second_publication(desk: Any) -> None:
    article = await desk.published()
    desk.clock.advance(3600)
    await desk.act(article["id"], "unpublish")
    desk.clock.advance(3600)
    again = await desk.act(article["id"], "publish")
    _, withdrawn, second = _data(await desk.relayed())
    assert isinstance(withdrawn, ArticleUnpublished)
    assert withdrawn.article.status == "unpublished"
    assert isinstance(second, ArticlePublished)
    assert second.article.publication == 2
    assert again["published_at"] == article["published_at"]


async def test_a_renamed_public_article_redirects_from_its_old_slug(desk: Any) -> None:
    article = await desk.published()
    path = f"/api/v1/articles/{article['id']}"
    await desk.call("PATCH", path, {"slug": "bridge-open"}, match="*")
    await desk.act(article["id"], "publish")
    update = _data(await desk.relayed())[-1]
    assert update.article.slug == "bridge-open"
    assert update.article.redirects == ("harbour-bridge-reopens",)
    status, problem, _ = await desk.call(
        "POST", "/api/v1/articles", {"slug": "harbour-bridge-reopens"}
    )
    assert (status, problem["field"]) == (409, "slug")
    await desk.call("PATCH", path, {"slug": "harbour-bridge-reopens"}, match="*")
    await desk.act(article["id"], "publish")
    back = _data(await desk.relayed())[-1]
    assert back.article.redirects == ("bridge-open",)


@pytest.mark.parametrize("match", ["*", 1])
async def test_twenty_publishes_at_once_announce_once(desk: Any, match: Any) -> None:
    made = await desk.article()
    path = f"/api/v1/articles/{made['id']}/publish"
    answers = await asyncio.gather(*(desk.call("POST", path, match=match) for _ in range(20)))
    statuses = sorted(status for status, _, _ in answers)
    assert statuses == [200] + [409 if match == "*" else 412] * 19
    events = await desk.relayed()
    assert [event.type for event in events] == ["article.published"]


async def test_concurrent_corrections_are_all_kept_in_order(desk: Any) -> None:
    article = await desk.published()
    await asyncio.gather(
        *(desk.act(article["id"], "correct", {"text": f"notice {n}"}) for n in range(8))
    )
    events = _data(await desk.relayed())
    assert [event.article.revision for event in events] == list(range(2, 11))
    assert [len(event.article.corrections) for event in events] == list(range(9))


async def test_a_crash_between_write_and_relay_loses_nothing(
    desk: Any, start: Callable[[], Awaitable[Any]]
) -> None:
    desk.bus.away = True
    article = await desk.published()
    assert await desk.relayed() == []
    survivor = await start()
    (event,) = await survivor.relayed()
    assert isinstance(event.data, ArticleEvent)
    assert event.data.article.id == article["id"]
    stored = await desk.database["articles"].find_one({"_id": article["id"]})
    assert stored["outbox"] == []
    assert "outbox_pending" not in stored


async def test_the_running_relay_sends_at_once(desk: Any) -> None:
    for background in desk.service.background:
        background.start()
    try:
        await desk.published()
        for _ in range(100):
            if desk.bus.sent:
                break
            await asyncio.sleep(0.01)
        assert [event.type for event in desk.bus.sent] == ["article.published"]
    finally:
        for background in desk.service.background:
            await background.stop(2.0)
