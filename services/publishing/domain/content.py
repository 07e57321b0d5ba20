"""What a person may write about an article, with its limits. Never accepts an unknown field."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from shared.contracts.base import Instant
from shared.runtime.publication import known_language

# XML 1.0, section 2.2: what no feed, sitemap or page could carry; and the two direction overrides
# (UAX 9), which make a text read as another one. Embeddings and isolates, which real text needs, stay.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202d\u202e\ufdd0-\ufdef\ufffe\uffff]"
)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
SLUG_LENGTH = 120
BODY_LENGTH = 200_000
"""Characters: a long book chapter. The worst text of this length renders within seconds."""


def _plain(value: str) -> str:
    if _FORBIDDEN.search(value):
        raise ValueError("must not contain control characters")
    return value


def _one_line(value: str) -> str:
    return " ".join(_plain(value).split())


def _address(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable or "@" in parts.netloc or any(ord(char) <= 32 for char in value):
        raise ValueError("must be an absolute http(s) address")
    return _plain(value)


def _language(value: str) -> str:
    if not _LANGUAGE.fullmatch(value) or not known_language(value):
        raise ValueError("must be a BCP 47 language tag such as en or pt-BR")
    return value


def _skippable(value: str) -> str:
    if value == "site":
        raise ValueError("the site cannot be skipped: every other outlet links to the page")
    return value


def _by_name(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


Line = Annotated[str, AfterValidator(_one_line)]
Text = Annotated[str, AfterValidator(_plain)]
Address = Annotated[str, Field(max_length=2000), AfterValidator(_address)]
Slug = Annotated[str, Field(pattern=SLUG, max_length=SLUG_LENGTH)]
Language = Annotated[str, Field(max_length=35), AfterValidator(_language)]
Outlet = Annotated[
    str,
    Field(
        max_length=200,
        pattern=r"^(site|news_sitemap|feed|email|(social|webhook)(/[A-Za-z0-9_.@:-]+){0,2})$",
    ),
    AfterValidator(_skippable),
]
ShortLine = Annotated[Line, Field(min_length=1, max_length=60)]


class Written(BaseModel):
    """Base of what people write: frozen, and a field we do not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class BylineText(Written):
    """One author. A bare string stands for the name alone."""

    name: Annotated[Line, Field(min_length=1, max_length=120)]
    role: Annotated[Line, Field(max_length=120)] | None = None
    bio: Annotated[Text, Field(max_length=2000)] | None = None
    url: Address | None = None


class LeadImageText(Written):
    """The lead image and its words. `focus` is the point to keep when cropping, 0 to 1 from top left."""

    media_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    alt: Annotated[Line, Field(max_length=1000)] = ""
    caption: Annotated[Text, Field(max_length=1000)] | None = None
    credit: Annotated[Line, Field(max_length=200)] | None = None
    focus: tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]] = (
        0.5,
        0.5,
    )


class Content(Written):
    """Everything writable. A draft may lack most of it; `missing` says what publishing needs."""

    slug: Slug | None = None
    """None: made from the headline, and again with each headline until the article is first public."""
    headline: Annotated[Line, Field(min_length=1, max_length=300)] = ""
    standfirst: Annotated[Text, Field(max_length=1000)] = ""
    summary: Annotated[Text, Field(max_length=2000)] = ""
    body: Annotated[Text, Field(max_length=BODY_LENGTH)] = ""
    section: Annotated[str, Field(max_length=120)] | None = None
    tags: Annotated[tuple[ShortLine, ...], Field(max_length=20)] = ()
    bylines: Annotated[
        tuple[Annotated[BylineText, BeforeValidator(_by_name)], ...], Field(max_length=20)
    ] = ()
    language: Language | None = None
    """None: the publication's own."""
    lead_image: LeadImageText | None = None
    access: Literal["free", "premium"] = "free"
    priority: Literal["normal", "breaking"] = "normal"
    canonical_url: Address | None = None
    noindex: bool = False
    skip_outlets: Annotated[tuple[Outlet, ...], Field(max_length=50)] = ()
    social: Annotated[
        dict[
            Annotated[str, Field(pattern=r"^[a-z]+$", max_length=40)],
            Annotated[Text, Field(min_length=1, max_length=5000)],
        ],
        Field(max_length=20),
    ] = Field(default_factory=dict)
    embargo_until: Instant | None = None

    @classmethod
    def stored(cls, document: dict[str, Any]) -> Content:
        """What was accepted before, back from the database; rules that came later do not undo it."""
        fields = {name: document[name] for name in cls.model_fields if name in document}
        fields["bylines"] = tuple(BylineText.model_construct(**one) for one in fields["bylines"])
        if image := fields.get("lead_image"):
            image = {**image, "focus": tuple(image["focus"])}
            fields["lead_image"] = LeadImageText.model_construct(**image)
        for name in ("tags", "skip_outlets"):
            fields[name] = tuple(fields[name])
        return cls.model_construct(**fields)

    def amended(self, patch: Content) -> Content:
        """This content with the fields that `patch` was given; the others stay."""
        return self.model_copy(
            update={name: getattr(patch, name) for name in patch.model_fields_set}
        )

    def missing(self) -> dict[str, str]:
        """What keeps this content from being published, by field."""
        lacking = {
            name: "is needed to publish"
            for name in ("headline", "body", "section", "bylines")
            if not getattr(self, name)
        }
        if self.lead_image and not self.lead_image.alt:
            lacking["lead_image.alt"] = "a lead image needs words for those who cannot see it"
        return lacking


class CorrectionText(Written):
    """A public notice. `correction` fixes a fact, `clarification` makes one clear."""

    kind: Literal["correction", "clarification"] = "correction"
    text: Annotated[Text, Field(min_length=1, max_length=2000)]


class RetractionText(Written):
    """Why the article is taken back, in words for readers."""

    reason: Annotated[Text, Field(min_length=1, max_length=2000)]
