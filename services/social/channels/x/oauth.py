"""How an X account is connected: OAuth 2.0 with PKCE; refresh tokens work once, so each renewal rotates them."""

from __future__ import annotations

import base64
from urllib.parse import quote

from services.social.channels.oauth import (
    App,
    Ask,
    Choice,
    Code,
    OAuthFlow,
    Tokens,
    bearer,
    tokens_of,
)
from services.social.channels.x.settings import XSettings


def _consent(settings: XSettings) -> str:
    return f"{settings.web}/i/oauth2/authorize"


async def _exchange(ask: Ask, app: App, settings: XSettings, code: Code) -> Tokens:
    return await _token(ask, app, settings, code.form() | {"code_verifier": code.verifier})


async def _refresh(ask: Ask, app: App, settings: XSettings, tokens: Tokens) -> Tokens:
    return await _token(ask, app, settings, tokens.form())


async def _token(ask: Ask, app: App, settings: XSettings, form: dict[str, str]) -> Tokens:
    url = f"{settings.server}/2/oauth2/token"
    return tokens_of(await ask("POST", url, form=form, headers=_basic(app), changes=True))


async def _choices(ask: Ask, settings: XSettings, tokens: Tokens) -> list[Choice]:
    told = await ask("GET", f"{settings.server}/2/users/me", headers=bearer(tokens))
    me = told.get("data") or {}
    return [Choice(str(me["id"]), f"@{me['username']}")] if "id" in me else []


def _basic(app: App) -> dict[str, str]:
    """RFC 6749, section 2.3.1: both parts are form-encoded first."""
    pair = f"{quote(app.client_id, safe='')}:{quote(app.client_secret, safe='')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


FLOW = OAuthFlow(
    scopes=("tweet.read", "tweet.write", "users.read", "media.write", "offline.access"),
    filled={"access_token": "not granted yet"},
    consent=_consent,
    exchange=_exchange,
    choices=_choices,
    refresh=_refresh,
)
