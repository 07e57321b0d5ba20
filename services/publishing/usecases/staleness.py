"""What has changed since the caller looked, so that two people's work can be put together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

from services.publishing.domain.differences import changed_fields
from services.publishing.domain.errors import ChangedField, Stale
from services.publishing.usecases.ports import Kept, Line, Newsroom
from shared.storage.errors import StorageUnavailable

LINES = 1000
"""How many revisions back the author of a change is looked for."""


async def stale(room: Newsroom, kept: Kept, seen: int) -> Stale:
    """The refusal for somebody who saw the revision `seen` of an article that is now `kept`."""
    changed: list[ChangedField] = []
    # The refusal itself stands on what was read already; it is not worth failing for its reasons.
    with suppress(StorageUnavailable):
        changed = await _changed(room, kept, seen)
    return Stale(kept.copy.revision, changed=changed)


async def _changed(room: Newsroom, kept: Kept, seen: int) -> list[ChangedField]:
    copy = kept.copy
    # Where a crash has kept that very revision from being recorded, the one before it: what has
    # changed since then is more, never less, than what the caller has not seen.
    base = await room.records.newest_until(copy.id, seen)
    lines = await room.records.lines(copy.id, base.revision - 1 if base else seen, LINES)
    if kept.unrecorded and (not lines or lines[0].revision < copy.revision):
        lines = [room.records.line_of(copy, kept.unrecorded), *lines]
    if base:
        return [_newest_change(name, lines) for name in changed_fields(base, copy)]
    # Not even that one: then what the acts since then say of themselves is all there is to know.
    named = dict.fromkeys(name for line in lines for name in _fields(line))
    return [_newest_change(name, [*lines, lines[-1]]) for name in named]


def _newest_change(name: str, lines: Sequence[Line]) -> ChangedField:
    for line, older in pairwise(lines):
        state_differs = line.state.get(name) != older.state.get(name)
        if state_differs or name in _fields(line):
            by = line.record
            return ChangedField(name, by.by, by.by_name, by.at, line.revision)
    return ChangedField(name)


def _fields(line: Line) -> Sequence[str]:
    """What an edit says that it changed."""
    fields: Sequence[str] = line.record.detail.get("fields", ())
    return fields
