"""Random people do random acts at the same time, on two replicas: the table holds, and nothing is lost.

What was accepted is compared with what is stored: each revision is one accepted act, each act has its
audit line, each public act its one event, and every accepted edit is in the article.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from services.publishing.app import newsroom
from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.content import Content, CorrectionText, RetractionText
from services.publishing.domain.errors import NoSuch, PublishingError
from services.publishing.domain.standing import ReturnText, ScheduleText
from services.publishing.domain.states import TABLE, Act, arrival
from services.publishing.scheduler import Scheduler
from services.publishing.settings import PublishingSettings
from services.publishing.store.records import RecordStore
from services.publishing.usecases import publication, review, trash, writing
from services.publishing.usecases.ports import Newsroom
from services.standalone.mongod import Mongod
from shared.contracts.articles import ArticleEvent, Status
from shared.contracts.events import read_event
from shared.contracts.identity import Role
from shared.runtime.clock import ManualClock
from shared.runtime.ids import new_token
from shared.storage.client import Database, open_client
from shared.web.identity import Identity

pytestmark = pytest.mark.integration

START = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
NOT_ASKED = {Act.CREATE, Act.IMPORT, Act.MISS, Act.UNDELETE, Act.PURGE, Act.RESTORE}
"""Not done to an article that is there, not by a person, or an edit by another name."""
WRITTEN = ("headline", "standfirst", "summary", "body")
PEOPLE = [Identity(role.name.lower(), role.name.title(), role, "") for role in Role]


@dataclass(frozen=True)
class Attempt:
    """One person's wish: which act, on which replica, believing to see which revision."""

    act: Act
    person: Identity
    replica: int
    expects: str
    """`none`, `current` or `older`."""
    field: str


ATTEMPTS = st.builds(
    Attempt,
    act=st.sampled_from(
        [
            *[act for act in Act if act not in NOT_ASKED],
            *[Act.EDIT] * 3,
            *[Act.SCHEDULE] * 3,
        ]
    ),
    person=st.sampled_from(PEOPLE),
    replica=st.sampled_from([0, 1]),
    expects=st.sampled_from(["none", "none", "current", "older"]),
    field=st.sampled_from(WRITTEN),
)


