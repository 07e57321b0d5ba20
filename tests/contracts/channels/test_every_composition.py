"""Whatever an article says, in any script: within the network's count, whole, with its link, as previewed."""

from __future__ import annotations

import asyncio
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
import regex
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from services.social.channels import discover
from services.social.channels.base import Intent, VisiblePost, Wording
from services.social.channels.plaintext import cleaned
from shared.contracts.articles import Article, LeadImage, Rendition
from shared.contracts.outlets import Operation
from shared.delivery.errors import GiveUp

ARTICLE = "https://news.example/2026/quay"
LINKS = ("https://ferry.example/plan?a=1&b=2", "https://a.example/x_y*z~(1)", ARTICLE)
ATOMS = st.sampled_from(
    [
        "مرحبا بالعالم ", "שלום ", "\u200f", "\u200e", "\u2067", "\u2069", "\u202e", "\u202c", "\u061c",
        "👨‍❤️‍👨", "👩🏽‍🚒", "🇩🇪", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "e\u0301", "q\u0323\u0307", "क्षि", "한", "東京、", "\u0600", "\u200d", "\ufe0f",
        "ﷺ", "ẞ", "İ", "\u00a0", "\u2028", "\x00", "\x1f", "\r\n", "\n\n", ". ", "! ", "? ",
        "#Köln ", "#2026 ", "@reporter@news.social ", "@everyone ", "<!channel> ", "<script>", "&amp;",
        "*bold*", "_it_", "~~", "`", "||", "[a](b)", "> ", "- ", "{hashtag|\\#|x}", "\\", "example.org ",
        *(f" {link} " for link in LINKS),
    ]
)  # fmt: skip
TRACKED = regex.escape(ARTICLE) + r"\?utm_\S*"
ROOM = 60
"""Characters that every network has room for, beside the link."""
SCRIPTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
SHORT = st.lists(st.one_of(ATOMS, SCRIPTS), max_size=8).map("".join)
LONG = st.tuples(SHORT, st.sampled_from([1, 1, 3, 40, 400])).map(lambda pair: pair[0] * pair[1])
STORIES = st.fixed_dictionaries(
    {
        "headline": SHORT.map(lambda text: text or "Ferry"),
        "standfirst": LONG,
        "summary": SHORT,
        "own": st.one_of(st.just(""), LONG),
        "tags": st.lists(SHORT, max_size=4).map(tuple),
    }
)


@dataclass
class Network:
    """One event loop for every example of a channel; each example has a fresh stand-in and account."""

    name: str
    loop: asyncio.AbstractEventLoop

    def posted(self, story: dict[str, Any]) -> tuple[Wording, VisiblePost]:
        return self.loop.run_until_complete(self._posted(story))

    async def _posted(self, story: dict[str, Any]) -> tuple[Wording, VisiblePost]:
        spec = discover()[self.name]
        fake = spec.fake()
        root = web.Application()
        root.add_subapp("/network", fake.app())
        root.router.add_get("/media/quay.jpg", _handed_out)
        server = TestServer(root, host="127.0.0.1")
        await server.start_server()
        try:
            async with aiohttp.ClientSession() as session:
                account = fake.account(str(server.make_url("/network")))
                channel = spec.build(spec.settings.model_validate(account), session, _picture)
                told = article(self.name, story, str(server.make_url("/media/quay.jpg")))
                intent = Intent("k", Operation.POST, told, datetime.now(UTC))
                payload = await channel.compose(intent)
                assert payload is not None
                wording = channel.wording(payload)
                await channel.post(payload)
                [post] = fake.visible()
                return wording, post
        finally:
            await server.close()


def article(channel: str, story: dict[str, Any], picture: str) -> Article:
    size = Rendition(
        name="w800", url=picture, width=800, height=450,
        media_type="image/jpeg", size=len(JPEG),
    )  # fmt: skip
    return Article(
        id="a1", slug="quay", url=ARTICLE, headline=story["headline"], standfirst=story["standfirst"],
        summary=story["summary"], body="…", body_html="…", section="city", tags=story["tags"],
        language="en", social={channel: story["own"]}, status="published", revision=1, publication=1,
        updated_at=datetime.now(UTC),
        lead_image=LeadImage(media_id="m1", alt=story["summary"] or "A quay", renditions=(size,)),
    )  # fmt: skip


def _jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (800, 450), (40, 80, 120)).save(buffer, "JPEG")
    return buffer.getvalue()


JPEG = _jpeg()


async def _picture(_: str) -> bytes:
    return JPEG


async def _handed_out(_: web.Request) -> web.Response:
    return web.Response(body=JPEG, content_type="image/jpeg")


@pytest.fixture(scope="module", params=sorted(discover()))
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    with asyncio.Runner() as runner:
        yield Network(request.param, runner.get_loop())


def seen(text: str) -> str:
    """What people see of a text, and the marks that keep its writing direction; in one form.

    Without the signs of mentions and hashtags, which one network takes out when there are too many.
    """
    plain = unicodedata.normalize("NFC", text)
    return "".join(regex.findall(r"(?![#＃@])[\p{L}\p{N}\p{P}\p{S}\u200e\u200f\u061c]", plain))


def source(story: dict[str, Any]) -> str:
    """What is to be said, in plain words."""
    parts = (cleaned(story["headline"]), cleaned(story["standfirst"] or story["summary"]))
    return cleaned(story["own"]) or "\n\n".join(part for part in parts if part)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(STORIES)
def test_whatever_is_said_fits_and_stays_whole(network: Network, story: dict[str, Any]) -> None:
    try:
        # The stand-in counts, and refuses what is too long, marked up wrongly or not on a boundary.
        wording, post = network.posted(story)
    except GiveUp as error:
        if "links" in error.reason:
            return  # a network may take only so many: it is no matter of length, and the editor reads why
        raise
    assert wording.length <= wording.limit
    assert post.text == wording.text
    places = (post.text, post.link or "", (post.card or {}).get("uri", ""))
    assert any(ARTICLE in place for place in places)
    for found in regex.findall(r"https://[^\s…]+", post.text):
        assert found in LINKS or not any(link.startswith(found) for link in LINKS), "cut in two"
    said, shown = seen(source(story)), regex.sub(TRACKED, ARTICLE, post.text)
    if len(source(story)) > ROOM and said not in seen(shown):
        assert said.startswith(seen(shown.partition("…")[0]))
    else:
        assert said in seen(shown)
