"""A deleted draft can be had back for thirty days, and a crash never loses it or its line in the log."""

from __future__ import annotations

from typing import Any

import pytest

from shared.storage.client import Collection

pytestmark = pytest.mark.integration


async def acts(desk: Any, article_id: str) -> list[str]:
    _, audit, _ = await desk.call("GET", f"/api/v1/audit?article={article_id}")
    return [line["act"] for line in audit["items"]]


async def test_a_deleted_draft_comes_back_as_it_was(desk: Any) -> None:
    made = await desk.article(tags=["bridge"])
    path = f"/api/v1/articles/{made['id']}"
    assert (await desk.call("DELETE", path, match=1))[0] == 204
    assert (await desk.call("GET", path))[0] == 404
    _, trash, _ = await desk.call("GET", "/api/v1/trash")
    (item,) = trash["items"]
    assert (item["id"], item["headline"]) == (made["id"], made["headline"])
    assert item["expires_at"] == "2026-12-23T09:30:00.000Z"
    status, back, _ = await desk.call("POST", f"/api/v1/trash/{made['id']}/restore")
    assert status == 200
    same = {key: value for key, value in made.items() if key not in {"revision", "updated_at"}}
    assert back | same == back
    assert back["revision"] == 3
    assert (await desk.call("GET", "/api/v1/trash"))[1]["items"] == []
    assert (await desk.call("POST", f"/api/v1/trash/{made['id']}/restore"))[0] == 404
    assert await acts(desk, made["id"]) == ["undelete", "delete", "create"]


async def test_it_comes_back_under_another_slug_where_its_own_is_taken(desk: Any) -> None:
    made = await desk.article(slug="bridge")
    await desk.call("DELETE", f"/api/v1/articles/{made['id']}", match=1)
    await desk.article(slug="bridge")
    _, back, _ = await desk.call("POST", f"/api/v1/trash/{made['id']}/restore")
    assert back["slug"] == "harbour-bridge-reopens"


async def test_thrown_away_it_is_gone(desk: Any) -> None:
    made = await desk.article()
    await desk.call("DELETE", f"/api/v1/articles/{made['id']}", match=1)
    assert (await desk.call("DELETE", f"/api/v1/trash/{made['id']}"))[0] == 204
    assert (await desk.call("DELETE", f"/api/v1/trash/{made['id']}"))[0] == 404
    assert await acts(desk, made["id"]) == ["purge", "delete", "create"]


async def test_a_contributor_has_only_their_own_back(desk: Any) -> None:
    other, own = await desk.article(), await desk.article(role="contributor")
    for article in (other, own):
        await desk.call("DELETE", f"/api/v1/articles/{article['id']}", match=1)
    path = "/api/v1/trash/{}/restore"
    status, problem, _ = await desk.call("POST", path.format(other["id"]), role="contributor")
    assert (status, problem["field"]) == (403, "Authorization")
    assert (await desk.call("POST", path.format(own["id"]), role="contributor"))[0] == 200


async def test_a_crash_after_deleting_leaves_its_line_to_the_repair(
    desk: Any, monkeypatch: pytest.MonkeyPatch, described_answers: list[str]
) -> None:
    made = await desk.article()
    insert = Collection.insert_one

    async def dies(self: Collection, document: Any) -> None:
        if self.name == "audit":
            raise RuntimeError("killed here")
        await insert(self, document)

    with monkeypatch.context() as crash:
        crash.setattr(Collection, "insert_one", dies)
        assert (await desk.call("DELETE", f"/api/v1/articles/{made['id']}", match=1))[0] == 500
    described_answers.clear()  # no client is told of our death
    assert await acts(desk, made["id"]) == ["create"]
    desk.clock.advance(6)
    await desk.repair()
    await desk.repair()
    assert await acts(desk, made["id"]) == ["delete", "create"]


async def test_a_crash_before_deleting_leaves_the_draft_and_no_trash(
    desk: Any, monkeypatch: pytest.MonkeyPatch, described_answers: list[str]
) -> None:
    made = await desk.article()

    async def dies(self: Collection, query: Any) -> bool:
        raise RuntimeError("killed here")

    with monkeypatch.context() as crash:
        crash.setattr(Collection, "delete_one", dies)
        assert (await desk.call("DELETE", f"/api/v1/articles/{made['id']}", match=1))[0] == 500
    described_answers.clear()  # no client is told of our death
    desk.clock.advance(6)
    await desk.repair()
    assert (await desk.call("GET", f"/api/v1/articles/{made['id']}"))[0] == 200
    assert (await desk.call("GET", "/api/v1/trash"))[1]["items"] == []
    assert await acts(desk, made["id"]) == ["create"]


async def test_corrected_articles_can_be_listed(desk: Any) -> None:
    await desk.published(headline="Right from the start")
    article = await desk.published()
    await desk.act(article["id"], "correct", {"text": "It was nine."})
    _, found, _ = await desk.call("GET", "/api/v1/articles?corrected=true")
    (one,) = found["items"]
    assert (one["id"], one["corrections"][0]["text"]) == (article["id"], "It was nine.")
