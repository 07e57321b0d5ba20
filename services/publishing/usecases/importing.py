"""Taking in an article that was made elsewhere. The same one again, or twice at a time, is never two.

Its id comes from its origin and the database refuses a second article of one origin, so nothing has to
be remembered between the requests of an import that was killed.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Literal

from services.publishing.domain.acts import Decision
from services.publishing.domain.arriving import Arrived, Text, arrive
from services.publishing.domain.article import WorkingCopy, snapshot
from services.publishing.domain.content import Content
from services.publishing.domain.departing import OWN
from services.publishing.domain.errors import Conflict, Stale
from services.publishing.domain.imported import Arrival, Origin, derived_id
from services.publishing.domain.states import Act
from services.publishing.usecases.change import (
    RACES,
    announce,
    record,
    record_of,
    settle,
    step_of,
)
from services.publishing.usecases.ports import Kept, Newsroom
from services.publishing.usecases.preparation import prepare
from services.publishing.usecases.references import look_up, resolved
from services.publishing.usecases.writing import Reserve, slug_for
from shared.storage.errors import StorageUnavailable
from shared.web.identity import Identity

Outcome = Literal["created", "updated", "unchanged", "ignored"]
"""`ignored`: something newer is known already."""


@dataclass(frozen=True)
class Taken:
    """What came of it. `copy` is None for a trial of an article that is not here yet."""

    outcome: Outcome
    copy: WorkingCopy | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Case:
    """One request: what came from where, by whom, and how it is to be taken."""

    room: Newsroom
    origin: Origin
    arrival: Arrival
    person: Identity
    trial: bool
    quiet: bool


async def take_in(
    room: Newsroom,
    source: str,
    external_id: str,
    arrival: Arrival,
    person: Identity,
    *,
    trial: bool = False,
    at: datetime | None = None,
) -> Taken:
    """Make the article of this origin, or bring it up to what its source says now.

    Nobody is told, as of an archive; but where it says that it became so just now, `at` which instant,
    it is a publication like any other, and what is older than what is known changes nothing.
    A `trial` checks everything and keeps nothing.

    Raises `Invalid`; `Conflict` naming `slug`, `former_paths` or `redirects` for what is another
    article's, `external_id` for an article that was worked on here since it came, or that is in the
    trash; `id` for another article's id.
    """
    arrival.check(room.clock.now())
    origin = Origin(source, external_id, arrival.digest, 0, at or arrival.updated_at)
    case = _Case(room, origin, arrival, person, trial, quiet=at is None)
    for _ in range(RACES):
        kept = await _known(case)
        taken = await (_again(case, kept) if kept is not None else _first(case))
        if taken is not None:
            return taken
    raise Stale(0)


async def _known(case: _Case) -> Kept | None:
    room, origin = case.room, case.origin
    kept = await room.articles.of_origin(origin.source, origin.external_id)
    if kept is None and origin.source == OWN:
        # What was written here and comes back is not a stranger.
        kept = await room.articles.get(origin.external_id)
    return (await resolved(room, [kept]))[0] if kept else None


async def _first(case: _Case) -> Taken | None:
    """None when another request was faster."""
    room, origin, arrival = case.room, case.origin, case.arrival
    now = room.clock.now()
    at = arrival.published_at or arrival.updated_at
    article_id = arrival.id or derived_id(origin.source, origin.external_id, at)
    if await room.trash.get(article_id) is not None:
        raise Conflict("external_id", f"article {article_id} is in the trash here; purge it first")
    arrived, reserved = await _arrived(case, article_id, None, now)
    if case.trial:
        return Taken("created", None, tuple(arrived.notes))
    done = record_of(Act.IMPORT, case.person, now, _detail(origin))
    announcement = announce(room, arrived.event, now) if arrived.event else None
    try:
        await room.articles.insert(arrived.copy, done, announcement)
    except Conflict:
        if await _known(case):
            return None
        await _free(room, article_id, reserved)
        raise
    if announcement:
        room.wake(article_id)
    await record(room, arrived.copy, done)
    return Taken("created", arrived.copy, tuple(arrived.notes))


async def _again(case: _Case, kept: Kept) -> Taken | None:
    """None when the article changed meanwhile."""
    room, origin = case.room, case.origin
    before, now = kept.copy, room.clock.now()
    known = before.origin
    if known and not case.quiet and known.at and origin.at and origin.at < known.at:
        return Taken("ignored", before)
    if known and known.digest == origin.digest:
        worked_on = known.revision != before.revision
        if worked_on or case.arrival.pending or not _has_new_links(before, room.public_url):
            return Taken("unchanged", before)
    if known is None or known.revision != before.revision:
        raise Conflict(
            "external_id",
            f"article {before.id} was worked on here since it came; it stays as it is",
        )
    arrived, reserved = await _arrived(case, before.id, before, now)
    if case.trial:
        return Taken("updated", before, tuple(arrived.notes))
    decision = Decision(Act.IMPORT, arrived.copy, arrived.event, _detail(origin))
    await settle(room, kept)
    step = step_of(room, kept, decision, case.person, now)
    if not await room.articles.save(step):
        await _free(room, before.id, reserved)
        return None
    if step.announcement:
        room.wake(before.id)
    await record(room, step.after, step.record)
    return Taken("updated", arrived.copy, tuple(arrived.notes))


async def _arrived(
    case: _Case, article_id: str, before: WorkingCopy | None, now: datetime
) -> tuple[Arrived, list[str]]:
    """The article to be kept, and every slug and path that was reserved for it on the way."""
    room, arrival = case.room, case.arrival
    text = await _text(room, article_id, arrival.content)
    pending = await _text(room, article_id, arrival.pending) if arrival.pending else None
    reserve = room.slugs.available if case.trial else room.slugs.reserve
    reserved: list[str] = []
    try:
        await _claim(article_id, arrival, now, reserve, reserved)
        slug = await _slug(text.content, article_id, now, reserve, before.slug if before else None)
        reserved.append(slug)
        text = replace(text, slug=slug)
        if pending:
            slug = await _slug(pending.content, article_id, now, reserve, slug)
            reserved.append(slug)
            pending = replace(pending, slug=slug)
    except Conflict:
        if before is None and not case.trial:
            await _free(room, article_id, reserved)
        raise
    arrived = arrive(
        arrival,
        case.origin,
        text,
        pending,
        before,
        article_id=article_id,
        person=case.person.subject,
        now=now,
        public_url=room.public_url,
        quiet=case.quiet,
    )
    return arrived, reserved


async def _text(room: Newsroom, article_id: str, content: Content) -> Text:
    """Checked and rendered. Related articles may come later in the same import, so they are not asked for."""
    related = tuple(id for id in content.related if id != article_id)
    content = content.model_copy(update={"related": related})
    prepared = await prepare(room, article_id, content.model_copy(update={"related": ()}), None)
    parts = {field.name: getattr(prepared, field.name) for field in fields(prepared)}
    parts["references"] = await look_up(room, content)
    return Text(content=content, slug=content.slug or "", **parts)


async def _claim(
    article_id: str, arrival: Arrival, now: datetime, reserve: Reserve, reserved: list[str]
) -> None:
    """Reserve every address it ever had. Raises `Conflict` for one that is another article's."""
    fields = dict.fromkeys(arrival.former_paths, "former_paths")
    fields |= dict.fromkeys(arrival.redirects, "redirects")
    done = await asyncio.gather(*(reserve(one, article_id, now) for one in fields))
    reserved += [one for one, ours in zip(fields, done, strict=True) if ours]
    for one, ours in zip(fields, done, strict=True):
        if not ours:
            raise Conflict(fields[one], f"{one} belongs to another article")


async def _slug(
    content: Content, article_id: str, now: datetime, reserve: Reserve, standing: str | None
) -> str:
    """The slug asked for; where none is, the one it has, or one made from the headline."""
    if content.slug is None and standing is not None:
        return standing
    return await slug_for(content, article_id, now, reserve)


async def _free(room: Newsroom, article_id: str, reserved: list[str]) -> None:
    """Give up what was reserved in vain; what the article itself has by now stays its own."""
    kept = await room.articles.get(article_id)
    copy = kept.copy if kept else None
    own = {copy.slug, *copy.public_slugs, *copy.former_paths} if copy else set()
    for slug in set(reserved) - own:
        with suppress(
            StorageUnavailable
        ):  # one that stays reserved is taken over when it is wanted
            await room.slugs.free(slug, article_id)


def _has_new_links(copy: WorkingCopy, public_url: str) -> bool:
    """Whether articles that it is related to have become public since it came."""
    return copy.live is not None and snapshot(copy, public_url).related != copy.live.related


def _detail(origin: Origin) -> dict[str, str]:
    return {"source": origin.source, "external_id": origin.external_id}
