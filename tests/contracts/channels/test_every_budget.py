"""What each network tells of its limits, in its own dialect, becomes the budget that all replicas share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from services.social.channels import discover
from services.social.domain.standing import Standing
from shared.contracts.articles import Status
from shared.contracts.outlets import DeliveryState, Operation

SocialDesk = Any  # the type of the fixture lives in conftest, which tests do not import

Told = tuple[int, int, datetime, bool]
"""Limit, remaining, end of the window, and whether these are calls."""


def _counted(prefix: str, instant: Callable[[str], datetime], reset: str = "reset") -> Any:
    def read(headers: Mapping[str, str], _: datetime) -> Told:
        limit, left, end = (headers[f"{prefix}-{name}"] for name in ("limit", "remaining", reset))
        return int(limit), int(left), instant(end), True

    return read


def _epoch(text: str) -> datetime:
    return datetime.fromtimestamp(int(text), UTC)


def _iso(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def _delta(headers: Mapping[str, str], at: datetime) -> Told:
    after = timedelta(seconds=float(headers["x-ratelimit-reset-after"]))
    return (
        int(headers["x-ratelimit-limit"]),
        int(headers["x-ratelimit-remaining"]),
        at + after,
        True,
    )


def _percent(headers: Mapping[str, str], at: datetime) -> Told:
    used = orjson.loads(headers["x-app-usage"])
    # The network names no end: the window rolls, and is asked about again in a quarter of an hour.
    return 100, 100 - max(used.values()), at + timedelta(minutes=15), False


DIALECTS: dict[str, Any] = {
    "bluesky": _counted("ratelimit", _epoch),
    "discord": _delta,
    "facebook": _percent,
    "instagram": _percent,
    "mastodon": _counted("x-ratelimit", _iso),
    "threads": _percent,
    "x": _counted("x-rate-limit", _epoch),
}
SILENT = {"linkedin", "slack", "telegram"}
"""They tell no budget; their refusals say how long to wait."""


async def standing(desk: SocialDesk) -> Standing:
    return (await desk.standings.all()).get(f"{desk.spec.name}/main", Standing())


async def test_the_words_of_the_network_are_what_all_replicas_know(desk: SocialDesk) -> None:
    article = desk.article()
    await desk.take_in(article)
    before = datetime.now(UTC)
    await desk.work()
    assert (await desk.only(article)).state is DeliveryState.CONFIRMED
    found = (await standing(desk)).budgets
    if desk.spec.name in SILENT:
        assert found == {}
        return
    read = DIALECTS[desk.spec.name]
    said = []
    for call in desk.wire.calls:
        headers = {name.lower(): value for name, value in call.headers.items()}
        try:
            said.append(read(headers, before))
        except KeyError:
            continue
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
        assert taken_down.state is not DeliveryState.WAITING


def test_every_channel_is_told_of_here() -> None:
    assert set(discover()) == set(DIALECTS) | SILENT
