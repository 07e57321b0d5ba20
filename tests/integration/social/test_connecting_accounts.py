"""An X account is connected by consent, chosen by whom asked for it, renewed by a second consent; nothing leaks."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from yarl import URL

from services.social.channels import discover
from services.social.channels.x.fake_oauth import CLIENT_ID, CLIENT_SECRET
from shared.contracts.identity import Role
from shared.storage.client import Database

ROOT = "/api/v1/channels"
OAUTH = f"{ROOT}/oauth"
CALLBACK = f"{ROOT}/callback"
BEGIN = {"channel": "x", "name": "main"}


def addresses(world: Any) -> dict[str, str]:
    return {"server": f"{world.networks}/x", "web": f"{world.networks}/x"}


async def enter_app(process: Any, world: Any, **changes: Any) -> Any:
    body = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "settings": addresses(world),
        **changes,
    }
    return await process.call("PUT", f"{OAUTH}/apps/x", body)


async def begun(process: Any, world: Any, **changes: Any) -> dict[str, Any]:
    assert (await enter_app(process, world)).status == 204
    answer = await process.call("POST", OAUTH, {**BEGIN, **changes})
    assert answer.status == 201, answer.text
    body: dict[str, Any] = answer.body
    return body


async def consented(process: Any, url: str) -> dict[str, str]:
    """What the network sends the person's browser back with."""
    async with process.session.get(URL(url), allow_redirects=False) as answer:
        assert answer.status == 302, await answer.text()
        return dict(URL(answer.headers["Location"]).query)


async def come_back(process: Any, query: dict[str, str]) -> tuple[int, str]:
    url = f"http://127.0.0.1:{process.host.port}{CALLBACK}"
    async with process.session.get(url, params=query, headers={"Accept": "text/html"}) as answer:
        return answer.status, await answer.text()


async def connected(process: Any, world: Any, **changes: Any) -> Any:
    under_way = await begun(process, world, **changes)
    status, page = await come_back(process, await consented(process, under_way["url"]))
    assert (status, "Go back to Herald" in page) == (200, True), page
    return await process.call("POST", f"{OAUTH}/connections/{under_way['id']}", {})


async def test_a_consent_becomes_an_account_that_posts(
    start: Any, world: Any, eventually: Any
) -> None:
    process = await start()
    under_way = await begun(process, world, settings={"hashtags": 0})
    assert (under_way["status"], under_way["choices"]) == ("waiting", [])
    early = await process.call("POST", f"{OAUTH}/connections/{under_way['id']}", {})
    assert (early.status, early.field) == (409, "id")
    await come_back(process, await consented(process, under_way["url"]))
    seen = await process.call("GET", f"{OAUTH}/connections/{under_way['id']}")
    (choice,) = seen.body["choices"]
    assert (seen.body["status"], choice["name"][0]) == ("granted", "@")
    assert (await process.call("GET", ROOT)).body["items"] == []  # not before somebody says so
    path = f"{OAUTH}/connections/{under_way['id']}"
    other = await process.call("POST", path, {"choice": "somebody-else"})
    assert (other.status, other.field) == (422, "choice")
    account = await process.call("POST", path, {"choice": choice["id"]})
    assert (account.status, account.body["id"]) == (200, "x/main")
    assert (await process.call("POST", f"{ROOT}/x/main/test")).body["ok"] is True
    assert (await process.call("GET", path)).status == 404
    process.clock.advance(seconds=1)
    await process.publish(world.article(process.clock, tags=["boats"]))
    await eventually(lambda: len(world.posts("x")) == 1)
    assert "#" not in world.posts("x")[0]


async def test_the_consent_page_is_asked_for_as_the_rfcs_say(desk: Any, world: Any) -> None:
    first, second = [URL((await begun(desk, world))["url"]).query for _ in range(2)]
    assert first["response_type"] == "code"
    assert first["redirect_uri"] == f"{world.site.rstrip('/')}{CALLBACK}"
    assert first["code_challenge_method"] == "S256"
    assert "offline.access" in first["scope"].split(" ")
    for name in ("state", "code_challenge"):
        assert len(first[name]) == 43
        assert first[name] != second[name]


