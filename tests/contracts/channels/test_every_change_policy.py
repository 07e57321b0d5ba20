"""What an account's policy chose is what its network shows: once under crashes, and never after a retraction."""

from __future__ import annotations

from typing import Any

import pytest

from services.social.changes import posted_of
from services.social.domain.policy import Kind, Manner, Policy, choices
from shared.contracts.articles import Correction, Retraction, Status
from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.errors import GiveUp
from shared.delivery.resolution import cancel, resolve, retry

SocialDesk = Any  # the fixture's own type lives in conftest, which tests do not import

CRASH_POINTS = ("before arming", "armed, before sending", "sent, before recording")
SAID = "The boat sails at nine, not at ten."
WHY = "The boat does not sail."
CHANGES = (Manner.EDIT, Manner.REPLY, Manner.REPOST, Manner.PERSON, Manner.NOTHING)


async def offers(desk: SocialDesk, kind: Kind, way: Manner) -> bool:
    """Whether the network can do it; then the account does."""
    if way not in choices(desk.spec.capabilities, kind):
        return False
    await desk.accounts.set_policy(f"{desk.spec.name}/main", Policy(**{kind.value: way}))
    return True


async def posted(desk: SocialDesk) -> Any:
    article = desk.article()
    await desk.take_in(article)
    await desk.work()
    assert (await desk.only(article)).state is DeliveryState.CONFIRMED
    return article


def corrected(desk: SocialDesk, article: Any, revision: int = 3, said: str = SAID) -> Any:
    notice = Correction(at=desk.clock.now(), kind="correction", text=said)
    notices = (*article.corrections, notice)
    return article.model_copy(update={"revision": revision, "corrections": notices})


def retracted(desk: SocialDesk, article: Any) -> Any:
    notice = Retraction(at=desk.clock.now(), reason=WHY)
    changes = {"revision": 9, "status": Status.RETRACTED, "retraction": notice}
    return article.model_copy(update=changes)


async def settled(desk: SocialDesk, article: Any, *, then_visible: int = 1) -> None:
    """All is final but tasks; a person looks where the network cannot be asked."""
    for _ in range(3):
        await desk.work_it_off(article)
        await desk.breathe()
        for one in await desk.ledger.of_article(article.id):
            if one.state is DeliveryState.UNKNOWN and one.due_at is None:
                assert not desk.spec.capabilities.lookup
                assert not desk.spec.capabilities.idempotent
                there = len(desk.fake.visible()) >= then_visible
                await resolve(desk.ledger, one, "ana", happened=there)
    left = [one for one in await desk.ledger.of_article(article.id) if not one.state.final]
    assert all(one.task for one in left), left


async def of(desk: SocialDesk, article: Any, operation: Operation, intent: str) -> Any:
    found = [
        one
        for one in await desk.ledger.of_article(article.id)
        if (one.operation, one.intent) == (operation, intent)
    ]
    assert len(found) == 1
    return found[0]


def saying(posts: list[Any], words: str) -> list[Any]:
    return [post for post in posts if words in post.text]


@pytest.mark.parametrize("way", CHANGES)
async def test_a_correction_reaches_readers_in_the_way_that_was_chosen(
    desk: SocialDesk, way: Manner
) -> None:
    if not await offers(desk, Kind.CORRECTION, way):
        return
    article = await posted(desk)
    fixed = corrected(desk, article)
    for _ in range(2):
        await desk.take_in(fixed)
        await settled(desk, fixed)
    edit = await desk.only(fixed, Operation.EDIT)
    made, seen = desk.fake.creations(), desk.fake.visible()
    if way is Manner.REPLY:
        assert edit.reason == "replied with the correction"
        assert len(saying(seen, SAID)) == len(saying(made, SAID)) == 1
        assert len(made) == 2
    elif way is Manner.REPOST:
        assert edit.reason == "to be removed and posted again"
        await reposted_once(desk, fixed)
    elif way is Manner.EDIT:
        assert edit.state is DeliveryState.CONFIRMED
        assert len(saying(seen, SAID)) == 1
    else:
        assert len(made) == len(seen) == 1
        assert saying(seen, SAID) == []
        if way is Manner.NOTHING:
            assert edit.state is DeliveryState.CONFIRMED
            assert edit.reason == "left as it is, by the account's policy"
        else:
            await a_person_is_asked(desk, edit, SAID)


async def reposted_once(desk: SocialDesk, article: Any) -> None:
    """The old post is gone, one new one is there, and each act has a line of its own."""
    old = await of(desk, article, Operation.POST, "1")
    new = await of(desk, article, Operation.POST, "1.3")
    assert len([post for post in desk.fake.visible() if not post.reply_to]) == 1
    assert len(desk.posts()) == 2
    assert old.result["remote_id"] != new.result["remote_id"]
    gone = await of(desk, article, Operation.DELETE, "1.3")
    assert [one.state for one in (old, gone, new)] == [DeliveryState.CONFIRMED] * 3
    assert gone.reason == "removed, to be posted again"
    assert new.reason == "seen there by ana" or new.reason.startswith("posted again")


