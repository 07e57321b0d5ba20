"""Does the main job through the public API only: publish the examples, correct one, retract one, wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.standalone.client import FINAL, HeraldClient
from services.standalone.demo.receivers import Receivers

ACCOUNT = "main"
WEBHOOK = "partner"
READERS = ("ana@readers.example", "bo@readers.example", "chi@readers.example")
CORRECTION = "An earlier version of this article misstated a figure. It has been put right."
RETRACTION = "The account this article relied on could not be verified. We have taken it back."
SETTLE_SECONDS = 60.0


@dataclass
class Story:
    """One example on its way."""

    file: Path
    article: dict[str, Any]
    board: list[dict[str, Any]] = field(default_factory=list)
    asked_at: datetime = datetime.min
    """When the request to publish left."""
    fate: str = "stands"
    """`stands`, `corrected` or `retracted`."""


class Driver:
    """Runs the demo against one installation and its receivers."""

    def __init__(
        self, client: HeraldClient, receivers: Receivers, say: Callable[[str], None]
    ) -> None:
        self._client = client
        self._receivers = receivers
        self._say = say

    async def connect(self) -> None:
        """Accounts on the stand-in networks, readers with an older consent, a partner's webhook."""
        for name in self._receivers.sandbox.fakes:
            settings = self._receivers.sandbox.account(name, self._receivers.sandbox_url)
            await self._client.call(
                "POST",
                "/api/v1/channels",
                {"channel": name, "name": ACCOUNT, "settings": settings},
            )
        for email in READERS:
            await self._client.call(
                "POST",
                "/api/v1/subscribers",
                {"email": email, "lists": ["alerts"], "confirmed": True, "consent": "demo"},
            )
        hook = await self._client.call(
            "POST",
            "/api/v1/webhooks",
            {"name": WEBHOOK, "url": self._receivers.webhook_url},
        )
        self._receivers.webhook_secret = hook["secret"]

    async def publish(self, files: list[Path]) -> list[Story]:
        """Create all as drafts first, so that publishing is timed alone; then one after the other."""
        stories = [Story(path, await self._client.create_from_file(path)) for path in files]
        for story in stories:
            story.asked_at = datetime.now(UTC)
            story.article = await self._client.act(story.article, "publish")
            self._say(f"published  {story.article['headline']}")
            await self.settle(story)
        return stories

    async def correct(self, story: Story) -> None:
        story.fate = "corrected"
        body = {"kind": "correction", "text": CORRECTION}
        story.article = await self._client.act(story.article, "correct", body)
        self._say(f"corrected  {story.article['headline']}")
        await self.settle(story)

    async def retract(self, story: Story) -> None:
        story.fate = "retracted"
        story.article = await self._client.act(story.article, "retract", {"reason": RETRACTION})
        self._say(f"retracted  {story.article['headline']}")
        await self.settle(story)

    async def settle(self, story: Story) -> None:
        """Wait until every outlet has reported; what is not final by then stays visible as it is."""
        async for board in self._client.boards(
            story.article["id"], timeout_seconds=SETTLE_SECONDS, every=0.05
        ):
            story.board = board["items"]
        late = [line for line in story.board if line["state"] not in FINAL]
        for line in late:
            self._say(f"not settled: {line['outlet']} {line['operation']} is {line['state']}")

    async def probe(self, count: int) -> list[Story]:
        """Short articles, one every half second, for the latency figure alone."""
        stories = []
        for number in range(count):
            article = await self._client.call(
                "POST",
                "/api/v1/articles",
                {
                    "headline": f"Tide table update number {number + 1}",
                    "body": "High water at the quay moves by a few minutes.",
                    "section": "city",
                    "bylines": ["The tide desk"],
                    "skip_outlets": ["email"],
                },
            )
            story = Story(Path("probe"), article, asked_at=datetime.now(UTC))
            story.article = await self._client.act(article, "publish")
            await asyncio.sleep(0.5)
            await self.settle(story)
            stories.append(story)
        return stories
