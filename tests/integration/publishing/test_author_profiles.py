"""Authors: kept by editors, printed into what is published, never lost while somebody names them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytestmark = pytest.mark.integration

PATH = "/api/v1/authors"


async def author(desk: Any, slug: str = "ada-quill", **fields: Any) -> dict[str, Any]:
    status, made, _ = await desk.call("POST", PATH, {"slug": slug, "name": "Ada Quill"} | fields)
    assert status == 201, made
    return made  # type: ignore[no-any-return]


async def test_a_profile_from_making_to_deleting(desk: Any) -> None:
    _, picture = await desk.upload(desk.picture(500, 500))
    fields = {
        "slug": "ada-quill",
        "name": " Ada  Quill ",
        "role": "Reporter",
        "bio": "Writes.",
        "url": "https://ada.example",
        "portrait": {"media_id": picture["media_id"], "alt": "Ada at her desk"},
        "links": [{"name": "Mastodon", "url": "https://social.example/@ada"}],
    }
    status, made, headers = await desk.call("POST", PATH, fields)
    assert (status, headers["ETag"], headers["Location"]) == (201, '"1"', f"{PATH}/ada-quill")
    assert made["name"] == "Ada Quill"
    assert made["portrait"]["renditions"] == picture["renditions"]
    status, read, headers = await desk.call("GET", f"{PATH}/ada-quill", role="contributor")
    assert (status, read, headers["ETag"]) == (200, made, '"1"')
    patch = {"role": "Editor", "portrait": None}
    status, changed, headers = await desk.call("PATCH", f"{PATH}/ada-quill", patch, match=1)
    assert (status, changed["role"], changed["revision"]) == (200, "Editor", 2)
    assert "portrait" not in changed
    assert changed["bio"] == "Writes."
    _, same, _ = await desk.call("PATCH", f"{PATH}/ada-quill", patch, match=2)
    assert same["revision"] == 2
    for method in ("PATCH", "DELETE"):
        status, problem, headers = await desk.call(method, f"{PATH}/ada-quill", {}, match=1)
        assert (status, problem["field"], headers["ETag"]) == (412, "If-Match", '"2"')
        assert problem["title"] == "The author has changed since you read it"
        status, problem, _ = await desk.call(method, f"{PATH}/ada-quill", {})
        assert (status, problem["field"]) == (428, "If-Match")
    assert (await desk.call("DELETE", f"{PATH}/ada-quill", match=2))[0] == 204
    status, problem, _ = await desk.call("GET", f"{PATH}/ada-quill")
    assert (status, problem["field"]) == (404, "slug")
    _, log, _ = await desk.call("GET", "/api/v1/audit")
    acts = [(line["act"], line["detail"]) for line in log["items"]]
    assert acts[::-1] == [
        ("author.create", {"author": "ada-quill", "name": "Ada Quill"}),
        ("author.change", {"author": "ada-quill", "fields": ["role", "portrait"]}),
        ("author.delete", {"author": "ada-quill", "name": "Ada Quill"}),
    ]


async def test_what_is_refused_names_its_field(desk: Any) -> None:
    await author(desk)
    cases = [
        ({"slug": "ada-quill", "name": "Another"}, 409, "slug"),
        ({"slug": "Ada", "name": "Ada"}, 422, "slug"),
        ({"slug": "bo"}, 422, "name"),
        (
            {"slug": "bo", "name": "Bo", "portrait": {"media_id": "0" * 32, "alt": "x"}},
            422,
            "portrait.media_id",
        ),
        ({"slug": "bo", "name": "Bo", "shoe_size": 43}, 422, "shoe_size"),
    ]
    for fields, expected, field in cases:
        status, problem, _ = await desk.call("POST", PATH, fields)
        assert (status, problem["field"]) == (expected, field)
    for slug in ("nobody", "Not%20a%20slug", "x" * 300, "ada-quill%0A"):
        status, problem, _ = await desk.call("GET", f"{PATH}/{slug}")
        assert (status, problem["field"]) == (404, "slug")
    status, problem, _ = await desk.call("GET", f"{PATH}?cursor=Not+a+slug")
    assert (status, problem["field"]) == (422, "cursor")


async def test_the_list_pages_by_slug(desk: Any) -> None:
    for slug in ("cy", "ada", "bo"):
        await author(desk, slug)
    _, first, _ = await desk.call("GET", f"{PATH}?limit=2", role="contributor")
    assert ([one["slug"] for one in first["items"]], first["next"]) == (["ada", "bo"], "bo")
    _, rest, _ = await desk.call("GET", f"{PATH}?limit=2&cursor=bo")
    assert ([one["slug"] for one in rest["items"]], rest["next"]) == (["cy"], None)


async def test_of_two_changes_of_one_revision_one_wins(desk: Any) -> None:
    await author(desk)
    answers = await asyncio.gather(
        *(desk.call("PATCH", f"{PATH}/ada-quill", {"role": f"Role {n}"}, match=1) for n in range(4))
    )
    assert sorted(status for status, _, _ in answers) == [200, 412, 412, 412]
    anyway = await asyncio.gather(
        *(desk.call("PATCH", f"{PATH}/ada-quill", {"bio": f"Bio {n}"}, match="*") for n in range(4))
    )
    assert [status for status, _, _ in anyway] == [200] * 4


async def test_a_profile_is_printed_when_it_is_published(desk: Any) -> None:
    await author(desk, role="Reporter", links=[{"name": "Site", "url": "https://ada.example"}])
    made = await desk.article(bylines=[{"author": "ada-quill"}, {"name": "Bo"}])
    assert made["bylines"] == [{"author": "ada-quill"}, {"name": "Bo"}]
    await desk.act(made["id"], "publish")
    await desk.call("PATCH", f"{PATH}/ada-quill", {"role": "Editor"}, match=1)
    path = f"/api/v1/articles/{made['id']}"
    _, read, _ = await desk.call("GET", path)
    assert read["unpublished_changes"] is True
    (event,) = await desk.relayed()
    ada, bo = event.data.article.bylines
    assert (ada.name, ada.role, ada.slug) == ("Ada Quill", "Reporter", "ada-quill")
    assert ada.links[0].url == "https://ada.example"
    assert (bo.name, bo.slug) == ("Bo", None)
    done = await desk.act(made["id"], "correct", {"text": "She is the editor."})
    assert done["unpublished_changes"] is False
    assert (await desk.relayed())[-1].data.article.bylines[0].role == "Editor"


async def test_an_author_who_is_not_there_is_named(desk: Any) -> None:
    await author(desk)
    bylines = [{"author": "ada-quill"}, {"author": "nobody", "name": "Given"}]
    status, problem, _ = await desk.call("POST", "/api/v1/articles", {"bylines": bylines})
    assert (status, problem["field"]) == (422, "bylines.1.author")
    made = await desk.article()
    path = f"/api/v1/articles/{made['id']}"
    status, problem, _ = await desk.call("PATCH", path, {"bylines": bylines[1:]}, match=1)
    assert (status, problem["field"]) == (422, "bylines.0.author")


async def test_an_author_whom_an_article_names_is_not_deleted(desk: Any) -> None:
    await author(desk)
    made = await desk.article(bylines=["Bo", {"author": "ada-quill"}])
    status, problem, _ = await desk.call("DELETE", f"{PATH}/ada-quill", match="*")
    assert (status, problem["field"]) == (409, "slug")
    assert made["id"] in problem["detail"]
    path = f"/api/v1/articles/{made['id']}"
    assert (await desk.call("PATCH", path, {"bylines": ["Bo"]}, match=1))[0] == 200
    assert (await desk.call("DELETE", f"{PATH}/ada-quill", match="*"))[0] == 204


async def test_a_profile_that_has_gone_blocks_publishing_but_no_edit(desk: Any) -> None:
    await author(desk)
    made = await desk.article(bylines=[{"author": "ada-quill"}])
    # As where the article was written in the very instant of the deletion.
    assert await desk.database["authors"].delete_one({"_id": "ada-quill"})
    path = f"/api/v1/articles/{made['id']}"
    status, edited, _ = await desk.call("PATCH", path, {"headline": "Another"}, match=1)
    assert (status, edited["revision"]) == (200, 2)
    status, problem, _ = await desk.call("POST", f"{path}/publish", match=2)
    assert (status, problem["field"]) == (422, "bylines.0.author")
    _, checklist, _ = await desk.call("GET", f"{path}/checklist")
    assert checklist["ready"] is False


async def test_the_question_who_is_named_uses_its_index(desk: Any) -> None:
    for query in (
        {"content.bylines.author": "ada-quill"},
        {"content.translation_group": "bridge"},
    ):
        plan = await desk.database._raw["articles"].find(query).explain()
        assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"]), plan
