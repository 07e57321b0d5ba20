"""HTML of old systems into our Markdown. Text stays text: what looks like mark-up is escaped, never obeyed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin

from bs4 import Tag
from bs4.element import NavigableString, PreformattedString
from markdownify import MarkdownConverter

from services.publishing.domain.foreign.model import Unreadable
from services.publishing.domain.foreign.text import parsed

_INLINE = {
    *(
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "img",
    ),
    *("ins", "kbd", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup"),
    *("time", "tt", "u", "var"),
}
_DROPPED = ("script", "style", "noscript", "template", "form", "button", "head", "title", "svg")
_ALWAYS = re.compile(r"([\\`*\[\]<~])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_LINE_START = re.compile(r"^(\s*)([#>+\-=:|])")
_NUMBERED = re.compile(r"^(\s*\d{1,9})([.)])(?=\s|$)")


@dataclass(frozen=True)
class Converted:
    """The Markdown, the addresses of its pictures in order, and what could not be kept as it was."""

    body: str
    images: tuple[str, ...]
    notes: tuple[str, ...]


def to_markdown(html: str, base: str | None = None) -> Converted:
    """Convert a fragment; relative addresses are made absolute against `base`. Raises `Unreadable`."""
    try:
        soup = parsed(html)
        for element in soup.find_all(_DROPPED):
            element.decompose()
        converter = _Converter(base)
        body = converter.convert_soup(soup)
    except RecursionError as error:
        raise Unreadable("its HTML is nested too deep") from error
    lines = (line if line.endswith("  ") else line.rstrip() for line in body.split("\n"))
    body = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return Converted(body, tuple(converter.images), tuple(dict.fromkeys(converter.notes)))


class _Converter(MarkdownConverter):
    """markdownify with our escapes, captions, and links in place of what Markdown cannot embed."""

    def __init__(self, base: str | None) -> None:
        super().__init__(
            heading_style="atx",
            bullets="-",
            autolinks=False,
            table_infer_header=True,
            keep_inline_images_in=["td", "th", "a", "p", "li", "span"],
        )
        self._base = base
        self.images: list[str] = []
        self.notes: list[str] = []

    def process_text(self, el: NavigableString, parent_tags: set[str] | None = None) -> str:
        if isinstance(el, PreformattedString):
            return ""  # a comment, a declaration or a CDATA section is nothing to read
        parent_tags = parent_tags or set()
        if "pre" in parent_tags:
            return str(super().process_text(el, parent_tags))  # type: ignore[misc]
        flat = NavigableString(re.sub(r"[ \t\r\n]+", " ", str(el)))
        el.replace_with(flat)
        text: str = super().process_text(flat, parent_tags)  # type: ignore[misc]
        if "_noformat" in parent_tags:
            return text
        if _opens_line(flat):
            text = _NUMBERED.sub(r"\1\\\2", _LINE_START.sub(r"\1\\\2", text.lstrip(" ")))
        return text

    def escape(self, text: str, parent_tags: set[str]) -> str:
        text = _ALWAYS.sub(r"\\\1", text)
        text = _UNDERSCORE.sub(r"\\_", _ENTITY.sub(r"\\&", text))
        if text.endswith("!"):
            text = text[:-1] + "\\!"  # a link that follows must not become a picture
        return text.replace("|", "\\|") if parent_tags & {"td", "th"} else text

    def convert_b(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return _emphasis("**", el, text, parent_tags)

    def convert_em(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return _emphasis("*", el, text, parent_tags)

    convert_strong, convert_i = convert_b, convert_em

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        address = self._address(el.get("href"))
        if not address or not text.strip() or "_noformat" in parent_tags:
            return text
        if "\n\n" in text:  # a whole block is the link: the words stay, the address follows
            return f"{text}\n\n<{address}>\n\n"
        head, tail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f"{head}[{text.strip()}]({address}){tail}"

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        source = el.get("src") or el.get("data-src") or ""
        address = self._address(source)
        alt = _words(el.get("alt"))
        if not address or address.startswith("data:"):
            return self._escaped(alt)
        self.images.append(address)
        caption = _words(_caption_of(el)) or _words(el.get("title"))
        title = f' "{_quoted(caption)}"' if caption else ""
        image = f"![{self._escaped(alt)}]({address}{title})"
        return f"\n\n{image}\n\n" if _stands_alone(el) else image

    def convert_figcaption(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        figure = el.find_parent("figure")
        if figure is not None and len(figure.find_all("img")) == 1:
            return ""  # it has become the title of the picture
        return f"\n\n{text.strip()}\n\n"

    def convert_iframe(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._embedded(el.get("src") or el.get("data-src"), parent_tags)

    def convert_video(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        source = el.find("source")
        inner = source.get("src") if isinstance(source, Tag) else None
        return self._embedded(el.get("src") or inner, parent_tags)

    convert_audio = convert_video
    convert_embed = convert_iframe

    def convert_sup(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return text

    convert_sub = convert_sup

    def convert_hr(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return "\n\n***\n\n"

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
        fence = "`" * max(3, longest + 1)
        text = text.strip("\n")
        return f"\n\n{fence}\n{text}\n{fence}\n\n" if text.strip() else ""

    def _embedded(self, source: Any, parent_tags: set[str]) -> str:
        address = self._address(source)
        if not address:
            return ""
        self.notes.append(f"what was embedded has become a link: {address}")
        link = f"[{self._escaped(address)}]({address})"
        return link if "_inline" in parent_tags else f"\n\n{link}\n\n"

    def _escaped(self, text: str) -> str:
        return _ALWAYS.sub(r"\\\1", _ENTITY.sub(r"\\&", text))

    def _address(self, address: Any) -> str:
        """Absolute where there is a base, and without any character that could end the link."""
        text = str(address or "").strip()
        try:
            text = urljoin(self._base, text) if self._base and text else text
        except ValueError:
            return ""
        return quote(text, safe="/:?#@!$&*+,;=%~._-|{}^'")


def _emphasis(mark: str, el: Tag, text: str, parent_tags: set[str]) -> str:
    """The text between marks, where CommonMark would see them as marks (6.2, flanking)."""
    bare = text.strip()
    if not bare or "_noformat" in parent_tags or "\n\n" in bare:
        return text
    head, tail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    before = " " if head else _edge(el.previous_sibling, -1)
    after = " " if tail else _edge(el.next_sibling, 0)
    if (_is_word(before) and not _is_word(bare[0])) or (_is_word(after) and not _is_word(bare[-1])):
        return text
    if mark[0] in {bare[0], bare[-1], before, after}:
        return text
    return f"{head}{mark}{bare}{mark}{tail}"


def _edge(neighbour: Any, index: int) -> str:
    text = str(neighbour) if type(neighbour) is NavigableString else ""
    if isinstance(neighbour, Tag):
        text = neighbour.get_text() if neighbour.name in _INLINE else ""
        # Marks of its own may stand there.
        return (
            "*" if text and neighbour.name in {"b", "strong", "em", "i"} else (text or " ")[index]
        )
    return (text or " ")[index]


def _is_word(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char)[0] not in "PSZ"


def _opens_line(el: Any) -> bool:
    """Whether nothing stands before this text on its line of Markdown."""
    while el is not None:
        before = el.previous_sibling
        while before is not None and (
            isinstance(before, PreformattedString)
            or (isinstance(before, NavigableString) and not before.strip())
        ):
            before = before.previous_sibling
        if isinstance(before, Tag):
            return before.name not in _INLINE or not before.get_text().strip()
        if before is not None:
            return False
        el = el.parent
        if el is None or el.name not in _INLINE:
            return True
    return True


def _stands_alone(el: Tag) -> bool:
    parent = el.parent
    while parent is not None and parent.name in {"a", "picture"}:
        parent = parent.parent
    return parent is None or parent.name in {"figure", "[document]", "div", "section", "article"}


def _caption_of(el: Tag) -> str | None:
    figure = el.find_parent("figure")
    if figure is None or len(figure.find_all("img")) != 1:
        return None
    caption = figure.find("figcaption")
    return caption.get_text(" ") if isinstance(caption, Tag) else None


def _words(text: Any) -> str:
    return " ".join(str(text or "").split())


def _quoted(text: str) -> str:
    return _ENTITY.sub(r"\\&", text.replace("\\", "\\\\").replace('"', '\\"'))
