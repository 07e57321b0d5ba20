"""The contract of a channel: one post under every crash and every documented failure, edited and removed once."""

from __future__ import annotations

from typing import Any

import pytest

from services.social.channels.base import FAULTS, Intent
from shared.contracts.articles import Correction, Retraction, Status
from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.errors import GiveUp
from shared.delivery.resolution import resolve

SocialDesk = Any  # the fixture's own type lives in conftest, which tests do not import

CRASH_POINTS = ("before arming", "armed, before sending", "sent, before recording")
HEALING_FAULTS = tuple(fault for fault in FAULTS if fault not in {"auth_dead", "refuse"})


def resolves(desk: SocialDesk) -> bool:
    """Whether the ledger can find out by itself what became of a post; else a person has to look."""
    able = desk.spec.capabilities
    return bool(able.idempotent or able.lookup)


def keeps_hold(desk: SocialDesk) -> bool:
    """Whether the network lets us at a post again; else it takes a message over and that is all."""
    able = desk.spec.capabilities
    return bool(able.edit or able.delete or able.lookup)


async def taken_back(desk: SocialDesk, article: Any) -> None:
    """The end of a retraction: nothing is seen, or a person is told that they have to remove it."""
    delivery = await desk.only(article, Operation.DELETE)
    if desk.spec.capabilities.delete:
        assert delivery.state is DeliveryState.CONFIRMED
        assert desk.fake.visible() == []
    else:
        assert delivery.state is not DeliveryState.CONFIRMED
        assert "a person" in delivery.reason
        assert delivery.line().reason == delivery.reason
        assert len(desk.fake.visible()) == 1
    assert len(desk.posts()) == 1


async def settled_by_a_person(desk: SocialDesk, article: Any) -> None:
    """What nobody but a person can know is `unknown` and stands still; then they look and say."""
    delivery = await desk.only(article)
    assert delivery.state is DeliveryState.UNKNOWN
    assert delivery.due_at is None
    there = len(desk.posts())
    assert there <= 1
    await resolve(desk.ledger, delivery, "ana", happened=bool(there))
    await desk.work_it_off(article)


async def test_posts_once_with_its_link_and_alt_text(desk: SocialDesk) -> None:
    article = desk.article()
    await desk.take_in(article)
    await desk.work()
    delivery = await desk.only(article)
    assert delivery.state is DeliveryState.CONFIRMED
    [post] = desk.posts()
    texts = (post.text, post.link or "", (post.card or {}).get("uri", ""))
    assert any(article.url in text for text in texts)
    assert delivery.result["url"] or not keeps_hold(desk)
    able = desk.spec.capabilities
    shown = [image["alt"] for image in post.images] or [(post.card or {}).get("image")]
    assert shown
    assert all(shown) or not able.alt_text
    assert able.pictures or not able.alt_text


async def test_taking_in_the_same_event_again_plans_nothing_new(desk: SocialDesk) -> None:
    article = desk.article()
    for _ in range(3):
        await desk.take_in(article)
        await desk.work()
    assert len(desk.posts()) == 1


@pytest.mark.parametrize("point", CRASH_POINTS)
async def test_a_crash_at_any_step_leaves_exactly_one_post(desk: SocialDesk, point: str) -> None:
    article = desk.article()
    await desk.take_in(article)
    desk.outside.at = point
    await desk.work()
    assert desk.outside.at is None, "the crash never happened"
    await desk.work_it_off(article)
    if point != "before arming" and not resolves(desk):
        await settled_by_a_person(desk, article)
    assert len(desk.posts()) == 1
    assert (await desk.only(article)).state is DeliveryState.CONFIRMED


@pytest.mark.parametrize("fault", HEALING_FAULTS)
async def test_every_documented_failure_heals_into_exactly_one_post(
    desk: SocialDesk, fault: str
) -> None:
    article = desk.article()
    desk.fake.faults[fault] = 1
    await desk.take_in(article)
    await desk.work_it_off(article)
    assert desk.fake.faults.get(fault, 0) == 0, "the fault never struck"
    if fault != "rate_limited" and not resolves(desk):
        await settled_by_a_person(desk, article)
    assert len(desk.posts()) == 1
    assert (await desk.only(article)).state is DeliveryState.CONFIRMED


