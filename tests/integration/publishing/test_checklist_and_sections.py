"""The checklist of an article and the tree of sections, as the console reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.publishing.settings import PublishingSettings

pytestmark = pytest.mark.integration


async def test_the_checklist_says_what_blocks_until_nothing_does(desk: Any) -> None:
    _, made, _ = await desk.call("POST", "/api/v1/articles", {"headline": "H"})
    path = f"/api/v1/articles/{made['id']}"
    status, found, headers = await desk.call("GET", f"{path}/checklist", role="contributor")
    assert (status, found["ready"], headers["ETag"]) == (200, False, '"1"')
    assert all(set(one) == {"field", "level", "ok", "message"} for one in found["items"])
    blocking = [
        one["field"] for one in found["items"] if not one["ok"] and one["level"] == "blocking"
    ]
    status, problem, _ = await desk.call("POST", f"{path}/publish", match=1)
    assert status == 422
    assert [error["field"] for error in problem["errors"]] == blocking
    assert blocking == ["body", "section", "bylines"]
    fields = {"body": "B", "section": "city", "bylines": ["Ada"]}
    await desk.call("PATCH", path, fields, match=1)
    _, found, _ = await desk.call("GET", f"{path}/checklist")
    assert found["ready"] is True
    assert {one["field"] for one in found["items"] if not one["ok"]} == {
        *("standfirst", "summary", "tags", "lead_image")
    }
    await desk.act(made["id"], "publish", match=2)
    await desk.act(made["id"], "retract", {"reason": "Invented."})
    _, found, _ = await desk.call("GET", f"{path}/checklist")
    assert found["ready"] is False
    assert found["items"][0]["field"] == "status"


async def test_the_checklist_of_nothing(desk: Any) -> None:
    for id in ("01890000-0000-7000-8000-000000000000", "x"):
        status, problem, _ = await desk.call("GET", f"/api/v1/articles/{id}/checklist")
        assert (status, problem["field"]) == (404, "id")
    made = await desk.article()
    status, problem, _ = await desk.call("GET", f"/api/v1/articles/{made['id']}/checklist?deep=1")
    assert (status, problem["field"]) == (422, "deep")


class TestSectionsWithinSections:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> PublishingSettings:
        masthead = tmp_path / "tree.toml"
        masthead.write_text(
            'name = "The Test"\n'
            '[[sections]]\nslug = "football"\nname = "Football"\nparent = "sport"\n'
            '[[sections]]\nslug = "city"\nname = "City"\n'
            '[[sections]]\nslug = "sport"\nname = "Sport"\n'
        )
        return PublishingSettings(
            secret_key="a secret of more than thirty-two characters",
            public_url="https://news.example",
            publication=masthead,
        )

    async def test_the_tree(self, desk: Any) -> None:
        status, found, _ = await desk.call("GET", "/api/v1/sections", role="contributor")
        assert (status, found["next"]) == (200, None)
        assert found["items"] == [
            {"slug": "city", "name": "City", "path": ["city"]},
            {"slug": "sport", "name": "Sport", "path": ["sport"]},
            {
                "slug": "football",
                "name": "Football",
                "parent": "sport",
                "path": ["sport", "football"],
            },
        ]
        assert (await desk.article(section="football"))["section"] == "football"


async def test_an_article_of_a_section_that_is_gone_can_still_be_edited(
    desk: Any, settings: PublishingSettings, start: Any
) -> None:
    made = await desk.published(section="world")
    settings.publication.write_text(
        'name = "The Test"\n[[sections]]\nslug = "city"\nname = "City"\n'
    )
    later = await start()
    path = f"/api/v1/articles/{made['id']}"
    status, edited, _ = await later.call("PATCH", path, {"headline": "It was nine"}, match=2)
    assert (status, edited["section"]) == (200, "world")
    assert (await later.act(made["id"], "correct", {"text": "It was nine."}))["revision"] == 4
    assert (await later.call("PATCH", path, {"section": "city"}, match=4))[0] == 200
    status, problem, _ = await later.call("PATCH", path, {"section": "world"}, match=5)
    assert (status, problem["field"]) == (422, "section")
