"""What was withdrawn goes from every network: through doubt, failures, lost events and quick changes of mind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.articles import (
    ArticleRetracted,
    ArticleUnpublished,
    ArticleUpdated,
    Correction,
    Status,
)
from shared.contracts.outlets import DeliveryState

FINAL = {state.value for state in DeliveryState if state.final}


async def _settled(process: Any, count: int) -> bool:
    items = await process.deliveries()
    return len(items) == count and all(item["state"] in FINAL for item in items)


async def _withdraw(process: Any, article: Any, status: Status) -> None:
    model = ArticleRetracted if status is Status.RETRACTED else ArticleUnpublished
    gone = article.model_copy(update={"status": status})
    await process.deliver(model(article=gone, acted_at=process.clock.now()))


async def test_a_retraction_does_not_cancel_the_deletion_that_still_waits(
    connected: Any, world: Any, eventually: Any
) -> None:
    article = world.article(connected.clock)
    await connected.publish(article)
    await eventually(lambda: _settled(connected, 2))
    for fake in world.fakes.values():
        fake.faults["delete:rate_limited"] = 1
    await _withdraw(connected, article.model_copy(update={"revision": 2}), Status.UNPUBLISHED)

    async def deletions_wait() -> bool:
        states = [one["state"] for one in await connected.deliveries() if ":delete:" in one["id"]]
        return states == ["waiting"] * 2

    await eventually(deletions_wait)
    await _withdraw(connected, article.model_copy(update={"revision": 3}), Status.RETRACTED)
    connected.clock.advance(hours=2)
    connected.service.background[0].wake()
    await eventually(lambda: _settled(connected, 4))
    assert [fake.visible() for fake in world.fakes.values()] == [[], []]


async def test_a_second_publication_heard_of_before_the_end_of_the_first_leaves_one_post(
    connected: Any, world: Any, eventually: Any
) -> None:
    article = world.article(connected.clock)
    await connected.publish(article)
    await eventually(lambda: _settled(connected, 2))
    again = article.model_copy(update={"revision": 3, "publication": 2})
    await connected.publish(again)
    # Too late: the broker hands it out after the one that follows it.
    await _withdraw(connected, article.model_copy(update={"revision": 2}), Status.UNPUBLISHED)
    await eventually(lambda: _settled(connected, 6))
    for channel, fake in world.fakes.items():
        assert len(world.posts(channel)) == 2
        assert len(fake.visible()) == 1


@pytest.mark.parametrize("applied", [True, False])
async def test_an_edit_in_doubt_does_not_keep_a_retracted_post_up(
    connected: Any, world: Any, eventually: Any, applied: bool
) -> None:
    article = world.article(connected.clock)
    await connected.publish(article)
    await eventually(lambda: _settled(connected, 2))
    notice = Correction(at=connected.clock.now(), kind="correction", text="It sails at nine.")
    changed = article.model_copy(
        update={"revision": 2, "headline": "Another story.", "corrections": (notice,)}
    )
    fault = "error_after" if applied else "error_before"
    for fake in world.fakes.values():
        fake.faults[f"edit:{fault}"] = 1
    now = connected.clock.now()
    await connected.deliver(ArticleUpdated(article=changed, acted_at=now, change="correction"))

    async def in_doubt() -> bool:
        found = [one for one in await connected.deliveries() if ":edit:" in one["id"]]
        return {one["state"] for one in found} <= {"unknown", "waiting"}

    await eventually(in_doubt)
    await _withdraw(connected, changed.model_copy(update={"revision": 3}), Status.RETRACTED)
    await eventually(lambda: _settled(connected, 6))
    assert [fake.visible() for fake in world.fakes.values()] == [[], []]


async def test_an_edit_that_was_cut_off_by_a_crash_does_not_either(
    connected: Any, world: Any, eventually: Any, database: Any
) -> None:
    article = world.article(connected.clock)
    await connected.publish(article)
    await eventually(lambda: _settled(connected, 2))
    notice = Correction(at=connected.clock.now(), kind="correction", text="It sails at nine.")
    changed = article.model_copy(update={"revision": 2, "corrections": (notice,)})
    now = connected.clock.now()
    await connected.deliver(ArticleUpdated(article=changed, acted_at=now, change="correction"))
    await eventually(lambda: _settled(connected, 4))
    # As if the process had died after sending, before it could write that down.
    await database["deliveries"].update_many(
        {"operation": "edit"},
        [
            {"$set": {"state": "armed", "due_at": now - timedelta(seconds=1)}},
            {"$unset": ["result", "milliseconds"]},
        ],
    )
    await _withdraw(connected, changed.model_copy(update={"revision": 3}), Status.RETRACTED)
    connected.clock.advance(minutes=10)
    connected.service.background[0].wake()
    await eventually(lambda: _settled(connected, 6))
    assert [fake.visible() for fake in world.fakes.values()] == [[], []]
