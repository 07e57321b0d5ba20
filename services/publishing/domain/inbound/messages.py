"""What a message of another CMS asks for, in one form: this article is public there, or it no longer is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from services.publishing.domain.content import Content
from services.publishing.domain.errors import Invalid
from services.publishing.domain.fields import Address, Language, Line, PersonName, Text, Written
from services.publishing.domain.foreign import ghost
from services.publishing.domain.foreign.html_to_markdown import to_markdown
from services.publishing.domain.foreign.mapping import Sections, import_body
from services.publishing.domain.foreign.model import (
    ForeignArticle,
    ForeignAuthor,
    ForeignImage,
    LeftOut,
    Term,
    Unreadable,
)
from services.publishing.domain.foreign.text import instant, path_of, plain_text, usable_slug
from services.publishing.domain.imported import EXTERNAL_ID_LENGTH, SOURCE, SOURCE_LENGTH
from shared.contracts.base import Instant

Kind = Literal["wordpress", "ghost", "standard"]
Type = Literal["article.published", "article.withdrawn"]
HTML_LENGTH = 900_000
ExternalId = Annotated[Line, Field(min_length=1, max_length=EXTERNAL_ID_LENGTH)]


class NewSource(Written):
    """A CMS that may publish here."""

    name: Annotated[str, Field(pattern=SOURCE, max_length=SOURCE_LENGTH)]
    """As an import of its archive called it (`--source`), so that one article stays one."""
    kind: Kind
    default_section: Annotated[str, Field(max_length=120)] | None = None
    section_map: Annotated[
        dict[
            Annotated[Line, Field(min_length=1, max_length=200)],
            Annotated[str, Field(max_length=120)],
        ],
        Field(max_length=200),
    ] = Field(default_factory=dict)
    """Section here by the slug or name of a category there."""
    auto_publish: bool = True
    """False: what is published there becomes a draft here, and a person publishes it."""
    language: Language | None = None


@dataclass(frozen=True)
class Message:
    """An article that is public there, as the fields of an `Arrival`; or its end."""

    external_id: str
    at: datetime
    """When it became so; an older message never undoes a newer one."""
    fields: dict[str, Any] | None
    """None where it was withdrawn."""
    lead: ForeignImage | None = None
    pictures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Nothing:
    """A message that asks for nothing."""

    reason: str


class PictureText(Written):
    """A picture at its own address."""

    url: Address
    alt: Annotated[Line, Field(max_length=1000)] = ""
    caption: Annotated[Text, Field(max_length=1000)] | None = None


class StandardMessage(Written):
    """What any CMS can send: our own fields, and when it was changed there."""

    type: Type
    external_id: ExternalId
    updated_at: Instant
    published_at: Instant | None = None
    article: Content | None = None
    lead_image: PictureText | None = None

    def message(self, sections: Sections) -> Message:
        if self.type == "article.withdrawn":
            return Message(self.external_id, self.updated_at, None)
        if self.article is None:
            raise Invalid({"article": "is needed to publish"})
        fields = self.article.model_dump(mode="json", exclude_unset=True)
        name = self.article.section or ""
        fields["section"], _ = sections.choose((Term(name, name),) if name else ())
        fields |= {"published_at": self.published_at, "updated_at": self.updated_at}
        lead = self.lead_image
        image = ForeignImage(lead.url, lead.alt, lead.caption) if lead else None
        return Message(self.external_id, self.updated_at, fields, image)


class TermText(Written):
    slug: Annotated[str, Field(max_length=300)]
    name: Annotated[str, Field(max_length=300)]


class AuthorText(Written):
    name: PersonName
    bio: Annotated[Text, Field(max_length=20_000)] | None = None
    url: Address | None = None


class WordPressPost(Written):
    """A post as the plugin in deploy/wordpress sends it."""

    id: Annotated[int, Field(ge=1)]
    title: Annotated[str, Field(max_length=2000)] = ""
    slug: Annotated[str, Field(max_length=300)] = ""
    content: Annotated[str, Field(max_length=HTML_LENGTH)] = ""
    """HTML as readers see it there."""
    excerpt: Annotated[str, Field(max_length=20_000)] = ""
    link: Annotated[str, Field(max_length=2000)] = ""
    published_at: Annotated[str, Field(max_length=40)] = ""
    categories: Annotated[tuple[TermText, ...], Field(max_length=100)] = ()
    tags: Annotated[tuple[Annotated[str, Field(max_length=300)], ...], Field(max_length=200)] = ()
    authors: Annotated[tuple[AuthorText, ...], Field(max_length=20)] = ()
    lead_image: PictureText | None = None

    def article(self) -> ForeignArticle:
        """Raises `Unreadable`."""
        converted = to_markdown(self.content, self.link or None)
        path = path_of(self.link)
        return ForeignArticle(
            external_id=str(self.id),
            headline=plain_text(self.title),
            body=converted.body,
            status="published",
            slug=usable_slug(self.slug),
            summary=plain_text(self.excerpt),
            terms=tuple(Term(one.slug, plain_text(one.name)) for one in self.categories),
            tags=tuple(plain_text(one) for one in self.tags),
            authors=tuple(
                ForeignAuthor(one.name, bio=one.bio, url=one.url) for one in self.authors
            ),
            published_at=instant(self.published_at),
            former_paths=(path,) if path else (),
            lead_image=ForeignImage(
                self.lead_image.url, self.lead_image.alt, self.lead_image.caption
            )
            if self.lead_image
            else None,
            images=converted.images,
            notes=converted.notes,
        )


class WordPressMessage(Written):
    """The plugin's envelope. `sent_at` is taken when the post changed, not when it was sent at last."""

    type: Type
    sent_at: Instant
    post: WordPressPost


