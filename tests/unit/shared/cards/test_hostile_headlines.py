"""Headlines that nobody should write: each makes a whole card, in little time, that says nothing false."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
from PIL import Image

from shared.cards.card import MOST_BYTES, Size
from shared.cards.drawing import BLEED, LAYOUTS, draw

MUCH = 10_000
FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
HOSTILE = {
    "one word": "x" * MUCH,
    "many words": "word " * (MUCH // 5),
    "arabic": "إعادة فتح " * (MUCH // 10),
    "han": "港大橋が" * (MUCH // 4),
    "devanagari without a space": "क्ष" * (MUCH // 3),
    "every letter another font": "港a ج क्ष ξ ж א" * (MUCH // 13),
    "combining marks only": "\u0301" * MUCH,
    "a tower of marks": "q" + "\u0301\u0323" * (MUCH // 2),
    "marks that enclose": "a\u20dd\u20e3" * (MUCH // 3),
    "emoji": FAMILY * (MUCH // len(FAMILY)),
    "flags and skins": "\U0001f1f5\U0001f1f9\U0001f44d\U0001f3ff" * (MUCH // 4),
    "half a flag": "\U0001f1f5",
    "controls": "".join(map(chr, range(32))) + "\x7f\x80\x9f",
    "overrides": "\u202e\u2066\u202b" * (MUCH // 3) + "evil",
    "joiners only": "\u200c\u200d" * (MUCH // 2),
    "spaces": "\u2003\u3000\u00a0\u2028\u2029" * (MUCH // 5),
    "brackets": "(" * MUCH,
    "both directions": "a ב " * (MUCH // 4),
    "half a pair": "\ud83d and \udc00",
    "no character": "\uffff\ufffe\U0010ffff\ufdd0",
    "private": "\ue000\U000f0000" * (MUCH // 2),
    "the box itself": "\U00013000" * MUCH,
}


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("size", Size)
@pytest.mark.parametrize("name", HOSTILE)
def test_the_card_is_whole(make_card: Any, name: str, size: Size) -> None:
    card = make_card(size, headline=HOSTILE[name])
    assert len(card.path) < 120
    content = draw(card)
    assert len(content) <= MOST_BYTES
    image = opened(content)
    assert image.size == size.pixels
    layout, (width, height) = LAYOUTS[size], size.pixels
    edge = layout.margin - BLEED - 8
    for left in (0, width - edge):
        strip = image.crop((left, 0, left + edge, height - layout.band - 8))
        assert all(most - least <= 24 for least, most in strip.getextrema())


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("The \u202eharbour\u202c opens", "The harbour opens"),
        ("\u2067The harbour\u2069 opens\u200f", "The harbour opens"),
        ("The\x00 har\x1b[31mbour\x07 opens", "The har[31mbour opens"),
        ("The\u2028har\u00adbour\n\topens", "The harbour opens"),
        ("\ufeffThe harbour\ufe0f opens\ue000", "The harbour opens"),
    ],
)
def test_what_turns_or_hides_words_does_neither(make_card: Any, written: str, read: str) -> None:
    """As the same words without it: an override must not make a headline say another thing."""
    assert draw(make_card(headline=written)) == draw(make_card(headline=read))


@pytest.mark.parametrize("name", ["combining marks only", "joiners only", "spaces", "private"])
def test_where_nothing_is_to_be_seen_nothing_is_drawn(make_card: Any, name: str) -> None:
    empty = make_card().model_copy(update={"headline": ""})
    assert draw(make_card(headline=HOSTILE[name])) == draw(empty)


@pytest.mark.timed
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_card_is_drawn_in_three_seconds(make_card: Any, name: str) -> None:
    """Of one process that draws one card at a time; the fonts are open by then."""
    draw(make_card(Size.TALL))
    card = make_card(Size.TALL, headline=HOSTILE[name])
    began = time.perf_counter()
    draw(card)
    assert time.perf_counter() - began < 3


@pytest.mark.timed
def test_a_card_is_drawn_in_a_quarter_of_a_second(make_card: Any) -> None:
    draw(make_card())
    took = []
    for number in range(5):
        card = make_card(headline=f"Harbour bridge number {number} reopens after two years")
        began = time.perf_counter()
        draw(card)
        took.append(time.perf_counter() - began)
    assert sorted(took)[2] < 0.25
