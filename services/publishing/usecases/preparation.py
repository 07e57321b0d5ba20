"""What is looked up and rendered before content can be stored. Refuses what names something that is not there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.publishing.domain import markdown
from services.publishing.domain.article import References, WorkingCopy
from services.publishing.domain.content import Content
from services.publishing.domain.errors import Invalid
from services.publishing.domain.markdown import Illustration, Manuscript
from services.publishing.domain.picture_text import InlineImageText, LeadImageText
from services.publishing.domain.stored_pictures import BodyPicture, StoredRendition
from services.publishing.usecases.ports import Newsroom, StoredPicture
from services.publishing.usecases.references import look_up

LONG_BODY = 5_000
"""Characters from which rendering leaves the event loop; below, it costs about a millisecond."""


@dataclass(frozen=True)
class Prepared:
    """What a working copy keeps beside its content."""

    body_html: str
    language: str
    lead_files: tuple[StoredRendition, ...]
    share_files: tuple[StoredRendition, ...]
    body_pictures: tuple[BodyPicture, ...]
    references: References


async def prepare(
    room: Newsroom, article_id: str, content: Content, before: WorkingCopy | None
) -> Prepared:
    """Check what the model cannot know and render. Raises `Invalid` naming each field.

    What the content named before is not asked for again: it may have gone since, and that must not
    keep anybody from changing something else.
    """
    manuscript = await _manuscript(room, content, before)
    ids = {image.media_id for _, image in _images(content)}
    if manuscript:
        ids |= {shown.media_id for shown in manuscript.shown}
    references, pictures = await asyncio.gather(look_up(room, content), room.pictures.find_all(ids))
    wrong = {
        **_unknown_section(room, content, before),
        **_unknown_references(article_id, content, before, references),
        **{
            f"{field}.media_id": "there is no such picture; upload it first"
            for field, image in _images(content)
            if image.media_id not in pictures
        },
        **(_unknown_in_body(manuscript, pictures) if manuscript else {}),
    }
    if wrong:
        raise Invalid(wrong)
    lead, share = content.lead_image, content.share and content.share.image
    html, shown = await _typeset(manuscript, content, pictures, before)
    return Prepared(
        body_html=html,
        language=content.language or room.publication.language,
        lead_files=pictures[lead.media_id].renditions if lead else (),
        share_files=pictures[share.media_id].renditions if share else (),
        body_pictures=shown,
        references=references,
    )


async def _manuscript(
    room: Newsroom, content: Content, before: WorkingCopy | None
) -> Manuscript | None:
    """None where the HTML from before is still right."""
    if before and (before.content.body, before.content.images) == (content.body, content.images):
        return None
    if _short(content.body):
        return markdown.read(content.body, room.public_url)
    return await asyncio.to_thread(markdown.read, content.body, room.public_url)


async def _typeset(
    manuscript: Manuscript | None,
    content: Content,
    pictures: Mapping[str, StoredPicture],
    before: WorkingCopy | None,
) -> tuple[str, tuple[BodyPicture, ...]]:
    if manuscript is None:
        return (before.body_html, before.body_pictures) if before else ("", ())
    words = {image.media_id: image for image in content.images}
    alts: dict[str, str] = {}
    for shown in manuscript.shown:
        # Where one place says nothing, the words of another do not help whoever reads there.
        known = alts.get(shown.media_id)
        alts[shown.media_id] = shown.alt if known is None else (shown.alt and known)
    known_pictures = {
        media_id: Illustration(
            words.get(media_id) or InlineImageText(media_id=media_id),
            pictures[media_id].renditions,
        )
        for media_id in alts
    }
    if _short(content.body):
        html = markdown.typeset(manuscript, known_pictures)
    else:
        html = await asyncio.to_thread(markdown.typeset, manuscript, known_pictures)
    return html, tuple(
        BodyPicture(media_id, alt, pictures[media_id].renditions) for media_id, alt in alts.items()
    )


def _short(body: str) -> bool:
    """Whether it renders in a moment; a table of a few characters may have thousands of cells."""
    return len(body) < LONG_BODY and "|" not in body


def _images(content: Content) -> Iterator[tuple[str, LeadImageText]]:
    """Every picture that a field names, with the name of the field."""
    if content.lead_image:
        yield "lead_image", content.lead_image
    if content.share and content.share.image:
        yield "share.image", content.share.image
    for number, image in enumerate(content.images):
        yield f"images.{number}", image


def _unknown_section(
    room: Newsroom, content: Content, before: WorkingCopy | None
) -> dict[str, str]:
    slugs = [section.slug for section in room.publication.sections]
    named = before.content.section if before else None
    if content.section and content.section not in {*slugs, named}:
        return {"section": f"must be one of {', '.join(slugs)}"}
    return {}


def _unknown_references(
    article_id: str, content: Content, before: WorkingCopy | None, found: References
) -> dict[str, str]:
    named = {byline.author for byline in before.content.bylines} if before else set()
    related = set(before.content.related) if before else set()
    wrong = {
        f"bylines.{number}.author": "there is no such author; make the profile first"
        for number, byline in enumerate(content.bylines)
        if byline.author and byline.author not in found.authors and byline.author not in named
    }
    for number, id in enumerate(content.related):
        if id == article_id:
            wrong[f"related.{number}"] = "an article is not related to itself"
        elif id not in found.related and id not in related:
            wrong[f"related.{number}"] = "there is no such article"
    return wrong


def _unknown_in_body(
    manuscript: Manuscript, pictures: Mapping[str, StoredPicture]
) -> dict[str, str]:
    for shown in manuscript.shown:
        picture = pictures.get(shown.media_id)
        if picture is None:
            return {"body": f"there is no picture {shown.media_id}; upload it first"}
        if shown.file not in {file.file for file in picture.renditions}:
            return {"body": f"picture {shown.media_id} has no size {shown.file}"}
    return {}
