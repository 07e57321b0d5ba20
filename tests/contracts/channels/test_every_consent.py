"""Every channel that is connected by consent: whom it posts as, what is refused, and when a person is needed again."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from yarl import URL

from services.social.channels import discover
from services.social.channels.base import Channel, ChannelSpec
from services.social.channels.fake_consent import CLIENT_ID, CLIENT_SECRET, Granted
from services.social.channels.oauth import App, Code, OAuthFlow
from services.social.domain.errors import ChoiceRefused, NotConsentedYet, StateRefused
from services.social.oauth.alerts import Alerts
from services.social.oauth.apps import Apps
from services.social.oauth.asking import Asking
from services.social.oauth.connecting import ADDRESSES, Connecting
from services.social.oauth.consents import Consent, Consents
from services.social.oauth.proof import new_verifier
from services.social.oauth.renewing import Renewals
from services.social.oauth.store import Credentials, Standing
from services.social.store import Accounts
from shared.delivery.errors import AuthDead, DeliveryError, TryAgain
from shared.runtime.clock import ManualClock
from shared.runtime.keys import KeyRing
from shared.storage.client import Database

SITE = "https://news.example.org"
ANA = "u1"
FLOWS = {name: spec.oauth for name, spec in sorted(discover().items()) if spec.oauth}
WITH_FLOW = list(FLOWS)
ENTERED = [name for name, flow in FLOWS.items() if flow.register is None]
RENEWED = [name for name, flow in FLOWS.items() if flow.refresh is not None]
SEVERAL = [name for name in WITH_FLOW if hasattr(discover()[name].fake().oauth, "also_runs")]
"""Where one person may run several pages."""


async def no_image(url: str) -> bytes:
    raise AssertionError(url)


@dataclass
class Newsroom:
    """One channel's stand-in, and what the service holds to connect an account of it."""

    spec: ChannelSpec
    fake: Any
    base: str
    clock: ManualClock
    http: aiohttp.ClientSession
    database: Database
    accounts: Accounts
    credentials: Credentials
    connecting: Connecting
    alerts: Alerts
    renewals: Renewals
    told: list[str]
    """Accounts of which an operator was told something, in order."""

    @property
    def flow(self) -> OAuthFlow:
        assert self.spec.oauth is not None
        return self.spec.oauth

    def addresses(self) -> dict[str, str]:
        return {name: self.base for name in ADDRESSES if name in self.spec.settings.model_fields}

    async def enter_app(self, secret: str = CLIENT_SECRET) -> None:
        if self.flow.register is None:
            app = App(CLIENT_ID, secret)
            await self.connecting.enter_app(self.spec.name, app, self.addresses())

    async def begin(self, name: str = "main") -> tuple[Consent, URL]:
        stated = self.addresses() if self.flow.register else {}
        consent, url = await self.connecting.begin(ANA, self.spec.name, name, stated)
        return consent, URL(url)

    async def answer(self, url: URL) -> dict[str, str]:
        """What the network sends the person's browser back with."""
        async with self.http.get(url, allow_redirects=False) as answer:
            assert answer.status == 302, await answer.text()
            back = URL(answer.headers["Location"])
        assert str(back.with_query(None)) == f"{SITE}/api/v1/channels/callback"
        return dict(back.query)

    async def come_back(self, query: dict[str, str]) -> Consent:
        return await self.connecting.come_back(
            query["state"], query.get("code"), query.get("error")
        )

    async def consented(self, name: str = "main") -> Consent:
        _, url = await self.begin(name)
        return await self.come_back(await self.answer(url))

    async def connected(self, name: str = "main", choice: str | None = None) -> str:
        await self.enter_app()
        consent = await self.consented(name)
        assert (consent.status, consent.reason) == ("granted", None)
        return await self.connecting.finish(consent.id, ANA, choice)

    async def channel(self, account_id: str = "") -> Channel:
        opened = await self.accounts.settings(account_id or f"{self.spec.name}/main")
        return self.spec.build(self.spec.settings.model_validate(opened), self.http, no_image)

    async def standing(self) -> Standing:
        standing = await self.credentials.of(f"{self.spec.name}/main")
        assert standing is not None
        return standing

    async def pass_days(self, days: float) -> None:
        """Let time pass, with the service at work each hour of it that could matter."""
        for _ in range(round(days * 4)):
            self.clock.advance(6 * 3600)
            await self.renewals.step()


