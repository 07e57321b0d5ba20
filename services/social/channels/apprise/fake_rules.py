"""What the two stand-in receivers take, from their own documentation. Refuses every field that neither has."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

FIELDS = {"title", "message", "priority", "extras"}
"""Of Gotify's `POST /message` (its swagger page, `MessageExternal`)."""
HIGHEST_PRIORITY = 10
KINDS = {"info", "success", "warning", "failure"}
RECEIVED = {"version", "title", "message", "attachments", "type"}
"""Of Apprise's JSON post, all of them always (appriseit.com/services/json)."""
REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Refusal(Exception):
    """Raised to answer with an error in Gotify's form; `retry_after` is seconds."""

    def __init__(self, status: int, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.retry_after = retry_after

    def answer(self) -> web.Response:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        body = {
            "error": REASONS[self.status],
            "errorCode": self.status,
            "errorDescription": self.description,
        }
        return web.json_response(body, status=self.status, headers=headers)


@dataclass(frozen=True)
class Message:
    """One message as its reader sees it."""

    title: str
    text: str

    @property
    def seen(self) -> str:
        return "\n\n".join(part for part in (self.title, self.text) if part)


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object of a call. Raises `Refusal`."""
    if request.content_type != "application/json":
        raise Refusal(400, "the body has to be JSON")
    try:
        body = json.loads(await request.text())
    except ValueError as error:
        raise Refusal(400, "the body is not JSON") from error
    if not isinstance(body, dict):
        raise Refusal(400, "the body is not an object")
    return body


def gotify(body: dict[str, Any]) -> Message:
    """A message of Gotify's API. Raises `Refusal`."""
    if unknown := body.keys() - FIELDS:
        raise Refusal(400, f"unknown field {min(unknown)!r}")
    text, title = body.get("message"), body.get("title", "")
    if not isinstance(text, str) or not text:
        raise Refusal(400, "Field 'message' is required")
    if not isinstance(title, str):
        raise Refusal(400, "Field 'title' has to be a string")
    priority = body.get("priority", 0)
    if type(priority) is not int or not 0 <= priority <= HIGHEST_PRIORITY:
        raise Refusal(400, "Field 'priority' has to be a number from 0 to 10")
    if not isinstance(body.get("extras", {}), dict):
        raise Refusal(400, "Field 'extras' has to be an object")
    return Message(title, text)


def posted_json(body: dict[str, Any]) -> Message:
    """What Apprise posts to an address of one's own. Raises `Refusal`."""
    if body.keys() != RECEIVED or body["version"] != "1.0" or body["attachments"] != []:
        raise Refusal(400, "this is not what Apprise posts")
    if body["type"] not in KINDS:
        raise Refusal(400, f"unknown type {body['type']!r}")
    if not isinstance(body["title"], str) or not isinstance(body["message"], str):
        raise Refusal(400, "title and message have to be strings")
    if not body["message"]:
        raise Refusal(400, "there is no message")
    return Message(body["title"], body["message"])


def signed_in(request: web.Request) -> tuple[str, str] | None:
    """Name and password of HTTP's basic authentication."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Basic":
        return None
    try:
        name, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return name, password
