"""Performs one LinkedIn post, edit or deletion, exactly as frozen. Never retries a mutation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import regex

from services.social.channels.base import (
    FetchMedia,
    Intent,
    Payload,
    Posted,
    RateBudget,
    Wording,
)
from services.social.channels.linkedin import counts
from services.social.channels.linkedin.client import (
    LinkedInClient,
    code,
    encoded,
    failure,
    words,
)
from services.social.channels.linkedin.compose import (
    LIMIT,
    PICTURES,
    Frozen,
    Remembered,
    compose,
    picture,
)
from services.social.channels.linkedin.images import Images
from services.social.channels.linkedin.littletext import readable, units
from services.social.channels.linkedin.settings import LinkedInSettings
from services.social.channels.pictures import LEFT_OUT
from services.social.channels.transport import Answer
from shared.contracts.outlets import Counts, Operation
from shared.delivery.errors import AuthDead, GiveUp, OutcomeUnknown, TryAgain

PAGE, PAGES = 50, 5
"""Posts per page and pages that `find` reads."""
CLOCK_SKEW = timedelta(minutes=1)
_URN = regex.compile(r"urn:li:(?:share|ugcPost):\d+")


class LinkedInChannel:
    """One page. It has no key for a post, so `find` answers what an interrupted one became."""

    def __init__(
        self,
        settings: LinkedInSettings,
        http: aiohttp.ClientSession,
        fetch: FetchMedia,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._clock = clock
        self.budget: RateBudget | None = None
        self.reads: RateBudget | None = None
        self.daily_reads: int | None = None
        self._client = LinkedInClient(settings, http, clock)
        self._images = Images(self._client, settings.author, fetch)

    async def compose(self, intent: Intent) -> Payload | None:
        if intent.operation is Operation.DELETE:
            return {"delete": intent.posted.remote_id} if intent.posted else None
        before, own, thumbnail = None, None, None
        if intent.operation is Operation.EDIT:
            if intent.posted is None:
                raise GiveUp("nothing is known of the post to change")
            before = Remembered.model_validate(intent.posted.extra)
        else:
            own = await self._images.chosen(picture(intent.article))
            thumbnail = own or await self._images.chosen(intent.cards.get("link"))
        frozen = compose(
            intent.article,
            now=intent.now,
            settings=self._settings,
            thumbnail=thumbnail,
            before=before,
            correction=before is not None and intent.change == "correction",
        )
        payload = frozen.model_dump(mode="json") if frozen else None
        if payload and before is None and own is None and picture(intent.article):
            payload[LEFT_OUT] = PICTURES.left_out("LinkedIn", card=thumbnail is not None)
        return payload

    def wording(self, payload: Payload) -> Wording:
        commentary = str(payload["commentary"])
        return Wording(readable(commentary), units(commentary), LIMIT)

    async def post(self, payload: Payload) -> Posted:
        """Create the post; one that the network calls a duplicate is adopted if it is this very post."""
        frozen = Frozen.model_validate(payload)
        thumbnail = await self._images.uploaded(frozen.thumbnail) if frozen.thumbnail else None
        answer = await self._client.ask(
            "POST", "posts", mutation=True, json=_body(frozen, thumbnail), bear=422
        )
        if answer.status == 422:
            return await self._adopted(answer, frozen)
        urn = answer.headers.get("x-restli-id", "")
        if not _URN.fullmatch(urn):
            raise OutcomeUnknown("a success without the post's id")
        return self._posted(urn, frozen)

    async def edit(self, payload: Payload, posted: Posted) -> Posted:
        frozen = Frozen.model_validate(payload)
        await self._client.ask(
            "POST",
            f"posts/{encoded(posted.remote_id)}",
            mutation=True,
            act="PARTIAL_UPDATE",
            json={"patch": {"$set": {"commentary": frozen.commentary}}},
        )
        return self._posted(posted.remote_id, frozen)

    async def delete(self, posted: Posted) -> None:
        await self._client.ask(
            "DELETE",
            f"posts/{encoded(posted.remote_id)}",
            mutation=True,
            act="DELETE",
            bear=404,
        )

    async def find(self, payload: Payload) -> Posted | None:
        """Looks for our link on the cards of the page's own posts since the payload was composed."""
        frozen = Frozen.model_validate(payload)
        since = (frozen.composed_at - CLOCK_SKEW).timestamp() * 1000
        for number in range(PAGES):
            page = await self._page(start=number * PAGE)
            for post in page:
                if _link(post) == frozen.link and post.get("createdAt", 0) >= since:
                    return self._posted(str(post["id"]), frozen)
            # Newest change first, so from here on nothing is as new as the payload.
            if len(page) < PAGE or page[-1].get("lastModifiedAt", 0) < since:
                return None
        raise OutcomeUnknown(f"the post is not among the last {PAGE * PAGES}; there are older ones")

    async def counts(self, posts: Sequence[Posted]) -> dict[str, Counts | None]:
        return await counts.read(self._client, self._settings.author, posts)

    async def check(self) -> str:
        """The page's URN, once its posts could be read. Raises `AuthDead`."""
        await self._page(start=0, count=1)
        return self._settings.author

    async def _page(self, *, start: int, count: int = PAGE) -> list[dict[str, Any]]:
        answer = await self._client.ask(
            "GET",
            "posts",
            act="FINDER",
            params={
                "author": self._settings.author,
                "q": "author",
                "count": str(count),
                "start": str(start),
                "sortBy": "LAST_MODIFIED",
            },
        )
        elements = answer.body.get("elements") if isinstance(answer.body, dict) else None
        if not isinstance(elements, list):
            raise TryAgain("a success without the posts that belong to it")
        return elements

    async def _adopted(self, refusal: Answer, frozen: Frozen) -> Posted:
        """The post that the network says ours is a duplicate of, if it is there and is ours.

        It goes on naming posts that were deleted, for a day or two.
        """
        said = words(refusal)
        named = _URN.search(said)
        if code(refusal) != "DUPLICATE_POST" or named is None:
            raise failure(refusal, self._clock(), mutation=True)
        try:
            answer = await self._client.ask("GET", f"posts/{encoded(named[0])}", bear=404)
        except AuthDead as error:
            raise GiveUp(f"{said}; that post cannot be read: {error.reason}") from error
        if answer.status == 404:
            raise GiveUp(f"{said}; that post is gone, but the network still counts it")
        if _link(answer.body) != frozen.link:
            raise GiveUp(f"{said}; that post is about something else")
        return self._posted(named[0], frozen)

    def _posted(self, urn: str, frozen: Frozen) -> Posted:
        return Posted(
            remote_id=urn,
            url=f"{self._settings.web}/feed/update/{urn}",
            extra=frozen.remembered(),
        )


def _body(frozen: Frozen, thumbnail: str | None) -> dict[str, Any]:
    card = {"source": frozen.link, "title": frozen.title}
    if frozen.description:
        card["description"] = frozen.description
    if thumbnail:
        card["thumbnail"] = thumbnail
    return {
        "author": frozen.author,
        "commentary": frozen.commentary,
        "visibility": "PUBLIC",
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "content": {"article": card},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }


def _link(post: Any) -> str | None:
    """The address on a post's card."""
    content = post.get("content") if isinstance(post, dict) else None
    card = content.get("article") if isinstance(content, dict) else None
    return card.get("source") if isinstance(card, dict) else None
