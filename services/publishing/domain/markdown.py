"""Markdown to HTML that is safe on our pages, in feeds and in mail. Never lets a script or a style through."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li"),
    *("pre", "code", "em", "strong", "s", "a", "img"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}


def render(body: str, origin: str) -> str:
    """The article's HTML. CommonMark with tables and strikethrough; raw HTML is shown, not obeyed.

    `origin` (`https://host`, no slash at the end) makes our own addresses absolute, because feeds
    and mail have no page to be relative to. Pictures come from our own media or over https; any
    other is replaced by its alternative text.
    """
    html: str = _PARSER.render(body, {"origin": origin})

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
    source = _absolute(str(token.attrs.get("src", "")), origin) or ""
    alternative = escape(renderer.renderInlineAsText(token.children or [], options, env))
    if not source.startswith(("https://", f"{origin}/media/")):
        return alternative
    title = token.attrs.get("title")
    titled = f' title="{escape(str(title))}"' if title else ""
    return f'<img src="{escape(source)}" alt="{alternative}"{titled}>'


_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_PARSER.add_render_rule("image", _image)
