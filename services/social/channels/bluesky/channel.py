"""Performs one Bluesky post, correction or deletion, exactly as frozen. Never retries a mutation."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import aiohttp

from services.social.channels.base import (
    FetchMedia,
    Intent,
    Payload,
    Posted,
    RateBudget,
    Wording,
)
from services.social.channels.bluesky import counts
from services.social.channels.bluesky.answers import error_name, words
from services.social.channels.bluesky.client import XrpcClient
from services.social.channels.bluesky.compose import (
    LIMIT,
    Frozen,
    Media,
    StrongRef,
    compose,
    compose_correction,
    length,
)
from services.social.channels.bluesky.media import PICTURES, choose
from services.social.channels.bluesky.settings import BlueskySettings
from services.social.channels.fetching import unchanged
from services.social.channels.pictures import LEFT_OUT
from services.social.channels.transport import TIMEOUT, Answer
from shared.contracts.outlets import Counts, Operation
from shared.delivery.errors import GiveUp

COLLECTION = "app.bsky.feed.post"


class BlueskyChannel:
    """One account. `putRecord` under a record key of our own makes every mutation repeatable."""

    def __init__(
        self,
        settings: BlueskySettings,
        http: aiohttp.ClientSession,
        fetch: FetchMedia,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        self._settings = settings
        self._fetch = fetch
        self.budget: RateBudget | None = None
        self.reads: RateBudget | None = None
        self.daily_reads: int | None = None
        self._client = XrpcClient(settings, http, clock, timeout, self._note)

    async def compose(self, intent: Intent) -> Payload | None:
        """A record for a post, a reply for a correction; None for a minor change, which nobody would see."""
        settings, article = self._settings, intent.article
        if intent.operation is Operation.POST:
            image, card = article.lead_image, intent.cards.get("link")
            own = await choose(image, settings.media, self._fetch) if image else None
            media = own or (await choose(card, "card", self._fetch) if card else None)
            frozen = compose(
                article,
                repo=(await self._client.sessions.current()).did,
                key=intent.key,
                now=intent.now,
                settings=settings,
                media=media,
            )
            payload = frozen.model_dump(mode="json")
            if image and own is None:
                limits = PICTURES[settings.media]
                payload[LEFT_OUT] = limits.left_out("Bluesky", card=media is not None)
            return payload
        if intent.posted is None:
            raise GiveUp("nothing is known of the post to change")
        if intent.operation is Operation.DELETE:
            return {"delete": _uris(intent.posted)}
        if intent.change == "minor":
            return None
        frozen = compose_correction(
            article,
            key=intent.key,
            now=intent.now,
            settings=settings,
            root=StrongRef(uri=intent.posted.remote_id, cid=intent.posted.extra["cid"]),
            told=intent.told,
        )
        return frozen.model_dump(mode="json")

    def wording(self, payload: Payload) -> Wording:
        text = str(payload["record"]["text"])
        return Wording(text, length(text), LIMIT)

    async def post(self, payload: Payload) -> Posted:
        """Create the record; the same payload again is a success that changes nothing."""
        return self._posted(await self._put(Frozen.model_validate(payload)))

    async def edit(self, payload: Payload, posted: Posted) -> Posted:
        """Reply to the post with the correction; the reply is listed in `extra["replies"]`."""
        ref = await self._put(Frozen.model_validate(payload))
        replies = [reply for reply in posted.extra.get("replies", []) if reply["uri"] != ref.uri]
        extra = {**posted.extra, "replies": [*replies, ref.model_dump()]}
        return posted.model_copy(update={"extra": extra})

    async def delete(self, posted: Posted) -> None:
        """Remove our replies, newest first, then the post. What is gone already counts as removed."""
        for uri in _uris(posted):
            repo, collection, rkey = uri.removeprefix("at://").split("/")
            await self._client.write(
                "com.atproto.repo.deleteRecord",
                {"repo": repo, "collection": collection, "rkey": rkey},
            )

    async def find(self, payload: Payload) -> Posted | None:
        """Read the record key of `payload`. Raises `GiveUp` when something else is stored there."""
        ref = await self._get(Frozen.model_validate(payload))
        return self._posted(ref) if ref else None

    async def counts(self, posts: Sequence[Posted]) -> dict[str, Counts | None]:
        return await counts.read(self._client, posts)

    async def check(self) -> str:
        """The account's handle. Raises `AuthDead` when the credentials are refused."""
        answer = await self._client.query("com.atproto.server.getSession", {}, fields=["handle"])
        return str(answer.body["handle"])

    async def _put(self, frozen: Frozen) -> StrongRef:
        record = frozen.record
        if frozen.media:
            data = await unchanged(frozen.media, self._fetch)
            blob = await self._client.upload(data, frozen.media.media_type)
            record = _with_blob(record, frozen.media, blob)
        answer = await self._client.write(
            "com.atproto.repo.putRecord",
            {
                "repo": frozen.repo,
                "collection": COLLECTION,
                "rkey": frozen.rkey,
                "record": record,
                "swapRecord": None,
            },
            fields=["uri", "cid"],
            bear="InvalidSwap",
        )
        if answer.ok:
            return _ref(answer)
        # The key is taken: by this very post if the server wrote it down in another form.
        if (ref := await self._get(frozen)) is None:
            raise GiveUp(words(answer))
        return ref

    async def _get(self, frozen: Frozen) -> StrongRef | None:
        answer = await self._client.query(
            "com.atproto.repo.getRecord",
            {"repo": frozen.repo, "collection": COLLECTION, "rkey": frozen.rkey},
            fields=["uri", "cid", "value"],
            bear="RecordNotFound",
        )
        if error_name(answer) == "RecordNotFound":
            return None
        if _without_blobs(answer.body["value"]) != frozen.record:
            raise GiveUp("InvalidSwap: another record is stored under this post's key")
        return _ref(answer)

    def _note(self, left: RateBudget) -> None:
        self.budget = self.reads = left

    def _posted(self, ref: StrongRef) -> Posted:
        repo, _, rkey = ref.uri.removeprefix("at://").split("/")
        return Posted(
            remote_id=ref.uri,
            # By DID, because handles change hands.
            url=f"{self._settings.web}/profile/{repo}/post/{rkey}",
            extra={"cid": ref.cid, "replies": []},
        )


def _uris(posted: Posted) -> list[str]:
    """Replies newest first, then the post: nothing of ours is ever left hanging without its root."""
    return [
        *(reply["uri"] for reply in reversed(posted.extra.get("replies", []))),
        posted.remote_id,
    ]


def _ref(answer: Answer) -> StrongRef:
    return StrongRef(uri=answer.body["uri"], cid=answer.body["cid"])


def _with_blob(record: dict[str, Any], media: Media, blob: dict[str, Any]) -> dict[str, Any]:
    whole = copy.deepcopy(record)
    if media.use == "card":
        whole["embed"]["external"]["thumb"] = blob
    else:
        whole["embed"]["images"][0]["image"] = blob
    return whole


def _without_blobs(value: Any) -> Any:
    bare = copy.deepcopy(value)
    embed = bare.get("embed") if isinstance(bare, dict) else None
    if isinstance(embed, dict):
        embed.get("external", {}).pop("thumb", None)
        for image in embed.get("images", []):
            image.pop("image", None)
    return bare
