"""What an operator states to connect an Instagram account. Never shows the access token."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from services.social.channels.account import AccountSettings


class InstagramSettings(AccountSettings):
    """One professional account."""

    server: str = "https://graph.facebook.com"
    """Base address of the API; `https://graph.instagram.com` for tokens of Instagram's own login."""
    login: str = "https://www.facebook.com"
    """Base address of the page where people consent."""
    version: str = Field(default="v25.0", pattern=r"^v[0-9]{1,3}\.[0-9]$")
    """Of the Graph API; each lives about two years."""
    user_id: str = Field(pattern=r"^[0-9]{1,19}$")
    """The number of the Instagram professional account."""
    access_token: SecretStr
    """With `instagram_content_publish`, and what corrections and deletions need."""
    hashtags: int = Field(default=5, ge=0, le=30)
    """Most hashtags in a caption, the editor's and ours (sources say 5 or 30)."""
    corrections: Literal["comment", "none"] = "comment"
    """`comment`: a correction is a comment below the picture. `none`: a person has to correct it."""
    delete: bool = True
    """Whether to delete through the API (sources disagree); else a person has to."""
