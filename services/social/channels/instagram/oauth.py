"""How an Instagram account is connected: by Facebook's login, through the Page it is linked with."""

from __future__ import annotations

from services.social.channels.instagram.settings import InstagramSettings
from services.social.channels.meta_login import dialog, exchange, pages
from services.social.channels.oauth import Ask, Choice, OAuthFlow, Tokens, tokens_of


def _consent(settings: InstagramSettings) -> str:
    return dialog(settings.login, settings.version)


async def _choices(ask: Ask, settings: InstagramSettings, tokens: Tokens) -> list[Choice]:
    """The professional accounts behind the person's Pages; each is reached by its Page's token."""
    fields = "instagram_business_account{id,username}"
    return [
        Choice(
            account["id"], f"@{account['username']}", {"user_id": account["id"]}, tokens_of(page)
        )
        for page in await pages(ask, settings, tokens, fields)
        if (account := page.get("instagram_business_account"))
    ]


FLOW = OAuthFlow(
    scopes=(
        "instagram_basic",
        "instagram_content_publish",
        "instagram_manage_comments",
        "instagram_manage_contents",
        "instagram_manage_insights",
        "pages_show_list",
        "pages_read_engagement",
    ),
    separator=",",
    filled={"access_token": "not granted yet", "user_id": "0"},
    consent=_consent,
    exchange=exchange,
    choices=_choices,
    pkce=False,
)
