"""Performs one post, edit or deletion on a Facebook Page, exactly as frozen. Never retries a mutation."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson

from services.social.channels.base import (
    FetchMedia,
    Intent,
    Payload,
    Posted,
    RateBudget,
    Wording,
)
from services.social.channels.facebook import counts
from services.social.channels.facebook.answers import duplicate, failure
from services.social.channels.facebook.compose import (
    LIMIT,
    PICTURES,
    Frozen,
    Image,
    Remembered,
    best_rendition,
    compose,
    described,
    length,
)
from services.social.channels.facebook.settings import FacebookSettings
from services.social.channels.fetching import fetched, unchanged
from services.social.channels.meta import GraphClient, gone, words
from services.social.channels.pictures import LEFT_OUT
from services.social.channels.plaintext import address
from shared.contracts.articles import LeadImage
from shared.contracts.outlets import Counts, Operation
from shared.delivery.errors import GiveUp, OutcomeUnknown

PAGE, PAGES = 50, 5
"""Posts per page and pages that `find` reads."""
CLOCK_SKEW = timedelta(minutes=1)
FIELDS = "id,from,created_time,message,attachments{unshimmed_url}"


class FacebookChannel:
    """One Page. It has no key for a post, so `find` answers what an interrupted one became."""

    def __init__(
        self,
        settings: FacebookSettings,
        http: aiohttp.ClientSession,
        fetch: FetchMedia,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._fetch = fetch
        self.budget: RateBudget | None = None
        self.reads: RateBudget | None = None
        self.daily_reads: int | None = None
        self._client = GraphClient(settings, http, clock, self._heard, failure)

    async def compose(self, intent: Intent) -> Payload | None:
        if intent.operation is Operation.DELETE:
            return {"delete": intent.posted.remote_id} if intent.posted else None
        before, image, lead = None, None, None
        if intent.operation is Operation.EDIT:
            if intent.posted is None:
                raise GiveUp("nothing is known of the post to change")
            before = Remembered.model_validate(intent.posted.extra)
        elif self._settings.media == "image" and intent.article.lead_image:
            lead = intent.article.lead_image
            image = await self._image(lead)
        frozen = compose(
            intent.article,
            now=intent.now,
            settings=self._settings,
            image=image,
            before=before,
            correction=before is not None and intent.change == "correction",
        )
        payload = frozen.model_dump(mode="json") if frozen else None
        if payload and lead and image is None:
            payload[LEFT_OUT] = PICTURES.left_out("Facebook")
        return payload

    def wording(self, payload: Payload) -> Wording:
        text = str(payload["message"])
        return Wording(text, length(text), LIMIT)

    async def post(self, payload: Payload) -> Posted:
        """Create the post; one that the network calls a duplicate is adopted if it is there."""
        frozen = Frozen.model_validate(payload)
        photo_id = await self._uploaded(frozen.image) if frozen.image else None
        form = {"message": frozen.message}
        if photo_id:
            form["attached_media[0]"] = orjson.dumps({"media_fbid": photo_id}).decode()
        elif not frozen.link_in_text:
            form["link"] = frozen.link
        answer = await self._client.ask(
            "POST",
            f"{frozen.page_id}/feed",
            field="id",
            mutation=True,
            data=form,
            bear=duplicate,
        )
        if duplicate(answer):
            if (found := await self.find(payload)) is None:
                raise GiveUp(f"{words(answer)}; but no post of ours has this link")
            return found
        return self._posted(str(answer.body["id"]), frozen, photo_id)

    async def edit(self, payload: Payload, posted: Posted) -> Posted:
        frozen = Frozen.model_validate(payload)
        await self._client.ask(
            "POST",
            posted.remote_id,
            field="success",
            mutation=True,
            one_post=True,
            data={"message": frozen.message},
        )
        return self._posted(posted.remote_id, frozen, posted.extra.get("photo_id"))

    async def delete(self, posted: Posted) -> None:
        """Remove the post, then the picture that was uploaded for it. What is gone counts as removed."""
        for node in (posted.remote_id, posted.extra.get("photo_id")):
            if node:
                await self._client.ask(
                    "DELETE", str(node), field="success", mutation=True, one_post=True, bear=gone
                )

    async def find(self, payload: Payload) -> Posted | None:
        """Looks for our link among the Page's own posts since the payload was composed."""
        frozen = Frozen.model_validate(payload)
        since = frozen.composed_at - CLOCK_SKEW
        params = {"since": str(int(since.timestamp())), "limit": str(PAGE), "fields": FIELDS}
        for _ in range(PAGES):
            path = f"{frozen.page_id}/feed"
            page = (await self._client.ask("GET", path, field="data", params=params)).body
            for post in page["data"]:
                made = datetime.fromisoformat(post["created_time"])
                if made >= since and self._is_ours(post, frozen):
                    # The picture goes with its post; only its own number is not told here.
                    return self._posted(str(post["id"]), frozen, None)
            after = page.get("paging", {}).get("cursors", {}).get("after")
            if not page["data"] or not after:
                return None
            params["after"] = after
        raise OutcomeUnknown(f"the post is not among the last {PAGE * PAGES}; there are older ones")

    async def counts(self, posts: Sequence[Posted]) -> dict[str, Counts | None]:
        return await counts.read(self._client, posts[0])

    async def check(self) -> str:
        """The Page's name. Raises `AuthDead`."""
        node = self._settings.page_id
        answer = await self._client.ask("GET", node, field="name", params={"fields": "name"})
        return str(answer.body["name"])

    def _heard(self, left: RateBudget) -> None:
        self.budget = self.reads = left

    def _is_ours(self, post: dict[str, Any], frozen: Frozen) -> bool:
        """Whether the Page itself posted our link; a visitor's post may hold it, too."""
        if post.get("from", {}).get("id") != frozen.page_id:
            return False
        if frozen.link_in_text:
            return bool(address(frozen.link).search(post.get("message", "")))
        cards = post.get("attachments", {}).get("data", [])
        return any(card.get("unshimmed_url") == frozen.link for card in cards)

    def _posted(self, post_id: str, frozen: Frozen, photo_id: str | None) -> Posted:
        return Posted(
            remote_id=post_id,
            url=f"{self._settings.web}/{post_id}",
            extra=frozen.remembered(photo_id),
        )

    async def _image(self, lead: LeadImage) -> Image | None:
        rendition = best_rendition(lead)
        if rendition is None:
            return None
        return described(lead, rendition, await fetched(rendition.url, self._fetch))

    async def _uploaded(self, image: Image) -> str:
        """The number of the picture, which nobody sees yet; an orphan left behind harms nobody."""
        data = await unchanged(image, self._fetch)
        form = aiohttp.FormData()
        # A stream, because a large value in memory would hold up the event loop while it is sent.
        stream = io.BytesIO(data)
        form.add_field("source", stream, filename=image.filename, content_type=image.media_type)
        form.add_field("published", "false")
        if image.alt:
            form.add_field("alt_text_custom", image.alt)
        answer = await self._client.ask(
            "POST", f"{self._settings.page_id}/photos", field="id", data=form
        )
        return str(answer.body["id"])
