"""XML written piece by piece: each piece is rendered once, a document is its pieces joined.

Never lets a character through that XML 1.0 forbids, and never escapes by hand: lxml writes every piece.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from lxml import etree  # type: ignore[import-untyped]

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'

# XML 1.0, production 2 (Char): everything outside it makes a document ill-formed, even escaped.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_AUTHORITY = re.compile(r"(?:https?://)?[^/?#]*", re.IGNORECASE)
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PATH = "!$%&'()*+,/:;=?@~"


def legal(text: str) -> str:
    """`text` without the characters that XML 1.0 cannot carry."""
    return _ILLEGAL.sub("", text)


def one_line(text: str) -> str:
    """`text` as a title: legal, its white space folded into single spaces."""
    return " ".join(legal(text).split())


def address(url: str) -> str:
    """`url` in ASCII (RFC 3986): what is percent-encoded stays so, everything else is encoded."""
    whole = _STRAY_PERCENT.sub("%25", legal(url).strip())
    match = _AUTHORITY.match(whole)
    authority = match.group() if match else ""
    path, mark, fragment = whole[len(authority) :].partition("#")
    # Brackets belong to an IPv6 host and nowhere else, a second `#` nowhere at all.
    host = quote(authority, safe=_PATH + "[]")
    return host + quote(path, safe=_PATH) + mark + quote(fragment, safe=_PATH)


def w3c(moment: datetime) -> str:
    """A W3C date and time in UTC, to the second (`2026-11-23T09:30:00+00:00`)."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def add(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
    """A child element with legal text; `name` may carry a namespace in braces."""
    element = etree.SubElement(parent, name, {key: legal(attributes[key]) for key in attributes})
    if text is not None:
        element.text = legal(text)
    return element


class Frame:
    """A root element that declares the namespaces once for all pieces inside it."""

    def __init__(
        self, root: str, namespaces: Mapping[str | None, str], attributes: Mapping[str, str]
    ) -> None:
        self._root, self._namespaces, self._attributes = root, dict(namespaces), dict(attributes)
        empty = etree.tostring(self._element())  # `<urlset xmlns="..."/>`
        self._head: bytes = empty[:-2] + b">"
        name = etree.QName(root).localname.encode()
        self._tail: bytes = b"</" + name + b">"

    def _element(self) -> Any:
        return etree.Element(self._root, self._attributes, nsmap=self._namespaces)

    def piece(self, fill: Callable[[Any], object]) -> bytes:
        """What `fill` puts under the root, as bytes that only this frame can hold."""
        root = self._element()
        fill(root)
        whole: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
        return whole[len(self._head) : -len(self._tail)] + b"\n" if len(root) else b""

    def join(self, pieces: Iterable[bytes]) -> bytes:
        """The whole document; well-formed without any piece too."""
        return b"".join((DECLARATION, self._head, b"\n", *pieces, self._tail, b"\n"))
