"""Performs one Instagram post, correction or deletion, exactly as frozen. Never retries a mutation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import aiohttp

from services.social.channels.base import (
    FetchMedia,
    Intent,
    Payload,
    Posted,
    RateBudget,
    Wording,
)
from services.social.channels.fetching import fetched
from services.social.channels.instagram import counts
from services.social.channels.instagram.answers import QUOTA_SECONDS, failure
from services.social.channels.instagram.compose import (
    CAPTION_LIMIT,
    COMMENT_LIMIT,
    PICTURES,
    Comment,
    Frozen,
    compose,
    compose_correction,
    length,
)
from services.social.channels.instagram.containers import PUBLISHED, Container, Containers
from services.social.channels.instagram.settings import InstagramSettings
from services.social.channels.meta import GraphClient, gone
from services.social.channels.pictures import LEFT_OUT
from shared.contracts.outlets import Counts, Operation
from shared.delivery.errors import DeliveryError, GiveUp, OutcomeUnknown, TryAgain

PAGE, PAGES = 50, 5
"""Pictures or comments per page and pages that a look-up reads."""
CLOCK_SKEW = timedelta(minutes=1)
CAPTION_STAYS = "Instagram does not let a caption be changed: correct it by hand"
BY_HAND = "this account does not delete through the API: delete the picture by hand"


class InstagramChannel:
    """One account. A container is published once; its state tells what an interrupted post became."""

    def __init__(
        self,
        settings: InstagramSettings,
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
        self._containers = Containers(self._client, settings.user_id, clock)

    async def compose(self, intent: Intent) -> Payload | None:
        """A picture for a post, a comment for a correction; None for a minor change, which is not shown.

        Raises `GiveUp` for an article without any picture, and for a correction where none can be made.
        """
        settings, article = self._settings, intent.article
        if intent.operation is Operation.POST:
            card = intent.cards.get("tall")
            frozen = compose(article, key=intent.key, now=intent.now, settings=settings, card=card)
            payload = frozen.model_dump(mode="json")
            if card and frozen.image_url == card.renditions[0].url:
                # The site keeps a card once asked for, so no correction takes it from under the post.
                await fetched(frozen.image_url, self._fetch)
                if article.lead_image:
                    payload[LEFT_OUT] = PICTURES.left_out("Instagram", card=True)
            return payload
        if intent.posted is None:
            raise GiveUp("nothing is known of the post to change")
        media_id = intent.posted.remote_id
        if intent.operation is Operation.DELETE:
            return {"delete": media_id}
        if intent.change == "minor":
            return None
        if settings.corrections == "none":
            raise GiveUp(CAPTION_STAYS)
        comment = compose_correction(
            article, media_id=media_id, now=intent.now, settings=settings, told=intent.told
        )
        return comment.model_dump(mode="json")

    def wording(self, payload: Payload) -> Wording:
        if "comment" in payload:
            return Wording(payload["comment"], length(payload["comment"]), COMMENT_LIMIT)
        return Wording(payload["caption"], length(payload["caption"]), CAPTION_LIMIT)

    async def post(self, payload: Payload) -> Posted:
        """Take the picture in, wait until it is ready, publish it."""
        frozen = Frozen.model_validate(payload)
        await self._mind_the_quota()
        container = await self._containers.take_in(frozen)
        if await self._containers.settled(container, frozen.key) == PUBLISHED:
            return await self._published(container, frozen)
        try:
            answer = await self._client.ask(
                "POST",
                f"{self._settings.user_id}/media_publish",
                field="id",
                mutation=True,
                json={"creation_id": container.id},
            )
        except GiveUp:
            # An earlier try of ours may have been slow, and this refusal but its consequence.
            if (await self._containers.state(container))[0] == PUBLISHED:
                return await self._published(container, frozen)
            self._containers.forget(frozen.key)
            raise
        self._containers.forget(frozen.key)
        media_id = str(answer.body["id"])
        return Posted(
            remote_id=media_id, url=await self._permalink(media_id), extra={"comments": []}
        )

    async def edit(self, payload: Payload, posted: Posted) -> Posted:
        """Comment on the picture with the correction, unless that comment is there already."""
        frozen = Comment.model_validate(payload)
        comment_id = await self._commented(frozen)
        if comment_id is None:
            answer = await self._client.ask(
                "POST",
                f"{frozen.media_id}/comments",
                field="id",
                mutation=True,
                one_post=True,
                json={"message": frozen.comment},
            )
            comment_id = str(answer.body["id"])
        others = [one for one in posted.extra.get("comments", []) if one != comment_id]
        extra = {**posted.extra, "comments": [*others, comment_id]}
        return posted.model_copy(update={"extra": extra})

    async def delete(self, posted: Posted) -> None:
        """Remove the picture, and its comments with it. What is gone already counts as removed."""
        if not self._settings.delete:
            raise GiveUp(BY_HAND)
        await self._client.ask(
            "DELETE",
            posted.remote_id,
            field="success",
            mutation=True,
            one_post=True,
            bear=gone,
        )

    async def find(self, payload: Payload) -> Posted | None:
        """By the state of the container while it is known, else by caption and time."""
        if "comment" in payload:
            comment = Comment.model_validate(payload)
            there = await self._commented(comment)
            return Posted(remote_id=comment.media_id) if there else None
        frozen = Frozen.model_validate(payload)
        container = self._containers.known(frozen.key)
        if container is None:
            return await self._shown(frozen.caption, frozen.composed_at)
        if (await self._containers.state(container))[0] != PUBLISHED:
            return None
        return await self._published(container, frozen)

    async def counts(self, posts: Sequence[Posted]) -> dict[str, Counts | None]:
        return await counts.read(self._client, posts[0])

    async def check(self) -> str:
        """The account's name. Raises `AuthDead`."""
        node = self._settings.user_id
        answer = await self._client.ask(
            "GET", node, field="username", params={"fields": "username"}
        )
        return str(answer.body["username"])

    def _heard(self, left: RateBudget) -> None:
        self.budget = self.reads = left

    async def _mind_the_quota(self) -> None:
        """Sources name 25, 50 and 100 publications in 24 hours, so the account's own number is read."""
        answer = await self._client.ask(
            "GET",
            f"{self._settings.user_id}/content_publishing_limit",
            field="data",
            params={"fields": "quota_usage,config"},
        )
        for quota in answer.body["data"]:
            total = quota.get("config", {}).get("quota_total")
            if total is not None and quota.get("quota_usage", 0) >= total:
                said = f"the account's {total} publications of 24 hours are used up"
                raise TryAgain(said, QUOTA_SECONDS, whole_account=True)

    async def _published(self, container: Container, frozen: Frozen) -> Posted:
        """The post that this container became. Raises `OutcomeUnknown` while it is not listed yet."""
        found = await self._shown(container.content[0], container.made_at)
        if found is None:
            raise OutcomeUnknown("Instagram has published it, but does not list it yet")
        self._containers.forget(frozen.key)
        return found

    async def _shown(self, caption: str, since: datetime) -> Posted | None:
        """Our picture with exactly this caption, never simply the newest one."""
        params = {"fields": "id,caption,timestamp,permalink", "limit": str(PAGE)}
        for _ in range(PAGES):
            path = f"{self._settings.user_id}/media"
            page = (await self._client.ask("GET", path, field="data", params=params)).body
            for media in page["data"]:
                if datetime.fromisoformat(media["timestamp"]) < since - CLOCK_SKEW:
                    return None
                if media.get("caption") == caption:
                    return Posted(
                        remote_id=str(media["id"]),
                        url=media.get("permalink"),
                        extra={"comments": []},
                    )
            after = page.get("paging", {}).get("cursors", {}).get("after")
            if not page["data"] or not after:
                return None
            params["after"] = after
        raise OutcomeUnknown(f"the post is not among the last {PAGE * PAGES}; there are older ones")

    async def _commented(self, frozen: Comment) -> str | None:
        """The number of our comment with exactly these words; None also where the picture is gone."""
        params = {"fields": "id,text,timestamp", "limit": str(PAGE)}
        for _ in range(PAGES):
            path = f"{frozen.media_id}/comments"
            answer = await self._client.ask(
                "GET", path, field="data", one_post=True, params=params, bear=gone
            )
            if gone(answer):
                return None
            page = answer.body
            for comment in page["data"]:
                made = datetime.fromisoformat(comment["timestamp"])
                if (
                    comment.get("text") == frozen.comment
                    and made >= frozen.composed_at - CLOCK_SKEW
                ):
                    return str(comment["id"])
            after = page.get("paging", {}).get("cursors", {}).get("after")
            if not page["data"] or not after:
                return None
            params["after"] = after
        raise OutcomeUnknown(f"the comment is not among {PAGE * PAGES}; there are others")

    async def _permalink(self, media_id: str) -> str | None:
        """Where people see it; a post whose address cannot be read is a post all the same."""
        try:
            answer = await self._client.ask(
                "GET", media_id, field="permalink", params={"fields": "permalink"}
            )
        except DeliveryError:
            return None
        return str(answer.body["permalink"])
