"""WordPress exports (WXR 1.0 to 1.2), read as a stream. Never expands an entity, never opens an address.

Two passes: authors and attachments first, because a post may come before the pictures it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import unquote

from lxml import etree  # type: ignore[import-untyped]

from services.publishing.domain.foreign.html_to_markdown import to_markdown
from services.publishing.domain.foreign.model import (
    ForeignArticle,
    ForeignAuthor,
    ForeignImage,
    Found,
    LeftOut,
    Site,
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
from services.publishing.domain.foreign.wordpress_html import plain_html

Opener = Callable[[], BinaryIO]
_STRAY = bytes(code for code in range(32) if code not in b"\t\n\r")
_SEO = "_yoast_wpseo_"
_PUBLIC, _DRAFTS = "publish", {"future", "draft", "pending", "private"}


@dataclass
class _Known:
    site: Site
    pictures: dict[str, ForeignImage] = field(default_factory=dict)


def read_site(open_file: Opener) -> Site:
    """Whose export it is. Raises `Unreadable`."""
    return _first_pass(open_file).site


def read(open_file: Opener) -> Iterator[Found]:
    """Every post, and what is left out. Raises `Unreadable` where the file breaks off or is no WXR."""
    known = _first_pass(open_file)
    for item in _elements(open_file, {"item"}):
        yield _found(_Item(item), known)


def _first_pass(open_file: Opener) -> _Known:
    known = _Known(Site())
    url = language = None
    authors: dict[str, ForeignAuthor] = {}
    for element in _elements(
        open_file, {"item", "author", "base_blog_url", "language", "wxr_version"}
    ):
        name, text = _local(element), clean(element.text or "").strip()
        if name == "base_blog_url":
            url = web_address(text)
        elif name == "language":
            language = text or None
        elif name == "author" and (parts := _Item(element)).text("author_login"):
            login = parts.text("author_login")
            shown = parts.text("author_display_name") or login
            authors[login] = ForeignAuthor(plain_text(shown)[:120] or login)
        elif (
            name == "item"
            and (item := _Item(element)).text("post_type") == "attachment"
            and (address := web_address(item.text("attachment_url") or item.text("guid")))
        ):
            known.pictures[item.text("post_id")] = ForeignImage(
                address,
                plain_text(item.meta.get("_wp_attachment_image_alt", "")),
                plain_text(item.encoded("excerpt")) or None,
            )
    known.site = Site(url, language, authors)
    return known


class _Clean:
    """The file without the control bytes that WordPress writes and XML forbids."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        kept = data.translate(None, _STRAY)
        return kept if kept or not data else self.read(size)


def _elements(open_file: Opener, names: set[str]) -> Iterator[Any]:
    """Each finished element with one of these names, freed from memory after its turn."""
    with open_file() as file:
        source: Any = _Clean(file)
        seen_root = False
        try:
            for event, element in etree.iterparse(
                source,
                events=("start", "end"),
                resolve_entities=False,
                no_network=True,
                load_dtd=False,
                huge_tree=False,
            ):
                if not isinstance(element.tag, str):
                    continue
                name = _local(element)
                if event == "start":
                    if not seen_root:
                        seen_root = True
                        _expect_wxr(element, name)
                    continue
                parent = element.getparent()
                if name in names and parent is not None and _local(parent) == "channel":
                    yield element
                if parent is not None and _local(parent) == "channel":
                    element.clear()
                    while element.getprevious() is not None:
                        del parent[0]
        except etree.XMLSyntaxError as error:
            raise Unreadable(f"it is not well-formed XML: {error.msg or 'it is empty'}") from error


def _expect_wxr(root: Any, name: str) -> None:
    if root.getroottree().docinfo.doctype:
        raise Unreadable("it has a DOCTYPE, which no WordPress export has")
    if name != "rss":
        raise Unreadable(f"it is no WordPress export: it begins with <{name[:40]}>")


def _local(element: Any) -> str:
    """The name without namespace, or without a prefix that nobody declared."""
    return str(element.tag).rpartition("}")[2].rpartition(":")[2]


class _Item:
    """An `<item>` by the local names of its parts; versions differ only in their namespaces."""

    def __init__(self, element: Any) -> None:
        self._element = element
        self.meta: dict[str, str] = {}
        self.categories: list[tuple[str, str, str]] = []
        self._texts: dict[str, str] = {}
        for child in element:
            if not isinstance(child.tag, str):
                continue
            name = _local(child)
            if name == "postmeta":
                pair = {_local(one): one.text or "" for one in _tags(child)}
                self.meta.setdefault(pair.get("meta_key", ""), clean(pair.get("meta_value", "")))
            elif name == "category":
                self.categories.append(
                    (
                        child.get("domain", ""),
                        child.get("nicename", ""),
                        plain_text(child.text or ""),
                    )
                )
            elif name == "encoded":
                kind = "excerpt" if "excerpt" in child.tag else "content"
                self._texts[f"encoded:{kind}"] = clean(child.text or "")
            else:
                self._texts.setdefault(name, clean(child.text or "").strip())

    def text(self, name: str) -> str:
        return self._texts.get(name, "")

    def encoded(self, kind: str) -> str:
        return self._texts.get(f"encoded:{kind}", "")


