"""Alerts, corrections and retractions by mail: each person once, and only those whom it concerns."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.notifications.store.campaigns import Campaigns
from shared.contracts.articles import Article, Status
from shared.contracts.outlets import DeliveryState
from shared.runtime.clock import ManualClock
from shared.storage.client import Database

Story = Callable[..., Article]
ANA, BO, CHI = (f"{name}@readers.example" for name in ("ana", "bo", "chi"))


async def test_every_subscriber_gets_one_alert_however_often_the_event_comes(
    replica: Any, inbox: Any, story: Story, start_replica: Any, smtp_url: str
) -> None:
    await replica.subscribe("ana", "bo", "chi")
    other = await start_replica(smtp_url=SecretStr(smtp_url))
    await asyncio.gather(*(one.handle(story()) for one in (replica, other) * 5))
    await asyncio.gather(replica.work(), other.work())
    await replica.handle(story())
    await replica.work()
    assert Counter(recipient for _, recipient in inbox.envelopes) == {ANA: 1, BO: 1, CHI: 1}
    assert len({message["Message-ID"] for message in inbox.accepted}) == 3
    assert {message["Date"].datetime for message in inbox.accepted} == {replica.clock.now()}
    [line] = replica.lines()
    assert (line.state, line.recipients) == (DeliveryState.CONFIRMED, 3)
    assert line.milliseconds is not None


async def test_the_board_waits_before_it_confirms(replica: Any, story: Story) -> None:
    await replica.subscribe("ana")
    await replica.handle(story())
    await replica.sum_up()
    [line] = replica.lines()
    assert (line.state, line.recipients, line.sequence) == (DeliveryState.WAITING, 1, 1)
    replica.clock.advance(0.25)
    await replica.work()
    [line] = replica.lines()
    assert (line.state, line.sequence, line.milliseconds) == (DeliveryState.CONFIRMED, 2, 250)


async def test_the_board_hears_of_a_campaign_twice_however_many_mails_it_has(
    replica: Any, inbox: Any, story: Story
) -> None:
    await replica.subscribe(*(f"reader{n}" for n in range(30)))
    await replica.handle(story())

    async def keep_counting() -> None:
        while len(inbox.accepted) < 30:
            await replica.sum_up()

    await asyncio.gather(keep_counting(), replica.mail.run_due())
    await replica.sum_up()
    [line] = replica.lines()
    assert (line.state, line.recipients, line.sequence) == (DeliveryState.CONFIRMED, 30, 2)


async def test_without_subscribers_the_line_is_confirmed_for_nobody(
    replica: Any, inbox: Any, story: Story
) -> None:
    await replica.handle(story())
    await replica.work()
    [line] = replica.lines()
    assert (line.state, line.recipients) == (DeliveryState.CONFIRMED, 0)
    assert inbox.accepted == []


async def test_who_confirms_after_publication_gets_no_old_alert(
    replica: Any, inbox: Any, story: Story
) -> None:
    await replica.subscribe("ana")
    first = story()
    replica.clock.advance(1)
    await replica.subscribe("bo")
    await replica.handle(first)
    await replica.work()
    assert [recipient for _, recipient in inbox.envelopes] == [ANA]


async def test_a_minor_update_mails_nobody(replica: Any, inbox: Any, story: Story) -> None:
    await replica.subscribe("ana")
    await replica.handle(story())
    await replica.work()
    await replica.handle(story(revision=2))
    await replica.work()
    assert inbox.to(ANA) == ["Story 1"]


async def test_a_correction_reaches_exactly_those_who_got_the_alert(
    replica: Any, inbox: Any, story: Story
) -> None:
    await replica.subscribe("ana", "bo", "chi")
    inbox.at_recipient = ["550 5.1.1 no such user"]
    await replica.handle(story())
    await replica.mail.run_due()
    got_it = {recipient for _, recipient in inbox.envelopes}
    assert len(got_it) == 2
    replica.clock.advance(60)
    await replica.subscribe("late")
    for _ in range(3):
        await replica.handle(story(revision=2, corrections=1))
    await replica.work()
    found = Counter(recipient for _, recipient in inbox.envelopes)
    assert found == dict.fromkeys(got_it, 2)
    body = inbox.accepted[-1].get_body(("plain",))
    assert body is not None
    assert "Notice 1." in body.get_content()
    alert, correction = sorted(replica.lines(), key=lambda line: line.delivery)
    assert (correction.state, correction.recipients) == (DeliveryState.CONFIRMED, 2)
    assert alert.reason == "of 3 mails: 2 confirmed, 1 failed"


async def test_lost_events_heal_from_the_next_snapshot(
    replica: Any, inbox: Any, story: Story
) -> None:
    await replica.subscribe("ana")
    await replica.handle(story())
    await replica.work()
    await replica.handle(story(revision=4, corrections=3))
    await replica.work()
    assert inbox.to(ANA)[0] == "Story 1"
    said = [message.get_body(("plain",)).get_content() for message in inbox.accepted[1:]]
    assert len(said) == 3
    assert all(sum(f"Notice {n}." in text for text in said) == 1 for n in (1, 2, 3))


async def test_an_alert_that_already_says_it_needs_no_correction(
    replica: Any, inbox: Any, story: Story
) -> None:
    await replica.subscribe("ana")
    await replica.handle(story())
    # The correction comes before the alert was sent: the alert is composed from the newer text.
    await replica.handle(story(revision=2, corrections=1))
    await replica.work()
    await replica.handle(story(revision=2, corrections=1))
    await replica.work()
    assert inbox.to(ANA) == ["Story 1"]


async def test_an_alert_confirmed_late_is_still_corrected(
    replica: Any, inbox: Any, story: Story
) -> None:
    await replica.subscribe("ana")
    inbox.at_message = ["hang up"]
    await replica.handle(story())
    await replica.mail.run_due()
    await replica.handle(story(revision=2, corrections=1))
    await replica.work()
    assert inbox.to(ANA) == ["Story 1"]
    [unknown] = await replica.deliveries(state="unknown")
    status, _ = await replica.call(
        "POST",
        f"/api/v1/notifications/deliveries/{unknown['id']}/resolve",
        {"outcome": "happened"},
    )
    assert status == 200
    await replica.sum_up()
    await replica.sum_up()
    correction = {line.delivery: line for line in replica.lines()}[f"{story().id}:correction:1"]
    assert (correction.state, correction.recipients) == (DeliveryState.WAITING, 1)
    await replica.work()
    assert inbox.to(ANA) == ["Story 1", "Correction: Story 1"]
    assert {line.state for line in replica.lines()} == {DeliveryState.CONFIRMED}


async def test_a_retraction_cancels_what_is_unsent_and_tells_those_who_got_it(
    replica: Any, inbox: Any, story: Story
) -> None:
    await replica.subscribe("ana", "bo")
    inbox.at_recipient = ["451 4.3.0 try later"]
    await replica.handle(story())
    await replica.mail.run_due()
    [got_it] = [recipient for _, recipient in inbox.envelopes]
    gone = story(revision=2, status=Status.RETRACTED)
    await replica.handle(gone)
    replica.clock.advance(3600)
    await replica.work()
    assert inbox.to(got_it) == ["Story 1", "Retracted: Story 1"]
    assert len(inbox.accepted) == 2
    assert "It was not so." in inbox.accepted[1].get_body(("plain",)).get_content()
    await replica.handle(gone)
    # A late, older snapshot brings nothing back.
    await replica.handle(story(revision=1))
    await replica.work()
    assert len(inbox.accepted) == 2
    status, shown = await replica.call("GET", f"/api/v1/campaigns/{gone.id}:alert:1")
    assert (status, shown["counts"]) == (200, {"cancelled": 1, "confirmed": 1})


async def test_an_unpublished_article_is_withdrawn_in_silence(
    replica: Any, inbox: Any, story: Story
) -> None:
    await replica.subscribe("ana")
    await replica.handle(story())
    await replica.handle(story(revision=2, status=Status.UNPUBLISHED))
    await replica.work()
    assert inbox.accepted == []
    # Published again, it is news again.
    await replica.handle(story(revision=3, publication=2))
    await replica.work()
    assert inbox.to(ANA) == ["Story 1"]


async def test_too_late_is_missed_and_never_a_surprise(
    replica: Any, inbox: Any, story: Story, clock: ManualClock
) -> None:
    await replica.subscribe("ana")
    old = story()
    clock.advance(6 * 3600 + 1)
    await replica.handle(old)
    await replica.work()
    assert inbox.accepted == []
    [line] = replica.lines()
    assert line.state is DeliveryState.MISSED


async def test_an_editor_leaves_mail_out(replica: Any, inbox: Any, story: Story) -> None:
    await replica.subscribe("ana")
    await replica.handle(story(skip_outlets=("email",)))
    await replica.handle(story(revision=2, corrections=1, skip_outlets=("email",)))
    await replica.work()
    assert inbox.accepted == []
    assert replica.lines() == []


async def test_an_alert_waits_for_the_page(
    replica: Any, inbox: Any, story: Story, pages: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("shared.delivery.own_origin.WAIT_SECONDS", 0.05)
    await replica.subscribe("ana", "bo")
    pages[0].status = 404
    await replica.handle(story())
    await replica.work()
    assert inbox.accepted == []
    pages[0].status = 200
    before = pages[0].asked
    replica.clock.advance(0.3)
    await replica.work()
    assert len(inbox.accepted) == 2
    assert pages[0].asked == before + 1, "one look is enough for all mails of a revision"


async def test_an_embargo_holds_the_alert(
    replica: Any, inbox: Any, story: Story, clock: ManualClock
) -> None:
    await replica.subscribe("ana")
    await replica.handle(story(embargo_until=clock.now() + timedelta(minutes=5)))
    await replica.work()
    assert inbox.accepted == []
    clock.advance(301)
    await replica.work()
    assert inbox.to(ANA) == ["Story 1"]


async def test_leaving_in_mid_run_is_honoured(
    replica: Any, inbox: Any, story: Story, database: Database
) -> None:
    await replica.subscribe("ana", "bo")
    await replica.handle(story())
    await database["subscribers"].update_one(
        {"email": BO}, {"$set": {"status": "unsubscribed", "lists": []}}
    )
    await replica.work()
    assert [recipient for _, recipient in inbox.envelopes] == [ANA]
    [line] = replica.lines()
    assert line.reason == "of 2 mails: 1 cancelled, 1 confirmed"


async def test_planning_that_a_crash_cut_short_is_finished_by_the_same_event(
    replica: Any, inbox: Any, story: Story, database: Database
) -> None:
    await replica.subscribe("ana", "bo")
    await replica.handle(story())
    # As if the process had died after the first delivery of two.
    await database["campaigns"].update_one({}, {"$set": {"planned": False, "open": False}})
    [first, _] = await replica.deliveries()
    await database["deliveries"].delete_one({"_id": first["id"]})
    await replica.handle(story())
    await replica.work()
    assert Counter(recipient for _, recipient in inbox.envelopes) == {ANA: 1, BO: 1}


async def test_without_a_relay_each_mail_is_one_file(
    start_replica: Any, story: Story, tmp_path: Path
) -> None:
    replica = await start_replica()
    await replica.subscribe("ana", "bo")
    await replica.handle(story())
    await replica.work()
    files = sorted((tmp_path / "mail").iterdir())
    assert len(files) == 2
    assert all(file.suffix == ".eml" for file in files)
    assert b"Delivered-To: ana@readers.example\r\n" in b"".join(f.read_bytes() for f in files)


async def test_an_alert_confirmed_while_the_correction_is_being_entered_is_still_corrected(
    replica: Any, inbox: Any, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    await replica.subscribe("ana")
    inbox.at_message = ["hang up"]
    await replica.handle(story())
    await replica.mail.run_due()
    told = Campaigns.told

    async def read_just_before(self: Campaigns, *which: Any) -> AsyncIterator[str]:
        monkeypatch.setattr(Campaigns, "told", told)
        async for recipient in told(self, *which):
            yield recipient
        [unknown] = await replica.deliveries(state="unknown")
        path = f"/api/v1/notifications/deliveries/{unknown['id']}/resolve"
        await replica.call("POST", path, {"outcome": "happened"})
        for _ in range(3):
            await replica.sum_up()  # the alert is done with; nobody looks at it again

    monkeypatch.setattr(Campaigns, "told", read_just_before)
    await replica.handle(story(revision=2, corrections=1))
    await replica.work()
    assert inbox.to(ANA) == ["Story 1", "Correction: Story 1"]
    await replica.sum_up()
    assert {line.state for line in replica.lines()} == {DeliveryState.CONFIRMED}


async def test_the_board_counts_what_a_cut_off_planning_had_sent_before_the_retraction(
    replica: Any, inbox: Any, story: Story, database: Database
) -> None:
    await replica.subscribe("ana", "bo")
    await replica.handle(story())
    await replica.work()
    # As if the process had died before it could say that all of them are entered.
    await database["campaigns"].update_one({}, {"$set": {"planned": False, "open": False}})
    await replica.handle(story(revision=2, status=Status.RETRACTED))
    await replica.work()
    alert, retraction = sorted(replica.lines(), key=lambda line: line.delivery)
    assert (alert.recipients, retraction.recipients) == (2, 2)
