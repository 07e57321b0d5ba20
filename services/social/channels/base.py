"""What a channel is: composes a payload, performs it once, finds it again. Never retries, never stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, Self

import aiohttp
from pydantic import BaseModel, ConfigDict

from services.social.channels.oauth import OAuthFlow
from services.social.domain.policy import Manner
from services.social.domain.spending import FREE, Price
from shared.contracts.articles import Article, LeadImage
from shared.contracts.outlets import Counts, Operation

Payload = dict[str, Any]
"""Exactly what will be sent, as JSON-able values; frozen in the ledger before the first byte leaves."""

MANNER = "manner"
"""The key of a payload by which a channel says that an edit became a reply."""


class Posted(BaseModel):
    """What the network knows our post by. `extra` is the channel's own (reply chain, cid, media ids)."""

    model_config = ConfigDict(frozen=True)

    remote_id: str
    url: str | None = None
    extra: dict[str, Any] = {}

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> Self:
        """What the ledger remembers of it, which may have more besides."""
        fields = {key: result.get(key) for key in ("remote_id", "url")}
        return cls.model_validate({**fields, "extra": result.get("extra") or {}})


@dataclass(frozen=True)
class Intent:
    """One thing to do on one account."""

    key: str
    """The delivery's id: the same for every attempt, so idempotency keys and record keys derive from it."""
    operation: Operation
    """`post`, `edit` or `delete`."""
    article: Article
    now: datetime
    """The instant to freeze into the payload (createdAt); UTC."""
    posted: Posted | None = None
    """The post to edit or delete."""
    change: Literal["minor", "correction", "retraction"] | None = None
    """Only for `edit`; a retraction is asked for only where the network has `reply`."""
    manner: Manner | None = None
    """Only for `edit`: EDIT or REPLY, as the account's policy chose among the capabilities."""
    told: int = 0
    """How many of the article's corrections the post, or what follows it, already carries."""
    cards: Mapping[str, LeadImage] = field(default_factory=dict)
    """The article's card by size (`shared.cards.card.Size`), for want of a picture that fits; only for a
    post. One rendition each, of which `size` is the most it can have."""


@dataclass(frozen=True)
class Capabilities:
    """What the network can do, told honestly; the ledger chooses its behaviour by this."""

    edit: bool
    """True when readers of the network see an edited post, and the same edit twice is one."""
    delete: bool
    alt_text: bool
    idempotent: bool
    """Sending the same armed payload again never makes a second post."""
    lookup: bool
    """`find` can tell whether the post is there."""
    reply: bool = False
    """`edit` can answer the post with a notice, where its readers find it."""
    repost: bool = True
    """False where the network refuses for a while what resembles a deleted post."""
    versions: bool = False
    """An edit is one more post in a chain, and not every account may make one: else `edit` replies."""
    pictures: bool = True
    """A post shows the lead image, by itself or on a card."""
    counts: bool = False
    """The channel is `Counting` too: the network tells how a post is doing."""
    counts_batch: int = 1
    """How many posts one `counts` takes, where the network reads several in one call."""
    idempotent_seconds: float | None = None
    """For how long after the first attempt `idempotent` holds; None means for ever."""


@dataclass(frozen=True)
class RateBudget:
    """The network's last word on how many calls are left before `resets_at` (UTC)."""

    limit: int
    remaining: int
    resets_at: datetime
    counted: bool = True
    """False where these are percentages, of which one call may be a small part."""


@dataclass(frozen=True)
class Wording:
    """The text of a payload and how long it is, as the network counts."""

    text: str
    length: int
    limit: int
    """The most the network takes, in its own count."""


