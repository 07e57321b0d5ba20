"""Composes the exact Instagram caption for an article, counting as the network counts.

Never does input or output, and never leaves out the address: what does not fit is the hashtags, then text.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

import regex
from pydantic import BaseModel, ConfigDict

from services.social.channels import fitting
from services.social.channels.instagram.settings import InstagramSettings
from shared.contracts.articles import Article, LeadImage, Rendition
from shared.delivery.errors import GiveUp

__all__ = ["Comment", "Frozen", "compose", "compose_correction", "fit", "length"]

CAPTION_LIMIT = 2200
"""UTF-16 code units, as all limits of length here."""
COMMENT_LIMIT, COMMENT_HASHTAGS = 300, 4
ALT_LIMIT = 1000
MENTIONS = 20
NARROWEST, WIDEST = 320, 1440
"""Pixels of width."""
TALLEST, FLATTEST = 4 / 5, 1.91
"""Ratio of width to height."""
IMAGE_BYTES = 8_000_000

_WORD = regex.compile(r"[\p{L}\p{M}\p{Nd}]+")
_CONTROLS = regex.compile(r"[\p{Cs}\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_LINK = r"https?://[^\s<>\"「」『』、。]+"
# A whole run of signs: were only its last one taken away, the one before it would count.
_SIGNS = regex.compile(rf"{_LINK}|(?P<sign>[#＃@]+)(?=[\w\p{{M}}])", regex.IGNORECASE)
_HASHTAG = regex.compile(r"[#＃]([\w\p{M}]+)")


class Frozen(BaseModel):
    """All that is sent for a post. `key` finds the container that an earlier try made of it."""

    model_config = ConfigDict(frozen=True)

    key: str
    composed_at: datetime
    caption: str
    image_url: str
    """Public address of our own rendition; it is made from the content, so the bytes cannot change."""
    alt: str


class Comment(BaseModel):
    """A correction, as a comment below the picture."""

    model_config = ConfigDict(frozen=True)

    media_id: str
    composed_at: datetime
    comment: str


def length(text: str) -> int:
    """UTF-16 code units: never fewer than characters, so safe whichever of the two is counted."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def fit(text: str, limit: int) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return fitting.fit(text, limit, length)


def compose(article: Article, *, key: str, now: datetime, settings: InstagramSettings) -> Frozen:
    """The post for `article`. Raises `GiveUp` when it has no picture that Instagram takes."""
    image = article.lead_image
    if image is None:
        raise GiveUp("Instagram posts pictures only, and the article has no lead image")
    rendition = best_rendition(image)
    if rendition is None:
        raise GiveUp(
            "the lead image has no JPEG that Instagram takes: at least 320 pixels wide, at most "
            "8 MB, no taller than 4:5 and no flatter than 1.91:1"
        )
    return Frozen(
        key=key,
        composed_at=now,
        caption=_caption(article, settings),
        image_url=rendition.url,
        alt=fit(cleaned(image.alt), ALT_LIMIT),
    )


def compose_correction(
    article: Article,
    *,
    media_id: str,
    now: datetime,
    settings: InstagramSettings,
    told: int,
) -> Comment:
    """A comment that says what was wrong, because a caption cannot be changed.

    It carries every notice after the first `told`, the newest first: of corrections that follow
    each other quickly only the last is sent.
    """
    notices = [
        (settings.labels.get(one.kind, one.kind.capitalize()), one.text.strip())
        for one in reversed(article.corrections[told:])
    ] or [(settings.labels["correction"], article.headline)]
    said = "\n\n".join(f"{label}: {text}" for label, text in notices)
    # One link is all that a comment may have, and that is ours.
    said = regex.sub(r"https?://", "", cleaned(said), flags=regex.IGNORECASE)
    said = _with_at_most(said, COMMENT_HASHTAGS)
    link = _address(article)
    if length(link) <= COMMENT_LIMIT // 2:
        said = f"{fit(said, COMMENT_LIMIT - length(link) - 2)}\n\n{link}"
    return Comment(media_id=media_id, composed_at=now, comment=fit(said, COMMENT_LIMIT))


def best_rendition(image: LeadImage) -> Rendition | None:
    """The widest rendition that Instagram takes and shows in full."""
    taken = [
        each
        for each in image.renditions
        if each.media_type == "image/jpeg"
        and each.size <= IMAGE_BYTES
        and NARROWEST <= each.width <= WIDEST
        and TALLEST <= each.width / each.height <= FLATTEST
    ]
    return max(taken, key=lambda each: (each.width, -each.size), default=None)


def cleaned(text: str) -> str:
    """`text` without invisible control characters, line ends as one sign."""
    return str(_CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))).strip()


def _caption(article: Article, settings: InstagramSettings) -> str:
    link = _address(article)
    own_words = cleaned(article.social.get("instagram", ""))
    # An editor who wrote the address into the text has placed it.
    body = _whole(article.url).sub(lambda _: link, own_words) or _lead(article)
    body = _with_at_most(body, settings.hashtags)
    text = fit(body, CAPTION_LIMIT)
    if not _whole(link).search(text):
        room = CAPTION_LIMIT - length(link) - 2
        if room < 0:
            raise GiveUp(f"the address alone is longer than a caption of {CAPTION_LIMIT}")
        text = "\n\n".join(part for part in (fit(body, room), link) if part)
    free = settings.hashtags - len(_hashtags(text))
    before = "\n\n"
    for tag in _made(article.tags, text)[: max(0, free)]:
        if length(longer := f"{text}{before}{tag}") <= CAPTION_LIMIT:
            text, before = longer, " "
    return text


def _with_at_most(text: str, hashtags: int) -> str:
    """`text` in which what comes after so many hashtags, or mentions, has lost its sign."""
    left = {"#": hashtags, "@": MENTIONS}

    def sign(found: regex.Match[str]) -> str:
        if found["sign"] is None:
            return str(found[0])
        kind = "@" if found["sign"].endswith("@") else "#"
        left[kind] -= 1
        return str(found[0]) if left[kind] >= 0 else ""

    return str(_SIGNS.sub(sign, text))


def _hashtags(text: str) -> list[str]:
    signs = (found["sign"] for found in _SIGNS.finditer(text))
    return [sign for sign in signs if sign and not sign.endswith("@")]


def _made(tags: tuple[str, ...], text: str) -> list[str]:
    """CamelCase hashtags of letters and digits that `text` has not got already."""
    present = {found.casefold() for found in _HASHTAG.findall(text)}
    made: list[str] = []
    for tag in tags:
        name = "".join(word[:1].upper() + word[1:] for word in _WORD.findall(tag))
        if regex.search(r"\p{L}", name) and name.casefold() not in present:
            present.add(name.casefold())
            made.append(f"#{name}")
    return made


def _lead(article: Article) -> str:
    parts = (cleaned(article.headline), cleaned(article.standfirst or article.summary))
    return "\n\n".join(part for part in parts if part)


def _address(article: Article) -> str:
    """The article's address as people read it: nobody can click it, so it has no campaign parameters.

    A later publication is told apart by its number: the look-up goes by the caption, and must
    never take the second publication's post for the first's.
    """
    if article.publication <= 1:
        return article.url
    parts = urlsplit(article.url)
    own = f"{parts.query}&" if parts.query else ""
    return parts._replace(query=f"{own}utm_content={article.publication}").geturl()


def _whole(url: str) -> regex.Pattern[str]:
    """Matches `url` in a text where it stands whole, not as the beginning of a longer address."""
    return regex.compile(regex.escape(url) + r"(?![\w\p{M}/?#&=%~+-]|[.,:;!]\w)")
