"""Pictures: taken in once, cleaned, served unchanged for ever; what is no picture is refused."""

from __future__ import annotations

import io
from typing import Any

import pytest
from aiohttp import FormData
from PIL import Image

from shared.contracts.articles import ArticlePublished

pytestmark = pytest.mark.integration


async def test_a_picture_is_stored_and_served_in_every_size(desk: Any) -> None:
    status, stored = await desk.upload(desk.picture(2000, 1000), role="contributor")
    assert status == 201
    assert (stored["width"], stored["height"]) == (2000, 1000)
    assert [(one["name"], one["width"]) for one in stored["renditions"]] == [
        *(("original", 2000), ("w1600", 1600), ("w800", 800), ("w400", 400))
    ]
    for one in stored["renditions"]:
        path = one["url"].removeprefix("https://news.example")
        assert path.startswith(f"/media/{stored['media_id']}/")
        status, content, headers = await desk.call("GET", path, role=None)
        assert status == 200
        assert headers["Content-Type"] == one["media_type"] == "image/jpeg"
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert len(content) == one["size"]
        with Image.open(io.BytesIO(content)) as served:
            assert served.size == (one["width"], one["height"])
        status, nothing, _ = await desk.call(
            "GET", path, role=None, headers={"If-None-Match": headers["ETag"]}
        )
        assert (status, nothing) == (304, b"")
        status, nothing, head = await desk.call("HEAD", path, role=None)
        assert (status, nothing, head["Content-Length"]) == (200, b"", str(one["size"]))


async def test_the_same_picture_again_is_the_same_picture(desk: Any) -> None:
    first = await desk.upload(desk.picture())
    second = await desk.upload(desk.picture())
    assert first == second
    assert await desk.database["media"].count({}) == 1
    assert await desk.database["media.files"].count({}) == len(first[1]["renditions"])


async def test_a_published_article_carries_its_renditions(desk: Any) -> None:
    _, stored = await desk.upload(desk.picture(900, 600))
    image = {"media_id": stored["media_id"], "alt": "A bridge", "focus": [0.2, 0.4]}
    article = await desk.published(lead_image=image)
    assert article["lead_image"]["renditions"] == stored["renditions"]
    (event,) = await desk.relayed()
    assert isinstance(event.data, ArticlePublished)
    lead = event.data.article.lead_image
    assert lead is not None
    assert lead.focus == (0.2, 0.4)
    assert [one.model_dump() for one in lead.renditions] == stored["renditions"]


async def test_what_is_no_picture_is_refused(desk: Any) -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    cases = [
        svg,
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 50,
        desk.picture()[:200],
        desk.picture(kind="BMP"),
        b"",
    ]
    for content in cases:
        status, problem = await desk.upload(content)
        assert (status, problem["field"]) == (422, "file")
    status, problem = await desk.upload(desk.picture(), name="other")
    assert (status, problem["field"]) == (422, "other")
    assert await desk.database["media"].count({}) == 0


async def test_uploads_that_are_too_large_or_malformed(desk: Any) -> None:
    status, problem = await desk.upload(io.BytesIO(b"\xff" * (20 * 1024 * 1024 + 1)))
    assert (status, problem["field"]) == (413, "file")
    headers = {"Authorization": f"Bearer {desk.tokens['editor']}"}
    for content_type, raw, expected in (
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=b", b"--b\r\nbroken", 400),
        ("multipart/form-data; boundary=b", b"--b--\r\n", 422),
    ):
        async with desk.client.post(
            "/api/v1/media", data=raw, headers={**headers, "Content-Type": content_type}
        ) as answer:
            problem = await answer.json(content_type=None)
            assert (answer.status, bool(problem["field"])) == (expected, True), raw
    form = FormData()
    form.add_field("file", desk.picture(), filename="a.jpg")
    form.add_field("file", desk.picture(), filename="b.jpg")
    async with desk.client.post("/api/v1/media", data=form, headers=headers) as answer:
        assert answer.status == 422


async def test_pictures_that_are_not_there(desk: Any) -> None:
    _, stored = await desk.upload(desk.picture())
    for path in ("zz/original.jpg", f"{'0' * 32}/original.jpg", f"{stored['media_id']}/w9.jpg"):
        status, problem, _ = await desk.call("GET", f"/media/{path}", role=None)
        assert (status, problem["field"]) == (404, "id")
