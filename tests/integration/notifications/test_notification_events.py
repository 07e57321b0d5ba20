"""Every event of the published language, as its golden example has it, is taken in without complaint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.contracts import articles
from shared.contracts.articles import ArticleEvent
from shared.contracts.events import read_event
from shared.contracts.identity import TokenRevoked
from shared.storage.client import Database

EXAMPLES = sorted((Path(articles.__file__).parent / "examples").glob("*.json"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
async def test_golden_events_are_taken_in(replica: Any, database: Database, example: Path) -> None:
    event = read_event(example.read_bytes())
    await replica.deliver(event)
    held = await database["articles"].count({})
    revoked = await database["revoked_tokens"].count({})
    assert held == isinstance(event.data, ArticleEvent)
    assert revoked == isinstance(event.data, TokenRevoked)
