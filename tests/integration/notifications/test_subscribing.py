"""Signing up, confirming and leaving: nothing on GET, nothing told to strangers, one click is enough."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from shared.contracts.articles import Article
from shared.contracts.identity import Role
from shared.runtime.clock import ManualClock
from shared.storage.client import Database

Story = Callable[..., Article]
ANA = "ana@readers.example"
ORIGIN = "https://news.example"
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


async def _sign_up(replica: Any, email: str = ANA) -> tuple[int, Any]:
    found: tuple[int, Any] = await replica.call(
        "POST", "/api/v1/subscriptions", {"email": email, "lists": ["alerts"]}, None
    )
    return found


def _path(message: Any, act: str) -> str:
    """The link in a mail, as a path on the service under test."""
    body = message.get_body(("plain",)).get_content()
    found = re.search(rf"{re.escape(ORIGIN)}(/api/v1/subscriptions/{act}\?t=\S+)", body)
    assert found, body
    return found.group(1)


async def _status(database: Database, email: str = ANA) -> str | None:
    found = await database["subscribers"].find_one({"email": email})
    return found["status"] if found else None


async def test_from_sign_up_to_goodbye(
    replica: Any, inbox: Any, story: Story, clock: ManualClock, database: Database
) -> None:
    assert (await _sign_up(replica))[0] == 202
    await replica.work()
    [question] = inbox.accepted
    assert question["List-Unsubscribe"] is None
    confirm = _path(question, "confirm")

    before = await database["subscribers"].find_one({"email": ANA})
    for _ in range(3):
        async with replica.client.get(confirm, headers=BROWSER) as page:
            text = await page.text()
            assert page.status == 200
            policy = page.headers["Content-Security-Policy"]
            assert page.headers["Referrer-Policy"] == "no-referrer"
            assert page.headers["Cache-Control"] == "no-store"
    assert text.count("<form") == text.count("<button") == 1
    assert "<script" not in text
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert await database["subscribers"].find_one({"email": ANA}) == before

    async with replica.client.post(confirm, headers=BROWSER) as page:
        assert page.status == 200
    assert await _status(database) == "confirmed"
    clock.advance(1)
    await replica.handle(story())
    await replica.work()
    alert = inbox.accepted[-1]
    assert alert["Subject"] == "Story 1"
    leave = str(alert["List-Unsubscribe"]).strip("<>").removeprefix(ORIGIN)
    assert _path(alert, "unsubscribe") == leave

    async with replica.client.get(leave, headers=BROWSER) as page:
        assert (page.status, (await page.text()).count("<form")) == (200, 1)
    assert await _status(database) == "confirmed"
    async with replica.client.post(
        leave,
        data="List-Unsubscribe=One-Click",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        allow_redirects=False,
    ) as answer:
        assert (answer.status, answer.content_type) == (200, "text/plain")
        assert "Set-Cookie" not in answer.headers
    assert await _status(database) == "unsubscribed"
    await replica.handle(story(number=2))
    await replica.work()
    assert len(inbox.accepted) == 2


@pytest.mark.parametrize("body", ["urlencoded", "multipart", "empty", "nonsense"])
async def test_one_click_takes_every_body_and_repeats(
    replica: Any, inbox: Any, story: Story, database: Database, body: str
) -> None:
    await replica.subscribe("ana")
    await replica.handle(story())
    await replica.work()
    leave = str(inbox.accepted[0]["List-Unsubscribe"]).strip("<>").removeprefix(ORIGIN)
    for _ in range(2):
        data: Any = {"urlencoded": {"List-Unsubscribe": "One-Click"}, "empty": None}.get(body)
        if body == "multipart":
            data = aiohttp.FormData(default_to_multipart=True)
            data.add_field("List-Unsubscribe", "One-Click")
        elif body == "nonsense":
            data = b"\xff\x00not a form"
        async with replica.client.post(leave, data=data, allow_redirects=False) as answer:
            assert answer.status == 200
    assert await _status(database) == "unsubscribed"


async def test_nobody_learns_who_is_subscribed(replica: Any, inbox: Any) -> None:
    await replica.subscribe("ana")
    known = await _sign_up(replica)
    strange = await _sign_up(replica, "stranger@readers.example")
    assert known == strange
    await replica.work()
    assert [recipient for _, recipient in inbox.envelopes] == ["stranger@readers.example"]


async def test_a_mailbox_is_asked_at_most_once_an_hour(
    replica: Any, inbox: Any, clock: ManualClock
) -> None:
    for spelling in (ANA, "ANA@Readers.Example", " ana@readers.example"):
        assert (await _sign_up(replica, spelling))[0] == 202
    await replica.work()
    assert len(inbox.accepted) == 1
    clock.advance(3600)
    await _sign_up(replica)
    await replica.work()
    assert len(inbox.accepted) == 2


async def test_a_link_ends_after_seven_days_and_a_forged_one_is_refused(
    replica: Any, inbox: Any, clock: ManualClock, database: Database
) -> None:
    await _sign_up(replica)
    await replica.work()
    confirm = _path(inbox.accepted[0], "confirm")
    clock.advance(timedelta(days=7).total_seconds() + 1)
    for path in (confirm, confirm[:-2] + "xx", "/api/v1/subscriptions/confirm"):
        async with replica.client.post(path, headers=BROWSER) as page:
            assert (page.status, page.content_type) == (400, "text/html")
        status, problem = await replica.call("POST", path, None, None)
        assert (status, problem["field"]) == (400, "t")
    assert await _status(database) == "pending"


async def test_an_old_link_does_not_undo_a_goodbye_but_a_new_one_does(
    replica: Any, inbox: Any, story: Story, clock: ManualClock, database: Database
) -> None:
    await _sign_up(replica)
    await replica.work()
    confirm = _path(inbox.accepted[0], "confirm")
    await replica.client.post(confirm)
    clock.advance(5)
    await replica.handle(story())
    await replica.work()
    await replica.client.post(_path(inbox.accepted[1], "unsubscribe"))
    assert await _status(database) == "unsubscribed"
    async with replica.client.post(confirm, headers=BROWSER) as page:
        assert page.status == 400
    assert await _status(database) == "unsubscribed"
    clock.advance(5)
    await _sign_up(replica)
    await replica.work()
    async with replica.client.post(_path(inbox.accepted[2], "confirm")) as page:
        assert page.status == 200
    assert await _status(database) == "confirmed"


async def test_a_newsroom_cannot_bring_back_who_has_left(
    replica: Any, inbox: Any, story: Story
) -> None:
    await replica.subscribe("ana")
    await replica.handle(story())
    await replica.work()
    await replica.client.post(_path(inbox.accepted[0], "unsubscribe"))
    body = {"email": ANA, "lists": ["alerts"], "confirmed": True, "consent": "said so"}
    status, problem = await replica.call("POST", "/api/v1/subscribers", body)
    assert (status, problem["field"]) == (409, "email")
    assert "unsubscribed" in problem["title"]


async def test_the_newsroom_enters_lists_and_forgets(replica: Any, inbox: Any) -> None:
    await _sign_up(replica)
    await replica.subscribe("bo", "chi")
    body = {"email": "BO@readers.example", "lists": ["alerts"], "confirmed": True, "consent": "x"}
    assert (await replica.call("POST", "/api/v1/subscribers", body))[0] == 409
    seen: list[str] = []
    cursor = ""
    while True:
        status, page = await replica.call("GET", f"/api/v1/subscribers?limit=2{cursor}")
        assert status == 200
        seen += [one["email"].partition("@")[0] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == ["chi", "bo", "ana"]
    _, page = await replica.call("GET", "/api/v1/subscribers?status=pending")
    [pending] = page["items"]
    assert pending["email"] == ANA
    path = f"/api/v1/subscribers/{pending['id']}"
    assert (await replica.call("DELETE", path))[0] == 204
    assert (await replica.call("DELETE", path))[0] == 404
    await replica.work()
    assert inbox.accepted == [], "whoever was forgotten is not asked any more"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b.example\r\nBcc: c@d.example"}, "email"),
        ({"email": "a" * 300 + "@b.example"}, "email"),
        ({"email": ANA, "lists": []}, "lists"),
        ({"email": ANA, "lists": ["everything"]}, "lists.0"),
        ({"email": ANA, "status": "confirmed"}, "status"),
        ({"email": 7}, "email"),
    ],
)
async def test_a_sign_up_without_sense_names_its_field(
    replica: Any, database: Database, body: dict[str, Any], field: str
) -> None:
    status, problem = await replica.call("POST", "/api/v1/subscriptions", body, None)
    assert (status, problem["field"]) == (422, field)
    assert await database["subscribers"].count({}) == 0


@pytest.mark.parametrize(
    ("method", "path", "least"),
    [
        ("GET", "/api/v1/subscribers", Role.EDITOR),
        ("POST", "/api/v1/subscribers", Role.EDITOR),
        ("DELETE", "/api/v1/subscribers/019ab000-0000-7000-8000-000000000001", Role.EDITOR),
        ("GET", "/api/v1/campaigns", Role.EDITOR),
        ("GET", "/api/v1/campaigns/x", Role.EDITOR),
        ("GET", "/api/v1/webhooks", Role.CHIEF),
        ("GET", "/api/v1/notifications/deliveries", Role.CONTRIBUTOR),
        ("POST", "/api/v1/notifications/deliveries/x/retry", Role.EDITOR),
    ],
)
async def test_roles(replica: Any, method: str, path: str, least: Role) -> None:
    assert (await replica.call(method, path, {}, None))[0] == 401
    if least > Role.CONTRIBUTOR:
        assert (await replica.call(method, path, {}, Role(least - 1)))[0] == 403
    assert (await replica.call(method, path, {}, least))[0] not in {401, 403}
