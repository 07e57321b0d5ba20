"""What the sitemap service's unit tests share: an article to vary, and the schema of the rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from shared.contracts.articles import Article, Status
from shared.runtime.publication import Publication

MakeArticle = Callable[..., Article]


@pytest.fixture(scope="session")
def make_article() -> MakeArticle:
    def make(**changes: Any) -> Article:
        at = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
        values: dict[str, Any] = {
            "id": "019ab000-0000-7000-8000-000000000001",
            "slug": "harbour-opens",
            "url": "https://news.example/articles/harbour-opens",
            "headline": "The harbour opens",
            "standfirst": "After two years of work.",
            "body": "Ships came in.",
            "body_html": "<p>Ships came in.</p>",
            "section": "city",
            "language": "en-GB",
            "status": Status.PUBLISHED,
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
            "tagline": "News & weather",
            "sections": [{"slug": "city", "name": "City"}],
        }
    )


@pytest.fixture(scope="session")
def sitemap_schema() -> Any:
    """Raises `etree.DocumentInvalid` from `assertValid` with the first broken rule."""
    return etree.XMLSchema(etree.parse(Path(__file__).parent / "schemas" / "sitemap.xsd"))
