"""A letter and a recipient become the exact bytes of one message: the same bytes for the same input.

Sources: RFC 5322 (format), RFC 2369, 2919 and 8058 (list headers, one-click), RFC 3834 (Auto-Submitted).
Never lets words of an article reach a header as anything but its value.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.policy import EmailPolicy
from email.utils import format_datetime

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from services.notifications.mail.letters import Image, Letter, Link
from shared.runtime.publication import is_right_to_left

MAX_SUBJECT = 200
"""Characters; longer headlines end in an ellipsis."""

_TEMPLATES = Environment(
    loader=PackageLoader("services.notifications.mail"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
)


class _UnfoldedLinks(EmailPolicy):
    """Folds every header but the one whose long address Python would turn into an encoded word."""

    def fold(self, name: str, value: str) -> str:
        if name.lower() == "list-unsubscribe":
            return f"{name}: {value}{self.linesep}"
        folded: str = super().fold(name, value)
        return folded

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii", "surrogateescape")


_WIRE = _UnfoldedLinks(linesep="\r\n")


@dataclass(frozen=True)
class Masthead:
    """Who the mail comes from. `bounces` is the envelope sender."""

    name: str
    address: str
    bounces: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True)
class Envelope:
    """What a mailer is given; `message` is ASCII with CRLF line ends."""

    sender: str
    recipient: str
    message_id: str
    message: str


@dataclass(frozen=True)
class Parts:
    """What a mail says: its two bodies, before they are encoded."""

    text: str
    html: str


def compose(
    letter: Letter,
    masthead: Masthead,
    *,
    recipient: str,
    key: str,
    dated: datetime,
    list_name: str | None = None,
    leave_url: str | None = None,
) -> Envelope:
    """Build the message. `key` names it for good: Message-ID and boundary derive from it.

    `leave_url` and `list_name` go together and make it list mail.
    """
    digest = hashlib.sha256(key.encode()).hexdigest()
    message_id = f"<{digest[:40]}@{masthead.domain}>"
    message = EmailMessage(policy=_WIRE)
    message["From"] = Address(_one_line(masthead.name), addr_spec=masthead.address)
    message["To"] = Address(addr_spec=recipient)
    message["Subject"] = subject(letter)
    message["Date"] = format_datetime(dated)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    if leave_url and list_name:
        message["List-Id"] = f"<{list_name}.{masthead.domain}>"
        message["List-Unsubscribe"] = f"<{leave_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    said = parts(letter, masthead, leave_url)
    message.set_content(said.text, cte="quoted-printable")
    message.add_alternative(said.html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{digest[40:]}")
    return Envelope(masthead.bounces, recipient, message_id, _wire(message))


def subject(letter: Letter) -> str:
    """The Subject, decoded."""
    return _shortened(_one_line(letter.subject))


def parts(letter: Letter, masthead: Masthead, leave_url: str | None) -> Parts:
    """Both bodies of the mail."""
    words = _words(letter, masthead, leave_url)
    return Parts(_render("letter.txt", words), _render("letter.html", words))


def _words(letter: Letter, masthead: Masthead, leave_url: str | None) -> dict[str, object]:
    image, link = letter.image, letter.link
    return {
        "language": _one_line(letter.language),
        "direction": "rtl" if is_right_to_left(letter.language) else "ltr",
        "publication": _one_line(masthead.name),
        "label": _one_line(letter.label),
        "title": _one_line(letter.title),
        "paragraphs": [_printable(text) for text in letter.paragraphs],
        "image": image and Image(_one_line(image.url), _one_line(image.alt)),
        "link": link and Link(_one_line(link.label), _one_line(link.url)),
        "leave_url": leave_url,
    }


def _render(name: str, words: dict[str, object]) -> str:
    return _TEMPLATES.get_template(name).render(words)


def _wire(message: Message) -> str:
    return message.as_bytes().decode("ascii")


def _one_line(text: str) -> str:
    """Words on one line: whatever breaks or hides a line in a header becomes a space."""
    return " ".join(_printable(text).split())


def _printable(text: str) -> str:
    """Without control characters, and without the half of a pair that no encoding can carry."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"} else " "
        for char in text
    )


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_SUBJECT else f"{text[: MAX_SUBJECT - 1]}…"
