"""Sections within sections: every path ends at a root, and a file that makes no tree is refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.runtime.publication import Publication

SLUGS = ["a", "b", "c", "d", "e"]


def publication(parents: dict[str, str | None]) -> Publication:
    sections: list[dict[str, Any]] = [
        {"slug": slug, "name": slug.upper(), "parent": parent} for slug, parent in parents.items()
    ]
    return Publication.model_validate({"name": "P", "sections": sections})


def path(paper: Publication, slug: str) -> list[str]:
    return [section.slug for section in paper.section_path(slug)]


def test_a_path_has_its_root_first() -> None:
    paper = publication({"football": "sport", "sport": None, "women": "football", "city": None})
    assert path(paper, "women") == ["sport", "football", "women"]
    assert path(paper, "city") == ["city"]
    assert path(paper, "gone") == []
    tree = [section.slug for section in paper.section_tree()]
    assert tree == ["sport", "football", "women", "city"]


@pytest.mark.parametrize(
    ("parents", "message"),
    [
        ({"a": "b"}, "there is no section b"),
        ({"a": "a"}, "a is a part of itself"),
        ({"a": "b", "b": "c", "c": "a"}, "is a part of itself"),
    ],
)
def test_what_makes_no_tree(parents: dict[str, str | None], message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        publication(parents)
    assert caught.value.errors()[0]["loc"] == ("sections",)


def test_one_slug_for_two_sections() -> None:
    section = {"slug": "a", "name": "A"}
    with pytest.raises(ValidationError, match="the same slug"):
        Publication.model_validate({"name": "P", "sections": [section, section]})


@given(st.fixed_dictionaries({slug: st.sampled_from([None, *SLUGS]) for slug in SLUGS}))
def test_a_file_is_a_tree_or_is_refused(parents: dict[str, str | None]) -> None:
    try:
        paper = publication(parents)
    except ValidationError:
        for slug in SLUGS:
            at, steps = parents[slug], 0
            while at is not None and steps <= len(SLUGS):
                at, steps = parents[at], steps + 1
            if at is not None:
                return  # somebody's path never ends
        raise AssertionError("a tree was refused") from None
    tree = [section.slug for section in paper.section_tree()]
    assert sorted(tree) == SLUGS
    for slug in SLUGS:
        steps_up = path(paper, slug)
        assert steps_up[-1] == slug
        assert parents[steps_up[0]] is None
        assert all(parents[low] == high for high, low in pairwise(steps_up))
        parent = parents[slug]
        assert parent is None or tree.index(parent) < tree.index(slug)
