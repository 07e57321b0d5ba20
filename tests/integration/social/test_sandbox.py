"""The stand-in networks on their one port: a page that is safe to look at, what arrived, faults, and accounts."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from lxml import html

from services.social.channels import discover
from services.social.channels.base import FAULTS
from services.social.sandbox.app import PAGE_POLICY, Sandbox

HOSTILE = '</p><script>alert(1)</script><img src=x onerror="alert(2)"> & "quoted"'


async def accounts(client: Any) -> dict[str, Any]:
    async with client.get("/accounts") as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


async def toot(client: Any, text: str) -> dict[str, Any]:
    token = (await accounts(client))["mastodon"]["access_token"]
    async with client.post(
        "/mastodon/api/v1/statuses",
        json={"status": text, "language": "en"},
        headers={"Authorization": f"Bearer {token}"},
    ) as answer:
        assert answer.status == 200
        made: dict[str, Any] = await answer.json()
        return made


async def test_the_page_shows_posts_and_runs_none_of_them(sandbox_client: Any) -> None:
    async with sandbox_client.get("/") as answer:
        empty = html.fromstring(await answer.text())
    assert len(empty.xpath("//section")) == len(discover())
    assert not empty.xpath("//article")
    await toot(sandbox_client, HOSTILE)
    async with sandbox_client.get("/") as answer:
        assert answer.headers["Content-Security-Policy"] == PAGE_POLICY
        text = await answer.text()
    page = html.fromstring(text)
    (article,) = page.xpath("//section[@aria-labelledby='mastodon']//article")
    assert article.xpath("string(p[@class='text'])") == HOSTILE
    assert not page.xpath("//script")
    assert not page.xpath("//img[@onerror]")
    assert "<script" not in text
    assert page.xpath("string(//h2[@id='mastodon']/span)") == "1"


async def test_the_style_is_served_as_the_policy_asks(sandbox_client: Any) -> None:
    async with sandbox_client.get("/sandbox.css") as answer:
        assert (answer.status, answer.content_type) == (200, "text/css")


async def test_received_tells_created_from_visible(sandbox_client: Any) -> None:
    status = await toot(sandbox_client, "It sails again.")
    token = (await accounts(sandbox_client))["mastodon"]["access_token"]
    await toot(sandbox_client, "Second.")
    async with sandbox_client.delete(
        f"/mastodon/api/v1/statuses/{status['id']}", headers={"Authorization": f"Bearer {token}"}
    ) as answer:
        assert answer.status == 200
    async with sandbox_client.get("/received") as answer:
        received = await answer.json()
    assert set(received) == set(discover())
    mastodon = received["mastodon"]
    assert [post["text"] for post in mastodon["visible"]] == ["Second."]
    assert [post["text"] for post in mastodon["created"]] == ["Second.", "It sails again."]
    assert [post["deleted"] for post in mastodon["created"]] == [False, True]
    assert received["bluesky"] == {"created": [], "visible": []}


@pytest.mark.parametrize("channel", sorted(discover()))
async def test_faults_hit_as_often_as_asked(sandbox_client: Any, channel: str) -> None:
    for fault in FAULTS:
        body = {"channel": channel, "fault": fault, "times": 3}
        async with sandbox_client.post("/faults", json=body) as answer:
            assert answer.status == 200, fault
            assert (await answer.json())["faults"][fault] == 3
        async with sandbox_client.post("/faults", json={**body, "times": 0}) as answer:
            assert (await answer.json())["faults"][fault] == 0


async def test_a_bad_fault_names_its_field(sandbox_client: Any) -> None:
    good = {"channel": "mastodon", "fault": "refuse", "times": 1}
    for changed, field in (
        ({"channel": "friendster"}, "channel"),
        ({"channel": 3}, "channel"),
        ({"fault": "no_such_fault"}, "fault"),
        ({"fault": "x" * 61}, "fault"),
        ({"times": -1}, "times"),
        ({"times": 10_001}, "times"),
        ({"times": "often"}, "times"),
        ({"when": "now"}, "when"),
    ):
        async with sandbox_client.post("/faults", json={**good, **changed}) as answer:
            assert (answer.status, (await answer.json())["field"]) == (422, field), changed
    async with sandbox_client.post("/faults", data="{", headers={"Content-Type": "text/x"}) as bad:
        assert (bad.status, (await bad.json())["field"]) == (415, "Content-Type")
    async with sandbox_client.get("/faults") as answer:
        assert answer.status == 405


@pytest.mark.parametrize("channel", sorted(discover()))
async def test_accounts_are_settings_that_work(sandbox_client: Any, channel: str) -> None:
    spec = discover()[channel]
    given = (await accounts(sandbox_client))[channel]
    place = str(sandbox_client.make_url(f"/{channel}"))
    if "server" in spec.settings.model_fields:
        assert given["server"] == place
    else:
        assert any(place.partition("://")[2] in str(value) for value in given.values())

    async def no_images(url: str) -> bytes:
        raise AssertionError(url)

    async with aiohttp.ClientSession() as session:
        settings = spec.settings.model_validate(given)
        assert await spec.build(settings, session, no_images).check()


def test_accounts_outlive_a_restart_of_the_sandbox() -> None:
    first, second = Sandbox(), Sandbox()
    for channel in discover():
        base = "http://127.0.0.1:8090"
        assert first.account(channel, base) == second.account(channel, base)


async def opened(session: Any, base: str, path: str = "/") -> Any:
    """The page as a browser would have it."""
    async with session.get(f"{base}{path}") as answer:
        assert answer.status == 200
        return html.fromstring(await answer.text())


async def press(session: Any, base: str, form: Any, origin: str | None = None, **typed: str) -> Any:
    """What a browser sends when a person fills in a form's fields and presses its button."""
    fields = {**dict(form.form_values()), **typed}
    headers = {"Origin": origin or base, "Sec-Fetch-Site": "same-origin"}
    async with session.post(f"{base}{form.action}", data=fields, headers=headers) as answer:
        return answer.status, html.fromstring(await answer.text())


