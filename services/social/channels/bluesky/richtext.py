"""Rich text as atproto has it: facets over UTF-8 bytes, always on grapheme boundaries. Never alters the text."""

from __future__ import annotations

from typing import Any

import regex

TAG_GRAPHEMES = 64
TAG_BYTES = 640
"""Limits of a tag in app.bsky.richtext.facet#tag."""

# Without control and format characters, which no lexicon takes in a uri (a bidi mark ends a link).
_LINK = regex.compile(r"https?://[^\s\p{C}<>\"「」『』、。…]+", regex.IGNORECASE)
_TAG = regex.compile(r"(?<![^\s(\[])[#＃]([\w\p{M}]+)")
_TRAILING = ".,;:!?'\"”’»)]}*"


def graphemes(text: str) -> int:
    """Extended grapheme clusters (UAX 29), what the lexicon's `maxGraphemes` counts."""
    return sum(1 for _ in regex.finditer(r"\X", text))


def facets(text: str, own: tuple[int, int, str] | None) -> list[dict[str, Any]]:
    """Links and hashtags of `text` as app.bsky.richtext.facet, in order and never overlapping.

    `own` is our link: start and end in characters and the address behind it; it wins over what is found.
    """
    spans: list[tuple[int, int, dict[str, str]]] = []
    if own:
        spans.append((own[0], own[1], {"$type": "app.bsky.richtext.facet#link", "uri": own[2]}))
    for start, uri in _links(text):
        feature = {"$type": "app.bsky.richtext.facet#link", "uri": uri}
        spans.append((start, start + len(uri), feature))
    for found in _TAG.finditer(text):
        if is_tag(found.group(1)):
            feature = {"$type": "app.bsky.richtext.facet#tag", "tag": found.group(1)}
            spans.append((*found.span(), feature))
    bounds = {0, *(cluster.end() for cluster in regex.finditer(r"\X", text))}
    kept: list[tuple[int, int, dict[str, str]]] = []
    for start, end, feature in spans:
        free = all(end <= other[0] or other[1] <= start for other in kept)
        # Inside a grapheme (a tag that runs into a joiner) a facet would cut what people see as one.
        if free and start in bounds and end in bounds:
            kept.append((start, end, feature))
    return [
        {
            "index": {
                "byteStart": len(text[:start].encode()),
                "byteEnd": len(text[:end].encode()),
            },
            "features": [feature],
        }
        for start, end, feature in sorted(kept, key=lambda span: span[0])
    ]


def _links(text: str) -> list[tuple[int, str]]:
    found = [(link.start(), link.group().rstrip(_TRAILING)) for link in _LINK.finditer(text)]
    return [(start, uri) for start, uri in found if not uri.endswith("://")]


def is_tag(name: str) -> bool:
    """Whether the network makes a hashtag of these letters and digits: not of digits alone, not of too many."""
    return (
        regex.search(r"[^\d_]", name) is not None
        and graphemes(name) <= TAG_GRAPHEMES
        and len(name.encode()) <= TAG_BYTES
    )
