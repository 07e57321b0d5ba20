"""X's flow against its stand-in over a loopback socket: consent, exchange, rotation, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp.test_utils import TestServer, unused_port
from yarl import URL

from services.social.channels.oauth import App, Code, Tokens
from services.social.channels.x.channel import XChannel
from services.social.channels.x.fake import XFake
from services.social.channels.x.fake_oauth import CLIENT_ID, CLIENT_SECRET
from services.social.channels.x.oauth import FLOW
from services.social.channels.x.settings import XSettings
from services.social.oauth.asking import Asking, understood
from services.social.oauth.proof import challenge, new_verifier
from shared.delivery.errors import AuthDead, OutcomeUnknown, TryAgain
from shared.runtime.clock import ManualClock

APP = App(CLIENT_ID, CLIENT_SECRET)
BACK = "https://news.example.org/api/v1/channels/callback"


async def no_image(url: str) -> bytes:
    raise AssertionError(url)


@dataclass
class Stage:
    fake: XFake
    clock: ManualClock
    http: aiohttp.ClientSession
    ask: Asking
    settings: XSettings

    async def code(self, verifier: str, **changes: str) -> Code:
        """What a person who consents comes back with."""
        query = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": BACK,
            "scope": " ".join(FLOW.scopes),
            "state": "the-state",
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
            **changes,
        }
        async with self.http.get(
            FLOW.consent(self.settings), params=query, allow_redirects=False
        ) as answer:
            assert answer.status == 302, await answer.text()
            came_back = URL(answer.headers["Location"])
        assert came_back.query["state"] == "the-state"
        return Code(came_back.query["code"], verifier, BACK)

    async def granted(self) -> Tokens:
        return await FLOW.exchange(self.ask, APP, self.settings, await self.code(new_verifier()))

    async def renewed(self, tokens: Tokens, app: App = APP) -> Tokens:
        assert FLOW.refresh is not None
        return await FLOW.refresh(self.ask, app, self.settings, tokens)

    async def works(self, tokens: Tokens) -> bool:
        settings = self.settings.model_copy(
            update={"access_token": XSettings(access_token=tokens.access_token).access_token}  # type: ignore[arg-type]
        )
        try:
            return bool(await XChannel(settings, self.http, no_image).check())
        except AuthDead as dead:
            if "401" in dead.reason:
                return False
            raise


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    clock = ManualClock(datetime(2026, 11, 25, 12, tzinfo=UTC))
    fake = XFake(clock=clock.now)
    async with TestServer(fake.app()) as server, aiohttp.ClientSession() as http:
        base = str(server.make_url("")).rstrip("/")
        settings = XSettings.model_validate({"server": base, "web": base, **FLOW.filled})
        yield Stage(fake, clock, http, Asking(lambda: http), settings)


async def test_a_consent_becomes_tokens_that_name_the_account(stage: Stage) -> None:
    tokens = await stage.granted()
    assert tokens.expires_in == 7200
    assert tokens.refresh_token
    (choice,) = await FLOW.choices(stage.ask, stage.settings, tokens)
    assert choice.id
    assert choice.name.startswith("@")
    assert await stage.works(tokens)


async def test_a_code_works_once_and_only_with_its_own_verifier(stage: Stage) -> None:
    code = await stage.code(new_verifier())
    await FLOW.exchange(stage.ask, APP, stage.settings, code)
    with pytest.raises(AuthDead):
        await FLOW.exchange(stage.ask, APP, stage.settings, code)
    stolen = replace(await stage.code(new_verifier()), verifier=new_verifier())
    with pytest.raises(AuthDead, match="verifier"):
        await FLOW.exchange(stage.ask, APP, stage.settings, stolen)
    late = await stage.code(new_verifier())
    stage.clock.advance(31)
    with pytest.raises(AuthDead):
        await FLOW.exchange(stage.ask, APP, stage.settings, late)


async def test_a_challenge_that_is_not_s256_gets_no_consent(stage: Stage) -> None:
    for changes in ({"code_challenge_method": "plain"}, {"code_challenge": "short"}):
        with pytest.raises(AssertionError, match="Something went wrong"):
            await stage.code(new_verifier(), **changes)


async def test_each_renewal_rotates_and_the_old_refresh_token_kills_the_family(
    stage: Stage,
) -> None:
    first = await stage.granted()
    second = await stage.renewed(first)
    assert second.refresh_token not in {None, first.refresh_token}
    assert await stage.works(second)
    with pytest.raises(AuthDead, match="token was invalid") as refused:
        await stage.renewed(first)
    assert first.refresh_token is not None
    assert first.refresh_token not in refused.value.reason
    assert not await stage.works(second)
    with pytest.raises(AuthDead):
        await stage.renewed(second)


async def test_an_access_token_ends_in_the_networks_own_words(stage: Stage) -> None:
    tokens = await stage.granted()
    stage.clock.advance(7201)
    assert not await stage.works(tokens)
    renewed = await stage.renewed(tokens)
    assert await stage.works(renewed)
    stage.fake.expire_tokens()
    assert not await stage.works(renewed)
    assert await stage.works(await stage.renewed(renewed))


async def test_a_wrong_app_secret_says_nothing_of_the_grant(stage: Stage) -> None:
    tokens = await stage.granted()
    with pytest.raises(TryAgain, match="unauthorized_client"):
        await stage.renewed(tokens, App(CLIENT_ID, "wrong"))
    assert stage.fake.oauth.refreshes == 0
    assert await stage.works(await stage.renewed(tokens))


async def test_a_server_error_leaves_a_rotation_in_doubt_and_no_connection_does_not(
    stage: Stage,
) -> None:
    tokens = await stage.granted()
    stage.fake.oauth.unavailable = 1
    with pytest.raises(OutcomeUnknown):
        await stage.renewed(tokens)
    gone = stage.settings.model_copy(update={"server": f"http://127.0.0.1:{unused_port()}"})
    assert FLOW.refresh is not None
    with pytest.raises(TryAgain):
        await FLOW.refresh(stage.ask, APP, gone, tokens)


async def test_an_answer_that_is_not_as_documented_is_said() -> None:
    async def tell_nothing() -> str:
        missing: dict[str, str] = {}
        return missing["id"]

    with pytest.raises(OutcomeUnknown, match="not as its documentation says"):
        await understood(tell_nothing())
