"""What a reader without a subscription gets of a premium article. Never a word beyond the first paragraph."""

from __future__ import annotations

import re

import nh3

# Paragraphs cannot nest, and the article's HTML is what a cleaner wrote: each one is closed.
_PARAGRAPH = re.compile(r"<p(?:\s[^>]*)?>.*?</p>", re.DOTALL)
_TAGS = {"p", "a", "em", "strong", "s", "code", "br"}


def teaser(body_html: str) -> str:
    """The first paragraph, balanced whatever it was cut from; empty where there is none."""
    found = _PARAGRAPH.search(body_html)
    return nh3.clean(found.group(), tags=_TAGS, link_rel="noopener") if found else ""
