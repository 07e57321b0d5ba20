"""Words of a card: what is left out, which font each has, where a line may end, in which order runs stand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.cards.paragraphs import (
    ELLIPSIS,
    MOST_CHARACTERS,
    Cluster,
    cleaned,
    paragraph,
    runs,
    shortened,
)
from shared.cards.typefaces import SERIF


def words(text: str, language: str = "en") -> list[str]:
    found = paragraph(text, language, from_right=False).words()
    return ["".join(one.text for one in word) for word in found]


def files(text: str, language: str) -> set[str]:
    return {one.face.file for one in paragraph(text, language, from_right=False).clusters}


def test_what_no_one_sees_is_left_out() -> None:
    assert cleaned(" A\u202eB\u2066 C\u2069\n\tD\x00\ufeffE\u00adF\ue000 ") == "AB C DEF"
    assert cleaned("می‌کشد") == "می‌کشد"  # a joiner changes how letters look
    assert cleaned("e\u0301") == "é"


def test_a_tower_of_marks_loses_its_top() -> None:
    assert len(cleaned("q" + "\u0301" * 50)) == 7


def test_a_mark_or_joiner_without_a_letter_is_left_out() -> None:
    assert cleaned("\u0301\u200d a\u0301 \u093f\u0301b \u200c\u200d") == "á b"


def test_a_very_long_text_is_cut_before_it_is_measured() -> None:
    cut = cleaned("word " * 10_000)
    assert len(cut) <= MOST_CHARACTERS
    assert cut.endswith("word…")


def test_latin_breaks_after_spaces_and_hyphens() -> None:
    assert words("A well-known bridge (old)") == ["A ", "well-", "known ", "bridge ", "(old)"]
    assert words("1990-2000 and -5") == ["1990-2000 ", "and ", "-5"]


def test_ideographs_break_anywhere_but_not_before_closing_signs() -> None:
    assert words("再開、「港」と", "ja") == ["再", "開、", "「港」", "と"]
    assert words("フェリーは元", "ja") == ["フェリー", "は", "元"]
    assert words("“正常”工作", "zh") == ["“正", "常”", "工", "作"]


def test_korean_breaks_at_spaces() -> None:
    assert words("항만 대교 재개통", "ko") == ["항만 ", "대교 ", "재개통"]


def test_one_serif_has_all_or_none_of_a_text() -> None:
    assert files("Harbour — Москва, Ελλάδα", "en") == {SERIF.file}
    mixed = files("Harbour גשר", "en")
    assert SERIF.file not in mixed
    assert len(mixed) == 2
    assert files("iPhone 17", "ja") == files("港", "ja")


def test_signs_take_the_font_of_their_neighbours() -> None:
    found = paragraph("«إعادة 2024»", "ar", from_right=True)
    assert len({one.face for one in found.clusters}) == 1


def test_what_no_font_has_is_left_out() -> None:
    found = paragraph("A\U00013000B", "en", from_right=False)  # a hieroglyph
    assert [one.text for one in found.clusters] == ["A", "B"]
    found = paragraph("a\u20dd\U0001e08f!", "en", from_right=False)
    assert all(one.face.has(one.text) for one in found.clusters)


def test_runs_of_an_arabic_line_stand_from_the_right() -> None:
    found = paragraph("جسر Lisbon في", "ar", from_right=True)
    line = runs(found.clusters)
    said = [(one.text, one.from_right) for one in line if one.text.strip()]
    assert said == [("في", True), ("Lisbon", False), ("جسر ", True)]


def test_the_ellipsis_has_a_font_that_has_it() -> None:
    for text, language in [
        ("Harbour", "en"),
        ("גשר", "he"),
        ("ሀገር", "am"),
        ("港", "ja"),
        ("", "en"),
    ]:
        ellipsis = paragraph(text, language, from_right=False).ellipsis
        assert ellipsis.face.has(ELLIPSIS)


def test_a_shorter_text_never_ends_in_a_space() -> None:
    clusters = paragraph("A b", "en", from_right=False).clusters
    ellipsis = Cluster(ELLIPSIS, SERIF, 0)
    found = ["".join(one.text for one in line) for line in shortened(clusters, ellipsis)]
    assert found == ["A b…", "A…", "A…", "…"]


@given(text=st.text(max_size=60), language=st.sampled_from(["en", "ar", "ja", "zh-TW", "hi"]))
def test_any_text_has_a_glyph_for_all_that_is_left(text: str, language: str) -> None:
    found = paragraph(text, language, from_right=language == "ar")
    for cluster in found.clusters:
        shown = cluster.text.replace("\u200c", "").replace("\u200d", "")
        assert cluster.face.has(shown)
    together = "".join("".join(one.text for one in word) for word in found.words())
    assert together == "".join(one.text for one in found.clusters)
    assert sorted(together) == sorted("".join(run.text for run in runs(found.clusters)))
