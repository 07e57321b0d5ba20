"""What a network refuses, for every channel: how long it asks to wait, a token that dies in a run, a repetition."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.social.channels.base import Intent
from shared.contracts.outlets import DeliveryState, Operation

SocialDesk = Any  # the fixture's own type lives in conftest, which tests do not import

SLACK_SECONDS = 1.5
"""Networks tell whole seconds, and time passes while we ask."""
RUN = 4


def story(desk: SocialDesk, number: int) -> Any:
    slug = f"quay-{number}-reopens"
    return desk.article(
        slug=slug, url=f"{desk.url}/articles/{slug}", headline=f"Quay {number} reopens"
    )


def told_to_wait(refusal: Any, now: datetime) -> float | None:
    """Seconds that an answer names, whichever dialect it speaks; None where it names none.

    Read from the answer alone, so that it shares no line with the channels that it judges.
    """
    try:
        body = json.loads(refusal.body)
    except ValueError:
        body = {}
    headers = {name.lower(): value for name, value in refusal.headers.items()}
    for seconds in (body.get("retry_after"), body.get("parameters", {}).get("retry_after")):
        if seconds is not None:  # Discord and Telegram, in the body
            return float(seconds)
    if "retry-after" in headers:  # Slack
        return float(headers["retry-after"])
    for name in ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"):
        if (value := headers.get(name)) is None:
            continue
        if value.isdigit():  # Bluesky and X: epoch
            return float(value) - now.timestamp()
        return (datetime.fromisoformat(value) - now).total_seconds()  # Mastodon
    minutes = 0.0
    for name in ("x-app-usage", "x-business-use-case-usage"):  # Meta: JSON with percentages
        usage = json.loads(headers.get(name, "{}"))
        cases = (
            [usage] if name == "x-app-usage" else [one for case in usage.values() for one in case]
        )
        minutes = max([minutes, *(one.get("estimated_time_to_regain_access", 0) for one in cases)])
    return minutes * 60 or None


async def test_the_wait_is_as_long_as_the_network_says(desk: SocialDesk) -> None:
    article = desk.article()
    desk.fake.faults["rate_limited"] = 1
    await desk.take_in(article)
    await desk.work()
    refusal = desk.wire.calls[-1]
    assert refusal.status in {400, 403, 429}
    told = told_to_wait(refusal, datetime.now(UTC))
    delivery = await desk.only(article)
    assert delivery.state is DeliveryState.WAITING
    waits = (delivery.due_at - desk.clock.now()).total_seconds()
    [(_, quiet_until)] = await desk.accounts.all()
    assert abs((quiet_until - delivery.due_at).total_seconds()) < SLACK_SECONDS
    if told is None:
        # It names no time: not at once, and not so long that the next day's quota goes unused.
        assert 60 - SLACK_SECONDS < waits <= 3600
    else:
        assert told > 0
        assert abs(waits - told) < SLACK_SECONDS
    asked = len(desk.wire.calls)
    desk.clock.advance(max(0.0, waits - SLACK_SECONDS))
    await desk.work()
    assert len(desk.wire.calls) == asked, "it was asked before the time"
    await desk.work_it_off(article)
    assert len(desk.posts()) == 1


@pytest.mark.parametrize("struck", [1, 2, RUN])
async def test_a_token_that_dies_in_a_run_loses_and_doubles_nothing(
    desk: SocialDesk, struck: int
) -> None:
    articles = [story(desk, number) for number in range(1, RUN + 1)]
    for number, article in enumerate(articles, start=1):
        if number == struck:
            desk.fake.faults["auth_dead"] = 1000  # until a person has connected the account again
        await desk.take_in(article)
        await desk.work()
    assert len(desk.posts()) == struck - 1
    account_id = f"{desk.spec.name}/main"
    account = await desk.accounts.collection.find_one({"_id": account_id})
    assert [event["key"] for event in account["outbox"]] == ["operator.alert"]

    desk.fake.faults["auth_dead"] = 0
    settings = await desk.accounts.settings(account_id)
    await desk.accounts.remove(account_id)
    await desk.accounts.add(desk.spec.name, "main", settings)
    await desk.accounts.resume(account_id)
    desk.outside.forget(account_id)
    for article in articles:
        await desk.take_in(article)  # as the repair does when a report is late
        await desk.work_it_off(article)
        if (await desk.only(article)).state is not DeliveryState.CONFIRMED:
            await desk.breathe()
            await desk.work_it_off(article)
    links = [post.link or post.text for post in desk.posts()]
    assert len(links) == len(set(links)) == RUN
    states = [(await desk.only(article)).state for article in articles]
    assert states == [DeliveryState.CONFIRMED] * RUN


async def test_a_repetition_that_the_network_refuses_is_taken_for_ours(desk: SocialDesk) -> None:
    article = desk.article()
    channel = await desk.outside.channel(f"{desk.spec.name}/main")
    payload = await channel.compose(
        Intent(key="k", operation=Operation.POST, article=article, now=desk.clock.now())
    )
    first = await channel.post(payload)
    desk.wire.calls.clear()
    again = await channel.post(payload)
    refused = any(one.status >= 400 for one in desk.wire.calls)
    if refused or desk.spec.capabilities.idempotent:
        assert again.remote_id == first.remote_id
        assert again.url == first.url
        assert len(desk.posts()) == 1
    else:
        # It takes repetitions: then the ledger must not be told that sending again is safe.
        assert again.remote_id != first.remote_id
        assert len(desk.posts()) == 2
