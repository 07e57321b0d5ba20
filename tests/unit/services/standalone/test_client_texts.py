"""The client's own words: errors name the field, files become articles, a bad file says so."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.standalone.client import ApiError, BadFile, HeraldClient, article_fields

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def written(folder: Path, text: str | bytes, name: str = "story.md") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_an_error_names_every_field() -> None:
    errors = [
        {"field": "headline", "message": "is missing"},
        {"field": "bylines.0", "message": "is empty"},
    ]
    error = ApiError(422, {"title": "The input is not valid", "errors": errors})
    assert str(error) == ("422 The input is not valid: headline: is missing; bylines.0: is empty")
    assert error.status == 422


def test_an_error_without_fields_keeps_its_title() -> None:
    assert str(ApiError(503, {"title": "The database is away"})) == "503 The database is away"


@given(st.integers(400, 599), st.dictionaries(st.sampled_from(["title", "errors"]), JSON))
def test_a_proxys_own_json_never_breaks_the_error(status: int, problem: dict[str, Any]) -> None:
    assert str(ApiError(status, problem)).startswith(str(status))


def test_front_matter_becomes_fields(tmp_path: Path) -> None:
    fields = article_fields(
        written(
            tmp_path,
            "---\nheadline: Harbour reopens\ntags: [port, city]\nnoindex: true\n"
            "lead_image: {file: quay.jpg, alt: The quay}\n---\n\nFirst.\n\n---\n\nSecond.\n",
        )
    )
    assert fields["headline"] == "Harbour reopens"
    assert fields["tags"] == ["port", "city"]
    assert fields["noindex"] is True
    assert fields["lead_image"] == {"file": "quay.jpg", "alt": "The quay"}
    assert fields["body"] == "First.\n\n---\n\nSecond."


@pytest.mark.parametrize(
    ("written_as", "sent"),
    [
        ("2030-01-02T03:04:05Z", "2030-01-02T03:04:05+00:00"),
        ("2030-01-02 03:04:05+02:00", "2030-01-02T03:04:05+02:00"),
        ("2030-01-02T03:04:05", "2030-01-02T03:04:05"),
        ("2030-01-02", "2030-01-02"),
        ('"2030-01-02T03:04:05Z"', "2030-01-02T03:04:05Z"),
    ],
)
def test_dates_are_sent_as_text(tmp_path: Path, written_as: str, sent: str) -> None:
    """Unquoted, YAML makes date objects of them; a missing zone stays missing, for the API to refuse."""
    text = f"---\nembargo_until: {written_as}\ncorrections:\n- at: {written_as}\n---\nText."
    fields = article_fields(written(tmp_path, text))
    assert fields["embargo_until"] == sent
    assert orjson.loads(orjson.dumps(fields))["corrections"] == [{"at": sent}]


def test_a_file_without_front_matter_is_all_body(tmp_path: Path) -> None:
    assert article_fields(written(tmp_path, "Just text.")) == {"body": "Just text."}


@pytest.mark.parametrize(
    "content",
    [
        b"---\nheadline: [unclosed\n---\ntext",
        b"---\nheadline: a: b: c\n---\ntext",
        b"---\n1: one\n---\ntext",
        b"---\ntags: !!set {a, b}\n---\ntext",
        b"---\nwhen: !!python/object:os.system {}\n---\ntext",
        b"\xff\xfe not text",
    ],
)
def test_a_file_that_cannot_be_read_says_which_and_why(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadFile, match=r"broken\.md: "):
        article_fields(written(tmp_path, content, "broken.md"))


@given(st.binary(max_size=80))
def test_any_bytes_are_an_article_or_a_bad_file(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = written(tmp_path_factory.mktemp("any"), b"---\n" + content + b"\n---\nbody")
    try:
        fields = article_fields(path)
    except BadFile:
        return
    assert fields == orjson.loads(orjson.dumps(fields))
    assert isinstance(fields["body"], str)


async def test_a_missing_picture_names_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "---\nlead_image: {file: gone.jpg, alt: x}\n---\nText.")
    with pytest.raises(BadFile, match=r"gone\.jpg"):
        await HeraldClient("http://127.0.0.1:1", "t").create_from_file(path)


async def test_it_must_be_opened_first() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await HeraldClient("http://127.0.0.1:1", "t").call("GET", "/")


async def test_an_answer_of_somebody_else_is_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong `--url` often leads to a server that says 200 to everything."""
    page = AsyncMock(status=200, read=AsyncMock(return_value=b"<html>Welcome"))
    monkeypatch.setattr(HeraldClient, "_answer", lambda *_, **__: nullcontext(page))
    with pytest.raises(ApiError, match="not Herald's answer"):
        await HeraldClient("https://other.example", "t").call("GET", "/api/v1/channels")
