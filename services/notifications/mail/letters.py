"""What each kind of mail says, as plain data: alert, correction, retraction, confirmation, operator alert."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.articles import Article, LeadImage
from shared.contracts.outlets import OperatorAlert

IMAGE_PIXELS = 1200
"""Twice the 600 pixels a mail is wide, for dense screens."""


@dataclass(frozen=True)
class Link:
    """A button, and in the plain text its label and address."""

    label: str
    url: str


@dataclass(frozen=True)
class Image:
    """An absolute address and the words for who cannot see it."""

    url: str
    alt: str


@dataclass(frozen=True)
class Letter:
    """One mail before it has a recipient. `language` is that of the words (BCP 47)."""

    subject: str
    language: str
    title: str
    paragraphs: tuple[str, ...] = ()
    label: str = ""
    image: Image | None = None
    link: Link | None = None


def alert(article: Article) -> Letter:
    """A new article: headline, standfirst, image and link; never its body, which may be premium."""
    return Letter(
        subject=article.headline,
        language=article.language,
        title=article.headline,
        paragraphs=_paragraphs(article.standfirst or article.summary),
        label="Breaking news" if article.priority == "breaking" else "",
        image=_image(article.lead_image),
        link=Link("Read the article", article.url),
    )


def correction(article: Article, number: int) -> Letter:
    """The public notice number `number` (counted from 1) of what was wrong."""
    notice = article.corrections[number - 1]
    label = notice.kind.capitalize()
    return Letter(
        subject=f"{label}: {article.headline}",
        language=article.language,
        title=article.headline,
        paragraphs=_paragraphs(notice.text),
        label=label,
        link=Link("Read the corrected article", article.url),
    )


def retraction(article: Article) -> Letter:
    """The article was taken back, and why."""
    reason = article.retraction.reason if article.retraction else ""
    return Letter(
        subject=f"Retracted: {article.headline}",
        language=article.language,
        title=article.headline,
        paragraphs=("We have retracted this article.", *_paragraphs(reason)),
        label="Retraction",
        link=Link("Read the notice", article.url),
    )


def confirmation(publication: str, language: str, url: str) -> Letter:
    """Somebody entered this address; only its owner can say whether they want our mail."""
    return Letter(
        subject=f"Please confirm your subscription to {publication}",
        language=language,
        title="Please confirm your subscription",
        paragraphs=(
            f"This address was entered to receive alerts from {publication}.",
            "If that was you, open the link and press the button. It works for seven days.",
            "If it was not you, ignore this mail and nothing more will come.",
        ),
        link=Link("Confirm the subscription", url),
    )


def operator_alert(report: OperatorAlert, language: str) -> Letter:
    """Something a person must look at."""
    return Letter(
        subject=f"[Herald {report.severity}] {report.title}",
        language=language,
        title=report.title,
        paragraphs=(report.detail, f"Seen at {report.at:%Y-%m-%d %H:%M:%S} UTC."),
        label=report.severity.capitalize(),
    )


def _paragraphs(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _image(lead: LeadImage | None) -> Image | None:
    """The smallest rendition that is wide enough, or the widest there is."""
    if lead is None or not lead.renditions:
        return None
    renditions = sorted(lead.renditions, key=lambda rendition: rendition.width)
    enough = [one for one in renditions if one.width >= IMAGE_PIXELS]
    return Image((enough or renditions[-1:])[0].url, lead.alt)
