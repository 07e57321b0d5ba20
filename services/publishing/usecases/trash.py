"""Deleting drafts, taking them out of the trash again, and throwing them away for good."""

from __future__ import annotations

from dataclasses import replace

from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.errors import NoSuch, NotAllowed
from services.publishing.domain.states import Act, may
from services.publishing.usecases.change import expect, load, record, record_of, settle
from services.publishing.usecases.ports import Kept, Newsroom
from services.publishing.usecases.review import allow
from services.publishing.usecases.staleness import stale
from services.publishing.usecases.writing import slug_for
from shared.web.identity import Identity


async def delete(room: Newsroom, article_id: str, expected: int | None, person: Identity) -> None:
    """Move a draft to the trash. Raises as `edit`."""
    kept = await load(room, article_id)
    copy = kept.copy
    await expect(room, kept, expected)
    allow(Act.DELETE, copy, person)
    done = record_of(Act.DELETE, person, room.clock.now(), {"headline": copy.content.headline})
    await settle(room, kept)
    # Into the trash first: a crash in between leaves it in both places, never in neither.
    await room.trash.put(copy, done)
    if not await room.articles.delete(copy):
        # Where it is gone, somebody else was quicker, and what is in the trash is all there is.
        newer = await load(room, article_id)
        await room.trash.withdraw(Kept(copy))
        raise await stale(room, newer, copy.revision)
    await finish(room, Kept(copy, done))


async def finish(room: Newsroom, deleted: Kept) -> None:
    """Write the line of a deletion, or forget one that never came to it. Safe to repeat."""
    copy = deleted.copy
    if deleted.unrecorded is None:
        return
    if await room.articles.get(copy.id) is not None:
        await room.trash.withdraw(deleted)
        return
    await room.records.audit(f"{copy.id}:{copy.revision + 1}", deleted.unrecorded, copy.id)
    await room.slugs.free(copy.slug, copy.id)
    await room.trash.recorded(copy.id)


async def take_out(room: Newsroom, article_id: str, person: Identity) -> WorkingCopy:
    """The draft, back on the desk, under another slug if its own is taken. Raises `NoSuch` or `NotAllowed`."""
    deleted = await _trashed(room, article_id, person)
    await finish(room, deleted)
    now, copy = room.clock.now(), deleted.copy
    content = copy.content
    if content.slug is not None and not await room.slugs.reserve(content.slug, copy.id, now):
        content = content.model_copy(update={"slug": None})
    back = replace(
        copy,
        content=content,
        slug=await slug_for(content, copy.id, now, room.slugs.reserve),
        # The deletion itself was the revision in between.
        revision=copy.revision + 2,
        updated_at=now,
    )
    done = record_of(Act.UNDELETE, person, now)
    await room.articles.insert(back, done)
    await record(room, back, done)
    await room.trash.remove(article_id)
    return back


async def purge(room: Newsroom, article_id: str, person: Identity) -> None:
    """Throw a draft away for good; its revisions stay in the log. Raises `NoSuch` or `NotAllowed`."""
    deleted = await _trashed(room, article_id, person)
    await finish(room, deleted)
    if await room.trash.remove(article_id):
        done = record_of(
            Act.PURGE, person, room.clock.now(), {"headline": deleted.copy.content.headline}
        )
        await room.records.audit(f"{article_id}:purge:{room.make_id()}", done, article_id)


async def _trashed(room: Newsroom, article_id: str, person: Identity) -> Kept:
    deleted = await room.trash.get(article_id)
    if deleted is None:
        raise NoSuch("article in the trash")
    if (back := await room.articles.get(article_id)) is not None:
        if back.copy.revision > deleted.copy.revision:
            # It was taken out, and a crash came before it was taken off the list.
            await room.trash.withdraw(deleted)
        raise NoSuch("article in the trash")
    own = deleted.copy.created_by == person.subject
    if not may(Act.DELETE, deleted.copy.status, person.role, own=own):
        raise NotAllowed("a contributor may touch only drafts of their own")
    return deleted
