"""The desk's list: each filter, alone and together, and pages that never skip or repeat."""

from __future__ import annotations

from typing import Any

import pytest

from services.publishing.store.desk import Wanted

pytestmark = pytest.mark.integration


async def ids(desk: Any, query: str, role: str = "editor") -> list[str]:
    status, found, _ = await desk.call("GET", f"/api/v1/articles?{query}", role=role)
    assert status == 200, found
    return [one["id"] for one in found["items"]]


async def test_each_filter_finds_what_it_says(desk: Any) -> None:
    one = await desk.article(headline="Élection à Genève", tags=["vote"], section="world")
    two = await desk.article(headline="Tram line 4", language="DE")
    own = await desk.article(role="contributor", headline="東京の橋が開通")
    await desk.act(two["id"], "submit", match=1)
    everything = [own["id"], two["id"], one["id"]]
    assert await ids(desk, "") == everything
    assert await ids(desk, "status=in_review") == [two["id"]]
    assert await ids(desk, "status=draft,in_review") == everything
    assert await ids(desk, "section=world") == [one["id"]]
    assert await ids(desk, "tag=vote") == [one["id"]]
    assert await ids(desk, "language=DE") == [two["id"]]
    assert await ids(desk, "mine=true", role="contributor") == [own["id"]]
    assert await ids(desk, f"created_by={desk.people['contributor']}") == [own["id"]]
    assert await ids(desk, "q=geneve election") == [one["id"]]
    assert await ids(desk, "q=TRAM") == [two["id"]]
    assert await ids(desk, "q=橋が") == [own["id"]]
    assert await ids(desk, "q=quill&status=draft") == [own["id"], one["id"]]
    assert await ids(desk, "q=nothing") == []
    assert await ids(desk, "missed=true") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=gone", "status"),
        ("status=draft,", "status"),
        ("mine=yes", "mine"),
        ("mine=true&created_by=somebody", "mine"),
        ("q=", "q"),
        ("q=%21%3F", "q"),
        ("missed=1", "missed"),
        ("cursor=x", "cursor"),
        ("who=me", "who"),
    ],
)
async def test_a_wrong_filter_is_refused_by_name(desk: Any, query: str, field: str) -> None:
    status, problem, _ = await desk.call("GET", f"/api/v1/articles?{query}")
    assert (status, problem["field"]) == (422, field)


async def test_pages_of_a_filtered_list_are_complete(desk: Any) -> None:
    made = [(await desk.article(tags=["t"]))["id"] for _ in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        _, page, _ = await desk.call("GET", f"/api/v1/articles?tag=t&q=bridge&limit=2{cursor}")
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == made[::-1]


@pytest.mark.parametrize(
    "filtered", ["section", "tag", "created_by", "author", "language", "translation_group", "text"]
)
async def test_every_filter_reads_an_index_of_its_own(desk: Any, filtered: str) -> None:
    await desk.article()
    query = Wanted(**{filtered: "en"}).query()
    found = desk.database._raw["articles"].find(query).sort([("_id", -1)]).limit(20)
    plan = str((await found.explain())["queryPlanner"]["winningPlan"])
    assert "'IXSCAN'" in plan
    assert "'indexName': '_id_'" not in plan
