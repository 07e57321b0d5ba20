"""Drafts: creating, reading, listing, editing, deleting, their slugs, revisions and the audit log."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytestmark = pytest.mark.integration


async def test_a_draft_comes_back_as_it_was_written(desk: Any) -> None:
    fields = {
        "headline": "  Grüße aus   Łódź ",
        "body": "Text",
        "tags": ["a", "b"],
        "bylines": ["Ada", {"name": "Bo", "role": "Photos", "url": "https://bo.example"}],
        "language": "pt-BR",
        "skip_outlets": ["email", "social/mastodon", "webhook/partner"],
        "social": {"bluesky": "Hello"},
        "priority": "breaking",
    }
    status, made, headers = await desk.call("POST", "/api/v1/articles", fields)
    assert status == 201
    assert headers["Location"] == f"/api/v1/articles/{made['id']}"
    assert headers["ETag"] == '"1"'
    status, read, headers = await desk.call("GET", headers["Location"])
    assert (status, read, headers["ETag"]) == (200, made, '"1"')
    assert read["headline"] == "Grüße aus Łódź"
    assert read["slug"] == "grusse-aus-lodz"
    assert read["url"] == "https://news.example/articles/grusse-aus-lodz"
    assert read["bylines"][0] == {"name": "Ada"}
    assert read["bylines"][1]["url"] == "https://bo.example"
    assert (read["status"], read["revision"], read["publication"]) == ("draft", 1, 0)
    assert read["created_by"] == desk.people["editor"]
    assert "published_at" not in read
    for name in ("tags", "language", "skip_outlets", "social", "priority"):
        assert read[name] == fields[name]


async def test_the_same_headline_gets_the_next_slug(desk: Any) -> None:
    slugs = [(await desk.article())["slug"] for _ in range(3)]
    assert slugs == [f"harbour-bridge-reopens{suffix}" for suffix in ("", "-2", "-3")]


async def test_the_same_headline_twenty_times_at_once(desk: Any) -> None:
    made = await asyncio.gather(*(desk.article() for _ in range(20)))
    assert len({article["slug"] for article in made}) == 20


async def test_a_headline_without_latin_letters(desk: Any) -> None:
    made = await desk.article(headline="東京の橋")
    assert made["slug"] == f"article-{made['id'][-8:]}"


async def test_a_slug_that_is_taken_is_a_conflict(desk: Any) -> None:
    await desk.article(slug="taken")
    other = await desk.article()
    for method, path in (("POST", ""), ("PATCH", f"/{other['id']}")):
        status, problem, _ = await desk.call(
            method, f"/api/v1/articles{path}", {"slug": "taken"}, match=1
        )
        assert (status, problem["field"]) == (409, "slug")


async def test_a_renamed_draft_frees_its_slug(desk: Any) -> None:
    first = await desk.article(slug="first")
    path = f"/api/v1/articles/{first['id']}"
    assert (await desk.call("PATCH", path, {"slug": "second"}, match=1))[0] == 200
    assert (await desk.article(slug="first"))["slug"] == "first"


async def test_an_automatic_slug_follows_the_headline_until_publication(desk: Any) -> None:
    made = await desk.article()
    path = f"/api/v1/articles/{made['id']}"
    _, edited, _ = await desk.call("PATCH", path, {"headline": "Bridge shut"}, match=1)
    assert edited["slug"] == "bridge-shut"
    await desk.act(made["id"], "publish")
    _, edited, _ = await desk.call("PATCH", path, {"headline": "Bridge open"}, match="*")
    assert edited["slug"] == "bridge-shut"


async def test_a_slug_left_by_a_crash_is_taken_over_later(desk: Any) -> None:
    await desk.database["slugs"].insert_one(
        {
            "_id": "left",
            "article_id": "never-written",
            "reserved_at": desk.clock.now(),
            "ever_public": False,
        }
    )
    status, _, _ = await desk.call("POST", "/api/v1/articles", {"slug": "left"})
    assert status == 409
    desk.clock.advance(61)
    assert (await desk.article(slug="left"))["slug"] == "left"


async def test_a_slug_readers_may_hold_is_never_taken_over(desk: Any) -> None:
    article = await desk.published(slug="known")
    await desk.act(article["id"], "retract", {"reason": "Invented."})
    desk.clock.advance(3600)
    status, problem, _ = await desk.call("POST", "/api/v1/articles", {"slug": "known"})
    assert (status, problem["field"]) == (409, "slug")
    kept = await desk.database["slugs"].find_one({"_id": "known"})
    assert kept["ever_public"] is True
    # Even where a crash has left no article that names it.
    await desk.database["articles"].update_one({"_id": article["id"]}, {"$set": {"slug": "x"}})
    await desk.database["articles"].update_one({"_id": article["id"]}, {"$set": {"live": None}})
    assert (await desk.call("POST", "/api/v1/articles", {"slug": "known"}))[0] == 409


async def test_an_edit_that_changes_nothing_makes_no_revision(desk: Any) -> None:
    made = await desk.article()
    path = f"/api/v1/articles/{made['id']}"
    status, same, headers = await desk.call("PATCH", path, {"headline": made["headline"]}, match=1)
    assert (status, same["revision"], headers["ETag"]) == (200, 1, '"1"')


async def test_of_two_edits_of_one_revision_one_wins(desk: Any) -> None:
    made = await desk.article()
    path = f"/api/v1/articles/{made['id']}"
    answers = await asyncio.gather(
        *(desk.call("PATCH", path, {"headline": f"Version {n}"}, match=1) for n in range(5))
    )
    assert sorted(status for status, _, _ in answers) == [200, 412, 412, 412, 412]


async def test_only_drafts_are_deleted(desk: Any) -> None:
    draft, public = await desk.article(slug="gone"), await desk.published()
    status, _, _ = await desk.call("DELETE", f"/api/v1/articles/{draft['id']}", match=1)
    assert status == 204
    assert (await desk.call("GET", f"/api/v1/articles/{draft['id']}"))[0] == 404
    assert (await desk.article(slug="gone"))["slug"] == "gone"
    path = f"/api/v1/articles/{public['id']}"
    status, problem, _ = await desk.call("DELETE", path, match="*")
    assert (status, problem["field"]) == (409, "status")


async def test_the_list_pages_newest_first_and_filters(desk: Any) -> None:
    made = [
        await desk.article(headline=f"Number {n}", section="city" if n % 2 else "world")
        for n in range(5)
    ]
    await desk.act(made[0]["id"], "publish")
    seen: list[str] = []
    query = "limit=2"
    while True:
        status, page, _ = await desk.call("GET", f"/api/v1/articles?{query}")
        assert status == 200
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query = f"limit=2&cursor={page['next']}"
    assert seen == [article["id"] for article in reversed(made)]
    _, drafts, _ = await desk.call("GET", "/api/v1/articles?status=draft&section=world")
    assert [item["id"] for item in drafts["items"]] == [made[4]["id"], made[2]["id"]]
    item = drafts["items"][0]
    assert item["headline"] == "Number 4"
    assert item["url"].endswith("/articles/number-4")
    assert "body" not in item


async def test_every_change_leaves_a_revision_and_an_audit_line(desk: Any) -> None:
    article = await desk.published()
    path = f"/api/v1/articles/{article['id']}"
    await desk.call("PATCH", path, {"headline": "New"}, match=2)
    await desk.act(article["id"], "correct", {"text": "It was nine."})
    status, page, _ = await desk.call("GET", f"{path}/revisions?limit=3")
    assert status == 200
    assert [(one["revision"], one["act"]) for one in page["items"]] == [
        *((4, "correct"), (3, "edit"), (2, "publish"))
    ]
    _, rest, _ = await desk.call("GET", f"{path}/revisions?cursor={page['next']}")
    assert [(one["revision"], one["act"]) for one in rest["items"]] == [(1, "create")]
    _, old, _ = await desk.call("GET", f"{path}/revisions/2")
    assert (old["headline"], old["act"]["by"]) == (
        "Harbour bridge reopens",
        desk.people["chief"],
    )
    _, log, _ = await desk.call("GET", f"/api/v1/audit?article={article['id']}&act=edit")
    (line,) = log["items"]
    assert line["detail"] == {"fields": ["headline"]}
    assert (line["by"], line["by_name"]) == (desk.people["editor"], "Editor")
    assert line["at"] == "2026-11-23T09:30:00.000Z"


async def test_the_audit_log_pages_without_losing_lines_of_one_moment(desk: Any) -> None:
    for n in range(5):
        await desk.article(headline=f"Number {n}")
    seen: list[str] = []
    query = f"person={desk.people['editor']}&limit=2"
    cursor = ""
    while cursor is not None:
        _, page, _ = await desk.call(
            "GET", f"/api/v1/audit?{query}" + (f"&cursor={cursor}" if cursor else "")
        )
        seen += [line["id"] for line in page["items"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == 5
    for bad in ("x", "!!", "AAAA"):
        status, problem, _ = await desk.call("GET", f"/api/v1/audit?cursor={bad}")
        assert (status, problem["field"]) == (422, "cursor")


async def test_records_that_a_crash_left_owing_are_written_later(desk: Any) -> None:
    article = await desk.published()
    for name, key in (("revisions", f"{article['id']}:2"), ("audit", f"{article['id']}:2")):
        assert await desk.database[name].delete_one({"_id": key})
    await desk.database["slugs"].update_one(
        {"_id": article["slug"]}, {"$set": {"ever_public": False}}
    )
    await desk.database["articles"].update_one(
        {"_id": article["id"]}, {"$set": {"unrecorded_at": desk.clock.now()}}
    )
    desk.clock.advance(6)
    await desk.repair()
    _, old, _ = await desk.call("GET", f"/api/v1/articles/{article['id']}/revisions/2")
    assert old["act"]["act"] == "publish"
    assert await desk.database["audit"].count({"article_id": article["id"]}) == 2
    assert (await desk.database["slugs"].find_one({"_id": article["slug"]}))["ever_public"]
    stored = await desk.database["articles"].find_one({"_id": article["id"]})
    assert "unrecorded_at" not in stored
