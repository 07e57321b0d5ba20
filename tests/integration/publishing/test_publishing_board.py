"""The fan-out board: what outlets report, in any order; its stream; and repair of what is not reported."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest

from services.publishing.store.board import BoardStore
from services.publishing.store.repairs import RepairStore
from shared.contracts.articles import ArticlePublished, ArticleRetracted
from shared.contracts.outlets import DeliveryState, OperatorAlert, OutletReported

pytestmark = pytest.mark.integration

ALL = ("social", "sitemap", "notifications", "site")


async def _board(desk: Any, article_id: str) -> Any:
    status, board, _ = await desk.call("GET", f"/api/v1/articles/{article_id}/fanout")
    assert status == 200
    return board


async def test_an_article_settles_when_every_service_has_reported(desk: Any) -> None:
    id = (await desk.published())["id"]
    board = await _board(desk, id)
    assert board == {"items": [], "awaiting": list(ALL), "settled": False}
    await desk.report(id, 2, "social", desk.line("social/mastodon/m", 1, DeliveryState.PLANNED))
    for service in ALL[1:]:
        await desk.report(id, 2, service, desk.line(service, 2))
    board = await _board(desk, id)
    assert (board["awaiting"], board["settled"], len(board["items"])) == ([], False, 4)
    await desk.report(id, 2, "social", desk.line("social/mastodon/m", 4))
    board = await _board(desk, id)
    assert board["settled"] is True
    assert "repair_at" not in await desk.database["articles"].find_one({"_id": id})
    entry = next(one for one in board["items"] if one["outlet"] == "site")
    assert entry == {
        **desk.line("site", 2).model_dump(mode="json", exclude_none=True),
        "service": "site",
        "changed_at": "2026-11-23T09:30:00.000Z",
    }


async def test_an_older_or_repeated_report_never_undoes_a_newer_one(desk: Any) -> None:
    id = (await desk.published())["id"]
    newest = desk.line("email", 5, DeliveryState.CONFIRMED)
    older = desk.line("email", 3, DeliveryState.WAITING)
    for report in (newest, older, newest, older):
        await desk.report(id, 2, "notifications", report)
    (entry,) = (await _board(desk, id))["items"]
    assert (entry["state"], entry["sequence"]) == ("confirmed", 5)


async def test_reports_side_by_side_leave_the_newest(desk: Any) -> None:
    id = (await desk.published())["id"]
    lines = [desk.line("email", n, DeliveryState.WAITING) for n in range(12)]
    await asyncio.gather(*(desk.report(id, 2, "notifications", one) for one in lines))
    (entry,) = (await _board(desk, id))["items"]
    assert entry["sequence"] == 11


async def test_a_report_of_an_older_revision_does_not_count(desk: Any) -> None:
    id = (await desk.published())["id"]
    await desk.act(id, "correct", {"text": "x"})
    await desk.report(id, 2, "site", desk.line("site", 2))
    assert "site" in (await _board(desk, id))["awaiting"]
    await desk.report(id, 3, "site", desk.line("site", 3))
    assert "site" not in (await _board(desk, id))["awaiting"]


async def test_an_article_that_is_not_reported_is_announced_again_unchanged(desk: Any) -> None:
    id = (await desk.published())["id"]
    (first,) = await desk.relayed()
    await desk.call("PATCH", f"/api/v1/articles/{id}", {"headline": "Unpublished"}, match=2)
    desk.clock.advance(29)
    await desk.repair()
    assert len(await desk.relayed()) == 1
    desk.clock.advance(2)
    await desk.repair()
    _, again = await desk.relayed()
    assert isinstance(again.data, ArticlePublished)
    assert again.data == first.data
    assert again.id != first.id
    _, article, _ = await desk.call("GET", f"/api/v1/articles/{id}")
    assert article["revision"] == 3


async def test_repairs_slow_down_and_call_an_operator_once(desk: Any) -> None:
    id = (await desk.published())["id"]
    await desk.report(id, 2, "site", desk.line("site", 2))
    await desk.relayed()
    at: list[float] = []
    for second in range(0, 2300, 10):
        before = len(await desk.relayed())
        await desk.repair()
        if len(await desk.relayed()) > before:
            at.append(second)
        desk.clock.advance(10)
    pauses = [later - earlier for earlier, later in pairwise(at)]
    assert at[0] == 30
    assert pauses == [30, 60, 120, 300, 600, 600]
    (alert,) = [event.data for event in desk.bus.sent if isinstance(event.data, OperatorAlert)]
    assert alert.article_id == id
    assert alert.detail == (
        "Harbour bridge reopens: no report from social, no report from sitemap, "
        "no report from notifications"
    )


async def test_a_late_report_ends_the_repairs(desk: Any) -> None:
    id = (await desk.published())["id"]
    await desk.relayed()
    desk.clock.advance(31)
    await desk.repair()
    for service in ALL:
        await desk.report(id, 2, service, desk.line(service, 2))
    sent = len(await desk.relayed())
    desk.clock.advance(3600)
    await desk.repair()
    assert len(await desk.relayed()) == sent == 2


async def test_a_line_left_unfinished_is_asked_after(desk: Any) -> None:
    id = (await desk.published())["id"]
    await desk.relayed()
    for service in ALL:
        state = DeliveryState.UNKNOWN if service == "social" else DeliveryState.CONFIRMED
        await desk.report(id, 2, service, desk.line(service, 2, state))
    desk.clock.advance(31)
    await desk.repair()
    assert len(await desk.relayed()) == 2
    await desk.report(id, 2, "social", desk.line("social", 3))
    assert (await _board(desk, id))["settled"] is True


async def test_a_line_that_reopens_after_settling_is_watched_again(desk: Any) -> None:
    id = (await desk.published())["id"]
    for service in ALL:
        await desk.report(id, 2, service, desk.line(service, 2))
    await desk.relayed()
    await desk.report(id, 2, "social", desk.line("social", 3, DeliveryState.PLANNED))
    assert (await _board(desk, id))["settled"] is False
    desk.clock.advance(31)
    await desk.repair()
    assert len(await desk.relayed()) == 2


async def test_a_retraction_is_repaired_as_a_retraction(desk: Any) -> None:
    id = (await desk.published())["id"]
    await desk.act(id, "retract", {"reason": "Invented."})
    await desk.relayed()
    desk.clock.advance(31)
    await desk.repair()
    last = (await desk.relayed())[-1].data
    assert isinstance(last, ArticleRetracted)
    assert last.article.retraction is not None


async def test_nothing_is_repeated_while_the_first_event_still_waits(desk: Any) -> None:
    id = (await desk.published())["id"]
    desk.clock.advance(3600)
    await desk.repair()
    stored = await desk.database["articles"].find_one({"_id": id})
    assert len(stored["outbox"]) == 1


async def test_two_replicas_repair_once(desk: Any, start: Any) -> None:
    other = await start()
    await desk.published()
    await desk.relayed()
    desk.clock.advance(31)
    await asyncio.gather(desk.repair(), other.repair())
    await desk.relayed()
    await other.relayed()
    assert len(desk.bus.sent) + len(other.bus.sent) == 2


class Stream:
    """A server-sent event stream as a browser reads it."""

    def __init__(self, desk: Any, article_id: str, last: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {desk.tokens['contributor']}"}
        if last:
            headers["Last-Event-ID"] = last
        self._opening = desk.client.get(
            f"/api/v1/articles/{article_id}/fanout/stream", headers=headers
        )

    async def __aenter__(self) -> Stream:
        self.answer = await self._opening
        assert self.answer.status == 200
        assert self.answer.headers["Content-Type"] == "text/event-stream"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.answer.close()

    async def next(self) -> tuple[str, Any]:
        """Id and data of the next line event."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(5):
            while True:
                text = (await self.answer.content.readline()).decode().rstrip("\n")
                if not text and fields.get("event") == "line":
                    return fields["id"], json.loads(fields["data"])
                name, _, value = text.partition(": ")
                fields[name] = value


