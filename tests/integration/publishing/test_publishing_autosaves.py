"""Autosaves: the newest keystroke of each page is kept, and nobody but who typed it ever sees it."""

from __future__ import annotations

import asyncio
import random
from io import BytesIO
from typing import Any

import orjson
import pytest

pytestmark = pytest.mark.integration

SECRET = "XYZZY half typed"


async def _put(
    desk: Any,
    article: Any,
    seq: int,
    headline: Any = SECRET,
    *,
    session: str = "tab",
    role: str = "editor",
    base: int = 1,
    **content: Any,
) -> Any:
    body = {
        "session": session,
        "base_revision": base,
        "seq": seq,
        "content": {"headline": headline, **content},
    }
    path = f"/api/v1/articles/{article['id']}/autosave"
    return (await desk.call("PUT", path, body, role=role))[:2]


async def _mine(desk: Any, article: Any, role: str = "editor") -> Any:
    status, found, headers = await desk.call(
        "GET", f"/api/v1/articles/{article['id']}/autosave", role=role
    )
    assert (status, headers["Cache-Control"]) == (200, "no-store"), found
    return found


async def _save(desk: Any, article: Any, query: str, headline: str = "Saved") -> Any:
    path = f"/api/v1/articles/{article['id']}{query}"
    return (await desk.call("PATCH", path, {"headline": headline}, match="*"))[:2]


async def test_what_is_typed_is_found_again(desk: Any) -> None:
    article = await desk.article()
    content = {
        "canonical_url": "https://exa",
        "lead_image": None,
        "embargo_until": "tomor",
        "tags": ["", 5, {"$set": {"a.b": [None]}}],
        "body": "  trailing space ",
    }
    status, kept = await _put(desk, article, 1, **content)
    assert (status, kept) == (
        200,
        {
            "session": "tab",
            "seq": 1,
            "base_revision": 1,
            "saved_at": "2026-11-23T09:30:00.000Z",
            "stale": False,
            "current_revision": 1,
        },
    )
    found = await _mine(desk, article)
    assert found["current_revision"] == 1
    (one,) = found["items"]
    assert one["content"] == {"headline": SECRET, **content}
    assert (one["session"], one["seq"], one["base_revision"]) == ("tab", 1, 1)
    assert one["stale"] is False
    await _save(desk, article, "")
    found = await _mine(desk, article)
    assert (found["items"][0]["stale"], found["current_revision"]) == (True, 2)
    assert (await _put(desk, article, 2))[1]["stale"] is True


async def test_a_late_older_one_replaces_nothing(desk: Any) -> None:
    article = await desk.article()
    await _put(desk, article, 5, "five")
    status, problem = await _put(desk, article, 4, "four")
    assert (status, problem["field"]) == (409, "seq")
    assert "5" in problem["detail"]
    # The same again, as after a lost answer, is no error; another text under the same number is.
    assert (await _put(desk, article, 5, "five"))[0] == 200
    assert (await _put(desk, article, 5, "other"))[0] == 409
    assert [one["content"]["headline"] for one in (await _mine(desk, article))["items"]] == ["five"]


@pytest.mark.parametrize("seed", range(3))
async def test_the_newest_of_many_at_once_stays(desk: Any, start: Any, seed: int) -> None:
    article, other = await desk.article(), await start()
    other.tokens = desk.tokens
    numbers = list(range(1, 31))
    random.Random(seed).shuffle(numbers)
    answers = await asyncio.gather(
        *(_put((desk, other)[n % 2], article, n, f"text {n}") for n in numbers)
    )
    assert {status for status, _ in answers} <= {200, 409}
    (one,) = (await _mine(desk, article))["items"]
    assert (one["seq"], one["content"]["headline"]) == (30, "text 30")


async def test_two_pages_of_one_person_keep_both(desk: Any) -> None:
    article = await desk.article()
    await _put(desk, article, 9, "first tab", session="one")
    desk.clock.advance(1)
    await _put(desk, article, 1, "second tab", session="two")
    found = await _mine(desk, article)
    assert [(one["session"], one["content"]["headline"]) for one in found["items"]] == [
        ("two", "second tab"),
        ("one", "first tab"),
    ]
    path = f"/api/v1/articles/{article['id']}/autosave?session=two"
    for _ in range(2):
        assert (await desk.call("DELETE", path))[0] == 204
    assert [one["session"] for one in (await _mine(desk, article))["items"]] == ["one"]


async def test_saving_drops_what_was_saved_and_nothing_newer(desk: Any) -> None:
    article = await desk.article()
    await _put(desk, article, 3, session="one")
    await _put(desk, article, 3, session="two")
    assert (await _save(desk, article, ""))[0] == 200
    assert len((await _mine(desk, article))["items"]) == 2
    assert (await _save(desk, article, "?autosave_session=one&autosave_seq=2", "A"))[0] == 200
    assert len((await _mine(desk, article))["items"]) == 2
    assert (await _save(desk, article, "?autosave_session=one&autosave_seq=3", "B"))[0] == 200
    assert [one["session"] for one in (await _mine(desk, article))["items"]] == ["two"]
    # What is refused was not saved.
    path = f"/api/v1/articles/{article['id']}?autosave_session=two&autosave_seq=3"
    assert (await desk.call("PATCH", path, {"section": "gone"}, match="*"))[0] == 422
    assert (await desk.call("PATCH", path, {"headline": "C"}, match=1))[0] == 412
    assert len((await _mine(desk, article))["items"]) == 1


