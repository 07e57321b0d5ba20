"""The public's reaction as publishing keeps and shows it: per line of the board, and as the sum of an article."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.contracts.outlets import Counts, OutletFigures, OutletReported

pytestmark = pytest.mark.integration

MASTODON, BLUESKY = "social/mastodon/m", "social/bluesky/b"


async def _told(
    desk: Any, article_id: str, outlet: str, at: datetime, *, gone: bool = False, **counts: int
) -> None:
    """Figures of the post behind `desk.line(outlet, …)`, as the social service reports them."""
    figures = OutletFigures(
        outlet=outlet,
        delivery=desk.line(outlet, 1).delivery,
        at=at,
        counts=Counts(**counts),
        gone=gone,
    )
    report = OutletReported(
        service="social",
        article_id=article_id,
        revision=2,
        partial=True,
        figures=(figures,),
        at=desk.clock.now(),
    )
    await desk.deliver(report, article_id)


async def _get(desk: Any, path: str) -> tuple[Any, Any]:
    status, body, headers = await desk.call("GET", f"/api/v1/articles/{path}")
    assert status == 200, body
    return body, headers


async def test_figures_stand_at_their_line_and_their_sum_at_the_article(desk: Any) -> None:
    id, now = (await desk.published())["id"], desk.clock.now()
    before, headers = await _get(desk, id)
    assert "reaction" not in before
    await desk.report(id, 2, "social", desk.line(MASTODON, 4), desk.line(BLUESKY, 4))
    await _told(desk, id, MASTODON, now, likes=12, reposts=2)
    await _told(desk, id, BLUESKY, now + timedelta(seconds=7), likes=5, quotes=0)
    board, _ = await _get(desk, f"{id}/fanout")
    figures = {one["outlet"]: one["figures"] for one in board["items"]}
    assert figures == {
        MASTODON: {
            "at": "2026-11-23T09:30:00.000Z",
            "gone": False,
            "counts": {"likes": 12, "reposts": 2},
        },
        BLUESKY: {
            "at": "2026-11-23T09:30:07.000Z",
            "gone": False,
            "counts": {"likes": 5, "quotes": 0},
        },
    }
    total = {
        "posts": 2,
        "gone": 0,
        "at": "2026-11-23T09:30:07.000Z",
        "counts": {"likes": 17, "reposts": 2, "quotes": 0},
    }
    article, after = await _get(desk, id)
    assert board["reaction"] == article["reaction"] == total
    # An editor's page is not out of date because somebody liked a post.
    assert after["ETag"] == headers["ETag"]
    assert article["revision"] == before["revision"]


async def test_figures_alone_change_nothing_of_what_was_delivered(desk: Any) -> None:
    id = (await desk.published())["id"]
    await _told(desk, id, MASTODON, desk.clock.now(), likes=1)
    board, _ = await _get(desk, f"{id}/fanout")
    assert board["items"] == []
    assert "social" in board["awaiting"]
    assert len(await desk.relayed()) == 1  # the publication itself, and nothing because of them
    await desk.report(id, 2, "social", desk.line(MASTODON, 4))
    (line,) = (await _get(desk, f"{id}/fanout"))[0]["items"]
    assert line["figures"]["counts"] == {"likes": 1}


async def test_of_two_readings_the_later_one_stays_whatever_their_order(desk: Any) -> None:
    id, now = (await desk.published())["id"], desk.clock.now()
    readings = [_told(desk, id, MASTODON, now + timedelta(hours=n), likes=n) for n in range(12)]
    await asyncio.gather(*reversed(readings))
    await _told(desk, id, MASTODON, now + timedelta(hours=3), likes=99)
    assert (await _get(desk, id))[0]["reaction"]["counts"] == {"likes": 11}


async def test_what_a_post_had_before_it_went_still_happened(desk: Any) -> None:
    id, now = (await desk.published())["id"], desk.clock.now()
    await _told(desk, id, MASTODON, now, likes=9)
    await _told(desk, id, MASTODON, now + timedelta(hours=1), likes=9, gone=True)
    reaction = (await _get(desk, id))[0]["reaction"]
    assert (reaction["posts"], reaction["gone"], reaction["counts"]) == (1, 1, {"likes": 9})
