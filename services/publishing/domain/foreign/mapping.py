"""A foreign article as the import API takes it: section chosen, tags and texts within our limits. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.publishing.domain.foreign.model import ForeignArticle, ForeignAuthor, Term
from shared.runtime.publication import known_language

TAGS, TAG_LENGTH = 20, 60
BYLINES, NAME_LENGTH = 20, 120
STANDFIRST, SUMMARY, WORDS = 1000, 2000, 1000


@dataclass(frozen=True)
class Sections:
    """How the old categories become sections here."""

    known: Mapping[str, str]
    """Name by slug, of every section there is here."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Section here by the slug or name of a category there."""
    default: str | None = None

    def choose(self, terms: tuple[Term, ...]) -> tuple[str | None, Term | None]:
        """The section and the term it was chosen by: what was mapped first, then what is called the same."""
        renamed = {_key(old): new for old, new in self.renamed.items()}
        for term in terms:
            found = renamed.get(_key(term.slug)) or renamed.get(_key(term.name))
            if found:
                return found, term
        same = {_key(slug): slug for slug in self.known}
        same |= {_key(name): slug for slug, name in self.known.items()}
        for term in terms:
            found = same.get(_key(term.slug)) or same.get(_key(term.name))
            if found:
                return found, term
        return self.default, None


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


def import_body(article: ForeignArticle, sections: Sections) -> tuple[dict[str, Any], list[str]]:
    """The fields of `PUT /api/v1/imports/...` without pictures, and notes on what did not fit."""
    notes = list(article.notes)
    section, chosen = sections.choose(article.terms)
    names = [term.name for term in article.terms if term is not chosen] + list(article.tags)
    language = article.language
    if language and not known_language(language):
        notes.append(f"the language {language[:40]} is unknown and was left out")
        language = None
    body: dict[str, Any] = {
        "headline": article.headline,
        "standfirst": _cut(article.standfirst, STANDFIRST, "standfirst", notes),
        "summary": _cut(article.summary, SUMMARY, "summary", notes),
        "body": article.body,
        "section": section,
        "tags": _tags(names, notes),
        "bylines": [_byline(author, notes) for author in article.authors[:BYLINES]],
        "language": language,
        "slug": article.slug,
        "access": article.access,
        "noindex": article.noindex,
        "canonical_url": _canonical(article),
        "status": article.status,
        "published_at": _iso(article.published_at),
        "updated_at": _iso(article.updated_at),
        "former_paths": list(article.former_paths),
    }
    return {
        name: value for name, value in body.items() if value not in (None, "", [], False)
    }, notes


def _canonical(article: ForeignArticle) -> str | None:
    """None where the address is the article's own old one, which leads here from now on."""
    address = article.canonical_url or ""
    own = any(address.rstrip("/").endswith(path.rstrip("/")) for path in article.former_paths)
    return None if not address or own else address


def _tags(names: list[str], notes: list[str]) -> list[str]:
    tags: dict[str, str] = {}
    for name in names:
        name = " ".join(name.split())
        if len(name) > TAG_LENGTH:
            notes.append(
                f"the tag {name[:TAG_LENGTH]}... is longer than {TAG_LENGTH} and was left out"
            )
        elif name:
            tags.setdefault(_key(name), name)
    kept = list(tags.values())
    if len(kept) > TAGS:
        notes.append(f"tags beyond the first {TAGS} were left out: {', '.join(kept[TAGS:])}"[:500])
    return kept[:TAGS]


def _byline(author: ForeignAuthor, notes: list[str]) -> dict[str, Any]:
    bio = _cut(author.bio or "", SUMMARY, f"biography of {author.name}", notes)
    fields = {"name": author.name[:NAME_LENGTH], "bio": bio, "url": author.url}
    return {name: value for name, value in fields.items() if value}


def _cut(text: str, length: int, what: str, notes: list[str]) -> str:
    if len(text) <= length:
        return text
    notes.append(f"the {what} was cut to {length} characters")
    return text[: length - 1].rstrip() + "…"


def _iso(moment: Any) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
