"""Logs are one JSON object a line with their trace; a late effect links to its cause and is no child."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from aiohttp.http_exceptions import LineTooLong
from opentelemetry import trace

from shared.runtime import tracing
from shared.runtime.logging import configure_logging, drop_malformed_requests
from shared.runtime.tracing import configure_tracing, current_traceparent, handling, serving

CAUSE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.mark.usefixtures("_restored")
def test_each_record_is_one_json_line_with_service_and_trace(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_tracing()
    configure_logging("social")
    with serving("GET /", CAUSE):
        structlog.get_logger("ours").info("posted\ntwice?", outlet="x")
        logging.getLogger("theirs").warning("said %s", "so")
    logging.getLogger("aiohttp.access").info("not shown")
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("theirs").exception("failed")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["posted\ntwice?", "said so", "failed"]
    assert {line["service"] for line in lines} == {"social"}
    assert [line.get("trace_id") for line in lines] == ["0af7651916cd43dd8448eb211c80319c"] * 2 + [
        None
    ]
    assert (lines[0]["outlet"], lines[0]["level"], lines[0]["logger"]) == ("x", "info", "ours")
    assert "ValueError: broken" in lines[2]["exception"]
    assert all(line["timestamp"].endswith("Z") for line in lines)


@pytest.mark.usefixtures("_restored")
def test_the_console_form_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("social", "WARNING", "console")
    structlog.get_logger("ours").info("not shown")
    structlog.get_logger("ours").warning("shown")
    shown = capsys.readouterr().err
    assert "shown" in shown
    assert "not shown" not in shown
    assert not shown.startswith("{")


def test_a_request_continues_the_callers_trace() -> None:
    configure_tracing()
    assert current_traceparent() is None
    with serving("GET /", CAUSE):
        inside = current_traceparent()
    assert inside is not None
    assert inside.split("-")[1] == CAUSE.split("-")[1]
    assert inside.split("-")[2] != CAUSE.split("-")[2]
    with serving("GET /", None):
        assert current_traceparent() is not None


def test_a_late_effect_has_its_own_trace_linked_to_its_cause() -> None:
    configure_tracing()
    with handling("article.published", CAUSE):
        span = trace.get_current_span()
        assert isinstance(span, tracing.trace.Span)
        links = span.links  # type: ignore[attr-defined]
        assert [format(link.context.trace_id, "032x") for link in links] == [CAUSE.split("-")[1]]
        assert format(span.get_span_context().trace_id, "032x") != CAUSE.split("-")[1]


@pytest.mark.parametrize("broken", [None, "", "nonsense", "00-0-0-00", "\udcff"])
def test_a_broken_traceparent_is_no_reason_to_fail(broken: str | None) -> None:
    configure_tracing()
    with handling("x", broken):
        assert not trace.get_current_span().links  # type: ignore[attr-defined]
    with serving("x", broken):
        assert current_traceparent() is not None


@pytest.mark.parametrize(
    ("error", "kept"),
    [(LineTooLong(b"Authorization: Bearer secret", 8190), False), (OSError("x"), True)],
)
def test_a_malformed_request_is_not_quoted_in_the_log(error: Exception, kept: bool) -> None:
    record = logging.LogRecord(
        "aiohttp.server",
        logging.ERROR,
        "",
        0,
        "Error handling request",
        (),
        (type(error), error, None),
    )
    assert drop_malformed_requests(record) is kept
