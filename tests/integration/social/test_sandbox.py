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
    assert given["server"] == str(sandbox_client.make_url(f"/{channel}"))

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
