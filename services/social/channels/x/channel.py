"""Performs one X post, correction or deletion, exactly as frozen. Never retries a mutation."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import aiohttp

from services.social.channels.base import (
    MANNER,
    FetchMedia,
    Intent,
    Payload,
    Posted,
    RateBudget,
    Wording,
)
from services.social.channels.fetching import fetched, unchanged
from services.social.channels.pictures import LEFT_OUT
from services.social.channels.x import counts
from services.social.channels.x.client import XClient, budget, is_duplicate, is_gone, words
from services.social.channels.x.compose import (
    PICTURES,
    Image,
    PostPayload,
    Remembered,
    alt_of,
    body_of,
    candidates,
    compose,
    compose_reply,
    length,
)
from services.social.channels.x.settings import XSettings
from services.social.channels.x.timeline import Timeline
from services.social.channels.x.wording import LIMIT
from services.social.domain.policy import Manner
from shared.contracts.outlets import Counts, Operation
from shared.delivery.errors import GiveUp, OutcomeUnknown, TryAgain


class XChannel:
    """One account. A post has a link of its own, so that it is found among the account's posts."""

    def __init__(
        self,
        settings: XSettings,
        http: aiohttp.ClientSession,
        fetch: FetchMedia,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._fetch = fetch
        self.budget: RateBudget | None = None
        self.reads: RateBudget | None = None
        self.daily_reads: int | None = settings.reads_per_day
        self._client = XClient(settings, http, clock, self._heard)
        self._timeline = Timeline(self._client)

    async def compose(self, intent: Intent) -> Payload | None:
        """A post; for a correction the next version of it, or a reply; None for a change nobody would see."""
        settings, article = self._settings, intent.article
        if intent.operation is Operation.POST:
            image = await self._image(intent)
            payload = _frozen(compose(article, now=intent.now, settings=settings, image=image))
            if payload and settings.media == "image" and article.lead_image and image is None:
                payload[LEFT_OUT] = PICTURES.left_out("X")
            return payload
        if intent.posted is None:
            raise GiveUp("nothing is known of the post to change")
        if intent.operation is Operation.DELETE:
            return {"delete": _ids(intent.posted)}
        before = Remembered.model_validate(intent.posted.extra)
        editing = intent.manner is not Manner.REPLY
        if editing and before.editable(intent.now, settings.edit_minutes):
            version = compose(
                article,
                now=intent.now,
                settings=settings,
                image=await self._image(intent),
                previous_post_id=intent.posted.remote_id,
                before=before,
                correction=intent.change == "correction",
            )
            return _frozen(version)
        if intent.change == "minor":
            return None
        reply = compose_reply(
            article,
            now=intent.now,
            settings=settings,
            in_reply_to=intent.posted.remote_id,
            told=intent.told,
        )
        return {**reply.model_dump(mode="json"), MANNER: Manner.REPLY.value}

    def wording(self, payload: Payload) -> Wording:
        text = str(payload["text"])
        return Wording(text, length(text), LIMIT)

    async def post(self, payload: Payload) -> Posted:
        frozen = PostPayload.model_validate(payload)
        return self._posted(await self._create(frozen), frozen)

    async def edit(self, payload: Payload, posted: Posted) -> Posted:
        """The next version, or the reply. One that is there already is taken: the network knows no repeat."""
        frozen = PostPayload.model_validate(payload)
        found = await self._timeline.find(frozen) or await self._create(frozen)
        before = Remembered.model_validate(posted.extra)
        if frozen.in_reply_to:
            after = before.model_copy(update={"replies": (*before.replies, found)})
            return posted.model_copy(update={"extra": after.model_dump(mode="json")})
        version = self._posted(found, frozen)
        kept = {"posted_at": before.posted_at, "edits": before.edits + 1, "replies": before.replies}
        after = Remembered.model_validate(version.extra).model_copy(update=kept)
        return version.model_copy(update={"extra": after.model_dump(mode="json")})

    async def delete(self, posted: Posted) -> None:
        """Remove our replies, newest first, then the post. What is gone already counts as removed."""
        for post_id in _ids(posted):
            path = f"/2/tweets/{post_id}"
            answer = await self._client.ask("DELETE", path, mutation=True, bear=is_gone)
            if not is_gone(answer) and not _data(answer.body).get("deleted"):
                raise OutcomeUnknown(f"the network does not say that {post_id} is deleted")

    async def find(self, payload: Payload) -> Posted | None:
        """Looks among the account's own posts for the one with this payload's link."""
        frozen = PostPayload.model_validate(payload)
        found = await self._timeline.find(frozen)
        return self._posted(found, frozen) if found else None

    async def counts(self, posts: Sequence[Posted]) -> dict[str, Counts | None]:
        answer, found = await counts.read(self._client, posts)
        self.reads = budget(answer)
        return found

    async def check(self) -> str:
        """The account's name. Raises `AuthDead` when the token is refused."""
        return f"@{(await self._timeline.me())['username']}"

    def _heard(self, left: RateBudget) -> None:
        self.budget = left

    async def _create(self, frozen: PostPayload) -> str:
        media_id = await self._attached(frozen.image) if frozen.image else None
        answer = await self._client.ask(
            "POST", "/2/tweets", mutation=True, json=body_of(frozen, media_id), bear=is_duplicate
        )
        if is_duplicate(answer):
            # Ours from an attempt that was not seen to arrive: the link in it is on no other post.
            found = await self._timeline.find(frozen)
            if found is None:
                raise OutcomeUnknown(f"{words(answer)} It is not among our posts yet.")
            return found
        post_id = _data(answer.body).get("id")
        if not post_id:
            raise OutcomeUnknown("a success without the post that belongs to it")
        return str(post_id)

    async def _attached(self, image: Image) -> str:
        """The id of the uploaded image with its alt text; an orphan left behind harms nobody."""
        data = await unchanged(image, self._fetch)
        form = aiohttp.FormData()
        form.add_field("media_category", "tweet_image")
        form.add_field("media_type", image.media_type)
        # A stream, because a large value in memory would hold up the event loop while it is sent.
        stream = io.BytesIO(data)
        form.add_field("media", stream, filename=image.filename, content_type=image.media_type)
        answer = await self._client.ask("POST", "/2/media/upload", data=form)
        media_id = _data(answer.body).get("id")
        if not media_id:
            raise TryAgain("the network answered an upload without its id")
        if image.alt:
            alt = {"id": str(media_id), "metadata": {"alt_text": {"text": image.alt}}}
            await self._client.ask("POST", "/2/media/metadata", json=alt)
        return str(media_id)

    async def _image(self, intent: Intent) -> Image | None:
        lead = intent.article.lead_image if self._settings.media == "image" else None
        if lead is None or not (best := candidates(lead)[:1]):
            return None
        return Image.of(best[0], await fetched(best[0].url, self._fetch), alt=alt_of(lead))

    def _posted(self, post_id: str, frozen: PostPayload) -> Posted:
        image = frozen.image
        kept = Remembered(
            text=frozen.text,
            notice=frozen.notice,
            sha256=image.sha256 if image else None,
            alt=image.alt if image else "",
            posted_at=frozen.composed_at,
        )
        # By id alone, because names change hands.
        url = f"{self._settings.web}/i/web/status/{post_id}"
        return Posted(remote_id=post_id, url=url, extra=kept.model_dump(mode="json"))


def _ids(posted: Posted) -> list[str]:
    """Replies newest first, then the post: nothing of ours is ever left hanging without its root."""
    return [*reversed(posted.extra.get("replies", [])), posted.remote_id]


def _frozen(payload: PostPayload | None) -> Payload | None:
    return payload.model_dump(mode="json") if payload else None


def _data(body: Any) -> dict[str, Any]:
    data = body.get("data") if isinstance(body, dict) else None
    return data if isinstance(data, dict) else {}
