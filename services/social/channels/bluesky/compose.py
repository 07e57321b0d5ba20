"""Composes the exact Bluesky record for an article, counting as the network counts.

Never does input or output, and never leaves out the link: what does not fit is the hashtags, then text.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from services.social.channels import fitting
from services.social.channels.article_words import lead, notices, own_words
from services.social.channels.bluesky.richtext import facets, graphemes, is_tag
from services.social.channels.bluesky.settings import BlueskySettings
from services.social.channels.campaign import tracked
from services.social.channels.layout import GAP, Layout
from services.social.channels.pictures import Picture
from services.social.channels.plaintext import address, cleaned, hashtags
from shared.contracts.articles import Article

__all__ = ["Frozen", "Media", "StrongRef", "compose", "compose_correction", "fit", "length"]

LIMIT = 300
"""Graphemes in a post; app.bsky.feed.post `text.maxGraphemes`. The same lexicon allows 3000 UTF-8 bytes."""
ALT_LIMIT = 2000
"""Graphemes of alt text that the Bluesky apps take; the lexicon sets none."""
EPOCH = datetime.fromtimestamp(0, UTC)
TID_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"


class Media(Picture):
    """The one image of a post."""

    use: Literal["card", "image"]
    """`card`: thumbnail of the link card. `image`: an image of its own, with its alt text."""
    alt: str
    width: int
    height: int


class StrongRef(BaseModel):
    """com.atproto.repo.strongRef: one version of one record."""

    model_config = ConfigDict(frozen=True)

    uri: str
    cid: str


class Frozen(BaseModel):
    """Everything that will be sent. Only the blob reference is added later: it follows from the bytes."""

    model_config = ConfigDict(frozen=True)

    repo: str
    """DID of the account: the payload is for this one and no other."""
    rkey: str
    record: dict[str, Any]
    media: Media | None = None


def length(text: str) -> int:
    """Graphemes, or tenths of UTF-8 bytes where those run out first; at most `LIMIT` is allowed."""
    return max(graphemes(text), -(-len(text.encode()) // 10))


LAYOUT = Layout(LIMIT, length)


def fit(text: str, limit: int = LIMIT) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return LAYOUT.fit(text, limit)


def compose(
    article: Article,
    *,
    repo: str,
    key: str,
    now: datetime,
    settings: BlueskySettings,
    media: Media | None,
) -> Frozen:
    """The post about `article`."""
    link = tracked(article.url, settings)
    # What the editor wrote stays as it is, the address too: its facet leads to the tracked one.
    body = own_words(article, "bluesky", article.url) or lead(article)
    text, found = _assemble(body, article, link, settings.hashtags)
    record = _record(text, found, now, article.language or settings.language)
    if media and media.use == "image":
        record["embed"] = {
            "$type": "app.bsky.embed.images",
            "images": [
                {
                    "alt": fitting.fit(media.alt, ALT_LIMIT, graphemes),
                    "aspectRatio": {"width": media.width, "height": media.height},
                }
            ],
        }
    else:
        record["embed"] = {
            "$type": "app.bsky.embed.external",
            "external": {
                "uri": link,
                "title": cleaned(article.headline),
                "description": cleaned(article.standfirst or article.summary),
            },
        }
    return Frozen(repo=repo, rkey=record_key(key, now), record=record, media=media)


def compose_correction(
    article: Article,
    *,
    key: str,
    now: datetime,
    settings: BlueskySettings,
    root: StrongRef,
    told: int,
) -> Frozen:
    """A reply to our post that says what was wrong: the network keeps showing the text it first saw.

    It carries every notice after the first `told`, the newest first: of corrections that follow
    each other quickly only the last is sent.
    """
    said = notices(article, told, settings.labels)
    text, found = _assemble(said, article, tracked(article.url, settings), 0)
    record = _record(text, found, now, article.language or settings.language)
    ref = root.model_dump()
    record["reply"] = {"root": ref, "parent": ref}
    repo = root.uri.removeprefix("at://").partition("/")[0]
    return Frozen(repo=repo, rkey=record_key(key, now), record=record)


def record_key(key: str, now: datetime) -> str:
    """A TID (atproto record-key spec): 53 bits of microseconds, 10 of clock id, in sortable base 32.

    The milliseconds are those of `now`; what is finer derives from `key`, so the same intent composed
    at the same instant gets the same key, and two intents do not collide.
    """
    noise = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    micros = (now - EPOCH) // timedelta(milliseconds=1) * 1000 + noise % 1000
    number = micros << 10 | noise // 1000 % 1024
    return "".join(TID_ALPHABET[number >> shift & 31] for shift in range(60, -1, -5))


def _assemble(
    body: str, article: Article, link: str, most_tags: int
) -> tuple[str, list[dict[str, Any]]]:
    """Body, link on its own line, then as many hashtags as there is room for; and all facets."""
    text = LAYOUT.fit(body)
    if placed := address(article.url).search(text):
        own = (*placed.span(), link)
    else:
        # An address too long to leave room for a sentence is shown by its host; the facet has it whole.
        host = fit(urlsplit(link).netloc, 100)
        label = link if length(link) <= LIMIT // 2 else host
        text = GAP.join(LAYOUT.stacked("", body, label))
        own = (len(text) - len(label), len(text), link)
    text = LAYOUT.tagged(text, hashtags(article.tags, text, is_tag)[:most_tags])
    return text, facets(text, own)


def _record(
    text: str, found: list[dict[str, Any]], now: datetime, language: str | None
) -> dict[str, Any]:
    created = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record: dict[str, Any] = {"$type": "app.bsky.feed.post", "text": text, "createdAt": created}
    if language:
        record["langs"] = [language]
    if found:
        record["facets"] = found
    return record
