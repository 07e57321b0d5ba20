"""The RSS feed: well-formed with any text, stable guids, premium bodies kept back, corrections shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services.sitemap.domain.feed import (
    ATOM,
    CONTENT,
    DC,
    FEED_BYTES,
    MEDIA,
    Item,
    feed,
    feed_item,
    feedable,
)
from services.sitemap.domain.markup import legal, one_line
from shared.contracts.articles import Article, Byline, Correction, LeadImage, Rendition, Status
from shared.runtime.publication import Publication

Make = Callable[..., Article]
ORIGIN = "https://news.example"
AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def parsed(publication: Publication, *articles: Article) -> Any:
    items = [Item(feed_item(article), article.updated_at) for article in articles]
    return etree.fromstring(feed(publication, ORIGIN, items))


def test_channel(make_article: Make, publication: Publication) -> None:
    channel = parsed(publication, make_article(updated_at=AT))[0]
    assert channel.findtext("title") == "The Example Courier"
    assert channel.findtext("link") == f"{ORIGIN}/"
    assert channel.findtext("description") == "News & weather"
    assert channel.findtext("lastBuildDate") == "Mon, 23 Nov 2026 10:00:00 GMT"
    link = channel.find(f"{{{ATOM}}}link")
    assert dict(link.attrib) == {
        "href": f"{ORIGIN}/feed.xml",
        "rel": "self",
        "type": "application/rss+xml",
    }


def test_an_empty_feed_is_a_feed(publication: Publication) -> None:
    rss = parsed(publication)
    assert (rss.tag, rss.get("version"), len(rss)) == ("rss", "2.0", 1)
    assert rss[0].find("lastBuildDate") is None


def test_item(make_article: Make, publication: Publication) -> None:
    image = LeadImage(
        media_id="m1",
        alt="A ship",
        caption="The first ship",
        credit="Ada Lens",
        renditions=tuple(
            Rendition(
                name=name,
                url=f"{ORIGIN}/media/m1/{name}.jpg",
                width=width,
                height=width // 2,
                media_type="image/jpeg",
                size=width * 100,
            )
            for name, width in (("original", 4000), ("large", 1600), ("small", 400))
        ),
    )
    article = make_article(
        bylines=(Byline(name="Ada Ink"), Byline(name="Bo Reed")),
        tags=("harbour", "ships"),
        lead_image=image,
    )
    item = parsed(publication, article).find("channel/item")
    assert item.findtext("title") == article.headline
    assert item.findtext("link") == article.url
    assert item.findtext("guid") == f"urn:uuid:{article.id}"
    assert item.find("guid").get("isPermaLink") == "false"
    assert parsedate_to_datetime(item.findtext("pubDate")) == article.published_at
    assert [e.text for e in item.iterfind(f"{{{DC}}}creator")] == ["Ada Ink", "Bo Reed"]
    assert [e.text for e in item.iterfind("category")] == ["harbour", "ships"]
    assert item.findtext(f"{{{CONTENT}}}encoded") == article.body_html
    names = [child.tag for child in item]
    assert names.index("description") < names.index(f"{{{CONTENT}}}encoded")
    media = item.find(f"{{{MEDIA}}}content")
    assert media.get("url") == f"{ORIGIN}/media/m1/large.jpg"
    assert (media.get("width"), media.get("medium"), media.get("type")) == (
        "1600",
        "image",
        "image/jpeg",
    )
    assert media.findtext(f"{{{MEDIA}}}credit") == "Ada Lens"
    assert media.findtext(f"{{{MEDIA}}}description") == "The first ship"


def test_a_correction_is_shown_and_makes_no_new_item(
    make_article: Make, publication: Publication
) -> None:
    notice = Correction(at=AT, kind="correction", text="It opened at 9 & not at <8>.")
    before = parsed(publication, make_article()).find("channel/item")
    after = parsed(
        publication,
        make_article(revision=2, headline="The harbour opens again", corrections=(notice,)),
    ).find("channel/item")
    assert before.findtext("guid") == after.findtext("guid")
    assert before.findtext("pubDate") == after.findtext("pubDate")
    shown = (
        "<p><strong>Correction (2026-11-23):</strong> It opened at 9 &amp; not at &lt;8&gt;.</p>"
    )
    assert after.findtext(f"{{{CONTENT}}}encoded").startswith(shown)
    assert shown in after.findtext("description")


def test_a_premium_article_gives_its_teaser_only(
    make_article: Make, publication: Publication
) -> None:
    notice = Correction(at=AT, kind="clarification", text="Clearer now.")
    article = make_article(
        access="premium",
        body="SECRET",
        body_html="<p>SECRET</p>",
        summary="A summary.",
        corrections=(notice,),
    )
    xml = feed(publication, ORIGIN, [Item(feed_item(article), AT)])
    assert b"SECRET" not in xml
    description = etree.fromstring(xml).findtext("channel/item/description")
    assert "A summary." in description
    assert "Clearer now." in description


def test_relative_addresses_become_absolute(make_article: Make, publication: Publication) -> None:
    body = (
        '<p>é <a href="/sections/city">x</a> <a href="#note">n</a> '
        '<a href="https://other.example/">o</a><img src="/media/1/a.jpg" alt=""></p>'
    )
    article = make_article(body_html=body)
    encoded = parsed(publication, article).findtext(f"channel/item/{{{CONTENT}}}encoded")
    assert encoded == (
        f'<p>é <a href="{ORIGIN}/sections/city">x</a> <a href="{article.url}#note">n</a> '
        f'<a href="https://other.example/">o</a><img src="{ORIGIN}/media/1/a.jpg" alt=""></p>'
    )


def test_what_the_feed_leaves_out(make_article: Make) -> None:
    assert feedable(make_article(noindex=True))
    assert not feedable(make_article(skip_outlets=("feed",)))
    for status in (Status.RETRACTED, Status.UNPUBLISHED, Status.DRAFT):
        assert not feedable(make_article(status=status))


def test_huge_items_push_out_the_oldest_never_the_newest(publication: Publication) -> None:
    half = b"<item><title>" + b"x" * (FEED_BYTES // 2) + b"</title></item>"
    small = b"<item><title>new</title></item>"
    items = [Item(small, AT), Item(half, AT), Item(half, AT)]
    body = feed(publication, ORIGIN, items)
    assert body.count(b"<item>") == 2
    assert b">new<" in body


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=200), st.booleans())
def test_any_text_makes_a_well_formed_feed(
    make_article: Make,
    publication: Publication,
    headline: str,
    standfirst: str,
    body_html: str,
    corrected: bool,
) -> None:
    notices = (Correction(at=AT, kind="correction", text=standfirst),) if corrected else ()
    article = make_article(
        headline=headline,
        standfirst=standfirst,
        body_html=body_html,
        bylines=(Byline(name=headline),),
        tags=(standfirst,),
        corrections=notices,
    )
    item = parsed(publication, article).find("channel/item")
    assert (item.findtext("title") or "") == one_line(headline)
    if not corrected:
        # A parser reads a lone carriage return that was written as a reference unchanged.
        assert item.findtext(f"{{{CONTENT}}}encoded") == legal(body_html)


@given(st.text(alphabet="/:?#[]@%&;\"'<> ab\x00é中", max_size=40))
def test_any_link_makes_a_well_formed_feed(
    make_article: Make, publication: Publication, href: str
) -> None:
    article = make_article(body_html=f'<p>before <a href="{href}">x</a> after</p>')
    encoded = parsed(publication, article).findtext(f"channel/item/{{{CONTENT}}}encoded")
    assert encoded.startswith("<p>before ")
    assert "after" in encoded
