"""What the relay does to a mail: refusals by phase, silence after the last dot, and a process that dies."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from services.notifications.mail.smtp import LEASE_SECONDS, SmtpMailer
from services.standalone.ports import free_port
from shared.contracts.articles import Article
from shared.contracts.events import read_event, write_event
from shared.contracts.outlets import DeliveryState, OperatorAlert
from shared.runtime.clock import ManualClock
from shared.runtime.ids import new_id

Story = Callable[..., Article]
ANA = "ana@readers.example"


class Killed(BaseException):
    """The process died here: nothing after this line ran, no handler either."""


async def test_silence_after_the_message_is_unknown_and_never_sent_again(
    replica: Any, inbox: Any, story: Story, clock: ManualClock
) -> None:
    await replica.subscribe("ana")
    inbox.at_message = ["hang up"]
    await replica.handle(story())
    for _ in range(20):
        await replica.work()
        await replica.handle(story())
        clock.advance(600)
    assert inbox.to(ANA) == ["Story 1"]
    [line] = replica.lines()
    assert (line.state, line.recipients) == (DeliveryState.UNKNOWN, 1)
    [delivery] = await replica.deliveries(state="unknown")
    assert "fell silent after the message was sent" in delivery["reason"]


async def test_a_person_who_says_it_did_not_happen_sends_it_again_with_the_same_id(
    replica: Any, inbox: Any, story: Story
) -> None:
    await replica.subscribe("ana")
    inbox.at_message = ["hang up"]
    await replica.handle(story())
    await replica.work()
    [delivery] = await replica.deliveries(state="unknown")
    status, answer = await replica.call(
        "POST", f"/api/v1/notifications/deliveries/{delivery['id']}/retry", {}
    )
    assert (status, answer["field"]) == (409, "state")
    await replica.call(
        "POST",
        f"/api/v1/notifications/deliveries/{delivery['id']}/resolve",
        {"outcome": "did_not_happen"},
    )
    await replica.work()
    first, second = inbox.accepted
    assert first["Message-ID"] == second["Message-ID"]
    assert first.as_bytes() == second.as_bytes()
    [line] = replica.lines()
    assert line.state is DeliveryState.CONFIRMED


@pytest.mark.parametrize("answered", [False, True])
async def test_a_process_killed_between_arming_and_confirming_leaves_a_doubt(
    replica: Any,
    inbox: Any,
    story: Story,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    start_replica: Any,
    smtp_url: str,
    answered: bool,
) -> None:
    await replica.subscribe("ana")
    await replica.handle(story())
    send = SmtpMailer.send

    async def dying(self: SmtpMailer, envelope: Any) -> str:
        if answered:
            await send(self, envelope)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(SmtpMailer, "send", dying)
        with pytest.raises(Killed):
            await replica.mail.run_due()
    successor = await start_replica(smtp_url=SecretStr(smtp_url))
    assert await successor.mail.run_due() == 0, "the dead process's lease still runs"
    clock.advance(LEASE_SECONDS + 1)
    for _ in range(5):
        await successor.work()
        clock.advance(3600)
    assert len(inbox.accepted) == int(answered)
    [delivery] = await successor.deliveries()
    assert delivery["state"] == "unknown"


@pytest.mark.parametrize("phase", ["at_recipient", "at_message"])
async def test_a_temporary_refusal_is_tried_again(
    replica: Any, inbox: Any, story: Story, clock: ManualClock, phase: str
) -> None:
    await replica.subscribe("ana")
    setattr(inbox, phase, ["451 4.3.0 try later", "450 4.2.0 greylisted"])
    await replica.handle(story())
    for _ in range(3):
        await replica.work()
        clock.advance(60)
    assert inbox.to(ANA) == ["Story 1"]
    [delivery] = await replica.deliveries()
    assert (delivery["state"], delivery["attempts"]) == ("confirmed", 3)


async def test_a_dead_address_is_given_up_and_the_others_go_on(
    replica: Any, inbox: Any, story: Story, clock: ManualClock
) -> None:
    await replica.subscribe("ana", "bo")
    inbox.at_recipient = ["550 5.1.1 no such user"]
    await replica.handle(story())
    await replica.work()
    clock.advance(3600)
    await replica.work()
    assert len(inbox.accepted) == 1
    assert sorted(one["state"] for one in await replica.deliveries()) == ["confirmed", "failed"]
    assert inbox.sessions == 1, "a refusal of one person does not cost the connection"


async def test_a_policy_refusal_is_our_fault_and_rings_once(
    replica: Any, inbox: Any, story: Story
) -> None:
    await replica.subscribe("ana", "bo")
    inbox.at_message = ["550 5.7.1 unauthenticated mail"] * 2
    await replica.handle(story())
    await replica.work()
    waiting = await replica.deliveries(state="waiting")
    assert len(waiting) == 2
    alerts = [
        event.data
        for message in replica.bus.published
        if isinstance((event := read_event(message.body)).data, OperatorAlert)
    ]
    assert [alert.fingerprint for alert in alerts] == ["smtp:DATA:550"]


async def test_a_relay_that_is_away_pauses_all_mail_and_loses_none(
    start_replica: Any, inbox: Any, story: Story, clock: ManualClock, smtp_url: str
) -> None:
    nobody = free_port()
    replica = await start_replica(smtp_url=SecretStr(f"smtp://127.0.0.1:{nobody}"))
    await replica.subscribe("ana", "bo", "chi")
    await replica.handle(story())
    assert await replica.mail.run_due() == 1, "the first failure pauses the rest"
    for _ in range(4):
        clock.advance(70)
        await replica.work()
    assert {one["state"] for one in await replica.deliveries()} <= {"waiting", "planned"}
    back = await start_replica(smtp_url=SecretStr(smtp_url))
    clock.advance(3600)
    await back.work()
    assert len(inbox.accepted) == 3


async def test_a_connection_is_kept_and_replaced_when_the_relay_closed_it(
    replica: Any, inbox: Any, story: Story
) -> None:
    await replica.subscribe("ana", "bo", "chi")
    await replica.handle(story())
    await replica.work()
    assert (inbox.sessions, len(inbox.accepted)) == (1, 3)
    mailer = replica.mail._outside._mailer
    mailer._free[0].transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
    await replica.handle(story(number=2))
    await replica.work()
    assert (inbox.sessions, len(inbox.accepted)) == (2, 6)


async def test_operator_alerts_are_mailed_once_an_hour(
    start_replica: Any, inbox: Any, clock: ManualClock, smtp_url: str
) -> None:
    replica = await start_replica(smtp_url=SecretStr(smtp_url), operator_email="desk@ops.example")
    for minutes in (0, 1, 61):
        alert = OperatorAlert(
            severity="critical",
            fingerprint="auth-dead:mastodon/main",
            title="mastodon/main is no longer allowed to post",
            detail="The token was revoked.",
            at=clock.now(),
        )
        clock.advance(minutes * 60)
        alert = alert.model_copy(update={"at": clock.now()})
        await replica.deliver(
            write_event(alert, id=new_id(), source="/t", subject="s", time=clock.now())
        )
        await replica.work()
    assert (
        inbox.to("desk@ops.example")
        == ["[Herald critical] mastodon/main is no longer allowed to post"] * 2
    )


async def test_a_doubtful_operator_alert_is_repeated_a_little_but_not_for_ever(
    start_replica: Any, inbox: Any, clock: ManualClock, smtp_url: str
) -> None:
    replica = await start_replica(smtp_url=SecretStr(smtp_url), operator_email="desk@ops.example")
    inbox.at_message = ["hang up"] * 20
    alert = OperatorAlert(
        severity="warning", fingerprint="f", title="T", detail="D", at=clock.now()
    )
    await replica.deliver(
        write_event(alert, id=new_id(), source="/t", subject="s", time=clock.now())
    )
    for _ in range(10):
        await replica.work()
        clock.advance(900)
    assert 2 <= len(inbox.accepted) <= 4
    assert len({message["Message-ID"] for message in inbox.accepted}) == 1
    [delivery] = await replica.deliveries()
    assert delivery["state"] == "unknown"
