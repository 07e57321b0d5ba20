"""Rendered articles: safe whatever was written, complete wherever they are read."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import html

from services.publishing.domain.errors import Invalid
from services.publishing.domain.markdown import TAGS, render

ORIGIN = "https://news.example"

HOSTILE = st.one_of(
    st.sampled_from(
        [
            *("<script>alert(1)</script>", "<style>*{}</style>", "<img src=x onerror=alert(1)>"),
            *("[x](javascript:alert(1))", "[x](JaVaScRiPt&#58;alert(1))", "[x]( data:text/html,x)"),
            *("![x](javascript:alert(1))", "![x](http://evil.example/p.gif)", "<svg/onload=x>"),
            *("[x](//evil.example)", "![x](//evil.example/p.gif)", "[x](/\\evil.example)"),
            *('[x](https://a.example "\\" onclick=x")', '![x](/media/ab/a.jpg "\\" onload=x")'),
            *("<javascript:alert(1)>", "[a]: javascript:alert(1)\n\n[a]", "|a|\n|:-:|\n|b|"),
            *(
                "`",
                "**",
                "~~",
                "> ",
                "\n",
                "\n\n",
                "    ",
                "&#x6A;",
                "&lt;script&gt;",
                "<!--",
                "]]>",
            ),
        ]
    ),
    st.text(max_size=12),
)


@given(st.lists(HOSTILE, max_size=12).map("".join))
@example("![a](javascript:x)")
@example('<a href="javascript:x" style="x" onclick="x">')
def test_nothing_that_runs_survives(body: str) -> None:
    rendered = render(body, ORIGIN)
    tree = html.fragment_fromstring(rendered, create_parent="article")
    for element in tree.iterdescendants():
        assert element.tag in TAGS
        for name, value in element.attrib.items():
            assert name in {"href", "src", "alt", "title", "rel", "start"}
            if name == "href":
                assert re.match(r"https?://|mailto:|#", value, re.IGNORECASE), value
            if name == "src":
                assert value.startswith(f"{ORIGIN}/media/"), value


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a *b* **c** ~~d~~", "<p>a <em>b</em> <strong>c</strong> <s>d</s></p>\n"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"),
        (
            "[in](/articles/a) [out](https://b.example) [mail](mailto:a@b.example) [here](#x)",
            '<p><a href="https://news.example/articles/a" rel="noopener">in</a> '
            '<a href="https://b.example" rel="noopener">out</a> '
            '<a href="mailto:a@b.example" rel="noopener">mail</a> '
            '<a href="#x" rel="noopener">here</a></p>\n',
        ),
        ("[x](//evil.example)", '<p><a rel="noopener">x</a></p>\n'),
        ("[x](page.html)", '<p><a rel="noopener">x</a></p>\n'),
        (
            '![A *bridge*](/media/ab/w800.jpg "At dawn")',
            '<p><img src="https://news.example/media/ab/w800.jpg" alt="A bridge" title="At dawn">'
            "</p>\n",
        ),
        ("![Far](https://elsewhere.example/x.png)", "<p>Far</p>\n"),
        (
            f"![Own]({ORIGIN}/media/ab/w800.jpg)",
            f'<p><img src="{ORIGIN}/media/ab/w800.jpg" alt="Own"></p>\n',
        ),
        ("![Up](/media/../api/v1/me)", "<p>Up</p>\n"),
        ("![A & B](http://plain.example/x.png)", "<p>A &amp; B</p>\n"),
        ("3. c", '<ol start="3">\n<li>c</li>\n</ol>\n'),
        ("", ""),
    ],
)
def test_what_a_reader_gets(body: str, expected: str) -> None:
    assert render(body, ORIGIN) == expected


@pytest.mark.parametrize(
    "body",
    [
        f"[a]: /{'x' * 90_000}\n\n" + "[a]" * 30_000,
        f'[a]: /x "{"y" * 90_000}"\n\n' + "[a]" * 30_000,
        f"[a]: /{'x' * 90_000}\n\n" + "![a]" * 25_000,
        f"[a]: /{'x' * 90_000}\n\n![" + "[a]" * 25_000 + "](/media/ab/a.jpg)",
    ],
    ids=["target", "title", "image", "inside"],
)
def test_a_short_text_cannot_become_a_gigabyte(body: str) -> None:
    with pytest.raises(Invalid) as refused:
        render(body, ORIGIN)
    assert set(refused.value.fields) == {"body"}


def test_tables_of_few_characters_cannot_become_megabytes() -> None:
    wide = "|a" * 256 + "|\n" + "|-" * 256 + "|\n"
    with pytest.raises(Invalid) as refused:
        render((wide + "a\n" * 100 + "\n") * 2, ORIGIN)
    assert set(refused.value.fields) == {"body"}
    # The results of 3,000 districts are a table, too.
    long = "|a|b|c|\n|-|-|-|\n" + "|1|2|3|\n" * 3000
    assert render(long, ORIGIN).count("<td>") == 9000


def test_a_table() -> None:
    tree = html.fragment_fromstring(render("|a|b|\n|-|-:|\n|1|2|", ORIGIN), create_parent="div")
    assert [cell.text for cell in tree.iter("th", "td")] == ["a", "b", "1", "2"]


@given(st.text(alphabet="[]()!*_`>#-| \n\\<&", max_size=200))
def test_any_punctuation_renders(body: str) -> None:
    render(body, ORIGIN)
