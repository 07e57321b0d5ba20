"""Previews of mails and webhook messages: the bytes that are then sent, and for how many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.contracts.articles import Article, Status
from shared.contracts.identity import Role
from shared.storage.client import Database

Story = Callable[..., Article]


async def preview(replica: Any, article: Article) -> list[dict[str, Any]]:
    body = {
        "article": article.model_dump(mode="json"),
        "acted_at": article.updated_at.isoformat(),
    }
    status, shown = await replica.call(
        "POST", "/api/v1/previews/notifications", body, Role.CONTRIBUTOR
    )
    assert status == 200, shown
    lines: list[dict[str, Any]] = shown["outlets"]
    return lines


async def everything(database: Database) -> dict[str, list[Any]]:
    names = await database.collection_names()
    return {name: await database[name].find({}, sort=[("_id", 1)]) for name in names}


def bodies(message: Any) -> dict[str, str]:
    """Both parts without the reader's own link."""
    found = {}
    for kind in ("html", "plain"):
        lines = message.get_body((kind,)).get_content().replace("\r\n", "\n").splitlines()
        found[kind] = "\n".join(line for line in lines if "/unsubscribe" not in line)
    return found


async def test_mail_and_message_are_those_that_are_sent(
    replica: Any, inbox: Any, partner: Any, story: Story, database: Database
) -> None:
    await replica.subscribe("ana", "bo")
    hook = {"name": "desk", "url": partner.url}
    assert (await replica.call("POST", "/api/v1/webhooks", hook))[0] == 201
    steps = [
        (story(), "alert", 1),
        (story(2, corrections=1), "correction", 1),
        (story(3, corrections=1, status=Status.RETRACTED), "retraction", 1),
    ]
    for article, kind, number in steps:
        before = await everything(database)
        [mail, message] = await preview(replica, article)
        assert await everything(database) == before
        assert (mail["operation"], mail["kind"], mail["number"]) == ("send", kind, number)
        await replica.handle(article)
        await replica.work()
        assert mail["recipients"] == 2
        assert len(inbox.accepted) == 2
        for sent in inbox.accepted:
            assert sent["Subject"] == mail["subject"]
            said = bodies(sent)
            for part, name in (("html", "html"), ("plain", "text")):
                shown = [x for x in mail[name].splitlines() if "/unsubscribe" not in x]
                assert said[part] == "\n".join(shown)
        inbox.accepted.clear()
        headers, raw = partner.got[-1]
        assert (headers["webhook-id"], raw.decode()) == (message["id"], message["body"])


async def test_a_correction_goes_to_those_who_were_told_something_else(
    replica: Any, story: Story
) -> None:
    await replica.subscribe("ana", "bo", "chi")
    await replica.handle(story())
    await replica.work()
    await replica.subscribe("too-late")
    [mail] = await preview(replica, story(2, corrections=1))
    assert (mail["kind"], mail["recipients"]) == ("correction", 3)
    mails = await preview(replica, story(2, corrections=2))
    assert [(one["number"], one["recipients"]) for one in mails] == [(1, 3), (2, 3)]


async def test_what_is_not_sent_says_why(replica: Any, partner: Any, story: Story) -> None:
    for name, events in (("all", []), ("taken-back", ["article.retracted"])):
        hook = {"name": name, "url": partner.url, "events": events}
        assert (await replica.call("POST", "/api/v1/webhooks", hook))[0] == 201
    lines = await preview(replica, story(skip_outlets=("email", "webhook/all")))
    assert {line["outlet"]: (line["operation"], line["reason"]) for line in lines} == {
        "email": ("none", "left out by the editor"),
        "webhook/all": ("none", "left out by the editor"),
        "webhook/taken-back": ("none", "it does not take events of this type"),
    }
    await replica.handle(story())
    [mail, *_] = await preview(replica, story(2))
    assert (mail["operation"], mail["reason"]) == ("none", "this asks for no mail")
    old = story(number=2)
    replica.clock.advance(7 * 3600)
    late = old.model_copy(update={"updated_at": replica.clock.now()})
    [mail, *_] = await preview(replica, late)
    assert (mail["operation"], mail["reason"]) == ("none", "published too long ago for an alert")


async def test_the_links_of_a_preview_are_nobodys(replica: Any, story: Story) -> None:
    await replica.subscribe("ana")
    [mail] = await preview(replica, story())
    start = mail["html"].index("unsubscribe?t=") + len("unsubscribe?t=")
    token = mail["html"][start:].split('"')[0]
    async with replica.client.post(f"/api/v1/subscriptions/unsubscribe?t={token}") as answer:
        assert answer.status == 200  # as for anybody who is not there any more
    status, people = await replica.call("GET", "/api/v1/subscribers?status=confirmed")
    assert (status, len(people["items"])) == (200, 1)
    assert "ana@" not in mail["message"]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
async def test_the_ends_of_time_are_shown_or_refused(replica: Any, story: Story, at: str) -> None:
    article = story().model_dump(mode="json") | {"published_at": at}
    body = {"article": article, "acted_at": at}
    status, answer = await replica.call("POST", "/api/v1/previews/notifications", body)
    assert status == 200 or (status, answer["field"]) == (422, "article")
    nobody, _ = await replica.call("POST", "/api/v1/previews/notifications", body, None)
    assert nobody == 401
