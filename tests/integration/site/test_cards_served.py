"""An article's card over HTTP: there while the article is, the same bytes for good, drawn once."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
from lxml import html
from PIL import Image

from services.site import cards as drawing
from shared.contracts.articles import Article, LeadImage, Rendition, Retraction, Status
from shared.delivery.errors import TryAgain
from shared.delivery.own_origin import OwnOrigin
from shared.runtime.clock import ManualClock

ORIGIN, ADDRESS = "https://news.example", "/articles/harbour-opens"
ID = "019ab000-0000-7000-8000-000000000001"
Make = Callable[..., Article]


async def shown(replica: Any) -> str:
    """The card that the page names, as a path."""
    page = html.document_fromstring(await replica.text(ADDRESS))
    address = str(page.xpath("string(//meta[@property='og:image']/@content)"))
    assert address.startswith(f"{ORIGIN}/cards/{ID}/")
    return address.removeprefix(ORIGIN)


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


async def test_the_page_names_a_card_that_is_there(replica: Any, make_article: Make) -> None:
    await replica.handle(make_article())
    path = await shown(replica)
    response = await replica.get(path)
    content = await response.read()
    assert response.status == 200
    assert response.content_type == "image/jpeg"
    assert response.headers["Cache-Control"] == "public, max-age=86400, immutable"
    assert opened(content).size == (1200, 630)
    again = await replica.get(path, If_None_Match=response.headers["ETag"])
    assert (again.status, await again.read()) == (304, b"")
    head = await replica.client.head(path)
    assert (head.status, head.content_length) == (200, len(content))


async def test_before_publication_and_after_withdrawal_there_is_none(
    replica: Any, make_article: Make, clock: ManualClock
) -> None:
    await replica.handle(make_article())
    path = await shown(replica)
    assert (await replica.get(path)).status == 200
    await replica.handle(make_article(revision=2, status=Status.UNPUBLISHED))
    assert (await replica.get(path)).status == 404
    await replica.handle(make_article(revision=3, publication=2))
    assert (await replica.get(path)).status == 200
    reason = Retraction(at=clock.now(), reason="It did not open.")
    await replica.handle(make_article(revision=4, status=Status.RETRACTED, retraction=reason))
    gone = await replica.get(path)
    assert gone.status == 410
    assert (await gone.json())["field"] == "path"
    assert (await replica.get(path, If_None_Match="*")).status == 410


@pytest.mark.parametrize(
    "path",
    [
        f"/cards/{ID}/{'0' * 16}-link.jpg",
        f"/cards/{ID}/{'0' * 16}-wide.jpg",
        f"/cards/{ID}/x-link.jpg",
        f"/cards/{ID[:-1]}2/{'0' * 16}-link.jpg",
        f"/cards/%00/{'0' * 16}-link.jpg",
        f"/cards/%ED%A0%80/{'0' * 16}-link.jpg",
        f"/cards/{'a' * 500}/{'0' * 16}-link.jpg",
    ],
)
async def test_no_other_address_draws_anything(
    replica: Any, make_article: Make, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await replica.handle(make_article())

    def never(*_: Any) -> bytes:
        raise AssertionError("nothing may be drawn")

    monkeypatch.setattr(drawing, "draw", never)
    response = await replica.get(path)
    assert response.status == 404
    assert (await response.json())["field"] == "path"


async def test_a_card_once_shown_stays_after_a_correction_and_an_unseen_one_does_not(
    replica: Any, start_replica: Any, make_article: Make
) -> None:
    await replica.handle(make_article())
    first = await shown(replica)
    before = await (await replica.get(first)).read()
    await replica.handle(make_article(revision=2, headline="The harbour stays shut"))
    second = await shown(replica)
    assert second != first
    other = await start_replica()
    # Another process has it too: what a post was composed with is what is sent.
    assert await (await other.get(first)).read() == before
    await replica.handle(make_article(revision=3, headline="The harbour opens on Monday"))
    assert (await replica.get(second)).status == 404


async def test_many_who_ask_at_a_time_have_it_drawn_once(
    replica: Any, make_article: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    await replica.handle(make_article())
    path, drawn = await shown(replica), []
    draw = drawing.draw

    def counted(*given: Any) -> bytes:
        drawn.append(given)
        return draw(*given)

    monkeypatch.setattr(drawing, "draw", counted)
    answers = await asyncio.gather(*(replica.get(path) for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert len({await answer.read() for answer in answers}) == 1
    assert len(drawn) == 1


def too_tall() -> LeadImage:
    """Shown as a thumbnail beside a link, and yet large enough to fill a card."""
    return LeadImage(
        media_id="a" * 32,
        alt="A ferry",
        renditions=tuple(
            Rendition(
                name=name,
                url=f"{ORIGIN}/media/{'a' * 32}/{name}.jpg",
                width=width,
                height=height,
                media_type="image/jpeg",
                size=1000,
            )
            for name, width, height in (("original", 1600, 1800), ("w500", 500, 562))
        ),
    )


async def test_the_photograph_is_read_at_our_own_address(
    start_replica: Any, make_article: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.BytesIO()
    Image.new("RGB", (1600, 1800), (200, 30, 30)).save(out, "JPEG")
    asked, away = [], [True]

    async def rendition(_: OwnOrigin, url: str) -> bytes:
        asked.append(url)
        if away:
            away.clear()
            raise TryAgain("away")
        return out.getvalue()

    monkeypatch.setattr(OwnOrigin, "rendition", rendition)
    replica = await start_replica()
    await replica.handle(make_article(lead_image=too_tall()))
    path = await shown(replica)
    response = await replica.get(path)
    assert (response.status, response.headers["Retry-After"]) == (503, "5")
    content = await (await replica.get(path)).read()
    assert opened(content).getpixel((600, 60))[0] > 180
    assert asked == [f"{ORIGIN}/media/{'a' * 32}/original.jpg"] * 2


@pytest.mark.parametrize(
    "headline",
    [
        "x" * 10_000,
        "\u0301" * 10_000,
        "\u202eevil \u2066\x00\x1b",
        "\U0001f469\u200d\U0001f467\ufe0f" * 400,
        "إعادة فتح الجسر " * 300,
    ],
    ids=["long", "marks", "overrides", "emoji", "arabic"],
)
async def test_any_headline_has_a_card(replica: Any, make_article: Make, headline: str) -> None:
    await replica.handle(make_article(headline=headline))
    response = await replica.get(await shown(replica))
    assert response.status == 200
    assert opened(await response.read()).size == (1200, 630)


async def test_pages_are_served_while_a_card_is_drawn(
    replica: Any, make_article: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    await replica.handle(make_article())
    path, begun, go_on = await shown(replica), threading.Event(), threading.Event()
    draw = drawing.draw

    def slow(*given: Any) -> bytes:
        begun.set()
        assert go_on.wait(30)
        return draw(*given)

    monkeypatch.setattr(drawing, "draw", slow)
    card = asyncio.create_task(replica.get(path))
    assert await asyncio.to_thread(begun.wait, 30)
    assert (await replica.get(ADDRESS)).status == 200
    assert not card.done()
    go_on.set()
    assert (await card).status == 200
