"""Times as readers see them: in the publication's zone, in the article's language. Never local time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_datetime_format


@dataclass(frozen=True)
class Moment:
    """`machine` is for the datetime attribute (RFC 3339 or a date), `words` is for people."""

    machine: str
    words: str


def locale_of(language: str, fallback: str) -> Locale:
    """CLDR's locale for a BCP 47 tag; the fallback's where CLDR does not know the tag."""
    try:
        return Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError, TypeError):
        return Locale.parse(fallback, sep="-")


def moment(at: datetime, locale: Locale, zone: ZoneInfo) -> Moment:
    """Date and time to the minute, with the zone's own abbreviation."""
    local = at.astimezone(zone)
    date = format_date(local, "long", locale)
    time = f"{format_time(local, 'short', locale=locale)} {local.tzname()}"
    pattern = str(get_datetime_format("long", locale=locale))
    # Both parts may hold braces of their own only if CLDR changes; replacing cannot trip over them.
    words = pattern.replace("{1}", date).replace("{0}", time).replace("'", "")
    return Moment(local.isoformat(timespec="seconds"), words)


def day(at: datetime, locale: Locale, zone: ZoneInfo) -> Moment:
    """The date with its weekday, as a newspaper prints it."""
    local = at.astimezone(zone)
    return Moment(local.date().isoformat(), format_date(local, "full", locale))


def short_day(at: datetime, locale: Locale, zone: ZoneInfo) -> Moment:
    """The date alone, for lists."""
    local = at.astimezone(zone)
    return Moment(local.isoformat(timespec="seconds"), format_date(local, "long", locale))