async def a_person_is_asked(desk: SocialDesk, task: Any, words: str) -> None:
    """It stands with what to do in words, is announced to operators, and they finish it."""
    assert (task.state, task.due_at) == (DeliveryState.WAITING, None)
    assert task.line().task is True
    assert words in task.reason
    account = await desk.accounts.collection.find_one({"_id": f"{desk.spec.name}/main"})
    assert [event["key"] for event in account["outbox"]] == ["operator.alert"]
    there = "https://network.example/by-hand"
    done = await resolve(desk.ledger, task, "ana", happened=True, url=there)
    assert (done.state, done.reason) == (DeliveryState.CONFIRMED, "done by ana")
    assert done.line().task is None
    assert done.line().url == there


@pytest.mark.parametrize("operation", [0, 1, 2])
@pytest.mark.parametrize("point", CRASH_POINTS)
async def test_a_repost_is_one_post_whichever_of_its_acts_is_cut_off(
    desk: SocialDesk, point: str, operation: int
) -> None:
    if not await offers(desk, Kind.CORRECTION, Manner.REPOST):
        return
    fixed = corrected(desk, await posted(desk))
    await desk.take_in(fixed)
    desk.outside.at, desk.outside.passes = point, operation
    await desk.work_it_off(fixed)
    assert desk.outside.at is None, "the crash never happened"
    await desk.take_in(fixed)
    await settled(desk, fixed)
    await reposted_once(desk, fixed)


@pytest.mark.parametrize("point", CRASH_POINTS)
async def test_a_reply_is_said_once_whichever_step_is_cut_off(desk: SocialDesk, point: str) -> None:
    if not await offers(desk, Kind.CORRECTION, Manner.REPLY):
        return
    fixed = corrected(desk, await posted(desk))
    await desk.take_in(fixed)
    desk.outside.at = point
    await desk.work()
    assert desk.outside.at is None, "the crash never happened"
    await settled(desk, fixed, then_visible=2)
    assert len(saying(desk.fake.creations(), SAID)) == 1


@pytest.mark.parametrize("point", [None, *CRASH_POINTS])
@pytest.mark.parametrize("way", [Manner.DELETE, Manner.REPLY, Manner.PERSON])
async def test_a_retraction_reaches_readers_in_the_way_that_was_chosen(
    desk: SocialDesk, way: Manner, point: str | None
) -> None:
    if not await offers(desk, Kind.RETRACTION, way):
        return
    article = await posted(desk)
    gone = retracted(desk, article)
    await desk.take_in(gone)
    desk.outside.at = point
    await desk.work()
    await settled(desk, gone, then_visible=2)
    await desk.take_in(article)  # a late, stale event
    await settled(desk, gone)
    end = await desk.only(gone, Operation.DELETE)
    made, seen = desk.fake.creations(), desk.fake.visible()
    if way is Manner.DELETE:
        assert end.state is DeliveryState.CONFIRMED
        assert seen == []
        assert len(made) == 1
    elif way is Manner.PERSON:
        assert len(made) == len(seen) == 1
        assert (end.state, end.due_at) == (DeliveryState.WAITING, None)
        assert WHY in end.reason
        given_up = await cancel(desk.ledger, end, "ana")
        assert (given_up.state, given_up.reason) == (DeliveryState.CANCELLED, "cancelled by ana")
        assert given_up.task is None
    else:
        assert end.state is DeliveryState.CONFIRMED
        assert end.reason in {"replied with the retraction", "seen there by ana"}
        assert len(saying(seen, WHY)) == 1
        assert len(made) == len(seen) == 2


async def test_what_is_quietly_unpublished_is_never_announced(desk: SocialDesk) -> None:
    if not await offers(desk, Kind.RETRACTION, Manner.REPLY):
        return
    article = await posted(desk)
    quiet = article.model_copy(update={"revision": 4, "status": Status.UNPUBLISHED})
    await desk.take_in(quiet)
    await settled(desk, quiet)
    assert len(desk.fake.creations()) == 1
    if desk.spec.capabilities.delete:
        assert desk.fake.visible() == []
    else:
        assert (await desk.only(quiet, Operation.DELETE)).task is not None


async def test_a_retraction_takes_down_what_was_posted_again(desk: SocialDesk) -> None:
    if not await offers(desk, Kind.CORRECTION, Manner.REPOST):
        return
    fixed = corrected(desk, await posted(desk))
    await desk.take_in(fixed)
    await settled(desk, fixed)
    gone = retracted(desk, fixed)
    await desk.take_in(gone)
    await settled(desk, gone)
    assert (await of(desk, gone, Operation.DELETE, "1")).state is DeliveryState.CONFIRMED
    assert desk.fake.visible() == []
    assert len(desk.posts()) == 2


