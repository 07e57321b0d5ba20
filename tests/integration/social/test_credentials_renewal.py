"""Tokens that rotate, renewed by whole processes: once whatever the replicas, in time, and only a refusal pauses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from yarl import URL

from services.social.channels import discover
from services.social.channels.oauth import App, Code, Tokens
from services.social.channels.x.fake import XFake
from services.social.channels.x.fake_oauth import CLIENT_ID, CLIENT_SECRET
from services.social.channels.x.oauth import FLOW
from services.social.channels.x.settings import XSettings
from services.social.oauth.alerts import Alerts
from services.social.oauth.apps import Apps, Registered
from services.social.oauth.asking import Asking
from services.social.oauth.proof import challenge, new_verifier
from services.social.oauth.renewing import FRESH, LEASE, Renewals
from services.social.oauth.store import Credentials
from services.social.store import Accounts
from shared.delivery.errors import AuthDead, TryAgain
from shared.runtime.keys import KeyRing
from shared.storage.client import Database
from shared.storage.errors import StorageUnavailable

BACK = "https://news.example.org/api/v1/channels/callback"
ACCOUNT = "x/main"
SECRET = "a secret of more than thirty-two characters"


@dataclass
class Replica:
    """What one process holds of an account's credentials."""

    accounts: Accounts
    credentials: Credentials
    apps: Apps
    renewals: Renewals


@dataclass
class Newsroom:
    """An X account that was connected by consent, seen by any number of replicas."""

    database: Database
    clock: Any
    world: Any
    http: aiohttp.ClientSession

    @property
    def fake(self) -> XFake:
        fake = self.world.sandbox.fakes["x"]
        assert isinstance(fake, XFake)
        return fake

    def replica(self) -> Replica:
        keys = KeyRing(SECRET)
        vault = keys.vault("channel credentials")
        accounts = Accounts(self.database, vault, self.clock)
        credentials = Credentials(accounts, vault, self.clock)
        apps = Apps(self.database, keys.vault("channel apps"), self.clock)
        alerts = Alerts(accounts, self.clock, lambda *_: None)
        ask = Asking(lambda: self.http)
        renewals = Renewals(credentials, apps, alerts, ask, discover, self.clock)
        return Replica(accounts, credentials, apps, renewals)

    async def connected(self) -> Tokens:
        """Consent, exchange, grant: as the routes do it."""
        base = f"{self.world.networks}/x"
        addresses = {"server": base, "web": base}
        settings = {**addresses, **FLOW.filled}
        verifier = new_verifier()
        query = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": BACK,
            "scope": " ".join(FLOW.scopes),
            "state": "s",
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        model = XSettings.model_validate(settings)
        url = FLOW.consent(model)
        async with self.http.get(url, params=query, allow_redirects=False) as answer:
            code = URL(answer.headers["Location"]).query["code"]
        app = App(CLIENT_ID, CLIENT_SECRET)
        ask = Asking(lambda: self.http)
        tokens = await FLOW.exchange(ask, app, model, Code(code, verifier, BACK))
        replica = self.replica()
        await replica.apps.keep("x", Registered(app, addresses))
        kept = {**settings, "access_token": tokens.access_token}
        await replica.credentials.grant("x", "main", kept, tokens, identity="1", renewable=True)
        return tokens

    async def stored(self) -> dict[str, Any]:
        found = await self.database["accounts"].find_one({"_id": ACCOUNT})
        assert found is not None
        return found


@pytest.fixture
async def newsroom(database: Database, clock: Any, world: Any) -> AsyncIterator[Newsroom]:
    async with aiohttp.ClientSession() as http:
        yield Newsroom(database, clock, world, http)


DEAD = AuthDead("HTTP 401: Unauthorized")


async def test_two_replicas_that_refresh_one_rotating_token_at_once_make_one_call(
    newsroom: Newsroom,
) -> None:
    await newsroom.connected()
    newsroom.fake.expire_tokens()
    replicas = [newsroom.replica() for _ in range(2)]
    told = await asyncio.gather(*(one.renewals.instead(ACCOUNT, 1, DEAD) for one in replicas))
    assert newsroom.fake.oauth.refreshes == 1
    assert [type(error) for error in told] == [TryAgain, TryAgain]
    assert all(isinstance(one, TryAgain) and one.after and one.after <= 2 for one in told)
    for one in replicas:  # both go on with what was granted
        settings, version = await one.accounts.opened(ACCOUNT)
        assert version == 2
        assert newsroom.fake.oauth.opens(settings["access_token"])
        again = await one.renewals.instead(ACCOUNT, 1, DEAD)
        assert again.reason == "the credentials were renewed meanwhile"
    assert newsroom.fake.oauth.refreshes == 1