async def test_asked_for_its_headers_the_stream_sends_nothing_else(desk: Any) -> None:
    id = (await desk.published())["id"]
    async with asyncio.timeout(5):
        path = f"/api/v1/articles/{id}/fanout/stream"
        status, body, headers = await desk.call("HEAD", path)
    assert (status, body, headers["Content-Type"]) == (200, b"", "text/event-stream")


async def test_the_stream_sends_what_is_there_and_then_each_change(desk: Any) -> None:
    id = (await desk.published())["id"]
    await desk.report(id, 2, "site", desk.line("site", 2))
    async with Stream(desk, id) as stream:
        _, first = await stream.next()
        assert first["outlet"] == "site"
        await desk.report(id, 2, "notifications", desk.line("email", 1, DeliveryState.PLANNED))
        _, second = await stream.next()
        await desk.report(id, 2, "notifications", desk.line("email", 2))
        event_id, third = await stream.next()
        assert (second["state"], third["state"]) == ("planned", "confirmed")
        assert event_id.endswith(f"-{third['delivery']}")


async def test_a_resumed_stream_skips_what_was_seen(desk: Any) -> None:
    id = (await desk.published())["id"]
    await desk.report(id, 2, "site", desk.line("site", 2))
    desk.clock.advance(60)
    await desk.report(id, 2, "email", desk.line("email", 2))
    async with Stream(desk, id) as stream:
        await stream.next()
        last, _ = await stream.next()
    desk.clock.advance(60)
    await desk.report(id, 2, "sitemap", desk.line("news_sitemap", 2))
    async with Stream(desk, id, last) as resumed:
        _, entry = await resumed.next()
        assert entry["outlet"] == "news_sitemap"
    async with Stream(desk, id, "no id of ours") as fresh:
        assert (await fresh.next())[1]["outlet"] == "site"


