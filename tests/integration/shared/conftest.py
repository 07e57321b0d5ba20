"""What the shared rooms' tests on a real mongod need: an article of any revision, and a small broker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.contracts import articles
from shared.contracts.articles import Article, ArticleEvent
from shared.contracts.events import Outgoing, read_event

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
