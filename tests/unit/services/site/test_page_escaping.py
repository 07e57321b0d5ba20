"""No text of an article ever leaves its place in the page or in the JSON-LD."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree, html

from services.site.domain.fronts import section_page
from services.site.rendering import Renderer
from shared.contracts.articles import Article, Byline, Correction, Retraction, Status

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HOSTILE = st.sampled_from(
    (
        *("</script>", "<script>alert(1)</script>", "<!--", "-->", "]]>", '" onload="x', "'"),
        *("</title>", "</h1></article></main>", "{{ 7*7 }}", "{% raw %}", "\u2028", "\\u003c"),
        *("&", "&lt;"),
    )
)
# Publishing takes no control characters; the rest of Unicode may come.
TEXT = st.lists(
    st.one_of(HOSTILE, st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=12)),
    min_size=1,
    max_size=5,
).map(lambda parts: "x" + "".join(parts))
ADDRESS = st.one_of(
    st.just("javascript:alert(1)"), TEXT.map(lambda text: f"https://a.example/{text}")
)


def parsed(page: Any) -> Any:
    return html.document_fromstring(page.body, html.HTMLParser(encoding="utf-8"))


def shape(document: Any) -> list[tuple[str, tuple[str, ...]]]:
    """Every element and its attribute names: what hostile text must not change."""
    return [
        (str(element.tag), tuple(sorted(element.attrib)))
        for element in document.iter(etree.Element)
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXT, name=TEXT, address=ADDRESS)
def test_text_changes_no_element(
    make_article: Callable[..., Article], renderer: Renderer, text: str, name: str, address: str
) -> None:
    def page(words: str, who: str, where: str) -> Any:
        return renderer.article(
            make_article(
                headline=words,
                standfirst=words,
                summary=words,
                tags=(words,),
                section=words,
                bylines=(Byline(name=who, role=who, bio=who, url=where),),
                corrections=(Correction(at=NOW, kind="correction", text=words),),
                canonical_url=where,
            ),
            NOW,
        )

    plain_address = "javascript:x" if address.startswith("javascript") else "https://a.example/x"
    document = parsed(page(text, name, address))
    assert shape(document) == shape(parsed(page("plain", "plain", plain_address)))
    assert document.findtext(".//h1") == text
    assert not [value for value in document.xpath("//@href") if value.startswith("javascript")]


@settings(max_examples=60, deadline=None)
@given(text=TEXT)
def test_json_ld_says_the_headline_and_cannot_end_early(
    make_article: Callable[..., Article], renderer: Renderer, text: str
) -> None:
    page = renderer.article(make_article(headline=text, tags=(text,)), NOW)
    assert page is not None
    script = parsed(page).xpath("//script")
    assert len(script) == 1
    assert "<" not in script[0].text
    assert orjson.loads(script[0].text)["headline"] == text


@settings(max_examples=40, deadline=None)
@given(text=TEXT)
def test_a_reason_and_a_card_change_no_element(
    make_article: Callable[..., Article], renderer: Renderer, text: str
) -> None:
    def pages(words: str) -> list[list[tuple[str, tuple[str, ...]]]]:
        article = make_article(headline=words, standfirst=words)
        retracted = make_article(
            headline=words,
            status=Status.RETRACTED,
            retraction=Retraction(at=NOW, reason=words),
        )
        section = renderer.place.publication.sections[0]
        front = section_page(section, [article, article], renderer.place, NOW)
        return [
            shape(parsed(renderer.article(retracted, NOW))),
            shape(parsed(renderer.front(front, NOW))),
        ]

    assert pages(text) == pages("plain")


def test_a_lone_surrogate_does_not_stop_the_page(
    make_article: Callable[..., Article], renderer: Renderer
) -> None:
    article = make_article().model_copy(update={"headline": "half \ud83d of it"})
    page = renderer.article(article, NOW)
    assert page is not None
    assert b"half ? of it" in page.body
