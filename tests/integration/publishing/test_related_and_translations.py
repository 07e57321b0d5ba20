"""Related articles never betray what is not public; one group has one article in each language."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.runtime.ids import new_id

pytestmark = pytest.mark.integration


async def last_of(desk: Any, article_id: str) -> Any:
    """The newest event of one article; those of others may come in any order."""
    sent = [event for event in await desk.relayed() if event.subject == article_id]
    return max(sent, key=lambda event: event.data.article.revision)


async def test_only_what_is_public_is_named_to_readers(desk: Any) -> None:
    public = await desk.published()
    draft = await desk.article(headline="Draft")
    embargo = (desk.clock.now() + timedelta(hours=1)).isoformat()
    held = await desk.article(headline="Held", embargo_until=embargo)
    await desk.act(held["id"], "publish")  # which schedules it for the end of the embargo
    withdrawn = await desk.published(headline="Withdrawn")
    await desk.act(withdrawn["id"], "unpublish")
    reviewed = await desk.article(headline="In review")
    await desk.act(reviewed["id"], "submit")
    secret = [one["id"] for one in (draft, held, withdrawn, reviewed)]
    related = [*secret, public["id"]]
    made = await desk.published(headline="About all of them", related=related)
    assert made["related"] == related
    sent = await last_of(desk, made["id"])
    assert sent.data.article.related == (public["id"],)
    stored = await desk.database["articles"].find_one({"_id": made["id"]})
    for text in (sent.model_dump_json(), str(stored["live"])):
        assert not any(id in text for id in secret)
    # It stays so while the other one changes, and follows with the next publication.
    await desk.act(draft["id"], "publish")
    _, read, _ = await desk.call("GET", f"/api/v1/articles/{made['id']}")
    assert read["unpublished_changes"] is True
    await desk.act(public["id"], "unpublish")
    await desk.act(made["id"], "publish")
    assert (await last_of(desk, made["id"])).data.article.related == (draft["id"],)


async def test_a_schedule_names_what_is_public_at_its_instant(desk: Any) -> None:
    author = {"slug": "ada-quill", "name": "Ada Quill"}
    await desk.call("POST", "/api/v1/authors", author)
    leaving, coming = await desk.published(), await desk.article(headline="Coming")
    related = [leaving["id"], coming["id"]]
    made = await desk.article(related=related, bylines=[{"author": "ada-quill"}])
    at = (desk.clock.now() + timedelta(seconds=5)).isoformat()
    await desk.act(made["id"], "schedule", {"at": at}, match=1)
    await desk.fire()  # prepares it
    await desk.act(leaving["id"], "unpublish")
    await desk.act(coming["id"], "publish")
    await desk.call("PATCH", "/api/v1/authors/ada-quill", {"name": "Ada Q. Quill"}, match=1)
    desk.clock.advance(5)
    await desk.fire()  # finds that what it names has changed
    await desk.fire()
    live = (await last_of(desk, made["id"])).data.article
    assert live.status == "published"
    assert live.related == (coming["id"],)
    assert live.bylines[0].name == "Ada Q. Quill"


async def test_a_related_article_must_exist_and_be_another(desk: Any) -> None:
    one = await desk.article()
    other = await desk.article()
    path = f"/api/v1/articles/{one['id']}"
    for related, field in (
        ([other["id"], new_id()], "related.1"),
        ([one["id"]], "related.0"),
        (["x"], "related.0"),
        ([other["id"]] * 2, "related"),
    ):
        status, problem, _ = await desk.call("PATCH", path, {"related": related}, match=1)
        assert (status, problem["field"]) == (422, field)
    status, problem, _ = await desk.call("POST", "/api/v1/articles", {"related": [new_id()]})
    assert (status, problem["field"]) == (422, "related.0")


async def test_a_related_draft_that_was_deleted_keeps_nobody_from_editing(desk: Any) -> None:
    other = await desk.article()
    one = await desk.article(related=[other["id"]])
    await desk.call("DELETE", f"/api/v1/articles/{other['id']}", match=1)
    path = f"/api/v1/articles/{one['id']}"
    status, edited, _ = await desk.call("PATCH", path, {"headline": "Another"}, match=1)
    assert status == 200
    await desk.act(one["id"], "publish", match=edited["revision"])
    assert (await last_of(desk, one["id"])).data.article.related == ()


async def test_one_article_for_each_language_of_a_group(desk: Any) -> None:
    english = await desk.published(translation_group="bridge")
    assert (await desk.relayed())[-1].data.article.translation_group == "bridge"
    # The first has no language of its own: it is in the publication's, which is English.
    status, problem, _ = await desk.call(
        "POST", "/api/v1/articles", {"translation_group": "bridge", "language": "en"}
    )
    assert (status, problem["field"]) == (409, "language")
    german = await desk.article(translation_group="bridge", language="de")
    path = f"/api/v1/articles/{german['id']}"
    status, problem, _ = await desk.call("PATCH", path, {"language": "en"}, match=1)
    assert (status, problem["field"]) == (409, "language")
    other = await desk.article(translation_group="other")
    path = f"/api/v1/articles/{other['id']}"
    status, problem, _ = await desk.call("PATCH", path, {"translation_group": "bridge"}, match=1)
    assert (status, problem["field"]) == (409, "language")
    path = f"/api/v1/articles/{english['id']}"
    await desk.call("PATCH", path, {"translation_group": None}, match="*")
    assert (await desk.article(translation_group="bridge"))["language"] == "en"


async def test_a_refused_translation_leaves_its_slug_to_the_next(desk: Any) -> None:
    await desk.article(slug="first", translation_group="bridge")
    fields = {"slug": "second", "translation_group": "bridge"}
    assert (await desk.call("POST", "/api/v1/articles", fields))[0] == 409
    assert (await desk.article(slug="second"))["slug"] == "second"


async def test_two_replicas_make_the_same_translation_at_once(
    start: Callable[[], Awaitable[Any]],
) -> None:
    one, other = await start(), await start()
    for number in range(10):
        fields = {"headline": "Bridge", "translation_group": f"bridge-{number}", "language": "de"}
        answers = await asyncio.gather(
            *(desk.call("POST", "/api/v1/articles", fields) for desk in (one, other))
        )
        assert sorted(status for status, _, _ in answers) == [201, 409]
        (problem,) = [body for status, body, _ in answers if status == 409]
        assert problem["field"] == "language"


async def test_two_edits_move_into_the_same_place_at_once(desk: Any) -> None:
    articles = [await desk.article(headline=f"Number {n}") for n in range(4)]
    answers = await asyncio.gather(
        *(
            desk.call(
                "PATCH", f"/api/v1/articles/{one['id']}", {"translation_group": "bridge"}, match=1
            )
            for one in articles
        )
    )
    assert sorted(status for status, _, _ in answers) == [200, 409, 409, 409]
