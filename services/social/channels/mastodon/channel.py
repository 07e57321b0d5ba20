"""Performs one Mastodon post, edit or deletion, exactly as frozen. Never retries a mutation."""

from __future__ import annotations

import asyncio
import html
import io
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
from services.social.channels.fetching import fetched, unchanged
from services.social.channels.mastodon import counts
from services.social.channels.mastodon.client import PROCESSING_SECONDS, MastodonClient
from services.social.channels.mastodon.compose import (
    Image,
    Limits,
    Remembered,
    StatusPayload,
    best_rendition,
    compose,
    described,
    length,
)
from services.social.channels.mastodon.settings import MastodonSettings
from services.social.channels.pictures import LEFT_OUT
from services.social.channels.plaintext import address
from services.social.channels.transport import Answer
from shared.contracts.articles import LeadImage
from shared.contracts.outlets import Counts, Operation
from shared.delivery.errors import GiveUp, OutcomeUnknown, TryAgain

LIMITS_LIVE = timedelta(hours=1)
MEDIA_SECONDS = 40.0
"""For upload and processing together; nothing is posted before, so running out of it is harmless."""
POLL_SECONDS = 0.25
PAGE, PAGES = 40, 5
"""Statuses per page (the server's maximum) and pages that `find` reads."""
CLOCK_SKEW = timedelta(minutes=1)