async def test_two_background_loops_make_one_call_when_it_is_due(newsroom: Newsroom) -> None:
    first = await newsroom.connected()
    loops = [newsroom.replica().renewals for _ in range(3)]
    await asyncio.gather(*(one.step() for one in loops))
    assert newsroom.fake.oauth.refreshes == 0
    newsroom.clock.advance(minutes=61)  # half of two hours
    await asyncio.gather(*(one.step() for one in loops))
    assert newsroom.fake.oauth.refreshes == 1
    settings, version = await newsroom.replica().accounts.opened(ACCOUNT)
    assert (version, settings["access_token"] == first.access_token) == (2, False)
    await asyncio.gather(*(one.step() for one in loops))
    assert newsroom.fake.oauth.refreshes == 1


async def test_a_token_that_expires_in_mid_run_is_renewed_once_and_the_posts_go_on(
    start: Any, newsroom: Newsroom, eventually: Any
) -> None:
    await newsroom.connected()
    processes = [await start(), await start()]
    newsroom.clock.advance(seconds=1)
    world = newsroom.world
    await processes[0].publish(world.article(newsroom.clock, 1))
    await eventually(lambda: len(world.posts("x")) == 1)
    newsroom.fake.expire_tokens()
    await asyncio.gather(
        *(
            processes[number % 2].publish(world.article(newsroom.clock, number))
            for number in range(2, 6)
        )
    )
    await eventually(lambda: len(world.posts("x")) == 5, seconds=20)
    assert newsroom.fake.oauth.refreshes == 1
    assert [alert for process in processes for alert in process.alerts] == []
    listed = (await processes[0].call("GET", "/api/v1/channels")).body["items"]
    assert [item["paused"] for item in listed] == [None]


async def test_a_refused_renewal_pauses_the_account_and_tells_one_operator(
    start: Any, newsroom: Newsroom, eventually: Any
) -> None:
    await newsroom.connected()
    process = await start()
    newsroom.clock.advance(seconds=1)
    newsroom.fake.oauth.revoke()
    await process.publish(newsroom.world.article(newsroom.clock))
    await eventually(lambda: process.alerts)
    assert [one.fingerprint for one in process.alerts] == [f"auth-dead:{ACCOUNT}"]
    (item,) = (await process.call("GET", "/api/v1/channels")).body["items"]
    assert item["paused"]["reason"].startswith("credentials: HTTP 400: invalid_request")
    assert newsroom.fake.oauth.refreshes == 1
    assert newsroom.world.posts("x") == []


async def test_a_refusal_in_the_background_pauses_before_a_post_finds_out(
    newsroom: Newsroom,
) -> None:
    await newsroom.connected()
    newsroom.fake.oauth.revoke()
    newsroom.clock.advance(minutes=61)
    replicas = [newsroom.replica() for _ in range(2)]
    await asyncio.gather(*(one.renewals.step() for one in replicas))
    pause = await replicas[0].accounts.pause_for([ACCOUNT])
    assert pause is not None
    assert len((await newsroom.stored())["outbox"]) == 1
    newsroom.clock.advance(hours=5)
    await asyncio.gather(*(one.renewals.step() for one in replicas))
    assert newsroom.fake.oauth.refreshes == 1


async def test_a_network_that_is_away_puts_off_and_pauses_nothing(newsroom: Newsroom) -> None:
    await newsroom.connected()
    one = newsroom.replica()
    newsroom.fake.expire_tokens()
    newsroom.fake.oauth.unavailable = 4
    told = await one.renewals.instead(ACCOUNT, 1, DEAD)
    assert isinstance(told, TryAgain)
    assert "cannot be renewed now: HTTP 503" in told.reason
    waiting = await one.renewals.instead(ACCOUNT, 1, DEAD)
    assert isinstance(waiting, TryAgain)
    assert newsroom.fake.oauth.refreshes == 1  # put off means nobody asks
    for minutes in (2, 6, 16):
        newsroom.clock.advance(minutes=minutes)
        await one.renewals.step()
    assert newsroom.fake.oauth.refreshes == 4
    assert len((await newsroom.stored())["outbox"]) == 1  # one warning after four in a row
    assert await one.accounts.pause_for([ACCOUNT]) is None
    newsroom.clock.advance(minutes=61)
    await one.renewals.step()
    stored = await newsroom.stored()
    assert stored["credentials_version"] == 2
    assert "renewal_problem" not in stored


async def test_without_the_app_nothing_is_asked_and_nothing_pauses(newsroom: Newsroom) -> None:
    await newsroom.connected()
    await newsroom.database["apps"].delete_many({})
    told = await newsroom.replica().renewals.instead(ACCOUNT, 1, DEAD)
    assert isinstance(told, TryAgain)
    assert "the app credentials for x are not entered" in told.reason
    assert newsroom.fake.oauth.refreshes == 0


