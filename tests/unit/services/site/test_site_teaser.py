"""A teaser is the first paragraph, whole and balanced, and never more."""

from __future__ import annotations

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from services.site.domain.teaser import teaser


@given(st.lists(st.text(alphabet="abc <>&/p\n\"'", min_size=1), min_size=2, max_size=4))
def test_nothing_of_a_later_paragraph(paragraphs: list[str]) -> None:
    body = "\n".join(f"<p>§{i} {escape(text)}</p>" for i, text in enumerate(paragraphs))
    made = teaser(body)
    assert made.count("§") == 1
    assert html.fromstring(made).text_content() == f"§0 {paragraphs[0]}"


@given(st.text(alphabet="<>/ pabem=\"'"))
def test_whatever_it_is_cut_from_it_is_balanced(body: str) -> None:
    made = teaser(body)
    root = html.fragment_fromstring(made, create_parent="div")
    assert html.tostring(root, encoding="unicode") == f"<div>{made}</div>"


@pytest.mark.parametrize("body", ["", "<h2>Only a heading</h2>", "<pre>code</pre>"])
def test_no_paragraph_no_teaser(body: str) -> None:
    assert teaser(body) == ""