async def test_a_refusal_fails_and_posts_nothing(desk: SocialDesk) -> None:
    article = desk.article()
    desk.fake.faults["refuse"] = 1
    await desk.take_in(article)
    await desk.work_it_off(article)
    delivery = await desk.only(article)
    assert delivery.state is DeliveryState.FAILED
    assert delivery.reason
    assert desk.posts() == []


async def test_dead_credentials_pause_the_account_and_tell_an_operator(desk: SocialDesk) -> None:
    article = desk.article()
    desk.fake.faults["auth_dead"] = 1
    await desk.take_in(article)
    await desk.work()
    assert desk.posts() == []
    [pause] = await desk.accounts.pauses()
    assert pause.scope == f"{desk.spec.name}/main"
    assert pause.reason.startswith("credentials")
    account = await desk.accounts.collection.find_one({"_id": pause.scope})
    assert [event["key"] for event in account["outbox"]] == ["operator.alert"]
    await desk.accounts.resume(pause.scope)
    desk.outside.forget(pause.scope)
    await desk.work_it_off(article)
    assert len(desk.posts()) == 1


async def test_a_throttled_account_is_left_alone_until_the_network_says(desk: SocialDesk) -> None:
    # Another story: a network that refuses duplicates would take the same one for a repetition.
    url = f"{desk.url}/articles/quay"
    first, second = desk.article(), desk.article(slug="quay", url=url, headline="The quay reopens")
    desk.fake.faults["rate_limited"] = 1
    await desk.take_in(first)
    await desk.work()
    await desk.take_in(second)
    await desk.work()
    assert desk.posts() == []
    [(_, quiet_until)] = await desk.accounts.all()
    assert quiet_until is not None
    assert quiet_until > desk.clock.now()
    await desk.work_it_off(first)
    await desk.work_it_off(second)
    assert len(desk.posts()) == 2


async def test_a_correction_is_seen_on_the_network_once(desk: SocialDesk) -> None:
    article = desk.article()
    await desk.take_in(article)
    await desk.work()
    said = "The boat sails at nine, not at ten."
    fixed = article.model_copy(
        update={
            "revision": 3,
            "corrections": (Correction(at=desk.clock.now(), kind="correction", text=said),),
        }
    )
    for _ in range(2):
        await desk.take_in(fixed)
        await desk.work_it_off(fixed)
    assert len(desk.posts()) == 1
    assert (await desk.only(fixed, Operation.EDIT)).state is DeliveryState.CONFIRMED
    assert len([post for post in desk.fake.visible() if said in post.text]) == 1


@pytest.mark.parametrize("point", CRASH_POINTS)
async def test_a_crash_during_a_correction_does_not_repeat_it(desk: SocialDesk, point: str) -> None:
    article = desk.article()
    await desk.take_in(article)
    await desk.work()
    said = "The boat sails at nine, not at ten."
    fixed = article.model_copy(
        update={
            "revision": 3,
            "corrections": (Correction(at=desk.clock.now(), kind="correction", text=said),),
        }
    )
    await desk.take_in(fixed)
    desk.outside.at = point
    await desk.work()
    await desk.work_it_off(fixed)
    edit = await desk.only(fixed, Operation.EDIT)
    if edit.state is DeliveryState.UNKNOWN:
        # It makes something to read, and only a person can tell whether it is there.
        assert point != "before arming"
        assert not resolves(desk)
        there = [post for post in desk.fake.visible() if said in post.text]
        await resolve(desk.ledger, edit, "ana", happened=bool(there))
        await desk.work_it_off(fixed)
    assert len([post for post in desk.fake.visible() if said in post.text]) == 1
    assert len([post for post in desk.fake.creations() if said in post.text]) <= 1


def _retracted(desk: SocialDesk, article: Any) -> Any:
    notice = Retraction(at=desk.clock.now(), reason="It was not so.")
    return article.model_copy(
        update={"revision": 9, "status": Status.RETRACTED, "retraction": notice}
    )


@pytest.mark.parametrize("point", [*CRASH_POINTS, None])
async def test_a_retraction_removes_the_post_under_any_crash(
    desk: SocialDesk, point: str | None
) -> None:
    article = desk.article()
    await desk.take_in(article)
    await desk.work()
    gone = _retracted(desk, article)
    calls = len(desk.wire.calls)
    await desk.take_in(gone)
    desk.outside.at = point
    await desk.work()
    await desk.work_it_off(gone)
    await taken_back(desk, gone)
    assert desk.spec.capabilities.delete or len(desk.wire.calls) == calls


