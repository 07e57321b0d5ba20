"""Settings of the social service."""

from __future__ import annotations

from pydantic import Field

from shared.runtime.settings import Settings


class SocialSettings(Settings):
    """Beside the shared ones."""

    social_concurrency: int = Field(default=8, ge=1, le=64)
    """Deliveries under way at a time in one process."""
    social_express_concurrency: int = Field(default=8, ge=1, le=64)
    """More of them, for breaking news and for taking back what is out."""
    social_account_concurrency: int = Field(default=2, ge=1, le=64)
    """The most of them on one account, in the express lane as well as beside it."""
    social_lateness_hours: float = Field(default=6.0, gt=0)
    """A post not begun this long after publication is `missed`, never a surprise burst."""
    social_reads_per_day: int = Field(default=5000, ge=0, le=1_000_000)
    """Posts of one account that may be asked for their counts in a day; 0 asks for none."""