def _tags(element: Any) -> list[Any]:
    return [child for child in element if isinstance(child.tag, str)]


def _found(item: _Item, known: _Known) -> Found:
    external_id, kind, status = item.text("post_id"), item.text("post_type"), item.text("status")
    title = plain_text(item.text("title"))
    if kind != "post":
        return LeftOut(external_id, title, f"is no article: {kind or 'nameless'}")
    if not external_id.isdigit() or len(external_id) > 20:
        return LeftOut(external_id[:20], title, "has no usable wp:post_id", wrong=True)
    if status in {"trash", "auto-draft", "inherit"}:
        return LeftOut(external_id, title, f"is in the status {status}")
    if status != _PUBLIC and status not in _DRAFTS:
        return LeftOut(external_id, title, f"has an unknown status: {status[:40]}", wrong=True)
    try:
        return _article(item, known, external_id, title, status)
    except Unreadable as error:
        return LeftOut(external_id, title, str(error), wrong=True)


def _article(
    item: _Item, known: _Known, external_id: str, title: str, status: str
) -> ForeignArticle:
    notes = [] if status in {_PUBLIC, "draft"} else [f"was {status} there and is a draft here"]
    published_at = instant(item.text("post_date_gmt")) or instant(item.text("pubDate"))
    if status == "future" and published_at:
        notes = [f"was scheduled there for {published_at.isoformat()} and is a draft here"]
    public = status == _PUBLIC
    if item.text("post_password"):
        notes.append("was behind a password and is a draft here")
        public = False
    html, left = plain_html(item.encoded("content"), known.pictures)
    base = web_address(item.text("link")) or known.site.url
    converted = to_markdown(html, base)
    notes += [*converted.notes, *(f"the shortcode [{name}] stays as text" for name in left)]
    categories = [one for one in item.categories if one[0] == "category" and one[2]]
    main = item.meta.get(f"{_SEO}primary_category")
    terms = tuple(Term(unquote(nicename), name) for _, nicename, name in categories)
    if main:
        terms = tuple(sorted(terms, key=lambda term: term.slug != main))
    return ForeignArticle(
        external_id=external_id,
        headline=title,
        body=converted.body,
        status="published" if public else "draft",
        slug=usable_slug(item.text("post_name")),
        standfirst=plain_text(item.meta.get("newspack_post_subtitle", "")),
        summary=plain_text(item.encoded("excerpt")),
        terms=terms,
        tags=tuple(name for domain, _, name in item.categories if domain == "post_tag" and name),
        authors=_authors(item, known.site.authors),
        published_at=published_at if public else None,
        updated_at=instant(item.text("post_modified_gmt")),
        former_paths=_paths(item) if public else (),
        lead_image=known.pictures.get(item.meta.get("_thumbnail_id", "")),
        images=converted.images,
        noindex=item.meta.get(f"{_SEO}meta-robots-noindex") == "1",
        canonical_url=web_address(item.meta.get(f"{_SEO}canonical")),
        search_title=_seo(item, "title"),
        search_description=_seo(item, "metadesc"),
        share_title=_seo(item, "opengraph-title"),
        share_description=_seo(item, "opengraph-description"),
        share_image=web_address(item.meta.get(f"{_SEO}opengraph-image")),
        notes=tuple(dict.fromkeys(notes)),
    )


def _authors(item: _Item, authors: dict[str, ForeignAuthor]) -> tuple[ForeignAuthor, ...]:
    """The bylines: those of Co-Authors Plus where it is in use, else the post's one author."""
    joint = [
        authors.get(nicename.removeprefix("cap-")) or ForeignAuthor(name)
        for domain, nicename, name in item.categories
        if domain == "author" and name
    ]
    if joint:
        return tuple(joint)
    login = item.text("creator")
    return (authors.get(login) or ForeignAuthor(login),) if login else ()


def _paths(item: _Item) -> tuple[str, ...]:
    link, guid = item.text("link"), item.text("guid")
    found = [path_of(link)]
    if "?p=" in guid or "?page_id=" in guid:
        found.append(path_of(guid))
    slug, old = item.text("post_name"), item.meta.get("_wp_old_slug")
    if old and slug and f"/{slug}" in link:
        found.append(path_of(f"/{old}".join(link.rsplit(f"/{slug}", 1))))
    return tuple(dict.fromkeys(path for path in found if path))


def _seo(item: _Item, name: str) -> str | None:
    text = plain_text(item.meta.get(f"{_SEO}{name}", ""))
    return text if text and "%%" not in text else None  # a template of the plugin is no text
