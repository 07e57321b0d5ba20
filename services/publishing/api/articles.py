"""Articles over HTTP: create, list, read, edit and delete."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast
from zoneinfo import ZoneInfo

from aiohttp import web

from services.publishing.api.act_texts import (
    ARTICLES,
    NOT_YOURS,
    ONE,
    SLUG_TAKEN,
    WRONG_STATUS,
)
from services.publishing.api.article_answers import WRITTEN, ArticleAnswer, ArticleBrief
from services.publishing.api.autosaves import AUTOSAVED, PAGE, page_from
from services.publishing.api.reaction import reaction_json
from services.publishing.api.refusals import refusing
from services.publishing.api.shown import shown
from services.publishing.domain.article import (
    WorkingCopy,
    article_url,
    has_unpublished_changes,
    lead_image,
)
from services.publishing.domain.content import Content
from services.publishing.domain.search import words
from services.publishing.store.desk import DeskStore, Wanted, standing_json
from services.publishing.store.figures import FigureStore
from services.publishing.usecases import trash, writing
from services.publishing.usecases.autosaving import Autosaves, saved
from services.publishing.usecases.change import load
from services.publishing.usecases.ports import Newsroom
from shared.contracts.articles import Status
from shared.contracts.identity import Role
from shared.runtime.ids import is_id
from shared.runtime.publication import written_language
from shared.web.description import PAGING, Answer, Operation, Page, Parameter, described
from shared.web.identity import require_role
from shared.web.problems import Problem
from shared.web.requests import (
    etag_of,
    json_response,
    paging,
    path_id,
    query_values,
    read_json,
    require_match,
)

FILTERS = {"section", "tag", "created_by", "author", "language", "translation_group"}
FLAG = {"enum": ["true", "false"], "default": "false"}

CREATE = Operation(
    "create_article",
    "Create a draft",
    ARTICLES,
    {201: Answer("The draft.", ArticleAnswer, headers=("ETag", "Location"))},
    role=Role.CONTRIBUTOR,
    text="Nothing is needed but what is known so far; publishing asks for the rest.",
    body=Content,
    example=WRITTEN,
    refusals=(SLUG_TAKEN,),
)
LIST = Operation(
    "list_articles",
    "List articles, newest first",
    ARTICLES,
    {200: Answer("Articles in brief.", Page[ArticleBrief])},
    role=Role.CONTRIBUTOR,
    text="Of several filters all must hold.",
    query=(
        Parameter(
            "status",
            f"Some of {', '.join(Status)}, with commas between them.",
            example="draft,in_review",
        ),
        Parameter("section", "Of this section.", example="city"),
        Parameter("tag", "With this tag.", example="transport"),
        Parameter("author", "With this profile in its bylines.", example="ada-quill"),
        Parameter("created_by", "Begun by this person."),
        Parameter("language", "In this language.", example="en"),
        Parameter("translation_group", "Translations of each other."),
        Parameter("q", "With all these words in its texts.", example="harbour bridge"),
        Parameter("mine", "Begun by you.", FLAG),
        Parameter("missed", "Whose schedule did not come true.", FLAG),
        Parameter("corrected", "With a correction.", FLAG),
        *PAGING,
    ),
)
READ = Operation(
    "read_article",
    "Read an article",
    ARTICLES,
    {200: Answer("The working copy; readers may have less.", ArticleAnswer, headers=("ETag",))},
    role=Role.CONTRIBUTOR,
)
EDIT = Operation(
    "edit_article",
    "Change some fields",
    ARTICLES,
    {200: ONE},
    role=Role.CONTRIBUTOR,
    text="Fields that are not given stay; `null` empties those that may be empty. Readers see nothing of "
    "it before it is published or corrected. A contributor may change drafts of their own.",
    body=Content,
    example={"headline": "Harbour bridge reopens after two years and a month"},
    query=AUTOSAVED,
    if_match=True,
    refusals=(WRONG_STATUS, SLUG_TAKEN, NOT_YOURS),
)
DELETE = Operation(
    "delete_article",
    "Delete a draft",
    ARTICLES,
    {204: Answer("It is in the trash for thirty days.")},
    role=Role.CONTRIBUTOR,
    text="Only what was never public. A contributor may delete drafts of their own.",
    if_match=True,
    refusals=(WRONG_STATUS, NOT_YOURS),
)


def as_json(copy: WorkingCopy, room: Newsroom) -> dict[str, Any]:
    """The working copy in the words of the Article JSON."""
    public = copy.live if copy.live and copy.status is Status.PUBLISHED else None
    image = lead_image(copy, room.public_url)
    standing = standing_json(asdict(copy.standing))
    document = {
        **copy.content.model_dump(),
        "id": copy.id,
        "slug": copy.slug,
        "url": public.url if public else article_url(room.public_url, copy.slug),
        "language": copy.language,
        "lead_image": image.model_dump() if image else None,
        "status": copy.status.value,
        "revision": copy.revision,
        "publication": copy.publication,
        "published_at": copy.published_at,
        "updated_at": copy.updated_at,
        "corrections": [one.model_dump() for one in copy.corrections],
        "retraction": copy.retraction.model_dump() if copy.retraction else None,
        "redirects": list(copy.redirects),
        "created_at": copy.created_at,
        "created_by": copy.created_by,
        "unpublished_changes": has_unpublished_changes(copy, room.public_url),
        **standing,
    }
    document["local"] = local_times(document, room.zone)
    return cast(dict[str, Any], shown(document))


def local_times(document: dict[str, Any], zone: ZoneInfo) -> dict[str, str]:
    """The article's instants as the publication's clock shows them (RFC 3339 with its offset)."""
    return {
        name: document[name].astimezone(zone).isoformat(timespec="milliseconds")
        for name in ("published_at", "updated_at", "scheduled_at", "embargo_until")
        if document.get(name) is not None
    }


def answer(
    copy: WorkingCopy, room: Newsroom, status: int = 200, location: bool = False, **more: Any
) -> web.Response:
    """The article, and `more` that is known of it and no part of its revision."""
    headers = {"ETag": etag_of(copy.revision), "Cache-Control": "no-store"}
    if location:
        headers["Location"] = f"/api/v1/articles/{copy.id}"
    return json_response(as_json(copy, room) | more, status=status, headers=headers)


def wanted_from(values: dict[str, str], person: str) -> Wanted:
    """The filters of a list. Raises `Problem` naming the parameter."""
    statuses = tuple(values["status"].split(",")) if "status" in values else ()
    if not set(statuses) <= set(Status):
        raise Problem(422, f"status must be some of {', '.join(Status)}", field="status")
    flags = {name: values.get(name, "false") for name in ("mine", "missed", "corrected")}
    for name, value in flags.items():
        if value not in {"true", "false"}:
            raise Problem(422, f"{name} must be true or false", field=name)
    if "q" in values and not words([values["q"]]):
        raise Problem(422, "There is no word in it to look for", field="q")
    filters = {name: values.get(name) for name in FILTERS}
    if filters["language"]:
        filters["language"] = written_language(filters["language"])
    if flags["mine"] == "true":
        if filters["created_by"] not in {None, person}:
            raise Problem(422, "mine and another's created_by exclude each other", field="mine")
        filters["created_by"] = person
    return Wanted(
        statuses=statuses,
        missed=flags["missed"] == "true",
        corrected=flags["corrected"] == "true",
        text=values.get("q"),
        **filters,
    )


def routes(
    room: Newsroom, desk: DeskStore, autosaves: Autosaves, figures: FigureStore
) -> list[web.AbstractRouteDef]:
    async def create(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        copy = await writing.create(room, await read_json(request, Content), person)
        return answer(copy, room, 201, location=True)

    async def listing(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        values = query_values(
            request, {*FILTERS, "status", "mine", "missed", "corrected", "q", "limit", "cursor"}
        )
        limit, cursor = paging(values)
        if cursor is not None and not is_id(cursor):
            raise Problem(422, "cursor is not one of ours", field="cursor")
        found = await desk.page(wanted_from(values, person.subject), cursor, limit + 1)
        more = len(found) > limit
        items = [{**one, "local": local_times(one, room.zone)} for one in found[:limit]]
        return json_response({"items": shown(items), "next": items[-1]["id"] if more else None})

    async def read(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        article_id = path_id(request)
        copy = (await load(room, article_id)).copy
        return answer(copy, room, **reaction_json(await figures.of_article(article_id)))

    async def edit(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        article_id, expected = path_id(request), require_match(request)
        page = page_from(query_values(request, PAGE))
        patch = await read_json(request, Content)
        copy = await writing.edit(room, article_id, expected, patch, person)
        if page:
            await saved(room, autosaves, article_id, page, person)
        return answer(copy, room)

    async def delete(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        await trash.delete(room, path_id(request), require_match(request), person)
        return web.Response(status=204)

    return [
        described(web.post("/api/v1/articles", refusing(create)), CREATE),
        described(web.get("/api/v1/articles", refusing(listing)), LIST),
        described(web.get("/api/v1/articles/{id}", refusing(read)), READ),
        described(web.patch("/api/v1/articles/{id}", refusing(edit)), EDIT),
        described(web.delete("/api/v1/articles/{id}", refusing(delete)), DELETE),
    ]
