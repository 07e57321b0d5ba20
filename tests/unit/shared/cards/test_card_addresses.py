"""What stands on a card, which photograph is behind it, and an address that names all of it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.cards.card import CARD_PATH, MOST_BYTES, Size, as_image
from shared.contracts.articles import Byline, Crop, ShareOverride

ORIGIN = "https://news.example"


def test_the_words_are_the_articles(make_card: Any) -> None:
    card = make_card()
    assert (card.headline, card.section) == ("The harbour opens", "City")
    assert (card.byline, card.paper) == ("Inês Carvalho and Tom Okafor", "The Example Courier")
    assert make_card(share=ShareOverride(title="Look")).headline == "Look"
    assert make_card(bylines=()).byline == ""
    assert make_card(section="closed-down").section == "closed-down"


def test_names_are_listed_as_the_language_does(make_card: Any) -> None:
    names = (Byline(name="Anna"), Byline(name="Eva"))
    assert make_card(language="de", bylines=names).byline == "Anna und Eva"
    # An unknown language is listed as the publication's.
    assert make_card(language="xx-none", bylines=names).byline == "Anna and Eva"


@pytest.mark.parametrize(
    ("language", "direction", "expected"),
    [("ar", None, True), ("en", None, False), ("ar", "ltr", False), ("en", "rtl", True)],
)
def test_the_direction_is_the_newsrooms_or_the_languages(
    make_card: Any, language: str, direction: str | None, expected: bool
) -> None:
    assert make_card(language=language, direction=direction).from_right is expected


def test_the_address_changes_with_what_is_drawn_and_with_nothing_else(make_card: Any) -> None:
    path = make_card().path
    assert CARD_PATH.fullmatch(path)
    assert make_card(revision=9, body="Other.", tags=("x",)).path == path
    changed = [
        make_card(Size.TALL),
        make_card(headline="The harbour shuts"),
        make_card(section="world"),
        make_card(bylines=()),
        make_card(language="de"),
        make_card(theme={"accent": "#fff"}),
        make_card(id="019ab000-0000-7000-8000-000000000002"),
    ]
    assert len({path, *(one.path for one in changed)}) == 8


def test_a_headline_that_cannot_be_encoded_has_an_address(make_card: Any) -> None:
    card = make_card()
    assert CARD_PATH.fullmatch(card.model_copy(update={"headline": "\ud800"}).path)


def test_as_an_image_the_card_has_its_words(make_card: Any) -> None:
    image = as_image(make_card(Size.TALL), ORIGIN)
    (rendition,) = image.renditions
    assert image.alt == "The harbour opens"
    assert (rendition.width, rendition.height, rendition.size) == (1080, 1350, MOST_BYTES)
    assert rendition.media_type == "image/jpeg"
    assert rendition.url == ORIGIN + make_card(Size.TALL).path


def test_the_smallest_photograph_that_fills_the_card_is_taken(
    make_card: Any, make_image: Any
) -> None:
    image = make_image((4000, 2250), (1600, 900), (800, 450), credit="Marta", focus=(0.2, 0.3))
    picture = make_card(lead_image=image).picture
    assert picture.url.endswith("/w1600.jpg")
    assert (picture.credit, picture.focus) == ("Marta", (0.2, 0.3))
    # Of a landscape the tall card needs more height than its made sizes have.
    assert make_card(Size.TALL, lead_image=image).picture.url.endswith("/w4000.jpg")


@pytest.mark.parametrize("size", [(800, 450), (959, 900), (1600, 503)])
def test_a_photograph_that_would_be_enlarged_is_left_out(
    make_card: Any, make_image: Any, size: tuple[int, int]
) -> None:
    assert make_card(lead_image=make_image(size)).picture is None


def test_the_share_image_comes_before_the_lead_image(make_card: Any, make_image: Any) -> None:
    shared, lead = make_image((1700, 1000)), make_image((1600, 900))
    told = ShareOverride(image=shared)
    assert make_card(lead_image=lead, share=told).picture.url.endswith("/w1700.jpg")
    small = ShareOverride(image=make_image((100, 100)))
    assert make_card(lead_image=lead, share=small).picture.url.endswith("/w1600.jpg")


def test_a_crop_for_wide_pictures_is_for_the_wide_card(make_card: Any, make_image: Any) -> None:
    crop = Crop(x=0.1, y=0.1, width=0.8, height=0.5)
    image = make_image((4000, 4000), crops={"16x9": crop})
    assert make_card(lead_image=image).picture.crop == crop
    assert make_card(Size.TALL, lead_image=image).picture.crop is None


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/media/a/w1600.jpg",
        f"{ORIGIN}.evil.example/media/a/w1600.jpg",
        f"{ORIGIN}/media/a/../../api/v1/users.jpg",
        f"{ORIGIN}/media/a/w1600.jpg?x=1",
        f"{ORIGIN}/api/v1/users",
    ],
)
def test_a_photograph_from_elsewhere_is_never_used(
    make_card: Any, make_image: Any, url: str
) -> None:
    image = make_image((1600, 900))
    other = image.renditions[0].model_copy(update={"url": url})
    assert make_card(lead_image=image.model_copy(update={"renditions": (other,)})).picture is None


def test_a_picture_of_another_kind_is_not_opened(make_card: Any, make_image: Any) -> None:
    image = make_image((1600, 900))
    other = image.renditions[0].model_copy(update={"media_type": "image/gif"})
    assert make_card(lead_image=image.model_copy(update={"renditions": (other,)})).picture is None


@pytest.mark.parametrize(
    "path", ["/cards/a/0123456789abcdef-link.jpg", "/cards/A-9/0123456789abcdef-tall.jpg"]
)
def test_addresses_of_cards(path: str) -> None:
    assert CARD_PATH.fullmatch(path)


@pytest.mark.parametrize(
    "path",
    [
        "/cards/a/0123456789abcdef-wide.jpg",
        "/cards/a/0123-link.jpg",
        "/cards/../0123456789abcdef-link.jpg",
        "/cards/a/0123456789ABCDEF-link.jpg",
        "/cards/a/0123456789abcdef-link.jpg\n",
    ],
)
def test_other_addresses(path: str) -> None:
    assert not CARD_PATH.fullmatch(path)
