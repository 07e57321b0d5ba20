"""A newsroom that stays in its CMS: what it publishes is published here, and what it takes back is taken back."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook

from shared.contracts.articles import (
    ArticleEvent,
    ArticlePublished,
    ArticleUnpublished,
    ArticleUpdated,
)
from shared.runtime.ids import new_id

SOURCES = "/api/v1/inbound-sources"


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Cms:
    """A CMS that shares a secret with the desk."""

    desk: Any
    name: str
    kind: str
    secret: str

    async def send(
        self, document: Any, *, at: datetime | None = None, id: str | None = None
    ) -> tuple[int, Any]:
        at = at or self.desk.clock.now()
        body = json.dumps(document)
        if self.kind == "ghost":
            stamp = str(int(at.timestamp() * 1000))
            digest = hmac.new(
                self.secret.encode(), (body + stamp).encode(), hashlib.sha256
            ).hexdigest()
            headers = {"X-Ghost-Signature": f"sha256={digest}, t={stamp}"}
        else:
            id = id or f"msg_{new_id()}"
            headers = {"webhook-id": id, "webhook-timestamp": str(int(at.timestamp()))}
            headers["webhook-signature"] = Webhook(self.secret).sign(id, at, body)
        path = f"/api/v1/inbound/{self.name}"
        headers["Content-Type"] = "application/json"
        async with self.desk.client.post(path, data=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    def post(self, at: datetime, **changes: Any) -> dict[str, Any]:
        """The CMS's own form of: this article is public there since it was changed at `at`."""
        title = changes.pop("title", "Bridge reopens")
        if self.kind == "ghost":
            current = {
                "id": "a1", "title": title, "slug": "bridge", "html": "<p>It <b>reopened</b>.</p>",
                "status": "published", "visibility": "public", "published_at": iso(at), "updated_at": iso(at),
                "authors": [{"name": "Ana Quill"}], "tags": [{"slug": "city", "name": "City"}],
                "url": "https://old.example/bridge/",
            }  # fmt: skip
            return {"post": {"current": current | changes, "previous": {}}}
        if self.kind == "wordpress":
            post = {
                "id": 12, "title": title, "slug": "bridge", "content": "<p>It <b>reopened</b>.</p>",
                "published_at": iso(at), "link": "https://old.example/bridge/", "authors": [{"name": "Ana Quill"}],
                "categories": [{"slug": "city", "name": "City"}], "tags": ["bridges"],
            }  # fmt: skip
            return {"type": "article.published", "sent_at": iso(at), "post": post | changes}
        article = {
            "headline": title,
            "body": "It **reopened**.",
            "section": "city",
            "bylines": ["Ana Quill"],
        }
        return {
            "type": "article.published",
            "external_id": "12",
            "updated_at": iso(at),
            "article": article | changes,
        }

    def end(self, at: datetime) -> dict[str, Any]:
        if self.kind == "ghost":
            return {"post": {"current": {"id": "a1", "title": "x", "status": "draft", "updated_at": iso(at)},
                             "previous": {"status": "published"}}}  # fmt: skip
        if self.kind == "wordpress":
            return {"type": "article.withdrawn", "sent_at": iso(at), "post": {"id": 12}}
        return {"type": "article.withdrawn", "external_id": "12", "updated_at": iso(at)}


async def registered(desk: Any, kind: str, **more: Any) -> Cms:
    body = {"name": f"{kind}.example", "kind": kind, **more}
    status, made, _ = await desk.call("POST", SOURCES, body, role="admin")
    assert status == 201, made
    return Cms(desk, body["name"], kind, made["secret"])


@pytest.fixture(params=["wordpress", "ghost", "standard"])
async def cms(desk: Any, request: Any) -> Cms:
    return await registered(desk, request.param)


async def told(desk: Any) -> list[ArticleEvent]:
    return [one.data for one in await desk.relayed() if isinstance(one.data, ArticleEvent)]


