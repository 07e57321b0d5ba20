"""A deleted draft can be had back for thirty days, and a crash never loses it or its line in the log."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.storage.client import Collection
from shared.storage.errors import StorageUnavailable

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


async def test_what_a_crash_left_in_the_trash_beside_the_desk_goes_when_it_is_asked_for(
    desk: Any, monkeypatch: pytest.MonkeyPatch, described_answers: list[str]
) -> None:
    made = await desk.article()
    await desk.call("DELETE", f"/api/v1/articles/{made['id']}", match=1)
    path = f"/api/v1/trash/{made['id']}"

    async def dies(self: Collection, query: Any) -> bool:
        raise RuntimeError("killed here")

    with monkeypatch.context() as crash:
        crash.setattr(Collection, "delete_one", dies)
        assert (await desk.call("POST", f"{path}/restore"))[0] == 500
    described_answers.clear()  # no client is told of our death
    assert (await desk.call("DELETE", path))[0] == 404
    assert (await desk.call("GET", "/api/v1/trash"))[1]["items"] == []
    assert (await desk.call("GET", f"/api/v1/articles/{made['id']}"))[0] == 200


async def test_no_act_takes_the_place_of_one_whose_lines_are_owed(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await desk.article()
    path = f"/api/v1/articles/{made['id']}"
    insert = Collection.insert_one

    async def away(self: Collection, document: Any) -> None:
        if self.name in {"audit", "revisions"}:
            raise StorageUnavailable("the records are away")
        await insert(self, document)

    with monkeypatch.context() as outage:
        outage.setattr(Collection, "insert_one", away)
        assert (await desk.call("PATCH", path, {"headline": "Two"}, match=1))[0] == 200
        for method, match in (("PATCH", 2), ("DELETE", 2)):
            body = {"headline": "Three"} if method == "PATCH" else None
            assert (await desk.call(method, path, body, match=match))[0] == 503
    assert (await desk.call("PATCH", path, {"headline": "Three"}, match=2))[0] == 200
    assert (await desk.call("DELETE", path, match=3))[0] == 204
    assert await acts(desk, made["id"]) == ["delete", "edit", "edit", "create"]
    _, kept, _ = await desk.call("GET", f"{path}/revisions")
    assert [one["headline"] for one in kept["items"]][:2] == ["Three", "Two"]


async def test_corrected_articles_can_be_listed(desk: Any) -> None:
    await desk.published(headline="Right from the start")
    article = await desk.published()
    await desk.act(article["id"], "correct", {"text": "It was nine."})
    _, found, _ = await desk.call("GET", "/api/v1/articles?corrected=true")
    (one,) = found["items"]
    assert (one["id"], one["corrections"][0]["text"]) == (article["id"], "It was nine.")


async def test_of_several_who_delete_at_once_none_takes_the_draft_from_the_trash(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await desk.article()
    path = f"/api/v1/articles/{made['id']}"
    delete, everybody = Collection.delete_one, asyncio.Barrier(3)

    async def together(self: Collection, query: Any) -> bool:
        if self.name == "articles":
            await everybody.wait()
        return await delete(self, query)

    with monkeypatch.context() as race:
        race.setattr(Collection, "delete_one", together)
        answers = await asyncio.gather(*(desk.call("DELETE", path, match=1) for _ in range(3)))
    assert sorted(status for status, _, _ in answers) == [204, 404, 404]
    assert (await desk.call("POST", f"/api/v1/trash/{made['id']}/restore"))[0] == 200


async def test_a_late_deletion_takes_no_newer_revision_from_the_trash(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await desk.article()
    path = f"/api/v1/articles/{made['id']}"
    put = Collection.update_one

    async def overtaken(self: Collection, query: Any, update: Any, *, upsert: bool = False) -> bool:
        if self.name == "trash":
            monkeypatch.setattr(Collection, "update_one", put)
            await desk.call("PATCH", path, {"headline": "The last word"}, match=1)
            await desk.call("DELETE", path, match=2)
        return await put(self, query, update, upsert=upsert)

    monkeypatch.setattr(Collection, "update_one", overtaken)
    assert (await desk.call("DELETE", path, match=1))[0] == 404
    _, back, _ = await desk.call("POST", f"/api/v1/trash/{made['id']}/restore")
    assert (back["headline"], back["revision"]) == ("The last word", 4)


async def test_the_repair_takes_no_deletion_back_that_was_asked_for_again(
    desk: Any, monkeypatch: pytest.MonkeyPatch, described_answers: list[str]
) -> None:
    made = await desk.article()
    path = f"/api/v1/articles/{made['id']}"
    delete = Collection.delete_one

    async def dies(self: Collection, query: Any) -> bool:
        raise RuntimeError("killed here")

    async def again(self: Collection, query: Any) -> bool:
        monkeypatch.setattr(Collection, "delete_one", delete)
        assert (await desk.call("DELETE", path, match=1))[0] == 204
        return await delete(self, query)

    with monkeypatch.context() as crash:
        crash.setattr(Collection, "delete_one", dies)
        assert (await desk.call("DELETE", path, match=1))[0] == 500
    described_answers.clear()  # no client is told of our death
    desk.clock.advance(6)
    monkeypatch.setattr(Collection, "delete_one", again)
    await desk.repair()
    assert (await desk.call("POST", f"/api/v1/trash/{made['id']}/restore"))[0] == 200


async def test_who_takes_it_out_second_is_told_that_it_is_back(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await desk.article()
    await desk.call("DELETE", f"/api/v1/articles/{made['id']}", match=1)
    insert, both = Collection.insert_one, asyncio.Barrier(2)

    async def together(self: Collection, document: Any) -> None:
        if self.name == "articles":
            await both.wait()
        await insert(self, document)

    monkeypatch.setattr(Collection, "insert_one", together)
    path = f"/api/v1/trash/{made['id']}/restore"
    answers = await asyncio.gather(*(desk.call("POST", path) for _ in range(2)))
    (_, back, _), (status, problem, _) = sorted(answers, key=lambda answer: answer[0])
    assert (back["revision"], status, problem["field"]) == (3, 409, "id")
    assert (await desk.call("GET", f"/api/v1/articles/{made['id']}"))[1]["slug"] == made["slug"]
