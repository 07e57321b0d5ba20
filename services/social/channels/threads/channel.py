"""Performs one Threads post, correction or deletion, exactly as frozen. Never retries a mutation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import aiohttp

from services.social.channels.base import Intent, Payload, Posted, RateBudget, Wording
from services.social.channels.meta import GraphClient, gone
from services.social.channels.pictures import LEFT_OUT
from services.social.channels.threads import counts
from services.social.channels.threads.answers import PROPAGATION_SECONDS, failure
from services.social.channels.threads.client import ThreadsClient
from services.social.channels.threads.compose import (
    PICTURES,
    Frozen,
    compose,
    compose_reply,
    length,
)
from services.social.channels.threads.containers import (
    EXPIRED,
    IN_WORK,
    PUBLISHED,
    Container,
    Containers,
)
from services.social.channels.threads.own_posts import OwnPosts
from services.social.channels.threads.settings import ThreadsSettings
from services.social.channels.threads.wording import LIMIT
from shared.contracts.outlets import Counts, Operation
from shared.delivery.errors import DeliveryError, GiveUp, OutcomeUnknown, TryAgain

PREPARATION_SECONDS = 40.0
"""For the quota, the container and its processing; nothing is shown before, so running out of it is harmless."""
PERMALINK_SECONDS = 10.0
QUOTA_SECONDS = 900.0
"""Wait when the account's posts of 24 hours are used up: they come back one by one."""


