"""What each act makes of an article: the next working copy and the event that tells the world.

Pure: refuses with the words of `errors`, never half-applies, always adds exactly one to `revision`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.publishing.domain.article import (
    StoredRendition,
    WorkingCopy,
    same_for_readers,
    snapshot,
)
from services.publishing.domain.content import Content, CorrectionText
from services.publishing.domain.errors import Conflict, Invalid
from services.publishing.domain.states import Act, transition
from shared.contracts.articles import (
    Article,
    ArticleEvent,
    ArticleUpdated,
    Correction,
    Retraction,
)


@dataclass(frozen=True)
class Decision:
    """What an act leads to. `detail` is what the audit log keeps beside who, when and which act."""

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
) -> Decision:
    """Change the working copy. Raises `WrongStatus`."""
    transition(Act.EDIT, copy.status)
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
        revision=copy.revision + 1,
        updated_at=now,
    )
    return Decision(after, None, {"fields": changed})


def publish(copy: WorkingCopy, now: datetime, public_url: str) -> Decision:
    """Make the working copy public, or bring the public article up to it without a notice.

    Raises `WrongStatus`, `Invalid` for what is missing, `Conflict` for an embargo or no difference.
    """
    step = transition(Act.PUBLISH, copy.status)
    _ready(copy, now)
    if step.event is ArticleUpdated:
        after, live = _public(copy, now, public_url)
        if copy.live is not None and same_for_readers(live, copy.live):
            raise Conflict("status", "it is published already and nothing has changed since")
        return _told(after, ArticleUpdated(article=live, acted_at=now, change="minor"))
    again = replace(
        copy,
        status=step.to or copy.status,
        publication=copy.publication + 1,
        # The original time stays through every later publication: a news sitemap must not show
        # an old article as new (Google News sitemap, `publication_date`).
        published_at=copy.published_at or now,
    )
    after, live = _public(again, now, public_url)
    return _told(after, _event(step.event, live, now))


def correct(
    copy: WorkingCopy, now: datetime, public_url: str, correction: CorrectionText
) -> Decision:
    """Bring the public article up to the working copy, with a public notice. Raises as `publish`."""
    transition(Act.CORRECT, copy.status)
    _ready(copy, now)
    notice = Correction(at=now, kind=correction.kind, text=correction.text)
    after, live = _public(replace(copy, corrections=(*copy.corrections, notice)), now, public_url)
    return _told(
        after,
        ArticleUpdated(article=live, acted_at=now, change="correction"),
        {"kind": correction.kind, "text": correction.text},
    )


def retract(copy: WorkingCopy, now: datetime, reason: str) -> Decision:
    """Take the article back for good, with the reason for readers. Raises `WrongStatus`."""
    return _withdrawn(
        Act.RETRACT, copy, now, {"reason": reason}, retraction=Retraction(at=now, reason=reason)
    )


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
    return _told(replace(copy, live=live, **change), _event(step.event, live, now), detail)


def _ready(copy: WorkingCopy, now: datetime) -> None:
    missing = copy.content.missing()
    if missing:
        raise Invalid(missing)
    embargo = copy.content.embargo_until
    if embargo is not None and embargo > now:
        raise Conflict("embargo_until", f"under embargo until {embargo.isoformat()}")


def _public(copy: WorkingCopy, now: datetime, public_url: str) -> tuple[WorkingCopy, Article]:
    after = replace(copy, revision=copy.revision + 1, updated_at=now)
    live = snapshot(after, public_url)
    return replace(after, live=live, redirects=live.redirects), live


def _event(kind: type[ArticleEvent] | None, live: Article, now: datetime) -> ArticleEvent:
    if kind is None:
        raise AssertionError("the table names an event for every public act")
    return kind(article=live, acted_at=now)


def _told(
    after: WorkingCopy, event: ArticleEvent, detail: dict[str, Any] | None = None
) -> Decision:
    return Decision(after, event, detail or {})
