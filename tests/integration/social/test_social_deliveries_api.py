"""`/api/v1/deliveries` on the real service: roles, filters, pages, encoded ids, every act in every state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from shared.contracts.identity import Role
from shared.contracts.outlets import DeliveryState
from shared.storage.client import Database

ROOT = "/api/v1/deliveries"
ARTICLE = "019ab000-0000-7000-8000-000000000001"
ID = f"{ARTICLE}:social/mastodon/main:post:1"


async def planned(desk: Any, world: Any, articles: int = 1) -> list[dict[str, Any]]:
    """Two accounts, and this many articles waiting for each."""
    for channel in ("mastodon", "bluesky"):
        await desk.connect(channel, world.account(channel))
    for number in range(1, articles + 1):
        await desk.publish(world.article(desk.clock, number))
    items: list[dict[str, Any]] = await desk.deliveries()
    return items


async def put_into(database: Database, state: str) -> None:
    """As the worker leaves a delivery in this state."""
    change: dict[str, Any] = {"$set": {"state": state, "fence": 7}}
    if state in {"confirmed", "failed", "missed", "cancelled"}:
        change["$unset"] = {"due_at": ""}
    await database["deliveries"].update_one({"_id": ID}, change)


async def test_each_route_asks_for_its_role(desk: Any, world: Any, database: Database) -> None:
    await planned(desk, world)
    one = f"{ROOT}/{quote(ID, safe='')}"
    for method, path, body, least in (
        ("GET", ROOT, None, Role.CONTRIBUTOR),
        ("GET", one, None, Role.CONTRIBUTOR),
        ("POST", f"{one}/retry", None, Role.EDITOR),
        ("POST", f"{one}/resolve", {"outcome": "happened"}, Role.EDITOR),
        ("POST", f"{one}/cancel", None, Role.EDITOR),
    ):
        await put_into(database, "unknown" if path.endswith("resolve") else "planned")
        anonymous = await desk.call(method, path, body, role=None)
        assert (anonymous.status, anonymous.field) == (401, "Authorization"), path
        forged = await desk.call(method, path, body, token="a.b.c")
        assert (forged.status, forged.field) == (401, "Authorization"), path
        for role in Role:
            if role < least:
                refused = await desk.call(method, path, body, role=role)
                assert (refused.status, refused.field) == (403, "Authorization"), path
        assert (await desk.call(method, path, body, role=least)).status == 200, path


async def test_filters_and_pages(desk: Any, world: Any, database: Database) -> None:
    everything = await planned(desk, world, articles=4)
    assert len(everything) == 8
    await put_into(database, "failed")
    failed = await desk.deliveries("?state=failed")
    assert [item["id"] for item in failed] == [ID]
    assert len(await desk.deliveries("?state=planned")) == 7
    assert len(await desk.deliveries(f"?article={ARTICLE}")) == 2
    outlet = quote("social/bluesky/main", safe="")
    assert {item["outlet"] for item in await desk.deliveries(f"?outlet={outlet}")} == {
        "social/bluesky/main"
    }
    both = f"?outlet={outlet}&article={ARTICLE}"
    assert len(await desk.deliveries(both)) == 1
    assert await desk.deliveries(f"{both}&state=confirmed") == []
    assert await desk.deliveries("?article=%24ne") == []

    for limit in (1, 3, 8, 100):
        seen: list[str] = []
        cursor = ""
        for _ in range(9):
            answer = await desk.call("GET", f"{ROOT}?limit={limit}{cursor}")
            assert len(answer.body["items"]) <= limit
            seen += [item["id"] for item in answer.body["items"]]
            if answer.body["next"] is None:
                break
            cursor = f"&cursor={quote(answer.body['next'], safe='')}"
        assert seen == [item["id"] for item in everything], limit
        assert seen == sorted(seen, reverse=True)


async def test_a_bad_query_names_its_parameter(desk: Any) -> None:
    for query, field in (
        ("state=done", "state"),
        ("state=", "state"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=-1", "limit"),
        ("cursor=", "cursor"),
        ("cursor=" + "x" * 301, "cursor"),
        ("article=a&article=b", "article"),
        ("outlet=%00", "outlet"),
        ("state[$ne]=failed", "state[$ne]"),
        ("sort=due_at", "sort"),
    ):
        refused = await desk.call("GET", f"{ROOT}?{query}")
        assert (refused.status, refused.field) == (422, field), query


async def test_an_id_with_slashes_is_found_only_when_encoded(desk: Any, world: Any) -> None:
    await planned(desk, world)
    found = await desk.delivery(ID)
    assert found.status == 200
    assert found.body["id"] == found.body["delivery"] == ID
    assert found.body["outlet"] == "social/mastodon/main"
    assert found.body["state"] == "planned"
    assert found.body["payload"] is None
    bare = await desk.call("GET", f"{ROOT}/{ID}")
    assert (bare.status, bare.field) == (404, "path")
    for missing in ("nope", ID + "2", "%00", "../channels", "ID:é"):
        for act in ("", "retry", "cancel"):
            answer = await desk.delivery(missing, act)
            assert (answer.status, answer.field) == (404, "id"), (missing, act)
    unresolved = await desk.delivery("nope", "resolve", {"outcome": "happened"})
    assert (unresolved.status, unresolved.field) == (404, "id")


REFUSALS: dict[str, dict[str, str | None]] = {
    "planned": {"retry": None, "cancel": None, "resolve": "only an unknown outcome"},
    "waiting": {"retry": None, "cancel": None, "resolve": "only an unknown outcome"},
    "claimed": {
        "retry": "being sent right now",
        "cancel": "only what has not begun",
        "resolve": "only an unknown outcome",
    },
    "armed": {
        "retry": "being sent right now",
        "cancel": "only what has not begun",
        "resolve": "only an unknown outcome",
    },
    "confirmed": {
        "retry": "already happened",
        "cancel": "only what has not begun",
        "resolve": "only an unknown outcome",
    },
    "unknown": {
        "retry": "resolve it first, or it may happen twice",
        "cancel": "only what has not begun",
        "resolve": None,
    },
    "failed": {"retry": None, "cancel": "only what has not begun", "resolve": "only an unknown"},
    "missed": {"retry": None, "cancel": "only what has not begun", "resolve": "only an unknown"},
    "cancelled": {"retry": None, "cancel": "only what has not begun", "resolve": "only an unknown"},
}
"""State -> act -> why it is refused; None where it is done."""
BECOMES = {"retry": "planned", "cancel": "cancelled", "resolve": "confirmed"}


async def test_every_act_in_every_state(desk: Any, world: Any, database: Database) -> None:
    await planned(desk, world)
    assert set(REFUSALS) == {state.value for state in DeliveryState}
    for state, acts in REFUSALS.items():
        for act, refusal in acts.items():
            await put_into(database, state)
            body = {"outcome": "happened"} if act == "resolve" else None
            answer = await desk.delivery(ID, act, body)
            now = (await desk.delivery(ID)).body
            if refusal is None:
                assert answer.status == 200, (state, act, answer.text)
                assert answer.body["state"] == now["state"] == BECOMES[act], (state, act)
                assert "A ADMIN" in now["reason"]
            else:
                assert (answer.status, answer.field) == (409, "state"), (state, act)
                assert refusal in answer.body["detail"], (state, act)
                assert now["state"] == state


async def test_a_person_resolves_what_nobody_could_know(
    desk: Any, world: Any, database: Database
) -> None:
    await planned(desk, world)
    await put_into(database, "unknown")
    for body, field in (
        ({}, "outcome"),
        ({"outcome": "maybe"}, "outcome"),
        ({"outcome": "happened", "url": "javascript:alert(1)"}, "url"),
        ({"outcome": "happened", "url": "https://m.example/" + "x" * 2000}, "url"),
        ({"outcome": "happened", "by": "me"}, "by"),
    ):
        refused = await desk.delivery(ID, "resolve", body)
        assert (refused.status, refused.field) == (422, field), body
    there = await desk.delivery(
        ID, "resolve", {"outcome": "happened", "url": "https://m.example/@us/1"}
    )
    assert there.body["state"] == "confirmed"
    assert there.body["url"] == "https://m.example/@us/1"
    assert there.body["reason"] == "seen there by A ADMIN"
    await put_into(database, "unknown")
    absent = await desk.delivery(ID, "resolve", {"outcome": "did_not_happen"})
    assert absent.body["state"] == "planned"
    assert absent.body["reason"] == "not there, says A ADMIN"


async def test_what_a_person_asks_for_is_never_too_late(
    desk: Any, world: Any, database: Database
) -> None:
    await planned(desk, world)
    before = await database["deliveries"].find_one({"_id": ID})
    assert before is not None
    assert before["expires_at"] - before["planned_at"] > timedelta(hours=5)
    await put_into(database, "missed")
    await desk.delivery(ID, "retry")
    after = await database["deliveries"].find_one({"_id": ID})
    assert after is not None
    assert after["expires_at"] is None
    assert after["due_at"] is not None


async def test_a_stale_page_changes_nothing(
    desk: Any, world: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker moves the delivery on between the desk's look and its write."""
    from shared.delivery.ledger import Ledger

    await planned(desk, world)
    look = Ledger.get

    async def then_moved(ledger: Ledger, delivery_id: str) -> Any:
        found = await look(ledger, delivery_id)
        await database["deliveries"].update_one({"_id": ID}, {"$inc": {"fence": 1}})
        return found

    monkeypatch.setattr(Ledger, "get", then_moved)
    refused = await desk.delivery(ID, "cancel")
    assert (refused.status, refused.field) == (409, "state")
    assert "look again" in refused.body["detail"]
    monkeypatch.undo()
    assert (await desk.delivery(ID)).body["state"] == "planned"