class MastodonChannel:
    """One account. The Idempotency-Key makes a post repeatable for an hour, `find` after that."""

    def __init__(
        self,
        settings: MastodonSettings,
        http: aiohttp.ClientSession,
        fetch: FetchMedia,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._fetch = fetch
        self._clock = clock
        self.budget: RateBudget | None = None
        self.reads: RateBudget | None = None
        self.daily_reads: int | None = None
        self._client = MastodonClient(settings, http, clock, self._heard)
        self._limits: tuple[datetime, Limits] | None = None

    async def compose(self, intent: Intent) -> Payload | None:
        if intent.operation is Operation.DELETE:
            return {"delete": intent.posted.remote_id} if intent.posted else None
        before = None
        if intent.operation is Operation.EDIT:
            if intent.posted is None:
                raise GiveUp("nothing is known of the post to change")
            before = Remembered.model_validate(intent.posted.extra)
        limits = await self._server_limits()
        lead = intent.article.lead_image if self._settings.media == "image" else None
        image = await self._image(lead, limits) if lead else None
        frozen = compose(
            intent.article,
            key=intent.key,
            now=intent.now,
            settings=self._settings,
            limits=limits,
            image=image,
            before=before,
            correction=before is not None and intent.change == "correction",
        )
        payload = frozen.model_dump(mode="json") if frozen else None
        if payload and lead and image is None:
            payload[LEFT_OUT] = limits.pictures.left_out("the server")
        return payload

    def wording(self, payload: Payload) -> Wording:
        limits = self._limits[1] if self._limits else Limits()
        text = str(payload["status"])
        counted = length(text, limits.characters_reserved_per_url)
        return Wording(text, counted, limits.max_characters)

    async def post(self, payload: Payload) -> Posted:
        frozen = StatusPayload.model_validate(payload)
        media_id = await self._attached(frozen.image)
        answer = await self._client.ask(
            "POST",
            "/api/v1/statuses",
            mutation=True,
            headers={"Idempotency-Key": frozen.idempotency_key},
            json=_body(frozen, media_id) | {"visibility": frozen.visibility},
        )
        return _posted(answer, frozen, media_id)

    async def edit(self, payload: Payload, posted: Posted) -> Posted:
        frozen = StatusPayload.model_validate(payload)
        media_id = await self._attached(frozen.image)
        body = _body(frozen, media_id)
        if frozen.image:
            body["media_attributes"] = [{"id": media_id, "description": frozen.image.alt}]
        path = f"/api/v1/statuses/{posted.remote_id}"
        answer = await self._client.ask("PUT", path, mutation=True, json=body)
        return _posted(answer, frozen, media_id)

    async def delete(self, posted: Posted) -> None:
        await self._client.ask(
            "DELETE",
            f"/api/v1/statuses/{posted.remote_id}",
            mutation=True,
            params={"delete_media": "true"},
            gone_is_fine=True,
        )

    async def find(self, payload: Payload) -> Posted | None:
        """Looks for our link among the account's own statuses since the payload was composed."""
        frozen = StatusPayload.model_validate(payload)
        since = frozen.composed_at - CLOCK_SKEW
        link = address(frozen.link)
        who = await self._client.ask("GET", "/api/v1/accounts/verify_credentials")
        path = f"/api/v1/accounts/{who.body['id']}/statuses"
        params = {"limit": str(PAGE), "exclude_reblogs": "true", "exclude_replies": "true"}
        for _ in range(PAGES):
            page = (await self._client.ask("GET", path, params=params)).body
            for status in page:
                if datetime.fromisoformat(status["created_at"]) < since:
                    return None
                if link.search(_plain(status["content"])):
                    media = status["media_attachments"]
                    return _known(status, frozen, media[0]["id"] if media else None)
            if not page:
                return None
            params["max_id"] = page[-1]["id"]
        raise OutcomeUnknown(f"the post is not among the last {PAGE * PAGES}; there are older ones")

    async def counts(self, posts: Sequence[Posted]) -> dict[str, Counts | None]:
        return await counts.read(self._client, posts)

    async def check(self) -> str:
        answer = await self._client.ask("GET", "/api/v1/accounts/verify_credentials")
        return str(answer.body.get("display_name") or answer.body["acct"])

    def _heard(self, left: RateBudget) -> None:
        self.budget = self.reads = left

    async def _server_limits(self) -> Limits:
        now = self._clock()
        if self._limits and now - self._limits[0] < LIMITS_LIVE:
            return self._limits[1]
        answer = await self._client.ask("GET", "/api/v2/instance")
        told = answer.body.get("configuration", {})
        limits = Limits.model_validate(
            {**told.get("statuses", {}), **told.get("media_attachments", {})}
        )
        self._limits = now, limits
        return limits

    async def _image(self, lead: LeadImage, limits: Limits) -> Image | None:
        rendition = best_rendition(lead, limits)
        if rendition is None:
            return None
        return described(lead, rendition, await fetched(rendition.url, self._fetch), limits)

    async def _attached(self, image: Image | None) -> str | None:
        """The id of the image on the server, uploaded and ready; an orphan left behind harms nobody."""
        if image is None or image.media_id:
            return image.media_id if image else None
        data = await unchanged(image, self._fetch)
        form = aiohttp.FormData()
        # A stream, because a large value in memory would hold up the event loop while it is sent.
        stream = io.BytesIO(data)
        form.add_field("file", stream, filename=image.filename, content_type=image.media_type)
        form.add_field("description", image.alt)
        form.add_field("focus", f"{image.focus[0]},{image.focus[1]}")
        try:
            async with asyncio.timeout(MEDIA_SECONDS):
                answer = await self._client.ask("POST", "/api/v2/media", data=form)
                media_id = str(answer.body["id"])
                while answer.status in {202, 206}:
                    await asyncio.sleep(POLL_SECONDS)
                    answer = await self._client.ask("GET", f"/api/v1/media/{media_id}")
        except TimeoutError as error:
            raise TryAgain(
                "the server is still working on the image", PROCESSING_SECONDS
            ) from error
        return media_id


def _body(frozen: StatusPayload, media_id: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {"status": frozen.status, "media_ids": [media_id] if media_id else []}
    if frozen.language:
        body["language"] = frozen.language
    return body


def _posted(answer: Answer, frozen: StatusPayload, media_id: str | None) -> Posted:
    if not isinstance(answer.body, dict) or "id" not in answer.body:
        raise OutcomeUnknown("a success without the status that belongs to it")
    return _known(answer.body, frozen, media_id)


def _known(status: dict[str, Any], frozen: StatusPayload, media_id: str | None) -> Posted:
    return Posted(
        remote_id=str(status["id"]), url=status.get("url"), extra=frozen.remembered(media_id)
    )


def _plain(content: str) -> str:
    """A status's HTML as text, for looking our link up; its markup is the server's and well-formed."""
    lines = regex.sub(r"<br\s*/?>|</p>", "\n", content)
    return html.unescape(regex.sub(r"<[^>]*>", "", lines))
