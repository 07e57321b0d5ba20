"""What people wrote in another system reads the same here, whatever characters it is made of."""

from __future__ import annotations

from contextlib import suppress
from html import escape

import pytest
from bs4 import BeautifulSoup
from hypothesis import example, given
from hypothesis import strategies as st

from services.publishing.domain.foreign.html_to_markdown import to_markdown
from services.publishing.domain.foreign.model import Unreadable
from services.publishing.domain.foreign.text import clean
from services.publishing.domain.foreign.wordpress_html import plain_html
from services.publishing.domain.markdown import render

ORIGIN = "https://news.example"
MARKS = st.sampled_from(
    [*"*_`#>+-=|~[]()!<&\\:.1a \n", "&amp;", "1. ", "- ", "# ", "---", "http://x.y"]
)
WRITTEN = st.lists(st.one_of(MARKS, st.characters(codec="utf-8")), max_size=30).map("".join)


def read(html: str) -> str:
    return " ".join(BeautifulSoup(html, "html.parser").get_text(" ").split())


def seen(text: str) -> str:
    return " ".join(clean(text).split())


@given(WRITTEN)
@example("1. one")
@example("a\n---")
@example("[a]: http://b.example")
@example("|a|\n|-|\n|b|")
@example("&lt;script&gt;")
def test_text_reads_the_same(text: str) -> None:
    rendered = render(to_markdown(f"<p>{escape(text)}</p>").body, ORIGIN)
    assert read(rendered) == seen(text)
    tags = {element.name for element in BeautifulSoup(rendered, "html.parser").find_all()}
    assert tags <= {"p"}


@given(
    WRITTEN, WRITTEN, WRITTEN, st.sampled_from(["b", "em", "a href='https://x.example'", "span"])
)
@example("a!", "b", "c", "a href='https://x.example'")
@example("one", "“two,”", "three", "b")
def test_words_with_a_mark_among_them_read_the_same(
    before: str, marked: str, after: str, tag: str
) -> None:
    html = f"<p>{escape(before)}<{tag}>{escape(marked)}</{tag.split()[0]}>{escape(after)}</p>"
    words = read(render(to_markdown(html).body, ORIGIN)).replace(" ", "")
    assert words == seen(before + marked + after).replace(" ", "")


@given(st.lists(st.sampled_from(["<", ">", "p", "/", "<!", "--", "[", "]", "<b>", "</b>", "<table>", "<td>",
    "<img src=x>", "<pre>", "<figure>", "&", "#", "<![CDATA[", "<!DOCTYPE", "'", '"', "<li>", "<a href=", "x"]),
    max_size=40).map("".join))  # fmt: skip
def test_broken_html_is_read_or_refused_in_words(html: str) -> None:
    with suppress(Unreadable):
        render(to_markdown(plain_html(html, {})[0], "https://old.example").body, ORIGIN)


def test_a_tower_of_tags_is_refused_in_words() -> None:
    with pytest.raises(Unreadable, match="nested too deep"):
        to_markdown("<div>" * 5000 + "x")


@pytest.mark.parametrize(
    ("html", "body"),
    [
        ("<h2>A <em>b</em></h2><p>c</p>", "## A *b*\n\nc"),
        ("<ul><li>a<ol><li>b</li></ol></li></ul>", "- a\n  1. b"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        ("<p><a href='/x y'>t</a></p>", "[t](https://old.example/x%20y)"),
        (
            "<figure><img src='/p(1).jpg' alt='A [b]'><figcaption>C &amp; \"d\"</figcaption></figure>",
            '![A \\[b\\]](https://old.example/p%281%29.jpg "C & \\"d\\"")',
        ),
        ("<pre>a ``` b\n c</pre>", "````\na ``` b\n c\n````"),
        ("<script>alert(1)</script><p>a<!-- b --></p>", "a"),
        ("<p>one<br>two</p>", "one  \ntwo"),
    ],
)
def test_what_becomes_of_it(html: str, body: str) -> None:
    assert to_markdown(html, "https://old.example/").body == body


def test_pictures_are_named_and_embeds_become_links() -> None:
    converted = to_markdown(
        '<p>a <img src="https://old.example/1.png" alt="b"></p>'
        '<iframe src="https://video.example/v?i=1"></iframe><figure><img src="/2.jpg"></figure>',
        "https://old.example/post/",
    )
    assert converted.images == ("https://old.example/1.png", "https://old.example/2.jpg")
    assert "[https://video.example/v?i=1](https://video.example/v?i=1)" in converted.body
    assert converted.notes == ("what was embedded has become a link: https://video.example/v?i=1",)


@pytest.mark.parametrize(
    ("stored", "body"),
    [
        ("One.\n\nTwo\nthree.", "One.\n\nTwo  \nthree."),
        ("<!-- wp:paragraph -->\n<p>One.</p>\n<!-- /wp:paragraph -->", "One."),
        (
            '[caption id="a" align="left" width="3"]<img src="https://o.example/a.jpg" alt="b" /> C[/caption]',
            '![b](https://o.example/a.jpg "C")',
        ),
        ("[embed]https://v.example/1[/embed]", "[https://v.example/1](https://v.example/1)"),
        ("A<pre>\n\nb\n\nc\n</pre>d", "A\n\n```\nb\n\nc\n```\n\nd"),
        ("a [sic] b", "a \\[sic\\] b"),
    ],
)
def test_what_wordpress_stores(stored: str, body: str) -> None:
    html, _ = plain_html(stored, {})
    assert to_markdown(html).body == body


def test_a_shortcode_of_a_plugin_is_named() -> None:
    _, left = plain_html('<p>[poll id="3"]Yes or no[/poll] [sic] [b]</p>', {})
    assert left == ("poll",)
