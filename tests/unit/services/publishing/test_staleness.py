"""A refusal for being late never fails for want of its reasons, and never claims to know more than it does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.content import Content
from services.publishing.usecases.ports import ActRecord, Kept, Line
from services.publishing.usecases.staleness import stale
from shared.contracts.articles import Status
from shared.storage.errors import StorageUnavailable

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
FIRST = WorkingCopy(
    id="a",
    content=Content(headline="One"),
    slug="one",
    body_html="",
    language="en",
    lead_files=(),
    status=Status.DRAFT,
    revision=1,
    publication=0,
    published_at=None,
    updated_at=NOW,
    corrections=(),
    retraction=None,
    redirects=(),
    live=None,
    created_at=NOW,
    created_by="ada",
)


def edited(before: WorkingCopy, revision: int, headline: str) -> WorkingCopy:
    return replace(before, content=Content(headline=headline), revision=revision)


def act(by: str, *fields: str) -> ActRecord:
    return ActRecord("edit", by, by.title(), NOW, {"fields": list(fields)})


class Lines:
    """Records of the revisions it is given; `away` makes it fail as a database that is down does."""

    def __init__(self, *kept: tuple[WorkingCopy, ActRecord], away: bool = False) -> None:
        self.kept = {copy.revision: (copy, record) for copy, record in kept}
        self.away = away

    async def newest_until(self, _: str, revision: int) -> WorkingCopy | None:
        if self.away:
            raise StorageUnavailable("down")
        below = [number for number in self.kept if number <= revision]
        return self.kept[max(below)][0] if below else None

    async def lines(self, _: str, above: int, limit: int) -> list[Line]:
        numbers = sorted((number for number in self.kept if number > above), reverse=True)
        return [self.line_of(*self.kept[number]) for number in numbers][:limit]

    def line_of(self, copy: WorkingCopy, record: ActRecord) -> Line:
        return Line(copy.revision, record, {"status": copy.status.value})


async def told(records: Lines, kept: Kept, seen: int) -> list[tuple[Any, ...]]:
    room: Any = SimpleNamespace(records=records)
    refusal = await stale(room, kept, seen)
    assert refusal.current == kept.copy.revision
    assert refusal.changed is not None
    return [(one.field, one.by, one.revision) for one in refusal.changed]


async def test_the_newest_change_of_a_field_counts() -> None:
    second, third = edited(FIRST, 2, "Two"), edited(FIRST, 3, "Three")
    lines = Lines(
        (FIRST, act("ada")), (second, act("bo", "headline")), (third, act("eve", "headline"))
    )
    assert await told(lines, Kept(third), 1) == [("headline", "eve", 3)]


async def test_an_act_whose_lines_are_owed_is_known_by_the_article() -> None:
    second = edited(FIRST, 2, "Two")
    kept = Kept(second, act("bo", "headline"))
    assert await told(Lines((FIRST, act("ada"))), kept, 1) == [("headline", "bo", 2)]


async def test_a_change_nobody_recorded_is_told_without_a_name() -> None:
    third = edited(FIRST, 3, "Three")
    lines = Lines((FIRST, act("ada")), (third, act("eve", "tags")))
    assert await told(lines, Kept(third), 1) == [("headline", None, None)]


async def test_without_the_revision_that_was_seen_the_acts_since_then_speak_for_themselves() -> (
    None
):
    second, third = edited(FIRST, 2, "Two"), edited(FIRST, 3, "Three")
    lines = Lines((second, act("bo", "headline", "tags")))
    kept = Kept(third, act("eve", "headline"))
    assert await told(lines, kept, 1) == [("headline", "eve", 3), ("tags", "bo", 2)]


async def test_the_refusal_stands_without_its_reasons() -> None:
    assert await told(Lines(away=True), Kept(edited(FIRST, 2, "Two")), 1) == []
    assert await told(Lines(), Kept(edited(FIRST, 2, "Two")), 1) == []
