"""A finished answer to one article address, as it is kept and served. Never changes; it is replaced."""

from __future__ import annotations

from dataclasses import dataclass

from shared.web.conditional import Prepared


@dataclass(frozen=True)
class Page:
    """`dress` names the templates, styles and publication it was rendered with."""

    slug: str
    article_id: str
    revision: int
    dress: str
    location: str | None = None
    """Where a former slug leads; such a page has no document."""
    document: Prepared | None = None
    """None also for an article that is not on the site."""
    reaction: int = 0
    """The version of the reaction that it shows."""
