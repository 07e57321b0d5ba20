"""Settings of the sitemap service."""

from __future__ import annotations

from pydantic import Field

from shared.runtime.settings import Settings


class SitemapSettings(Settings):
    """Beside the shared ones."""

    sitemap_gather_seconds: float = Field(default=0.2, ge=0)
    """How long archive and index wait for more changes before they are rebuilt; news never waits."""
