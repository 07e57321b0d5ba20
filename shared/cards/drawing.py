"""Draws a card to JPEG bytes: the same card, picture and fonts give the same bytes. Never fetches.

All words stand inside the margins. On a photograph they stand on a scrim so dark that white can be
read on it whatever the photograph shows.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from shared.cards.card import MOST_BYTES, Card, Size
from shared.cards.colours import INK, WHITE, Colour, accent_on, colour, mixed, text_on
from shared.cards.lines import Block, fitted
from shared.cards.paragraphs import paragraph
from shared.cards.pictures import filling
from shared.cards.typefaces import BOLD, REGULAR

PAPER: Colour = (251, 249, 245)
ACCENT: Colour = (11, 79, 108)
SCRIM = 0.66
"""Of black over the photograph wherever there are words: white on it has a contrast of 7 at least."""
BLEED = 10
"""Pixels by which a letter may reach beyond the line's own box, into the margin."""
_QUALITIES = (88, 80, 70, 55, 35, 15)


@dataclass(frozen=True)
class Layout:
    """Measures of one size, in pixels."""

    margin: int
    band: int
    """Colour of the paper along the lower edge."""
    gap: int
    headline: Sequence[int]
    """Sizes to try on paper, the largest first."""
    caption: Sequence[int]
    """The same on a photograph."""
    lines: int
    """At most so many lines of headline on a photograph."""
    label: int
    nameplate: int
    credit: int


LAYOUTS = {
    Size.LINK: Layout(
        margin=64,
        band=16,
        gap=22,
        headline=range(92, 39, -4),
        caption=range(68, 35, -4),
        lines=4,
        label=30,
        nameplate=40,
        credit=18,
    ),
    Size.TALL: Layout(
        margin=76,
        band=22,
        gap=30,
        headline=range(124, 47, -4),
        caption=range(92, 43, -4),
        lines=6,
        label=38,
        nameplate=52,
        credit=22,
    ),
}


def draw(card: Card, photograph: bytes | None = None) -> bytes:
    """JPEG of at most `MOST_BYTES`. `photograph` is the bytes at the address of the card's picture.

    Without them, or where they are no picture that can be opened, the words stand on plain paper.
    """
    filled = None
    if card.picture and photograph is not None:
        filled = filling(photograph, card.picture, card.size.pixels)
    sheet = _Sheet(card, filled)
    if filled is None:
        sheet.on_paper()
    else:
        sheet.on_photograph()
    return _encoded(sheet.image)


