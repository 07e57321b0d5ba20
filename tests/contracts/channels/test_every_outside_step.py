"""Between any two calls of a post, a correction or a deletion: a crash or a lost answer makes nothing twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from shared.contracts.articles import Correction, Retraction, Status
from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.resolution import resolve

SocialDesk = Any  # the fixture's own type lives in conftest, which tests do not import

WAYS = ("killed before", "killed after", "no answer", "broken answer")
FEWEST_CALLS, MOST_CALLS = 1, 20


async def stories(desk: SocialDesk, *, posted: bool) -> AsyncIterator[tuple[int, Any]]:
    """One article after the other, each for the next call of the flow, until the flow has no such call."""
    for number in count(1):
        assert number <= MOST_CALLS
        desk.clock.catch_up()
        slug = f"quay-{number}-reopens"
        url = f"{desk.url}/articles/{slug}"
        article = desk.article(slug=slug, url=url, headline=f"Quay {number} reopens")
        if posted:
            await desk.take_in(article)
            await worked_off(desk, article)
        # Each begins in a process of its own, so that signing in and asking for limits are steps, too.
        desk.outside.restart()
        yield number, article
        if desk.wire.waiting:
            desk.wire.spare()
            assert number > FEWEST_CALLS, "the flow made no call"
            return


def about(posts: list[Any], article: Any) -> list[Any]:
    return [
        post
        for post in posts
        if any(
            article.url in text
            for text in (post.text, post.link or "", (post.card or {}).get("uri", ""))
        )
    ]


def stands_still(delivery: Any) -> bool:
    """Whether only a person can say what became of it."""
    return delivery.state is DeliveryState.UNKNOWN and delivery.due_at is None


async def worked_off(desk: SocialDesk, article: Any) -> None:
    """Everything is final; a network with a window of a few seconds needs them in real time."""
    for _ in range(3):
        await desk.work_it_off(article, rounds=4)
        found = await desk.ledger.of_article(article.id)
        if all(one.state.final or stands_still(one) for one in found):
            return
        await desk.breathe()


async def settled(desk: SocialDesk, article: Any, operation: Operation, said: str = "") -> Any:
    """The delivery once all has come right: by itself where the network can be asked, else by a person.

    They look for the post, or for what says `said`.
    """
    await worked_off(desk, article)
    delivery = await desk.only(article, operation)
    if stands_still(delivery):
        able = desk.spec.capabilities
        assert not able.idempotent
        assert not able.lookup
        assert delivery.reason
        seen = desk.fake.visible() if said else about(desk.posts(), article)
        there = [post for post in seen if said in post.text]
        assert len(there) <= 1
        await resolve(desk.ledger, delivery, "ana", happened=bool(there))
        await worked_off(desk, article)
        delivery = await desk.only(article, operation)
    return delivery


@pytest.mark.parametrize("way", WAYS)
async def test_one_post_whichever_call_fails(desk: SocialDesk, way: str) -> None:
    async for number, article in stories(desk, posted=False):
        desk.wire.strike(number, way)
        await desk.take_in(article)
        delivery = await settled(desk, article, Operation.POST)
        assert (number, delivery.state) == (number, DeliveryState.CONFIRMED), delivery.reason
        assert (number, len(about(desk.posts(), article))) == (number, 1)


@pytest.mark.parametrize("way", WAYS)
async def test_one_correction_whichever_call_fails(desk: SocialDesk, way: str) -> None:
    async for number, article in stories(desk, posted=True):
        said = f"Quay {number} reopens at nine, not at ten."
        notice = Correction(at=desk.clock.now(), kind="correction", text=said)
        fixed = article.model_copy(update={"revision": 3, "corrections": (notice,)})
        desk.wire.strike(number, way)
        await desk.take_in(fixed)
        delivery = await settled(desk, fixed, Operation.EDIT, said)
        assert (number, delivery.state) == (number, DeliveryState.CONFIRMED), delivery.reason
        assert len([post for post in desk.fake.visible() if said in post.text]) == 1
        assert len([post for post in desk.fake.creations() if said in post.text]) <= 1
        assert len(about(desk.posts(), article)) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_left_whichever_call_of_a_deletion_fails(
    desk: SocialDesk, way: str
) -> None:
    if not desk.spec.capabilities.delete:
        return  # no call is made: a person is told, see the suite of every channel
    async for number, article in stories(desk, posted=True):
        notice = Retraction(at=desk.clock.now(), reason="It was not so.")
        changes = {"revision": 9, "status": Status.RETRACTED, "retraction": notice}
        gone = article.model_copy(update=changes)
        desk.wire.strike(number, way)
        await desk.take_in(gone)
        delivery = await settled(desk, gone, Operation.DELETE)
        assert (number, delivery.state) == (number, DeliveryState.CONFIRMED), delivery.reason
        assert desk.fake.visible() == []
        assert len(about(desk.posts(), article)) == 1