async def test_published_changed_and_taken_back(desk: Any, cms: Cms) -> None:
    at = desk.clock.now() - timedelta(seconds=30)
    status, made = await cms.send(cms.post(at))
    assert (status, made["outcome"], made["status"]) == (200, "created", "published"), made
    status, changed = await cms.send(cms.post(at + timedelta(seconds=1), title="Bridge is open"))
    assert (status, changed["outcome"]) == (200, "updated")
    status, gone = await cms.send(cms.end(at + timedelta(seconds=2)))
    assert (status, gone["outcome"], gone["status"]) == (200, "withdrawn", "unpublished")
    status, back = await cms.send(cms.post(at + timedelta(seconds=3)))
    assert (status, back["outcome"], back["status"]) == (200, "updated", "published")
    assert {made["id"], changed["id"], gone["id"], back["id"]} == {made["id"]}
    events = await told(desk)
    assert [type(one) for one in events] == [
        ArticlePublished,
        ArticleUpdated,
        ArticleUnpublished,
        ArticlePublished,
    ]
    # Unlike an import: everybody is told, and the second publication is a second one.
    assert [one.article.imported for one in events] == [False] * 4
    assert [one.article.publication for one in events] == [1, 1, 1, 2]
    assert events[0].article.body == "It **reopened**."
    assert events[0].article.section == "city"
    assert events[0].article.bylines[0].name == "Ana Quill"
    assert events[1].article.headline == "Bridge is open"


async def test_the_same_twice_and_an_older_one_change_nothing(desk: Any, cms: Cms) -> None:
    at = desk.clock.now() - timedelta(seconds=30)
    first, second = cms.post(at), cms.post(at + timedelta(seconds=5), title="Newer")
    await cms.send(second)
    answers = [await cms.send(second), await cms.send(first), await cms.send(cms.end(at))]
    assert [status for status, _ in answers] == [200] * 3
    assert answers[0][1]["outcome"] in {"unchanged", "ignored"}
    assert [one["ignored"] for _, one in answers[1:]] == ["older", "older"]
    assert len(await told(desk)) == 1
    await cms.send(cms.end(at + timedelta(seconds=9)))
    _, late = await cms.send(second)
    assert late.get("ignored") in {"older", "seen"}
    assert len(await told(desk)) == 2


async def test_a_replay_is_taken_once(desk: Any) -> None:
    cms = await registered(desk, "standard")
    document = cms.post(desk.clock.now())
    assert (await cms.send(document, id="msg_1"))[1]["outcome"] == "created"
    assert (await cms.send(document, id="msg_1"))[1]["ignored"] == "seen"
    # What was refused was not taken, and may come again as it is.
    bad = cms.post(desk.clock.now(), section="nowhere") | {"external_id": "13"}
    for _ in range(2):
        assert (await cms.send(bad, id="msg_2"))[0] == 422


async def test_many_at_once_are_one(desk: Any, cms: Cms) -> None:
    document = cms.post(desk.clock.now())
    answers = await asyncio.gather(*(cms.send(document) for _ in range(8)))
    assert [status for status, _ in answers] == [200] * 8
    assert await desk.database["articles"].count({}) == 1
    assert len(await told(desk)) == 1


async def test_a_persons_work_stays_and_a_withdrawal_follows_all_the_same(
    desk: Any, cms: Cms
) -> None:
    at = desk.clock.now()
    _, made = await cms.send(cms.post(at))
    path = f"/api/v1/articles/{made['id']}"
    assert (await desk.call("PATCH", path, {"headline": "Ours"}, match="*"))[0] == 200
    status, problem = await cms.send(cms.post(at + timedelta(seconds=1), title="Theirs"))
    assert (status, problem["field"]) == (409, "external_id")
    assert made["id"] in problem["detail"]
    _, lines, _ = await desk.call("GET", f"/api/v1/audit?article={made['id']}&act=import_refused")
    assert [line["by_name"] for line in lines["items"]] == [cms.name]
    status, gone = await cms.send(cms.end(at + timedelta(seconds=2)))
    assert (status, gone["status"]) == (200, "unpublished")
    _, article, _ = await desk.call("GET", path)
    assert article["headline"] == "Ours"
    status, _ = await cms.send(cms.post(at + timedelta(seconds=3), title="Theirs"))
    assert status == 409


async def test_without_auto_publish_a_person_publishes(desk: Any) -> None:
    cms = await registered(desk, "ghost", auto_publish=False)
    at = desk.clock.now()
    _, made = await cms.send(cms.post(at))
    assert made["status"] == "draft"
    _, again = await cms.send(cms.post(at + timedelta(seconds=1), title="Better"))
    assert (again["status"], again["outcome"]) == ("draft", "updated")
    assert await told(desk) == []
    done = await desk.act(made["id"], "publish")
    assert done["headline"] == "Better"


