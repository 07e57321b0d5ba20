"""Composes the exact Bluesky record for an article, counting as the network counts.

Never does input or output, and never leaves out the link: what does not fit is the hashtags, then text.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import regex
from pydantic import BaseModel, ConfigDict

from services.social.channels.bluesky.richtext import facets, graphemes, hashtag, links
from services.social.channels.fitting import fit
from shared.contracts.articles import Article

__all__ = ["Frozen", "Media", "StrongRef", "compose", "compose_correction", "fit", "length"]

LIMIT = 300
"""Graphemes in a post; app.bsky.feed.post `text.maxGraphemes`. The same lexicon allows 3000 UTF-8 bytes."""
ALT_LIMIT = 2000
"""Graphemes of alt text that the Bluesky apps take; the lexicon sets none."""
EPOCH = datetime.fromtimestamp(0, UTC)
TID_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"


class Media(BaseModel):
    """The one image of a post, fixed by its hash; the bytes are fetched again when it is sent."""

    model_config = ConfigDict(frozen=True)

    use: Literal["card", "image"]
    """`card`: thumbnail of the link card. `image`: an image of its own, with its alt text."""
    url: str
    sha256: str
    size: int
    """Bytes."""
    media_type: str
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


def compose(
    article: Article,
    *,
    repo: str,
    key: str,
    now: datetime,
    media: Media | None,
    language: str | None,
    tags: int,
) -> Frozen:
    """The post about `article`. `tags` is how many of its tags may become hashtags."""
    link = _tracked(article.url)
    body = article.social.get("bluesky", "").strip() or _lead(article)
    # An editor who wrote the address into the text has placed the link, unless the cut takes it away.
    placed = {uri.partition("?")[0] for uri in links(fit(body, LIMIT, length))}
    text, found = _assemble(
        body,
        link=None if article.url in placed else link,
        tags=[name for tag in article.tags if (name := hashtag(tag))][:tags],
    )
    record = _record(text, found, now, article.language or language)
    if media and media.use == "image":
        record["embed"] = {
            "$type": "app.bsky.embed.images",
            "images": [
                {
                    "alt": fit(media.alt, ALT_LIMIT, graphemes),
                    "aspectRatio": {"width": media.width, "height": media.height},
                }
            ],
        }
    else:
        record["embed"] = {
            "$type": "app.bsky.embed.external",
            "external": {
                "uri": link,
                "title": article.headline,
                "description": article.standfirst or article.summary,
            },
        }
    return Frozen(repo=repo, rkey=record_key(key, now), record=record, media=media)


def compose_correction(
    article: Article,
    *,
    key: str,
    now: datetime,
    root: StrongRef,
    language: str | None,
    labels: dict[str, str],
    told: int,
) -> Frozen:
    """A reply to our post that says what was wrong: the network keeps showing the text it first saw.

    It carries every notice after the first `told`, the newest first: of corrections that follow
    each other quickly only the last is sent. `labels` translates a notice's kind ("correction",
    "clarification") for readers.
    """
    notices = [
        (one.kind, one.text.strip() or article.headline.strip())
        for one in reversed(article.corrections[told:])
    ]
    text, found = _assemble(
        "\n\n".join(
            f"{labels.get(kind, kind.capitalize())}: {said}"
            for kind, said in notices or [("correction", article.headline.strip())]
        ),
        link=_tracked(article.url),
        tags=[],
    )
    record = _record(text, found, now, article.language or language)
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


def _assemble(body: str, *, link: str | None, tags: list[str]) -> tuple[str, list[dict[str, Any]]]:
    """Body, link on its own line, then as many hashtags as there is room for; and all facets."""
    own: tuple[int, int, str] | None = None
    if link is None:
        text = fit(body, LIMIT, length)
    else:
        # An address too long to leave room for a sentence is shown by its host; the facet has it whole.
        label = link if length(link) <= LIMIT // 2 else fit(urlsplit(link).netloc, 100, length)
        text = fit(body, LIMIT - length(label) - 2, length)
        text = f"{text}\n\n" if text else ""
        own = (len(text), len(text) + len(label), link)
        text += label
    present = {word.casefold() for word in regex.findall(r"[#＃][\w\p{M}]+", text)}
    before = "\n\n"
    for tag in tags:
        if tag.casefold() in present or length(longer := f"{text}{before}{tag}") > LIMIT:
            continue
        present.add(tag.casefold())
        text, before = longer, " "
    return text, facets(text, own)


def _lead(article: Article) -> str:
    parts = (article.headline.strip(), (article.standfirst or article.summary).strip())
    return "\n\n".join(part for part in parts if part)


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


def _tracked(url: str) -> str:
    """The address with our campaign parameters; its own query and fragment stay."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    query += [("utm_source", "bluesky"), ("utm_medium", "social")]
    return parts._replace(query=urlencode(query)).geturl()
