"""Addresses from before an article came here: each leads to it for good, in one step, and to nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.contracts.articles import Article, Retraction, Status
from shared.runtime.clock import ManualClock

Make = Callable[..., Article]
PATHS = (
    "/2019/05/old-name/",
    "/?p=12",
    "/articles/old",
    "/sections/old/",
    "/été/",
    "/a/b.html",
)


@pytest.mark.parametrize(
    "asked",
    [
        "/2019/05/old-name/",
        "/2019/05/old-name",
        "/2019/05/old-name/?utm_source=x",
        "/?p=12",
        "/articles/old",
        "/sections/old",
        "/%C3%A9t%C3%A9/",
        "/a/b.html",
    ],
)
async def test_a_former_address_leads_to_the_article(
    replica: Any, make_article: Make, asked: str
) -> None:
    await replica.handle(make_article(former_paths=PATHS, imported=True))
    response = await replica.get(asked)
    assert response.status == 301
    assert response.headers["Location"] == "https://news.example/articles/harbour-opens"


@pytest.mark.parametrize("asked", ["/2019/05/", "/?p=13", "/?p=12&q=1", "/p=12", "/articles/none"])
async def test_other_addresses_lead_nowhere(replica: Any, make_article: Make, asked: str) -> None:
    await replica.handle(make_article(former_paths=PATHS))
    response = await replica.get(asked)
    assert response.status == (200 if asked.startswith("/?") else 404)
    assert response.content_type == "text/html"


@pytest.mark.parametrize("asked", ["/x" * 2000, "/%00", "/a%ff", "/%2e%2e/x", "/?%00"])
async def test_strange_addresses_are_not_found(replica: Any, asked: str) -> None:
    response = await replica.get(asked, Accept="application/problem+json")
    assert response.status in ({200, 404} if asked.startswith("/?") else {404})


async def test_they_follow_the_article_through_its_life(
    replica: Any, make_article: Make, clock: ManualClock
) -> None:
    await replica.handle(make_article(former_paths=PATHS))
    await replica.handle(make_article(revision=2, former_paths=PATHS, slug="new-name"))
    assert (await replica.get("/?p=12")).headers["Location"].endswith("/articles/new-name")
    gone = {"former_paths": PATHS, "slug": "new-name"}
    await replica.handle(make_article(revision=3, status=Status.UNPUBLISHED, **gone))
    assert (await replica.get("/2019/05/old-name/")).status == 404
    why = Retraction(at=clock.now(), reason="It was not so.")
    await replica.handle(make_article(revision=4, status=Status.RETRACTED, retraction=why, **gone))
    assert (await replica.get("/2019/05/old-name/")).status == 301
    assert (await replica.get("/articles/new-name")).status == 410


async def test_the_first_article_keeps_an_address_two_would_have(
    replica: Any, make_article: Make
) -> None:
    await replica.handle(make_article(former_paths=("/same/",)))
    other = "019ab000-0000-7000-8000-000000000002"
    await replica.handle(make_article(id=other, slug="other", former_paths=("/same/",)))
    assert (await replica.get("/same/")).headers["Location"].endswith("/articles/harbour-opens")
