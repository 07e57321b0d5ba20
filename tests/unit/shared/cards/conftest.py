"""What the tests of cards share: an article to vary, a publication, and cards of both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.cards.card import Card, Size, card
from shared.contracts.articles import Article, Byline, LeadImage, Rendition
from shared.runtime.publication import Publication

ORIGIN = "https://news.example"
MakeArticle = Callable[..., Article]
MakeImage = Callable[..., LeadImage]
MakeCard = Callable[..., Card]


@pytest.fixture(scope="session")
def make_image() -> MakeImage:
    def make(*sizes: tuple[int, int], **changes: Any) -> LeadImage:
        renditions = [
            Rendition(
                name=f"w{width}",
                url=f"{ORIGIN}/media/{'a' * 32}/w{width}.jpg",
                width=width,
                height=height,
                media_type="image/jpeg",
                size=1000,
            )
            for width, height in sizes
        ]
        return LeadImage(
            **{"media_id": "a" * 32, "alt": "A ferry", "renditions": tuple(renditions), **changes}
        )

    return make


@pytest.fixture(scope="session")
def make_article() -> MakeArticle:
    def make(**changes: Any) -> Article:
        at = datetime(2026, 7, 23, 9, 30, tzinfo=UTC)
        values: dict[str, Any] = {
            "id": "019ab000-0000-7000-8000-000000000001",
            "slug": "harbour-opens",
            "url": f"{ORIGIN}/articles/harbour-opens",
            "headline": "The harbour opens",
            "body": "Ships came in.",
            "body_html": "<p>Ships came in.</p>",
            "section": "city",
            "language": "en",
            "bylines": (Byline(name="Inês Carvalho"), Byline(name="Tom Okafor")),
            "status": "published",
            "revision": 1,
            "publication": 1,
            "published_at": at,
            "updated_at": at,
        }
        return Article(**{**values, **changes})

    return make


@pytest.fixture(scope="session")
def publication() -> Publication:
    return Publication.model_validate(
        {
            "name": "The Example Courier",
            "sections": [{"slug": "city", "name": "City"}],
            "theme": {"accent": "#0b4f6c", "paper": "#fbf9f5"},
        }
    )


@pytest.fixture(scope="session")
def make_card(make_article: MakeArticle, publication: Publication) -> MakeCard:
    def make(
        size: Size = Size.LINK, *, theme: dict[str, str] | None = None, **changes: Any
    ) -> Card:
        look = {} if theme is None else {"theme": theme}
        paper = publication.model_copy(update=look)
        return card(make_article(**changes), paper, ORIGIN, size)

    return make
