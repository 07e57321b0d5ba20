"""Review, and retractions that two people decide."""

from __future__ import annotations

from typing import Any

import pytest

from services.publishing.settings import PublishingSettings

pytestmark = pytest.mark.integration


async def test_an_article_goes_to_review_and_comes_back_with_a_note(desk: Any) -> None:
    made = await desk.article(role="contributor")
    path = f"/api/v1/articles/{made['id']}"
    sent = await desk.act(made["id"], "submit", match=1, role="contributor")
    assert sent["status"] == "in_review"
    assert sent["review"]["by"] == desk.people["contributor"]
    status, problem, _ = await desk.call(
        "PATCH", path, {"headline": "x"}, role="contributor", match=2
    )
    assert (status, problem["field"]) == (403, "Authorization")
    status, problem, _ = await desk.call("POST", f"{path}/return", {}, match=2)
    assert (status, problem["field"]) == (422, "note")
    back = await desk.act(made["id"], "return", {"note": "Who says so?"}, match=2, role="editor")
    assert (back["status"], back["review"]["note"]) == ("draft", "Who says so?")
    again = await desk.call("PATCH", path, {"headline": "She says so"}, role="contributor", match=3)
    assert again[0] == 200
    assert await desk.relayed() == []


async def test_a_contributor_submits_and_takes_back_only_their_own(desk: Any) -> None:
    other, own = await desk.article(role="editor"), await desk.article(role="contributor")
    path = f"/api/v1/articles/{other['id']}/submit"
    status, problem, _ = await desk.call("POST", path, role="contributor", match=1)
    assert (status, problem["field"]) == (403, "Authorization")
    await desk.act(own["id"], "submit", match=1, role="contributor")
    back = await desk.act(own["id"], "return", {"note": "Not yet."}, match=2, role="contributor")
    assert back["status"] == "draft"


async def test_a_withdrawn_article_is_never_a_mere_draft_again(desk: Any) -> None:
    public = await desk.published()
    await desk.act(public["id"], "unpublish")
    await desk.act(public["id"], "submit")
    back = await desk.act(public["id"], "return", {"note": "No."})
    assert back["status"] == "unpublished"
    status, problem, _ = await desk.call(
        "DELETE", f"/api/v1/articles/{public['id']}", match="*", role="chief"
    )
    assert (status, problem["current"]) == (409, "unpublished")


@pytest.fixture
def two_people(settings: PublishingSettings) -> PublishingSettings:
    object.__setattr__(settings, "retraction_second_person", True)
    return settings


async def test_a_second_person_confirms_a_retraction(
    two_people: PublishingSettings, start: Any
) -> None:
    desk = await start()
    article = await desk.published()
    path = f"/api/v1/articles/{article['id']}"
    status, waiting, _ = await desk.call(
        "POST", f"{path}/retract", {"reason": "Invented."}, role="chief", match=2
    )
    assert (status, waiting["status"]) == (202, "published")
    assert waiting["retraction_request"]["reason"] == "Invented."
    assert len(await desk.relayed()) == 1
    status, problem, _ = await desk.call("POST", f"{path}/retract/confirm", role="chief", match=3)
    assert (status, problem["field"]) == (403, "Authorization")
    status, problem, _ = await desk.call(
        "POST", f"{path}/retract", {"reason": "Again."}, role="admin", match=3
    )
    assert (status, problem["field"]) == (409, "retraction_request")
    done = await desk.act(article["id"], "retract/confirm", match=3, role="admin")
    assert (done["status"], done["retraction"]["reason"]) == ("retracted", "Invented.")
    assert "retraction_request" not in done
    assert [event.type for event in await desk.relayed()][-1] == "article.retracted"
    _, audit, _ = await desk.call("GET", f"/api/v1/audit?article={article['id']}")
    assert [line["act"] for line in audit["items"]] == [
        "retract", "ask_retraction", "publish", "create",
    ]  # fmt: skip


async def test_a_request_outlives_an_unpublish_and_a_publish(
    two_people: PublishingSettings, start: Any
) -> None:
    desk = await start()
    id = (await desk.published())["id"]
    path = f"/api/v1/articles/{id}/retract"
    await desk.call("POST", path, {"reason": "Invented."}, role="chief", match=2)
    for act, status in (("unpublish", "unpublished"), ("publish", "published")):
        done = await desk.act(id, act, role="editor")
        assert (done["status"], done["retraction_request"]["reason"]) == (status, "Invented.")
    done = await desk.act(id, "retract/confirm", role="admin")
    assert (done["status"], "retraction_request" in done) == ("retracted", False)


async def test_a_request_can_be_declined(two_people: PublishingSettings, start: Any) -> None:
    desk = await start()
    article = await desk.published()
    status, problem, _ = await desk.call(
        "POST", f"/api/v1/articles/{article['id']}/retract/decline", role="chief", match=2
    )
    assert (status, problem["field"]) == (409, "retraction_request")
    await desk.call(
        "POST", f"/api/v1/articles/{article['id']}/retract", {"reason": "x"}, role="chief", match=2
    )
    stands = await desk.act(article["id"], "retract/decline", match=3, role="admin")
    assert (stands["status"], "retraction_request" in stands) == ("published", False)
    assert len(await desk.relayed()) == 1