@pytest.mark.parametrize("operation", [0, 1, 2])
@pytest.mark.parametrize("point", CRASH_POINTS[:2])
async def test_a_retraction_in_the_middle_of_a_repost_leaves_nothing(
    desk: SocialDesk, point: str, operation: int
) -> None:
    if not await offers(desk, Kind.CORRECTION, Manner.REPOST):
        return
    fixed = corrected(desk, await posted(desk))
    await desk.take_in(fixed)
    desk.outside.at, desk.outside.passes = point, operation
    while desk.outside.at:
        await desk.work()
        desk.clock.advance(2)
    gone = retracted(desk, fixed)
    await desk.take_in(gone)
    await settled(desk, gone)
    assert desk.fake.visible() == []
    assert len(desk.posts()) == 1
    # Nor does anybody bring it back: not an event that comes late, and not a person.
    await desk.take_in(fixed)
    for one in await desk.ledger.of_article(gone.id):
        if one.state is DeliveryState.CANCELLED:
            await retry(desk.ledger, one, "ana")
    await settled(desk, gone)
    assert desk.fake.visible() == []
    assert len(desk.fake.creations()) == 1


async def test_where_the_old_post_stays_no_second_is_made(
    desk: SocialDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not await offers(desk, Kind.CORRECTION, Manner.REPOST):
        return
    article = await posted(desk)
    channel = await desk.outside.channel(f"{desk.spec.name}/main")

    async def refused(_: Any) -> None:
        raise GiveUp("too old to be deleted")

    with monkeypatch.context() as patch:
        patch.setattr(channel, "delete", refused)
        fixed = corrected(desk, article)
        await desk.take_in(fixed)
        await settled(desk, fixed)
    gone = await of(desk, fixed, Operation.DELETE, "1.3")
    again = await of(desk, fixed, Operation.POST, "1.3")
    assert (gone.state, gone.reason) == (DeliveryState.FAILED, "too old to be deleted")
    assert (again.state, again.reason) == (
        DeliveryState.CANCELLED,
        "the post before it is still there",
    )
    assert len(desk.fake.creations()) == len(desk.fake.visible()) == 1
    await retry(desk.ledger, gone, "ana")
    await retry(desk.ledger, again, "ana")
    await settled(desk, fixed)
    await reposted_once(desk, fixed)


async def test_a_deleted_post_that_the_network_still_lists_is_not_the_new_one(
    desk: SocialDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    able = desk.spec.capabilities
    if not await offers(desk, Kind.CORRECTION, Manner.REPOST) or not able.lookup:
        return
    article = await posted(desk)
    old = posted_of((await desk.only(article)).result)
    fixed = corrected(desk, article)
    await desk.take_in(fixed)
    desk.outside.at, desk.outside.passes = "armed, before sending", 2
    await desk.work()
    assert desk.outside.at is None, "the crash never happened"
    channel = await desk.outside.channel(f"{desk.spec.name}/main")

    async def lagging(*_: Any) -> Any:
        return old

    with monkeypatch.context() as patch:
        patch.setattr(channel, "find", lagging)
        patch.setattr(channel, "post", lagging)
        desk.clock.advance(360)
        await desk.work()
        again = await of(desk, fixed, Operation.POST, "1.3")
        assert again.state is DeliveryState.UNKNOWN
        assert "still shows the post that was deleted" in again.reason
    await settled(desk, fixed)
    await reposted_once(desk, fixed)


async def test_a_policy_that_changes_meanwhile_does_nothing_twice(desk: SocialDesk) -> None:
    if not await offers(desk, Kind.CORRECTION, Manner.REPOST):
        return
    fixed = corrected(desk, await posted(desk))
    await desk.take_in(fixed)
    desk.outside.at = "armed, before sending"
    await desk.work()
    await offers(desk, Kind.CORRECTION, Manner.PERSON)
    await desk.take_in(fixed)
    await settled(desk, fixed)
    await reposted_once(desk, fixed)


async def test_corrections_that_follow_each_other_leave_one_post(desk: SocialDesk) -> None:
    if not await offers(desk, Kind.CORRECTION, Manner.REPOST):
        return
    first = corrected(desk, await posted(desk))
    await desk.take_in(first)
    desk.outside.at, desk.outside.passes = "armed, before sending", 1
    await desk.work()
    second = corrected(desk, first, revision=4, said="And from the southern quay.")
    await desk.take_in(second)
    await settled(desk, second)
    assert len([post for post in desk.fake.visible() if not post.reply_to]) == 1
    assert len(desk.posts()) == 2  # the repost that was under way carried both


async def test_a_task_that_was_not_done_is_part_of_the_next(desk: SocialDesk) -> None:
    await offers(desk, Kind.CORRECTION, Manner.PERSON)
    first = corrected(desk, await posted(desk))
    await desk.take_in(first)
    await settled(desk, first)
    second = corrected(desk, first, revision=4, said="And from the southern quay.")
    await desk.take_in(second)
    await settled(desk, second)
    before = await of(desk, second, Operation.EDIT, "1.3")
    after = await of(desk, second, Operation.EDIT, "1.4")
    assert (before.state, before.task) == (DeliveryState.CANCELLED, None)
    assert SAID in after.reason
    assert "southern quay" in after.reason
    # And nothing that waits for a person keeps a retraction waiting.
    gone = retracted(desk, second)
    await desk.take_in(gone)
    await settled(desk, gone)
    assert (await of(desk, gone, Operation.EDIT, "1.4")).state is DeliveryState.CANCELLED
    if desk.spec.capabilities.delete:
        assert desk.fake.visible() == []
