"""Golden events: each is read, written back equal, lenient to read and strict to write at every level."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.contracts import articles
from shared.contracts.base import Instant
from shared.contracts.events import EVENT_TYPES, UnknownEventType, read_event, write_event
from shared.contracts.outlets import Counts, OutletReported

FOLDER = Path(articles.__file__).parent / "examples"
EXAMPLES = sorted(FOLDER.glob("*.json"))
INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


def examples() -> list[Any]:
    return [pytest.param(path.read_bytes(), id=path.stem) for path in EXAMPLES]


def objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all objects that are models; `social` and `crops` are mappings."""
    if isinstance(value, dict):
        if path[-1:] not in {("social",), ("crops",)}:
            yield path
        for key, inner in value.items():
            yield from objects(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from objects(inner, (*path, index))


def test_there_is_an_example_of_every_type_and_of_a_correction() -> None:
    types = [orjson.loads(path.read_bytes())["type"] for path in EXAMPLES]
    assert set(types) == set(EVENT_TYPES)
    assert all(path.stem.startswith(kind) for path, kind in zip(EXAMPLES, types, strict=True))
    correction = read_event((FOLDER / "article.updated.correction.json").read_bytes())
    assert isinstance(correction.data, articles.ArticleUpdated)
    assert correction.data.change == "correction"
    assert correction.data.article.corrections


@pytest.mark.parametrize("raw", examples())
def test_it_is_read_and_written_back_equal(raw: bytes) -> None:
    event = read_event(raw)
    assert orjson.loads(event.wire()) == orjson.loads(raw)
    again = write_event(
        event.data,
        id=event.id,
        source=event.source,
        subject=event.subject,
        time=event.time,
        traceparent=event.traceparent,
    )
    assert again == event
    assert read_event(again.wire()) == event


@pytest.mark.parametrize("raw", examples())
def test_an_unknown_field_at_any_level_is_ignored_by_readers_and_refused_by_writers(
    raw: bytes,
) -> None:
    document = orjson.loads(raw)
    paths = list(objects(document))
    assert len(paths) >= 2
    for path in paths:
        extended = deepcopy(document)
        place = extended
        for step in path:
            place = place[step]
        place["of_tomorrow"] = {"x": 1}
        assert read_event(orjson.dumps(extended)) == read_event(raw)
        if path[:1] == ("data",):
            with pytest.raises(ValidationError, match="of_tomorrow"):
                EVENT_TYPES[document["type"]].model_validate(extended["data"])


def test_an_event_cannot_be_changed() -> None:
    event = read_event(EXAMPLES[0].read_bytes())
    with pytest.raises(ValidationError, match="frozen"):
        event.id = "other"


def test_breaking_news_and_figures_have_routing_keys_of_their_own() -> None:
    keys = {path.stem: read_event(path.read_bytes()).routing_key for path in EXAMPLES}
    assert keys["article.published"] == "article.published.breaking"
    assert keys["article.updated"] == "article.updated"
    assert keys["outlet.reported"] == "outlet.reported.figures"


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"1", b"{", b"\xff", b'{"type": "article.published"}', b"[" * 5000]
)
def test_what_is_no_event_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # any of its kinds parks the message
        read_event(raw)


@pytest.mark.parametrize("document", [{}, {"type": None}, {"type": "article.renamed"}])
def test_a_type_of_another_version_is_named(document: dict[str, Any]) -> None:
    with pytest.raises(UnknownEventType):
        read_event(orjson.dumps(document))


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_bytes_make_reading_fail_in_another_way(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read_event(raw)


@given(
    st.datetimes(timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m))))
)
def test_an_instant_is_utc_cut_to_milliseconds_or_refused(moment: datetime) -> None:
    try:
        expected = moment.astimezone(UTC)
    except OverflowError:
        with pytest.raises(ValidationError):
            INSTANT.validate_python(moment)
        return
    kept = INSTANT.validate_python(moment)
    assert timedelta(0) <= expected - kept < timedelta(milliseconds=1)
    assert INSTANT.validate_json(INSTANT.dump_json(kept)) == kept
    assert INSTANT.dump_json(kept).endswith(b'Z"')


@pytest.mark.parametrize("text", ["2026-11-23T09:30:00", "9999-12-31T23:59:59-01:00", "soon"])
def test_an_instant_needs_a_zone_and_a_place_in_time(text: str) -> None:
    with pytest.raises(ValidationError):
        INSTANT.validate_python(text)


@pytest.mark.parametrize("moment", [20261201, 1.5, "20261201", "1764583200", "-1.5", True, None])
def test_a_number_is_no_instant(moment: Any) -> None:
    """The first of December must not become a second in August 1970."""
    with pytest.raises(ValidationError):
        INSTANT.validate_python(moment)


def test_an_instant_has_its_zone_written_out() -> None:
    at = datetime(2026, 12, 1, 9, tzinfo=UTC)
    for text in ("2026-12-01T10:00:00+01:00", "2026-12-01T09:00Z", "2026-12-01 09:00:00.0009Z"):
        assert INSTANT.validate_python(text) == at
    assert INSTANT.validate_python(at) == at


def test_a_report_of_before_there_were_figures_has_none() -> None:
    document = orjson.loads((FOLDER / "outlet.reported.json").read_bytes())
    del document["data"]["figures"]
    event = read_event(orjson.dumps(document))
    assert isinstance(event.data, OutletReported)
    assert event.data.figures == ()
    assert event.routing_key == "outlet.reported"


@pytest.mark.parametrize("likes", [-1, 1.5, "many", True])
def test_a_count_is_a_whole_number_of_people(likes: Any) -> None:
    with pytest.raises(ValidationError):
        Counts.model_validate({"likes": likes}, strict=True)
