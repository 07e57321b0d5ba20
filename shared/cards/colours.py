"""Colours of a card, and how well one can be read on another (WCAG 2.2). Never fails on a CSS value."""

from __future__ import annotations

from PIL import ImageColor

Colour = tuple[int, int, int]

READABLE = 4.5
"""The least contrast of text (WCAG 2.2, 1.4.3)."""
WHITE: Colour = (255, 255, 255)
INK: Colour = (22, 24, 29)
BLACK: Colour = (0, 0, 0)


def colour(value: str | None, default: Colour) -> Colour:
    """A CSS colour as RGB; `default` for what is unset, no colour, or of a form Pillow does not know."""
    try:
        return ImageColor.getrgb(value or "")[:3]
    except ValueError:
        return default


def contrast(one: Colour, other: Colour) -> float:
    """From 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def text_on(paper: Colour) -> Colour:
    """Ink, else white; black on the few tones between, where neither can be read well."""
    return next((one for one in (INK, WHITE) if contrast(one, paper) >= READABLE), BLACK)


def accent_on(paper: Colour, accent: Colour) -> Colour:
    """The accent where text in it can be read on `paper`, else the colour of plain text."""
    return accent if contrast(accent, paper) >= READABLE else text_on(paper)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """`share` (0 to 1) of `other` in `one`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _luminance(one: Colour) -> float:
    red, green, blue = (_linear(part / 255) for part in one)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
