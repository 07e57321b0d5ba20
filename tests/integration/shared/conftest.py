"""What the shared rooms' tests on a real mongod need: articles, a small broker, a scripted outside, a ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.contracts import articles
from shared.contracts.articles import Article, ArticleEvent
from shared.contracts.events import Outgoing, read_event
from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.intake import report_event
from shared.delivery.ledger import Ledger
from shared.delivery.model import LANES, Delivery, Document, Lanes, Plan
from shared.delivery.outside import Composed, Go, Leave, Task, Verdict
from shared.runtime.clock import ManualClock
from shared.storage.client import Database

GOLDEN = Path(articles.__file__).parent / "examples" / "article.updated.json"


class RecordingBroker:
    """Confirms every publish it is not told to refuse; keeps what it confirmed, in order."""

    def __init__(self) -> None:
        self.confirmed: list[Outgoing] = []
        self.refusing = False
        self.refused: set[str] = set()
        self.tried = 0

    async def publish(self, message: Outgoing) -> None:
        self.tried += 1
        if self.refusing or message.id in self.refused:
            raise ConnectionError("the broker is away")
        self.confirmed.append(message)

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.confirmed]


@pytest.fixture
def broker() -> RecordingBroker:
    return RecordingBroker()


@pytest.fixture
def article() -> Callable[..., Article]:
    """The golden article with some fields replaced."""
    event = read_event(GOLDEN.read_bytes())
    assert isinstance(event.data, ArticleEvent)
    golden = event.data.article
    return lambda **changed: golden.model_copy(update=changed)


class Killed(BaseException):
    """The process died here: nothing after this line ran, no handler either."""


class ScriptedOutside:
    """An outlet that counts every effect and fails as its script says.

    `sends` holds what the next calls of `send` do: an exception that is raised instead of applying,
    or one inside `After`, raised when the effect has happened. An empty script means success.
    """

    def __init__(self, capability: str = "none") -> None:
        self.capability = capability
        self.effects: list[tuple[str, str]] = []
        """(delivery id, operation) of everything that really happened outside."""
        self.sends: list[BaseException | After | None] = []
        self.composing: list[BaseException] = []
        self.admissions: list[Verdict | BaseException] = []
        self.readiness: list[Verdict | BaseException] = []
        self.guards: list[Verdict | BaseException] = []
        self.standing: Verdict = Go()
        """What the guards say once their script is empty."""
        self.nothing_to_do = False
        self.task = ""
        """What only a person can do."""
        self.composed_revision = 1
        self.calls: list[str] = []
        self.previous: Document | None = None
        self.throttles: list[float] = []
        self.dead: list[str] = []
        self.off: tuple[str, ...] = ()

    async def admit(self, delivery: Delivery) -> Verdict:
        return _next(self.admissions, Go())

    async def ready(self, delivery: Delivery) -> Verdict:
        return _next(self.readiness, Go())

    async def guard(self, delivery: Delivery) -> Verdict:
        return _next(self.guards, self.standing)

    async def compose(
        self, delivery: Delivery, previous: Document | None
    ) -> Composed | Leave | Task:
        self.calls.append("compose")
        if self.composing:
            raise self.composing.pop(0)
        if self.nothing_to_do:
            return Leave()
        if self.task:
            return Task(self.task, {"remote_id": "by hand"}, self.announced)
        return Composed({"text": delivery.id}, self.composed_revision)

    async def announced(self) -> None:
        self.calls.append("announced")

    async def send(self, delivery: Delivery, previous: Document | None) -> Document | None:
        self.calls.append("send")
        self.previous = previous
        assert delivery.state in {DeliveryState.ARMED, DeliveryState.UNKNOWN}
        assert delivery.payload == {"text": delivery.id}
        step = self.sends.pop(0) if self.sends else None
        if isinstance(step, BaseException):
            raise step
        effect = (delivery.id, delivery.operation.value)
        if not (self.capability == "idempotent" and effect in self.effects):
            self.effects.append(effect)
        if isinstance(step, After):
            raise step.error
        return _result(delivery)

    async def find(self, delivery: Delivery, previous: Document | None) -> Document | None:
        self.calls.append("find")
        there = (delivery.id, delivery.operation.value) in self.effects
        return _result(delivery) if there else None

    def idempotent(self, delivery: Delivery) -> bool:
        return self.capability == "idempotent"

    def can_find(self, delivery: Delivery) -> bool:
        return self.capability == "lookup"

    async def throttled(self, delivery: Delivery, seconds: float, reason: str) -> None:
        self.throttles.append(seconds)

    async def auth_dead(self, delivery: Delivery, reason: str) -> None:
        self.dead.append(reason)

    async def blocked(self) -> Lanes:
        return dict.fromkeys(LANES, self.off)


@dataclass(frozen=True)
class After:
    """The effect happens, then this is raised."""

    error: BaseException


def _next(script: list[Verdict | BaseException], otherwise: Verdict) -> Verdict:
    step = script.pop(0) if script else otherwise
    if isinstance(step, BaseException):
        raise step
    return step


def _result(delivery: Delivery) -> Document:
    return {"remote_id": f"r-{delivery.id}", "url": f"https://outside.example/{delivery.outlet}"}


@pytest.fixture
def killed() -> type[Killed]:
    return Killed


@pytest.fixture
def after() -> type[After]:
    return After


@pytest.fixture
def scripted() -> type[ScriptedOutside]:
    return ScriptedOutside


@pytest.fixture
async def ledger(database: Database, clock: ManualClock) -> Ledger:
    """Deliveries that report every change, with nobody to wake."""
    made = Ledger(
        database["deliveries"],
        clock,
        lambda one: report_event("social", one.article_id, one.revision, [one.line()], clock),
        lambda *_: None,
    )
    await made.declare()
    return made


@pytest.fixture
def plan(clock: ManualClock) -> Callable[..., Plan]:
    """A post of article `a` to one outlet, with some fields replaced."""

    def made(**changed: Any) -> Plan:
        fields: dict[str, Any] = {
            "article_id": "a",
            "outlet": "social/fake/one",
            "operation": Operation.POST,
            "intent": "1",
            "publication": 1,
            "revision": 1,
            "acted_at": clock.now(),
        }
        return Plan(**{**fields, **changed})

    return made
