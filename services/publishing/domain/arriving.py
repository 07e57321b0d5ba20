"""What an import makes of an article: the working copy, the event it may need, and what was not taken as given.

Pure. Never makes public what is under an embargo, and never lets a retracted article come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.publishing.domain.article import References, WorkingCopy, snapshot
from services.publishing.domain.content import Content
from services.publishing.domain.errors import Conflict
from services.publishing.domain.imported import PUBLIC, Arrival, Origin
from services.publishing.domain.stored_pictures import BodyPicture, StoredRendition
from shared.contracts.articles import (
    ArticleEvent,
    ArticlePublished,
    ArticleRetracted,
    ArticleUnpublished,
    ArticleUpdated,
    Correction,
    Retraction,
    Status,
)

Notes = list[str]


@dataclass(frozen=True)
class Text:
    """One content with everything that was looked up and rendered for it."""

    content: Content
    slug: str
    body_html: str
    language: str
    lead_files: tuple[StoredRendition, ...]
    share_files: tuple[StoredRendition, ...]
    body_pictures: tuple[BodyPicture, ...]
    references: References


@dataclass(frozen=True)
class Arrived:
    """The article as it is from now on. `event` is None where no outlet has to know."""

    copy: WorkingCopy
    event: ArticleEvent | None
    notes: Sequence[str]


def arrive(
    arrival: Arrival,
    origin: Origin,
    text: Text,
    pending: Text | None,
    before: WorkingCopy | None,
    *,
    article_id: str,
    person: str,
    now: datetime,
    public_url: str,
    quiet: bool,
) -> Arrived:
    """The article of this origin, new or brought up to what its source says now. Raises `Conflict`.

    `quiet` for an archive, whose first publication was elsewhere and nobody is told of; otherwise the
    article is published here and now, like one that was written here.
    """
    status, notes = _status(arrival, before, now)
    public = status.value in PUBLIC
    revision = before.revision + 1 if before else 1
    was_live = before is not None and before.live is not None
    again = before is not None and was_live and before.status is not Status.PUBLISHED
    publication = max(before.publication if before else 0, int(public))
    if again and not quiet and status is Status.PUBLISHED:
        publication += 1
    updated_at = arrival.updated_at or arrival.published_at or now
    redirects = {*arrival.redirects, *(before.public_slugs if before else ())} - {text.slug}
    retraction = arrival.retraction
    copy = WorkingCopy(
        id=article_id,
        content=text.content,
        slug=text.slug,
        body_html=text.body_html,
        language=text.language,
        lead_files=text.lead_files,
        status=status,
        revision=revision,
        publication=publication,
        published_at=_published_at(arrival, before, quiet=quiet) if public else None,
        updated_at=updated_at,
        corrections=tuple(
            Correction(at=one.at, kind=one.kind, text=one.text) for one in arrival.corrections
        )
        if public
        else (),
        retraction=Retraction(at=retraction.at, reason=retraction.reason)
        if retraction and status is Status.RETRACTED
        else None,
        redirects=tuple(sorted(redirects)),
        live=None,
        created_at=before.created_at if before else arrival.published_at or now,
        created_by=before.created_by if before else person,
        share_files=text.share_files,
        body_pictures=text.body_pictures,
        references=text.references,
        imported=public
        and publication == 1
        and (before.imported if before is not None and was_live else quiet),
        former_paths=tuple(
            dict.fromkeys((*arrival.former_paths, *(before.former_paths if before else ())))
        ),
        origin=replace(origin, revision=revision),
    )
    if not public:
        return Arrived(copy, None, notes)
    live = snapshot(copy, public_url)
    copy = replace(copy, live=live)
    if pending is not None:
        copy = replace(
            copy,
            content=pending.content,
            slug=pending.slug,
            body_html=pending.body_html,
            language=pending.language,
            lead_files=pending.lead_files,
            share_files=pending.share_files,
            body_pictures=pending.body_pictures,
            references=pending.references,
        )
    return Arrived(copy, _event(copy, before, now), notes)


def _published_at(arrival: Arrival, before: WorkingCopy | None, *, quiet: bool) -> datetime | None:
    """Here it is the first publication's for ever; an archive may have had it wrong."""
    if before is not None and before.published_at and not quiet:
        return before.published_at
    return arrival.published_at


def _status(arrival: Arrival, before: WorkingCopy | None, now: datetime) -> tuple[Status, Notes]:
    status, notes = Status(arrival.status), []
    embargo = arrival.embargo_until
    if status.value in PUBLIC and embargo is not None and embargo > now:
        if before is not None and before.live is not None:
            raise Conflict("embargo_until", "it is public already; no embargo can hold it back")
        notes.append(f"is under embargo until {embargo.isoformat()} and is a draft here")
        status = Status.DRAFT
    if before is None:
        return status, notes
    if before.status is Status.RETRACTED and status is not Status.RETRACTED:
        raise Conflict("status", "it was retracted here, and that is for good")
    if before.live is not None and status.value not in PUBLIC:
        raise Conflict("status", "it was public here; say unpublished to take it back")
    return status, notes


def _event(copy: WorkingCopy, before: WorkingCopy | None, now: datetime) -> ArticleEvent | None:
    if copy.live is None:
        return None
    was_public = before is not None and before.status is Status.PUBLISHED
    if copy.status is Status.RETRACTED:
        return ArticleRetracted(article=copy.live, acted_at=now)
    if copy.status is Status.UNPUBLISHED:
        # Nobody has to withdraw what nobody was ever given.
        return ArticleUnpublished(article=copy.live, acted_at=now) if was_public else None
    if was_public:
        return ArticleUpdated(article=copy.live, acted_at=now, change="minor")
    return ArticlePublished(article=copy.live, acted_at=now)
