"""Creating and editing articles. Changes nothing outside the newsroom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from services.publishing.domain import acts
from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.content import Content
from services.publishing.domain.errors import Conflict
from services.publishing.domain.slugs import candidates, slug_from
from services.publishing.domain.states import Act
from services.publishing.usecases.change import change, load, record, record_of
from services.publishing.usecases.history import recorded
from services.publishing.usecases.ports import Newsroom
from services.publishing.usecases.preparation import prepare
from services.publishing.usecases.review import allow
from shared.contracts.articles import Status
from shared.storage.errors import StorageUnavailable
from shared.web.identity import Identity

Reserve = Callable[[str, str, datetime], Awaitable[bool]]
"""Whether the slug is this article's: takes it, or only answers as if it had."""


async def create(room: Newsroom, content: Content, person: Identity) -> WorkingCopy:
    """A new draft. Raises `Invalid`, or `Conflict` for a taken slug or a second translation."""
    now, article_id = room.clock.now(), room.make_id()
    prepared = await prepare(room, article_id, content, None)
    copy = WorkingCopy(
        id=article_id,
        content=content,
        slug=await slug_for(content, article_id, now, room.slugs.reserve),
        body_html=prepared.body_html,
        language=prepared.language,
        lead_files=prepared.lead_files,
        status=Status.DRAFT,
        revision=1,
        publication=0,
        published_at=None,
        updated_at=now,
        corrections=(),
        retraction=None,
        redirects=(),
        live=None,
        created_at=now,
        created_by=person.subject,
        share_files=prepared.share_files,
        body_pictures=prepared.body_pictures,
        references=prepared.references,
    )
    done = record_of(Act.CREATE, person, now)
    try:
        await room.articles.insert(copy, done)
    except Conflict:
        # No article of this id will ever come: its slug is for whoever writes the next one.
        await room.slugs.free(copy.slug, article_id)
        raise
    await record(room, copy, done)
    return copy


async def edit(
    room: Newsroom, article_id: str, expected: int | None, patch: Content, person: Identity
) -> WorkingCopy:
    """Change the fields that `patch` was given; the same values again change nothing.

    Raises `NoSuch`, `Stale`, `NotAllowed`, `WrongStatus`, `Invalid` or `Conflict`.
    """
    return await _rewrite(
        room, article_id, expected, person, lambda copy: copy.content.amended(patch)
    )


async def restore(
    room: Newsroom, article_id: str, revision: int, expected: int | None, person: Identity
) -> WorkingCopy:
    """Write again what stood at an earlier revision, as a new one; what stands already changes nothing.

    The content is held to the rules of today. Raises as `edit`, and `ValidationError` for such a rule.
    """
    await load(room, article_id)
    before = await recorded(room, article_id, revision)
    content = Content.model_validate(before.content.model_dump(exclude_defaults=True))
    return await _rewrite(room, article_id, expected, person, lambda _: content, revision)


async def _rewrite(
    room: Newsroom,
    article_id: str,
    expected: int | None,
    person: Identity,
    content_after: Callable[[WorkingCopy], Content],
    restored: int | None = None,
) -> WorkingCopy:
    replaced: list[str] = []

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision | None:
        allow(Act.EDIT, copy, person)
        decision = await edited(room, copy, content_after(copy), now, room.slugs.reserve)
        moved = decision is not None and decision.after.slug != copy.slug
        replaced[:] = [copy.slug] if moved else []
        if decision is None or restored is None:
            return decision
        detail = {"revision": restored, **decision.detail}
        return replace(decision, act=Act.RESTORE, detail=detail)

    after = await change(room, article_id, expected, person, decide)
    for slug in replaced:
        if slug not in {after.slug, *after.public_slugs}:
            # The edit stands already; a slug that stays reserved is taken over when it is wanted.
            with suppress(StorageUnavailable):
                await room.slugs.free(slug, article_id)
    return after


async def edited(
    room: Newsroom, copy: WorkingCopy, content: Content, now: datetime, reserve: Reserve
) -> acts.Decision | None:
    """The edit that leads to `content`, decided; None where it changes nothing.

    `reserve` is the only thing it may write.
    """
    if content == copy.content:
        return None
    prepared = await prepare(room, copy.id, content, copy)
    return acts.edit(
        copy,
        now,
        content,
        slug=await _slug_after(copy, content, now, reserve),
        body_html=prepared.body_html,
        language=prepared.language,
        lead_files=prepared.lead_files,
        share_files=prepared.share_files,
        body_pictures=prepared.body_pictures,
        references=prepared.references,
    )


async def _slug_after(copy: WorkingCopy, content: Content, now: datetime, reserve: Reserve) -> str:
    """The slug this edit leads to."""
    if content.slug is None and copy.publication:
        return copy.slug
    if content.slug == copy.content.slug and content.headline == copy.content.headline:
        return copy.slug
    return await slug_for(content, copy.id, now, reserve)


async def slug_for(content: Content, article_id: str, now: datetime, reserve: Reserve) -> str:
    """Reserve the slug asked for, or the first free one the headline makes."""
    if content.slug is not None:
        if not await reserve(content.slug, article_id, now):
            raise Conflict("slug", f"{content.slug} belongs to another article")
        return content.slug
    for candidate in candidates(slug_from(content.headline, article_id), article_id):
        if await reserve(candidate, article_id, now):
            return candidate
    raise Conflict("slug", "every slug this headline makes is taken; give one")
