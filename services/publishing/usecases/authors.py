"""Keeping the profiles of authors. A change reaches readers with each article's next publication, never before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.publishing.domain.authors import Author, NewAuthor, ProfileText
from services.publishing.domain.errors import Conflict, Invalid, NoSuch, Stale
from services.publishing.domain.stored_pictures import StoredRendition
from services.publishing.usecases.change import RACES
from services.publishing.usecases.ports import ActRecord, Newsroom
from shared.web.identity import Identity


async def load_author(room: Newsroom, slug: str) -> Author:
    """Raises `NoSuch`."""
    author = await room.authors.get(slug)
    if author is None:
        raise NoSuch("author", "slug")
    return author


async def add_author(room: Newsroom, new: NewAuthor, person: Identity) -> Author:
    """Raises `Invalid` for a picture that is not there, `Conflict` naming a taken slug."""
    now = room.clock.now()
    files = await _portrait_files(room, new)
    author = Author(new.slug, new.profile, files, revision=1, created_at=now, updated_at=now)
    await room.authors.insert(author)
    await _log(room, "author.create", person, {"author": new.slug, "name": new.name})
    return author


async def change_author(
    room: Newsroom, slug: str, expected: int | None, patch: ProfileText, person: Identity
) -> Author:
    """Change what `patch` names; the same values again change nothing.

    Raises `NoSuch`, `Stale`, or `Invalid` for a picture that is not there.
    """
    for _ in range(RACES):
        before = await _expected(room, slug, expected)
        profile = before.profile.amended(patch)
        changed = [
            name
            for name in ProfileText.model_fields
            if getattr(profile, name) != getattr(before.profile, name)
        ]
        if not changed:
            return before
        after = replace(
            before,
            profile=profile,
            portrait_files=await _portrait_files(room, profile),
            revision=before.revision + 1,
            updated_at=room.clock.now(),
        )
        if await room.authors.save(before, after):
            await _log(room, "author.change", person, {"author": slug, "fields": changed})
            return after
    raise _stale(await load_author(room, slug))


async def delete_author(room: Newsroom, slug: str, expected: int | None, person: Identity) -> None:
    """Remove a profile that no article names. Raises `NoSuch`, `Stale` or `Conflict`.

    An article that comes to name it in this very instant is refused when it is to be published.
    """
    for _ in range(RACES):
        author = await _expected(room, slug, expected)
        article_id = await room.authors.named_by(slug)
        if article_id is not None:
            raise Conflict("slug", f"article {article_id} names this author in its bylines")
        if await room.authors.delete(author):
            await _log(room, "author.delete", person, {"author": slug, "name": author.profile.name})
            return
    raise _stale(await load_author(room, slug))


async def _expected(room: Newsroom, slug: str, expected: int | None) -> Author:
    author = await load_author(room, slug)
    if expected is not None and author.revision != expected:
        raise _stale(author)
    return author


def _stale(author: Author) -> Stale:
    return Stale(author.revision, "author")


async def _portrait_files(room: Newsroom, profile: ProfileText) -> tuple[StoredRendition, ...]:
    if profile.portrait is None:
        return ()
    picture = await room.pictures.find(profile.portrait.media_id)
    if picture is None:
        raise Invalid({"portrait.media_id": "there is no such picture; upload it first"})
    return picture.renditions


async def _log(room: Newsroom, act: str, person: Identity, detail: dict[str, Any]) -> None:
    record = ActRecord(act, person.subject, person.name, room.clock.now(), detail)
    await room.records.audit(room.make_id(), record)
