"""Bad input of every kind gets a 4xx problem that names the field, and changes nothing."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

pytestmark = pytest.mark.integration

UNKNOWN = "01890000-0000-7000-8000-000000000000"

BAD_FIELDS: list[tuple[str, Any, str]] = [
    ("slug", "Not A Slug", "slug"),
    ("slug", "a" * 121, "slug"),
    ("slug", "trailing-", "slug"),
    ("headline", "", "headline"),
    ("headline", " ", "headline"),
    ("headline", "x" * 301, "headline"),
    ("headline", None, "headline"),
    ("headline", 5, "headline"),
    ("headline", "bell\x07", "headline"),
    ("standfirst", "x" * 1001, "standfirst"),
    ("summary", "x" * 2001, "summary"),
    ("body", "x" * 500_001, "body"),
    ("body", "no\x00", "body"),
    ("section", "sports", "section"),
    ("tags", ["x"] * 21, "tags"),
    ("tags", ["x" * 61], "tags.0"),
    ("tags", "x", "tags"),
    ("bylines", ["x"] * 21, "bylines"),
    ("bylines", [""], "bylines.0.name"),
    ("bylines", [{"name": "A", "url": "javascript:alert(1)"}], "bylines.0.url"),
    ("bylines", [{"name": "A", "shoe_size": 43}], "bylines.0.shoe_size"),
    ("language", "klingon", "language"),
    ("language", "en.UTF-8", "language"),
    ("lead_image", {"media_id": "nope"}, "lead_image.media_id"),
    ("lead_image", {"media_id": "0" * 32}, "lead_image.media_id"),
    ("lead_image", {"media_id": "0" * 32, "focus": [2, 0]}, "lead_image.focus.0"),
    ("access", "bribe", "access"),
    ("priority", "urgent", "priority"),
    ("canonical_url", "/relative", "canonical_url"),
    ("canonical_url", "ftp://x.example/", "canonical_url"),
    ("canonical_url", "https://user:pw@x.example/", "canonical_url"),
    ("canonical_url", "https://[::1", "canonical_url"),
    ("noindex", "maybe", "noindex"),
    ("skip_outlets", ["fax"], "skip_outlets.0"),
    ("social", {"Mastodon!": "x"}, "social.Mastodon!.[key]"),
    ("social", {"mastodon": ""}, "social.mastodon"),
    ("embargo_until", "2026-11-23T10:00:00", "embargo_until"),
    ("embargo_until", "0001-01-01T00:00:00+14:00", "embargo_until"),
    ("embargo_until", "0001-01-01T00:00:00Z", "embargo_until"),
    ("embargo_until", "9999-12-31T23:59:59Z", "embargo_until"),
    ("embargo_until", 20261201, "embargo_until"),
    ("embargo_until", "20261201", "embargo_until"),
    ("status", "published", "status"),
    ("colour", "red", "colour"),
]


async def test_every_wrong_field_is_named(desk: Any) -> None:
    for field, value, named in BAD_FIELDS:
        status, problem, headers = await desk.call("POST", "/api/v1/articles", {field: value})
        assert (status, problem["field"]) == (422, named), (field, value)
        assert headers["Content-Type"] == "application/problem+json"
    assert await desk.database["articles"].count({}) == 0
    assert await desk.database["slugs"].count({}) == 0


async def test_an_edit_is_held_to_the_same_rules(desk: Any) -> None:
    made = await desk.article()
    path = f"/api/v1/articles/{made['id']}"
    for patch, named in (({"section": "sports"}, "section"), ({"noindex": None}, "noindex")):
        status, problem, _ = await desk.call("PATCH", path, patch, match=1)
        assert (status, problem["field"]) == (422, named)
    _, unchanged, _ = await desk.call("GET", path)
    assert unchanged == made


async def test_bodies_that_are_no_json_object(desk: Any) -> None:
    headers = {"Authorization": f"Bearer {desk.tokens['editor']}"}
    for content_type, raw, expected in (
        ("application/json", b"{", 400),
        ("application/json", b"[]", 422),
        ("application/json", b'{"headline": "\\ud800"}', 400),
        ("text/plain", b"{}", 415),
        ("application/json", b'{"body": "' + b"x" * 1_100_000 + b'"}', 413),
    ):
        async with desk.client.post(
            "/api/v1/articles", data=BytesIO(raw), headers={**headers, "Content-Type": content_type}
        ) as answer:
            assert answer.status == expected
            assert (await answer.json(content_type=None))["field"]


async def test_publishing_names_everything_that_is_missing(desk: Any) -> None:
    _, picture = await desk.upload(_pixel())
    _, made, _ = await desk.call(
        "POST", "/api/v1/articles", {"lead_image": {"media_id": picture["media_id"]}}
    )
    status, problem, _ = await desk.call("POST", f"/api/v1/articles/{made['id']}/publish", match=1)
    assert status == 422
    assert [error["field"] for error in problem["errors"]] == [
        *("headline", "body", "section", "bylines", "lead_image.alt")
    ]


async def test_acts_refuse_wrong_bodies(desk: Any) -> None:
    article = await desk.published()
    bodies: list[tuple[str, dict[str, Any], str]] = [
        ("correct", {}, "text"),
        ("correct", {"text": "x", "kind": "excuse"}, "kind"),
        ("correct", {"text": "x" * 2001}, "text"),
        ("retract", {}, "reason"),
        ("retract", {"reason": " "}, "reason"),
        ("publish", {"now": True}, "now"),
        ("unpublish", {"why": "x"}, "why"),
    ]
    for name, body, named in bodies:
        status, problem, _ = await desk.call(
            "POST", f"/api/v1/articles/{article['id']}/{name}", body, role="chief", match="*"
        )
        assert (status, problem["field"]) == (422, named), (name, body)
    assert len(await desk.relayed()) == 1


async def test_changes_need_the_revision_that_was_seen(desk: Any) -> None:
    made = await desk.article()
    for method, suffix, body in (
        ("PATCH", "", {}),
        ("DELETE", "", {}),
        ("POST", "/publish", {}),
        ("POST", "/correct", {"text": "x"}),
        ("POST", "/retract", {"reason": "x"}),
        ("POST", "/unpublish", {}),
    ):
        path = f"/api/v1/articles/{made['id']}{suffix}"
        missing, problem, _ = await desk.call(method, path, body, role="chief")
        assert (missing, problem["field"]) == (428, "If-Match")
        stale, problem, headers = await desk.call(method, path, body, role="chief", match=7)
        assert (stale, problem["field"], problem["current_revision"]) == (412, "If-Match", 1)
        assert headers["ETag"] == '"1"'
        garbage, problem, _ = await desk.call(method, path, body, role="chief", match='"x"')
        assert (garbage, problem["field"]) == (412, "If-Match")
    _, unchanged, _ = await desk.call("GET", f"/api/v1/articles/{made['id']}")
    assert unchanged == made


async def test_what_is_not_there_is_404(desk: Any) -> None:
    for id in (UNKNOWN, "nonsense", "%00", "..%2f"):
        for method, path, body in (
            ("GET", "", None),
            ("PATCH", "", {"headline": "x"}),
            ("DELETE", "", None),
            ("POST", "/publish", None),
            ("GET", "/fanout", None),
            ("GET", "/fanout/stream", None),
            ("GET", "/revisions", None),
            ("GET", "/revisions/1", None),
        ):
            status, problem, _ = await desk.call(
                method, f"/api/v1/articles/{id}{path}", body, match="*"
            )
            assert (status, bool(problem["field"])) == (404, True), (id, method, path)


async def test_lists_refuse_wrong_parameters(desk: Any) -> None:
    for query, named in (
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("status=gone", "status"),
        ("colour=red", "colour"),
        ("status=draft&status=draft", "status"),
    ):
        status, problem, _ = await desk.call("GET", f"/api/v1/articles?{query}")
        assert (status, problem["field"]) == (422, named), query


def _pixel() -> bytes:
    out = BytesIO()
    Image.new("RGB", (2, 2)).save(out, "PNG")
    return out.getvalue()


async def test_an_upload_whose_field_has_no_name_that_is_text(desk: Any) -> None:
    headers = {
        "Authorization": f"Bearer {desk.tokens['editor']}",
        "Content-Type": "multipart/form-data; boundary=B",
    }
    raw = b'--B\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nabc\r\n--B--\r\n'
    async with desk.client.post("/api/v1/media", data=raw, headers=headers) as answer:
        assert (answer.status, (await answer.json(content_type=None))["field"]) == (422, "?")