def read_message(
    kind: Kind, document: Mapping[str, Any], sections: Sections, sent: datetime
) -> Message | Nothing:
    """Raises `Invalid` or `pydantic.ValidationError`, which name the field."""
    try:
        if kind == "standard":
            return StandardMessage.model_validate(document).message(sections)
        if kind == "wordpress":
            told = WordPressMessage.model_validate(document)
            id = str(told.post.id)
            if told.type == "article.withdrawn":
                return Message(id, told.sent_at, None)
            return _public(told.post.article(), told.sent_at, sections, "post")
        return _ghost(document, sections, sent)
    except Unreadable as error:
        raise Invalid({"post": str(error)}) from error


def _ghost(document: Mapping[str, Any], sections: Sections, sent: datetime) -> Message | Nothing:
    """Ghost does not say which event it is; the two states of the post do."""
    post = document.get("post")
    if not isinstance(post, dict):
        return Nothing("it is about no post")
    current, previous = post.get("current"), post.get("previous")
    current = current if isinstance(current, dict) else {}
    previous = previous if isinstance(previous, dict) else {}
    if not current.get("id"):
        id = previous.get("id")
        if not isinstance(id, str) or not id or len(id) > 100:
            raise Invalid({"post.current.id": "is needed"})
        return Message(id, sent, None)
    found = ghost.article_of(current)
    if isinstance(found, LeftOut):
        if found.wrong:
            raise Invalid({"post.current": found.reason})
        return Nothing(found.reason)
    at = found.updated_at or sent
    if found.status != "published":
        return Message(found.external_id, at, None)
    return _public(found, at, sections, "post.current")


def _public(article: ForeignArticle, at: datetime, sections: Sections, where: str) -> Message:
    if article.published_at is None:
        raise Invalid({f"{where}.published_at": "is needed, as an instant"})
    fields, notes = import_body(article, sections)
    fields["updated_at"] = at
    search = {"title": article.search_title, "description": article.search_description}
    share = {"title": article.share_title, "description": article.share_description}
    for name, override in (("search", search), ("share", share)):
        if any(override.values()):
            fields[name] = override
    return Message(
        article.external_id, at, fields, article.lead_image, article.images, tuple(notes)
    )
