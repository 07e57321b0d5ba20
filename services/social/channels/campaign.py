"""The link of a post, with the UTM parameters by which a newsroom's statistics tell where readers came from.

Never alters the article's own address: what it has of query and fragment stays, in its own spelling.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import Field

from services.social.channels.account import AccountSettings
from shared.contracts.articles import Article, Status

CampaignWord = Annotated[str, Field(max_length=80, pattern=r"^[^\s\x00-\x1f\x7f]*$")]
"""Empty leaves the parameter out."""


class LinkingSettings(AccountSettings):
    """Settings of an account whose posts have a link that can be clicked. Each channel names its source."""

    utm_source: CampaignWord
    """Which network; empty leaves `utm_source` out."""
    utm_medium: CampaignWord = "social"
    """What kind of link; empty leaves `utm_medium` out."""
    utm_campaign: CampaignWord = ""
    """Which campaign, e.g. `election-2026`; empty leaves `utm_campaign` out."""


def tracked(url: str, settings: LinkingSettings, content: str = "") -> str:
    """The article's address with the account's parameters, but for those that it has already.

    `content` tells a later publication and a correction apart, so it is never left out: look-ups go by
    this address, and must never take one post for another.
    """
    parts = urlsplit(url)
    already = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    wanted = {
        "utm_source": settings.utm_source,
        "utm_medium": settings.utm_medium,
        "utm_campaign": settings.utm_campaign,
    }
    added = [(name, word) for name, word in wanted.items() if word and name not in already]
    return with_query(url, [*added, ("utm_content", content)] if content else added)


def with_query(url: str, added: list[tuple[str, str]]) -> str:
    """`url` with these parameters behind its own."""
    parts = urlsplit(url)
    ours = [f"{name}={quote(word, safe='')}" for name, word in added]
    query = "&".join(part for part in (parts.query, *ours) if part)
    return parts._replace(query=query).geturl()


def content_of(publication: int, notice: str = "") -> str:
    """What `tracked` tells a post apart by: "", "2", "correction-1", "2-correction-1", "retraction"."""
    return "-".join(part for part in (str(publication) if publication > 1 else "", notice) if part)


def notice_content(article: Article) -> str:
    """The same for a notice of the article's last correction, or of its retraction."""
    if article.status is Status.RETRACTED:
        return content_of(article.publication, "retraction")
    return content_of(article.publication, f"correction-{len(article.corrections) or 1}")