@pytest.fixture(params=WITH_FLOW)
async def newsroom(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Newsroom]:
    spec = discover()[request.param]
    # Far ahead, so that no clock of the database's own ends anything.
    clock = ManualClock(datetime(2100, 1, 1, tzinfo=UTC))
    made: Any = spec.fake
    fake = made(clock=clock.now)
    keys = KeyRing("s" * 40)
    vault = keys.vault("channel credentials")
    accounts = Accounts(database, vault, clock)
    credentials = Credentials(accounts, vault, clock)
    apps = Apps(database, keys.vault("channel apps"), clock)
    consents = Consents(database, keys.vault("consents"), clock)
    told: list[str] = []
    alerts = Alerts(accounts, clock, lambda _, id: told.append(id))
    async with TestServer(fake.app()) as server, aiohttp.ClientSession() as http:
        ask = Asking(lambda: http)
        for part in (accounts, credentials, consents):
            await part.declare()
        yield Newsroom(
            spec,
            fake,
            str(server.make_url("")).rstrip("/"),
            clock,
            http,
            database,
            accounts,
            credentials,
            Connecting(accounts, credentials, apps, consents, ask, discover, public_url=SITE),
            alerts,
            Renewals(credentials, apps, alerts, ask, discover, clock),
            told,
        )


async def test_a_consent_becomes_an_account_that_the_network_lets_in(newsroom: Newsroom) -> None:
    account_id = await newsroom.connected()
    assert account_id == f"{newsroom.spec.name}/main"
    settings = await newsroom.accounts.settings(account_id)
    for field, stand_in in newsroom.flow.filled.items():
        assert settings[field] != stand_in, field
    assert await (await newsroom.channel()).check()


async def test_a_state_is_taken_once_and_only_if_it_is_ours(newsroom: Newsroom) -> None:
    await newsroom.enter_app()
    _, url = await newsroom.begin()
    query = await newsroom.answer(url)
    with pytest.raises(StateRefused):
        await newsroom.come_back({**query, "state": f"{query['state'][:-1]}~"})
    assert (await newsroom.come_back(query)).status == "granted"
    with pytest.raises(StateRefused):
        await newsroom.come_back(query)


async def test_a_person_who_refuses_connects_nothing(newsroom: Newsroom) -> None:
    await newsroom.enter_app()
    newsroom.fake.oauth.declines = True
    consent = await newsroom.consented()
    assert consent.status == "failed"
    assert "denied" in (consent.reason or "") or "cancelled" in (consent.reason or "")
    with pytest.raises(NotConsentedYet):
        await newsroom.connecting.finish(consent.id, ANA, None)
    assert await newsroom.accounts.all() == []


async def test_a_code_is_good_once_and_for_the_address_it_was_given_for(
    newsroom: Newsroom,
) -> None:
    await newsroom.enter_app()
    _, first = await newsroom.begin()
    query = await newsroom.answer(first)
    assert (await newsroom.come_back(query)).status == "granted"
    _, second = await newsroom.begin("second")
    again = await newsroom.come_back({"state": second.query["state"], "code": query["code"]})
    assert again.status == "failed"
    assert query["code"] not in (again.reason or "")

    _, third = await newsroom.begin("third")
    code = (await newsroom.answer(third))["code"]
    settings = newsroom.spec.settings.model_validate(
        {**newsroom.addresses(), **newsroom.flow.filled}
    )
    app = App(third.query["client_id"], CLIENT_SECRET)
    ask = Asking(lambda: newsroom.http)
    with pytest.raises(DeliveryError):
        await newsroom.flow.exchange(
            ask, app, settings, Code(code, new_verifier(), "https://evil.example/callback")
        )


@pytest.mark.parametrize("newsroom", ENTERED, indirect=True)
async def test_a_wrong_app_secret_gets_no_token_and_is_not_repeated(newsroom: Newsroom) -> None:
    await newsroom.enter_app("not-the-secret")
    consent = await newsroom.consented()
    assert consent.status == "failed"
    assert "not-the-secret" not in (consent.reason or "")
    await newsroom.enter_app()
    assert (await newsroom.consented()).status == "granted"


async def test_the_consent_is_asked_for_with_a_proof_where_the_network_has_one(
    newsroom: Newsroom,
) -> None:
    await newsroom.enter_app()
    (_, one), (_, other) = await newsroom.begin(), await newsroom.begin("other")
    assert one.query["state"] != other.query["state"]
    assert set(one.query["scope"].split(newsroom.flow.separator)) == set(newsroom.flow.scopes)
    assert ("code_challenge" in one.query) is newsroom.flow.pkce


async def test_no_secret_is_kept_in_clear_or_logged(
    newsroom: Newsroom, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.CRITICAL, "aiohttp.access")  # the stand-in's own
    await newsroom.enter_app()
    consent, url = await newsroom.begin()
    query = await newsroom.answer(url)
    kept = [str(await newsroom.database["consents"].find({}))]
    await newsroom.come_back(query)
    kept.append(str(await newsroom.database["consents"].find({})))
    await newsroom.connecting.finish(consent.id, ANA, None)
    for name in ("apps", "accounts", "consents"):
        kept.append(str(await newsroom.database[name].find({})))
    token = (await newsroom.accounts.settings(f"{newsroom.spec.name}/main"))["access_token"]
    for secret in (token, CLIENT_SECRET, query["code"], query["state"]):
        assert len(secret) > 10
        for text in (*kept, caplog.text, *capfd.readouterr()):
            assert secret not in text


