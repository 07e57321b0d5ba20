"""What stands on an article's page: its words, its times, its picture, its notices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from lxml import html

from services.site.domain.views import Place
from services.site.rendering import Renderer
from shared.cards.card import CARD_PATH
from shared.contracts.articles import (
    Article,
    Correction,
    LeadImage,
    Retraction,
    SearchOverride,
    ShareOverride,
    Status,
)

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
Make = Callable[..., Article]
ORIGIN = "https://news.example"


def page(renderer: Renderer, article: Article) -> Any:
    prepared = renderer.article(article, NOW)
    assert prepared is not None
    return html.document_fromstring(prepared.body, html.HTMLParser(encoding="utf-8"))


def json_ld(renderer: Renderer, article: Article) -> dict[str, Any]:
    data: dict[str, Any] = orjson.loads(page(renderer, article).findtext(".//script"))
    return data


def test_times_stand_in_the_zone_of_the_paper(renderer: Renderer, make_article: Make) -> None:
    published = make_article().published_at
    assert published is not None
    changed = make_article(updated_at=published + timedelta(hours=2))
    times = page(renderer, changed).xpath("//p[@class='times']//time")
    assert [time.get("datetime") for time in times] == [
        "2026-07-23T10:30:00+01:00",
        "2026-07-23T12:30:00+01:00",
    ]
    assert times[0].text.startswith("23 July 2026")
    assert times[0].text.endswith("10:30 WEST")


def test_an_update_is_shown_only_when_there_was_one(renderer: Renderer, make_article: Make) -> None:
    assert len(page(renderer, make_article()).xpath("//p[@class='times']//time")) == 1


def test_the_picture_never_offers_the_upload(renderer: Renderer, make_article: Make) -> None:
    image = page(renderer, make_article()).find(".//figure/img")
    media = f"/media/{'a' * 32}"
    assert image.get("src") == f"{media}/w1600.jpg"
    assert image.get("srcset") == f"{media}/w1600.jpg 1600w, {media}/w400.jpg 400w"
    assert (image.get("width"), image.get("height"), image.get("alt")) == ("1600", "900", "A ferry")


def test_an_image_without_sizes_leaves_the_card(
    renderer: Renderer, make_article: Make, lead_image: LeadImage
) -> None:
    bare = lead_image.model_copy(update={"renditions": ()})
    document = page(renderer, make_article(lead_image=bare))
    assert document.find(".//figure") is None
    assert_shows_card(document, "The harbour opens")


def assert_shows_card(document: Any, alt: str) -> None:
    """The same on either network, at an address that could be served."""
    address = meta(document, "og:image")
    assert address.startswith(ORIGIN)
    assert CARD_PATH.fullmatch(address.removeprefix(ORIGIN))
    assert address == meta(document, "twitter:image")
    size = meta(document, "og:image:width"), meta(document, "og:image:height")
    assert size == ("1200", "630")
    assert meta(document, "og:image:alt") == meta(document, "twitter:image:alt") == alt
    assert meta(document, "twitter:card") == "summary_large_image"


def test_without_a_lead_image_the_card_has_the_words_for_shared_links(
    renderer: Renderer, make_article: Make
) -> None:
    told = ShareOverride(title="Look here")
    assert_shows_card(page(renderer, make_article(lead_image=None, share=told)), "Look here")
    assert_shows_card(page(renderer, make_article(lead_image=None)), "The harbour opens")


@pytest.mark.parametrize(("width", "height"), [(599, 400), (700, 314)])
def test_a_lead_image_that_would_be_a_thumbnail_leaves_the_card(
    renderer: Renderer, make_article: Make, lead_image: LeadImage, width: int, height: int
) -> None:
    size = lead_image.renditions[1].model_copy(update={"width": width, "height": height})
    small = lead_image.model_copy(update={"renditions": (size,)})
    assert_shows_card(page(renderer, make_article(lead_image=small)), "The harbour opens")


def test_a_newsroom_may_always_show_the_card(place: Place, make_article: Make) -> None:
    always = Renderer(Place(place.publication, place.public_url, always_card=True))
    assert_shows_card(page(always, make_article()), "The harbour opens")
    assert always.dress != Renderer(place).dress


def test_a_correction_of_the_headline_is_another_card(
    renderer: Renderer, make_article: Make
) -> None:
    first = page(renderer, make_article(lead_image=None))
    same = page(renderer, make_article(lead_image=None, body_html="<p>Other.</p>", revision=2))
    other = page(renderer, make_article(lead_image=None, headline="The harbour shuts"))
    assert meta(first, "og:image") == meta(same, "og:image") != meta(other, "og:image")


def test_open_graph_and_canonical(renderer: Renderer, make_article: Make) -> None:
    document = page(renderer, make_article(canonical_url="https://first.example/a"))
    assert document.xpath("string(//link[@rel='canonical']/@href)") == "https://first.example/a"
    assert document.xpath("string(//meta[@property='og:type']/@content)") == "article"
    image = document.xpath("string(//meta[@property='og:image']/@content)")
    assert image == f"https://news.example/media/{'a' * 32}/w1600.jpg"
    card = document.xpath("string(//meta[@name='twitter:card']/@content)")
    assert card == "summary_large_image"
    assert document.xpath("string(//link[@rel='alternate']/@href)").endswith("/feed.xml")


@pytest.mark.parametrize(
    ("noindex", "robots"), [(True, "noindex"), (False, "max-image-preview:large")]
)
def test_robots(renderer: Renderer, make_article: Make, noindex: bool, robots: str) -> None:
    document = page(renderer, make_article(noindex=noindex))
    assert document.xpath("string(//meta[@name='robots']/@content)") == robots


def test_corrections_are_visible_dated_and_in_json_ld(
    renderer: Renderer, make_article: Make
) -> None:
    notices = (
        Correction(at=NOW - timedelta(days=1), kind="clarification", text="Clearer now."),
        Correction(at=NOW, kind="correction", text="It was three ships."),
    )
    article = make_article(corrections=notices, updated_at=NOW)
    shown = page(renderer, article).xpath("//aside[@class='notice']")
    assert [notice.get("aria-label") for notice in shown] == ["Correction", "Clarification"]
    assert shown[0].find(".//time").get("datetime") == "2026-11-23T09:30:00+00:00"
    assert "It was three ships." in shown[0].text_content()
    comments = json_ld(renderer, article)["correction"]
    assert [comment["text"] for comment in comments] == ["Clearer now.", "It was three ships."]
    assert comments[0]["@type"] == "CorrectionComment"


def test_json_ld_of_a_free_article(renderer: Renderer, make_article: Make) -> None:
    data = json_ld(renderer, make_article(tags=("ships",)))
    assert data["@type"] == "NewsArticle"
    assert data["isAccessibleForFree"] is True
    assert data["datePublished"] == data["dateModified"] == "2026-07-23T10:30:00+01:00"
    assert data["author"] == [
        {
            "@type": "Person",
            "name": "A. Writer",
            "jobTitle": "Reporter",
            "url": "https://a.example/w",
        }
    ]
    assert data["articleSection"] == "City"
    assert [image.rpartition("/")[2] for image in data["image"]] == ["w1600.jpg", "w400.jpg"]
    assert "hasPart" not in data
    assert "correction" not in data


def test_without_bylines_the_paper_is_the_author(renderer: Renderer, make_article: Make) -> None:
    data = json_ld(renderer, make_article(bylines=()))
    assert data["author"][0]["name"] == "The Example Courier"


def test_a_premium_page_holds_no_word_beyond_the_teaser(
    renderer: Renderer, make_article: Make
) -> None:
    article = make_article(
        access="premium",
        body="First. Treasure.",
        body_html="<h2>Head</h2><p>First <em>one</em>.</p><p>Treasure.</p>",
    )
    prepared = renderer.article(article, NOW)
    assert prepared is not None
    assert b"Treasure" not in prepared.body
    assert b"<p>First <em>one</em>.</p>" in prepared.body
    assert b"Subscribe to keep reading" in prepared.body
    data = json_ld(renderer, article)
    assert data["isAccessibleForFree"] is False
    selector = data["hasPart"]["cssSelector"]
    assert page(renderer, article).xpath(f"//*[@class='{selector.removeprefix('.')}']")


def test_a_retraction_keeps_headline_and_reason_only(
    renderer: Renderer, make_article: Make
) -> None:
    article = make_article(
        status=Status.RETRACTED, retraction=Retraction(at=NOW, reason="It was made up.")
    )
    prepared = renderer.article(article, NOW)
    assert prepared is not None
    assert prepared.status == 410
    document = page(renderer, article)
    assert document.findtext(".//h1") == "The harbour opens"
    assert "It was made up." in document.text_content()
    for gone in (b"Ships came in", b"After two years", b"w1600", b"ld+json"):
        assert gone not in prepared.body
    assert document.xpath("string(//meta[@name='robots']/@content)") == "noindex"


def test_an_arabic_article_reads_from_the_right(renderer: Renderer, make_article: Make) -> None:
    document = page(renderer, make_article(language="ar"))
    assert (document.get("lang"), document.get("dir")) == ("ar", "rtl")
    assert document.find(".//article").get("dir") == "rtl"
    assert document.find(".//header").get("dir") == "ltr"
    assert "يوليو" in document.xpath("string(//p[@class='times'])")
    assert "نُشر في" in document.xpath("string(//p[@class='times'])")


def meta(document: Any, name: str) -> str:
    return str(document.xpath(f"string(//meta[@property='{name}' or @name='{name}']/@content)"))


def test_search_engines_are_told_what_the_editor_says(
    renderer: Renderer, make_article: Make
) -> None:
    told = SearchOverride(title="Harbour & <bridge>", description="When it opens")
    document = page(renderer, make_article(search=told))
    assert document.findtext(".//title") == "Harbour & <bridge>"
    assert meta(document, "description") == "When it opens"
    assert document.findtext(".//h1") == "The harbour opens"
    assert meta(document, "og:title") == "The harbour opens"
    assert meta(document, "og:description") == "After two years of work."


def test_only_the_description_may_be_overridden(renderer: Renderer, make_article: Make) -> None:
    document = page(renderer, make_article(search=SearchOverride(description="When it opens")))
    assert document.findtext(".//title") == "The harbour opens | The Example Courier"
    assert meta(document, "description") == "When it opens"


def test_a_shared_link_shows_what_the_editor_says(
    renderer: Renderer, make_article: Make, lead_image: LeadImage
) -> None:
    other = lead_image.model_copy(
        update={"alt": "A bridge", "renditions": lead_image.renditions[2:]}
    )
    told = ShareOverride(title='Look "here"', description="Now", image=other)
    document = page(renderer, make_article(share=told))
    for network in ("og", "twitter"):
        assert meta(document, f"{network}:title") == 'Look "here"'
        assert meta(document, f"{network}:description") == "Now"
        assert meta(document, f"{network}:image").endswith("/w400.jpg")
        assert meta(document, f"{network}:image:alt") == "A bridge"
    assert (meta(document, "og:image:width"), meta(document, "og:image:height")) == ("400", "225")
    assert document.findtext(".//title") == "The harbour opens | The Example Courier"
    assert meta(document, "description") == "After two years of work."
    assert document.find(".//figure/img").get("alt") == "A ferry"


def test_a_share_picture_too_small_to_show_leaves_the_lead_image(
    renderer: Renderer, make_article: Make, lead_image: LeadImage
) -> None:
    small = lead_image.renditions[2].model_copy(update={"width": 40, "height": 30})
    image = lead_image.model_copy(update={"renditions": (small,)})
    document = page(renderer, make_article(share=ShareOverride(image=image)))
    assert meta(document, "og:image").endswith("/w1600.jpg")


def test_the_direction_is_the_newsrooms_to_say(renderer: Renderer, make_article: Make) -> None:
    document = page(renderer, make_article(language="ar", direction="ltr"))
    assert (document.get("dir"), document.find(".//article").get("dir")) == ("ltr", "ltr")
    document = page(renderer, make_article(language="en", direction="rtl"))
    assert (document.get("dir"), document.find(".//article").get("dir")) == ("rtl", "rtl")


@pytest.mark.parametrize("status", [Status.UNPUBLISHED, Status.DRAFT])
def test_what_is_not_public_has_no_page(
    renderer: Renderer, make_article: Make, status: Status
) -> None:
    assert renderer.article(make_article(status=status), NOW) is None
    assert renderer.article(make_article(skip_outlets=("site",)), NOW) is None


def test_an_unknown_section_leads_nowhere(renderer: Renderer, make_article: Make) -> None:
    document = page(renderer, make_article(section="closed-down"))
    assert not document.xpath("//a[@href='/sections/closed-down']")


def test_the_dress_follows_publication_and_origin(renderer: Renderer, place: Place) -> None:
    renamed = place.publication.model_copy(update={"tagline": "Other"})
    assert Renderer(Place(place.publication, place.public_url)).dress == renderer.dress
    assert Renderer(Place(renamed, place.public_url)).dress != renderer.dress
    assert Renderer(Place(place.publication, "https://other.example")).dress != renderer.dress


@pytest.mark.parametrize("theme", [{"accent": "red;}body{display:none"}, {"a{b": "red"}])
def test_a_theme_cannot_smuggle_rules(place: Place, theme: dict[str, str]) -> None:
    publication = place.publication.model_copy(update={"theme": theme})
    with pytest.raises(ValueError, match="not a plain CSS value"):
        Renderer(Place(publication, place.public_url))


def test_the_style_fetches_nothing(renderer: Renderer) -> None:
    assert b"url(" not in renderer.style
    assert b"@import" not in renderer.style
