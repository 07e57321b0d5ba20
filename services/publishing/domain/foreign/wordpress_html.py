"""What WordPress stores, made plain HTML: paragraphs put in, shortcodes resolved, block comments left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

from services.publishing.domain.foreign.model import ForeignImage

_BLOCKS = (
    "address|article|aside|blockquote|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|"
    "header|hr|iframe|li|ol|p|pre|script|section|style|table|tbody|td|tfoot|th|thead|tr|ul|video"
)
_BLOCK_COMMENT = re.compile(r"<!--(?:(?!-->).)*-->", re.DOTALL)
_OPENS_BLOCK = re.compile(rf"\s*</?(?:{_BLOCKS})\b", re.IGNORECASE)
_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
_PRE = re.compile(r"<pre\b.*?(?:</pre>|\Z)", re.DOTALL | re.IGNORECASE)
_CAPTION = re.compile(
    r"\[(?:wp_)?caption([^\]]*)\]((?:(?!\[/?(?:wp_)?caption).)*)\[/(?:wp_)?caption\]", re.DOTALL
)
_IMAGE = re.compile(r"\s*((?:<a\b[^>]*>\s*)?<img\b[^>]*>(?:\s*</a>)?)", re.IGNORECASE)
_GALLERY = re.compile(r"\[gallery\b([^\]]*)\]")
_EMBED = re.compile(r"\[embed[^\]]*\]([^\[]*)\[/embed\]")
_MEDIA = re.compile(r"\[(video|audio)\b([^\]]*)\](?:\[/\1\])?")
_LEFT = re.compile(r"\[/?([a-z][a-z0-9_-]{2,30})(?:\s+[a-z_-]+=[^\]]*)?/?\]")


def plain_html(stored: str, pictures: Mapping[str, ForeignImage]) -> tuple[str, tuple[str, ...]]:
    """HTML as WordPress would show it, and the shortcodes nobody but the old site can resolve.

    `pictures` are the attachments by id, which galleries name.
    """
    is_blocks = "<!-- wp:" in stored
    html = _BLOCK_COMMENT.sub("", stored)
    html = _CAPTION.sub(_figure, html)
    html = _GALLERY.sub(lambda found: _gallery(found[1], pictures), html)
    html = _EMBED.sub(lambda found: _link(found[1]), html)
    html = _MEDIA.sub(_media, html)
    left = dict.fromkeys(name for name in _LEFT.findall(html) if f"[/{name}]" in html)
    return (html if is_blocks else _with_paragraphs(html)), tuple(left)


def _figure(found: re.Match[str]) -> str:
    picture = _IMAGE.match(found[2])
    words = found[2][picture.end() :].strip() if picture else found[2].strip()
    words = words or escape(_attribute(found[1], "caption") or "")
    image = picture[1] if picture else ""
    return f"\n\n<figure>{image}<figcaption>{words}</figcaption></figure>\n\n"


def _gallery(attributes: str, pictures: Mapping[str, ForeignImage]) -> str:
    ids = re.findall(r"\d+", _attribute(attributes, "ids") or "")
    figures = "".join(_shown(pictures[one]) for one in ids if one in pictures)
    return f"\n\n{figures}\n\n"


def _shown(picture: ForeignImage) -> str:
    caption = f"<figcaption>{escape(picture.caption)}</figcaption>" if picture.caption else ""
    image = f'<img src="{escape(picture.url)}" alt="{escape(picture.alt)}">'
    return f"<figure>{image}{caption}</figure>"


def _media(found: re.Match[str]) -> str:
    source = next(
        (
            address
            for name in ("src", "mp4", "m4v", "webm", "ogv", "mp3", "m4a", "ogg", "wav")
            if (address := _attribute(found[2], name))
        ),
        None,
    )
    return _link(source) if source else ""


def _link(address: str) -> str:
    address = escape(address.strip())
    return f'\n\n<a href="{address}">{address}</a>\n\n' if address else ""


def _attribute(attributes: str, name: str) -> str | None:
    found = re.search(rf"""\b{name}\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'\]]+))""", attributes)
    return next((value for value in found.groups() if value is not None), None) if found else None


def _with_paragraphs(html: str) -> str:
    """Blank lines are paragraphs and line ends are breaks, as WordPress shows its older texts."""
    html = html.replace("\r\n", "\n").replace("\r", "\n")
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\n\n<pre>\x00{len(kept) - 1}\x00</pre>\n\n"

    html = _PRE.sub(keep, html.replace("\x00", ""))
    parts = []
    for part in _PARAGRAPHS.split(html.strip()):
        if _OPENS_BLOCK.match(part) or re.search(rf"</?(?:{_BLOCKS})\b", part, re.IGNORECASE):
            parts.append(part)
        elif part:
            parts.append("<p>" + part.strip().replace("\n", "<br>\n") + "</p>")
    html = "\n".join(parts)
    return re.sub("<pre>\x00(\\d+)\x00</pre>", lambda found: kept[int(found[1])], html)
