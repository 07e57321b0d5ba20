"""What each network tells of its limits, in its own dialect, becomes the budget that all replicas share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from services.social.domain.standing import Standing
from shared.contracts.articles import Status
from shared.contracts.outlets import DeliveryState, Operation

SocialDesk = Any  # the type of the fixture lives in conftest, which tests do not import

Told = tuple[int, int, datetime, bool]
"""Limit, remaining, end of the window, and whether these are calls."""


def read(headers: Mapping[str, str], at: datetime) -> Told | None:
    """What an answer tells of a budget, in whichever dialect; None where it tells nothing.

    Read from the answer alone, so that it shares no line with the channels that it judges.
    """
    if "x-app-usage" in headers:
        used = orjson.loads(headers["x-app-usage"])
        # The network names no end: the window rolls, and is asked about again in a quarter of an hour.
        return 100, 100 - max(used.values()), at + timedelta(minutes=15), False
    for prefix in ("ratelimit", "x-ratelimit", "x-rate-limit"):
        if f"{prefix}-remaining" in headers:
            limit, left = (int(headers[f"{prefix}-{name}"]) for name in ("limit", "remaining"))
            return limit, left, _end(headers, prefix, at), True
    return None


def _end(headers: Mapping[str, str], prefix: str, at: datetime) -> datetime:
    if after := headers.get(f"{prefix}-reset-after"):
        return at + timedelta(seconds=float(after))
    told = headers[f"{prefix}-reset"]
    if told.isdigit():
        return datetime.fromtimestamp(int(told), UTC)
    return datetime.strptime(told, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


async def standing(desk: SocialDesk) -> Standing:
    return (await desk.standings.all()).get(f"{desk.spec.name}/main", Standing())


async def test_the_words_of_the_network_are_what_all_replicas_know(desk: SocialDesk) -> None:
    article = desk.article()
    await desk.take_in(article)
    before = datetime.now(UTC)
    await desk.work()
    assert (await desk.only(article)).state is DeliveryState.CONFIRMED
    found = (await standing(desk)).budgets
    said = []
    for call in desk.wire.calls:
        headers = {name.lower(): value for name, value in call.headers.items()}
        if told := read(headers, before):
            said.append(told)
    if not said:
        assert found == {}
        return
    assert set(found) == {"post"}
    budget = found["post"]
    near = [
        one
        for one in said
        if (budget.limit, budget.remaining, budget.counted) == (one[0], one[1], one[3])
        and abs(budget.resets_at - one[2]) < timedelta(seconds=3)
    ]
    assert near, (budget, said)


async def test_what_is_left_for_breaking_news_only_breaking_news_uses(desk: SocialDesk) -> None:
    """Held by what another replica was told, before anything is asked of the network."""
    budget = {
        "limit": 100,
        "remaining": 10,
        "told_at": desk.clock.now(),
        "resets_at": desk.clock.now() + timedelta(minutes=10),
        "counted": desk.spec.name not in {"facebook", "instagram", "threads"},
    }
    await desk.standings.collection.insert_one(
        {"_id": f"{desk.spec.name}/main", "version": 1, "budgets": {"post": budget}}
    )
    article = desk.article()
    await desk.take_in(article)
    await desk.work()
    held = await desk.only(article)
    assert held.state is DeliveryState.WAITING
    assert abs(held.due_at - budget["resets_at"]) < timedelta(seconds=2)
    assert "10 " in (held.reason or "")
    assert (held.reason or "").endswith("kept for breaking news")
    assert desk.wire.calls == []

    urgent = desk.article(slug="urgent", headline="The quay is closed", priority="breaking")
    await desk.take_in(urgent)
    await desk.work()
    assert (await desk.only(urgent)).state is DeliveryState.CONFIRMED
    desk.clock.advance(601)
    await desk.work_it_off(article)
    assert (await desk.only(article)).state is DeliveryState.CONFIRMED
    assert len(desk.posts()) == 2


async def test_a_withdrawal_goes_by_the_budget_of_deletions(desk: SocialDesk) -> None:
    article = desk.article()
    await desk.take_in(article)
    await desk.work_it_off(article)
    known = await standing(desk)
    used_up = {
        "limit": 100,
        "remaining": 0,
        "told_at": desk.clock.now(),
        "resets_at": desk.clock.now() + timedelta(hours=1),
    }
    account = {"_id": f"{desk.spec.name}/main"}
    if known == Standing():
        await desk.standings.collection.insert_one({**account, "version": 1})
    await desk.standings.collection.update_one(account, {"$set": {"budgets.post": used_up}})
    await desk.breathe()
    gone = article.model_copy(update={"revision": 3, "status": Status.RETRACTED})
    await desk.take_in(gone)
    await desk.work()
    taken_down = await desk.only(article, Operation.DELETE)
    if desk.spec.capabilities.delete:
        assert taken_down.state is DeliveryState.CONFIRMED
        assert desk.fake.visible() == []
    else:
        assert taken_down.task is not None  # it waits for a person, not for the budget