async def test_an_archive_that_was_imported_is_followed_quietly(desk: Any) -> None:
    cms = await registered(desk, "wordpress")
    old = {"headline": "Bridge", "body": "x", "section": "city", "bylines": ["Ana"], "slug": "bridge",
           "status": "published", "published_at": "2019-05-03T10:00:00Z"}  # fmt: skip
    path = f"/api/v1/imports/{cms.name}/12"
    _, made, _ = await desk.call("PUT", path, old, role="admin")
    status, changed = await cms.send(cms.post(desk.clock.now()))
    assert (status, changed["id"], changed["outcome"]) == (200, made["id"], "updated")
    last = (await told(desk))[-1]
    assert (last.article.imported, last.article.slug) == (True, "bridge")
    assert last.article.published_at.isoformat() == "2019-05-03T10:00:00+00:00"


async def test_premium_and_embargo_are_respected(desk: Any) -> None:
    ghost, standard = await registered(desk, "ghost"), await registered(desk, "standard")
    await ghost.send(ghost.post(desk.clock.now(), visibility="members"))
    (event,) = await told(desk)
    assert event.article.access == "premium"
    until = iso(desk.clock.now() + timedelta(hours=1))
    _, held = await standard.send(standard.post(desk.clock.now(), embargo_until=until))
    assert held["status"] == "draft"
    assert "embargo" in held["notes"][0]
    assert len(await told(desk)) == 1


