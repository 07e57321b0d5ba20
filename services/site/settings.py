"""Settings of the site service."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.runtime.settings import Settings


class SiteSettings(Settings):
    """Beside the shared ones."""

    site_breaking_hours: float = Field(default=6.0, gt=0)
    """How long after its publication a breaking article stays in the banner of the front page."""
    site_share_picture: Literal["photograph", "card"] = "photograph"
    """What a shared link shows. `photograph`: the article's own, and its card where there is none
    large enough. `card`: always the card, which has the photograph behind its words."""
