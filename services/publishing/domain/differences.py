"""What differs between two states of an article, field by field, in the words of the Article JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from services.publishing.domain.alignment import Work
from services.publishing.domain.article import WorkingCopy, snapshot
from services.publishing.domain.content import Content
from services.publishing.domain.segments import Segment, segments
from services.publishing.domain.standing import Standing
from shared.contracts.articles import Article

Kind = Literal["added", "removed", "changed"]

PROSE = {"headline", "standfirst", "summary", "body", "social"}
"""Fields whose texts are compared word by word, and so is everything inside them."""
PROSE_PARTS = {"alt", "caption", "credit", "bio", "title", "description"}
"""Parts of other fields whose texts are."""
DERIVED = {"renditions"}
"""Parts that we make ourselves of what a person wrote."""
STATE = ("slug", "status", "corrections", "retraction")
"""What acts make of an article beside its content and its standing."""


@dataclass(frozen=True)
class Change:
    """One difference. `field` is a path with dots; of a list of words it names the list.

    `before` and `after` are None where there is nothing; `segments` is None for all but prose.
    """

    field: str
    kind: Kind
    before: Any
    after: Any
    segments: list[Segment] | None = None


def written(copy: WorkingCopy) -> dict[str, Any]:
    """The content as it is shown: with the slug and the language it leads to."""
    return {**copy.content.model_dump(), "slug": copy.slug, "language": copy.language}


def as_readers_see(article: Article) -> dict[str, Any]:
    """Of a public snapshot what a person wrote."""
    document = article.model_dump()
    return {name: document[name] for name in Content.model_fields if name in document}


def as_readers_would_see(copy: WorkingCopy, public_url: str) -> dict[str, Any]:
    """The same of a working copy, were it public."""
    return as_readers_see(snapshot(copy, public_url))


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Everything that differs, in the order of the fields. May take a second: call it in a thread."""
    return list(_inside("", before, after, Work()))


def changed_fields(before: WorkingCopy, after: WorkingCopy) -> list[str]:
    """The names of the fields that differ: those a person writes, then those that acts set."""
    names = [
        name
        for name in Content.model_fields
        if getattr(before.content, name) != getattr(after.content, name)
    ]
    names += [name for name in STATE if getattr(before, name) != getattr(after, name)]
    names += [
        field.name
        for field in fields(Standing)
        if getattr(before.standing, field.name) != getattr(after.standing, field.name)
    ]
    return list(dict.fromkeys(names))


def _inside(
    path: str, before: Mapping[str, Any], after: Mapping[str, Any], work: Work
) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *after]):
        if name not in DERIVED:
            field = f"{path}.{name}" if path else name
            yield from _between(field, before.get(name), after.get(name), work)


def _between(field: str, before: Any, after: Any, work: Work) -> Iterator[Change]:
    if before == after or (_empty(before) and _empty(after)):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _inside(field, before, after, work)
    elif _listed(before, str) and _listed(after, str):
        yield from _items(field, list(before or ()), list(after or ()))
    elif _listed(before, dict) and _listed(after, dict):
        yield from _inside(field, _numbered(before), _numbered(after), work)
    elif isinstance(before, str) and isinstance(after, str) and _prose(field):
        yield _change(field, before, after, segments(before, after, work))
    else:
        yield _change(field, before, after)


def _items(field: str, before: list[str], after: list[str]) -> Iterator[Change]:
    """Of a list of words: those that went, those that came, and whether the others stand otherwise."""
    gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
    for item in gone.elements():
        yield Change(field, "removed", item, None)
    for item in come.elements():
        yield Change(field, "added", None, item)
    if _without(before, gone) != _without(after, come):
        yield Change(field, "changed", before, after)


def _without(items: list[str], taken: Counter[str]) -> list[str]:
    left, kept = Counter(taken), []
    for item in items:
        if left[item]:
            left[item] -= 1
        else:
            kept.append(item)
    return kept


def _change(field: str, before: Any, after: Any, pieces: list[Segment] | None = None) -> Change:
    kind: Kind = "added" if _empty(before) else "removed" if _empty(after) else "changed"
    return Change(field, kind, before, after, pieces)


def _numbered(items: Any) -> dict[str, Any]:
    return {str(index): item for index, item in enumerate(items or ())}


def _listed(value: Any, kind: type) -> bool:
    """Nothing, or a list of these alone."""
    return value is None or (
        isinstance(value, list | tuple) and all(isinstance(item, kind) for item in value)
    )


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | tuple | dict) and not value)


def _prose(field: str) -> bool:
    names = field.split(".")
    return names[0] in PROSE or names[-1] in PROSE_PARTS
