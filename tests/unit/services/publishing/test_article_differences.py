"""Differences by field: every path, nothing lost, and the fields a person's work is put together by."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.content import Content
from services.publishing.domain.differences import Change, changed_fields, changes, written
from services.publishing.domain.standing import Schedule, Standing
from shared.contracts.articles import Correction, Status

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def copy_of(**content: Any) -> WorkingCopy:
    return WorkingCopy(
        id="a",
        content=Content.model_validate({"headline": "H", "body": "B"} | content),
        slug="h",
        body_html="<p>B</p>",
        language="en",
        lead_files=(),
        status=Status.DRAFT,
        revision=1,
        publication=0,
        published_at=None,
        updated_at=NOW,
        corrections=(),
        retraction=None,
        redirects=(),
        live=None,
        created_at=NOW,
        created_by="ada",
    )


IMAGE = {"media_id": "0" * 32, "alt": "A bridge"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"standfirst": "x"}, [("standfirst", "added")]),
        ({"standfirst": "x"}, {"standfirst": ""}, [("standfirst", "removed")]),
        ({"noindex": True}, {"noindex": False}, [("noindex", "changed")]),
        ({}, {"lead_image": IMAGE}, [("lead_image", "added")]),
        (
            {"lead_image": IMAGE},
            {"lead_image": IMAGE | {"alt": "The bridge", "credit": "Bo", "focus": [0.1, 0.2]}},
            [
                ("lead_image.alt", "changed"),
                ("lead_image.credit", "added"),
                ("lead_image.focus", "changed"),
            ],
        ),
        (
            {"bylines": ["Ada", "Bo"]},
            {"bylines": [{"name": "Eve", "role": "Photos"}]},
            [("bylines.0.name", "changed"), ("bylines.0.role", "added"), ("bylines.1", "removed")],
        ),
        ({"tags": ["a", "b"]}, {"tags": ["b", "c"]}, [("tags", "removed"), ("tags", "added")]),
        ({"tags": ["a", "b"]}, {"tags": ["b", "a"]}, [("tags", "changed")]),
        ({"tags": ["a", "a"]}, {"tags": ["a"]}, [("tags", "removed")]),
        ({}, {"social": {"mastodon": "x"}}, [("social.mastodon", "added")]),
        ({"section": "city"}, {"section": "world"}, [("section", "changed")]),
        ({"embargo_until": NOW}, {}, [("embargo_until", "removed")]),
    ],
)
def test_each_difference_has_its_path(
    before: dict[str, Any], after: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    found = changes(written(copy_of(**before)), written(copy_of(**after)))
    assert [(change.field, change.kind) for change in found] == expected


def test_prose_is_compared_by_words_and_names_are_not() -> None:
    before = copy_of(section="city", social={"mastodon": "one two"}, lead_image=IMAGE)
    after = copy_of(
        section="world", social={"mastodon": "one three"}, lead_image=IMAGE | {"alt": "A ship"}
    )
    pieces = {change.field: change.segments for change in changes(written(before), written(after))}
    assert pieces["section"] is None
    for field in ("social.mastodon", "lead_image.alt"):
        assert [piece.op for piece in pieces[field] or []] == ["same", "removed", "added"]


def test_a_kind_of_value_that_changed_is_shown_whole() -> None:
    assert changes({"a": {"b": 1}}, {"a": ["b"]}) == [Change("a", "changed", {"b": 1}, ["b"])]
    assert changes({"a": [1, 2]}, {"a": [2, 1]}) == [Change("a", "changed", [1, 2], [2, 1])]
    assert changes({"a": ["x"]}, {"a": [{"b": 1}]}) == [Change("a", "changed", ["x"], [{"b": 1}])]
    assert changes({"gone": 1}, {"come": 1}) == [
        Change("gone", "removed", 1, None),
        Change("come", "added", None, 1),
    ]


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["headline", "tags", "social", "x"]), VALUES)


def leaves(value: Any) -> Counter[str]:
    """Every value that is not itself made of values, however deep."""
    if isinstance(value, dict):
        return sum((leaves(inner) for inner in value.values()), Counter())
    if isinstance(value, list | tuple):
        return sum((leaves(inner) for inner in value), Counter())
    return Counter() if value is None or value == "" else Counter([repr(value)])


@given(DOCUMENTS, DOCUMENTS)
def test_what_differs_is_never_left_out(before: dict[str, Any], after: dict[str, Any]) -> None:
    found = changes(before, after)
    gone, come = leaves(before) - leaves(after), leaves(after) - leaves(before)
    removed = sum((leaves(change.before) for change in found), Counter[str]())
    added = sum((leaves(change.after) for change in found), Counter[str]())
    assert gone <= removed
    assert come <= added
    for change in found:
        assert change.before != change.after
        if change.segments is not None:
            sides = {
                side: "".join(one.text for one in change.segments if one.op in {"same", side})
                for side in ("removed", "added")
            }
            assert sides == {"removed": change.before, "added": change.after}


@given(DOCUMENTS)
def test_nothing_differs_from_itself(document: dict[str, Any]) -> None:
    assert changes(document, document) == []


def test_the_fields_of_a_merge_are_those_of_the_article() -> None:
    before = copy_of()
    plan = Schedule("bo", "Bo", NOW, NOW, NOW)
    after = replace(
        copy_of(headline="New", tags=["x"]),
        slug="new",
        status=Status.SCHEDULED,
        revision=9,
        updated_at=NOW.replace(hour=10),
        body_html="<p>other</p>",
        corrections=(Correction(at=NOW, kind="correction", text="x"),),
        standing=Standing(schedule=plan),
    )
    assert changed_fields(before, after) == [
        *("headline", "tags", "slug", "status", "corrections", "schedule")
    ]
    chosen = replace(before, slug="chosen", content=copy_of(slug="chosen").content)
    assert changed_fields(before, chosen) == ["slug"]
