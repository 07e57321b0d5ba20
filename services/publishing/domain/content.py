"""What a person may write about an article, with its limits. Never accepts an unknown field."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from services.publishing.domain.authors import BylineText
from services.publishing.domain.fields import (
    Address,
    ArticleId,
    Language,
    Line,
    ShortLine,
    Slug,
    Text,
    Written,
)
from services.publishing.domain.picture_text import InlineImageText, LeadImageText
from shared.contracts.base import Instant

BODY_LENGTH = 200_000
"""Characters: a long book chapter. The worst text of this length renders within seconds."""
IMAGES = 50
RELATED = 10

Named = TypeVar("Named", bound=Sequence[Any])


def _skippable(value: str) -> str:
    if value == "site":
        raise ValueError("the site cannot be skipped: every other outlet links to the page")
    return value


def _by_name(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _once(values: Named) -> Named:
    """Each article or picture at most once."""
    seen: set[Hashable] = set()
    for value in values:
        key = getattr(value, "media_id", value)
        if key in seen:
            raise ValueError(f"{key} is named twice")
        seen.add(key)
    return values


def _shown_everywhere(value: datetime) -> datetime:
    """Within the years whose every instant has a date by any clock on earth."""
    if not MINYEAR < value.year < MAXYEAR:
        raise ValueError(f"must lie within the years {MINYEAR + 1} to {MAXYEAR - 1}")
    return value


Outlet = Annotated[
    str,
    Field(
        max_length=200,
        pattern=r"^(site|news_sitemap|feed|email|(social|webhook)(/[A-Za-z0-9_.@:-]+){0,2})$",
    ),
    AfterValidator(_skippable),
]


class SearchText(Written):
    """What search engines are told instead of headline and summary."""

    title: Annotated[Line, Field(max_length=300)] | None = None
    description: Annotated[Line, Field(max_length=1000)] | None = None


class ShareText(Written):
    """What a shared link shows instead of headline, summary and lead image."""

    title: Annotated[Line, Field(max_length=300)] | None = None
    description: Annotated[Line, Field(max_length=1000)] | None = None
    image: LeadImageText | None = None

    @classmethod
    def stored(cls, document: dict[str, Any]) -> ShareText:
        image = document.get("image")
        return cls.model_construct(
            **{**document, "image": LeadImageText.stored(image) if image else None}
        )


class Content(Written):
    """Everything writable. A draft may lack most of it; `checklist` says what publishing needs."""

    slug: Slug | None = None
    """None: made from the headline, and again with each headline until the article is first public."""
    headline: Annotated[Line, Field(min_length=1, max_length=300)] = ""
    standfirst: Annotated[Text, Field(max_length=1000)] = ""
    summary: Annotated[Text, Field(max_length=2000)] = ""
    body: Annotated[Text, Field(max_length=BODY_LENGTH)] = ""
    section: Annotated[str, Field(max_length=120)] | None = None
    tags: Annotated[tuple[ShortLine, ...], Field(max_length=20)] = ()
    bylines: Annotated[
        tuple[
            Annotated[
                BylineText, BeforeValidator(_by_name, json_schema_input_type=str | BylineText)
            ],
            ...,
        ],
        Field(max_length=20),
    ] = ()
    language: Language | None = None
    """None: the publication's own."""
    direction: Literal["ltr", "rtl"] | None = None
    """None: as the language is written."""
    lead_image: LeadImageText | None = None
    images: Annotated[
        tuple[InlineImageText, ...], Field(max_length=IMAGES), AfterValidator(_once)
    ] = ()
    """Words for the pictures of the body; where there are none, the Markdown's own are used."""
    access: Literal["free", "premium"] = "free"
    priority: Literal["normal", "breaking"] = "normal"
    canonical_url: Address | None = None
    noindex: bool = False
    search: SearchText | None = None
    share: ShareText | None = None
    skip_outlets: Annotated[tuple[Outlet, ...], Field(max_length=50)] = ()
    social: Annotated[
        dict[
            Annotated[str, Field(pattern=r"^[a-z]+$", max_length=40)],
            Annotated[Text, Field(min_length=1, max_length=5000)],
        ],
        Field(max_length=20),
    ] = Field(default_factory=dict)
    related: Annotated[tuple[ArticleId, ...], Field(max_length=RELATED), AfterValidator(_once)] = ()
    """Articles to read next. Readers are told only of those that are public."""
    translation_group: Slug | None = None
    """Articles that share it are translations of each other, one in each language."""
    embargo_until: Annotated[Instant, AfterValidator(_shown_everywhere)] | None = None

    @classmethod
    def stored(cls, document: dict[str, Any]) -> Content:
        """What was accepted before, back from the database; rules that came later do not undo it."""
        fields = {name: document[name] for name in cls.model_fields if name in document}
        fields["bylines"] = tuple(BylineText.model_construct(**one) for one in fields["bylines"])
        fields["images"] = tuple(InlineImageText.stored(one) for one in fields.get("images", ()))
        if image := fields.get("lead_image"):
            fields["lead_image"] = LeadImageText.stored(image)
        if search := fields.get("search"):
            fields["search"] = SearchText.model_construct(**search)
        if share := fields.get("share"):
            fields["share"] = ShareText.stored(share)
        for name in ("tags", "skip_outlets", "related"):
            fields[name] = tuple(fields.get(name, ()))
        return cls.model_construct(**fields)

    def amended(self, patch: Content) -> Content:
        """This content with the fields that `patch` was given; the others stay."""
        return self.model_copy(
            update={name: getattr(patch, name) for name in patch.model_fields_set}
        )


class CorrectionText(Written):
    """A public notice. `correction` fixes a fact, `clarification` makes one clear."""

    kind: Literal["correction", "clarification"] = "correction"
    text: Annotated[Text, Field(min_length=1, max_length=2000)]


class RetractionText(Written):
    """Why the article is taken back, in words for readers."""

    reason: Annotated[Text, Field(min_length=1, max_length=2000)]
