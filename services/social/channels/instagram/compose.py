"""Composes the exact Instagram caption for an article, counting as the network counts.

Never does input or output, and never leaves out the address: what does not fit is the hashtags, then text.
"""

from __future__ import annotations

from datetime import datetime

import regex
from pydantic import BaseModel, ConfigDict

from services.social.channels.article_words import lead, notices, own_words
from services.social.channels.campaign import content_of, with_query
from services.social.channels.instagram.settings import InstagramSettings
from services.social.channels.layout import GAP, Layout
from services.social.channels.pictures import PictureLimits
from services.social.channels.plaintext import address, cleaned, hashtags
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
PICTURES = PictureLimits(
    frozenset({"image/jpeg"}),
    "a JPEG of at most 8 MB, 320 to 1440 pixels wide, no taller than 4:5 and no flatter than 1.91:1",
    most_bytes=8_000_000,
    also=lambda each: (
        NARROWEST <= each.width <= WIDEST and TALLEST <= each.width / each.height <= FLATTEST
    ),
)

_LINK = r"https?://[^\s<>\"「」『』、。]+"
# A whole run of signs: were only its last one taken away, the one before it would count.
_SIGNS = regex.compile(rf"{_LINK}|(?P<sign>[#＃@]+)(?=[\w\p{{M}}\p{{N}}])", regex.IGNORECASE)


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


LAYOUT = Layout(CAPTION_LIMIT, length)


def fit(text: str, limit: int) -> str:
    """`text` if it is no longer than `limit`, else its beginning and "…"; see `channels.fitting`."""
    return LAYOUT.fit(text, limit)


def compose(
    article: Article,
    *,
    key: str,
    now: datetime,
    settings: InstagramSettings,
    card: LeadImage | None = None,
) -> Frozen:
    """The post for `article`, with its card where it has no picture that Instagram takes.

    Raises `GiveUp` when there is neither.
    """
    for image in (article.lead_image, card):
        if image and (rendition := best_rendition(image)):
            break
    else:
        if article.lead_image is None:
            raise GiveUp("Instagram posts pictures only, and the article has no lead image")
        raise GiveUp(f"no rendition of the lead image is what Instagram takes, {PICTURES.words}")
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
    # One link is all that a comment may have, and that is ours.
    said = regex.sub(
        r"https?://", "", notices(article, told, settings.labels), flags=regex.IGNORECASE
    )
    said = _with_at_most(said, COMMENT_HASHTAGS)
    link = _address(article)
    if length(link) <= COMMENT_LIMIT // 2:
        said = f"{fit(said, COMMENT_LIMIT - length(link) - 2)}\n\n{link}"
    return Comment(media_id=media_id, composed_at=now, comment=fit(said, COMMENT_LIMIT))


def best_rendition(image: LeadImage) -> Rendition | None:
    """The widest rendition that Instagram takes and shows in full."""
    taken = PICTURES.taken(image)
    return max(taken, key=lambda each: (each.width, -each.size), default=None)


def _caption(article: Article, settings: InstagramSettings) -> str:
    link = _address(article)
    body = own_words(article, "instagram", link) or lead(article)
    body = _with_at_most(body, settings.hashtags)
    parts = LAYOUT.linked("", body, link, lambda text: address(link).search(text) is not None)
    text = GAP.join(parts)
    if not LAYOUT.fits(text):
        raise GiveUp(f"the address alone is longer than a caption of {CAPTION_LIMIT}")
    free = max(0, settings.hashtags - len(_hashtags(text)))
    return LAYOUT.tagged(text, hashtags(article.tags, text)[:free])


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


def _address(article: Article) -> str:
    """The article's address as people read it: nobody can click it, so it has no campaign parameters.

    A later publication is told apart by its number: the look-up goes by the caption, and must
    never take the second publication's post for the first's.
    """
    content = content_of(article.publication)
    return with_query(article.url, [("utm_content", content)] if content else [])
