"""An article for the notifications service's rules: the golden one, with fields replaced at will."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.contracts import articles
from shared.contracts.articles import Article, ArticleEvent
from shared.contracts.events import read_event

GOLDEN = Path(articles.__file__).parent / "examples" / "article.published.json"


@pytest.fixture(scope="session")
def article() -> Callable[..., Article]:
    event = read_event(GOLDEN.read_bytes())
    assert isinstance(event.data, ArticleEvent)
    golden = event.data.article
    return lambda **changed: golden.model_copy(update=changed)
