"""Webhooks: signed, the same id on every attempt, off at 410, patient at 429, and never into our own house."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from services.notifications.webhooks.sender import Sender
from shared.contracts.articles import Article, Status
from shared.contracts.identity import Role
from shared.contracts.outlets import DeliveryState
from shared.runtime.clock import ManualClock
from shared.storage.client import Database

Story = Callable[..., Article]
OUTLET = "webhook/partner"


@pytest.fixture
async def secret(replica: Any, partner: Any) -> str:
    """A registered webhook's secret."""
    status, made = await replica.call(
        "POST", "/api/v1/webhooks", {"name": "partner", "url": partner.url}
    )
    assert status == 201
    found: str = made["secret"]
    return found


async def test_every_revision_is_one_signed_message(
    replica: Any, partner: Any, secret: str, story: Story, monkeypatch: Any
) -> None:
    for article in (story(), story(revision=2, corrections=1), story(revision=2, corrections=1)):
        await replica.handle(article)
        await replica.work()
    await replica.handle(story(revision=3, status=Status.RETRACTED))
    await replica.work()
    assert [body["type"] for body in partner.bodies] == [
        "article.published",
        "article.updated",
        "article.retracted",
    ]
    assert partner.bodies[1]["data"]["corrections"][0]["text"] == "Notice 1."
    assert partner.bodies[2]["data"]["retraction"]["reason"] == "It was not so."
    assert len(set(partner.ids)) == 3
    # The test's clock stands still, so the library's check of the age must look at that clock.
    verifier = Webhook(secret)
    now = replica.clock.now()
    monkeypatch.setattr(
        "standardwebhooks.webhooks.datetime",
        type("Then", (), {"now": lambda tz=None: now, "fromtimestamp": now.fromtimestamp}),
    )
    for headers, raw in partner.got:
        assert verifier.verify(raw, headers)["data"]["id"] == story().id
        assert int(headers["webhook-timestamp"]) == int(now.timestamp())
    assert {line.state for line in replica.lines(OUTLET)} == {DeliveryState.CONFIRMED}
    assert len(replica.lines(OUTLET)) == 3


async def test_lost_order_still_names_each_revision_rightly(
    replica: Any, partner: Any, secret: str, story: Story
) -> None:
    await replica.handle(story(revision=4))
    await replica.handle(story(revision=3))
    await replica.handle(story(revision=5))
    await replica.work()
    found = [(body["type"], body["data"]["revision"]) for body in partner.bodies]
    assert sorted(found) == [("article.published", 4), ("article.updated", 5)]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_error_is_repeated_with_the_same_id(
    replica: Any, partner: Any, secret: str, story: Story, clock: ManualClock, status: int
) -> None:
    partner.answers = [web.Response(status=status), web.Response(status=status)]
    await replica.handle(story())
    await replica.work()
    [line] = replica.lines(OUTLET)
    assert line.state is DeliveryState.UNKNOWN
    for _ in range(3):
        clock.advance(400)
        await replica.work()
    assert len(partner.got) == 3
    assert len(set(partner.ids)) == 1
    assert len({raw for _, raw in partner.got}) == 1
    stamps = [int(headers["webhook-timestamp"]) for headers, _ in partner.got]
    assert stamps[0] < stamps[1] < stamps[2], "the time is that of the attempt"
    [line] = replica.lines(OUTLET)
    assert line.state is DeliveryState.CONFIRMED