async def test_new_credentials_that_are_dead_too_are_not_renewed_again(
    newsroom: Newsroom,
) -> None:
    await newsroom.connected()
    one = newsroom.replica()
    assert isinstance(await one.renewals.instead(ACCOUNT, 1, DEAD), TryAgain)
    assert await one.renewals.instead(ACCOUNT, 2, DEAD) is DEAD
    assert newsroom.fake.oauth.refreshes == 1
    newsroom.clock.advance(seconds=FRESH.total_seconds() + 1)
    assert isinstance(await one.renewals.instead(ACCOUNT, 2, DEAD), TryAgain)
    assert newsroom.fake.oauth.refreshes == 2


async def test_a_holder_that_died_gives_way_when_its_lease_is_over(newsroom: Newsroom) -> None:
    await newsroom.connected()
    one = newsroom.replica()
    standing = await one.credentials.of(ACCOUNT)
    assert standing is not None
    assert await one.credentials.claim(standing, LEASE, reviving=False)
    told = await newsroom.replica().renewals.instead(ACCOUNT, 1, DEAD)
    assert told.reason == "the credentials are being renewed"
    newsroom.clock.advance(seconds=LEASE.total_seconds() + 1)
    told = await newsroom.replica().renewals.instead(ACCOUNT, 1, DEAD)
    assert told.reason == "the credentials were renewed"


async def test_a_lost_answer_is_named_when_the_network_then_refuses(newsroom: Newsroom) -> None:
    """It had rotated, and the process that asked died before it wrote that down."""
    tokens = await newsroom.connected()
    one = newsroom.replica()
    standing = await one.credentials.of(ACCOUNT)
    assert standing is not None
    assert await one.credentials.claim(standing, LEASE, reviving=False)
    registered = await one.apps.of("x")
    assert registered is not None
    assert FLOW.refresh is not None
    model = XSettings.model_validate({**registered.addresses, **FLOW.filled})
    await FLOW.refresh(Asking(lambda: newsroom.http), registered.app, model, tokens)
    newsroom.clock.advance(seconds=LEASE.total_seconds() + 1)
    told = await one.renewals.instead(ACCOUNT, 1, DEAD)
    assert isinstance(told, AuthDead)
    assert "an earlier renewal was cut off" in told.reason


async def test_what_was_granted_outlives_a_database_that_is_away_for_a_moment(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await newsroom.connected()
    one = newsroom.replica()
    renewed, away = one.credentials.renewed, [True, True]

    async def failing(*args: Any) -> bool:
        if away:
            away.pop()
            raise StorageUnavailable("no primary")
        return await renewed(*args)

    monkeypatch.setattr(one.credentials, "renewed", failing)
    assert isinstance(await one.renewals.instead(ACCOUNT, 1, DEAD), TryAgain)
    settings, _ = await one.accounts.opened(ACCOUNT)
    assert newsroom.fake.oauth.opens(settings["access_token"])


async def test_a_consent_during_a_renewal_wins(newsroom: Newsroom) -> None:
    await newsroom.connected()
    one = newsroom.replica()
    standing = await one.credentials.of(ACCOUNT)
    assert standing is not None
    renewal = await one.credentials.claim(standing, LEASE, reviving=False)
    assert renewal is not None
    fresh = await newsroom.connected()
    assert not await one.credentials.renewed(renewal, renewal.settings, renewal.tokens)
    assert not await one.credentials.refuse(renewal, "too late")
    settings, version = await one.accounts.opened(ACCOUNT)
    assert (settings["access_token"], version) == (fresh.access_token, 2)


async def test_an_account_entered_by_hand_is_as_dead_as_before(newsroom: Newsroom) -> None:
    one = newsroom.replica()
    await one.accounts.add("x", "main", newsroom.world.account("x"))
    assert await one.renewals.instead(ACCOUNT, 0, DEAD) is DEAD
    assert await one.renewals.instead("x/nobody", 0, DEAD) is DEAD


async def test_no_secret_is_logged_or_stored_in_clear(
    newsroom: Newsroom, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    # The stand-in's own: no server of ours keeps one.
    caplog.set_level(logging.CRITICAL, "aiohttp.access")
    tokens = await newsroom.connected()
    one = newsroom.replica()
    newsroom.fake.oauth.unavailable = 1
    await one.renewals.instead(ACCOUNT, 1, DEAD)
    newsroom.clock.advance(minutes=2)
    await one.renewals.step()
    settings, _ = await one.accounts.opened(ACCOUNT)
    newsroom.fake.oauth.revoke()
    newsroom.clock.advance(minutes=61)
    await one.renewals.step()
    kept = [await newsroom.database[name].find({}) for name in ("accounts", "apps", "pauses")]
    secrets = (tokens.access_token, tokens.refresh_token, settings["access_token"], CLIENT_SECRET)
    for text in (caplog.text, *capfd.readouterr(), str(kept)):
        assert not any(secret in text for secret in secrets)
