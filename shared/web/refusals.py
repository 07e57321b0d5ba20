"""What a route refuses because of what it takes: read from its description, so that no route repeats it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.web.description import JSON, MULTIPART, Operation, Refusal

UNAUTHORIZED = Refusal(
    401,
    "Sign in first",
    "Authorization",
    "send Authorization: Bearer <token>",
    headers=("WWW-Authenticate",),
)
DATABASE_AWAY = Refusal(
    503, "The database is away; try again in a moment", headers=("Retry-After",)
)
NOT_JSON = Refusal(400, "The body is not JSON", "body", "unexpected end of data: line 1 column 1")
NOT_MULTIPART = Refusal(400, "The body is not well-formed multipart", "body")
TOO_LARGE = Refusal(413, "The body is too large", "body")
TOO_SLOW = Refusal(408, "The body did not arrive in time", "body")
INVALID = Refusal(422, "The input is not valid", "body", "Extra inputs are not permitted")
STALE = Refusal(
    412,
    "The article has changed since you read it",
    "If-Match",
    "the article is at revision 4",
    more={
        "current_revision": 4,
        "changed": [
            {
                "field": "headline",
                "by": "0199ef11-20c4-7b0d-8a3f-91d2c6e0b755",
                "by_name": "Ben Okafor",
                "at": "2026-11-23T09:31:12.000Z",
                "revision": 4,
            }
        ],
    },
)
NO_PRECONDITION = Refusal(
    428,
    "Say which revision you saw",
    "If-Match",
    "send If-Match with the ETag of the article as you read it, or *",
)


def refusals(operation: Operation, method: str, path_names: tuple[str, ...]) -> list[Refusal]:
    """Everything the operation may be refused for, by status; its own words before the common ones."""
    own = {refusal.status for refusal in operation.refusals}
    common = [one for one in _common(operation, method, path_names) if _adds(one, own)]
    return sorted((*operation.refusals, *common), key=lambda refusal: refusal.status)


def _adds(refusal: Refusal, own: set[int]) -> bool:
    """A description that tells what is missing, or what is stale, has said it better."""
    return refusal.status not in own or refusal.status in {400, 409, 413, 422}


def _common(operation: Operation, method: str, path_names: tuple[str, ...]) -> Iterator[Refusal]:
    if operation.role is not None:
        role = operation.role.name.lower()
        yield UNAUTHORIZED
        yield Refusal(
            403,
            "Your role does not allow this",
            "Authorization",
            f"this needs the role {role}; yours is less",
        )
    if operation.body is not None:
        yield from _of_body(operation.body_media)
    if path_names:
        yield Refusal(404, "There is no such id", path_names[-1])
    if operation.query or (operation.role is not None and method == "GET"):
        names = ", ".join(sorted(one.name for one in operation.query))
        yield Refusal(422, "Unknown parameter", "nope", f"allowed: {names}")
    if operation.if_match:
        yield STALE
        yield NO_PRECONDITION
    if (
        operation.stored or operation.role is not None
    ):  # whose token was revoked is in the database too
        yield DATABASE_AWAY


def _of_body(media: str) -> Iterator[Refusal]:
    yield TOO_LARGE
    if media == JSON:
        yield NOT_JSON
        yield TOO_SLOW
    if media == MULTIPART:
        yield NOT_MULTIPART
    if media in {JSON, MULTIPART}:
        yield Refusal(415, f"The body must be {media}", "Content-Type")
        yield INVALID


def problem(refusal: Refusal) -> dict[str, Any]:
    """The problem document it is answered with, as an example."""
    detail = refusal.detail or refusal.title
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": refusal.title,
        "status": refusal.status,
        "detail": detail,
        **refusal.more,
    }
    if refusal.field:
        document["field"] = refusal.field
        document["errors"] = [{"field": refusal.field, "message": detail}]
    return document