async def test_a_receiver_that_says_nothing_is_asked_again_with_the_same_id(
    replica: Any,
    partner: Any,
    secret: str,
    story: Story,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sender: Sender = replica.hooks._outside._sender
    monkeypatch.setattr(sender, "_timeout_seconds", 0.2)
    partner.answers = ["silence"]
    await replica.handle(story())
    await replica.work()
    [line] = replica.lines(OUTLET)
    assert (line.state, line.reason) == (DeliveryState.UNKNOWN, "no answer within 0.2 seconds")
    clock.advance(10)
    await replica.work()
    assert len(partner.got) == 2
    assert len(set(partner.ids)) == 1


async def test_a_process_killed_while_sending_sends_the_same_message_again(
    replica: Any,
    partner: Any,
    secret: str,
    story: Story,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    start_replica: Any,
) -> None:
    class Killed(BaseException):
        pass

    post = Sender.post

    async def dying(self: Sender, *args: Any) -> Any:
        await post(self, *args)
        raise Killed

    await replica.handle(story())
    with monkeypatch.context() as patched:
        patched.setattr(Sender, "post", dying)
        with pytest.raises(Killed):
            await replica.hooks.run_due()
    successor = await start_replica()
    clock.advance(91)
    await successor.work()
    assert len(partner.got) == 2
    assert len(set(partner.ids)) == 1
    [line] = successor.lines(OUTLET)
    assert line.state is DeliveryState.CONFIRMED


async def test_a_redirect_is_a_failure_and_is_not_followed(
    replica: Any, partner: Any, secret: str, story: Story
) -> None:
    partner.answers = [web.Response(status=307, headers={"Location": partner.url})]
    await replica.handle(story())
    await replica.work()
    assert len(partner.got) == 1
    [line] = replica.lines(OUTLET)
    assert (line.state, line.reason) == (DeliveryState.WAITING, "the receiver answered 307")


async def test_gone_switches_it_off_and_tells_an_operator(
    replica: Any, partner: Any, secret: str, story: Story
) -> None:
    partner.answers = [web.Response(status=410)]
    await replica.handle(story())
    await replica.work()
    [line] = replica.lines(OUTLET)
    assert line.state is DeliveryState.FAILED
    _, listed = await replica.call("GET", "/api/v1/webhooks")
    assert [one["enabled"] for one in listed["items"]] == [False]
    assert "operator.alert" in {message.routing_key for message in replica.bus.published}
    await replica.handle(story(revision=2))
    await replica.work()
    assert len(partner.got) == 1
    assert len(replica.lines(OUTLET)) == 1, "nothing more is planned for it"


async def test_too_many_requests_makes_the_whole_endpoint_wait(
    replica: Any, partner: Any, secret: str, story: Story, clock: ManualClock
) -> None:
    partner.answers = [web.Response(status=429, headers={"Retry-After": "100"})]
    await replica.handle(story())
    await replica.work()
    await replica.handle(story(number=2))
    clock.advance(99)
    await replica.work()
    assert len(partner.got) == 1
    clock.advance(2)
    await replica.work()
    assert len(partner.got) == 3
    assert partner.ids[0] in partner.ids[1:]


async def test_a_refusal_is_tried_ten_times_and_then_given_up(
    replica: Any, partner: Any, secret: str, story: Story, clock: ManualClock
) -> None:
    partner.answers = [web.Response(status=404) for _ in range(30)]
    await replica.handle(story())
    for _ in range(100):
        await replica.work()
        clock.advance(3600)
    assert 9 <= len(partner.got) <= 10
    [line] = replica.lines(OUTLET)
    assert line.state in {DeliveryState.FAILED, DeliveryState.MISSED}


async def test_a_huge_answer_costs_nothing(
    replica: Any, partner: Any, secret: str, story: Story
) -> None:
    partner.answers = [web.Response(body=b"x" * 20_000_000)]
    await replica.handle(story())
    await replica.work()
    [line] = replica.lines(OUTLET)
    assert line.state is DeliveryState.CONFIRMED


async def test_a_late_publication_message_never_follows_a_retraction(
    replica: Any, partner: Any, secret: str, story: Story, clock: ManualClock
) -> None:
    partner.answers = [web.Response(status=404)]
    await replica.handle(story())
    await replica.work()
    await replica.handle(story(revision=2, status=Status.RETRACTED))
    clock.advance(3600)
    await replica.work()
    assert [body["type"] for body in partner.bodies] == ["article.published", "article.retracted"]


async def test_a_doubtful_publication_message_is_not_repeated_after_a_retraction(
    replica: Any, partner: Any, secret: str, story: Story, clock: ManualClock
) -> None:
    partner.answers = [web.Response(status=500)]
    await replica.handle(story())
    await replica.work()
    await replica.handle(story(revision=2, status=Status.RETRACTED))
    for _ in range(3):
        clock.advance(3600)
        await replica.work()
    assert [body["type"] for body in partner.bodies] == ["article.published", "article.retracted"]
    states = sorted(line.state.value for line in replica.lines(OUTLET))
    assert states == ["confirmed", "unknown"], "whether the first one was taken stays unknown"


async def test_filters_and_age_decide_who_is_told(
    replica: Any, partner: Any, story: Story, clock: ManualClock
) -> None:
    early = story()
    clock.advance(1)
    await replica.call(
        "POST",
        "/api/v1/webhooks",
        {"name": "only-gone", "url": partner.url, "events": ["article.retracted"]},
    )
    _, all_events = await replica.call(
        "POST", "/api/v1/webhooks", {"name": "all", "url": partner.url}
    )
    await replica.handle(early)
    await replica.work()
    assert partner.got == [], "registered after the act, so not told of it"
    await replica.call("DELETE", f"/api/v1/webhooks/{all_events['id']}")
    await replica.handle(story(revision=2))
    await replica.work()
    assert partner.got == []
    await replica.handle(story(revision=3, status=Status.RETRACTED))
    await replica.work()
    assert [body["type"] for body in partner.bodies] == ["article.retracted"]
    skipped = story(number=2, status=Status.RETRACTED, skip_outlets=("webhook/only-gone",))
    await replica.handle(skipped)
    await replica.work()
    assert len(partner.got) == 1


FORBIDDEN = [
    "http://example.org/hook",
    "ftp://example.org/hook",
    "https://localhost/hook",
    "https://localhost.:443/hook",
    "https://127.0.0.2/hook",
    "https://127.1.1.1/",
    "https://2130706434/",
    "https://0x7f000002/",
    "https://0177.0.0.2/",
    "https://0x7f.0.0.2/",
    "https://127.2/",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/",
    "https://192.0.0.1/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.2]/",
    "https://[::ffff:7f00:2]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::7f00:1]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[fc00::1]/",
    "https://[fd12:3456::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[2002:7f00:1::]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://user:pass@example.org/hook",
    "https://example.org:8443/hook",
    "https://intranet/hook",
    "https://db.internal/hook",
    "https://printer.local/hook",
    "https://①②⑦.⓪.⓪.②/",
    "https:///hook",
    "//example.org/hook",
    "javascript:alert(1)",
    "not an address",
]


async def test_no_spelling_of_an_inner_address_is_registered(
    replica: Any, database: Database
) -> None:
    for number, url in enumerate(FORBIDDEN):
        status, problem = await replica.call(
            "POST", "/api/v1/webhooks", {"name": f"w{number}", "url": url}
        )
        assert (status, problem.get("field")) == (422, "url"), url
    assert await database["webhooks"].count({}) == 0


@pytest.mark.parametrize(
    "url", ["https://127.0.0.2/hook", "http://example.org/hook", "https://[::1]/hook"]
)
async def test_an_inner_address_that_got_in_is_refused_when_connecting(
    replica: Any, secret: str, partner: Any, story: Story, database: Database, url: str
) -> None:
    await database["webhooks"].update_one({}, {"$set": {"url": url}})
    await replica.handle(story())
    await replica.work()
    [line] = replica.lines(OUTLET)
    assert line.state is DeliveryState.FAILED
    assert "not allowed" in (line.reason or "")
    assert partner.got == []


async def test_a_name_that_leads_inside_is_never_connected_to(
    replica: Any, secret: str, story: Story, database: Database, monkeypatch: Any
) -> None:
    async def inside(self: Any, host: str, port: int = 0, family: Any = None) -> Any:
        return [
            {
                "hostname": host,
                "host": "127.0.0.2",
                "port": port,
                "family": 2,
                "proto": 0,
                "flags": 0,
            }
        ]

    monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", inside)
    await database["webhooks"].update_one({}, {"$set": {"url": "https://rebound.example/hook"}})
    await replica.handle(story())
    await replica.work()
    [line] = replica.lines(OUTLET)
    assert line.state is DeliveryState.WAITING
    assert "private or special address" in (line.reason or "")


async def test_the_secret_is_shown_once_and_sealed(
    replica: Any, secret: str, partner: Any, database: Database
) -> None:
    assert secret.startswith("whsec_")
    _, listed = await replica.call("GET", "/api/v1/webhooks")
    [shown] = listed["items"]
    assert "secret" not in shown
    assert shown["url"] == partner.url
    stored = await database["webhooks"].find_one({})
    assert secret not in str(stored)
    status, one = await replica.call("GET", f"/api/v1/webhooks/{shown['id']}")
    assert (status, "secret" in one) == (200, False)
    status, problem = await replica.call(
        "POST", "/api/v1/webhooks", {"name": "partner", "url": partner.url}
    )
    assert (status, problem["field"]) == (409, "name")


async def test_a_test_message_is_sent_at_once_and_its_answer_told(
    replica: Any, secret: str, partner: Any
) -> None:
    _, listed = await replica.call("GET", "/api/v1/webhooks")
    path = f"/api/v1/webhooks/{listed['items'][0]['id']}"
    partner.answers = [web.Response(status=204), web.Response(status=500)]
    status, good = await replica.call("POST", f"{path}/test")
    assert (status, good["ok"], good["status"]) == (200, True, 204)
    status, bad = await replica.call("POST", f"{path}/test")
    assert (status, bad["ok"], bad["status"]) == (200, False, 500)
    assert [body["type"] for body in partner.bodies] == ["herald.test"] * 2
    assert (await replica.call("DELETE", path))[0] == 204
    assert (await replica.call("POST", f"{path}/test"))[0] == 404


async def test_only_chiefs_handle_webhooks(replica: Any, partner: Any) -> None:
    body = {"name": "w", "url": partner.url}
    for role, wanted in ((None, 401), (Role.EDITOR, 403), (Role.CHIEF, 201)):
        assert (await replica.call("POST", "/api/v1/webhooks", body, role))[0] == wanted


async def test_a_retraction_does_not_keep_a_partner_from_hearing_that_it_was_unpublished(
    replica: Any, partner: Any, story: Story, clock: ManualClock
) -> None:
    events = ["article.published", "article.unpublished"]
    body = {"name": "quiet", "url": partner.url, "events": events}
    await replica.call("POST", "/api/v1/webhooks", body)
    await replica.handle(story())
    await replica.work()
    partner.answers = [web.Response(status=404)]
    await replica.handle(story(revision=2, status=Status.UNPUBLISHED))
    await replica.work()
    await replica.handle(story(revision=3, status=Status.RETRACTED))
    clock.advance(3600)
    await replica.work()
    assert [one["type"] for one in partner.bodies] == [
        "article.published",
        "article.unpublished",
        "article.unpublished",
    ]
    assert len(set(partner.ids)) == 2


async def test_partners_do_not_hear_of_what_was_published_elsewhere(
    replica: Any, partner: Any, secret: str, story: Story
) -> None:
    await replica.handle(story(imported=True))
    await replica.handle(story(revision=2, corrections=1, imported=True))
    await replica.handle(story(revision=3, status=Status.RETRACTED, imported=True))
    await replica.work()
    assert partner.got == []
    await replica.handle(story(number=2, publication=2, revision=4))
    await replica.work()
    assert [body["type"] for body in partner.bodies] == ["article.published"]
