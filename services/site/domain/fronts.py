"""The front page and the section pages: which article stands where, and until when that is right. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from services.site.domain.moments import Moment, day
from services.site.domain.views import Card, Place, card
from shared.contracts.articles import Article
from shared.runtime.publication import Section

LATEST = 12
PER_SECTION = 4
SECTION_PAGE = 30


@dataclass(frozen=True)
class Block:
    """One section on the front page."""

    section: Section
    cards: Sequence[Card]


@dataclass(frozen=True)
class Front:
    """A front as the template needs it. `section` is None on the front page itself."""

    today: Moment
    section: Section | None
    banner: Card | None
    lead: Card | None
    latest: Sequence[Card]
    blocks: Sequence[Block]


def front_page(
    latest: Sequence[Article],
    by_section: Mapping[str, Sequence[Article]],
    place: Place,
    now: datetime,
    breaking: timedelta,
) -> Front:
    """Lead: the breaking story, else the newest. Both lists are newest first."""
    urgent = next((one for one in latest if _is_breaking(one, now, breaking)), None)
    lead = urgent or (latest[0] if latest else None)
    sections = place.publication.sections
    blocks = [
        Block(section, [card(one, place) for one in articles][:PER_SECTION])
        for section in sections
        if (articles := [one for one in by_section[section.slug] if not lead or one.id != lead.id])
    ]
    return Front(
        today=_today(now, place),
        section=None,
        banner=card(urgent, place) if urgent else None,
        lead=card(lead, place) if lead else None,
        latest=[card(one, place) for one in latest if one is not lead],
        blocks=blocks,
    )


def section_page(
    section: Section, articles: Sequence[Article], place: Place, now: datetime
) -> Front:
    """All that is new in one section, newest first."""
    cards = [card(one, place) for one in articles]
    return Front(_today(now, place), section, None, cards[0] if cards else None, cards[1:], ())


def right_until(
    latest: Sequence[Article], place: Place, now: datetime, breaking: timedelta
) -> datetime:
    """When a front must be made again although nothing was published: midnight, or a banner's end."""
    local = now.astimezone(place.zone)
    midnight = datetime.combine(local.date() + timedelta(days=1), time(), place.zone)
    ends = [
        one.published_at + breaking
        for one in latest
        if one.published_at and _is_breaking(one, now, breaking)
    ]
    return min([midnight, *ends])


def _is_breaking(article: Article, now: datetime, breaking: timedelta) -> bool:
    published = article.published_at
    return article.priority == "breaking" and published is not None and now < published + breaking


def _today(now: datetime, place: Place) -> Moment:
    return day(now, place.locale(place.publication.language), place.zone)
