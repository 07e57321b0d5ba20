"""The snapshots that previews take: as an event has them, and never so long that counting them takes for ever."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.web.previews import MAX_COUNTED, Snapshot

ARTICLE: dict[str, Any] = {
    "id": "a",
    "slug": "s",
    "url": "https://news.example/articles/s",
    "headline": "h",
    "body": "b",
    "body_html": "<p>b</p>",
    "section": "city",
    "language": "en",
    "status": "published",
    "revision": 1,
    "publication": 1,
    "updated_at": "2026-11-23T09:30:00Z",
}
AT = "2026-11-23T09:30:00Z"


def test_what_is_written_is_read_again() -> None:
    snapshot = Snapshot.model_validate({"article": ARTICLE, "acted_at": AT})
    assert Snapshot.model_validate_json(snapshot.model_dump_json()) == snapshot


@pytest.mark.parametrize("at", [0, 1.5, True, None, "yesterday", "2026-11-23T09:30:00", [AT]])
def test_an_instant_is_a_text_with_its_zone(at: object) -> None:
    with pytest.raises(ValidationError):
        Snapshot.model_validate({"article": ARTICLE, "acted_at": at})


@pytest.mark.parametrize("field", ["article", "acted_at", "more", "article.more"])
def test_nothing_is_missing_and_nothing_unknown(field: str) -> None:
    whole: dict[str, Any] = {"article": dict(ARTICLE), "acted_at": AT}
    if field in whole:
        del whole[field]
    elif field == "more":
        whole["more"] = 1
    else:
        whole["article"]["more"] = 1
    with pytest.raises(ValidationError):
        Snapshot.model_validate(whole)


@pytest.mark.parametrize(
    "texts",
    [
        {"headline": "x" * (MAX_COUNTED + 1)},
        {"social": {"a": "x" * MAX_COUNTED, "b": "x"}},
        {"corrections": [{"at": AT, "kind": "correction", "text": "x" * MAX_COUNTED}]},
    ],
)
def test_what_outlets_count_has_an_end(texts: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="characters beside its body"):
        Snapshot.model_validate({"article": {**ARTICLE, **texts}, "acted_at": AT})
    Snapshot.model_validate({"article": {**ARTICLE, "body": "x" * 300_000}, "acted_at": AT})
