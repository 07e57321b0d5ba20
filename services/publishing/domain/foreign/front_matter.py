"""A folder of Markdown: front matter in our own names, or in those that static sites use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import unquote

import yaml

from services.publishing.domain.foreign.model import (
    ForeignArticle,
    ForeignAuthor,
    ForeignImage,
    Term,
    Unreadable,
)
from services.publishing.domain.foreign.text import (
    clean,
    instant,
    path_of,
    plain_text,
    usable_slug,
    web_address,
)

PICTURE = re.compile(r"(!\[(?:[^\]\\]|\\.)*\]\()(<[^>\n]+>|[^\s)]+)(?=[\s)])")
"""Up to a picture's address, and the address itself."""
_FENCE = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?\n?", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Matter:
    """A file taken apart. `ours` where it speaks in the names of the Article JSON."""

    fields: dict[str, Any]
    body: str

    @property
    def ours(self) -> bool:
        return "headline" in self.fields


def take_apart(content: bytes) -> Matter:
    """Front matter and text of one file. Raises `Unreadable`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("it is not UTF-8") from error
    found = _FENCE.match(text)
    if found is None:
        raise Unreadable("it has no front matter between two lines of ---")
    try:
        fields = yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise Unreadable(f"its front matter is not YAML: {error}") from error
    if not isinstance(fields, dict) or not all(isinstance(name, str) for name in fields):
        raise Unreadable("its front matter is not a list of names and values")
    return Matter(fields, text[found.end() :].strip())


def put_together(fields: dict[str, Any], body: str) -> str:
    """The file that `take_apart` reads back as it was."""
    head = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=2**20)
    return f"---\n{head}---\n\n{body}\n"


def as_json(value: Any) -> Any:
    """YAML's dates as text and everything else as it is, for a JSON body. Raises `Unreadable`."""
    if isinstance(value, datetime | date):
        moment = (
            value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
        )
        found = instant(moment)
        if found is None:
            raise Unreadable(f"{value} is no moment")
        return found.isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {str(name): as_json(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_json(inner) for inner in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise Unreadable(f"its front matter holds a {type(value).__name__}, which no field takes")


def pictures(body: str) -> tuple[str, ...]:
    """Addresses of the pictures in a Markdown text, as they stand there, in order."""
    return tuple(found[2].strip("<>") for found in PICTURE.finditer(body))


def with_pictures(body: str, addresses: dict[str, str]) -> str:
    """The text with each picture that `addresses` knows under its new address."""

    def replaced(found: re.Match[str]) -> str:
        address = found[2].strip("<>")
        return found[1] + addresses.get(address, found[2])

    return PICTURE.sub(replaced, body)


def article_of(external_id: str, matter: Matter) -> ForeignArticle:
    """An article from the names that Hugo, Jekyll, Eleventy and Astro share."""
    fields = matter.fields
    published_at = instant(_moment(fields, "date", "pubDate", "publishDate"))
    image = _first(fields, "image", "cover", "thumbnail", "heroImage")
    if isinstance(image, dict):
        image = image.get("image") or image.get("src") or image.get("url")
    draft = fields.get("draft") is True or fields.get("published") is False
    aliases = [_text(one) for one in _listed(fields, "aliases", "redirect_from")]
    own = [_text(fields.get(name)) for name in ("url", "permalink")]
    return ForeignArticle(
        external_id=external_id,
        headline=plain_text(_text(fields.get("title"))),
        body=clean(matter.body.replace("\r\n", "\n")),
        status="draft" if draft or published_at is None else "published",
        slug=usable_slug(_text(fields.get("slug"))),
        standfirst=plain_text(_text(_first(fields, "subtitle", "standfirst"))),
        summary=plain_text(_text(_first(fields, "description", "summary", "excerpt"))),
        terms=tuple(
            Term(_text(one), _text(one))
            for one in _listed(fields, "section", "categories", "category")
            if _text(one)
        ),
        tags=tuple(_text(one) for one in _listed(fields, "tags") if _text(one)),
        authors=tuple(
            author for one in _listed(fields, "authors", "author") if (author := _author(one))
        ),
        language=_text(_first(fields, "language", "lang")) or None,
        published_at=None if draft else published_at,
        updated_at=instant(_moment(fields, "lastmod", "updated", "updatedDate", "modified")),
        former_paths=tuple(
            dict.fromkeys(
                path
                for one in (*own, *aliases)
                if one and (path := path_of(f"https://any.example/{unquote(one).lstrip('/')}"))
            )
        ),
        lead_image=ForeignImage(_text(image), plain_text(_text(_first(fields, "image_alt", "alt"))))
        if isinstance(image, str) and image
        else None,
        images=pictures(matter.body),
        canonical_url=web_address(_text(_first(fields, "canonical_url", "canonicalURL"))),
        notes=() if draft or published_at else ("has no date and is a draft here",),
    )


def _author(value: Any) -> ForeignAuthor | None:
    if isinstance(value, dict):
        name = plain_text(_text(value.get("name")))
        return ForeignAuthor(name, url=web_address(_text(value.get("url")))) if name else None
    name = plain_text(_text(value))
    return ForeignAuthor(name[:120]) if name else None


def _moment(fields: dict[str, Any], *names: str) -> Any:
    value = _first(fields, *names)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value if isinstance(value, str | datetime) else None


def _first(fields: dict[str, Any], *names: str) -> Any:
    return next((fields[name] for name in names if fields.get(name)), None)


def _listed(fields: dict[str, Any], *names: str) -> list[Any]:
    found: list[Any] = []
    for name in names:
        value = fields.get(name)
        if isinstance(value, str):
            found += [part.strip() for part in value.split(",")] if name == "tags" else [value]
        elif isinstance(value, list):
            found += value
        elif isinstance(value, dict):
            found.append(value)
    return found


def _text(value: Any) -> str:
    return clean(str(value)).strip() if isinstance(value, str | int | float) else ""