class Channel(Protocol):
    """One connected account of one network.

    `post`, `edit`, `delete` and `find` raise only the errors of `shared.delivery.errors`.
    None of them retries a mutation.
    """

    budget: RateBudget | None
    """From the headers of the last answer; None while unknown."""

    async def compose(self, intent: Intent) -> Payload | None:
        """The exact payload, or None when this network has nothing to change for this intent.

        May read the server's limits and the image bytes; changes nothing outside.
        """

    def wording(self, payload: Payload) -> Wording:
        """What readers will read of a payload that this channel composed for a post or an edit."""

    async def post(self, payload: Payload) -> Posted:
        """Create the post."""

    async def edit(self, payload: Payload, posted: Posted) -> Posted:
        """Change the post, or say the correction or retraction in the manner that was composed."""

    async def delete(self, posted: Posted) -> None:
        """Remove the post and everything we attached to it; success if it is already gone."""

    async def find(self, payload: Payload) -> Posted | None:
        """The post that `payload` made, if it is there; None if it certainly is not."""

    async def check(self) -> str:
        """Verify the credentials; answers the account's display name or raises AuthDead."""


class Counting(Channel, Protocol):
    """A channel with `Capabilities.counts`: it also tells how posts are doing. Changes nothing outside."""

    reads: RateBudget | None
    """What the last answer's headers leave of the calls that `counts` makes; None while unknown."""
    daily_reads: int | None
    """How many posts may be asked for in a day, where that costs money; None for the service's own ceiling."""

    async def counts(self, posts: Sequence[Posted]) -> dict[str, Counts | None]:
        """By `remote_id`; None for a post that the network no longer has.

        One of which it tells nothing now is left out. Raises `TryAgain`, `GiveUp` or `AuthDead`; the
        last only says that these credentials may not read counts.
        """


FetchMedia = Callable[[str], Awaitable[bytes]]
"""Absolute address of one of our own renditions or cards -> its bytes (addresses are content-addressed)."""


class Fake(Protocol):
    """A strict stand-in for the network, served by the sandbox and by tests."""

    name: str
    faults: dict[str, int]
    """Fault name -> how many more requests it will hit. Every fake knows at least FAULTS."""
    fault_words: dict[str, str]
    """Fault name -> what it does, as a sentence for the sandbox's page."""

    def app(self) -> Any:
        """An `aiohttp.web.Application` that speaks the network's API."""

    def account(self, base_url: str) -> dict[str, Any]:
        """Valid `settings` (as the channel's settings model takes them) for this fake at `base_url`."""

    def visible(self) -> list[VisiblePost]:
        """Posts as a reader of the network sees them now, newest first; deleted ones are absent."""

    def creations(self) -> list[VisiblePost]:
        """Every post ever created, deleted ones included: what a count of duplicates is made from."""


class Liked(Protocol):
    """A `Fake` of a network that counts: tests let its posts be liked."""

    def react(self, post_id: str, **counts: int) -> None:
        """People react to the post with this `VisiblePost.id`; `counts` are fields of `Counts`."""


FAULTS = (
    "error_before",  # answer 500/503 without doing anything
    "error_after",  # do it, then answer 500
    "hang_after",  # do it, then never answer
    "disconnect_after",  # do it, then cut the connection
    "rate_limited",  # answer 429 in the network's own dialect
    "auth_dead",  # answer as for a revoked token
    "refuse",  # answer a permanent refusal (422 / 400)
)
"""Faults every fake can inject into its creating call."""


@dataclass(frozen=True)
class VisiblePost:
    """A post as people would see it on the network."""

    id: str
    author: str
    text: str
    created_at: datetime
    received_at: datetime
    url: str
    language: str | None = None
    edited_at: datetime | None = None
    reply_to: str | None = None
    link: str | None = None
    card: dict[str, str] | None = None
    """`title`, `description`, `uri`, `image` where the network shows a card."""
    images: tuple[dict[str, str], ...] = ()
    """`url` (relative to the fake's root), `alt`."""
    deleted: bool = False


@dataclass(frozen=True)
class ChannelSpec:
    """What a channel's folder declares about itself."""

    name: str
    title: str
    settings: type[BaseModel]
    """Account settings and credentials; secrets are `pydantic.SecretStr`."""
    capabilities: Capabilities
    build: Callable[[BaseModel, aiohttp.ClientSession, FetchMedia], Channel]
    fake: Callable[[], Fake]
    price: Callable[[BaseModel, Operation, Payload], Price] = lambda *_: FREE
    """What one call costs the account with these settings; most networks are free."""
    help: str = ""
    """How an operator obtains the credentials, in Markdown."""
    oauth: OAuthFlow | None = None
    """How an account is connected by consent; None where its credentials can only be entered."""
