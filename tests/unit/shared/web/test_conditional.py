"""Conditional answers: 304 exactly when nothing changed, and the encoding that was asked for."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from shared.web.conditional import Prepared, prepare, serve

MODIFIED = datetime(2026, 11, 23, 9, 30, 0, 600000, tzinfo=UTC)
PAGE = prepare(b"<urlset/>" * 50, MODIFIED, "application/xml")
ETAG = f'"{PAGE.etag}"'


def ask(document: Prepared = PAGE, method: str = "GET", **headers: str) -> web.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return serve(make_mocked_request(method, "/", headers=named), document)


def test_a_first_request_gets_everything() -> None:
    response = ask()
    assert (response.status, response.body) == (200, PAGE.body)
    assert response.headers["ETag"] == ETAG
    assert response.headers["Last-Modified"] == "Mon, 23 Nov 2026 09:30:00 GMT"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Content-Type"] == "application/xml"
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize(
    ("accept", "zipped"),
    [
        ("gzip", True),
        ("br, GZIP", True),
        ("gzip;q=0.5", True),
        ("gzip ; q=1.0", True),
        ("*", True),
        ("identity, *;q=0.1", True),
        ("*;q=0, gzip", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("gzip;q=much", False),
        ("gzip;level=1", False),
        ("br", False),
        ("xgzip", False),
        ("", False),
        (",;,=", False),
    ],
)
def test_gzip_is_sent_exactly_where_it_is_wanted(accept: str, zipped: bool) -> None:
    response = ask(Accept_Encoding=accept)
    assert (response.headers.get("Content-Encoding") == "gzip") is zipped
    assert isinstance(response.body, bytes)
    assert (gzip.decompress(response.body) if zipped else response.body) == PAGE.body
    assert response.headers["ETag"] == (f'"{PAGE.etag}-gz"' if zipped else ETAG)


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        (ETAG, 304),
        (f"W/{ETAG}", 304),
        (f'"{PAGE.etag}-gz"', 304),
        (f'"other", {ETAG}', 304),
        (f'W/"other",W/{ETAG}', 304),
        ("*", 304),
        ('"other"', 200),
        (f'"{PAGE.etag[:-1]}"', 200),
        ("", 200),
        (",,", 200),
    ],
)
def test_if_none_match(wanted: str, status: int) -> None:
    response = ask(If_None_Match=wanted)
    assert response.status == status
    assert response.headers["ETag"] == ETAG
    assert bool(response.body) is (status == 200)


def test_a_304_names_the_encoding_that_would_have_been_sent() -> None:
    response = ask(If_None_Match=ETAG, Accept_Encoding="gzip")
    assert (response.status, response.headers["ETag"]) == (304, f'"{PAGE.etag}-gz"')
    assert response.headers["Cache-Control"] == PAGE.cache_control


@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 304), (1, 304)])
def test_if_modified_since_counts_in_seconds(seconds: int, status: int) -> None:
    since = format_datetime(MODIFIED + timedelta(seconds=seconds), usegmt=True)
    assert ask(If_Modified_Since=since).status == status


@pytest.mark.parametrize(
    "since",
    [
        "",
        "yesterday",
        "Mon, 23 Nov 99999999999999999999 09:30:00 GMT",
        "Mon, 23 Nov 2026 09:30:00 +99999999999",
        "Mon, 99 Nov 2026 09:30:00 GMT",
        "1",
    ],
)
def test_a_date_that_is_none_is_ignored(since: str) -> None:
    assert ask(If_Modified_Since=since).status == 200


def test_if_none_match_wins_over_the_date() -> None:
    future = "Fri, 01 Jan 2100 00:00:00 GMT"
    assert ask(If_None_Match='"other"', If_Modified_Since=future).status == 200
    assert ask(If_None_Match=ETAG, If_Modified_Since="Fri, 01 Jan 1999 00:00:00 GMT").status == 304


def test_an_answer_that_is_no_200_is_never_a_304() -> None:
    gone = prepare(b"gone", MODIFIED, "text/html", status=410)
    assert ask(gone, If_None_Match="*").status == 410


def test_the_etag_changes_exactly_with_the_bytes() -> None:
    again = prepare(PAGE.body, MODIFIED + timedelta(days=1), "application/xml")
    assert (again.etag, again.gzipped) == (PAGE.etag, PAGE.gzipped)
    assert prepare(PAGE.body + b"x", MODIFIED, "application/xml").etag != PAGE.etag


@given(
    st.dictionaries(
        st.sampled_from(["If_None_Match", "If_Modified_Since", "Accept_Encoding"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=40),
    )
)
def test_no_header_makes_it_fail(headers: dict[str, Any]) -> None:
    assert ask(**headers).status in {200, 304}