class ThreadsChannel:
    """One profile. A container is published once; its state tells what an interrupted post became."""

    def __init__(
        self,
        settings: ThreadsSettings,
        http: aiohttp.ClientSession,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self.budget: RateBudget | None = None
        self.reads: RateBudget | None = None
        self.daily_reads: int | None = None
        self._client = ThreadsClient(GraphClient(settings, http, clock, self._heard, failure))
        self._containers = Containers(self._client, settings.user_id, clock)
        self._own_posts = OwnPosts(self._client, settings.user_id)

    async def compose(self, intent: Intent) -> Payload | None:
        """A post, or a reply for a correction; None for a minor change, which nobody would see."""
        settings, article = self._settings, intent.article
        if intent.operation is Operation.POST:
            frozen = compose(article, key=intent.key, now=intent.now, settings=settings)
            payload = frozen.model_dump(mode="json")
            if settings.media == "image" and article.lead_image and frozen.image_url is None:
                payload[LEFT_OUT] = PICTURES.left_out("Threads")
            return payload
        if intent.posted is None:
            raise GiveUp("nothing is known of the post to change")
        if intent.operation is Operation.DELETE:
            return {"delete": _ids(intent.posted)}
        if intent.change == "minor":
            return None
        frozen = compose_reply(
            article,
            key=intent.key,
            now=intent.now,
            settings=settings,
            reply_to=intent.posted.remote_id,
            told=intent.told,
        )
        return frozen.model_dump(mode="json")

    def wording(self, payload: Payload) -> Wording:
        text = str(payload["text"])
        return Wording(text, length(text), LIMIT)

    async def post(self, payload: Payload) -> Posted:
        """Let the network take the post in, wait until it is ready, publish it."""
        frozen = Frozen.model_validate(payload)
        try:
            async with asyncio.timeout(PREPARATION_SECONDS):
                await self._mind_the_quota(replying=frozen.reply_to is not None)
                container = await self._containers.take_in(frozen)
                state = await self._containers.settled(container, frozen.key)
        except TimeoutError as error:
            said = "the network is still working on the post"
            raise TryAgain(said, PROPAGATION_SECONDS) from error
        if state == PUBLISHED:
            return await self._published(frozen)
        try:
            answer = await self._client.ask(
                "POST",
                f"{self._settings.user_id}/threads_publish",
                field="id",
                mutation=True,
                values={"creation_id": container.id},
            )
        except GiveUp:
            # An earlier try of ours may have been slow, and this refusal but its consequence.
            if await self._became(container) == PUBLISHED:
                return await self._published(frozen)
            self._containers.forget(frozen.key)
            raise
        self._containers.forget(frozen.key)
        post_id = str(answer.body["id"])
        return _posted(post_id, await self._permalink(post_id))

    async def edit(self, payload: Payload, posted: Posted) -> Posted:
        """Reply to the post with the correction, unless that reply is there already."""
        reply = await self.find(payload) or await self.post(payload)
        others = [one for one in posted.extra.get("replies", []) if one != reply.remote_id]
        extra = {**posted.extra, "replies": [*others, reply.remote_id]}
        return posted.model_copy(update={"extra": extra})

    async def delete(self, posted: Posted) -> None:
        """Remove our replies, newest first, then the post. What is gone already counts as removed."""
        for post_id in _ids(posted):
            await self._client.ask(
                "DELETE",
                post_id,
                field="success",
                values={},
                mutation=True,
                one_post=True,
                bear=gone,
            )

    async def find(self, payload: Payload) -> Posted | None:
        """By the state of the container while it is known, else by our link among the account's posts."""
        frozen = Frozen.model_validate(payload)
        if container := self._containers.known(frozen.key):
            state = await self._became(container)
            if state == IN_WORK:
                raise OutcomeUnknown("the network is still working on the post")
            if state == PUBLISHED:
                return await self._published(frozen)
            if state != EXPIRED:  # of which the network may have forgotten the end
                return None
        found = await self._own_posts.find(frozen)
        return _posted(str(found["id"]), found.get("permalink")) if found else None

    async def counts(self, posts: Sequence[Posted]) -> dict[str, Counts | None]:
        return await counts.read(self._client, posts[0])

    async def check(self) -> str:
        """The account's name. Raises `AuthDead`."""
        node = self._settings.user_id
        answer = await self._client.ask(
            "GET", node, field="username", values={"fields": "id,username"}
        )
        return f"@{answer.body['username']}"

    def _heard(self, left: RateBudget) -> None:
        self.budget = self.reads = left

    async def _became(self, container: Container) -> str:
        return (await self._containers.state(container))[0]

    async def _published(self, frozen: Frozen) -> Posted:
        """The post that our container became. Raises `OutcomeUnknown` while it is not listed yet."""
        found = await self._own_posts.find(frozen)
        if found is None:
            raise OutcomeUnknown("the network has published it, but does not list it yet")
        self._containers.forget(frozen.key)
        return _posted(str(found["id"]), found.get("permalink"))

    async def _mind_the_quota(self, *, replying: bool) -> None:
        """Posts and replies have quotas of their own; deletions and other posts go on meanwhile."""
        kind = "reply_" if replying else ""
        usage, config = f"{kind}quota_usage", f"{kind}config"
        answer = await self._client.ask(
            "GET",
            f"{self._settings.user_id}/threads_publishing_limit",
            field="data",
            values={"fields": f"{usage},{config}"},
        )
        for quota in answer.body["data"]:
            total = quota.get(config, {}).get("quota_total")
            if total is not None and quota.get(usage, 0) >= total:
                what = "replies" if replying else "posts"
                raise TryAgain(
                    f"the account's {total} {what} of 24 hours are used up", QUOTA_SECONDS
                )

    async def _permalink(self, post_id: str) -> str | None:
        """Where people see it; a post whose address cannot be read is a post all the same."""
        try:
            async with asyncio.timeout(PERMALINK_SECONDS):
                answer = await self._client.ask(
                    "GET", post_id, field="permalink", values={"fields": "permalink"}
                )
        except (DeliveryError, TimeoutError):
            return None
        return str(answer.body["permalink"])


def _ids(posted: Posted) -> list[str]:
    """Replies newest first, then the post: nothing of ours is ever left hanging without its root."""
    return [*reversed(posted.extra.get("replies", [])), posted.remote_id]


def _posted(post_id: str, url: Any) -> Posted:
    return Posted(remote_id=post_id, url=url, extra={"replies": []})
