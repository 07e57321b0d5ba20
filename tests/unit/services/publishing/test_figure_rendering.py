"""Pictures in the body: whatever their words are, the HTML is balanced, safe and where HTML allows it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.publishing.domain.errors import Invalid
from services.publishing.domain.markdown import PICTURES, TAGS, Illustration, read, render
from services.publishing.domain.picture_text import InlineImageText
from services.publishing.domain.stored_pictures import StoredRendition

ORIGIN = "https://news.example"
ID = "ab" * 16
FILES = (
    StoredRendition("original", "original.png", 3000, 2000, "image/png", 9),
    StoredRendition("w800", "w800.jpg", 800, 533, "image/jpeg", 9),
)
SIZES = ' width="800" height="533" loading="lazy"'
VOID = {"img", "br", "hr"}


class Reader(HTMLParser):
    """Keeps the stack of open elements and fails on anything that does not close what was opened."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.inside: list[tuple[str, tuple[str, ...]]] = []
        self.text: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        self.inside.append((tag, tuple(self.open)))
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text[self.open[-1]] = self.text.get(self.open[-1], "") + data


def read_html(rendered: str) -> Reader:
    reader = Reader()
    reader.feed(rendered)
    reader.close()
    assert reader.open == []
    return reader


def words(**fields: str) -> dict[str, Illustration]:
    return {ID: Illustration(InlineImageText.model_construct(media_id=ID, **fields), FILES)}


HOSTILE = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(
            [
                *('"', "'", "<", ">", "&", "&quot;", "</figcaption>", "</figure>", "<script>", "]"),
                *(
                    "onerror=alert(1)",
                    '" onload="x',
                    "style=x",
                    "\\",
                    "`",
                    "](",
                    ")",
                    "\n\n",
                    "<p>",
                ),
                *("<img src=x>", "javascript:x", "&#60;script&#62;", "--><b>", "\u202e", "\x00"),
            ]
        ),
        max_size=8,
    ).map("".join),
)


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
@example("", "", "</figcaption><script>alert(1)</script>", "", "")
@example('" onerror="x', "", "c", "", '" onload="x')
def test_no_words_break_out(alt: str, own: str, caption: str, credit: str, title: str) -> None:
    body = f'![{own}](/media/{ID}/w800.jpg "{title}")\n\n> ![](/media/{ID}/w800.jpg)\n'
    reader = read_html(render(body, ORIGIN, words(alt=alt, caption=caption, credit=credit)))
    for tag, name, value in reader.attributes:
        assert name in {"href", "src", "alt", "title", "rel", "start", "width", "height", "loading"}
        if name == "src":
            assert value == f"{ORIGIN}/media/{ID}/w800.jpg", tag
        if name == "href":
            assert value is not None
            assert value.lower().startswith(("http://", "https://", "mailto:", "#")), value
    for tag, parents in reader.inside:
        assert tag != "figure" or not {"p", "figure"} & set(parents)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1).filter(str.strip))
def test_the_words_are_what_was_written(text: str) -> None:
    pictures = words(alt=text, caption=text, credit=text)
    reader = read_html(render(f"![](/media/{ID}/w800.jpg)", ORIGIN, pictures))
    assert ("img", "alt", text) in reader.attributes
    assert reader.text["figcaption"].strip() == text.strip()
    assert reader.text["small"] == text


@given(
    st.lists(
        st.sampled_from(
            [
                *("![a](/media/%s/w800.jpg)", "[![a](/media/%s/w800.jpg)](/x)", "- ", "> ", "1. "),
                *("\n", "\n\n", "text", "    ", "| ", "|-|\n", "*", "# ", "`", "![b][c]", "  \n"),
                "\n[c]: /media/%s/w800.jpg\n",
            ]
        ),
        max_size=14,
    ).map("".join)
)
def test_wherever_the_picture_stands(body: str) -> None:
    rendered = render(body.replace("%s", ID), ORIGIN, words(alt="a", caption="c"))
    reader = read_html(rendered)
    for tag, parents in reader.inside:
        assert tag != "figure" or not {"p", "a", "figure", "h1"} & set(parents)
        assert tag != "figcaption" or parents[-1] == "figure"


@pytest.mark.parametrize(
    ("body", "fields", "expected"),
    [
        (
            f"![Own](/media/{ID}/w800.jpg)",
            {"alt": "Given", "caption": "A & B", "credit": "C. D."},
            f'<figure><img src="{ORIGIN}/media/{ID}/w800.jpg" alt="Given"{SIZES}>'
            "<figcaption>A &amp; B <small>C. D.</small></figcaption></figure>\n",
        ),
        (
            f"![Own](/media/{ID}/w800.jpg)",
            {"credit": "C. D."},
            f'<figure><img src="{ORIGIN}/media/{ID}/w800.jpg" alt="Own"{SIZES}>'
            "<figcaption><small>C. D.</small></figcaption></figure>\n",
        ),
        (
            f'![Own](/media/{ID}/w800.jpg "At dawn")',
            {"alt": "Given"},
            f'<p><img src="{ORIGIN}/media/{ID}/w800.jpg" alt="Given" title="At dawn"{SIZES}></p>\n',
        ),
        (
            f"Here: ![](/media/{ID}/w800.jpg)",
            {"alt": "Given", "caption": "C"},
            f'<p>Here: <img src="{ORIGIN}/media/{ID}/w800.jpg" alt="Given"{SIZES}></p>\n',
        ),
        (
            f"- ![](/media/{ID}/w800.jpg)",
            {"alt": "Given", "caption": "C"},
            f'<ul>\n<li>\n<figure><img src="{ORIGIN}/media/{ID}/w800.jpg" alt="Given"{SIZES}>'
            "<figcaption>C</figcaption></figure>\n</li>\n</ul>\n",
        ),
        (
            f"![x]({ORIGIN}/media/{ID}/original.png)",
            {},
            f'<p><img src="{ORIGIN}/media/{ID}/original.png" alt="x" width="3000" height="2000" '
            'loading="lazy"></p>\n',
        ),
        ("![Far](https://elsewhere.example/x.png)", {"caption": "C"}, "<p>Far</p>\n"),
        (
            "![Other](/media/cd/w800.jpg)",
            {"caption": "C"},
            f'<p><img src="{ORIGIN}/media/cd/w800.jpg" alt="Other"></p>\n',
        ),
    ],
)
def test_what_a_reader_sees(body: str, fields: dict[str, str], expected: str) -> None:
    assert render(body, ORIGIN, words(**fields)) == expected


def test_the_pictures_of_a_body_in_their_order() -> None:
    body = (
        f"![One *a*](/media/{'1' * 32}/w800.jpg)\n\ntext ![]({ORIGIN}/media/{'2' * 32}/w400.jpg)\n\n"
        f"`![no](/media/{'3' * 32}/w400.jpg)` ![far](https://x.example/media/{'4' * 32}/w400.jpg)"
    )
    shown = [(one.media_id[0], one.file, one.alt) for one in read(body, ORIGIN).shown]
    assert shown == [("1", "w800.jpg", "One a"), ("2", "w400.jpg", "")]


def test_captions_cannot_be_multiplied_without_end() -> None:
    body = f"[a]: /media/{ID}/w800.jpg\n\n" + "![a]\n\n" * PICTURES
    long = words(alt="&" * 1000, caption="&" * 1000, credit="&" * 200)
    assert len(render(body, ORIGIN, long)) < 2_000_000
    with pytest.raises(Invalid) as refused:
        read(body + "![a]", ORIGIN)
    assert set(refused.value.fields) == {"body"}
