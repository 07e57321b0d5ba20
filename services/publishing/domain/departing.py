"""An article as an export hands it over: what an import takes, and what it cannot carry. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from services.publishing.domain.article import WorkingCopy, snapshot
from services.publishing.domain.content import Content
from services.publishing.domain.imported import without_defaults
from shared.contracts.articles import Article, Status
from shared.contracts.base import Instant

OWN = "herald"
"""The source of what was written here."""
_TIME: TypeAdapter[datetime] = TypeAdapter(Instant)
_IMAGE = {"media_id", "alt", "caption", "credit", "focus", "crops"}


@dataclass(frozen=True)
class Departure:
    """One article of an export."""

    source: str
    external_id: str
    article: dict[str, Any]
    """The body of `PUT /api/v1/imports/{source}/{external_id}`."""
    notes: tuple[str, ...]


def depart(copy: WorkingCopy, public_url: str) -> Departure:
    """Everything of the article but its history and what is arranged around it."""
    live = copy.live
    notes: tuple[str, ...] = ()
    if copy.status is Status.SCHEDULED and copy.standing.schedule:
        due = copy.standing.schedule.due
        notes = (f"was scheduled for {due.isoformat()}; a schedule is not exported",)
    body: dict[str, Any] = {
        "id": copy.id,
        "status": _status(copy),
        **without_defaults(copy.content),
    }
    if live is not None:
        public = public_fields(live)
        if public_fields(snapshot(copy, public_url)) != public:
            pending = without_defaults(copy.content)
            if copy.slug != live.slug:
                pending["slug"] = copy.slug
            body = {"id": copy.id, "status": _status(copy), **public, "pending": pending}
        body["slug"] = live.slug
        body["redirects"] = sorted(copy.public_slugs - {live.slug})
        told = {"published_at", "updated_at", "corrections", "retraction"}
        body |= live.model_dump(mode="json", include=told, exclude_none=True)
    else:
        body["updated_at"] = _TIME.dump_python(copy.updated_at, mode="json")
    body["former_paths"] = list(copy.former_paths)
    origin = copy.origin
    return Departure(
        origin.source if origin else OWN,
        origin.external_id if origin else copy.id,
        {name: value for name, value in body.items() if value not in (None, [], {})},
        notes,
    )


def public_fields(article: Article) -> dict[str, Any]:
    """What readers have, as the fields by which it would be written; addresses of this house left out."""
    fields = article.model_dump(mode="json", include=set(Content.model_fields), exclude_none=True)
    fields["bylines"] = [
        _said(
            {"author": byline.pop("slug", None), **byline}, {"author", "name", "role", "bio", "url"}
        )
        for byline in fields.get("bylines", ())
    ]
    if image := fields.get("lead_image"):
        fields["lead_image"] = _said(image, _IMAGE)
    if image := fields.get("share", {}).get("image"):
        fields["share"]["image"] = _said(image, _IMAGE)
    fields["images"] = [_said(image, _IMAGE) for image in fields.get("images", ())]
    return _said(fields, set(Content.model_fields))


def _said(fields: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """Without what is only a default; not through the model, whose rules may be younger than the text."""
    silent: tuple[Any, ...] = (None, "", [], {}, False, "free", "normal", [0.5, 0.5])
    return {name: value for name, value in fields.items() if name in known and value not in silent}


def _status(copy: WorkingCopy) -> str:
    if copy.status in {Status.PUBLISHED, Status.RETRACTED}:
        return copy.status.value
    if copy.live is not None:
        return Status.UNPUBLISHED.value
    return (Status.IN_REVIEW if copy.status is Status.IN_REVIEW else Status.DRAFT).value
