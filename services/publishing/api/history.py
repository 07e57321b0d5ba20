"""What was done and by whom: the revisions of an article and the audit log. Read only."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from services.publishing.api.act_texts import ARTICLES
from services.publishing.api.calendar import A_MOMENT, instant
from services.publishing.api.history_answers import AuditLine, RevisionAnswer, RevisionLine
from services.publishing.api.shown import shown
from services.publishing.store.records import RecordStore
from shared.contracts.identity import Role
from shared.storage.client import Document
from shared.web.description import PAGING, Answer, Operation, Page, Parameter, Tag, described
from shared.web.identity import require_role
from shared.web.problems import Problem, not_found
from shared.web.requests import json_response, paging, path_id, query_values, whole_number

FILTERS = {"article": "article_id", "person": "by", "about": "about", "act": "act"}
"""`person` is who acted, `about` the person whom the act concerned."""

AUDIT = Operation(
    "list_audit",
    "Read the audit log, newest first",
    Tag("Audit", "Who did what and when."),
    {200: Answer("Lines that match.", Page[AuditLine])},
    role=Role.EDITOR,
    text="Only an admin sees the addresses from which people signed in.",
    query=(
        Parameter("article", "Acts on this article."),
        Parameter("person", "Acts of this person."),
        Parameter("about", "Acts that concern this person."),
        Parameter("act", "Acts of this name.", example="publish"),
        Parameter("since", "From this moment on.", A_MOMENT),
        Parameter("until", "Until before this moment.", A_MOMENT),
        *PAGING,
    ),
)
REVISIONS = Operation(
    "list_revisions",
    "List an article's revisions, newest first",
    ARTICLES,
    {200: Answer("Who made which revision.", Page[RevisionLine])},
    role=Role.CONTRIBUTOR,
    query=PAGING,
)
NUMBER = Parameter("revision", "Its number.", {"type": "integer", "minimum": 1}, 3)
REVISION = Operation(
    "read_revision",
    "Read one revision",
    ARTICLES,
    {200: Answer("The article as it was.", RevisionAnswer)},
    role=Role.CONTRIBUTOR,
    path=(NUMBER,),
)


def _cursor(line: Document) -> str:
    raw = f"{int(line['at'].timestamp() * 1000)} {line['_id']}"
    return base64.urlsafe_b64encode(raw.encode()).decode()


def _behind(cursor: str | None) -> Document | None:
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
        milliseconds, id = raw.split(" ")
        if not id:
            raise ValueError("no id")
        return {"at": datetime.fromtimestamp(int(milliseconds) / 1000, UTC), "_id": id}
    except (ValueError, OverflowError, OSError, binascii.Error) as error:
        raise Problem(422, "cursor is not one of ours", field="cursor") from error


def _public(document: Document, reader: Role) -> dict[str, Any]:
    names = {"_id": "id", "article_id": "article"}
    line = {names.get(key, key): value for key, value in document.items()}
    if reader < Role.ADMIN:  # where colleagues sign in from is not a newsroom's business
        line["detail"] = {k: v for k, v in line["detail"].items() if k != "address"}
    return line


def routes(records: RecordStore) -> list[web.AbstractRouteDef]:
    async def audit(request: web.Request) -> web.Response:
        reader = await require_role(request, Role.EDITOR)
        values = query_values(request, {*FILTERS, "since", "until", "limit", "cursor"})
        limit, cursor = paging(values)
        filters = {FILTERS[name]: values[name] for name in FILTERS if name in values}
        since = instant(values, "since") if "since" in values else None
        until = instant(values, "until") if "until" in values else None
        found = await records.audit_page(filters, since, until, _behind(cursor), limit + 1)
        items = found[:limit]
        return json_response(
            {
                "items": shown([_public(line, reader.role) for line in items]),
                "next": _cursor(items[-1]) if len(found) > limit else None,
            }
        )

    async def revisions(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        limit, cursor = paging(query_values(request, {"limit", "cursor"}))
        before = whole_number(cursor, "cursor") if cursor else None
        found = await records.revisions(path_id(request), before, limit + 1)
        if not found and before is None:
            raise not_found("article")
        items = [
            {
                "revision": one["revision"],
                "status": one["status"],
                "headline": one["content"]["headline"],
                **one["act"],
            }
            for one in found[:limit]
        ]
        return json_response(
            {
                "items": shown(items),
                "next": str(items[-1]["revision"]) if len(found) > limit else None,
            }
        )

    async def revision(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        number = whole_number(request.match_info["revision"], "revision", status=404)
        found = await records.one_revision(path_id(request), number)
        if found is None:
            raise not_found("revision", "revision")
        content = {
            **found.pop("content"),
            "slug": found["slug"],
            "language": found["language"],
            "id": found["article_id"],
        }
        kept = ("revision", "status", "publication", "published_at", "updated_at", "act")
        return json_response(shown({**content, **{key: found[key] for key in kept}}))

    return [
        described(web.get("/api/v1/audit", audit), AUDIT),
        described(web.get("/api/v1/articles/{id}/revisions", revisions), REVISIONS),
        described(web.get("/api/v1/articles/{id}/revisions/{revision}", revision), REVISION),
    ]
