"""What only a person can renew is said 14, 7 and 1 days before, once, and stands in the list of accounts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.social.channels import discover
from services.social.channels.oauth import Tokens
from services.social.oauth.alerts import Alerts
from services.social.oauth.apps import Apps
from services.social.oauth.asking import Asking
from services.social.oauth.renewing import Renewals
from services.social.oauth.store import Credentials
from services.social.store import Accounts
from shared.runtime.keys import KeyRing
from shared.storage.client import Database

SECRET = "a secret of more than thirty-two characters"
DAY = 86_400


class Replica:
    """What one process holds; `woken` are the accounts whose event it would take to the broker."""

    def __init__(self, database: Database, clock: Any) -> None:
        vault = KeyRing(SECRET).vault("channel credentials")
        self.accounts = Accounts(database, vault, clock)
        self.credentials = Credentials(self.accounts, vault, clock)
        self.woken: list[str] = []
        alerts = Alerts(self.accounts, clock, lambda _, id: self.woken.append(id))

        def no_session() -> Any:
            raise AssertionError("a warning asks no network")

        apps = Apps(database, vault, clock)
        ask = Asking(no_session)
        self.renewals = Renewals(self.credentials, apps, alerts, ask, discover, clock)

    async def grant(self, world: Any, *, days: float | None) -> None:
        tokens = Tokens("token-of-nobody", expires_in=None if days is None else days * DAY)
        settings = world.account("x")
        await self.credentials.grant("x", "main", settings, tokens, identity="1", renewable=False)


@pytest.fixture
def replicas(database: Database, clock: Any) -> list[Replica]:
    return [Replica(database, clock) for _ in range(3)]


async def all_step(replicas: list[Replica]) -> int:
    """How many warnings came of one round of every replica."""
    before = sum(len(one.woken) for one in replicas)
    await asyncio.gather(*(one.renewals.step() for one in replicas))
    return sum(len(one.woken) for one in replicas) - before


async def events(database: Database) -> list[str]:
    (found,) = await database["accounts"].find({})
    return [bytes(one["body"]).decode() for one in found.get("outbox", [])]


async def test_each_step_is_said_once_whatever_the_replicas(
    replicas: list[Replica], database: Database, clock: Any, world: Any
) -> None:
    await replicas[0].grant(world, days=20)
    assert await all_step(replicas) == 0
    for to_pass, said in ((6.5, 1), (0.5, 0), (6, 1), (1, 0), (5.5, 1), (0.3, 0), (5, 0)):
        clock.advance(days=to_pass)
        assert await all_step(replicas) == said, to_pass
        assert await all_step(replicas) == 0
    told = await events(database)
    for event, days, severity in zip(
        told, (14, 7, 1), ("warning", "warning", "critical"), strict=True
    ):
        assert f'"credentials-end-{days}:x/main"' in event
        assert f'"{severity}"' in event
        assert "connect the account again" in event
        assert "token-of-nobody" not in event


async def test_a_service_that_was_down_says_only_the_nearest_step(
    replicas: list[Replica], database: Database, clock: Any, world: Any
) -> None:
    await replicas[0].grant(world, days=20)
    clock.advance(days=14)
    assert await all_step(replicas) == 1
    assert '"credentials-end-7:x/main"' in (await events(database))[0]


async def test_new_credentials_begin_anew_and_lasting_ones_say_nothing(
    replicas: list[Replica], clock: Any, world: Any
) -> None:
    await replicas[0].grant(world, days=10)
    assert await all_step(replicas) == 1
    await replicas[1].grant(world, days=60)
    assert await all_step(replicas) == 0
    clock.advance(days=47)
    assert await all_step(replicas) == 1
    await replicas[2].grant(world, days=None)
    clock.advance(days=4000)
    assert await all_step(replicas) == 0


async def test_the_list_tells_when_credentials_end(
    replicas: list[Replica], desk: Any, world: Any, clock: Any
) -> None:
    async def listed() -> dict[str, Any]:
        items = (await desk.call("GET", "/api/v1/channels")).body["items"]
        return {item["id"]: item["credentials"] for item in items}

    await desk.connect("mastodon", world.account("mastodon"))
    await replicas[0].grant(world, days=20)
    found = await listed()
    assert found["mastodon/main"] is None
    assert found["x/main"]["ends_at"]
    assert (found["x/main"]["renews"], found["x/main"]["forecast"]) == (False, None)
    clock.advance(days=10)
    assert "run out in 10 days" in (await listed())["x/main"]["forecast"]
    clock.advance(days=11)
    assert "have run out" in (await listed())["x/main"]["forecast"]


async def test_the_end_is_told_to_operators_by_the_running_service(
    start: Any, replicas: list[Replica], world: Any, eventually: Any
) -> None:
    await replicas[0].grant(world, days=6)
    processes = [await start() for _ in range(2)]
    await eventually(lambda: any(process.alerts for process in processes))
    await asyncio.sleep(0.3)
    told = [alert for process in processes for alert in process.alerts]
    assert [alert.fingerprint for alert in told] == ["credentials-end-7:x/main"]
