"""Corrections, retractions and second publications follow everywhere while two social replicas are killed.

Judged at the networks: a withdrawn article is nowhere, the others stand exactly once, and every
correction has been said once.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.social.channels import discover
from services.social.sandbox.app import Sandbox
from services.standalone.client import ApiError, HeraldClient
from services.standalone.demo.driver import Driver
from services.standalone.demo.receivers import Receivers
from services.standalone.demo.verdict import links_to
from services.standalone.distributed import Distributed

EACH_FATE = 5
KILLS = 5
SEED = 20261124
DEADLINE_SECONDS = 100
LEASE_SECONDS = "4"
"""Short, so that a dead worker's work is taken up soon; every fake answers within milliseconds."""

FIRST, SECOND = "It was Monday.", "It was Tuesday."
FATES: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
    "corrected twice": (("correct", {"text": FIRST}), ("correct", {"text": SECOND})),
    "retracted": (("correct", {"text": FIRST}), ("retract", {"reason": "It was not so."})),
    "republished": (("unpublish", {}), ("publish", {})),
    "withdrawn": (("unpublish", {}), ("retract", {"reason": "It was not so."})),
}

NETWORKS = ("bluesky", "mastodon", "telegram", "x")
"""One for each way out of doubt: the same record, the same key, a person, a look at the timeline."""

pytestmark = pytest.mark.chaos


async def _insist(call: Callable[[], Any], deadline: float) -> Any:
    """Repeat a call until the stack answers it."""
    while True:
        try:
            return await call()
        except (aiohttp.ClientError, TimeoutError, ApiError) as error:
            away = not isinstance(error, ApiError) or error.status in {502, 503, 504}
            if not away or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


async def _act(client: HeraldClient, article: Any, act: str, body: Any, deadline: float) -> Any:
    """One act, once: after a lost answer the article itself tells whether it was done."""

    async def once() -> Any:
        now = await client.call("GET", f"/api/v1/articles/{article['id']}")
        if now["revision"] > article["revision"]:
            return now
        return await client.act(article, act, body)

    return await _insist(once, deadline)


async def _life(client: HeraldClient, name: str, fate: str, deadline: float) -> Any:
    body = {
        "slug": name,
        "headline": f"Report {name}",
        "body": "The wind turned at noon.",
        "section": "city",
        "bylines": ["The night desk"],
    }
    draft = await client.call("POST", "/api/v1/articles", body)
    article = await _act(client, draft, "publish", {}, deadline)
    chance = random.Random(name)
    for act, words in FATES[fate]:
        await asyncio.sleep(chance.choice([0.0, 0.3, 2.0]))
        article = await _act(client, article, act, words, deadline)
    return article


async def _monkey(stack: Distributed) -> None:
    chance = random.Random(SEED)
    second = stack.start_replica("social")
    for number in range(KILLS):
        await asyncio.sleep(chance.uniform(0.3, 1.0))
        if number == KILLS // 2:
            await asyncio.to_thread(stack.rabbit.kill)
            await asyncio.to_thread(stack.rabbit.wipe)
            await asyncio.to_thread(stack.rabbit.start)
        elif number % 2:
            stack.kill(second)
            second = stack.start_replica("social")
        else:
            stack.kill("social")
            stack.start_service("social")
    await stack.wait_ready("social")


async def test_every_change_of_mind_reaches_every_network_once(tmp_path: Path) -> None:
    settings = {"HERALD_LEASE_SECONDS": LEASE_SECONDS}
    async with (
        Receivers(Sandbox(NETWORKS)) as receivers,
        Distributed(tmp_path / "stack", settings, receivers.smtp_url) as stack,
        HeraldClient(stack.url, stack.token) as client,
    ):
        await Driver(client, receivers, lambda _: None).connect()
        deadline = time.monotonic() + DEADLINE_SECONDS
        lives = [
            (fate, f"{fate.replace(' ', '-')}-{n}") for n in range(EACH_FATE) for fate in FATES
        ]
        room = asyncio.Semaphore(3)

        async def one(fate: str, name: str) -> Any:
            async with room:
                return await _life(client, name, fate, deadline)

        monkey = asyncio.create_task(_monkey(stack))
        articles = await asyncio.gather(*(one(fate, name) for fate, name in lives))
        await monkey
        boards = [await _settled(client, article["id"], deadline) for article in articles]
        said = 0
        for (fate, _), article, board in zip(lives, articles, boards, strict=True):
            for network, fake in receivers.sandbox.fakes.items():
                outlet = f"social/{network}/main"
                lines = [line for line in board if line["outlet"] == outlet]
                if outlet in _for_a_person(board):
                    continue
                said += _judge(fake, fate, article, lines)
        # How many came before their corrections depends on the machine; the others say nothing new.
        print(f"\ncorrections said on the networks: {said}")


def _for_a_person(board: list[dict[str, Any]]) -> set[str]:
    """Outlets with a post in doubt on a network that cannot be asked: nothing moves before a person does."""
    doubtful = {one["outlet"] for one in board if one["state"] == "unknown"}
    able = {outlet: discover()[outlet.split("/")[1]].capabilities for outlet in doubtful}
    return {one for one, can in able.items() if not (can.idempotent or can.lookup)}


async def _settled(client: HeraldClient, article_id: str, deadline: float) -> list[dict[str, Any]]:
    """The social lines once none of them moves, none can be resolved and every service has reported."""
    while True:
        board = await _insist(lambda: client.fanout(article_id), deadline)
        final = {"confirmed", "cancelled", "failed", "missed"}
        social = [one for one in board["items"] if one["outlet"].startswith("social/")]
        moving = [one for one in social if one["state"] not in final]
        still = _for_a_person(social)
        if not board["awaiting"] and all(one["outlet"] in still for one in moving):
            return social
        assert time.monotonic() < deadline, (article_id, board["awaiting"], social)
        await asyncio.sleep(0.3)


def _judge(fake: Any, fate: str, article: Any, lines: list[dict[str, Any]]) -> int:
    """How many corrections of a `corrected twice` article readers of the network were told."""
    url = article["url"]
    about = "\n".join(
        f"{one['delivery'][37:]} r{one['revision']} {one['state']} {one.get('reason')}"
        for one in lines
    )
    made = [post for post in fake.creations() if links_to(post, url)]
    seen = [post for post in fake.visible() if links_to(post, url)]
    posts = [post for post in made if not post.reply_to]
    assert len(posts) <= (2 if fate == "republished" else 1), (about, posts)
    assert len({post.text for post in made if post.reply_to}) == sum(
        1 for post in made if post.reply_to
    ), (about, "a correction was said twice", made)
    if fate in {"retracted", "withdrawn"}:
        assert not seen, (about, seen)
        return 0
    assert len([post for post in seen if not post.reply_to]) == 1, (about, seen)
    if fate != "corrected twice":
        return 0
    said = len([post for post in seen if SECOND in post.text])
    # A post that came so late that it was made from the corrected text needs no notice.
    corrected = any(
        one.get("reason") == "already part of what was posted"
        or (one["operation"] == "post" and one["revision"] == article["revision"])
        for one in lines
    )
    assert said == 1 or (corrected and not said), (about, seen)
    return said
