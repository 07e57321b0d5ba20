"""Letters are shaped and ordered as readers write them: held against Pillow's basic layout, which does neither."""

from __future__ import annotations

import pytest
from PIL import Image, ImageChops, ImageFont, ImageStat

from shared.cards.lines import fitted
from shared.cards.paragraphs import paragraph
from shared.cards.typefaces import REGULAR, Typeface

SIZE = 80
SHEET = (2000, 200)
CONJUNCTS = ("क्ष", "ज्ञ", "त्र", "र्क", "श्री", "द्ध", "स्त्र")
SENTENCES = {
    "ar": "الشمس تشرق على المدينة كل صباح",
    "fa": "کتاب‌های تازه به کتابخانه رسید",
    "ur": "آج شہر میں بارش ہوئی",
    "hi": "क्षेत्र में श्री ज्ञान सिंह की पुस्तक",
    "mr": "मुख्यमंत्र्यांनी पुलाचे उद्घाटन केले",
}


def ours(text: str, language: str) -> Image.Image:
    """One line as a card has it, its ink alone."""
    from_right = language in {"ar", "fa", "ur", "he"}
    found = paragraph(text, language, from_right=from_right)
    block = fitted(found, width=SHEET[0], height=SHEET[1], weight=REGULAR, sizes=[SIZE], lines=1)
    assert not any(run.text.endswith("…") for run in block.lines[0])
    return sheet(block.mask(SHEET[0]))


def basic(text: str, language: str, *, like: str = "") -> Image.Image:
    """The same, in the font of `like`, one glyph for each character as they come, from left to right."""
    face = face_of(like or text, language)
    shaping = face.font(REGULAR, SIZE)
    font = ImageFont.truetype(str(face.path), SIZE, layout_engine=ImageFont.Layout.BASIC)
    axes = shaping.get_variation_axes()
    font.set_variation_by_axes(
        [REGULAR if axis["name"] == b"Weight" else axis["default"] or 0 for axis in axes]
    )
    core = font.getmask(text)
    return sheet(Image.frombytes("L", core.size, bytes(core)))


def face_of(text: str, language: str) -> Typeface:
    return paragraph(text, language, from_right=False).clusters[0].face


def sheet(ink: Image.Image) -> Image.Image:
    """Its ink in the upper left corner of a page, so that two can be compared."""
    page = Image.new("L", SHEET)
    page.paste(ink.crop(ink.getbbox()), (0, 0))
    return page


def apart(one: Image.Image, other: Image.Image) -> float:
    """0 for the same ink; 1 where they share none."""
    difference = ImageStat.Stat(ImageChops.difference(one, other)).sum[0]
    return difference / (ImageStat.Stat(one).sum[0] + ImageStat.Stat(other).sum[0])


def bodies(ink: Image.Image) -> int:
    """How many parts of the ink hang together."""
    left = {
        (x, y) for y in range(ink.height) for x in range(ink.width) if ink.getpixel((x, y)) > 90
    }
    count = 0
    while left:
        count += 1
        reached = [left.pop()]
        while reached:
            x, y = reached.pop()
            around = {(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)} & left
            left -= around
            reached.extend(around)
    return count


def test_arabic_letters_are_joined_and_stand_from_the_right() -> None:
    """The name Muhammad: the forms of beginning, middle, middle and end, as a compositor would set them."""
    by_hand = "\ufee3\ufea4\ufee4\ufeaa"[::-1]
    assert apart(ours("محمد", "ar"), basic(by_hand, "ar")) == 0
    assert (bodies(ours("محمد", "ar")), bodies(basic("محمد", "ar"))) == (1, 4)


def test_lam_and_alef_become_one_letter() -> None:
    assert apart(ours("لا", "ar"), basic("\ufefb", "ar")) < 0.02


def test_hebrew_stands_from_the_right() -> None:
    shown = ours("שלום", "he")
    assert apart(shown, basic("םולש", "he")) < 0.15
    assert apart(shown, basic("שלום", "he")) > 0.4


def test_a_number_in_an_arabic_line_reads_from_the_left() -> None:
    shown = ours("في 2027", "ar")
    number = basic("2027", "ar", like="في")
    width = (number.getbbox() or SHEET)[2]
    assert apart(sheet(shown.crop((0, 0, width, SHEET[1]))), number) < 0.05


@pytest.mark.parametrize("text", CONJUNCTS)
def test_devanagari_consonants_become_conjuncts(text: str) -> None:
    shown, unshaped = ours(text, "hi"), basic(text, "hi")
    assert apart(shown, unshaped) > 0.2
    assert (shown.getbbox() or SHEET)[2] < (unshaped.getbbox() or SHEET)[2]


def test_a_devanagari_vowel_that_is_written_before_its_consonant_stands_before_it() -> None:
    shown = ours("कि", "hi")
    assert apart(shown, basic("िक", "hi")) < 0.15
    assert apart(shown, basic("कि", "hi")) > 0.4


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_is_not_what_the_basic_layout_draws(language: str) -> None:
    text = SENTENCES[language]
    shown = ours(text, language)
    assert apart(shown, basic(text, language)) > 0.2
    assert apart(shown, basic(text[::-1], language)) > 0.2
