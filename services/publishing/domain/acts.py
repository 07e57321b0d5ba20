"""What each act makes of an article: the next working copy and the event that tells the world.

Pure: refuses with the words of `errors`, never half-applies, always adds exactly one to `revision`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.publishing.domain.article import (
    References,
    WorkingCopy,
    same_for_readers,
    snapshot,
)
from services.publishing.domain.checklist import missing
from services.publishing.domain.content import Content, CorrectionText
from services.publishing.domain.errors import Conflict, Invalid
from services.publishing.domain.standing import Standing
from services.publishing.domain.states import Act, transition
from services.publishing.domain.stored_pictures import BodyPicture, StoredRendition
from shared.contracts.articles import (
    Article,
    ArticleEvent,
    ArticleUpdated,
    Correction,
    Retraction,
    Status,
)


@dataclass(frozen=True)
class Decision:
    """What an act leads to. `detail` is what the audit log keeps beside who, when and which act."""

    act: Act
    after: WorkingCopy
    event: ArticleEvent | None = None
    detail: dict[str, Any] = field(default_factory=dict)


def edit(
    copy: WorkingCopy,
    now: datetime,
    content: Content,
    *,
    slug: str,
    body_html: str,
    language: str,
    lead_files: tuple[StoredRendition, ...],
    share_files: tuple[StoredRendition, ...] = (),
    body_pictures: tuple[BodyPicture, ...] = (),
    references: References | None = None,
) -> Decision:
    """Change the working copy.

    Raises `WrongStatus`; `Conflict` for an embargo that comes too late; `Invalid` where a scheduled
    article would lack what publishing needs.
    """
    transition(Act.EDIT, copy.status)
    _keep_embargo(copy, content, now)
    changed = [
        name
        for name in Content.model_fields
        if getattr(content, name) != getattr(copy.content, name)
    ]
    after = replace(
        copy,
        content=content,
        slug=slug,
        body_html=body_html,
        language=language,
        lead_files=lead_files,
        share_files=share_files,
        body_pictures=body_pictures,
        references=references or copy.references,
        revision=copy.revision + 1,
        updated_at=now,
    )
    if copy.status is Status.SCHEDULED:
        complete(after)
    return Decision(Act.EDIT, after, None, {"fields": changed})


def publish(copy: WorkingCopy, now: datetime, public_url: str) -> Decision:
    """Make the working copy public, or bring the public article up to it without a notice.

    Raises `WrongStatus`, `Invalid` for what is missing, `Conflict` for an embargo or no difference.
    """
    transition(Act.PUBLISH, copy.status)
    complete(copy)
    if (until := embargoed(copy, now)) is not None:
        raise Conflict("embargo_until", f"under embargo until {until.isoformat()}")
    decision = published(copy, now, public_url)
    live = decision.after.live
    if copy.status is Status.PUBLISHED and live and copy.live and same_for_readers(live, copy.live):
        raise Conflict("status", "it is published already and nothing has changed since")
    return decision


def published(copy: WorkingCopy, now: datetime, public_url: str) -> Decision:
    """What `publish` leads to, were nothing missing or in its way. Raises `WrongStatus`."""
    step = transition(Act.PUBLISH, copy.status)
    if step.event is ArticleUpdated:
        after, live = _public(copy, now, public_url)
        event = ArticleUpdated(article=live, acted_at=now, change="minor")
        return Decision(Act.PUBLISH, after, event)
    again = replace(
        copy,
        status=step.to or copy.status,
        publication=copy.publication + 1,
        # The original time stays through every later publication: a news sitemap must not show
        # an old article as new (Google News sitemap, `publication_date`).
        published_at=copy.published_at or now,
        imported=False,
        standing=_left(copy),
    )
    after, live = _public(again, now, public_url)
    return Decision(Act.PUBLISH, after, _event(step.event, live, now))


def embargoed(copy: WorkingCopy, now: datetime) -> datetime | None:
    """The instant before which the article may reach nobody; None when there is none ahead."""
    until = copy.content.embargo_until
    return until if until is not None and until > now else None


def correct(
    copy: WorkingCopy, now: datetime, public_url: str, correction: CorrectionText
) -> Decision:
    """Bring the public article up to the working copy, with a public notice. Raises as `publish`."""
    transition(Act.CORRECT, copy.status)
    complete(copy)
    return corrected(copy, now, public_url, correction)


def corrected(
    copy: WorkingCopy, now: datetime, public_url: str, correction: CorrectionText
) -> Decision:
    """What `correct` leads to, were nothing missing. Raises `WrongStatus`."""
    transition(Act.CORRECT, copy.status)
    notice = Correction(at=now, kind=correction.kind, text=correction.text)
    after, live = _public(replace(copy, corrections=(*copy.corrections, notice)), now, public_url)
    event = ArticleUpdated(article=live, acted_at=now, change="correction")
    return Decision(Act.CORRECT, after, event, {"kind": correction.kind, "text": correction.text})


def retract(copy: WorkingCopy, now: datetime, reason: str) -> Decision:
    """Take the article back for good, with the reason for readers. Raises `WrongStatus`."""
    retraction = Retraction(at=now, reason=reason)
    decision = _withdrawn(Act.RETRACT, copy, now, {"reason": reason}, retraction=retraction)
    return replace(decision, after=replace(decision.after, standing=Standing()))


def unpublish(copy: WorkingCopy, now: datetime) -> Decision:
    """Withdraw quietly; it may be published again. Raises `WrongStatus`."""
    return _withdrawn(Act.UNPUBLISH, copy, now, {})


def _withdrawn(
    act: Act, copy: WorkingCopy, now: datetime, detail: dict[str, Any], **also: Any
) -> Decision:
    step = transition(act, copy.status)
    if copy.live is None:
        raise AssertionError("the table lets nothing be withdrawn that was never public")
    change: dict[str, Any] = {
        "status": step.to,
        "revision": copy.revision + 1,
        "updated_at": now,
        **also,
    }
    # What the public had is what is withdrawn: edits nobody published stay inside.
    live = copy.live.model_copy(update=change)
    after = replace(copy, live=live, standing=_left(copy), **change)
    return Decision(act, after, _event(step.event, live, now), detail)


def _left(copy: WorkingCopy) -> Standing:
    """What still stands once it is public or withdrawn: who wants it retracted has had no answer."""
    return Standing(retraction_request=copy.standing.retraction_request)


def complete(copy: WorkingCopy) -> None:
    """Raises `Invalid` for what the checklist says is missing."""
    if lacking := missing(copy):
        raise Invalid(lacking)


def _keep_embargo(copy: WorkingCopy, content: Content, now: datetime) -> None:
    """An embargo is set before an article goes out, and never beyond the instant it will."""
    until = content.embargo_until
    if until is None or until == copy.content.embargo_until:
        return
    if copy.status is Status.PUBLISHED and until > now:
        raise Conflict("embargo_until", "it is public already; no embargo can hold it back")
    plan = copy.standing.schedule
    if plan is not None and until > plan.due:
        raise Conflict(
            "embargo_until", f"it is scheduled for {plan.due.isoformat()}; reschedule it first"
        )


def _public(copy: WorkingCopy, now: datetime, public_url: str) -> tuple[WorkingCopy, Article]:
    after = replace(copy, revision=copy.revision + 1, updated_at=now)
    live = snapshot(after, public_url)
    return replace(after, live=live, redirects=live.redirects), live


def _event(kind: type[ArticleEvent] | None, live: Article, now: datetime) -> ArticleEvent:
    if kind is None:
        raise AssertionError("the table names an event for every public act")
    return kind(article=live, acted_at=now)
