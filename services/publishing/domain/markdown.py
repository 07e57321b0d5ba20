"""Markdown to HTML that is safe on our pages, in feeds and in mail. Never lets a script or a style through."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, table
from markdown_it.token import Token

from services.publishing.domain.errors import Invalid
from services.publishing.domain.figures import attributes, figure_close, with_figures
from services.publishing.domain.picture_text import LeadImageText
from services.publishing.domain.stored_pictures import StoredRendition

TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li"),
    *("pre", "code", "em", "strong", "s", "a", "img"),
    *("table", "thead", "tbody", "tr", "th", "td"),
    *("figure", "figcaption", "small"),
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height", "loading"},
    "ol": {"start"},
}
SCHEMES = {"http", "https", "mailto"}
ADDRESSES = 1_000_000
"""Characters that all link targets and titles may have together.

A definition is written once and used by every reference to it: 90 kB of address behind 30,000
references would be a gigabyte of HTML (cmark caps the same expansion).
"""
CELLS = 50_000
"""Cells of all tables together: a short row is filled up to the width of its table, so that 30 kB of
text would be 13 MB of HTML."""
PICTURES = 100
"""How often a body may show a picture: each brings its caption and its sizes along."""
_PICTURE = re.compile(r"/media/([0-9a-f]+)/([a-z0-9]+\.(?:jpg|png))")


@dataclass(frozen=True)
class Shown:
    """One place where the body shows a picture of ours; `alt` is what the Markdown says of it."""

    media_id: str
    file: str
    alt: str


@dataclass(frozen=True)
class Illustration:
    """What is known of a picture: its words, and its stored sizes."""

    words: LeadImageText
    files: tuple[StoredRendition, ...]


@dataclass(frozen=True)
class Manuscript:
    """A body read but not yet rendered. `shown` is in the order of the text."""

    tokens: Sequence[Token]
    origin: str
    shown: tuple[Shown, ...]


def render(body: str, origin: str, pictures: Mapping[str, Illustration] | None = None) -> str:
    """The article's HTML. CommonMark with tables and strikethrough; raw HTML is shown, not obeyed.

    `origin` (`https://host`, no slash at the end) makes our own addresses absolute, because feeds
    and mail have no page to be relative to. Pictures come from our own media, as the site's policy
    demands; any other is replaced by its alternative text. Raises `Invalid` naming `body`.
    """
    return typeset(read(body, origin), pictures or {})


def read(body: str, origin: str) -> Manuscript:
    """Parse, and find which pictures the text shows. Raises `Invalid` naming `body`."""
    tokens = _PARSER.parse(body, {"cells": 0})
    if _addresses(tokens) > ADDRESSES:
        raise Invalid({"body": f"its links have more than {ADDRESSES:,} characters together"})
    images = [
        child
        for token in tokens
        for child in token.children or ()
        if child.type == "image" and _place(child, origin)
    ]
    if len(images) > PICTURES:
        raise Invalid({"body": f"shows pictures more than {PICTURES} times"})
    return Manuscript(tokens, origin, tuple(_shown(image, origin) for image in images))


def typeset(manuscript: Manuscript, pictures: Mapping[str, Illustration]) -> str:
    """The HTML, with words and sizes from `pictures` by media id."""
    origin = manuscript.origin
    env = {"origin": origin, "pictures": pictures}

    def words_of(image: Token) -> LeadImageText | None:
        place = _place(image, origin)
        known = pictures.get(place[0]) if place else None
        return known.words if known else None

    tokens = with_figures(manuscript.tokens, words_of)
    html: str = _PARSER.renderer.render(tokens, _PARSER.options, env)

    def settle(tag: str, name: str, value: str) -> str | None:
        return _absolute(value, origin) if name == "href" else value

    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=settle,
        url_schemes=SCHEMES,
        link_rel="noopener",
    )


def _addresses(tokens: Sequence[Token]) -> int:
    """Length of all targets and titles, each as often as it will be written."""
    return sum(
        sum(len(str(value)) for value in token.attrs.values()) + _addresses(token.children or ())
        for token in tokens
    )


def _absolute(address: str, origin: str) -> str | None:
    """None for what means nothing away from its page."""
    if address.startswith("/") and not address.startswith(("//", "/\\")):
        return origin + address
    if address.startswith("#") or address.partition(":")[0].lower() in SCHEMES:
        return address
    return None


def _place(image: Token, origin: str) -> tuple[str, str] | None:
    """Media id and file of one of our pictures; None for any other."""
    found = _PICTURE.fullmatch(str(image.attrs.get("src", "")).removeprefix(origin))
    return (found[1], found[2]) if found else None


def _words(image: Token) -> str:
    """The Markdown's own alternative text, as plain text."""
    return _PLAIN.renderInlineAsText(image.children or [], _PARSER.options, {}).strip()


def _shown(image: Token, origin: str) -> Shown:
    media_id, file = _place(image, origin) or ("", "")
    return Shown(media_id, file, _words(image))


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The parser's own rule, stopped as soon as the tables so far are too large."""
    known = len(state.tokens)
    found = table(state, start, end, silent)
    state.env["cells"] += sum(token.type == "td_open" for token in state.tokens[known:])
    if state.env["cells"] > CELLS:
        raise Invalid({"body": f"its tables have more than {CELLS:,} cells together"})
    return found


def _image(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    token = tokens[index]
    place = _place(token, env["origin"])
    if place is None:
        return escape(_words(token))
    media_id, file = place
    known = env["pictures"].get(media_id)
    written = {
        "src": f"{env['origin']}/media/{media_id}/{file}",
        "alt": (known and known.words.alt) or _words(token),
        "title": token.attrs.get("title") or None,
    }
    size = next((one for one in known.files if one.file == file), None) if known else None
    if size:
        # Known before the bytes come, so that nothing on the page moves when they do.
        written |= {"width": size.width, "height": size.height, "loading": "lazy"}
    return f"<img{attributes(written)}>"


_PLAIN = RendererHTML()
_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_PARSER.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
_PARSER.add_render_rule("image", _image)
_PARSER.add_render_rule("figure_close", figure_close)
