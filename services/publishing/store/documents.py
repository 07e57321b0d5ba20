"""The stored form of an article and back. What was accepted once is read for ever, whatever rules came later."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.content import Content
from services.publishing.domain.imported import Origin
from services.publishing.domain.search import words
from services.publishing.domain.standing import (
    Missed,
    RetractionRequest,
    Review,
    Schedule,
    Standing,
)
from services.publishing.domain.stored_pictures import BodyPicture, StoredRendition
from services.publishing.usecases.ports import ActRecord, Kept
from shared.contracts.articles import Article, Correction, Retraction, Status
from shared.storage.client import Document


def to_document(copy: WorkingCopy) -> Document:
    """The stored form, without the id."""
    content = copy.content
    names = (byline.name or byline.author or "" for byline in content.bylines)
    return {
        "content": content.model_dump(),
        "slug": copy.slug,
        "body_html": copy.body_html,
        "language": copy.language,
        "lead_files": [asdict(file) for file in copy.lead_files],
        "share_files": [asdict(file) for file in copy.share_files],
        "body_pictures": [asdict(picture) for picture in copy.body_pictures],
        "status": copy.status.value,
        "revision": copy.revision,
        "publication": copy.publication,
        "published_at": copy.published_at,
        "updated_at": copy.updated_at,
        "corrections": [correction.model_dump() for correction in copy.corrections],
        "retraction": copy.retraction.model_dump() if copy.retraction else None,
        "redirects": list(copy.redirects),
        "live": copy.live.model_dump() if copy.live else None,
        "created_at": copy.created_at,
        "created_by": copy.created_by,
        "standing": asdict(copy.standing),
        "imported": copy.imported,
        "former_paths": list(copy.former_paths),
        "origin": asdict(copy.origin) if copy.origin else None,
        "words": words([content.headline, content.standfirst, copy.slug, *content.tags, *names]),
    }


def from_document(document: Document) -> Kept:
    """The stored form, back as a working copy with the act that is still owed its lines."""
    live, retraction = document["live"], document["retraction"]
    copy = WorkingCopy(
        id=document["_id"],
        content=Content.stored(document["content"]),
        slug=document["slug"],
        body_html=document["body_html"],
        language=document["language"],
        lead_files=tuple(StoredRendition(**file) for file in document["lead_files"]),
        status=Status(document["status"]),
        revision=document["revision"],
        publication=document["publication"],
        published_at=document["published_at"],
        updated_at=document["updated_at"],
        corrections=tuple(Correction.read(one) for one in document["corrections"]),
        retraction=Retraction.read(retraction) if retraction else None,
        redirects=tuple(document["redirects"]),
        live=Article.read(live) if live else None,
        created_at=document["created_at"],
        created_by=document["created_by"],
        standing=_standing(document.get("standing") or {}),
        share_files=tuple(StoredRendition(**file) for file in document.get("share_files", ())),
        body_pictures=tuple(_body_picture(one) for one in document.get("body_pictures", ())),
        imported=document.get("imported", False),
        former_paths=tuple(document.get("former_paths", ())),
        origin=Origin(**document["origin"]) if document.get("origin") else None,
    )
    return Kept(copy, ActRecord(**document["act"]) if "unrecorded_at" in document else None)


def _standing(document: Document) -> Standing:
    kinds: dict[str, Any] = {
        "review": Review,
        "schedule": Schedule,
        "missed": Missed,
        "retraction_request": RetractionRequest,
    }
    return Standing(
        **{name: kind(**document[name]) for name, kind in kinds.items() if document.get(name)}
    )


def _body_picture(document: Document) -> BodyPicture:
    files = tuple(StoredRendition(**file) for file in document["files"])
    return BodyPicture(document["media_id"], document["alt"], files)