class Newspaper(RuleBasedStateMachine):
    """One article at a time under many hands; one that is deleted or retracted is followed by the next."""

    def __init__(self, mongo_url: str, settings: PublishingSettings, seen: Counter[str]) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = ManualClock(START)
        self.seen = seen
        self.number = 0
        self.accepted: list[tuple[int, Act, dict[str, str]]] = []
        self.runner.run(self._open(mongo_url, settings))

    async def _open(self, mongo_url: str, settings: PublishingSettings) -> None:
        self._client = open_client(mongo_url)
        self.database: Database = (await self._client.__aenter__())(f"test_{new_token()}")
        self.rooms: list[Newsroom] = [
            newsroom(settings, self.database, self.clock, lambda _: None) for _ in range(2)
        ]
        self.schedulers = [Scheduler(room) for room in self.rooms]
        await self.rooms[0].articles.declare()  # type: ignore[attr-defined]
        await RecordStore(self.database).declare()
        await self._create()

    async def _create(self) -> None:
        text = {name: f"{name} 0" for name in WRITTEN}
        content = Content.model_validate({**text, "section": "city", "bylines": ["Ada"]})
        made = await writing.create(self.rooms[0], content, PEOPLE[0])
        self.id = made.id
        self.accepted = [(1, Act.CREATE, text)]

    @rule(attempts=st.lists(ATTEMPTS, min_size=1, max_size=4))
    def act_together(self, attempts: list[Attempt]) -> None:
        self.clock.advance(1)
        self.runner.run(self._together(attempts))

    @rule(seconds=st.sampled_from([1, 30, 61, 4000]))
    def time_passes(self, seconds: int) -> None:
        """Both replicas look at their schedules at the same instant."""
        self.clock.advance(seconds)
        self.runner.run(self._fire())

    async def _fire(self) -> None:
        before = await self._stored()
        await asyncio.gather(*(scheduler.step() for scheduler in self.schedulers))
        await asyncio.gather(*(scheduler.step() for scheduler in self.schedulers))
        after = await self._stored()
        if after["revision"] != before["revision"]:
            assert before["status"] == Status.SCHEDULED
            done = Act.PUBLISH if after["status"] == Status.PUBLISHED else Act.MISS
            self.accepted.append((after["revision"], done, {}))
            self.seen[f"{done.value} at its instant"] += 1
        await self._check()

    async def _together(self, attempts: list[Attempt]) -> None:
        current = (await self._stored())["revision"]
        results = await asyncio.gather(
            *(self._attempt(attempt, current) for attempt in attempts), return_exceptions=True
        )
        deleted = False
        for result in results:
            if isinstance(result, PublishingError):
                continue
            if isinstance(result, BaseException):
                raise result
            copy, act, change = result
            if copy is None:
                deleted = True
            elif act is not None:
                self.accepted.append((copy.revision, act, change))
                self.seen[act.value] += 1
        await self._check(deleted=deleted)
        if deleted or (await self._stored())["status"] == Status.RETRACTED:
            await self._create()

    async def _attempt(
        self, attempt: Attempt, current: int
    ) -> tuple[WorkingCopy | None, Act | None, dict[str, str]]:
        """The copy afterwards (None: deleted), the act that was accepted, and what it wrote."""
        room, person = self.rooms[attempt.replica], attempt.person
        expected = {"none": None, "current": current, "older": current - 1}[attempt.expects]
        here = (room, self.id, expected)
        self.number += 1
        words = f"{attempt.field} {self.number}"
        acts: dict[Act, Callable[[], Awaitable[Any]]] = {
            Act.EDIT: lambda: writing.edit(*here, Content(**{attempt.field: words}), person),
            Act.DELETE: lambda: trash.delete(*here, person),
            Act.SUBMIT: lambda: review.submit(*here, person),
            Act.RETURN: lambda: review.give_back(*here, ReturnText(note="Why?"), person),
            Act.SCHEDULE: lambda: review.schedule(
                *here, ScheduleText(at=self.clock.now() + timedelta(seconds=60)), person
            ),
            Act.UNSCHEDULE: lambda: review.unschedule(*here, person),
            Act.PUBLISH: lambda: publication.publish(*here, person),
            Act.CORRECT: lambda: publication.correct(*here, CorrectionText(text="Nine."), person),
            Act.UNPUBLISH: lambda: publication.unpublish(*here, person),
            Act.RETRACT: lambda: publication.retract(*here, RetractionText(reason="No."), person),
            Act.ASK_RETRACTION: lambda: publication.confirm_retraction(*here, person),
            Act.DECLINE_RETRACTION: lambda: publication.decline_retraction(*here, person),
        }
        done = await acts[attempt.act]()
        if attempt.act is Act.DELETE:
            return None, Act.DELETE, {}
        if expected is not None:
            assert attempt.expects == "current"
            assert done.revision == current + 1
        act = attempt.act
        if act is Act.RETRACT and done.status is not Status.RETRACTED:
            act = Act.ASK_RETRACTION  # a second person is needed
        elif act is Act.ASK_RETRACTION:
            act = Act.RETRACT  # and here is one who confirms
        return done, act, {attempt.field: words} if act is Act.EDIT else {}

    async def _stored(self) -> dict[str, Any]:
        found = await self.database["articles"].find_one({"_id": self.id})
        assert found is not None
        return found

    async def _check(self, *, deleted: bool = False) -> None:
        self.accepted.sort(key=lambda one: one[0])
        lines = await self.database["audit"].find({"article_id": self.id})
        audit = {int(line["_id"].rpartition(":")[2]): line["act"] for line in lines}
        expected = {revision: act.value for revision, act, _ in self.accepted}
        assert len(expected) == len(self.accepted), "two acts were accepted as one revision"
        if deleted:
            expected[max(expected) + 1] = Act.DELETE.value
        assert audit == expected
        assert sorted(expected) == list(range(1, len(expected) + 1))
        kept = await self.database["revisions"].find({"article_id": self.id})
        statuses = {one["revision"]: one for one in kept}
        events: dict[int, int] = {}
        for revision, act, _ in self.accepted[1:]:
            before, after = statuses[revision - 1], statuses[revision]
            step = TABLE[act, Status(before["status"])]
            assert Status(after["status"]) is arrival(step, before["publication"])
            if step.event is not None:
                events[revision] = 1
        if deleted:
            with pytest.raises(NoSuch):
                await trash.delete(self.rooms[1], self.id, None, PEOPLE[-1])
            return
        article = await self._stored()
        told: dict[int, int] = {}
        for waiting in article.get("outbox", []):
            data = read_event(waiting["body"]).data
            if isinstance(data, ArticleEvent):
                told[data.article.revision] = told.get(data.article.revision, 0) + 1
        assert told == events
        words: dict[str, str] = {}
        for _, _, change in self.accepted:
            words |= change
        assert {name: article["content"][name] for name in WRITTEN} == words

    def teardown(self) -> None:
        async def close() -> None:
            await self.database.drop()
            await self._client.__aexit__(None, None, None)

        self.runner.run(close())
        self.runner.close()


@pytest.mark.parametrize("second_person", [False, True])
def test_many_hands_on_one_article(mongod: Mongod, tmp_path: Path, second_person: bool) -> None:
    masthead = tmp_path / "publication.toml"
    masthead.write_text('name = "The Test"\n[[sections]]\nslug = "city"\nname = "City"\n')
    settings = PublishingSettings(
        secret_key="a secret of more than thirty-two characters",
        publication=masthead,
        retraction_second_person=second_person,
    )
    seen: Counter[str] = Counter()
    run_state_machine_as_test(
        lambda: Newspaper(mongod.url, settings, seen),
        settings=hypothesis_settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            # Who is first among those who act together is chance, so a failure cannot be shrunk.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"\naccepted: {dict(seen)}")
    # A test that never got anywhere would prove nothing.
    assert len(seen) >= 7
