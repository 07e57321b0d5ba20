"""Every script that is promised has its glyphs; Pillow itself would draw a box and say nothing."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from PIL import features

from shared.cards import typefaces
from shared.cards.coverage import Coverage, read_coverage
from shared.cards.paragraphs import paragraph
from shared.cards.typefaces import (
    BOLD,
    REGULAR,
    SANS,
    SERIF,
    CannotDraw,
    Typeface,
    chain,
    require,
)

SAMPLES = {
    "en": "“Fiancée’s” £5 café — naïve façade… €20, 50% & №7",
    "pt": "Ação: São João não é só à noite, três irmãos avós",
    "pl": "Zażółć gęślą jaźń — ŹDŹBŁO",
    "vi": "Tiếng Việt: những người đẹp ở Huế, Đà Nẵng",
    "tr": "Iğdır’da ışık; İstanbul’un güzelliği şöyle",
    "ru": "Съешь ещё этих мягких французских булок, да выпей же чаю",
    "uk": "Їхній ґанок є в’їздом, Єва",
    "sr": "Љубазни фењерџија чађавог лица хоће да ми покаже штос",
    "kk": "Қазақ тілі: Әуежай, Ұлттық үн, Өңір, Һ",
    "el": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία· Άραγε; ΐΰ",
    "ar": "نص حكيم له سر قاطع وذو شأن عظيم، مكتوب؟ ٣٤٪",
    "fa": "پیرمردِ چاق، گچ و ژاله را ۴۵ بار می‌کشد",
    "ur": "ٹھیک ڈرامہ ہے، یہ پڑھیں ۔",
    "he": "דג סקרן שט בים מאוכזב ולפתע מצא לו חברה, ״ש״ צ׳ ₪ שָׁלוֹם",
    "hi": "ऋषियों को सताने वाले दुष्ट राक्षसों के क्षेत्र में ज्ञान, श्री ₹५०।",
    "mr": "ळकार आणि ॲप",
    "zh-Hans": "视野无限广，窗外有蓝天：“们”、龙、门。",
    "zh-Hant": "視野無限廣，窗外有藍天：「們」、龍、門。",
    "ja": "いろはにほへと、アイウエオー「漢字」々ヴ〜・。髙﨑",
    "ko": "키스의 고유조건은 입술끼리 만나야 하고, “똠방각하” 뷁 漢字",
}


def test_text_is_shaped_here_and_every_font_is_installed() -> None:
    require()


def test_a_start_without_shaping_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda feature: feature != "raqm")
    with pytest.raises(CannotDraw, match="libfribidi0"):
        require()


@pytest.mark.parametrize("file", ["no_such_package/Noto.ttf", "manimgx_fonts/NoSuchFont.ttf"])
def test_a_start_without_a_font_names_it(monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    monkeypatch.setattr(typefaces, "SERIF", Typeface(file))
    with pytest.raises(CannotDraw, match=file):
        require()


@pytest.mark.parametrize("language", SAMPLES)
@pytest.mark.parametrize("weight", [REGULAR, BOLD])
def test_every_character_has_a_glyph_in_the_font_of_its_run(language: str, weight: int) -> None:
    text = SAMPLES[language]
    found = paragraph(text, language, from_right=language in {"ar", "fa", "ur", "he"})
    for cluster in found.clusters:
        assert cluster.face.has(cluster.text.replace("\u200c", "")), cluster
    assert "".join(one.text for one in found.clusters) == text
    # The map tells the truth: none of these glyphs is the box of the face.
    for cluster in found.clusters:
        font = cluster.face.font(weight, 40)
        if not cluster.is_space:
            assert bytes(font.getmask(cluster.text)) != bytes(font.getmask("\U0010fffd"))


@pytest.mark.parametrize("face", [*SANS, SERIF], ids=lambda face: face.file)
def test_the_map_agrees_with_what_is_drawn(face: Typeface) -> None:
    """For a thousand code points of the Latin to Arabic blocks, without combining ones."""
    font = face.font(REGULAR, 24)
    box = bytes(font.getmask("\U0010fffd"))
    for code in range(0x21, 0x700, 3):
        character = chr(code)
        if character.isalpha() and not face.has(character):
            assert bytes(font.getmask(character)) == box, hex(code)


def test_han_is_written_as_the_language_writes_it() -> None:
    faces = {
        language: next(one for one in chain(language, serif=False) if one.has("骨"))
        for language in ("ja", "ko", "zh", "zh-TW", "zh-Hant", "zh-HK", "zh-Hans-SG", "en")
    }
    assert faces["zh"] == faces["zh-Hans-SG"] == faces["en"]
    assert faces["zh-TW"] == faces["zh-Hant"]
    assert len(set(faces.values())) == 5


def table(*segments: tuple[int, int, int]) -> bytes:
    """A map of form 4: first and last code, and what is added to a code for its glyph."""
    rows = [*segments, (0xFFFF, 0xFFFF, 1)]
    count = len(rows)
    columns = [
        struct.pack(f">{count}H", *(last for _, last, _ in rows)),
        b"\0\0",
        struct.pack(f">{count}H", *(first for first, _, _ in rows)),
        struct.pack(f">{count}h", *(delta for _, _, delta in rows)),
        bytes(2 * count),
    ]
    body = b"".join(columns)
    return struct.pack(">HHHHHHH", 4, 14 + len(body), 0, 2 * count, 0, 0, 0) + body


def font_file(path: Path, submap: bytes, *, platform: int = 3, encoding: int = 1) -> Path:
    cmap = struct.pack(">HHHHI", 0, 1, platform, encoding, 12) + submap
    head = struct.pack(">IHHHH", 0x00010000, 1, 0, 0, 0)
    path.write_bytes(head + struct.pack(">4sIII", b"cmap", 0, 28, len(cmap)) + cmap)
    return path


def test_a_code_that_leads_to_the_box_is_not_covered(tmp_path: Path) -> None:
    found = read_coverage(font_file(tmp_path / "a.ttf", table((65, 70, -67))))
    # 67 less 67 is glyph 0.
    assert ["A" in found, "C" in found, "D" in found, "G" in found] == [True, False, True, False]


def test_neighbouring_ranges_become_one(tmp_path: Path) -> None:
    groups = struct.pack(">HHIII", 12, 0, 52, 0, 3)
    groups += struct.pack(">III", 65, 70, 5) + struct.pack(">III", 71, 80, 20)
    groups += struct.pack(">III", 0x1F600, 0x1F601, 0)
    found = read_coverage(font_file(tmp_path / "b.ttf", groups, encoding=10))
    assert found == Coverage((65, 0x1F601), (80, 0x1F601))


def test_a_font_without_a_unicode_map_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no Unicode table"):
        read_coverage(font_file(tmp_path / "c.ttf", table((65, 66, 1)), platform=1, encoding=0))


def test_bold_is_bolder() -> None:
    def ink(weight: int) -> int:
        return sum(bytes(SERIF.font(weight, 48).getmask("Harbour")))

    assert ink(BOLD) > ink(REGULAR) * 1.2
