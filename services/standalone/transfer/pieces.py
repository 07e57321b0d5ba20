"""What there is to import: every source turned into pieces of one kind, and what is left out of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

import orjson

from services.publishing.domain.foreign import front_matter, ghost, wxr
from services.publishing.domain.foreign.mapping import Sections, import_body
from services.publishing.domain.foreign.model import (
    ForeignArticle,
    ForeignAuthor,
    ForeignImage,
    Found,
    LeftOut,
    Term,
    Unreadable,
)
from services.publishing.domain.imported import SOURCE, SOURCE_LENGTH
from services.standalone.transfer.shelf import Shelf, Unfit, shelf_of

Kind = Literal["wxr", "ghost", "markdown", "herald"]
KINDS = get_args(Kind)
INDEX = "articles.jsonl"
"""Names every article of a Herald export, with what front matter has no field for."""
_BEGINNING = 4096


@dataclass
class Piece:
    """One article on its way in, without its pictures."""

    source: str
    external_id: str
    title: str
    body: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    lead: ForeignImage | None = None
    share: str | None = None
    pictures: tuple[str, ...] = ()
    authors: tuple[ForeignAuthor, ...] = ()
    near: str = ""
    """The folder of its document on the shelf."""


@dataclass
class Material:
    """An opened source. Both functions may be called again and read from the beginning."""

    kind: Kind
    shelf: Shelf
    pieces: Callable[[Sections], Iterator[Piece | LeftOut]]
    terms: Callable[[], Iterator[tuple[tuple[Term, ...], bool]]]
    """Of each of them what may be its section, and whether it needs one."""


def open_material(
    path: Path,
    kind: Kind | None,
    source: str | None,
    site: str | None,
    permalink: str,
) -> Material:
    """Raises `Unfit` or `Unreadable`."""
    shelf = shelf_of(path)
    document = path.name if path.is_file() and not _is_zip(path) else None
    kind = kind or _guess(shelf, document)
    if kind == "herald":
        return _herald(shelf)
    if kind == "markdown":
        return _markdown(shelf, source or "markdown", document)
    name = document or _only(shelf, ".xml" if kind == "wxr" else ".json")
    if kind == "wxr":

        def opened() -> Any:
            return shelf.open(name)

        about = wxr.read_site(opened)
        where = source or _source_of(about.url) or "wordpress"
        language = about.language
        return _foreign("wxr", shelf, where, lambda: wxr.read(opened), language)

    def read() -> Iterator[Found]:
        with shelf.open(name) as file:
            return ghost.read(file.read(), site, permalink)

    return _foreign("ghost", shelf, source or _source_of(site) or "ghost", read, None)


def _foreign(
    kind: Kind, shelf: Shelf, source: str, read: Callable[[], Iterator[Found]], language: str | None
) -> Material:
    def pieces(sections: Sections) -> Iterator[Piece | LeftOut]:
        for found in read():
            yield found if isinstance(found, LeftOut) else _piece(found, source, sections, language)

    def terms() -> Iterator[tuple[tuple[Term, ...], bool]]:
        for found in read():
            if isinstance(found, LeftOut):
                yield (), False
            else:
                yield found.terms, found.status == "published"

    return Material(kind, shelf, pieces, terms)


def _piece(
    article: ForeignArticle, source: str, sections: Sections, language: str | None, near: str = ""
) -> Piece:
    body, notes = import_body(article, sections)
    if language and "language" not in body:
        body["language"] = language
    search = {"title": article.search_title, "description": article.search_description}
    share = {"title": article.share_title, "description": article.share_description}
    for name, override in (("search", search), ("share", share)):
        said = {key: value for key, value in override.items() if value}
        if said:
            body[name] = said
    return Piece(
        source,
        article.external_id,
        article.headline,
        body,
        notes,
        article.lead_image,
        article.share_image,
        article.images,
        article.authors,
        near,
    )


def _markdown(shelf: Shelf, source: str, document: str | None) -> Material:
    names = [document] if document else [one for one in shelf.names() if _is_article(one)]

    def each() -> Iterator[tuple[str, front_matter.Matter | LeftOut]]:
        for name in names:
            external_id = name.rpartition(".")[0]
            try:
                with shelf.open(name) as file:
                    yield external_id, front_matter.take_apart(file.read())
            except Unreadable as error:
                yield external_id, LeftOut(external_id, name, str(error), wrong=True)

    def pieces(sections: Sections) -> Iterator[Piece | LeftOut]:
        for external_id, matter in each():
            if isinstance(matter, LeftOut):
                yield matter
                continue
            near = PurePosixPath(external_id).parent.as_posix().removeprefix(".")
            try:
                if matter.ours:
                    yield _ours(external_id, matter, source, sections, near)
                else:
                    article = front_matter.article_of(external_id, matter)
                    yield _piece(article, source, sections, None, near)
            except Unreadable as error:
                yield LeftOut(external_id, external_id, str(error), wrong=True)

    def terms() -> Iterator[tuple[tuple[Term, ...], bool]]:
        for external_id, matter in each():
            if isinstance(matter, LeftOut):
                yield (), False
            elif matter.ours:
                section = str(matter.fields.get("section") or "")
                public = bool(matter.fields.get("published_at"))
                yield ((Term(section, section),) if section else ()), public
            else:
                article = front_matter.article_of(external_id, matter)
                yield article.terms, article.status == "published"

    return Material("markdown", shelf, pieces, terms)


def _ours(
    external_id: str, matter: front_matter.Matter, source: str, sections: Sections, near: str
) -> Piece:
    fields = front_matter.as_json(matter.fields)
    body = {**fields, "body": matter.body}
    body.setdefault("status", "published" if fields.get("published_at") else "draft")
    section = str(fields.get("section") or "")
    chosen, _ = sections.choose((Term(section, section),) if section else ())
    body["section"] = chosen
    lead = fields.get("lead_image")
    image = None
    if isinstance(lead, dict) and "file" in lead:
        image = ForeignImage(str(lead["file"]), str(lead.get("alt") or ""), lead.get("caption"))
        body["lead_image"] = {key: value for key, value in lead.items() if key != "file"}
    title = str(fields.get("headline") or external_id)
    pictures = front_matter.pictures(matter.body)
    return Piece(source, external_id, title, body, [], image, None, pictures, (), near)


def _herald(shelf: Shelf) -> Material:
    with shelf.open(INDEX) as file:
        lines = [line for line in file.read().splitlines() if line.strip()]

    def each() -> Iterator[Piece | LeftOut]:
        for number, line in enumerate(lines, 1):
            try:
                yield _exported(shelf, orjson.loads(line))
            except (orjson.JSONDecodeError, Unreadable, KeyError, TypeError, OSError) as error:
                reason = f"line {number} of {INDEX}: {error}"
                yield LeftOut(str(number), INDEX, reason, wrong=True)

    def pieces(sections: Sections) -> Iterator[Piece | LeftOut]:
        for piece in each():
            if isinstance(piece, Piece) and (section := piece.body.get("section")):
                piece.body["section"], _ = sections.choose((Term(section, section),))
            yield piece

    def terms() -> Iterator[tuple[tuple[Term, ...], bool]]:
        for piece in each():
            if isinstance(piece, LeftOut):
                yield (), False
                continue
            section = piece.body.get("section") or ""
            public = piece.body.get("status") not in {"draft", "in_review"}
            yield ((Term(section, section),) if section else ()), public

    return Material("herald", shelf, pieces, terms)


def _exported(shelf: Shelf, line: dict[str, Any]) -> Piece:
    source, external_id, name = str(line["source"]), str(line["external_id"]), str(line["file"])
    with shelf.open(name) as file:
        matter = front_matter.take_apart(file.read())
    body = {**front_matter.as_json(matter.fields), "body": matter.body, **line["article"]}
    if not body["body"]:
        del body["body"]
    return Piece(source, external_id, str(body.get("headline", "")), body)


def _guess(shelf: Shelf, document: str | None) -> Kind:
    names = [document] if document else shelf.names()
    if INDEX in names or document == INDEX:
        return "herald"
    for name in names:
        if name.endswith((".xml", ".json")) and "/" not in name:
            with shelf.open(name) as file:
                head = file.read(_BEGINNING)
            if b"wordpress.org/export" in head:
                return "wxr"
            if name.endswith(".json") and (b'"db"' in head or b'"data"' in head):
                return "ghost"
    if any(_is_article(name) for name in names):
        return "markdown"
    raise Unfit("it holds no WordPress export, Ghost export or Markdown; say which with --kind")


def _only(shelf: Shelf, suffix: str) -> str:
    found = [name for name in shelf.names() if name.endswith(suffix) and "/" not in name]
    if len(found) != 1:
        raise Unfit(f"it holds {len(found)} {suffix} files; name the one to import")
    return found[0]


def _is_article(name: str) -> bool:
    return name.endswith((".md", ".markdown")) and not PurePosixPath(name).name.startswith(
        (".", "_")
    )


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _source_of(address: str | None) -> str | None:
    """The host of the old site: two sites' articles with the same number must not be taken for one."""
    host = (address or "").partition("://")[2].partition("/")[0].lower()
    host = host.partition(":")[0].removeprefix("www.")
    return host if re.fullmatch(SOURCE, host) and len(host) <= SOURCE_LENGTH else None