async def test_what_was_saved_does_not_come_back_by_a_late_request(desk: Any) -> None:
    article = await desk.article()
    # The request that carries number 4 is still on its way when number 5 is saved.
    assert (await _save(desk, article, "?autosave_session=tab&autosave_seq=5"))[0] == 200
    for seq in (4, 5):
        status, problem = await _put(desk, article, seq)
        assert (status, problem["field"]) == (409, "seq")
    assert (await _mine(desk, article))["items"] == []
    assert (await _put(desk, article, 6, "typed on"))[0] == 200
    path = f"/api/v1/articles/{article['id']}/autosave?session=tab"
    assert (await desk.call("DELETE", path))[0] == 204
    assert (await _put(desk, article, 6))[0] == 409
    assert (await _mine(desk, article))["items"] == []
    assert (await _put(desk, article, 7))[0] == 200


async def test_nobody_else_sees_it_anywhere(desk: Any) -> None:
    article = await desk.published()
    await _put(desk, article, 1, body=SECRET, base=2)
    await _save(desk, article, "", "Edited")
    await desk.act(article["id"], "publish")
    assert (await _mine(desk, article, "admin"))["items"] == []
    paths = [
        f"/api/v1/articles/{article['id']}",
        f"/api/v1/articles/{article['id']}/revisions",
        *(f"/api/v1/articles/{article['id']}/revisions/{n}" for n in (1, 2, 3, 4)),
        f"/api/v1/articles/{article['id']}/revisions/4/diff?against=live",
        f"/api/v1/articles/{article['id']}/lock",
        f"/api/v1/articles/{article['id']}/fanout",
        "/api/v1/articles?q=XYZZY",
        "/api/v1/articles",
        "/api/v1/audit",
    ]
    for path in paths:
        status, answer, _ = await desk.call("GET", path, role="admin")
        assert status == 200
        assert b"XYZZY" not in orjson.dumps(answer), path
    for event in await desk.relayed():
        assert "XYZZY" not in event.data.model_dump_json()
    for name in await desk.database.collection_names():
        for document in await desk.database[name].find({}):
            assert ("XYZZY" in str(document)) == (name == "autosaves"), name
    assert await desk.database["revisions"].count({"article_id": article["id"]}) == 4


async def test_typing_goes_on_whatever_becomes_of_the_article(desk: Any) -> None:
    article = await desk.article(role="contributor")
    await desk.act(article["id"], "publish")
    await desk.act(article["id"], "retract", {"reason": "Invented."})
    status, kept = await _put(desk, article, 1, role="contributor")
    assert (status, kept["stale"]) == (200, True)
    draft = await desk.article(role="contributor")
    await _put(desk, draft, 1, role="contributor")
    assert (await desk.call("DELETE", f"/api/v1/articles/{draft['id']}", match="*"))[0] == 204
    found = await _mine(desk, draft, "contributor")
    assert (found["items"][0]["stale"], "current_revision" in found) == (True, False)
    status, problem = await _put(desk, draft, 2, role="contributor")
    assert (status, problem["field"]) == (404, "id")
    status, problem, _ = await desk.call("GET", f"/api/v1/articles/{draft['id']}/autosave")
    assert (status, problem["field"]) == (404, "id")


async def test_a_contributor_types_only_in_articles_of_their_own(desk: Any) -> None:
    status, problem = await _put(desk, await desk.article(), 1, role="contributor")
    assert (status, problem["field"]) == (403, "Authorization")


async def test_autosaves_refuse_what_is_no_content(desk: Any) -> None:
    article = await desk.article()
    path = f"/api/v1/articles/{article['id']}/autosave"
    good: dict[str, Any] = {"session": "a", "base_revision": 1, "seq": 1, "content": {}}
    for change, named in (
        ({"session": "a b"}, "session"),
        ({"seq": -1}, "seq"),
        ({"seq": 10**15}, "seq"),
        ({"seq": "x"}, "seq"),
        ({"base_revision": -1}, "base_revision"),
        ({"content": []}, "content"),
        ({"content": {"colour": "red"}}, "content.colour.[key]"),
        ({"content": {"status": "published"}}, "content.status.[key]"),
        ({"content": {"body": "nul\x00"}}, "content.body"),
        ({"content": {"tags": [2**63]}}, "content.tags.0"),
        ({"shoe": 1}, "shoe"),
    ):
        status, problem, _ = await desk.call("PUT", path, good | change)
        assert (status, problem["field"]) == (422, named), change
    for name in good:
        body = {key: value for key, value in good.items() if key != name}
        status, problem, _ = await desk.call("PUT", path, body)
        assert (status, problem["field"]) == (422, name)
    headers = {
        "Authorization": f"Bearer {desk.tokens['editor']}",
        "Content-Type": "application/json",
    }
    large = orjson.dumps(good | {"content": {"body": "x" * 1_048_576}})
    async with desk.client.put(path, data=BytesIO(large), headers=headers) as answer:
        assert answer.status == 413
    for method, suffix, named in (
        ("DELETE", "", "session"),
        ("DELETE", "?session=", "session"),
        ("GET", "?session=a", "session"),
    ):
        status, problem, _ = await desk.call(method, path + suffix)
        assert (status, problem["field"]) == (422, named)
    for query, named in (
        ("?autosave_seq=1", "autosave_session"),
        ("?autosave_session=a", "autosave_seq"),
        ("?autosave_session=a&autosave_seq=x", "autosave_seq"),
        ("?autosave_session=a%20b&autosave_seq=1", "autosave_session"),
        ("?colour=red", "colour"),
    ):
        status, problem = await _save(desk, article, query)
        assert (status, problem["field"]) == (422, named), query
    assert await desk.database["autosaves"].count({}) == 0
    largest = good | {"content": {"body": "x" * 1_000_000}}
    assert (await desk.call("PUT", path, largest))[0] == 200