async def test_another_replica_hears_of_it_by_itself(desk: Any, start: Any) -> None:
    other = await start()
    id = (await desk.published())["id"]
    async with Stream(other, id) as stream:
        await desk.report(id, 2, "site", desk.line("site", 2))
        assert (await stream.next())[1]["outlet"] == "site"


async def test_an_open_stream_does_not_hold_up_a_shutdown(desk: Any) -> None:
    id = (await desk.published())["id"]
    async with Stream(desk, id) as stream, asyncio.timeout(1):
        await asyncio.sleep(0.05)
        await desk.service.background[0].stop(10.0)
        assert (await stream.answer.content.read()).endswith(b"\n\n")


async def test_lines_of_work_under_way_do_not_say_that_the_revision_is_applied(desk: Any) -> None:
    id = (await desk.published())["id"]
    for service in ALL[1:]:
        await desk.report(id, 2, service, desk.line(service, 2))
    # One of two accounts has posted already, but the handler died before it planned the other.
    await desk.report(id, 2, "social", desk.line("social/mastodon/m", 3), partial=True)
    board = await _board(desk, id)
    assert (board["awaiting"], board["settled"]) == (["social"], False)
    await desk.relayed()
    desk.clock.advance(31)
    await desk.repair()
    assert len(await desk.relayed()) == 2


@pytest.mark.parametrize("by", ["report", "repair"])
async def test_a_line_that_comes_while_the_article_settles_is_watched(
    desk: Any, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    id = (await desk.published())["id"]
    for service in ALL[1:]:
        await desk.report(id, 2, service, desk.line(service, 2))
    await desk.relayed()
    desk.clock.advance(31)
    late = desk.line("social/mastodon/m", 1, DeliveryState.PLANNED)
    store = BoardStore if by == "report" else RepairStore
    settle = store.settle

    async def after_another_report(self: Any, which: Any) -> None:
        monkeypatch.setattr(store, "settle", settle)
        await desk.report(id, 2, "social", late, partial=True)
        await settle(self, which)

    if by == "repair":
        # All is reported, but the report's own settling was cut off.
        await desk.report(id, 2, "social", desk.line("social/bluesky/b", 1))
        await desk.database["articles"].update_one(
            {"_id": id}, {"$set": {"repair_at": desk.clock.now(), "repair_count": 0}}
        )
    monkeypatch.setattr(store, "settle", after_another_report)
    if by == "repair":
        await desk.repair()
    else:
        await desk.report(id, 2, "social", desk.line("social/bluesky/b", 1))
    assert (await _board(desk, id))["settled"] is False
    desk.clock.advance(31)
    await desk.repair()
    assert len(await desk.relayed()) == 2


async def test_of_two_first_reports_at_the_same_time_the_newer_stays(desk: Any) -> None:
    article = await desk.published()
    store = BoardStore(desk.database)
    for number in range(40):
        reports = [
            OutletReported(
                service="notifications",
                article_id=article["id"],
                revision=2,
                partial=True,
                lines=(
                    desk.line("webhook/w", sequence, state).model_copy(
                        update={"delivery": f"d{number}"}
                    ),
                ),
                at=desk.clock.now(),
            )
            for sequence, state in ((1, DeliveryState.PLANNED), (3, DeliveryState.CONFIRMED))
        ]
        await asyncio.gather(*(store.take(report, desk.clock.now()) for report in reports))
    states = {one.line.state for one in await store.lines(article["id"])}
    assert states == {DeliveryState.CONFIRMED}
