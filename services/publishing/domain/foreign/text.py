"""Small readings that every foreign format needs: text without tags, paths of addresses, instants."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup
from bs4.exceptions import ParserRejectedMarkup

from services.publishing.domain.fields import SLUG, SLUG_LENGTH
from services.publishing.domain.foreign.model import Unreadable

# What Herald refuses in people's writing is dropped here: old systems are full of stray control bytes.
_STRAY = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202d\u202e\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_DECLARATION = re.compile(r"<!\[[^<>]*>|<!DOCTYPE[^<>]*>", re.IGNORECASE)
_LONGEST = 1000


def clean(text: str) -> str:
    """The text without characters that no page or feed could carry."""
    return _STRAY.sub("", text)


def parsed(html: str) -> BeautifulSoup:
    """The HTML as a tree, however broken. Raises `Unreadable` for what no parser takes."""
    # Word leaves `<![if ...]>` in what is pasted from it, which the parser refuses to read on from.
    html = _DECLARATION.sub("", clean(html)).replace("<!", "&lt;!").replace("&lt;!--", "<!--")
    try:
        return BeautifulSoup(html, "html.parser")
    except (ParserRejectedMarkup, RecursionError) as error:
        raise Unreadable("its HTML cannot be read") from error


def plain_text(html: str) -> str:
    """What a reader sees of a piece of HTML, on one line."""
    if "<" in html or "&" in html:
        html = parsed(html).get_text(" " if "<p" in html else "")
    return " ".join(clean(html).split())


def usable_slug(text: str | None) -> str | None:
    """The slug where it can stay as it is; None where a new one must be made from the headline."""
    if text and len(text) <= SLUG_LENGTH and re.fullmatch(SLUG, text):
        return text
    return None


def path_of(address: str) -> str | None:
    """`/2019/05/name/` or `/?p=12` of an address; None for a site's bare front page or no address."""
    try:
        parts = urlsplit(clean(address).strip())
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return None
    path = unquote(parts.path) or "/"
    if parts.query:
        path += f"?{parts.query}"
    if path == "/" or len(path) > _LONGEST or "#" in path or clean(path) != path:
        return None
    return path


def web_address(text: str | None) -> str | None:
    """An http(s) address that Herald would take; None for anything else."""
    text = clean(text or "").strip()
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return None
    if not usable or "@" in parts.netloc or len(text) > 2000 or any(ord(c) <= 32 for c in text):
        return None
    return text


def instant(text: object) -> datetime | None:
    """A moment out of ISO 8601, `YYYY-MM-DD hh:mm:ss`, RFC 822 or milliseconds; UTC unless it says.

    None for what is empty or means nothing, such as WordPress's `0000-00-00 00:00:00`.
    """
    found: datetime | None = None
    try:
        if isinstance(text, datetime):
            found = text
        elif isinstance(text, bool) or not text:
            return None
        elif isinstance(text, int | float):
            found = datetime.fromtimestamp(text / 1000, UTC)
        else:
            found = _written(str(text).strip())
        if found is None:
            return None
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        found = found.astimezone(timezone(timedelta(0)))
    except (ValueError, OverflowError, OSError, TypeError):
        return None
    return found.astimezone(UTC).replace(microsecond=found.microsecond // 1000 * 1000)


def _written(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text) if "," in text else None
