"""The words in which a route is described, side by side with the route. Never changes how it is served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from aiohttp import web
from aiohttp.web_urldispatcher import AbstractRoute, UrlDispatcher
from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.identity import Role

JSON, FORM, MULTIPART = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
)

Id = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
"""A UUID in lower case."""
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 in UTC."""

Item = TypeVar("Item", bound="Shown")


class Shown(BaseModel):
    """Base of what we answer. A field whose default is None is left out when there is nothing to say."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    EXAMPLE: ClassVar[dict[str, Any]] = {}

    @classmethod
    def example(cls) -> dict[str, Any]:
        """One whole answer; the reference shows it."""
        return cls.EXAMPLE


class Page(Shown, Generic[Item]):
    """One page of a list."""

    # Parametrising looks for the source of a class statement that is not there.
    model_config = ConfigDict(use_attribute_docstrings=False)

    items: list[Item]
    next: str | None = Field(description="Pass it as `cursor` to read on; null on the last page.")

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        return f"{params[0].__name__}List"

    @classmethod
    def example(cls) -> dict[str, Any]:
        item = cls.__pydantic_generic_metadata__["args"][0]
        return {"items": [item.example()], "next": None}


@dataclass(frozen=True)
class Tag:
    """A chapter of the reference."""

    name: str
    text: str


@dataclass(frozen=True)
class Parameter:
    """One query, path or header parameter; `schema` is JSON Schema."""

    name: str
    text: str
    schema: Mapping[str, Any] = made(default_factory=lambda: {"type": "string"})
    example: Any = None
    required: bool = False
    """Path parameters always are."""


@dataclass(frozen=True)
class Answer:
    """One success. Without `model` and `media` it has no body; without `model` the body is not JSON."""

    text: str
    model: type[BaseModel] | None = None
    media: Sequence[str] = ()
    headers: Sequence[str] = ()
    """Names of headers that are always there; `openapi.HEADERS` says what each means."""
    example: Any = None


@dataclass(frozen=True)
class Refusal:
    """One way to be refused, as the problem document says it."""

    status: int
    title: str
    field: str | None = None
    detail: str | None = None
    headers: Sequence[str] = ()
    more: Mapping[str, Any] = made(default_factory=dict)
    """Members beyond those of every problem."""
    media: Sequence[str] = ()
    """Besides the problem document: a page for people."""


@dataclass(frozen=True)
class Operation:
    """What one route does. What every such route refuses (`shared.web.refusals`) is not repeated here."""

    id: str
    """Names the operation in generated clients, in snake case; unique in all of Herald."""
    summary: str
    tag: Tag
    answers: Mapping[int, Answer]
    role: Role | None = None
    """The least role that may call it; None where anybody may."""
    text: str = ""
    """CommonMark, beyond the summary."""
    body: type[BaseModel] | None = None
    body_media: str = JSON
    body_optional: bool = False
    example: Any = None
    """A body that the route takes."""
    path: Sequence[Parameter] = ()
    """Path parameters that are not ids."""
    query: Sequence[Parameter] = ()
    headers: Sequence[Parameter] = ()
    if_match: bool = False
    """Demands `If-Match` with the revision that was seen."""
    conditional: bool = False
    """Answers 304 to an `If-None-Match` that holds the present ETag."""
    refusals: Sequence[Refusal] = ()
    """Beyond those that follow from the above."""
    stored: bool = True
    """Asks the database, so it answers 503 while that is away."""


@dataclass(frozen=True)
class DescribedRoute(web.AbstractRouteDef):
    """A route and its description; aiohttp registers it as the route alone."""

    route: web.RouteDef
    operation: Operation

    @property
    def method(self) -> str:
        return self.route.method

    @property
    def path(self) -> str:
        return self.route.path

    def register(self, router: UrlDispatcher) -> list[AbstractRoute]:
        return self.route.register(router)


def described(route: web.RouteDef, operation: Operation) -> DescribedRoute:
    """The route with what it does; put it into a service's routes in the place of the bare one."""
    return DescribedRoute(route, operation)


LIMIT = Parameter(
    "limit",
    "Items on a page.",
    {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    example=20,
)
CURSOR = Parameter(
    "cursor",
    "`next` of the page before.",
    {"type": "string", "minLength": 1, "maxLength": 300},
)
PAGING = (LIMIT, CURSOR)