class _Sheet:
    """One card while it is drawn."""

    def __init__(self, card: Card, filled: Image.Image | None) -> None:
        self._card = card
        self._layout = LAYOUTS[card.size]
        self._paper = colour(card.background, PAPER)
        self._accent = colour(card.accent, ACCENT)
        width, height = card.size.pixels
        self._width, self._height = width, height
        self._inner = width - 2 * self._layout.margin
        self.image = filled or Image.new("RGB", (width, height), self._paper)

    def on_paper(self) -> None:
        """Masthead, rule, headline, byline: the front page in small."""
        card, layout = self._card, self._layout
        text = text_on(self._paper)
        accent = accent_on(self._paper, self._accent)
        quiet = accent_on(self._paper, mixed(text, self._paper, 0.25))
        top, bottom = layout.margin, self._height - layout.margin - layout.band

        section = self._small(card.section, BOLD, self._inner * 2 // 5)
        name = self._nameplate(self._inner - section.width - layout.gap)
        base = top + max(name.block.baseline, section.block.baseline)
        self._put(name, base - name.block.baseline, text)
        self._put(section, base - section.block.baseline, accent, at_end=True)
        rule = base + max(name.block.descent, section.block.descent) + layout.gap
        draw = ImageDraw.Draw(self.image)
        sides = layout.margin, self._width - layout.margin - 1
        draw.rectangle((sides[0], rule, sides[1], rule + 4), fill=accent)
        draw.rectangle((sides[0], rule + 9, sides[1], rule + 9), fill=accent)
        draw.rectangle(
            (0, self._height - layout.band, self._width, self._height), fill=self._accent
        )

        body = rule + 10 + layout.gap
        if card.byline:
            byline = self._byline(self._inner)
            self._put(byline, bottom - byline.block.height, quiet)
            bottom -= byline.block.height + layout.gap
        headline = self._headline(layout.headline, bottom - body, 1000)
        # A little above the middle, where the eye expects it.
        room = max(bottom - body - headline.block.height, 0)
        self._put(headline, body + round(room * 0.42), text)

    def on_photograph(self) -> None:
        """The photograph fills the card; the words stand below on its darkened part."""
        card, layout = self._card, self._layout
        bottom = self._height - layout.margin * 3 // 4 - layout.band
        headline = self._headline(layout.caption, self._height * 2 // 5, layout.lines)
        section = self._small(card.section, BOLD, self._inner)
        half = (self._inner - layout.gap) // 2
        name = self._nameplate(half, smaller=True)
        byline = self._byline(self._inner - name.width - layout.gap)

        base = bottom - max(name.block.descent, byline.block.descent)
        foot = base - max(name.block.baseline, byline.block.baseline)
        title = foot - layout.gap - headline.block.height
        label = title - layout.gap - section.block.height
        mark = label - layout.gap * 2 // 3 - 8
        self._darken(mark - layout.gap)
        draw = ImageDraw.Draw(self.image)
        left = self._width - layout.margin - 96 if card.from_right else layout.margin
        draw.rectangle((left, mark, left + 96, mark + 7), fill=_bright(self._accent))
        draw.rectangle(
            (0, self._height - layout.band, self._width, self._height), fill=self._accent
        )
        self._put(section, label, WHITE)
        self._put(headline, title, WHITE)
        self._put(byline, base - byline.block.baseline, mixed(WHITE, INK, 0.1))
        self._put(name, base - name.block.baseline, WHITE, at_end=True)
        if card.picture and card.picture.credit:
            self._credit(card.picture.credit)

    def _darken(self, top: int) -> None:
        """Nothing at the upper edge of the fade, `SCRIM` from `top` down, a little more at the foot."""
        fade = self._height // 5
        column = Image.new("L", (1, self._height))
        for y in range(self._height):
            if y >= top:
                share = SCRIM + (0.86 - SCRIM) * (y - top) / max(self._height - top, 1)
            else:
                rise = max(0.0, 1 - (top - y) / fade)
                share = SCRIM * rise * rise * (3 - 2 * rise)
            column.putpixel((0, y), round(255 * share))
        self.image.paste((0, 0, 0), (0, 0), column.resize(self.image.size))

    def _credit(self, text: str) -> None:
        """Who took the photograph, small, in the upper corner where the line ends."""
        layout = self._layout
        block = self._set(text, REGULAR, [layout.credit], self._inner // 2)
        if not block.width:
            return
        pad = layout.credit // 2
        right = (
            layout.margin + block.width if self._card.from_right else self._width - layout.margin
        )
        box = (
            right - block.width - pad,
            layout.margin // 2,
            right + pad,
            layout.margin // 2 + block.block.height + 2 * pad,
        )
        shade = Image.new("L", (box[2] - box[0], box[3] - box[1]), round(255 * SCRIM))
        self.image.paste((0, 0, 0), box[:2], shade)
        self._put(block, layout.margin // 2 + pad, WHITE, at_end=True)

    def _headline(self, sizes: Sequence[int], height: int, lines: int) -> _Words:
        return self._set(self._card.headline, BOLD, sizes, self._inner, height=height, lines=lines)

    def _nameplate(self, width: int, *, smaller: bool = False) -> _Words:
        size = self._layout.nameplate * (3 if smaller else 4) // 4
        return self._set(self._card.paper, BOLD, [size], width, language=self._card.paper_language)

    def _byline(self, width: int) -> _Words:
        """A little smaller before a name is cut."""
        label = self._layout.label
        return self._set(self._card.byline, REGULAR, range(label, label * 4 // 5, -2), width)

    def _small(self, text: str, weight: int, width: int) -> _Words:
        return self._set(text, weight, [self._layout.label], width)

    def _set(
        self,
        text: str,
        weight: int,
        sizes: Sequence[int],
        width: int,
        *,
        height: int = 10_000,
        lines: int = 1,
        language: str | None = None,
    ) -> _Words:
        found = paragraph(text, language or self._card.language, from_right=self._card.from_right)
        block = fitted(
            found, width=max(width, 1), height=height, weight=weight, sizes=sizes, lines=lines
        )
        return _Words(block, min(round(max(block.widths, default=0) + 0.5), max(width, 1)))

    def _put(self, words: _Words, top: int, fill: Colour, *, at_end: bool = False) -> None:
        """At the side where a line begins, or where it ends."""
        if not words.width:
            return
        right = self._card.from_right is not at_end
        margin = self._layout.margin
        x = self._width - margin - words.width if right else margin
        self.image.paste(fill, (x - BLEED, top), words.block.mask(words.width, BLEED))


@dataclass(frozen=True)
class _Words:
    """A block and how wide it is."""

    block: Block
    width: int


def _bright(accent: Colour) -> Colour:
    """The accent as it is seen on a dark ground."""
    return accent_on(INK, mixed(accent, WHITE, 0.45))


def _encoded(image: Image.Image) -> bytes:
    content = b""
    for quality in _QUALITIES:
        out = io.BytesIO()
        # No chroma subsampling: it frays coloured letters.
        image.save(out, "JPEG", quality=quality, subsampling=0, progressive=True, optimize=True)
        content = out.getvalue()
        if len(content) <= MOST_BYTES:
            break
    return content