@pytest.mark.parametrize("newsroom", SEVERAL, indirect=True)
async def test_a_person_who_runs_several_pages_chooses_each_under_a_name(
    newsroom: Newsroom,
) -> None:
    newsroom.fake.oauth.also_runs = {"777001": "Herald Sport", "777002": "Herald Weather"}
    with pytest.raises(ChoiceRefused, match="Herald Sport"):
        await newsroom.connected()
    consent = await newsroom.consented()
    own = next(one["id"] for one in consent.choices if not one["id"].startswith("777"))
    for other in ("777009", "", None):
        with pytest.raises(ChoiceRefused):
            await newsroom.connecting.finish(consent.id, ANA, other)
    assert await newsroom.connecting.finish(consent.id, ANA, own) == f"{newsroom.spec.name}/main"
    assert await (await newsroom.channel()).check()
    sport = await newsroom.accounts.settings(await newsroom.connected("sport", "777001"))
    assert "777001" in sport.values()
    with pytest.raises(ChoiceRefused, match="connected as another one"):
        await newsroom.connected("sport", "777002")


@pytest.mark.parametrize("newsroom", RENEWED, indirect=True)
async def test_a_token_that_ends_early_is_renewed_and_the_call_goes_on(newsroom: Newsroom) -> None:
    newsroom.fake.oauth.partner = True
    account_id = await newsroom.connected()
    newsroom.clock.advance(2 * 86_400)
    before = await newsroom.standing()
    outcome = await newsroom.renewals.instead(account_id, before.version, AuthDead("401"))
    assert isinstance(outcome, TryAgain), outcome
    after = await newsroom.standing()
    assert after.version == before.version + 1
    assert after.obtained_at == newsroom.clock.now()
    assert newsroom.fake.oauth.refreshes == 1
    assert await (await newsroom.channel()).check()
    assert newsroom.told == []


@pytest.mark.parametrize("newsroom", ["linkedin"], indirect=True)
@pytest.mark.parametrize("silent", [False, True])
async def test_a_year_that_renewals_do_not_lengthen_is_told_once_at_each_step(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    newsroom.fake.oauth.partner = True
    account_id = await newsroom.connected()
    end = newsroom.clock.now() + timedelta(days=365)
    if silent:  # about how long the same refresh token goes on
        monkeypatch.setattr(Granted, "seconds_left", lambda *_: None)
    await newsroom.pass_days(350)
    assert newsroom.told == []
    assert (await newsroom.standing()).ends_at == end
    for days, told in ((2, 1), (7, 2), (5.5, 3)):  # 13, 6 and half a day before
        await newsroom.pass_days(days)
        version = (await newsroom.standing()).version
        newsroom.clock.advance(3600)
        await newsroom.renewals.instead(account_id, version, AuthDead("401"))
        assert (await newsroom.standing()).version == version + 1
        await newsroom.renewals.step()
        assert newsroom.told == [account_id] * told
    monkeypatch.undo()
    await newsroom.connected()
    await newsroom.renewals.step()
    assert len(newsroom.told) == 3
    assert (await newsroom.standing()).ends_at == newsroom.clock.now() + timedelta(days=365)


async def test_the_forecast_is_what_the_network_said(newsroom: Newsroom) -> None:
    await newsroom.connected()
    lasts: timedelta | None = getattr(newsroom.fake.oauth, "lasts", None)
    ends_at = (await newsroom.standing()).ends_at
    assert ends_at == (None if lasts is None else newsroom.clock.now() + lasts)


async def test_who_needs_nobody_says_nothing_in_a_season(newsroom: Newsroom) -> None:
    """What Herald can renew, it renews by itself; what it cannot, a person is told of in time."""
    await newsroom.connected()
    await newsroom.pass_days(100)
    lasts = getattr(newsroom.fake.oauth, "lasts", None)
    if lasts is None or lasts > timedelta(days=115):
        assert newsroom.told == []
        assert await (await newsroom.channel()).check()
    else:
        assert newsroom.told == [f"{newsroom.spec.name}/main"] * 3  # 14, 7 and 1 days before
        with pytest.raises(AuthDead):
            await (await newsroom.channel()).check()


async def test_a_permission_taken_away_is_dead_until_somebody_consents_again(
    newsroom: Newsroom,
) -> None:
    account_id = await newsroom.connected()
    newsroom.clock.advance(2 * 86_400)
    newsroom.fake.oauth.revoke()
    with pytest.raises(AuthDead) as dead:
        await (await newsroom.channel()).check()
    version = (await newsroom.standing()).version
    outcome = await newsroom.renewals.instead(account_id, version, dead.value)
    assert isinstance(outcome, AuthDead)
    await newsroom.alerts.dead(account_id, outcome.reason)
    assert newsroom.told == [account_id]
    assert await newsroom.connected() == account_id
    assert await newsroom.accounts.pauses() == []
    assert (await newsroom.standing()).version == version + 1
    assert await (await newsroom.channel()).check()


async def test_one_account_there_is_one_account_here(newsroom: Newsroom) -> None:
    await newsroom.connected()
    with pytest.raises(ChoiceRefused, match="posts as it already"):
        await newsroom.connected("second")
