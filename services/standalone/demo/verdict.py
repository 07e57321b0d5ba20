"""Asks the receiving side what arrived and compares it with what should have: exactly once, no more, no less."""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from services.social.channels.base import VisiblePost
from services.standalone.client import HeraldClient
from services.standalone.demo.driver import ACCOUNT, CORRECTION, READERS, WEBHOOK, Story
from services.standalone.demo.receivers import Receivers


@dataclass
class Verdict:
    """What arrived, and every way in which it differs from what was expected."""

    received: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.complaints

    def expect(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            self.complaints.append(f"{what}: expected {wanted!r}, found {found!r}")


async def judge(client: HeraldClient, receivers: Receivers, stories: list[Story]) -> Verdict:
    """Every outlet, from the receiving side."""
    verdict = Verdict()
    _networks(verdict, receivers, stories)
    _mail(verdict, receivers, stories)
    _webhooks(verdict, receivers, stories)
    await _pages(verdict, client, stories)
    for story in stories:
        for line in story.board:
            verdict.expect(
                f"{story.article['slug']}: {line['outlet']} {line['operation']}",
                line["state"],
                "confirmed",
            )
    return verdict


def _networks(verdict: Verdict, receivers: Receivers, stories: list[Story]) -> None:
    for name, fake in receivers.sandbox.fakes.items():
        outlet = f"social/{name}/{ACCOUNT}"
        created, visible = fake.creations(), fake.visible()
        verdict.received[outlet] = len(created)
        for story in stories:
            url = story.article["url"]
            posts = [post for post in created if links_to(post, url) and not post.reply_to]
            seen = [post for post in visible if links_to(post, url) and not post.reply_to]
            verdict.expect(f"{outlet}: posts of {story.article['slug']}", len(posts), 1)
            verdict.expect(
                f"{outlet}: visible posts of {story.article['slug']}",
                len(seen),
                0 if story.fate == "retracted" else 1,
            )
            if story.fate == "corrected" and seen:
                replies = [
                    post for post in visible if post.reply_to and seen[0].id in post.reply_to
                ]
                said = [post for post in (*seen, *replies) if CORRECTION[:40] in post.text]
                verdict.expect(f"{outlet}: corrections of {story.article['slug']}", len(said), 1)


def links_to(post: VisiblePost, url: str) -> bool:
    """Whether the post carries exactly this address (with or without a query), not a longer one."""
    address = re.compile(re.escape(url) + r"(?![\w-])")
    texts = (post.text, post.link or "", (post.card or {}).get("uri", ""))
    return any(address.search(text) for text in texts)


def _mail(verdict: Verdict, receivers: Receivers, stories: list[Story]) -> None:
    verdict.received["email"] = len(receivers.mails)
    ids = Counter(str(mail.message["Message-ID"]) for mail in receivers.mails)
    verdict.expect("email: repeated Message-IDs", [id for id, n in ids.items() if n > 1], [])
    for story in stories:
        url = story.article["url"]
        mails = [
            mail
            for mail in receivers.mails
            if url in mail.message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        ]
        each = 1 if story.fate == "stands" else 2
        found = Counter(mail.recipient for mail in mails)
        verdict.expect(
            f"email: messages about {story.article['slug']}",
            dict(found),
            dict.fromkeys(READERS, each),
        )


def _webhooks(verdict: Verdict, receivers: Receivers, stories: list[Story]) -> None:
    outlet = f"webhook/{WEBHOOK}"
    verdict.received[outlet] = len(receivers.hooks)
    verdict.expect(f"{outlet}: unsigned calls", sum(not hook.signed for hook in receivers.hooks), 0)
    ids = Counter(hook.id for hook in receivers.hooks)
    verdict.expect(f"{outlet}: repeated ids", [id for id, n in ids.items() if n > 1], [])
    more = {"corrected": ["article.updated"], "retracted": ["article.retracted"], "stands": []}
    for story in stories:
        types = [h.type for h in receivers.hooks if h.data["id"] == story.article["id"]]
        verdict.expect(
            f"{outlet}: events of {story.article['slug']}",
            sorted(types),
            sorted(["article.published", *more[story.fate]]),
        )


async def _pages(verdict: Verdict, client: HeraldClient, stories: list[Story]) -> None:
    _, news = await client.page("/news-sitemap.xml")
    _, feed = await client.page("/feed.xml")
    for story in stories:
        url, slug = story.article["url"], story.article["slug"]
        status, text = await client.page(url.removeprefix(client.url))
        gone = story.fate == "retracted"
        verdict.expect(f"site: status of {slug}", status, 410 if gone else 200)
        if story.fate == "corrected":
            verdict.expect(f"site: correction on {slug}", CORRECTION in text, True)
        verdict.expect(
            f"news_sitemap: entries of {slug}", news.count(f"<loc>{url}</loc>"), int(not gone)
        )
        verdict.expect(f"feed: entries of {slug}", feed.count(f"<link>{url}</link>"), int(not gone))
        verdict.received["site"] += status == 200
    verdict.received["news_sitemap"] = news.count("<loc>")
    verdict.received["feed"] = feed.count("<item>")


def latency(receivers: Receivers, stories: list[Story]) -> dict[str, Any]:
    """Milliseconds from the request to publish until the post is on a network, and in the news sitemap."""
    posted = [
        (post.received_at - story.asked_at).total_seconds() * 1000
        for story in stories
        for fake in receivers.sandbox.fakes.values()
        for post in fake.creations()
        if links_to(post, story.article["url"]) and not post.reply_to
    ]
    listed = [
        float(line["milliseconds"])
        for story in stories
        for line in story.board
        if line["outlet"] == "news_sitemap" and line["operation"] == "include"
    ]
    return {"network": spread(posted), "news_sitemap": spread(listed)}


def spread(values: list[float]) -> dict[str, float | int]:
    """Count, median, 95th percentile (nearest rank: the least value that covers 95 %) and maximum."""
    if not values:
        return {"count": 0}
    ordered = sorted(values)
    return {
        "count": len(ordered),
        "p50": round(statistics.median(ordered), 1),
        "p95": round(ordered[math.ceil(len(ordered) * 95 / 100) - 1], 1),
        "max": round(ordered[-1], 1),
    }
