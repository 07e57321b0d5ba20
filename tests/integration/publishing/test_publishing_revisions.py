"""Revisions compared and restored, and what a stale If-Match is told."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.integration


async def _edit(
    desk: Any, article: Any, match: Any = "*", role: str = "editor", **fields: Any
) -> Any:
    path = f"/api/v1/articles/{article['id']}"
    status, edited, _ = await desk.call("PATCH", path, fields, match=match, role=role)
    assert status == 200, edited
    return edited


async def _restore(desk: Any, article: Any, revision: int, **how: Any) -> Any:
    path = f"/api/v1/articles/{article['id']}/revisions/{revision}/restore"
    return await desk.call("POST", path, **({"match": "*"} | how))


async def _diff(desk: Any, article: Any, revision: int, against: str = "") -> Any:
    query = f"?against={against}" if against else ""
    path = f"/api/v1/articles/{article['id']}/revisions/{revision}/diff{query}"
    status, found, _ = await desk.call("GET", path, role="contributor")
    assert status == 200, found
    return found


def _by_field(found: Any) -> dict[str, Any]:
    return {change["field"]: change for change in found["changes"]}


async def test_a_revision_is_compared_with_the_one_before(desk: Any) -> None:
    made = await desk.article(tags=["bridge", "river"], social={"mastodon": "Open!"})
    await _edit(
        desk,
        made,
        headline="Harbour bridge shuts",
        tags=["river", "traffic"],
        bylines=["Ada Quill", {"name": "Bo Nib", "role": "Photos"}],
        social={"mastodon": "Shut!", "bluesky": "Shut"},
        embargo_until="2026-11-24T06:00:00Z",
    )
    found = await _diff(desk, made, 2)
    assert (found["from"], found["to"]) == (1, 2)
    changes = _by_field(found)
    assert changes["headline"] == {
        "field": "headline",
        "kind": "changed",
        "before": "Harbour bridge reopens",
        "after": "Harbour bridge shuts",
        "segments": [
            {"op": "same", "text": "Harbour bridge "},
            {"op": "removed", "text": "reopens"},
            {"op": "added", "text": "shuts"},
        ],
    }
    assert changes["slug"]["after"] == "harbour-bridge-shuts"
    assert [one for one in found["changes"] if one["field"] == "tags"] == [
        {"field": "tags", "kind": "removed", "before": "bridge"},
        {"field": "tags", "kind": "added", "after": "traffic"},
    ]
    assert changes["bylines.1"]["after"] == {"name": "Bo Nib", "role": "Photos"}
    assert changes["social.bluesky"]["kind"] == "added"
    assert changes["social.mastodon"]["segments"][0] == {"op": "removed", "text": "Open"}
    assert changes["embargo_until"]["after"] == "2026-11-24T06:00:00.000Z"
    assert "body" not in changes


async def test_the_first_revision_is_compared_with_nothing(desk: Any) -> None:
    made = await desk.article()
    found = await _diff(desk, made, 1)
    assert (found["from"], found["to"]) == (0, 1)
    assert {change["kind"] for change in found["changes"]} == {"added"}
    assert _by_field(found)["body"]["segments"] == [
        {"op": "added", "text": "The bridge *reopened* on Monday."}
    ]


async def test_any_two_revisions_are_compared(desk: Any) -> None:
    made = await desk.article()
    for headline in ("Two", "Three"):
        await _edit(desk, made, headline=headline)
    assert _by_field(await _diff(desk, made, 3, "1"))["headline"]["after"] == "Three"
    back = await _diff(desk, made, 1, "3")
    assert (back["from"], back["to"]) == (3, 1)
    assert _by_field(back)["headline"]["before"] == "Three"
    assert (await _diff(desk, made, 2, "2"))["changes"] == []
    assert (await _diff(desk, made, 3, "current"))["changes"] == []


async def test_what_readers_have_is_compared_with_a_revision(desk: Any) -> None:
    _, picture = await desk.upload(desk.picture())
    image = {"media_id": picture["media_id"], "alt": "A bridge"}
    article = await desk.published(lead_image=image)
    assert (await _diff(desk, article, 2, "live"))["changes"] == []
    await _edit(desk, article, lead_image=image | {"alt": "The bridge"}, standfirst="At last.")
    found = await _diff(desk, article, 3, "live")
    assert (found["from"], found["to"]) == (2, 3)
    assert set(_by_field(found)) == {"standfirst", "lead_image.alt"}
    # What is withdrawn is what was public, so the unpublished edits still differ from it.
    await desk.act(article["id"], "retract", {"reason": "Invented."})
    assert set(_by_field(await _diff(desk, article, 4, "live"))) == {"standfirst", "lead_image.alt"}


async def test_what_cannot_be_compared_is_named(desk: Any) -> None:
    made = await desk.article()
    path = f"/api/v1/articles/{made['id']}/revisions"
    for suffix, expected, named in (
        ("7/diff", 404, "revision"),
        ("x/diff", 404, "revision"),
        ("1/diff?against=7", 404, "against"),
        ("1/diff?against=live", 404, "against"),
        ("1/diff?against=yesterday", 422, "against"),
        ("1/diff?against=-1", 422, "against"),
        ("1/diff?colour=red", 422, "colour"),
    ):
        status, problem, _ = await desk.call("GET", f"{path}/{suffix}")
        assert (status, problem["field"]) == (expected, named), suffix


@pytest.mark.parametrize(
    ("acts", "status"),
    [
        ([], "draft"),
        (["submit"], "in_review"),
        (["schedule"], "scheduled"),
        (["publish"], "published"),
        (["publish", "unpublish"], "unpublished"),
    ],
)
async def test_a_restored_revision_is_a_new_one(desk: Any, acts: list[str], status: str) -> None:
    made = await desk.article(tags=["one"], standfirst="First.")
    await _edit(desk, made, headline="Two", standfirst="Second.", tags=[], body="Other *words*.")
    for act in acts:
        body = {"at": "2026-11-24T06:00:00Z"} if act == "schedule" else None
        await desk.act(made["id"], act, body)
    before = (await desk.call("GET", f"/api/v1/articles/{made['id']}"))[1]
    answered, restored, headers = await _restore(desk, made, 1, match=before["revision"])
    assert (answered, restored["status"]) == (200, status)
    assert restored["revision"] == before["revision"] + 1
    assert headers["ETag"] == f'"{restored["revision"]}"'
    for name in ("headline", "standfirst", "tags", "body"):
        assert restored[name] == made[name]
    # A slug that readers know stays; another follows the headline back.
    assert restored["slug"] == ("two" if "publish" in acts else made["slug"])
    assert (await _diff(desk, made, restored["revision"], "1"))[
        "changes"
    ] == [] or "publish" in acts
    stored = await desk.database["articles"].find_one({"_id": made["id"]})
    assert stored["body_html"] == "<p>The bridge <em>reopened</em> on Monday.</p>\n"
    _, page, _ = await desk.call("GET", f"/api/v1/articles/{made['id']}/revisions")
    assert [one["revision"] for one in page["items"]] == [*range(restored["revision"], 0, -1)]
    _, log, _ = await desk.call("GET", f"/api/v1/audit?article={made['id']}&act=restore")
    (line,) = log["items"]
    assert line["detail"]["revision"] == 1
    assert {"headline", "standfirst", "tags", "body"} == set(line["detail"]["fields"])


async def test_restoring_tells_no_reader_before_somebody_publishes(desk: Any) -> None:
    article = await desk.published()
    await _edit(desk, article, headline="Two")
    await _restore(desk, article, 2)
    assert len(await desk.relayed()) == 1
    _, read, _ = await desk.call("GET", f"/api/v1/articles/{article['id']}")
    assert read["unpublished_changes"] is False


async def test_restoring_what_stands_changes_nothing(desk: Any) -> None:
    _, picture = await desk.upload(desk.picture())
    other = await desk.article()
    await desk.call("POST", "/api/v1/authors", {"slug": "ada-quill", "name": "Ada Quill"})
    image = {
        "media_id": picture["media_id"],
        "alt": "x",
        "focus": [0.1, 0.9],
        "crops": {"16x9": {"x": 0, "y": 0.1, "width": 1, "height": 0.5}},
    }
    made = await desk.article(
        lead_image=image,
        images=[image | {"caption": "y"}],
        body=f"![z](/media/{picture['media_id']}/original.jpg)",
        bylines=[{"author": "ada-quill"}, {"name": "Bo", "url": "https://bo.example"}],
        social={"mastodon": "Hello"},
        search={"title": "Found"},
        share={"description": "Shared", "image": image},
        related=[other["id"]],
        translation_group="bridge",
        direction="ltr",
        embargo_until="2026-11-24T06:00:00Z",
        tags=["a"],
    )
    status, same, _ = await _restore(desk, made, 1, match=1)
    assert (status, same) == (200, made)
    await _edit(desk, made, **dict.fromkeys(("lead_image", "search", "share"), None), images=[])
    assert (await _restore(desk, made, 1))[0] == 200
    found = await _diff(desk, made, 3, "1")
    assert found["changes"] == []


async def test_nothing_is_restored_into_a_retracted_article(desk: Any) -> None:
    article = await desk.published()
    await desk.act(article["id"], "retract", {"reason": "Invented."})
    status, problem, _ = await _restore(desk, article, 1)
    assert (status, problem["field"]) == (409, "status")


async def test_a_contributor_restores_only_drafts_of_their_own(desk: Any) -> None:
    own, other = await desk.article(role="contributor"), await desk.article()
    await _edit(desk, own, headline="Two", role="contributor")
    assert (await _restore(desk, own, 1, role="contributor"))[0] == 200
    status, problem, _ = await _restore(desk, other, 1, role="contributor")
    assert (status, problem["field"]) == (403, "Authorization")
    await desk.act(own["id"], "publish")
    assert (await _restore(desk, own, 1, role="contributor"))[0] == 403


async def test_a_revision_that_names_what_is_gone_is_refused_as_an_edit_is(desk: Any) -> None:
    _, picture = await desk.upload(desk.picture())
    made = await desk.article(
        lead_image={"media_id": picture["media_id"], "alt": "x"}, section="world", slug="first"
    )
    await _edit(desk, made, lead_image=None, section="city", slug="second")
    await desk.database["media"].delete_one({"_id": picture["media_id"]})
    status, problem, _ = await _restore(desk, made, 1)
    assert (status, problem["field"]) == (422, "lead_image.media_id")
    await desk.database["revisions"].update_one(
        {"_id": f"{made['id']}:1"},
        {"$set": {"content.lead_image": None, "content.section": "gardening"}},
    )
    status, problem, _ = await _restore(desk, made, 1)
    assert (status, problem["field"]) == (422, "section")
    await desk.database["revisions"].update_one(
        {"_id": f"{made['id']}:1"}, {"$set": {"content.section": "city", "content.access": "bribe"}}
    )
    status, problem, _ = await _restore(desk, made, 1)
    assert (status, problem["field"]) == (422, "access")
    await desk.database["revisions"].update_one(
        {"_id": f"{made['id']}:1"}, {"$set": {"content.access": "free"}}
    )
    await desk.article(slug="first")
    status, problem, _ = await _restore(desk, made, 1)
    assert (status, problem["field"]) == (409, "slug")


async def test_restoring_needs_the_revision_that_was_seen(desk: Any) -> None:
    made = await desk.article()
    status, problem, _ = await _restore(desk, made, 1, match=None)
    assert (status, problem["field"]) == (428, "If-Match")
    await _edit(desk, made, headline="Two")
    status, problem, _ = await _restore(desk, made, 1, match=1)
    assert (status, problem["field"], problem["current_revision"]) == (412, "If-Match", 2)
    for id, revision, expected, named in (
        (made["id"], 9, 404, "revision"),
        ("01890000-0000-7000-8000-000000000000", 1, 404, "id"),
    ):
        status, problem, _ = await _restore(desk, {"id": id}, revision)
        assert (status, problem["field"]) == (expected, named)
    status, problem, _ = await _restore(desk, made, 1, body={"now": True})
    assert (status, problem["field"]) == (422, "now")


STALE_ACTS: list[tuple[str, str, Any]] = [
    ("PATCH", "", {"headline": "x"}),
    ("DELETE", "", None),
    ("POST", "/publish", None),
    ("POST", "/submit", None),
    ("POST", "/schedule", {"at": "2026-11-24T06:00:00Z"}),
    ("POST", "/correct", {"text": "x"}),
    ("POST", "/unpublish", None),
    ("POST", "/retract", {"reason": "x"}),
    ("POST", "/revisions/1/restore", None),
]


async def test_who_is_late_is_told_what_has_changed_by_whom(desk: Any) -> None:
    made = await desk.article()
    await _edit(desk, made, headline="Two", body="Two")
    desk.clock.advance(60)
    await _edit(desk, made, role="chief", headline="Three")
    await _edit(desk, made, tags=["brief"])
    await _edit(desk, made, tags=[])
    desk.clock.advance(60)
    await desk.act(made["id"], "publish", role="chief")
    for method, suffix, body in STALE_ACTS:
        status, problem, _ = await desk.call(
            method, f"/api/v1/articles/{made['id']}{suffix}", body, match=1, role="chief"
        )
        assert (status, problem["field"], problem["current_revision"]) == (412, "If-Match", 6)
        assert {one["field"]: one for one in problem["changed"]} == {
            "headline": _changed(desk, "headline", "chief", 3, 1),
            "body": _changed(desk, "body", "editor", 2, 0),
            "slug": _changed(desk, "slug", "chief", 3, 1),
            "status": _changed(desk, "status", "chief", 6, 2),
        }, suffix
    _, problem, _ = await desk.call("PATCH", f"/api/v1/articles/{made['id']}", {}, match=5)
    assert [one["field"] for one in problem["changed"]] == ["status"]


def _changed(desk: Any, field: str, role: str, revision: int, minutes: int) -> dict[str, Any]:
    return {
        "field": field,
        "by": desk.people[role],
        "by_name": role.title(),
        "at": f"2026-11-23T09:{30 + minutes}:00.000Z",
        "revision": revision,
    }


async def test_a_restored_field_is_named_with_who_restored_it(desk: Any) -> None:
    made = await desk.article()
    await _edit(desk, made, headline="Two")
    await _edit(desk, made, headline="Three")
    await _restore(desk, made, 1, role="chief")
    _, problem, _ = await desk.call("PATCH", f"/api/v1/articles/{made['id']}", {}, match=2)
    headline = next(one for one in problem["changed"] if one["field"] == "headline")
    assert (headline["revision"], headline["by_name"]) == (4, "Chief")
    # Seen at the first revision, nothing has changed: it is as it was.
    _, problem, _ = await desk.call("PATCH", f"/api/v1/articles/{made['id']}", {}, match=1)
    assert problem["changed"] == []


async def test_corrections_and_schedules_are_among_what_changed(desk: Any) -> None:
    article = await desk.published()
    await desk.act(article["id"], "correct", {"text": "It was nine."})
    draft = await desk.article()
    await desk.act(draft["id"], "schedule", {"at": "2026-11-24T06:00:00Z"})
    for one, seen, expected in (
        (article, 2, {"corrections": 3}),
        (draft, 1, {"status": 2, "schedule": 2}),
    ):
        _, problem, _ = await desk.call("PATCH", f"/api/v1/articles/{one['id']}", {}, match=seen)
        found = {change["field"]: change["revision"] for change in problem["changed"]}
        assert found == expected


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_a_missing_revision_line_costs_no_field(desk: Any, lost: int) -> None:
    made = await desk.article()
    await _edit(desk, made, standfirst="Two")
    await _edit(desk, made, summary="Three")
    await desk.database["revisions"].delete_one({"_id": f"{made['id']}:{lost}"})
    if lost == 3:  # as after a crash between the act and its lines
        await desk.database["articles"].update_one(
            {"_id": made["id"]}, {"$set": {"unrecorded_at": desk.clock.now()}}
        )
    status, problem, _ = await desk.call(
        "PATCH", f"/api/v1/articles/{made['id']}", {"headline": "x"}, match=2
    )
    assert status == 412
    expected = {
        1: {"summary": 3},
        2: {"standfirst": None, "summary": 3},
        3: {"summary": 3},
    }
    found = {change["field"]: change.get("revision") for change in problem["changed"]}
    assert found == expected[lost]
    if lost == 1:
        status, problem, _ = await desk.call(
            "PATCH", f"/api/v1/articles/{made['id']}", {"headline": "x"}, match=1
        )
        found = {change["field"]: change["revision"] for change in problem["changed"]}
        assert (status, found) == (412, {"standfirst": 2, "summary": 3})


async def test_a_revision_nobody_ever_made_is_stale_too(desk: Any) -> None:
    made = await desk.article()
    for seen in (0, 7, 999_999_999_999_999):
        status, problem, _ = await desk.call(
            "PATCH", f"/api/v1/articles/{made['id']}", {"headline": "x"}, match=seen
        )
        assert (status, problem["current_revision"], problem["changed"]) == (412, 1, [])


async def test_a_body_of_the_longest_kind_is_compared(desk: Any) -> None:
    made = await desk.article(body="a b " * 49_999)
    await _edit(desk, made, body="b a " * 49_999)
    (change,) = (await _diff(desk, made, 2))["changes"]
    texts = {
        side: "".join(
            piece["text"] for piece in change["segments"] if piece["op"] in {"same", side}
        )
        for side in ("removed", "added")
    }
    assert texts == {"removed": change["before"], "added": change["after"]}
