"""The switches of the sandbox: which failures a stand-in has left, in words, and how a person sets them.

Must never obey a form that another site's page has sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.social.channels.base import Fake
from shared.web.problems import Problem, invalid
from shared.web.requests import json_response, read_json

FORM = "application/x-www-form-urlencoded"
FORM_BYTES = 4096
MOST_TIMES = 10_000

Body = TypeVar("Body", bound=BaseModel)


class Injection(BaseModel):
    """Make the next `times` calls of a network fail in a documented way."""

    model_config = ConfigDict(extra="forbid")

    channel: str
    fault: Annotated[str, Field(max_length=60)]
    times: int = Field(default=1, ge=0, le=MOST_TIMES)


class Clearing(BaseModel):
    """End the failures of one network, or of all."""

    model_config = ConfigDict(extra="forbid")

    channel: str | None = None


@dataclass(frozen=True)
class Switch:
    """One failure as the page lists it."""

    fault: str
    words: str
    left: int


class Switches:
    """Handlers over the faults of every fake."""

    def __init__(self, fakes: Mapping[str, Fake]) -> None:
        self._fakes = fakes

    def routes(self) -> list[web.AbstractRouteDef]:
        return [web.post("/faults", self._inject), web.post("/faults/clear", self._clear)]

    def of(self, channel: str) -> list[Switch]:
        """What is switched on first, then in the stand-in's own order."""
        fake = self._fakes[channel]
        found = [
            Switch(fault, fake.fault_words.get(fault, fault), left)
            for fault, left in fake.faults.items()
        ]
        return sorted(found, key=lambda switch: switch.left == 0)

    def armed(self) -> int:
        """How many failures are switched on."""
        return sum(left > 0 for fake in self._fakes.values() for left in fake.faults.values())

    async def _inject(self, request: web.Request) -> web.StreamResponse:
        wanted = await _wanted(request, Injection)
        fake = self._fake(wanted.channel)
        if wanted.fault not in fake.faults:
            known = ", ".join(sorted(fake.faults))
            raise Problem(422, "There is no such fault", field="fault", detail=f"known: {known}")
        fake.faults[wanted.fault] = wanted.times
        if request.content_type == FORM:
            raise _back_to(wanted.channel)
        return json_response({"channel": wanted.channel, "faults": dict(fake.faults)})

    async def _clear(self, request: web.Request) -> web.StreamResponse:
        wanted = await _wanted(request, Clearing)
        chosen = list(self._fakes) if wanted.channel is None else [wanted.channel]
        for channel in chosen:
            fake = self._fake(channel)
            fake.faults.update(dict.fromkeys(fake.faults, 0))
        if request.content_type == FORM:
            raise _back_to(wanted.channel)
        return json_response({"cleared": chosen})

    def _fake(self, channel: str) -> Fake:
        fake = self._fakes.get(channel)
        if fake is None:
            raise Problem(422, "There is no such channel", field="channel")
        return fake


async def _wanted(request: web.Request, model: type[Body]) -> Body:
    """The body, JSON or a form of our own page."""
    if request.content_type != FORM:
        return await read_json(request, model)
    _refuse_another_site(request)
    raw = await request.read()
    if len(raw) > FORM_BYTES:
        raise Problem(413, "The form is too long", field="body")
    try:
        fields = dict(parse_qsl(raw.decode(), keep_blank_values=True))
    except ValueError as error:
        raise Problem(400, "The form is not in UTF-8", field="body") from error
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise invalid(error) from error


def _refuse_another_site(request: web.Request) -> None:
    """A browser sends forms anywhere without asking; it says from where in one of these headers."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin", f"{request.scheme}://{request.host}")
    if site not in {"same-origin", "none"} or origin != f"{request.scheme}://{request.host}":
        raise Problem(403, "The form came from another site's page", field="Origin")


def _back_to(channel: str | None) -> web.HTTPSeeOther:
    return web.HTTPSeeOther(f"/?open={channel}#{channel}" if channel else "/")
