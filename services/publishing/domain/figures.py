"""Paragraphs that are nothing but a picture with a caption or a credit become figures. Escapes every word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from services.publishing.domain.picture_text import LeadImageText

WordsOf = Callable[[Token], LeadImageText | None]


def with_figures(tokens: Sequence[Token], words_of: WordsOf) -> list[Token]:
    """The same tokens with such paragraphs opened and closed as figures; a figure is never inside one.

    HTML forbids a figure inside a paragraph, so what shares its paragraph with text stays a picture.
    """
    result: list[Token] = []
    index = 0
    while index < len(tokens):
        words = _captioned(tokens, index, words_of)
        if words is None:
            result.append(tokens[index])
            index += 1
            continue
        result += [
            Token("figure_open", "figure", 1, block=True),
            tokens[index + 1],
            Token("figure_close", "figure", -1, block=True, meta={"words": words}),
        ]
        index += 3
    return result


def figure_close(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    """The caption, and the credit in small print (HTML: `small` is for attribution)."""
    words: LeadImageText = tokens[index].meta["words"]
    parts = [escape(words.caption)] if words.caption else []
    if words.credit:
        parts.append(f"<small>{escape(words.credit)}</small>")
    return f"<figcaption>{' '.join(parts)}</figcaption></figure>\n"


def attributes(written: Mapping[str, object]) -> str:
    """As they stand in a tag; what is None is left out."""
    return "".join(
        f' {name}="{escape(str(value))}"' for name, value in written.items() if value is not None
    )


def _captioned(tokens: Sequence[Token], index: int, words_of: WordsOf) -> LeadImageText | None:
    if tokens[index].type != "paragraph_open":
        return None
    content = [
        child
        for child in tokens[index + 1].children or ()
        if child.type != "text" or child.content.strip()
    ]
    if len(content) != 1 or content[0].type != "image":
        return None
    words = words_of(content[0])
    return words if words and (words.caption or words.credit) else None
