"""Language codes as the Google News sitemap takes them. Never answers a code that its schema refuses."""

from __future__ import annotations

import re

_ISO_639 = re.compile(r"[a-z]{2,3}")
_TRADITIONAL = {"hant", "tw", "hk", "mo"}


def news_language(tag: str, otherwise: str = "en") -> str:
    """The code for a BCP 47 tag: ISO 639, two or three letters, without region.

    Chinese is the exception: `zh-cn` for simplified and `zh-tw` for traditional characters. A tag
    without an ISO 639 language (`i-klingon`) answers the code of `otherwise`.
    Source: Google, "News sitemaps"; sitemap-news/0.9, tLanguage.
    """
    language, *rest = tag.strip().lower().replace("_", "-").split("-")
    if language == "zh":
        if "hans" in rest:
            return "zh-cn"
        return "zh-tw" if _TRADITIONAL.intersection(rest) else "zh-cn"
    if _ISO_639.fullmatch(language):
        return language
    return "en" if otherwise == tag else news_language(otherwise)
