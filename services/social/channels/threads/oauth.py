"""How a Threads profile is connected: the short token becomes one of 60 days, which renews itself after a day."""

from __future__ import annotations

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
from services.social.channels.threads.settings import ThreadsSettings


def _consent(settings: ThreadsSettings) -> str:
    return f"{settings.login}/oauth/authorize"


async def _exchange(ask: Ask, app: App, settings: ThreadsSettings, code: Code) -> Tokens:
    form = app.form(**code.form())
    url = f"{settings.server}/oauth/access_token"
    short = tokens_of(await ask("POST", url, form=form, changes=True))
    query = {
        "grant_type": "th_exchange_token",
        "client_secret": app.client_secret,
        "access_token": short.access_token,
    }
    told = await ask("GET", f"{settings.server}/access_token", query=query, changes=True)
    return tokens_of(told, renews_itself=True)


async def _refresh(ask: Ask, _: App, settings: ThreadsSettings, tokens: Tokens) -> Tokens:
    query = {"grant_type": "th_refresh_token", "access_token": tokens.access_token}
    told = await ask("GET", f"{settings.server}/refresh_access_token", query=query, changes=True)
    return tokens_of(told, renews_itself=True)


async def _choices(ask: Ask, settings: ThreadsSettings, tokens: Tokens) -> list[Choice]:
    url, query = f"{settings.server}/{settings.version}/me", {"fields": "id,username"}
    me = await ask("GET", url, query=query, headers=bearer(tokens))
    return [Choice(str(me["id"]), f"@{me['username']}", {"user_id": str(me["id"])})]


FLOW = OAuthFlow(
    scopes=(
        "threads_basic",
        "threads_content_publish",
        "threads_manage_replies",
        "threads_read_replies",
        "threads_delete",
        "threads_manage_insights",
    ),
    separator=",",
    filled={"access_token": "not granted yet", "user_id": "0"},
    consent=_consent,
    exchange=_exchange,
    choices=_choices,
    pkce=False,
    refresh=_refresh,
)
