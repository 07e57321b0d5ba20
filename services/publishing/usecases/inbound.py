"""What another CMS publishes is published here, what it takes back is taken back; a person's work is never undone.

The rule is one sentence: an article follows its source until somebody changes it here; from then on only a
withdrawal follows. Messages may come twice, late and out of order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.publishing.domain import acts
from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.errors import Conflict, Invalid
from services.publishing.domain.foreign.front_matter import with_pictures
from services.publishing.domain.foreign.mapping import Sections
from services.publishing.domain.foreign.text import instant
from services.publishing.domain.imported import Arrival
from services.publishing.domain.inbound.messages import Message, NewSource
from services.publishing.usecases.change import change
from services.publishing.usecases.importing import Taken, take_in
from services.publishing.usecases.pictures import Darkroom
from services.publishing.usecases.ports import ActRecord, Newsroom
from shared.contracts.articles import Status
from shared.contracts.identity import Role
from shared.web.identity import Identity

PICTURES = 20
PICTURES_SECONDS = 8.0
"""For all pictures of an article together: the other side waits for our answer."""

Fetch = Callable[[str], Awaitable[bytes]]
"""The bytes at an address. Raises OSError or ValueError, whose text says why not."""


@dataclass(frozen=True)
class Done:
    """What came of a message. `ignored` says why nothing did."""

    outcome: str
    copy: WorkingCopy | None = None
    notes: tuple[str, ...] = ()
    ignored: str | None = None


def sections_of(room: Newsroom, source: NewSource) -> Sections:
    known = {one.slug: one.name for one in room.publication.sections}
    return Sections(known, source.section_map, source.default_section)


def identity_of(source: NewSource) -> Identity:
    """Who the audit log names."""
    return Identity(f"inbound:{source.name}", source.name, Role.EDITOR, "")


async def follow(
    room: Newsroom, darkroom: Darkroom, fetch: Fetch, source: NewSource, message: Message
) -> Done:
    """Do what the message asks. Raises `Invalid` or `Conflict`, which name the field."""
    person = identity_of(source)
    if message.fields is None:
        return await _withdraw(room, source, message, person)
    kept = await room.articles.of_origin(source.name, message.external_id)
    if kept and kept.copy.origin and _older(message, kept.copy.origin.at):
        return Done("ignored", kept.copy, ignored="older")
    fields, missing = await _furnished(darkroom, fetch, message, person)
    if source.language:
        fields.setdefault("language", source.language)
    arrival = Arrival.model_validate(_placed(fields, source, message, room.clock.now()))
    try:
        taken = await _taken(room, source, message, arrival, person)
    except Conflict as error:
        if error.field == "external_id" and kept:
            await _note_refusal(room, kept.copy, person, message.at)
        raise
    ignored = "older" if taken.outcome == "ignored" else None
    return Done(taken.outcome, taken.copy, (*message.notes, *missing, *taken.notes), ignored)


def _older(message: Message, known: datetime | None) -> bool:
    return known is not None and message.at < known


def _placed(
    fields: dict[str, Any], source: NewSource, message: Message, now: datetime
) -> dict[str, Any]:
    """With the status it is to have here; clocks differ, so nothing is published in the future."""
    if not source.auto_publish:
        return {**fields, "status": "draft", "published_at": None}
    published_at = instant(fields.get("published_at")) or message.at
    return {**fields, "status": "published", "published_at": min(published_at, now)}


async def _taken(
    room: Newsroom, source: NewSource, message: Message, arrival: Arrival, person: Identity
) -> Taken:
    """A slug that another article here has gives way to one made from the headline."""
    origin = (room, source.name, message.external_id)
    try:
        return await take_in(*origin, arrival, person, at=message.at)
    except Conflict as error:
        if error.field != "slug" or arrival.slug is None:
            raise
    other = arrival.model_copy(update={"slug": None})
    return await take_in(*origin, other, person, at=message.at)


async def _withdraw(room: Newsroom, source: NewSource, message: Message, person: Identity) -> Done:
    kept = await room.articles.of_origin(source.name, message.external_id)
    if kept is None:
        return Done("ignored", ignored="unknown")
    ignored = "not public"

    async def decide(copy: WorkingCopy, now: datetime) -> acts.Decision | None:
        nonlocal ignored
        origin = copy.origin
        if origin is None or _older(message, origin.at):
            ignored = "older"
            return None
        if copy.status is not Status.PUBLISHED:
            return None
        ignored = ""
        decision = acts.unpublish(copy, now)
        follows = origin.revision == copy.revision
        # Where a person has worked on it, it stays theirs when it comes back.
        revision = decision.after.revision if follows else origin.revision
        after = replace(origin, at=message.at, digest="", revision=revision)
        return replace(decision, after=replace(decision.after, origin=after))

    copy = await change(room, kept.copy.id, None, person, decide)
    if ignored:
        return Done("ignored", copy, ignored=ignored)
    return Done("withdrawn", copy)


async def _furnished(
    darkroom: Darkroom, fetch: Fetch, message: Message, person: Identity
) -> tuple[dict[str, Any], list[str]]:
    """The fields with their pictures taken in; what could not be had is left out and named."""
    fields = dict(message.fields or {})
    wanted = [*([message.lead.url] if message.lead else []), *message.pictures]
    wanted = list(dict.fromkeys(wanted))[:PICTURES]
    missing: list[str] = []
    found: dict[str, str] = {}

    async def take(address: str) -> None:
        try:
            async with asyncio.timeout(PICTURES_SECONDS):
                found[address] = (await darkroom.take_in(await fetch(address), person)).id
        except (OSError, ValueError, Invalid, TimeoutError) as error:
            missing.append(f"picture {address}: {error or 'took too long'}"[:500])

    await asyncio.gather(*(take(one) for one in wanted))
    if found and "body" in fields:
        here = {one: f"/media/{id}/w1600.jpg" for one, id in found.items()}
        fields["body"] = with_pictures(fields["body"], here)
    lead = message.lead
    if lead and (id := found.get(lead.url)):
        words = {"alt": lead.alt[:1000], "caption": (lead.caption or "")[:1000]}
        fields["lead_image"] = {"media_id": id, **{name: one for name, one in words.items() if one}}
    return fields, missing


async def _note_refusal(room: Newsroom, copy: WorkingCopy, person: Identity, at: datetime) -> None:
    """A line in the audit log: what the source said came too late for an article somebody works on."""
    done = ActRecord("import_refused", person.subject, person.name, room.clock.now(), {"at": at})
    await room.records.audit(f"{copy.id}:refused:{at.isoformat()}", done, copy.id)