async def test_a_retraction_before_the_post_forbids_it(desk: SocialDesk) -> None:
    article = desk.article()
    await desk.take_in(article)
    await desk.take_in(_retracted(desk, article))
    await desk.work_it_off(article)
    assert (await desk.only(article)).state is DeliveryState.CANCELLED
    await desk.take_in(article)  # a late, stale event
    await desk.work_it_off(article)
    assert desk.fake.creations() == []


async def test_a_retraction_while_the_outcome_is_unknown_never_creates_again(
    desk: SocialDesk,
) -> None:
    article = desk.article()
    desk.fake.faults["disconnect_after"] = 1
    await desk.take_in(article)
    await desk.work()
    assert (await desk.only(article)).state is DeliveryState.UNKNOWN
    gone = _retracted(desk, article)
    await desk.take_in(gone)
    await desk.work_it_off(gone)
    assert len(desk.fake.creations()) == 1
    if not resolves(desk):
        # Only a person can tell that it is there, and then only a person can take it away.
        await resolve(desk.ledger, await desk.only(article), "ana", happened=True)
        await desk.work_it_off(gone)
        asked = await desk.only(gone, Operation.DELETE)
        assert asked.task is not None
        assert "take back the post" in (asked.reason or "")
        assert len(desk.fake.creations()) == 1
        return
    assert desk.fake.visible() == []


async def test_find_tells_there_from_not_there(desk: SocialDesk) -> None:
    if not desk.spec.capabilities.lookup:
        return  # nothing is promised, so the ledger never asks
    article = desk.article()
    channel = await desk.outside.channel(f"{desk.spec.name}/main")
    payload = await channel.compose(
        Intent(key="k", operation=Operation.POST, article=article, now=desk.clock.now())
    )
    assert await channel.find(payload) is None
    posted = await channel.post(payload)
    found = await channel.find(payload)
    assert found is not None
    assert found.remote_id == posted.remote_id


async def test_a_look_up_never_takes_another_publication_for_its_own(desk: SocialDesk) -> None:
    if not desk.spec.capabilities.lookup:
        return
    first = desk.article()
    second = first.model_copy(update={"revision": 5, "publication": 2})
    channel = await desk.outside.channel(f"{desk.spec.name}/main")
    payloads = [
        await channel.compose(
            Intent(key=key, operation=Operation.POST, article=article, now=desk.clock.now())
        )
        for key, article in (("k1", first), ("k2", second))
    ]
    await channel.post(payloads[1])
    assert await channel.find(payloads[0]) is None
    await channel.post(payloads[0])
    found = [await channel.find(payload) for payload in payloads]
    assert None not in found
    assert found[0].remote_id != found[1].remote_id


async def test_removing_twice_is_removing_once(desk: SocialDesk) -> None:
    article = desk.article()
    channel = await desk.outside.channel(f"{desk.spec.name}/main")
    payload = await channel.compose(
        Intent(key="k", operation=Operation.POST, article=article, now=desk.clock.now())
    )
    posted = await channel.post(payload)
    if not desk.spec.capabilities.delete:
        for _ in range(2):
            with pytest.raises(GiveUp, match="a person"):
                await channel.delete(posted)
        assert len(desk.fake.visible()) == 1
        return
    await channel.delete(posted)
    await channel.delete(posted)
    assert desk.fake.visible() == []


async def test_a_pause_holds_posts_and_loses_none(desk: SocialDesk) -> None:
    article = desk.article()
    await desk.accounts.pause("all", "drill", "ana")
    await desk.take_in(article)
    await desk.work()
    assert desk.posts() == []
    await desk.accounts.resume("all")
    desk.outside.forget("all")
    await desk.work_it_off(article)
    assert len(desk.posts()) == 1


async def test_credentials_are_sealed_at_rest(desk: SocialDesk) -> None:
    account_id = f"{desk.spec.name}/main"
    stored = await desk.accounts.collection.find_one({"_id": account_id})
    secrets = [
        value
        for name, value in (await desk.accounts.settings(account_id)).items()
        if isinstance(value, str) and not value.startswith("http") and len(value) > 8
    ]
    assert secrets
    assert not any(secret in repr(stored) for secret in secrets)