async def test_pictures_are_taken_in_and_those_that_cannot_be_had_are_named(
    desk: Any, start: Any, settings: Any
) -> None:
    async def serve(request: web.Request) -> web.Response:
        if request.path == "/gone.jpg":
            raise web.HTTPNotFound
        return web.Response(body=desk.picture(), content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/{name}", serve)
    async with TestServer(app, host="127.0.0.1") as server:
        base = f"http://127.0.0.1:{server.port}"
        html = f'<p>a</p><img src="{base}/in.jpg" alt="In"><img src="{base}/gone.jpg" alt="Gone">'
        cms = await registered(desk, "ghost")
        document = cms.post(
            desk.clock.now(), html=html, feature_image=f"{base}/f.jpg", feature_image_alt="Lead"
        )
        status, made = await cms.send(document)
        assert status == 200
        assert len([note for note in made["notes"] if "picture http" in note]) == 3
        object.__setattr__(settings, "allow_private_hosts", ("127.0.0.1",))
        open_desk = await start()
        cms.desk = open_desk
        document["post"]["current"]["updated_at"] = iso(desk.clock.now() + timedelta(seconds=1))
        status, made = await cms.send(document)
        assert (status, made["outcome"]) == (200, "updated"), made
        assert [note for note in made["notes"] if "404" in note]
        article = (await told(open_desk))[-1].article
        assert article.lead_image is not None
        assert article.lead_image.alt == "Lead"
        assert [image.alt for image in article.images] == ["In"]


@pytest.mark.parametrize(
    ("kind", "spoil", "field"),
    [
        ("ghost", lambda d: d["post"]["current"].update(title="x" * 400), "headline"),
        ("ghost", lambda d: d["post"]["current"].update(tags=[]), "section"),
        ("ghost", lambda d: d["post"]["current"].update(authors=[]), "bylines"),
        ("ghost", lambda d: d["post"]["current"].update(status="odd"), "post.current"),
        ("ghost", lambda d: d["post"].update(current={}, previous={}), "post.current.id"),
        ("wordpress", lambda d: d["post"].update(id=0), "post.id"),
        ("wordpress", lambda d: d["post"].update(content="<div>" * 5000), "post"),
        ("wordpress", lambda d: d["post"].update(published_at=""), "post.published_at"),
        ("wordpress", lambda d: d.update(type="nonsense"), "type"),
        ("wordpress", lambda d: d.update(more=1), "more"),
        ("standard", lambda d: d.pop("article"), "article"),
        ("standard", lambda d: d["article"].update(section="nowhere"), "section"),
        ("standard", lambda d: d["article"].update(headline=3), "article.headline"),
        ("standard", lambda d: d.update(external_id=""), "external_id"),
        ("standard", lambda d: d.update(updated_at="soon"), "updated_at"),
    ],
)
async def test_a_wrong_message_is_refused_by_name(
    desk: Any, kind: str, spoil: Any, field: str
) -> None:
    cms = await registered(desk, kind)
    document = cms.post(desk.clock.now())
    spoil(document)
    status, problem = await cms.send(document)
    assert (status, problem["field"]) == (422, field)
    assert await desk.database["articles"].count({}) == 0


async def test_what_is_about_no_article_is_ignored(desk: Any) -> None:
    cms = await registered(desk, "ghost")
    for document in ({"page": {}}, {"post": 3}, cms.post(desk.clock.now(), type="page")):
        status, answer = await cms.send(document)
        assert (status, answer["outcome"]) == (200, "ignored")
    assert (await cms.send(cms.end(desk.clock.now())))[1]["ignored"] == "unknown"


async def test_who_is_not_trusted_learns_nothing(desk: Any, cms: Cms) -> None:
    document = cms.post(desk.clock.now())
    header = "X-Ghost-Signature" if cms.kind == "ghost" else "webhook-signature"
    stranger = Cms(desk, cms.name, cms.kind, "d2hzZWNfbm90IHRoZSBzZWNyZXQ=")
    status, problem = await stranger.send(document)
    assert (status, problem["field"]) == (401, header)
    status, _ = await cms.send(document, at=desk.clock.now() - timedelta(minutes=6))
    assert status == 401
    path = f"/api/v1/inbound/{cms.name}"
    for body in (b"", b"{}", b"\xff", b"[" * 100):
        headers = {"Content-Type": "application/json"}
        async with desk.client.post(path, data=body, headers=headers) as answer:
            assert answer.status == 401
            assert (await answer.json(content_type=None))["field"]
    assert await desk.database["articles"].count({}) == 0
    status, problem = await Cms(desk, "unknown", cms.kind, cms.secret).send(document)
    assert (status, problem["field"]) == (404, "source")


async def test_signed_nonsense_is_a_client_error(desk: Any, cms: Cms) -> None:
    for document in (3, [], "x", {"a": "\x00"}, {"post": {"current": {"id": "\x00"}}}):
        status, problem = await cms.send(document)
        assert 400 <= status < 500
        assert problem["field"]


async def test_sources_are_registered_shown_without_secret_and_removed(desk: Any) -> None:
    body = {"name": "old.example", "kind": "wordpress", "default_section": "city",
            "section_map": {"Lokales & $mehr.": "world"}, "language": "en"}  # fmt: skip
    status, made, headers = await desk.call("POST", SOURCES, body, role="admin")
    assert status == 201
    assert made["secret"].startswith("whsec_")
    assert headers["Cache-Control"] == "no-store"
    stored = await desk.database["inbound_sources"].find_one({"_id": "old.example"})
    assert made["secret"].encode() not in bytes(stored["sealed"])
    _, listed, _ = await desk.call("GET", SOURCES, role="admin")
    assert [one["section_map"] for one in listed["items"]] == [body["section_map"]]
    assert "secret" not in listed["items"][0]
    status, problem, _ = await desk.call("POST", SOURCES, body, role="admin")
    assert (status, problem["field"]) == (409, "name")
    for change, field in (
        ({"default_section": "no"}, "default_section"),
        ({"section_map": {"a": "no"}}, "section_map.a"),
        ({"kind": "joomla"}, "kind"),
        ({"name": "A b"}, "name"),
        ({"more": 1}, "more"),
    ):
        status, problem, _ = await desk.call("POST", SOURCES, body | change, role="admin")
        assert (status, problem["field"]) == (422, field)
    path = f"{SOURCES}/old.example"
    assert (await desk.call("DELETE", path, role="admin"))[0] == 204
    assert (await desk.call("DELETE", path, role="admin"))[0] == 404


async def test_a_secret_sealed_with_another_key_is_said(desk: Any) -> None:
    cms = await registered(desk, "ghost")
    await desk.database["inbound_sources"].update_one({"_id": cms.name}, {"$set": {"sealed": b"x"}})
    status, problem = await cms.send(cms.post(desk.clock.now()))
    assert (status, problem["field"]) == (409, "source")


async def test_a_source_is_told_its_whole_address_and_is_in_the_audit_log(desk: Any) -> None:
    body = {"name": "old.example", "kind": "wordpress"}
    _, made, _ = await desk.call("POST", SOURCES, body, role="admin")
    assert made["endpoint"] == "https://news.example/api/v1/inbound/old.example"
    assert (await desk.call("DELETE", f"{SOURCES}/old.example", role="admin"))[0] == 204
    _, audit, _ = await desk.call("GET", "/api/v1/audit")
    assert [(line["act"], line["detail"]) for line in audit["items"]] == [
        ("inbound_source.remove", {"source": "old.example"}),
        ("inbound_source.add", {"source": "old.example"}),
    ]
