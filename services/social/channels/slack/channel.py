"""Performs one Slack post, edit or deletion, exactly as frozen. Never retries a mutation."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from services.social.channels.base import (
    Intent,
    Payload,
    Posted,
    RateBudget,
    Wording,
)
from services.social.channels.pictures import LEFT_OUT
from services.social.channels.plaintext import address
from services.social.channels.slack import counts
from services.social.channels.slack.client import SlackClient
from services.social.channels.slack.compose import (
    PICTURES,
    MessagePayload,
    Remembered,
    compose,
    length,
)
from services.social.channels.slack.settings import SlackSettings
from shared.contracts.outlets import Counts, Operation
from shared.delivery.errors import AuthDead, GiveUp, OutcomeUnknown

KNOWN_LIVES = timedelta(hours=1)
PAGE, PAGES = 200, 5
"""Messages per page (the network's advice) and pages that `find` reads."""
CLOCK_SKEW = timedelta(minutes=1)
SCOPES = ({"chat:write"}, {"channels:history", "groups:history"})
"""Of each set the token needs one."""


class SlackChannel:
    """One channel of one workspace. The network knows no keys; `find` reads the channel's history."""

    def __init__(
        self,
        settings: SlackSettings,
        http: aiohttp.ClientSession,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._clock = clock
        self.budget: RateBudget | None = None
        """Stays None: the network tells its limits only by refusing."""
        self.reads: RateBudget | None = None
        self.daily_reads: int | None = None
        self._client = SlackClient(settings, http)
        self._known: tuple[datetime, dict[str, Any]] | None = None

    async def compose(self, intent: Intent) -> Payload | None:
        if intent.operation is Operation.DELETE:
            return {"delete": intent.posted.remote_id} if intent.posted else None
        before = None
        if intent.operation is Operation.EDIT:
            if intent.posted is None:
                raise GiveUp("nothing is known of the post to change")
            before = Remembered.model_validate(intent.posted.extra)
        frozen = compose(
            intent.article,
            now=intent.now,
            settings=self._settings,
            before=before,
            correction=before is not None and intent.change == "correction",
        )
        if frozen is None:
            return None
        # What a post's address begins with, and how our own messages are told from others.
        who = await self._who()
        payload = {
            **frozen.model_dump(mode="json"),
            "workspace": who["url"],
            "bot_id": who["bot_id"],
        }
        if self._settings.media == "image" and intent.article.lead_image and frozen.image is None:
            payload[LEFT_OUT] = PICTURES.left_out("Slack")
        return payload

    def wording(self, payload: Payload) -> Wording:
        frozen = MessagePayload.model_validate(payload)
        return Wording(frozen.text, length(frozen.mrkdwn), frozen.limit)

    async def post(self, payload: Payload) -> Posted:
        frozen = MessagePayload.model_validate(payload)
        unfurled = frozen.image is None
        body = {
            "channel": self._settings.channel,
            "unfurl_links": unfurled,
            "unfurl_media": unfurled,
            **_content(frozen),
        }
        told = await self._client.write("chat.postMessage", body)
        if not isinstance(told.get("ts"), str) or not isinstance(told.get("channel"), str):
            raise OutcomeUnknown("a success without the message that belongs to it")
        return _posted(payload, frozen, told["channel"], told["ts"])

    async def edit(self, payload: Payload, posted: Posted) -> Posted:
        frozen = MessagePayload.model_validate(payload)
        await self._change("chat.update", posted, **_content(frozen))
        channel = Remembered.model_validate(posted.extra).channel
        return posted.model_copy(update={"extra": frozen.remembered(channel)})

    async def delete(self, posted: Posted) -> None:
        await self._change("chat.delete", posted, done_already={"message_not_found"})

    async def find(self, payload: Payload) -> Posted | None:
        """Looks for our link among the bot's own messages since the payload was composed."""
        frozen = MessagePayload.model_validate(payload)
        link = address(frozen.link)
        params = {
            "channel": self._settings.channel,
            "oldest": f"{(frozen.composed_at - CLOCK_SKEW).timestamp():.6f}",
            "limit": str(PAGE),
        }
        for _ in range(PAGES):
            page = (await self._client.read("conversations.history", params)).body
            for message in page["messages"]:
                ours = message.get("bot_id") == payload["bot_id"]
                if ours and link.search(html.unescape(str(message.get("text", "")))):
                    return _posted(payload, frozen, self._settings.channel, message["ts"])
            params["cursor"] = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not params["cursor"]:
                return None
        raise OutcomeUnknown(f"the post is not among the last {PAGE * PAGES}; there are older ones")

    async def counts(self, posts: Sequence[Posted]) -> dict[str, Counts | None]:
        return await counts.read(self._client, self._settings.channel, posts[0])

    async def check(self) -> str:
        """The workspace and the bot's name. Raises `AuthDead` when a scope is missing."""
        answer = await self._client.read("auth.test")
        given = {scope.strip() for scope in answer.headers.get("x-oauth-scopes", "").split(",")}
        for needed in SCOPES:
            if not needed & given:
                raise AuthDead(f"missing_scope; needed: {' or '.join(sorted(needed))}")
        # The history is what unknown outcomes are resolved by, so the bot must see it.
        params = {"channel": self._settings.channel, "limit": "1"}
        await self._client.read("conversations.history", params)
        return f"{answer.body['user']} in {answer.body['team']}"

    async def _who(self) -> dict[str, Any]:
        now = self._clock()
        if self._known is None or now - self._known[0] >= KNOWN_LIVES:
            told = (await self._client.read("auth.test")).body
            if not isinstance(told.get("bot_id"), str):
                raise AuthDead("not_allowed_token_type; needed: the token of a bot (xoxb-…)")
            self._known = now, told
        return self._known[1]

    async def _change(
        self, method: str, posted: Posted, *, done_already: set[str] | None = None, **content: Any
    ) -> None:
        """A change of our message where it was posted, whatever channel the account posts to by now."""
        channel = Remembered.model_validate(posted.extra).channel or self._settings.channel
        body = {"channel": channel, "ts": posted.remote_id, **content}
        try:
            await self._client.write(method, body, done_already=done_already or ())
        except AuthDead as error:
            if channel == self._settings.channel:
                raise
            # A channel of the past that lets us in no more says nothing about the account.
            raise GiveUp(error.reason) from error


def _content(frozen: MessagePayload) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = []
    if frozen.image:
        text = {"type": "mrkdwn", "text": frozen.mrkdwn, "verbatim": True}
        image = {"type": "image", "image_url": frozen.image.url, "alt_text": frozen.image.alt}
        blocks = [{"type": "section", "text": text}, image]
    # With blocks the text is what notifications and screen readers say, and what `find` looks through.
    return {"text": frozen.mrkdwn, "blocks": blocks, "parse": "none", "link_names": False}


def _posted(payload: Payload, frozen: MessagePayload, channel: str, ts: str) -> Posted:
    url = f"{str(payload['workspace']).rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
    return Posted(remote_id=ts, url=url, extra=frozen.remembered(channel))
