"""`/api/v1/channels` on the real service: who may, what is refused and by which name, and that secrets stay in."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from pydantic import SecretStr

from services.social.channels import discover
from services.social.store import Accounts
from shared.contracts.identity import Role
from shared.storage.client import Database

ROOT = "/api/v1/channels"
ONE = f"{ROOT}/mastodon/main"
NOWHERE = "019ab000-0000-7000-8000-000000000000"
OPEN = ("GET", f"{ROOT}/callback")
"""Networks send browsers there, which bring no token."""
ROUTES: list[tuple[str, str, Any, Role, int]] = [
    ("GET", ROOT, None, Role.CONTRIBUTOR, 200),
    ("POST", ROOT, {"channel": "none", "name": "x", "settings": {}}, Role.ADMIN, 422),
    ("GET", f"{ONE}/policy", None, Role.CONTRIBUTOR, 200),
    ("PUT", f"{ONE}/policy", {"minor": "nothing"}, Role.ADMIN, 200),
    ("POST", f"{ONE}/test", None, Role.ADMIN, 200),
    ("POST", f"{ONE}/pause", {"reason": "r"}, Role.EDITOR, 200),
    ("POST", f"{ONE}/resume", None, Role.EDITOR, 200),
    ("POST", f"{ROOT}/pause", {"reason": "r"}, Role.EDITOR, 200),
    ("POST", f"{ROOT}/resume", None, Role.EDITOR, 200),
    ("PUT", f"{ROOT}/oauth/apps/none", {"client_id": "c", "client_secret": "s"}, Role.ADMIN, 404),
    ("POST", f"{ROOT}/oauth", {"channel": "none", "name": "x"}, Role.ADMIN, 422),
    ("GET", f"{ROOT}/oauth/connections/{NOWHERE}", None, Role.ADMIN, 404),
    ("POST", f"{ROOT}/oauth/connections/{NOWHERE}", {}, Role.ADMIN, 404),
    ("DELETE", ONE, None, Role.ADMIN, 204),
]
"""Method, path, body, the least role, and what that role is answered."""


async def test_each_route_asks_for_its_role(desk: Any, world: Any) -> None:
    await desk.connect("mastodon", world.account("mastodon"))
    for method, path, body, least, answered in ROUTES:
        anonymous = await desk.call(method, path, body, role=None)
        assert (anonymous.status, anonymous.field) == (401, "Authorization"), path
        for role in Role:
            if role < least:
                refused = await desk.call(method, path, body, role=role)
                assert (refused.status, refused.field) == (403, "Authorization"), path
        assert len((await desk.call("GET", ROOT)).body["items"]) == 1
        assert (await desk.call(method, path, body, role=least)).status == answered, path


async def test_every_route_of_the_service_is_in_the_list_of_roles(desk: Any) -> None:
    """A new route cannot come without saying who may use it."""
    served = {
        (route.method, route.resource.canonical)
        for route in desk.host.app.router.routes()
        if route.resource.canonical.startswith(ROOT) and route.method != "HEAD"
    }
    named = {(m, path.replace("mastodon/main", "{channel}/{name}")) for m, path, *_ in ROUTES}
    named = {
        (m, p.replace("apps/none", "apps/{channel}").replace(NOWHERE, "{id}")) for m, p in named
    }
    assert served == {*named, OPEN}


BAD_ACCOUNTS: list[tuple[dict[str, Any], str]] = [
    ({"channel": "friendster"}, "channel"),
    ({"channel": 3}, "channel"),
    ({"channel": "Not A Slug"}, "channel"),
    ({"name": "a/b"}, "name"),
    ({"name": ""}, "name"),
    ({"name": "x" * 61}, "name"),
    ({"name": None}, "name"),
    ({"settings": []}, "settings"),
    ({"settings": {"server": "https://m.example"}}, "settings.access_token"),
    ({"settings": {"server": "ftp://m.example", "access_token": "t"}}, "settings.server"),
    ({"settings": {"server": 7, "access_token": "t"}}, "settings.server"),
    (
        {"settings": {"server": "https://m.example", "access_token": "t", "hashtags": 11}},
        "settings.hashtags",
    ),
    (
        {"settings": {"server": "https://m.example", "access_token": "t", "colour": "red"}},
        "settings.colour",
    ),
    (
        {"settings": {"server": "https://m.example", "access_token": "t\n"}},
        "settings.access_token",
    ),
    ({"extra": 1}, "extra"),
]
"""What is wrong in an otherwise good account, and the field that must be named."""


async def test_a_bad_account_names_its_field(desk: Any, database: Database) -> None:
    good = {"server": "https://m.example", "access_token": "t"}
    for changed, field in BAD_ACCOUNTS:
        body = {"channel": "mastodon", "name": "main", "settings": good, **changed}
        refused = await desk.call("POST", ROOT, body)
        assert (refused.status, refused.field) == (422, field), changed
    assert await database["accounts"].count({}) == 0


async def test_each_missing_field_is_named(desk: Any) -> None:
    refused = await desk.call("POST", ROOT, {})
    assert refused.status == 422
    assert [e["field"] for e in refused.body["errors"]] == ["channel", "name", "settings"]


INSIDE = [
    "https://127.0.0.2",
    "https://10.0.0.7/mastodon",
    "https://169.254.169.254",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://0x7f.1",
    "https://localhost",
    "https://mongo",
    "https://rabbitmq.internal",
    "http://mastodon.example",
    "https://mastodon.example:15672",
    "https://user:pass@mastodon.example",
    "https:///nowhere",
    "https://mastodon..example",
    f"https://{'m' * 64}.example",
    "https://1.2.3.999",
]


async def test_an_address_inside_our_own_house_or_nowhere_is_refused(
    desk: Any, database: Database
) -> None:
    for server in INSIDE:
        refused = await desk.connect("mastodon", {"server": server, "access_token": "t"})
        assert (refused.status, refused.field) == (422, "settings.server"), server
    assert await database["accounts"].count({}) == 0


async def test_the_address_of_its_pages_is_checked_as_the_one_it_posts_to(
    desk: Any, world: Any
) -> None:
    """Readers of the board follow it, and where an account is connected by consent it is checked too."""
    for web in (*INSIDE, "https://bsky.example/\r\nx"):
        refused = await desk.connect("bluesky", {**world.account("bluesky"), "web": web})
        assert (refused.status, refused.field) == (422, "settings.web"), web


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_what_was_registered_is_checked_again_when_it_is_connected_to(
    start: Any, world: Any, host: str
) -> None:
    """Stored under a laxer setting, or by a name that leads elsewhere by now: the guard still holds."""
    settings = world.account("mastodon")
    settings["server"] = settings["server"].replace("127.0.0.1", host)
    lenient = await start(working=False, allow_private_hosts=(host,))
    assert (await lenient.connect("mastodon", settings)).status == 201
    assert (await lenient.call("POST", f"{ONE}/test")).body["ok"] is True
    strict = await start(working=False, allow_private_hosts=())
    tested = await strict.call("POST", f"{ONE}/test")
    assert tested.body["ok"] is False
    assert "private or special address" in tested.body["reason"]


def secret_of(channel: str) -> str:
    """The one setting of a channel that nobody may see."""
    fields = discover()[channel].settings.model_fields.items()
    (name,) = [name for name, field in fields if field.annotation is SecretStr]
    return name


@pytest.mark.parametrize("channel", sorted(discover()))
async def test_secrets_are_sealed_and_never_come_out(
    desk: Any,
    world: Any,
    database: Database,
    channel: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    # The stand-in's own: a token in an address is the network's to log. No server of ours keeps one.
    caplog.set_level(logging.CRITICAL, "aiohttp.access")
    settings = world.account(channel)
    secret_field = secret_of(channel)
    secret = settings[secret_field]
    seen: list[str] = []
    seen.append((await desk.connect(channel, settings)).text)
    seen.append((await desk.connect(channel, settings)).text)
    seen.append((await desk.connect(channel, {**settings, "nope": secret})).text)
    seen.append((await desk.connect(channel, {**settings, "server": secret})).text)
    seen.append((await desk.connect(channel, {**settings, secret_field: [secret]}, "x")).text)
    seen.append((await desk.call("GET", ROOT)).text)
    seen.append((await desk.call("POST", f"{ROOT}/{channel}/main/test")).text)
    world.sandbox.fakes[channel].faults["error_before"] = 1
    seen.append((await desk.call("DELETE", f"{ROOT}/{channel}/main")).text)
    stored = [str(one) for one in await database["accounts"].find({})]
    assert '"ok":true' in seen[6]
    for text in (*seen, *stored, caplog.text, *capfd.readouterr()):
        assert secret not in text


async def test_the_stored_account_holds_only_sealed_bytes(
    desk: Any, world: Any, database: Database
) -> None:
    settings = world.account("mastodon")
    await desk.connect("mastodon", settings)
    (stored,) = await database["accounts"].find({})
    assert isinstance(stored["sealed"], bytes)
    assert settings["access_token"].encode() not in stored["sealed"]
    assert "settings" not in stored


async def test_a_connected_account_is_listed_as_its_network_allows(desk: Any, world: Any) -> None:
    added = await desk.connect("bluesky", world.account("bluesky"), "desk")
    assert added.status == 201
    assert added.body["id"] == "bluesky/desk"
    assert added.body["outlet"] == "social/bluesky/desk"
    await desk.connect("mastodon", world.account("mastodon"))
    listed = (await desk.call("GET", ROOT, role=Role.CONTRIBUTOR)).body
    assert listed["next"] is None
    assert [item["id"] for item in listed["items"]] == ["bluesky/desk", "mastodon/main"]
    assert [item["capabilities"]["edit"] for item in listed["items"]] == [False, True]
    assert all(item["paused"] is None for item in listed["items"])
    again = await desk.connect("bluesky", world.account("bluesky"), "desk")
    assert (again.status, again.field) == (409, "name")
    unknown = await desk.call("GET", f"{ROOT}?state=on")
    assert (unknown.status, unknown.field) == (422, "state")


async def test_acts_on_an_account_that_is_not_there(desk: Any) -> None:
    for method, act, body in (
        ("DELETE", "", None),
        ("POST", "/test", None),
        ("POST", "/pause", {"reason": "r"}),
        ("POST", "/resume", None),
    ):
        missing = await desk.call(method, f"{ROOT}/mastodon/nobody{act}", body)
        assert (missing.status, missing.field) == (404, "name")


async def test_two_removals_at_once_never_fail_on_our_side(desk: Any, world: Any) -> None:
    await desk.connect("mastodon", world.account("mastodon"))
    answers = await asyncio.gather(*(desk.call("DELETE", ONE) for _ in range(6)))
    assert sorted({answer.status for answer in answers}) in ([204], [204, 404])
    assert sum(answer.status == 204 for answer in answers) == 1


async def test_an_account_removed_between_look_and_test_is_not_there(
    desk: Any, world: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.connect("mastodon", world.account("mastodon"))
    every = Accounts.all

    async def then_removed(accounts: Accounts) -> Any:
        found = await every(accounts)
        await database["accounts"].delete_one({"_id": "mastodon/main"})
        return found

    monkeypatch.setattr(Accounts, "all", then_removed)
    for method, path in (("POST", f"{ONE}/test"), ("DELETE", ONE)):
        await desk.connect("mastodon", world.account("mastodon"))
        gone = await desk.call(method, path)
        assert (gone.status, gone.field) == (404, "name")


async def test_a_pause_says_why(desk: Any, database: Database) -> None:
    for body, field in (
        ({}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": 4}, "reason"),
        ({"reason": "r", "until": "noon"}, "until"),
    ):
        refused = await desk.call("POST", f"{ROOT}/pause", body)
        assert (refused.status, refused.field) == (422, field), body
    assert await database["pauses"].count({}) == 0


async def test_pauses_of_one_account_and_of_all(desk: Any, world: Any) -> None:
    for channel in ("mastodon", "bluesky"):
        await desk.connect(channel, world.account(channel))

    async def paused() -> dict[str, Any]:
        items = (await desk.call("GET", ROOT)).body["items"]
        return {item["channel"]: item["paused"] for item in items}

    off = await desk.call("POST", f"{ONE}/pause", {"reason": "wrong logo"}, role=Role.EDITOR)
    assert off.body == {"scope": "mastodon/main", "paused": True, "changed": True}
    again = await desk.call("POST", f"{ONE}/pause", {"reason": "another"}, role=Role.CHIEF)
    assert again.body["changed"] is False
    said = {"scope": "mastodon/main", "reason": "wrong logo"}
    assert await paused() == {"mastodon": said, "bluesky": None}

    await desk.call("POST", f"{ROOT}/pause", {"reason": "election night"})
    everything = {"scope": "all", "reason": "election night"}
    assert await paused() == {"mastodon": everything, "bluesky": everything}

    assert (await desk.call("POST", f"{ROOT}/resume")).body["changed"] is True
    assert await paused() == {"mastodon": said, "bluesky": None}
    on = await desk.call("POST", f"{ONE}/resume", role=Role.EDITOR)
    assert on.body == {"scope": "mastodon/main", "paused": False, "changed": True}
    assert (await desk.call("POST", f"{ONE}/resume")).body["changed"] is False
    assert await paused() == {"mastodon": None, "bluesky": None}


@pytest.mark.parametrize("channel", sorted(discover()))
async def test_credentials_are_tried_without_posting(desk: Any, world: Any, channel: str) -> None:
    settings = world.account(channel)
    await desk.connect(channel, settings)
    secret_field = secret_of(channel)
    if "server" not in discover()[channel].settings.model_fields:
        # Nobody can be asked without a message: the service is named, and what cannot be one is refused.
        named = await desk.call("POST", f"{ROOT}/{channel}/main/test")
        assert named.body == {"ok": True, "account": named.body["account"]}
        assert named.body["account"]
        refused = await desk.connect(channel, {**settings, secret_field: "expired"}, "dead")
        assert (refused.status, refused.field) == (422, f"settings.{secret_field}")
        return
    await desk.connect(channel, {**settings, secret_field: "expired"}, "dead")
    await desk.connect(channel, {**settings, "server": "http://127.0.0.1:1"}, "away")
    good = await desk.call("POST", f"{ROOT}/{channel}/main/test")
    assert good.body["ok"] is True
    assert good.body["account"]
    dead = await desk.call("POST", f"{ROOT}/{channel}/dead/test")
    assert dead.status == 200
    assert dead.body["ok"] is False
    assert any(word in dead.body["reason"] for word in ("nvalid", "nauthorized"))
    away = await desk.call("POST", f"{ROOT}/{channel}/away/test")
    assert away.body["ok"] is False
    assert "cannot connect" in away.body["reason"]
    assert world.posts(channel) == []


async def test_another_secret_key_is_said_and_nothing_breaks(
    desk: Any, world: Any, database: Database
) -> None:
    await desk.connect("mastodon", world.account("mastodon"))
    await database["accounts"].update_one({}, {"$set": {"sealed": b"sealed with another key"}})
    tested = await desk.call("POST", f"{ONE}/test")
    assert tested.body == {
        "ok": False,
        "reason": "cannot decrypt: HERALD_SECRET_KEY has changed",
    }


async def test_new_credentials_reach_every_replica(start: Any, world: Any) -> None:
    first, second = await start(working=False), await start(working=False)
    await first.connect("mastodon", world.account("mastodon"))
    for process in (first, second):
        assert (await process.call("POST", f"{ONE}/test")).body["ok"] is True
    assert (await first.call("DELETE", ONE)).status == 204
    await first.connect("mastodon", {**world.account("mastodon"), "access_token": "another"})
    for process in (first, second):
        assert (await process.call("POST", f"{ONE}/test")).body["ok"] is False
