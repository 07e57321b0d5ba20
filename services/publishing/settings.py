"""Settings of the publishing service."""

from __future__ import annotations

from pydantic import Field

from shared.runtime.settings import Settings


class PublishingSettings(Settings):
    """Beside the shared ones."""

    expected_services: tuple[str, ...] = ("social", "sitemap", "notifications", "site")
    """Who must report each public act; the repair loop announces it again until they have. JSON list."""
    session_hours: float = Field(default=12.0, gt=0, le=24 * 30)
    """How long a sign-in lasts."""
    schedule_lateness_minutes: int = Field(default=60, ge=1, le=7 * 24 * 60)
    """How late a schedule may still come true, where the editor did not say; later it is `missed`."""
    retraction_second_person: bool = False
    """Whether one chief asks for a retraction and another one confirms it."""
