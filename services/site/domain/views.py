"""What the templates are given: an article, or a card in a list, in finished words. Never raw times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.lists import format_list

from services.site.domain.head import Head, head
from services.site.domain.moments import Moment, day, locale_of, moment, short_day
from services.site.domain.pictures import Picture, picture
from services.site.domain.reaction import Tally, tallies
from services.site.domain.teaser import teaser
from services.site.domain.wording import Wording, wording
from shared.contracts.articles import Article, Byline
from shared.contracts.outlets import Counts
from shared.runtime.publication import Publication, Section, is_right_to_left

NOTEWORTHY = timedelta(minutes=1)
"""An update sooner after publication than this is the publication itself."""


@dataclass(frozen=True)
class Place:
    """Where the pages live: the publication and its one origin."""

    publication: Publication
    public_url: str
    always_card: bool = False
    """Whether a shared link shows the article's card also where there is a photograph."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.publication.time_zone)

    def locale(self, language: str) -> Locale:
        return locale_of(language, self.publication.language)

    def words(self, language: str) -> Wording:
        return wording(language, self.publication.language)

    def section(self, slug: str) -> Section | None:
        """None where the section is no longer in the file: it has no page to lead to."""
        return next((one for one in self.publication.sections if one.slug == slug), None)


@dataclass(frozen=True)
class Notice:
    """A correction, clarification or retraction as printed."""

    label: str
    text: str
    at: Moment


@dataclass(frozen=True)
class ArticleView:
    """Beside the article itself, all that its page shows."""

    direction: str
    section: Section | None
    edition: Moment | None
    published: Moment | None
    updated: Moment | None
    byline: str
    authors: Sequence[Byline]
    picture: Picture | None
    head: Head
    body_html: str
    """Already safe HTML; of a premium article the teaser only."""
    corrections: Sequence[Notice]
    """Newest first."""
    retraction: Notice | None
    canonical: str
    reaction: Sequence[Tally]


@dataclass(frozen=True)
class Card:
    """One article in a list."""

    path: str
    headline: str
    standfirst: str
    language: str
    direction: str
    section: Section | None
    published: Moment | None
    byline: str
    picture: Picture | None
    breaking: bool
    premium: bool


def article_view(article: Article, place: Place, counts: Counts) -> ArticleView:
    """The view of an article at one revision; the same for the same article and counts, whenever it is made."""
    locale, words, zone = place.locale(article.language), place.words(article.language), place.zone
    published, retraction = article.published_at, article.retraction
    changed = published is None or article.updated_at - published >= NOTEWORTHY
    labels = {"correction": words.correction, "clarification": words.clarification}
    return ArticleView(
        direction=article_direction(article),
        section=place.section(article.section),
        edition=day(published, locale, zone) if published else None,
        published=moment(published, locale, zone) if published else None,
        updated=moment(article.updated_at, locale, zone) if changed else None,
        byline=_byline(article, locale, words),
        authors=[
            byline.model_copy(update={"url": web_address(byline.url)}) for byline in article.bylines
        ],
        picture=picture(article.lead_image, place.public_url),
        head=head(article, place.publication, place.public_url, always_card=place.always_card),
        body_html=teaser(article.body_html) if article.access == "premium" else article.body_html,
        corrections=[
            Notice(labels[one.kind], one.text, moment(one.at, locale, zone))
            for one in sorted(article.corrections, key=lambda one: one.at, reverse=True)
        ],
        retraction=Notice(words.retracted, retraction.reason, moment(retraction.at, locale, zone))
        if retraction
        else None,
        canonical=web_address(article.canonical_url) or article.url,
        reaction=tallies(counts, words, locale),
    )


def card(article: Article, place: Place) -> Card:
    """The article in a list; its language is said because the list may be in another one."""
    locale = place.locale(article.language)
    published = article.published_at
    return Card(
        path=article_path(article.slug),
        headline=article.headline,
        standfirst=article.standfirst,
        language=article.language,
        direction=article_direction(article),
        section=place.section(article.section),
        published=short_day(published, locale, place.zone) if published else None,
        byline=_byline(article, locale, place.words(article.language)),
        picture=picture(article.lead_image, place.public_url),
        breaking=article.priority == "breaking",
        premium=article.access == "premium",
    )


def article_path(slug: str) -> str:
    return f"/articles/{slug}"


def direction(language: str) -> str:
    """The value of HTML's dir attribute."""
    return "rtl" if is_right_to_left(language) else "ltr"


def article_direction(article: Article) -> str:
    """As the newsroom says; a snapshot from before it could say so reads as its language does."""
    return article.direction or direction(article.language)


def web_address(address: str | None) -> str | None:
    """The address if a browser may follow it as a web page: no `javascript:`, no `data:`."""
    if address and address.lower().startswith(("http://", "https://")):
        return address
    return None


def _byline(article: Article, locale: Locale, words: Wording) -> str:
    names = [byline.name for byline in article.bylines]
    return words.by.replace("{names}", format_list(names, locale=locale)) if names else ""
