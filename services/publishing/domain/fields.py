"""The kinds of value people may write: lines, texts, addresses, slugs. Never lets through what no feed could carry."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.runtime.ids import is_id
from shared.runtime.publication import known_language, written_language

# XML 1.0, section 2.2: what no feed, sitemap or page could carry; and the two direction overrides
# (UAX 9), which make a text read as another one. Embeddings and isolates, which real text needs, stay.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202d\u202e\ufdd0-\ufdef\ufffe\uffff]"
)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
SLUG_LENGTH = 120


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
    return written_language(value)


def _id(value: str) -> str:
    if not is_id(value):
        raise ValueError("must be the id of an article")
    return value


Line = Annotated[str, AfterValidator(_one_line)]
Text = Annotated[str, AfterValidator(_plain)]
Address = Annotated[str, Field(max_length=2000), AfterValidator(_address)]
Slug = Annotated[str, Field(pattern=SLUG, max_length=SLUG_LENGTH)]
Language = Annotated[str, Field(max_length=35), AfterValidator(_language)]
ShortLine = Annotated[Line, Field(min_length=1, max_length=60)]
PersonName = Annotated[Line, Field(min_length=1, max_length=120)]
ArticleId = Annotated[str, Field(max_length=36), AfterValidator(_id)]
MediaId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Written(BaseModel):
    """Base of what people write: frozen, and a field we do not know is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, use_attribute_docstrings=True
    )
