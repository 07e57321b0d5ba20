"""A text as clusters that each know their font and direction, and where a line may end. Never draws."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import regex

from shared.cards.bidi import levels, visual
from shared.cards.typefaces import SERIF, Typeface, chain

ELLIPSIS = "…"
MOST_CHARACTERS = 400
"""No card shows more; a longer text is cut before anything is measured."""
_MOST_MARKS = 6
"""On one letter; more would climb into the lines above and below."""

_CLUSTER = regex.compile(r"\X")
_SPACES = regex.compile(r"\s+")
# Controls, surrogates and unassigned characters have no glyph; of the format characters only
# the joiners do something that we do not do ourselves.
_UNDRAWN = regex.compile(r"[\p{Cc}\p{Cs}\p{Cn}\p{Co}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}")
_VARIATION = regex.compile(r"[\uFE00-\uFE0F]")
_MARKS = regex.compile(rf"(\p{{M}}{{{_MOST_MARKS}}})\p{{M}}+")
# Shaping would put a dotted circle below a mark that has no letter.
_LOOSE = regex.compile(r"(?<![^\s\u200c\u200d])[\p{M}\u200c\u200d]+")
_NO_SCRIPT = regex.compile(r"[\p{Script=Common}\p{Script=Inherited}]+")
_IDEOGRAPH = regex.compile(
    r"[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\u3000-\u303F\uFF01-\uFF60]"
)
_KATAKANA = regex.compile(r"[\p{Script=Katakana}ー]+")
"""Mostly names and loan words, which readers take in whole."""
_NOT_FIRST = frozenset(
    "、。，．・：；？！ー）」』】〉》〕］｝’”…‥々〻〜～％,.:;?!)]}%»"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ"
)
_NOT_LAST = frozenset("（「『【〈《〔［｛‘“([{«¿¡＄￥$€£¥#＃")
_HYPHENS = frozenset("-‐–—/")


@dataclass(frozen=True)
class Cluster:
    """What readers take for one character; `level` is its embedding level."""

    text: str
    face: Typeface
    level: int

    @property
    def is_space(self) -> bool:
        return self.text.isspace()


@dataclass(frozen=True)
class Run:
    """Clusters of one font and one direction, in the order in which they are read."""

    text: str
    face: Typeface
    from_right: bool


@dataclass(frozen=True)
class Paragraph:
    """The words of one place on a card, ready to be measured."""

    clusters: tuple[Cluster, ...]
    from_right: bool
    language: str

    @property
    def ellipsis(self) -> Cluster:
        face = self.clusters[-1].face if self.clusters else SERIF
        if not face.has(ELLIPSIS):
            face = next(one for one in chain(self.language, serif=False) if one.has(ELLIPSIS))
        return Cluster(ELLIPSIS, face, int(self.from_right))

    def words(self) -> list[tuple[Cluster, ...]]:
        """Parts that a line must not break; each keeps the spaces behind it."""
        found: list[tuple[Cluster, ...]] = []
        start = 0
        for at in range(1, len(self.clusters)):
            if _may_break(self.clusters[at - 1], self.clusters[at]):
                found.append(self.clusters[start:at])
                start = at
        return [*found, self.clusters[start:]] if self.clusters else []


@lru_cache(maxsize=256)
def paragraph(text: str, language: str, *, from_right: bool) -> Paragraph:
    """`text` without what no font has. Serif where one serif font has all of it, else sans."""
    drawn = cleaned(text)
    chinese = language.partition("-")[0].lower() in {"ja", "ko", "zh"}
    faces = chain(language, serif=not chinese and SERIF.has(_shown(drawn)))
    pieces = _faced(drawn, faces)
    base = int(from_right)
    found = levels("".join(piece for piece, _ in pieces), base)
    clusters, at = [], 0
    for piece, face in pieces:
        clusters.append(Cluster(piece, face, found[at]))
        at += len(piece)
    return Paragraph(tuple(clusters), from_right, language)


def cleaned(text: str) -> str:
    """One line of composed characters, none of them invisible but joiners."""
    text = _SPACES.sub(" ", text[: 4 * MOST_CHARACTERS])
    text = _VARIATION.sub("", _UNDRAWN.sub("", text))
    text = _LOOSE.sub("", _MARKS.sub(r"\1", unicodedata.normalize("NFC", text)))
    text = str(_SPACES.sub(" ", text)).strip()
    if len(text) > MOST_CHARACTERS:
        return text[: MOST_CHARACTERS - 1].rstrip() + ELLIPSIS
    return text


def runs(clusters: Sequence[Cluster]) -> list[Run]:
    """The runs of one line from left to right."""
    found: list[Run] = []
    run_levels: list[int] = []
    for (face, level), part in groupby(clusters, lambda one: (one.face, one.level)):
        found.append(Run("".join(one.text for one in part), face, bool(level % 2)))
        run_levels.append(level)
    return visual(found, run_levels)


def _shown(text: str) -> str:
    return text.replace("\u200c", "").replace("\u200d", "")


def _faced(text: str, faces: Sequence[Typeface]) -> list[tuple[str, Typeface]]:
    """Clusters with their fonts. Signs of no script of their own take the font of their neighbours."""
    pieces = list(_CLUSTER.findall(text))
    own: list[Typeface | None] = [
        None if _NO_SCRIPT.fullmatch(piece) else _first(piece, faces) for piece in pieces
    ]
    # From the letter before, else from the letter behind, if that font has the sign.
    neighbours = _carried(own), list(reversed(_carried(list(reversed(own)))))
    found: list[tuple[str, Typeface]] = []
    for at, piece in enumerate(pieces):
        near = [one[at] for one in neighbours]
        face = own[at] or next(
            (one for one in near if one and one.has(_shown(piece))), _first(piece, faces)
        )
        if face is not None:
            found.append((piece, face))
            continue
        # No font has all of it: the part that one has, rather than nothing.
        kept, face = _part(piece, faces)
        if face is not None:
            found.append((kept, face))
    return found


def _carried(faces: Sequence[Typeface | None]) -> list[Typeface | None]:
    last: Typeface | None = None
    carried = []
    for face in faces:
        last = face or last
        carried.append(last)
    return carried


def _first(piece: str, faces: Sequence[Typeface]) -> Typeface | None:
    shown = _shown(piece)
    return next((face for face in faces if face.has(shown)), None) if shown else None


def _part(piece: str, faces: Sequence[Typeface]) -> tuple[str, Typeface | None]:
    for face in faces:
        if piece and face.has(piece[0]):
            return "".join(one for one in piece if face.has(one)), face
    return "", None


def _may_break(before: Cluster, after: Cluster) -> bool:
    """After spaces and hyphens, and between ideographs (a small part of UAX #14)."""
    if after.is_space:
        return False
    if before.is_space:
        return True
    if after.text[0] in _NOT_FIRST or before.text[-1] in _NOT_LAST:
        return False
    if _KATAKANA.fullmatch(before.text) and _KATAKANA.fullmatch(after.text):
        return False
    if _IDEOGRAPH.match(before.text[0]) or _IDEOGRAPH.match(after.text[0]):
        return True
    return before.text in _HYPHENS and after.text[0].isalpha()


def shortened(clusters: Sequence[Cluster], ellipsis: Cluster) -> Iterator[tuple[Cluster, ...]]:
    """The text with one cluster less each time, and "…" behind it; at last "…" alone."""
    for end in range(len(clusters), -1, -1):
        kept = clusters[:end]
        while kept and kept[-1].is_space:
            kept = kept[:-1]
        yield (*kept, ellipsis)
