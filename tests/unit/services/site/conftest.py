"""What the site's unit tests share: an article to vary, a publication, and its renderer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from services.site.domain.views import Place
from services.site.rendering import Renderer
from shared.contracts.articles import Article, Byline, LeadImage, Rendition, Status
from shared.runtime.publication import Publication

MakeArticle = Callable[..., Article]
ORIGIN = "https://news.example"


@pytest.fixture(scope="session")
def lead_image() -> LeadImage:
    sizes = [("original", 4000, 2250), ("w1600", 1600, 900), ("w400", 400, 225)]
    return LeadImage(
        media_id="a" * 32,
        alt="A ferry",
        caption="The ferry at noon",
        credit="Photograph: A. Person",
        renditions=tuple(
            Rendition(
                name=name,
                url=f"{ORIGIN}/media/{'a' * 32}/{name}.jpg",
                width=width,
                height=height,
                media_type="image/jpeg",
                size=1000,
            )
            for name, width, height in sizes
        ),
    )


@pytest.fixture(scope="session")
def make_article(lead_image: LeadImage) -> MakeArticle:
    def make(**changes: Any) -> Article:
        at = datetime(2026, 7, 23, 9, 30, tzinfo=UTC)
        values: dict[str, Any] = {
            "id": "019ab000-0000-7000-8000-000000000001",
            "slug": "harbour-opens",
            "url": f"{ORIGIN}/articles/harbour-opens",
            "headline": "The harbour opens",
            "standfirst": "After two years of work.",
            "body": "Ships came in.",
            "body_html": "<p>Ships came in.</p>",
            "section": "city",
            "language": "en-GB",
            "bylines": (Byline(name="A. Writer", role="Reporter", url="https://a.example/w"),),
            "lead_image": lead_image,
            "status": Status.PUBLISHED,
            "revision": 1,
            "publication": 1,
            "published_at": at,
            "updated_at": at,
        }
        return Article(**{**values, **changes})

    return make


@pytest.fixture(scope="session")
def place() -> Place:
    publication = Publication.model_validate(
        {
            "name": "The Example Courier",
            "tagline": "News & weather",
            "time_zone": "Europe/Lisbon",
            "sections": [{"slug": "city", "name": "City"}, {"slug": "world", "name": "World"}],
            "follow": [{"name": "X", "url": "https://example.org/x"}],
            "support_url": "https://example.org/support",
            "theme": {"accent": "#0b4f6c"},
        }
    )
    return Place(publication, ORIGIN)


@pytest.fixture(scope="session")
def renderer(place: Place) -> Renderer:
    return Renderer(place)
