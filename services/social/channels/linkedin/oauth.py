"""How a LinkedIn page is connected. Most apps get no refresh token: then a person signs in again every 60 days."""

from __future__ import annotations

from services.social.channels.linkedin.settings import LinkedInSettings
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

MOST_PAGES = 20
"""Pages whose names are asked for; nobody chooses among more."""


def _consent(settings: LinkedInSettings) -> str:
    return f"{settings.web}/oauth/v2/authorization"


async def _exchange(ask: Ask, app: App, settings: LinkedInSettings, code: Code) -> Tokens:
    return await _token(ask, app, settings, code.form())


async def _refresh(ask: Ask, app: App, settings: LinkedInSettings, tokens: Tokens) -> Tokens:
    """The same refresh token comes back; its year runs on from the consent."""
    return await _token(ask, app, settings, tokens.form())


async def _token(ask: Ask, app: App, settings: LinkedInSettings, form: dict[str, str]) -> Tokens:
    url = f"{settings.web}/oauth/v2/accessToken"
    return tokens_of(await ask("POST", url, form=app.form(**form), changes=True))


async def _choices(ask: Ask, settings: LinkedInSettings, tokens: Tokens) -> list[Choice]:
    """The organisations that the person administers."""
    headers = bearer(tokens) | {
        "LinkedIn-Version": settings.version,
        "X-Restli-Protocol-Version": "2.0.0",
    }
    root = f"{settings.server}/rest"
    query = {"q": "roleAssignee", "role": "ADMINISTRATOR", "state": "APPROVED", "count": "100"}
    told = await ask("GET", f"{root}/organizationAcls", query=query, headers=headers)
    urns = [str(one.get("organization", "")) for one in told.get("elements", [])]
    found = []
    for urn in list(dict.fromkeys(urns))[:MOST_PAGES]:
        kind, _, number = urn.rpartition(":")
        if kind == "urn:li:organization":
            page = await ask("GET", f"{root}/organizations/{number}", headers=headers)
            name = str(page.get("localizedName") or urn)
            found.append(Choice(number, name, {"organization": number}))
    return found


FLOW = OAuthFlow(
    # The last one lists the pages that the person runs, and reads share statistics.
    scopes=("w_organization_social", "r_organization_social", "rw_organization_admin"),
    filled={"access_token": "not granted yet", "organization": "0"},
    consent=_consent,
    exchange=_exchange,
    choices=_choices,
    # Its PKCE is another flow, for native apps without a secret.
    pkce=False,
    refresh=_refresh,
)
