"""Pictures in the body and in overrides: they must exist, they need words, and readers get them whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.integration

ORIGIN = "https://news.example"


async def test_a_picture_in_the_body_becomes_a_figure(desk: Any) -> None:
    _, stored = await desk.upload(desk.picture(900, 600))
    id = stored["media_id"]
    crops = {"1x1": {"x": 0.25, "y": 0, "width": 0.5, "height": 0.75}}
    image = {
        "media_id": id,
        "alt": "The bridge",
        "caption": "At <dawn>",
        "credit": "A. P.",
        "crops": crops,
    }
    body = f"Before.\n\n![](/media/{id}/w800.jpg)\n\nAfter."
    article = await desk.published(body=body, images=[image])
    assert article["images"][0]["crops"] == crops
    (event,) = await desk.relayed()
    live = event.data.article
    assert live.body_html == (
        f'<p>Before.</p>\n<figure><img src="{ORIGIN}/media/{id}/w800.jpg" alt="The bridge" '
        'width="800" height="533" loading="lazy"><figcaption>At &lt;dawn&gt; <small>A. P.</small>'
        "</figcaption></figure>\n<p>After.</p>\n"
    )
    (shown,) = live.images
    assert (shown.alt, shown.caption, shown.credit) == ("The bridge", "At <dawn>", "A. P.")
    assert [one.model_dump() for one in shown.renditions] == stored["renditions"]
    assert shown.crops["1x1"].height == 0.75


async def test_new_words_for_the_same_body_are_rendered(desk: Any) -> None:
    _, stored = await desk.upload(desk.picture(900, 600))
    id = stored["media_id"]
    made = await desk.published(body=f"![Own words](/media/{id}/w400.jpg)")
    path = f"/api/v1/articles/{made['id']}"
    images = [{"media_id": id, "caption": "New"}]
    status, edited, _ = await desk.call("PATCH", path, {"images": images}, match="*")
    assert (status, edited["unpublished_changes"]) == (200, True)
    await desk.act(made["id"], "publish")
    first, second = (event.data.article for event in await desk.relayed())
    assert (first.images[0].alt, first.images[0].caption) == ("Own words", None)
    assert (second.images[0].alt, second.images[0].caption) == ("Own words", "New")
    assert "<figcaption>New</figcaption>" in second.body_html
    status, edited, _ = await desk.call("PATCH", path, {"headline": "Other"}, match="*")
    await desk.act(made["id"], "publish")
    third = (await desk.relayed())[-1].data.article
    assert (third.body_html, third.images) == (second.body_html, second.images)


async def test_pictures_that_do_not_exist_are_named(desk: Any) -> None:
    _, stored = await desk.upload(desk.picture())
    id, gone = stored["media_id"], "0" * 32
    cases = [
        ({"images": [{"media_id": id}, {"media_id": gone}]}, "images.1.media_id"),
        ({"share": {"image": {"media_id": gone}}}, "share.image.media_id"),
        ({"lead_image": {"media_id": gone}}, "lead_image.media_id"),
        ({"body": f"![x](/media/{gone}/w800.jpg)"}, "body"),
        ({"body": f"![x](/media/{id}/w800.jpg)"}, "body"),
        ({"body": "![x](/media/ab/w800.jpg)"}, "body"),
        ({"body": f"![x](/media/{id}/original.jpg)\n" * 101}, "body"),
    ]
    for fields, field in cases:
        status, problem, _ = await desk.call("POST", "/api/v1/articles", fields)
        assert (status, problem["field"]) == (422, field), fields
    fine = f"![x](/media/{id}/original.jpg) ![y](https://x.example/media/{gone}/w800.jpg)"
    assert (await desk.call("POST", "/api/v1/articles", {"body": fine}))[0] == 201


async def test_a_picture_without_words_is_not_published(desk: Any) -> None:
    _, stored = await desk.upload(desk.picture())
    id = stored["media_id"]
    made = await desk.article(body=f"![](/media/{id}/original.jpg)")
    path = f"/api/v1/articles/{made['id']}"
    status, problem, _ = await desk.call("POST", f"{path}/publish", match=1)
    assert (status, problem["field"]) == (422, "body")
    assert id in problem["errors"][0]["message"]
    await desk.call("PATCH", path, {"images": [{"media_id": id}]}, match=1)
    status, problem, _ = await desk.call("POST", f"{path}/publish", match=2)
    assert (status, problem["field"]) == (422, "images.0.alt")
    await desk.call("PATCH", path, {"images": [{"media_id": id, "alt": "A slope"}]}, match=2)
    await desk.act(made["id"], "publish", match=3)


async def test_a_scheduled_article_keeps_its_words(desk: Any) -> None:
    _, stored = await desk.upload(desk.picture())
    made = await desk.article()
    at = (desk.clock.now() + timedelta(hours=1)).isoformat()
    await desk.act(made["id"], "schedule", {"at": at}, match=1)
    path, body = f"/api/v1/articles/{made['id']}", f"![](/media/{stored['media_id']}/original.jpg)"
    status, problem, _ = await desk.call("PATCH", path, {"body": body}, match=2)
    assert (status, problem["field"]) == (422, "body")
    images = [{"media_id": stored["media_id"], "alt": "A slope"}]
    fields = {"body": body, "images": images}
    assert (await desk.call("PATCH", path, fields, match=2))[0] == 200


async def test_overrides_reach_the_snapshot(desk: Any) -> None:
    _, stored = await desk.upload(desk.picture(900, 600))
    share = {"title": "Look", "image": {"media_id": stored["media_id"], "alt": "A slope"}}
    made = await desk.published(search={"description": "Found"}, share=share, direction="rtl")
    assert (made["search"], made["direction"]) == ({"description": "Found"}, "rtl")
    (event,) = await desk.relayed()
    live = event.data.article
    assert (live.search.title, live.search.description) == (None, "Found")
    assert (live.share.title, live.share.description, live.direction) == ("Look", None, "rtl")
    assert [one.model_dump() for one in live.share.image.renditions] == stored["renditions"]
    _, same, _ = await desk.call("PATCH", f"/api/v1/articles/{made['id']}", share_of(made), match=2)
    assert same["revision"] == 2


def share_of(article: dict[str, Any]) -> dict[str, Any]:
    """The override as it was read, sent back."""
    return {"share": article["share"]}


async def test_an_article_stored_before_these_fields(desk: Any) -> None:
    made = await desk.published()
    new = ["direction", "search", "share", "images", "related", "translation_group"]
    unset = {f"content.{name}": 1 for name in new} | {f"live.{name}": 1 for name in new[1:]}
    unset |= {"share_files": 1, "body_pictures": 1, "content.bylines.0.author": 1}
    await desk.database["articles"].update_one({"_id": made["id"]}, {"$unset": unset})
    path = f"/api/v1/articles/{made['id']}"
    status, read, _ = await desk.call("GET", path)
    assert (status, read) == (200, made)
    status, edited, _ = await desk.call("PATCH", path, {"headline": "New"}, match=2)
    assert (status, edited["unpublished_changes"]) == (200, True)
    await desk.act(made["id"], "publish", match=3)