def switch(page: Any, channel: str, fault: str) -> Any:
    wanted = {"channel": channel, "fault": fault}
    (form,) = [form for form in page.forms if wanted.items() <= dict(form.form_values()).items()]
    return form


def left(page: Any, channel: str, fault: str) -> str:
    return str(switch(page, channel, fault).xpath("string(.//output)"))


async def test_every_fault_of_every_network_has_a_switch_in_words(sandbox_client: Any) -> None:
    base = str(sandbox_client.make_url("")).rstrip("/")
    page = await opened(sandbox_client.session, base)
    for name, fake in Sandbox().fakes.items():
        for fault in fake.faults:
            form = switch(page, name, fault)
            words = str(form.xpath("string(p)"))
            assert " is " in words or " happens" in words, fault
            assert left(page, name, fault) == "off"
    assert not page.xpath("//script")
    assert not page.xpath("//details[@open]")


async def test_switches_are_set_and_cleared_by_forms(sandbox_client: Any) -> None:
    session, base = sandbox_client.session, str(sandbox_client.make_url("")).rstrip("/")
    page = await opened(session, base)
    status, page = await press(session, base, switch(page, "x", "lag"), times="3")
    assert status == 200
    assert left(page, "x", "lag") == "3 left"
    (details,) = page.xpath("//details[@open]")
    assert details.getparent().get("aria-labelledby") == "x"
    _, page = await press(session, base, switch(page, "slack", "edit:refuse"), times="2")
    assert page.xpath("string(//header//button)") == "Clear all failures (2)"
    (of_x,) = [
        f for f in page.forms if f.action.endswith("/clear") and f.fields.get("channel") == "x"
    ]
    _, page = await press(session, base, of_x)
    assert (left(page, "x", "lag"), left(page, "slack", "edit:refuse")) == ("off", "2 left")
    _, page = await press(session, base, page.forms[0])
    assert left(page, "slack", "edit:refuse") == "off"
    async with session.post(f"{base}/faults/clear", json={"channel": "x"}) as answer:
        assert (await answer.json()) == {"cleared": ["x"]}


