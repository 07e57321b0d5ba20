"""How a Mastodon account is connected: Herald registers an app at the account's own server; tokens do not expire."""

from __future__ import annotations

from services.social.channels.mastodon.settings import MastodonSettings
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
from shared.delivery.errors import AuthDead, OutcomeUnknown, TryAgain


async def _register(
    ask: Ask, settings: MastodonSettings, redirect_uri: str, scopes: tuple[str, ...]
) -> App:
    form = {"client_name": "Herald", "redirect_uris": redirect_uri, "scopes": " ".join(scopes)}
    told = await ask("POST", f"{settings.server}/api/v1/apps", form=form, changes=True)
    if not all(isinstance(told.get(name), str) for name in ("client_id", "client_secret")):
        raise OutcomeUnknown("a success without client_id and client_secret")
    return App(told["client_id"], told["client_secret"])


async def _knows(ask: Ask, settings: MastodonSettings, app: App) -> bool:
    """Servers clear away apps that nobody uses; a person sent there would meet an error page."""
    form = app.form(grant_type="client_credentials")
    try:
        await ask("POST", f"{settings.server}/oauth/token", form=form, changes=True)
    except AuthDead:
        return False
    except TryAgain as error:
        if "invalid_client" in error.reason:
            return False
        raise
    return True


def _consent(settings: MastodonSettings) -> str:
    return f"{settings.server}/oauth/authorize"


async def _exchange(ask: Ask, app: App, settings: MastodonSettings, code: Code) -> Tokens:
    # The verifier is understood from version 4.3 on, and ignored before.
    form = app.form(**code.form(), code_verifier=code.verifier)
    return tokens_of(await ask("POST", f"{settings.server}/oauth/token", form=form, changes=True))


async def _choices(ask: Ask, settings: MastodonSettings, tokens: Tokens) -> list[Choice]:
    url = f"{settings.server}/api/v1/accounts/verify_credentials"
    me = await ask("GET", url, headers=bearer(tokens))
    return [Choice(f"{settings.server}/{me['id']}", f"@{me['acct']} on {settings.server}")]


FLOW = OAuthFlow(
    scopes=("read:accounts", "read:statuses", "write:media", "write:statuses"),
    filled={"access_token": "not granted yet"},
    consent=_consent,
    exchange=_exchange,
    choices=_choices,
    register=_register,
    knows=_knows,
)
