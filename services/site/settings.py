"""Settings of the site service."""

from __future__ import annotations

from pydantic import Field

from shared.runtime.settings import Settings


class SiteSettings(Settings):
    """Beside the shared ones."""

    site_breaking_hours: float = Field(default=6.0, gt=0)
    """How long after its publication a breaking article stays in the banner of the front page."""
