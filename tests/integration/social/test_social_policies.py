"""`/api/v1/channels/.../policy` on the real service: what may be chosen, and that posts then follow it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.articles import (
    Article,
    ArticleRetracted,
    ArticleUpdated,
    Correction,
    Retraction,
    Status,
)
from shared.contracts.outlets import DeliveryState

ROOT = "/api/v1/channels"
BLUESKY, MASTODON = f"{ROOT}/bluesky/main/policy", f"{ROOT}/mastodon/main/policy"
NO_CHOICE = {"minor": None, "correction": None, "retraction": None}
SAID = "The boat sails at nine."


async def test_a_policy_is_the_networks_default_until_it_is_chosen(connected: Any) -> None:
    assert (await connected.call("GET", BLUESKY)).body == {
        "chosen": NO_CHOICE,
        "effective": {"minor": "nothing", "correction": "reply", "retraction": "delete"},
        "choices": {
            "minor": ["repost", "person", "nothing"],
            "correction": ["reply", "repost", "person", "nothing"],
            "retraction": ["delete", "reply", "person"],
        },
    }
    chosen = {**NO_CHOICE, "correction": "repost", "retraction": "person"}
    put = await connected.call("PUT", BLUESKY, chosen)
    assert (put.status, put.body["chosen"]) == (200, chosen)
    assert put.body == (await connected.call("GET", BLUESKY)).body
    assert put.body["effective"] == {
        "minor": "nothing",
        "correction": "repost",
        "retraction": "person",
    }
    items = (await connected.call("GET", ROOT)).body["items"]
    assert {one["id"]: one["policy"] for one in items} == {
        "bluesky/main": put.body["effective"],
        "mastodon/main": {"minor": "edit", "correction": "edit", "retraction": "delete"},
    }
    # What is left out is the default again: the policy is replaced, not amended.
    put = await connected.call("PUT", BLUESKY, {"minor": "person"})
    assert put.body["chosen"] == {**NO_CHOICE, "minor": "person"}
    put = await connected.call("PUT", BLUESKY, {})
    assert put.body["chosen"] == NO_CHOICE


async def test_a_bad_policy_names_its_field_and_changes_nothing(connected: Any) -> None:
    kept = {**NO_CHOICE, "correction": "person"}
    await connected.call("PUT", MASTODON, kept)
    for body, field in (
        ({"correction": "reply"}, "correction"),
        ({"retraction": "nothing"}, "retraction"),
        ({"retraction": "edit"}, "retraction"),
        ({"minor": "delete"}, "minor"),
        ({"minor": "shout"}, "minor"),
        ({"minor": 1}, "minor"),
        ({"minor": ["edit"]}, "minor"),
        ({"minor": "edit", "typo": "edit"}, "typo"),
    ):
        refused = await connected.call("PUT", MASTODON, body)
        assert (refused.status, refused.field) == (422, field), body
    refused = await connected.call("PUT", MASTODON, {"minor": "delete", "correction": "reply"})
    assert [one["field"] for one in refused.body["errors"]] == ["minor", "correction"]
    assert refused.body["detail"] == (
        "Mastodon has no delete for this; it can be: edit, repost, person, nothing"
    )
    for method, body in (("GET", None), ("PUT", kept)):
        missing = await connected.call(method, f"{ROOT}/mastodon/nobody/policy", body)
        assert (missing.status, missing.field) == (404, "name")
    assert (await connected.call("GET", MASTODON)).body["chosen"] == kept


def corrected(article: Article, clock: Any) -> Article:
    notice = Correction(at=clock.now(), kind="correction", text=SAID)
    return article.model_copy(update={"revision": 2, "corrections": (notice,)})


async def publish_and_correct(process: Any, world: Any, eventually: Any) -> Article:
    article: Article = world.article(process.clock)
    await process.publish(article)

    async def out() -> bool:
        return [one["state"] for one in await process.deliveries()] == ["confirmed"] * 2

    await eventually(out)
    fixed = corrected(article, process.clock)
    await process.deliver(
        ArticleUpdated(article=fixed, acted_at=process.clock.now(), change="correction")
    )
    return fixed


async def test_a_repost_leaves_one_post_and_a_line_of_its_own_for_each_act(
    connected: Any, world: Any, eventually: Any
) -> None:
    await connected.call("PUT", MASTODON, {"correction": "repost"})
    fixed = await publish_and_correct(connected, world, eventually)
    outlet = "?outlet=social%2Fmastodon%2Fmain"

    async def posted_again() -> bool:
        found = await connected.deliveries(outlet)
        return len(found) == 4 and all(one["state"] == "confirmed" for one in found)

    await eventually(posted_again)
    lines = {one["id"].split(":", 2)[2]: one for one in await connected.deliveries(outlet)}
    assert {name: one.get("reason") for name, one in lines.items()} == {
        "post:1": None,
        "edit:1.2": "to be removed and posted again",
        "delete:1.2": "removed, to be posted again",
        "post:1.2": "posted again",
    }
    (seen,) = world.sandbox.fakes["mastodon"].visible()
    assert lines["post:1.2"]["url"] == seen.url != lines["post:1"]["url"]
    acts = {(one["id"], DeliveryState.CONFIRMED) for one in lines.values()}
    await eventually(lambda: acts <= {(one.delivery, one.state) for one in connected.lines()})

    notice = Retraction(at=connected.clock.now(), reason="Not so.")
    changes = {"revision": 3, "status": Status.RETRACTED, "retraction": notice}
    gone = fixed.model_copy(update=changes)
    await connected.deliver(ArticleRetracted(article=gone, acted_at=connected.clock.now()))
    await eventually(lambda: not world.sandbox.fakes["mastodon"].visible())


@pytest.mark.parametrize("answer", ["resolve", "cancel"])
async def test_a_task_stands_on_the_board_until_a_person_answers_it(
    connected: Any, world: Any, eventually: Any, answer: str
) -> None:
    await connected.call("PUT", BLUESKY, {"correction": "person"})
    fixed = await publish_and_correct(connected, world, eventually)
    id = f"{fixed.id}:social/bluesky/main:edit:1.2"

    async def asked() -> bool:
        found = await connected.delivery(id)
        return found.status == 200 and found.body.get("task") is True

    await eventually(asked)
    [waiting] = await connected.deliveries("?state=waiting")
    assert (waiting["id"], waiting["task"]) == (id, True)
    assert waiting["reason"].startswith("for a person: tell readers of the post (")
    assert waiting["reason"].endswith(SAID)
    await eventually(lambda: connected.alerts)
    (alert,) = connected.alerts
    assert (alert.severity, alert.article_id) == ("warning", fixed.id)
    assert (alert.title, alert.detail) == ("bluesky/main needs a person", waiting["reason"])

    refused = await connected.delivery(id, "resolve", {"outcome": "did_not_happen"})
    assert (refused.status, refused.field) == (409, "state")
    if answer == "resolve":
        url = "https://bsky.example/by-hand"
        done = await connected.delivery(id, "resolve", {"outcome": "happened", "url": url})
        assert (done.status, done.body["state"], done.body["url"]) == (200, "confirmed", url)
        assert done.body["reason"] == "done by A ADMIN"
    else:
        done = await connected.delivery(id, "cancel")
        assert (done.status, done.body["state"]) == (200, "cancelled")
    assert "task" not in done.body

    def on_the_board() -> bool:
        lines = [line for line in connected.lines() if line.delivery == id]
        lines.sort(key=lambda line: line.sequence)
        stood = any(line.task and line.reason == waiting["reason"] for line in lines)
        return stood and lines[-1].state.final and lines[-1].task is None

    await eventually(on_the_board)
    assert world.posts("bluesky") == [post.text for post in world.fakes["bluesky"].visible()]


async def test_a_task_is_decided_anew_by_the_present_policy_when_it_is_retried(
    connected: Any, world: Any, eventually: Any
) -> None:
    await connected.call("PUT", BLUESKY, {"correction": "person"})
    fixed = await publish_and_correct(connected, world, eventually)
    id = f"{fixed.id}:social/bluesky/main:edit:1.2"

    async def has(**wanted: Any) -> bool:
        found = (await connected.delivery(id)).body
        return all(found.get(name) == value for name, value in wanted.items())

    await eventually(lambda: has(task=True))
    await connected.call("PUT", BLUESKY, {})
    assert await has(task=True), "what waits for a person stays with them"
    assert (await connected.delivery(id, "retry")).status == 200
    await eventually(lambda: has(state="confirmed", reason="replied with the correction"))
    assert sum(SAID in post.text for post in world.fakes["bluesky"].visible()) == 1
