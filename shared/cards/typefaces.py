"""The fonts of cards: Noto, installed with Herald. Tells which has a character; never draws its box.

Their licence is the SIL Open Font License 1.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

from PIL import ImageFont, features
from PIL.ImageFont import Axis

from shared.cards.coverage import Coverage, read_coverage

_SANS = "manimgx_fonts/NotoSans{script}[wght].ttf"
_SCRIPTS = (
    *("", "Arabic", "Hebrew", "Devanagari"),
    *("Armenian", "Bengali", "Ethiopic", "Georgian", "Gujarati", "Gurmukhi", "Kannada", "Khmer"),
    *("Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thai", "Symbols"),
)
_SERIF = "fontpkg_noto_serif/files/NotoSerif[wdth,wght].ttf"
_HAN = "manimgx_fonts_cjk/NotoSansCJK-VF.otf.ttc"
_EMOJI = "manimgx_fonts/NotoEmoji[wght].ttf"
_HAN_FACES = {"ja": 0, "ko": 1, "zh-hans": 2, "zh-hant": 3, "zh-hk": 4}
_TRADITIONAL = {"zh-tw": "zh-hant", "zh-mo": "zh-hk", "zh-hant-hk": "zh-hk", "zh-hant-mo": "zh-hk"}
_WEIGHT = b"Weight"

REGULAR, BOLD = 400, 700


class CannotDraw(RuntimeError):
    """What cards need is not installed; said at the start, not to the first reader."""


@dataclass(frozen=True)
class Typeface:
    """One face of one file; `index` counts the faces of a collection."""

    file: str
    index: int = 0

    @property
    def path(self) -> Path:
        package, _, name = self.file.partition("/")
        return Path(str(files(package) / name))

    def has(self, text: str) -> bool:
        """Whether there is a glyph for every character."""
        return all(character in _coverage(self) for character in text)

    def font(self, weight: int, size: int) -> ImageFont.FreeTypeFont:
        """At `size` pixels to the em."""
        return _font(self, weight, size)


SERIF = Typeface(_SERIF)
SANS = tuple(Typeface(_SANS.format(script=script)) for script in _SCRIPTS)


def require() -> None:
    """Raises `CannotDraw` where letters would not be joined, or a font is missing.

    Pillow's wheels bring Raqm and HarfBuzz, but load the system's FriBiDi; without it Pillow falls
    back, in silence, to a layout that draws Arabic and Devanagari wrong.
    """
    if not features.check("raqm"):
        raise CannotDraw(
            "Pillow cannot shape text for share cards: install FriBiDi (on Debian: libfribidi0), "
            "or a Pillow that was built with Raqm"
        )
    for face in (SERIF, *SANS, Typeface(_HAN), Typeface(_EMOJI)):
        try:
            there = face.path.is_file()
        except ModuleNotFoundError:
            there = False
        if not there:
            raise CannotDraw(f"a font of share cards is missing: {face.file}; install Herald anew")


def chain(language: str, *, serif: bool) -> Sequence[Typeface]:
    """All faces, the one to ask first at the front. Han is written as the language writes it."""
    han = Typeface(_HAN, _HAN_FACES[_han(language)])
    first = [SERIF] if serif else []
    if language.partition("-")[0].lower() in {"ja", "ko", "zh"}:
        first.append(han)  # its own commas and quotation marks, and Latin letters that go with them
    faces = [*first, *SANS, han, Typeface(_EMOJI)]
    return tuple(dict.fromkeys(faces))


def _han(language: str) -> str:
    tag = language.lower()
    if tag.startswith("zh"):
        tag = _TRADITIONAL.get(tag, tag)
        return next((one for one in ("zh-hant", "zh-hk") if tag.startswith(one)), "zh-hans")
    return tag.partition("-")[0] if tag.startswith(("ja", "ko")) else "zh-hans"


@cache
def _coverage(face: Typeface) -> Coverage:
    return read_coverage(face.path, face.index)


@lru_cache(maxsize=128)
def _font(face: Typeface, weight: int, size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(
        str(face.path), size, index=face.index, layout_engine=ImageFont.Layout.RAQM
    )
    font.set_variation_by_axes([_value(axis, weight) for axis in font.get_variation_axes()])
    return font


def _value(axis: Axis, weight: int) -> float:
    least, usual, most = (axis[key] or 0 for key in ("minimum", "default", "maximum"))
    return max(least, min(weight, most)) if axis["name"] == _WEIGHT else usual
