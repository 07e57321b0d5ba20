"""What was made elsewhere comes in once, whole and quietly, and goes out as it came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.publishing.domain.imported import derived_id
from shared.contracts.articles import (
    ArticleEvent,
    ArticlePublished,
    ArticleRetracted,
    ArticleUpdated,
)
from shared.runtime.ids import is_id, new_id

OLD: dict[str, Any] = {
    "headline": "Bridge reopens",
    "body": "It *reopened*.",
    "section": "city",
    "bylines": [{"name": "Ana Quill", "bio": "Writes."}],
    "slug": "bridge",
    "status": "published",
    "published_at": "2019-05-03T10:00:00.000Z",
    "updated_at": "2019-05-04T10:00:00.000Z",
    "former_paths": ["/2019/05/bridge/", "/?p=12"],
    "redirects": ["brigde"],
    "corrections": [{"at": "2019-05-04T10:00:00.000Z", "kind": "correction", "text": "Nine."}],
}
PATH = "/api/v1/imports/old.example/12"


async def put(desk: Any, body: dict[str, Any], path: str = PATH) -> tuple[int, Any]:
    status, answer, _ = await desk.call("PUT", path, body, role="admin")
    return status, answer


async def articles(desk: Any) -> int:
    return int(await desk.database["articles"].count({}))


async def test_it_is_public_with_its_own_past_and_says_that_it_came_from_elsewhere(
    desk: Any,
) -> None:
    status, made = await put(desk, OLD)
    assert (status, made["outcome"], made["revision"]) == (201, "created", 1)
    (event,) = [one for one in await desk.relayed() if isinstance(one.data, ArticleEvent)]
    assert isinstance(event.data, ArticlePublished)
    article = event.data.article
    assert article.imported
    assert (article.publication, article.slug) == (1, "bridge")
    assert article.published_at.isoformat() == "2019-05-03T10:00:00+00:00"
    assert article.updated_at.isoformat() == "2019-05-04T10:00:00+00:00"
    assert article.former_paths == ("/2019/05/bridge", "/?p=12")
    assert article.redirects == ("brigde",)
    assert article.corrections[0].text == "Nine."
    assert event.data.acted_at == desk.clock.now()
    _, line, _ = await desk.call("GET", f"/api/v1/audit?article={made['id']}", role="admin")
    assert [one["act"] for one in line["items"]] == ["import"]


async def test_the_same_again_changes_nothing(desk: Any) -> None:
    await put(desk, OLD)
    status, again = await put(desk, dict(reversed(OLD.items())))
    assert (status, again["outcome"], again["unchanged"], again["revision"]) == (
        200,
        "unchanged",
        True,
        1,
    )
    assert await articles(desk) == 1


async def test_many_at_once_are_one(start: Callable[[], Awaitable[Any]]) -> None:
    replicas = [await start(), await start()]
    answers = await asyncio.gather(*(put(replicas[n % 2], OLD) for n in range(12)))
    assert sorted(status for status, _ in answers) == [200] * 11 + [201]
    assert len({answer["id"] for _, answer in answers}) == 1
    assert await articles(replicas[0]) == 1


async def test_a_crash_between_the_slug_and_the_article_does_not_cost_the_slug(desk: Any) -> None:
    article_id = derived_id("old.example", "12", desk.clock.now().replace(year=2019))
    assert is_id(article_id)
    status, made = await put(desk, OLD)
    assert status == 201
    # As a kill between the reservation and the insert leaves it.
    await desk.database["articles"].delete_many({})
    status, again = await put(desk, OLD)
    assert (status, again["id"], again["slug"]) == (201, made["id"], "bridge")


async def test_what_its_source_changed_follows_until_somebody_works_on_it_here(desk: Any) -> None:
    _, made = await put(desk, OLD)
    status, changed = await put(desk, OLD | {"headline": "Bridge reopens at last"})
    assert (status, changed["outcome"], changed["revision"]) == (200, "updated", 2)
    events = await desk.relayed()
    assert isinstance(events[-1].data, ArticleUpdated)
    assert events[-1].data.article.imported
    path = f"/api/v1/articles/{made['id']}"
    status, _, _ = await desk.call("PATCH", path, {"headline": "Ours"}, match=2)
    assert status == 200
    status, problem = await put(desk, OLD | {"headline": "Theirs"})
    assert (status, problem["field"]) == (409, "external_id")
    assert made["id"] in problem["detail"]
    # What came before comes again in every re-run and must not fail it.
    status, same = await put(desk, OLD | {"headline": "Bridge reopens at last"})
    assert (status, same["outcome"]) == (200, "unchanged")
    _, article, _ = await desk.call("GET", path)
    assert article["headline"] == "Ours"


async def test_the_next_publication_is_our_own(desk: Any) -> None:
    _, made = await put(desk, OLD)
    await desk.act(made["id"], "unpublish")
    await desk.act(made["id"], "publish")
    published = [one.data for one in await desk.relayed() if isinstance(one.data, ArticleEvent)]
    assert [(one.article.publication, one.article.imported) for one in published] == [
        (1, True),
        (1, True),
        (2, False),
    ]


async def test_a_former_address_belongs_to_one_article(desk: Any) -> None:
    await put(desk, OLD)
    other = OLD | {"slug": "other", "redirects": []}
    status, problem = await put(desk, other, "/api/v1/imports/old.example/13")
    assert (status, problem["field"]) == (409, "former_paths")
    other = OLD | {"former_paths": [], "redirects": []}
    status, problem = await put(desk, other, "/api/v1/imports/old.example/13")
    assert (status, problem["field"]) == (409, "slug")
    assert await articles(desk) == 1
    free = OLD | {"slug": "other", "redirects": [], "former_paths": ["/else"]}
    assert (await put(desk, free, "/api/v1/imports/old.example/13"))[0] == 201
    desk.clock.advance(3600)
    late = OLD | {"slug": "third", "redirects": [], "former_paths": ["/2019/05/bridge"]}
    status, problem = await put(desk, late, "/api/v1/imports/old.example/14")
    assert (status, problem["field"]) == (409, "former_paths")


async def test_an_embargo_makes_it_a_draft_and_nothing_leaks(desk: Any) -> None:
    until = (desk.clock.now() + timedelta(hours=1)).isoformat()
    status, made = await put(desk, OLD | {"embargo_until": until})
    assert (status, made["status"]) == (201, "draft")
    assert "under embargo" in made["notes"][0]
    assert await desk.relayed() == []


async def test_a_retracted_article_stays_so_and_shows_its_reason(desk: Any) -> None:
    gone = OLD | {
        "status": "retracted",
        "retraction": {"at": "2019-06-01T00:00:00Z", "reason": "It was not so."},
    }
    assert (await put(desk, gone))[1]["status"] == "retracted"
    (event,) = await desk.relayed()
    assert isinstance(event.data, ArticleRetracted)
    assert event.data.article.retraction.reason == "It was not so."
    status, problem = await put(desk, OLD)
    assert (status, problem["field"]) == (409, "status")


async def test_a_deleted_draft_does_not_rise_again(desk: Any) -> None:
    draft = {"headline": "Unfinished", "updated_at": "2019-05-04T10:00:00Z"}
    _, made = await put(desk, draft)
    await desk.call("DELETE", f"/api/v1/articles/{made['id']}", role="editor", match="*")
    status, problem = await put(desk, draft)
    assert (status, problem["field"]) == (409, "external_id")
    assert await articles(desk) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"section": "none"}, "section"),
        ({"section": None}, "section"),
        ({"bylines": []}, "bylines"),
        ({"published_at": None}, "published_at"),
        ({"published_at": "2031-01-01T00:00:00Z"}, "published_at"),
        ({"former_paths": ["no"]}, "former_paths.0"),
        ({"former_paths": ["/"]}, "former_paths.0"),
        ({"former_paths": ["//evil.example"]}, "former_paths.0"),
        ({"former_paths": ["/a b"]}, "former_paths.0"),
        ({"former_paths": ["/a%00"]}, "former_paths.0"),
        ({"status": "scheduled"}, "status"),
        ({"status": "draft"}, "published_at"),
        ({"retraction": {"at": "2019-06-01T00:00:00Z", "reason": "x"}}, "retraction"),
        ({"status": "retracted"}, "retraction"),
        ({"pending": {"no": 1}}, "pending.no"),
        ({"corrections": [{"text": "x"}]}, "corrections.0.at"),
        ({"imported": False}, "imported"),
        ({"id": "x"}, "id"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    desk: Any, change: dict[str, Any], field: str
) -> None:
    for trial in ("true", "false"):
        status, problem = await put(desk, OLD | change, f"{PATH}?trial={trial}")
        assert (status, problem["field"]) == (422, field)
    assert await articles(desk) == 0
    assert await desk.database["slugs"].count({}) == 0


@pytest.mark.parametrize(
    "path", ["Old/1", "old/%00", "a..b/1", "old/" + "x" * 201, "x" * 61 + "/1"]
)
async def test_a_strange_origin_is_not_found(desk: Any, path: str) -> None:
    status, problem = await put(desk, OLD, f"/api/v1/imports/{path}")
    assert status == 404
    assert problem["field"] in {"source", "external_id"}


async def test_a_trial_keeps_nothing(desk: Any) -> None:
    status, answer = await put(desk, OLD, f"{PATH}?trial=true")
    assert (status, answer["outcome"]) == (200, "created")
    assert await articles(desk) == 0
    assert await desk.database["slugs"].count({}) == 0
    await put(desk, OLD)
    status, answer = await put(desk, OLD | {"headline": "New"}, f"{PATH}?trial=true")
    assert (status, answer["outcome"], answer["revision"]) == (200, "updated", 1)


async def test_what_is_exported_is_what_is_imported(desk: Any, start: Any) -> None:
    related = new_id()
    await put(desk, OLD | {"related": [related], "search": {"title": "T"}})
    await put(desk, OLD | {"id": related, "slug": "two", "former_paths": [], "redirects": []},
              "/api/v1/imports/old.example/2")  # fmt: skip
    # The second time it can lead to what came after it.
    _, linked = await put(desk, OLD | {"related": [related], "search": {"title": "T"}})
    assert linked["outcome"] == "updated"
    draft = await desk.article(headline="A draft")
    edited = await desk.published(headline="Edited", social={"mastodon": "Read"})
    await desk.act(edited["id"], "correct", {"text": "It was nine."})
    await desk.call("PATCH", f"/api/v1/articles/{edited['id']}", {"headline": "Not yet"}, match="*")
    gone = await desk.published(headline="Gone")
    await desk.act(gone["id"], "retract", {"reason": "It was not so."})
    quiet = await desk.published(headline="Quiet")
    await desk.act(quiet["id"], "unpublish")
    _, first, _ = await desk.call("GET", "/api/v1/exports/articles?limit=100", role="admin")
    by_id = {one["article"]["id"]: one for one in first["items"]}
    assert len(by_id) == 6
    assert by_id[draft["id"]]["article"]["status"] == "draft"
    assert by_id[edited["id"]]["article"]["headline"] == "Edited"
    assert by_id[edited["id"]]["article"]["pending"]["headline"] == "Not yet"
    assert by_id[edited["id"]]["article"]["corrections"][0]["text"] == "It was nine."
    assert by_id[gone["id"]]["article"]["retraction"]["reason"] == "It was not so."
    assert by_id[quiet["id"]]["article"]["status"] == "unpublished"

    for name in await desk.database.collection_names():
        await desk.database[name].delete_many({})
    for _ in range(2):  # the second time for those that are related to what came after them
        for one in first["items"]:
            path = f"/api/v1/imports/{one['source']}/{one['external_id']}"
            status, answer = await put(desk, one["article"], path)
            assert status < 300, answer
    _, second, _ = await desk.call("GET", "/api/v1/exports/articles?limit=100", role="admin")
    assert second == first
    live = await desk.database["articles"].find_one({"slug": "bridge"})
    assert live["live"]["related"] == [related]
    _, article, _ = await desk.call("GET", f"/api/v1/articles/{edited['id']}")
    assert (article["headline"], article["unpublished_changes"]) == ("Not yet", True)


async def test_an_export_comes_in_pages(desk: Any) -> None:
    made = [(await desk.article(headline=f"No. {n}"))["id"] for n in range(3)]
    _, page, _ = await desk.call("GET", "/api/v1/exports/articles?limit=2", role="admin")
    _, rest, _ = await desk.call(
        "GET", f"/api/v1/exports/articles?limit=2&cursor={page['next']}", role="admin"
    )
    assert [one["external_id"] for one in page["items"] + rest["items"]] == sorted(made)
    assert rest["next"] is None


async def test_an_export_does_not_change_what_was_written_here(desk: Any) -> None:
    made = await desk.published()
    _, page, _ = await desk.call("GET", "/api/v1/exports/articles", role="admin")
    (one,) = page["items"]
    path = f"/api/v1/imports/{one['source']}/{one['external_id']}"
    status, problem = await put(desk, one["article"], path)
    assert (status, problem["field"]) == (409, "external_id")
    _, article, _ = await desk.call("GET", f"/api/v1/articles/{made['id']}")
    assert article["revision"] == made["revision"]


@given(st.text(max_size=20), st.datetimes())
def test_an_id_is_always_one(external_id: str, at: Any) -> None:
    aware = at.replace(tzinfo=__import__("datetime").UTC)
    made = derived_id("old", external_id, aware)
    assert is_id(made)
    assert made[14] == "7"
    assert made == derived_id("old", external_id, aware)
