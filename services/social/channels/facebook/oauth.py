"""How a Facebook Page is connected: somebody who runs it signs in; the Page's own token does not expire."""

from __future__ import annotations

from services.social.channels.facebook.settings import FacebookSettings
from services.social.channels.meta_login import dialog, exchange, pages
from services.social.channels.oauth import Ask, Choice, OAuthFlow, Tokens, tokens_of


def _consent(settings: FacebookSettings) -> str:
    return dialog(settings.web, settings.version)


async def _choices(ask: Ask, settings: FacebookSettings, tokens: Tokens) -> list[Choice]:
    return [
        Choice(page["id"], page["name"], {"page_id": page["id"]}, tokens_of(page))
        for page in await pages(ask, settings, tokens, "id,name")
    ]


FLOW = OAuthFlow(
    scopes=("pages_show_list", "pages_manage_posts", "pages_read_engagement"),
    separator=",",
    filled={"access_token": "not granted yet", "page_id": "0"},
    consent=_consent,
    exchange=exchange,
    choices=_choices,
    pkce=False,
)