async def test_a_form_of_another_site_switches_nothing(sandbox_client: Any) -> None:
    session, base = sandbox_client.session, str(sandbox_client.make_url("")).rstrip("/")
    fields = {"channel": "x", "fault": "refuse", "times": "5"}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": base},
    ):
        for path in ("/faults", "/faults/clear"):
            sent = fields if path == "/faults" else {"channel": "x"}
            async with session.post(f"{base}{path}", data=sent, headers=headers) as answer:
                assert (answer.status, (await answer.json())["field"]) == (403, "Origin")
    assert left(await opened(session, base), "x", "refuse") == "off"


async def test_a_bad_form_names_its_field(sandbox_client: Any) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for path, body, status, field in (
        ("/faults", b"channel=x&fault=refuse&times=often", 422, "times"),
        ("/faults", b"channel=x&fault=refuse&times=10001", 422, "times"),
        ("/faults", b"channel=x&fault=none", 422, "fault"),
        ("/faults", b"channel=friendster&fault=refuse", 422, "channel"),
        ("/faults", b"fault=refuse", 422, "channel"),
        ("/faults", b"channel=x&fault=refuse&when=now", 422, "when"),
        ("/faults", b"channel=\xff", 400, "body"),
        ("/faults", b"channel=" + b"x" * 5000, 413, "body"),
        ("/faults/clear", b"channel=friendster", 422, "channel"),
    ):
        async with sandbox_client.post(path, data=body, headers=form) as answer:
            assert (answer.status, (await answer.json())["field"]) == (status, field), body
    async with sandbox_client.post(
        "/faults",
        data=b"channel=x",
        headers={"Content-Type": f"{form['Content-Type']}; charset=no"},
    ) as answer:
        assert answer.status == 422


async def test_replies_stand_below_their_post_and_deleted_ones_are_counted(
    sandbox_client: Any,
) -> None:
    token = (await accounts(sandbox_client))["x"]["access_token"]
    headers = {"Authorization": f"Bearer {token}"}

    async def tweet(text: str, **more: Any) -> str:
        body = {"text": text, **more}
        async with sandbox_client.post("/x/2/tweets", json=body, headers=headers) as answer:
            return str((await answer.json())["data"]["id"])

    first = await tweet("Quay reopens")
    second = await tweet("מעבורת חוזרת")
    reply = await tweet("Correction: at nine.", reply={"in_reply_to_tweet_id": first})
    await tweet("And at ten.", reply={"in_reply_to_tweet_id": reply})
    async with sandbox_client.delete(f"/x/2/tweets/{second}", headers=headers) as answer:
        assert answer.status == 200
    page = await opened(sandbox_client.session, str(sandbox_client.make_url("")).rstrip("/"))
    (section,) = page.xpath("//section[@aria-labelledby='x']")
    (thread,) = section.xpath(".//div[@class='thread']")
    texts = [one.text_content() for one in thread.xpath(".//p[@class='text']")]
    assert texts == ["Quay reopens", "Correction: at nine.", "And at ten."]
    assert all(one.get("dir") == "auto" for one in thread.xpath(".//p[@class='text']"))
    assert "1 deleted" in section.xpath("string(p[contains(@class, 'deleted')])")


async def test_a_failure_switched_on_by_hand_strikes_and_the_post_heals(
    connected: Any, world: Any, eventually: Any
) -> None:
    base = world.networks.rstrip("/")
    page = await opened(connected.session, base)
    _, page = await press(
        connected.session, base, switch(page, "mastodon", "error_after"), times="1"
    )
    assert left(page, "mastodon", "error_after") == "1 left"
    await connected.publish(world.article(connected.clock))

    async def doubted() -> bool:
        return any(item["state"] == "unknown" for item in await connected.deliveries())

    async def healed() -> bool:
        items = await connected.deliveries()
        return len(items) == 2 and all(item["state"] == "confirmed" for item in items)

    await eventually(doubted)
    await eventually(healed)
    page = await opened(connected.session, base, "/?open=mastodon")
    assert left(page, "mastodon", "error_after") == "off"
    (shown,) = page.xpath("//section[@aria-labelledby='mastodon']//article")
    assert "Story number 1." in shown.text_content()
    assert page.xpath("string(//h2[@id='mastodon']/span)") == "1"
