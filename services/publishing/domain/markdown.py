"""Markdown to HTML that is safe on our pages, in feeds and in mail. Never lets a script or a style through."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from services.publishing.domain.errors import Invalid

TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li"),
    *("pre", "code", "em", "strong", "s", "a", "img"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}
ADDRESSES = 1_000_000
"""Characters that all link targets and titles may have together.

A definition is written once and used by every reference to it: 90 kB of address behind 30,000
references would be a gigabyte of HTML (cmark caps the same expansion).
"""
_PICTURE = re.compile(r"/media/[0-9a-f]+/[a-z0-9]+\.(?:jpg|png)")


def render(body: str, origin: str) -> str:
    """The article's HTML. CommonMark with tables and strikethrough; raw HTML is shown, not obeyed.

    `origin` (`https://host`, no slash at the end) makes our own addresses absolute, because feeds
    and mail have no page to be relative to. Pictures come from our own media, as the site's policy
    demands; any other is replaced by its alternative text. Raises `Invalid` naming `body`.
    """
    env = {"origin": origin}
    tokens = _PARSER.parse(body, env)
    if _addresses(tokens) > ADDRESSES:
        raise Invalid({"body": f"its links have more than {ADDRESSES:,} characters together"})
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


def _image(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    token = tokens[index]
    origin = env["origin"]
    source = str(token.attrs.get("src", "")).removeprefix(origin)
    alternative = escape(renderer.renderInlineAsText(token.children or [], options, env))
    if not _PICTURE.fullmatch(source):
        return alternative
    title = token.attrs.get("title")
    titled = f' title="{escape(str(title))}"' if title else ""
    return f'<img src="{origin}{source}" alt="{alternative}"{titled}>'


_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_PARSER.add_render_rule("image", _image)
