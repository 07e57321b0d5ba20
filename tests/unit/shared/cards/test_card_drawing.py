"""Drawn cards: the same bytes for the same card, ink inside the margins, words that can be read."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from shared.cards.card import MOST_BYTES, Card, Size
from shared.cards.colours import READABLE, WHITE, contrast
from shared.cards.drawing import BLEED, LAYOUTS, draw
from shared.cards.lines import Block
from shared.contracts.articles import Byline

HEADLINES = {
    "en": "Harbour bridge reopens after two years of repairs",
    "ru": "Мост через гавань вновь открыт после двух лет ремонта",
    "el": "Η γέφυρα του λιμανιού ανοίγει ξανά μετά από δύο χρόνια",
    "ar": "إعادة فتح جسر الميناء بعد عامين من الإصلاحات بتكلفة 12.5 مليون يورو",
    "he": "גשר הנמל נפתח מחדש אחרי שנתיים של תיקונים, כך דיווח BBC News",
    "hi": "बंदरगाह का पुल दो वर्ष की मरम्मत के बाद फिर खुला, क्षेत्र में ज्ञान केंद्र भी",
    "ja": "港大橋が2年ぶりに再開、「フェリーは元の航路へ」と市長",
    "zh-Hans": "港口大桥维修两年后重新开放，渡轮恢复“正常”航线",
    "ko": "항만 대교 2년 만에 재개통, 여객선은 제자리로",
}
JPEG_NOISE = 24
"""How far a pixel may be from what was drawn: JPEG blurs the edges of letters a little."""


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    assert image.format == "JPEG"
    assert image.mode == "RGB"
    return image


def photograph(colour: tuple[int, int, int], size: tuple[int, int] = (1600, 1700)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", quality=95)
    return out.getvalue()


def ink(one: bytes, other: bytes) -> tuple[int, int, int, int] | None:
    """Where two cards differ by more than the noise of JPEG."""
    difference = ImageChops.difference(opened(one), opened(other)).convert("L")
    return difference.point(lambda value: 255 if value > JPEG_NOISE else 0).getbbox()


def inside(box: tuple[int, int, int, int] | None, card: Card) -> bool:
    if box is None:
        return True
    width, height = card.size.pixels
    layout = LAYOUTS[card.size]
    edge = layout.margin - BLEED - 8  # JPEG works in blocks of eight
    lowest = height - layout.band - 8
    return box[0] >= edge and box[2] <= width - edge and box[1] >= 8 and box[3] <= lowest


@pytest.mark.parametrize("size", Size)
@pytest.mark.parametrize("language", HEADLINES)
def test_the_same_card_is_the_same_bytes(make_card: Any, size: Size, language: str) -> None:
    card = make_card(size, headline=HEADLINES[language], language=language)
    content = draw(card)
    assert draw(Card.model_validate_json(card.model_dump_json())) == content
    assert opened(content).size == size.pixels
    assert len(content) < 200_000
    assert "exif" not in opened(content).info


@pytest.mark.parametrize("size", Size)
@pytest.mark.parametrize("language", HEADLINES)
def test_the_headline_is_drawn_inside_the_margins(
    make_card: Any, size: Size, language: str
) -> None:
    card = make_card(size, headline=HEADLINES[language], language=language)
    box = ink(draw(card), draw(card.model_copy(update={"headline": ""})))
    assert box is not None
    assert inside(box, card)
    assert box[3] - box[1] > 100


def words(text: str) -> st.SearchStrategy[str]:
    return st.text(alphabet=text, max_size=160)


ANY_TEXT = st.one_of(
    st.text(max_size=160),
    words("abc WÅẤỵj-() \u0301\u0323"),
    words("إعادة فتح جسر 123 abc ()٪ \u064b"),
    words("बंदरगाह का क्षत्रिय ज्ञ "),
    words("港大橋「」、。フェリー ab"),
    words("\u0e01\u0e33\u0e49\u0e37 ག྄"),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    headline=ANY_TEXT,
    byline=ANY_TEXT,
    section=ANY_TEXT,
    paper=ANY_TEXT,
    credit=ANY_TEXT,
    size=st.sampled_from(Size),
    from_right=st.booleans(),
    language=st.sampled_from(["en", "ar", "hi", "ja", "zh-TW", "th"]),
    on_photograph=st.booleans(),
)
def test_no_text_leaves_the_margins(
    make_card: Any,
    make_image: Any,
    headline: str,
    byline: str,
    section: str,
    paper: str,
    credit: str,
    size: Size,
    from_right: bool,
    language: str,
    on_photograph: bool,
) -> None:
    image = make_image((1600, 1700), credit=credit) if on_photograph else None
    card = make_card(size, lead_image=image, language=language).model_copy(
        update={
            "headline": headline,
            "byline": byline,
            "section": section,
            "paper": paper,
            "from_right": from_right,
        }
    )
    content = draw(card, photograph((0, 0, 0)) if on_photograph else None)
    assert len(content) <= MOST_BYTES
    drawn = opened(content)
    layout = LAYOUTS[size]
    width, height = size.pixels
    edge = layout.margin - BLEED - 8
    # Nothing but paper or photograph in the strips along the edges.
    for box in (
        (0, 0, edge, height - layout.band - 8),
        (width - edge, 0, width, height - layout.band - 8),
        (0, 0, width, 8),
    ):
        for lowest, highest in drawn.crop(box).getextrema():
            assert highest - lowest <= JPEG_NOISE


@pytest.mark.parametrize("colour", [(255, 255, 255), (255, 240, 0), (128, 128, 128), (0, 0, 0)])
@pytest.mark.parametrize("size", Size)
def test_words_can_be_read_on_any_photograph(
    make_card: Any,
    make_image: Any,
    colour: tuple[int, int, int],
    size: Size,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = make_image((1600, 1700), credit="Marta Reis / The Example Courier")
    card = make_card(size, lead_image=image, headline="The harbour opens again " * 9)
    photo = photograph(colour)
    written = draw(card, photo)

    def unwritten(block: Block, width: int, bleed: int = 0) -> Image.Image:
        return Image.new("L", (width + 2 * bleed, max(block.height, 1)), 0)

    monkeypatch.setattr(Block, "mask", unwritten)
    ground = opened(draw(card, photo))
    difference = ImageChops.difference(opened(written), ground).convert("L")
    letters = difference.point(lambda value: 255 if value > JPEG_NOISE else 0)
    black = Image.new("RGB", ground.size)
    red, green, blue = (most for _, most in Image.composite(ground, black, letters).getextrema())
    assert letters.getbbox() is not None
    assert contrast(WHITE, (red, green, blue)) >= READABLE


def test_a_photograph_that_cannot_be_opened_leaves_plain_paper(
    make_card: Any, make_image: Any
) -> None:
    card = make_card(lead_image=make_image((1600, 900)))
    assert card.picture is not None
    assert draw(card, b"no picture") == draw(card) == draw(make_card())


def test_the_photograph_is_seen(make_card: Any, make_image: Any) -> None:
    card = make_card(lead_image=make_image((1600, 900)))
    drawn = opened(draw(card, photograph((200, 40, 40))))
    red, green, blue = drawn.getpixel((600, 60))
    assert (red > 180, green < 70, blue < 70) == (True, True, True)


def test_the_credit_is_drawn_in_the_upper_corner(make_card: Any, make_image: Any) -> None:
    credited = make_card(lead_image=make_image((1600, 900), credit="Marta Reis"))
    plain = make_card(lead_image=make_image((1600, 900)))
    photo = photograph((200, 200, 200))
    box = ink(draw(credited, photo), draw(plain, photo))
    assert box is not None
    assert (box[0] > 600, box[3] < 120) == (True, True)


def test_from_the_right_everything_changes_sides(make_card: Any) -> None:
    left, right = make_card(headline="Aa"), make_card(headline="Aa", direction="rtl")
    drawn = [ink(draw(one), draw(one.model_copy(update={"headline": ""}))) for one in (left, right)]
    assert drawn[0] is not None
    assert drawn[1] is not None
    assert (drawn[0][2] < 600, drawn[1][0] > 600) == (True, True)


@pytest.mark.parametrize("paper", ["#fbf9f5", "#14181c", "#7a7a7a", "#ffcc00", "nonsense"])
def test_a_headline_can_be_read_on_any_paper(make_card: Any, paper: str) -> None:
    drawn = opened(draw(make_card(theme={"paper": paper, "accent": paper})))
    ground = drawn.getpixel((20, 20))
    row = drawn.crop((60, 200, 900, 460))
    best = max(contrast(one, ground[:3]) for _, one in row.getcolors(row.width * row.height) or [])
    assert best >= READABLE


def test_a_noisy_photograph_stays_below_the_limit(make_card: Any, make_image: Any) -> None:
    out = io.BytesIO()
    noise = Image.effect_noise((1600, 1700), 120)
    Image.merge("RGB", (noise, noise.rotate(90).resize(noise.size), noise.rotate(180))).save(
        out, "JPEG", quality=95
    )
    for size in Size:
        content = draw(make_card(size, lead_image=make_image((1600, 1700))), out.getvalue())
        assert 100_000 < len(content) <= MOST_BYTES


def test_a_card_of_no_words_is_a_card(make_card: Any) -> None:
    card = make_card(bylines=(), section="").model_copy(update={"headline": "", "paper": ""})
    assert opened(draw(card)).size == (1200, 630)
    assert make_card(bylines=(Byline(name="\u202e"),)).byline