async def test_a_state_works_once_for_ten_minutes_and_only_if_it_is_ours(
    desk: Any, world: Any
) -> None:
    under_way = await begun(desk, world)
    back = await consented(desk, under_way["url"])
    for query in ({"code": back["code"]}, {**back, "state": "guessed"}, {**back, "state": ""}):
        status, page = await come_back(desk, query)
        assert (status, "Begin again" in page) == (404, True)
    answers = await asyncio.gather(*(come_back(desk, back) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 404, 404, 404]
    assert world.sandbox.fakes["x"].oauth.exchanges == 1
    late = await begun(desk, world, name="late")
    query = await consented(desk, late["url"])
    desk.clock.advance(minutes=10, seconds=1)
    assert (await come_back(desk, query))[0] == 404
    assert world.sandbox.fakes["x"].oauth.exchanges == 1


async def test_a_program_gets_a_problem_in_the_place_of_a_page(desk: Any, world: Any) -> None:
    for query in ("", "?state=x&state=y", f"?state={'x' * 1001}", "?state=%00&code=%ff"):
        answer = await desk.call("GET", f"{CALLBACK}{query}", role=None)
        assert (answer.status, answer.field) == (404, "state"), query
    query = await consented(desk, (await begun(desk, world))["url"])
    head = await desk.call("HEAD", f"{CALLBACK}?{urlencode(query)}", role=None)
    assert head.status == 405
    assert (await come_back(desk, query))[0] == 200  # a look ahead has not used it up


async def test_only_who_began_may_see_and_finish(desk: Any, world: Any) -> None:
    under_way = await begun(desk, world)
    await come_back(desk, await consented(desk, under_way["url"]))
    other = desk.identities.issue("u2", "Another", Role.ADMIN, timedelta(days=1))[0]
    path = f"{OAUTH}/connections/{under_way['id']}"
    for method, body in (("GET", None), ("POST", {})):
        refused = await desk.call(method, path, body, token=other)
        assert (refused.status, refused.field) == (404, "id")
    assert (await desk.call("POST", path, {})).status == 200


async def test_a_refusal_and_a_dead_code_connect_nothing_and_say_why(desk: Any, world: Any) -> None:
    world.sandbox.fakes["x"].oauth.declines = True
    under_way = await begun(desk, world)
    query = await consented(desk, under_way["url"])
    hostile = {**query, "error": "<script>alert(1)</script>"}
    status, page = await come_back(desk, hostile)
    assert (status, "<script>" in page, "&lt;script&gt;" in page) == (200, False, True)
    seen = await desk.call("GET", f"{OAUTH}/connections/{under_way['id']}")
    assert (seen.body["status"], seen.body["choices"]) == ("failed", [])
    finished = await desk.call("POST", f"{OAUTH}/connections/{under_way['id']}", {})
    assert (finished.status, finished.field) == (409, "id")
    world.sandbox.fakes["x"].oauth.declines = False
    again = await begun(desk, world)
    state = (await consented(desk, again["url"]))["state"]
    status, page = await come_back(desk, {"state": state, "code": "made-up"})
    assert (status, "authorization code was invalid" in page) == (200, True)
    assert (await desk.call("GET", ROOT)).body["items"] == []


async def test_connecting_again_replaces_the_credentials_and_resumes_a_dead_account(
    start: Any, world: Any, eventually: Any
) -> None:
    process = await start()
    await connected(process, world, settings={"hashtags": 0})
    process.clock.advance(seconds=1)
    world.sandbox.fakes["x"].oauth.revoke()
    await process.publish(world.article(process.clock))
    await eventually(lambda: process.alerts)
    again = await connected(process, world)
    assert (again.status, again.body["paused"]) == (200, None)
    process.clock.advance(minutes=2)
    await eventually(lambda: len(world.posts("x")) == 1)
    assert len(process.alerts) == 1


async def test_a_pause_that_a_person_made_stays(desk: Any, world: Any) -> None:
    await connected(desk, world)
    await desk.call("POST", f"{ROOT}/x/main/pause", {"reason": "credentials: ask the lawyers"})
    assert (await connected(desk, world)).body["paused"]["reason"].endswith("lawyers")


async def test_one_account_there_is_one_account_here(desk: Any, world: Any) -> None:
    assert (await connected(desk, world)).status == 200
    twice = await connected(desk, world, name="second")
    assert (twice.status, twice.field) == (422, "choice")
    assert "x/main posts as it already" in twice.body["detail"]
    items = (await desk.call("GET", ROOT)).body["items"]
    assert [item["id"] for item in items] == ["x/main"]


async def test_without_an_app_and_without_a_flow_nothing_begins(desk: Any, world: Any) -> None:
    none = await desk.call("POST", OAUTH, BEGIN)
    assert (none.status, none.field) == (409, "channel")
    for channel in sorted(name for name, spec in discover().items() if spec.oauth is None):
        by_hand = await desk.call("POST", OAUTH, {**BEGIN, "channel": channel})
        assert (by_hand.status, by_hand.field) == (409, "channel"), channel
        app = {"client_id": "c", "client_secret": "s"}
        entered = await desk.call("PUT", f"{OAUTH}/apps/{channel}", app)
        assert (entered.status, entered.field) == (409, "channel"), channel


async def test_bad_connections_and_apps_name_their_field(desk: Any, world: Any) -> None:
    assert (await enter_app(desk, world)).status == 204
    for changes, field in (
        ({"channel": "friendster"}, "channel"),
        ({"name": "a/b"}, "name"),
        ({"settings": []}, "settings"),
        ({"settings": {"access_token": "t"}}, "settings.access_token"),
        ({"settings": {"server": "https://evil.example"}}, "settings.server"),
        ({"settings": {"hashtags": 99}}, "settings.hashtags"),
        ({"settings": {"colour": "red"}}, "settings.colour"),
        ({"when": "now"}, "when"),
    ):
        refused = await desk.call("POST", OAUTH, {**BEGIN, **changes})
        assert (refused.status, refused.field) == (422, field), changes
    for wrong, field in (
        ({"client_id": ""}, "client_id"),
        ({"client_id": "two words"}, "client_id"),
        ({"client_secret": ""}, "client_secret"),
        ({"client_secret": 7}, "client_secret"),
        ({"settings": {"server": "https://10.0.0.1"}}, "settings.server"),
        ({"settings": {"hashtags": "https://x.example"}}, "settings.hashtags"),
        ({"secret": "s"}, "secret"),
    ):
        refused = await enter_app(desk, world, **wrong)
        assert (refused.status, refused.field) == (422, field), wrong
    nowhere = await desk.call(
        "PUT", f"{OAUTH}/apps/friendster", {"client_id": "c", "client_secret": "s"}
    )
    assert (nowhere.status, nowhere.field) == (404, "channel")


async def test_an_app_entered_anew_elsewhere_gets_no_code_of_before(desk: Any, world: Any) -> None:
    under_way = await begun(desk, world)
    query = await consented(desk, under_way["url"])
    away = dict.fromkeys(addresses(world), "http://127.0.0.1:9/away")
    assert (await enter_app(desk, world, settings=away)).status == 204
    status, page = await come_back(desk, query)
    assert (status, "Go back to Herald" in page) == (200, True)
    assert world.sandbox.fakes["x"].oauth.exchanges == 1


async def test_no_secret_comes_out_is_logged_or_is_kept_in_clear(
    desk: Any,
    world: Any,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    # The stand-in's own: no server of ours keeps one.
    caplog.set_level(logging.CRITICAL, "aiohttp.access")
    under_way = await begun(desk, world)
    query = await consented(desk, under_way["url"])
    kept = [str(await database[name].find({})) for name in ("apps", "consents")]
    seen = [(await come_back(desk, query))[1]]
    kept.append(str(await database["consents"].find({})))
    path = f"{OAUTH}/connections/{under_way['id']}"
    seen += [(await desk.call(*call)).text for call in (("GET", path), ("POST", path, {}))]
    seen.append((await desk.call("GET", ROOT)).text)
    seen.append((await desk.call("POST", f"{ROOT}/x/main/test")).text)
    kept.append(str(await database["accounts"].find({})))
    (family,) = world.sandbox.fakes["x"].oauth._families
    secrets = [*family.access, family.refresh, CLIENT_SECRET, query["code"], query["state"]]
    assert len(secrets) == 5
    for text in (*seen, *kept, caplog.text, *capfd.readouterr()):
        assert not any(secret in text for secret in secrets), text
    assert urlencode({"state": query["state"]}) in under_way["url"]
    assert await database["consents"].find({}) == []


async def mastodon(process: Any, world: Any, **changes: Any) -> Any:
    body = {
        "channel": "mastodon",
        "name": "main",
        "settings": {"server": f"{world.networks}/mastodon"},
        **changes,
    }
    return await process.call("POST", OAUTH, body)


async def test_mastodon_is_connected_at_the_accounts_own_server_without_an_app_entered(
    start: Any, world: Any, database: Database, eventually: Any
) -> None:
    process, oauth = await start(), world.sandbox.fakes["mastodon"].oauth
    begun = await mastodon(process, world)
    assert begun.status == 201, begun.text
    query = await consented(process, begun.body["url"])
    assert (await come_back(process, query))[0] == 200
    (choice,) = (await process.call("GET", f"{OAUTH}/connections/{begun.body['id']}")).body[
        "choices"
    ]
    assert choice["name"].startswith("@")
    account = await process.call("POST", f"{OAUTH}/connections/{begun.body['id']}", {})
    assert (account.status, account.body["id"]) == (200, "mastodon/main")
    process.clock.advance(seconds=1)
    await process.publish(world.article(process.clock))
    await eventually(lambda: len(world.posts("mastodon")) == 1)
    # Again, without a word about the server: what was stated stays, and so does the app.
    again = await mastodon(process, world, settings={})
    assert again.status == 201, again.text
    assert oauth.registrations == 1
    oauth.forget_apps()
    assert (await mastodon(process, world)).status == 201
    assert oauth.registrations == 2
    (app,) = await database["apps"].find({})
    assert "client_secret" not in str(app)


async def test_a_server_that_registers_nobody_is_a_wrong_server(desk: Any, world: Any) -> None:
    world.sandbox.fakes["mastodon"].oauth.full = True
    for server in (f"{world.networks}/mastodon", "http://127.0.0.1:9", f"{world.networks}/none"):
        refused = await mastodon(desk, world, settings={"server": server})
        assert (refused.status, refused.field) == (422, "settings.server"), refused.text
    for server in ("https://10.0.0.7", "ftp://m.example", 7, None):
        refused = await mastodon(desk, world, settings={"server": server})
        assert (refused.status, refused.field) == (422, "settings.server"), refused.text
    assert (await mastodon(desk, world, settings={})).field == "settings.server"
    app = {"client_id": "c", "client_secret": "s"}
    entered = await desk.call("PUT", f"{OAUTH}/apps/mastodon", app)
    assert (entered.status, entered.field) == (409, "channel")


async def test_another_secret_key_is_no_failure_of_ours(
    desk: Any, world: Any, database: Database
) -> None:
    """Apps are entered or registered anew; a consent under way is lost."""
    x, other = await begun(desk, world), await mastodon(desk, world)
    assert other.status == 201
    await database["apps"].update_many({}, {"$set": {"sealed": b"sealed with another key"}})
    refused = await desk.call("POST", OAUTH, BEGIN)
    assert (refused.status, refused.field) == (409, "channel")
    assert "HERALD_SECRET_KEY" in refused.body["detail"]
    assert (await mastodon(desk, world)).status == 201
    await database["consents"].update_many({}, {"$set": {"sealed": b"sealed with another key"}})
    for method, body in (("GET", None), ("POST", {})):
        assert (await desk.call(method, f"{OAUTH}/connections/{x['id']}", body)).status == 404
    assert (await come_back(desk, await consented(desk, x["url"])))[0] == 404
