"""The calendar: what is scheduled and what was published in a stretch of time, by the publication's days."""

from __future__ import annotations

from datetime import datetime, timedelta

from aiohttp import web
from pydantic import TypeAdapter

from services.publishing.api.act_texts import ARTICLES
from services.publishing.api.article_answers import CalendarAnswer
from services.publishing.api.articles import local_times
from services.publishing.api.shown import shown
from services.publishing.store.desk import CALENDAR_MOST, DeskStore
from services.publishing.usecases.ports import Newsroom
from shared.contracts.base import Instant
from shared.contracts.identity import Role
from shared.web.description import Answer, Operation, Parameter, described
from shared.web.identity import require_role
from shared.web.problems import Problem
from shared.web.requests import json_response, query_values

LONGEST = timedelta(days=45)
INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
A_MOMENT = {"type": "string", "format": "date-time"}

CALENDAR = Operation(
    "read_calendar",
    "See what is scheduled and what was published",
    ARTICLES,
    {200: Answer("In order of time.", CalendarAnswer)},
    role=Role.CONTRIBUTOR,
    query=(
        Parameter("from", "From this moment on.", A_MOMENT, "2026-11-23T00:00:00Z", required=True),
        Parameter(
            "until",
            f"Until before this moment, at most {LONGEST.days} days later.",
            A_MOMENT,
            "2026-11-30T00:00:00Z",
            required=True,
        ),
    ),
)


def instant(values: dict[str, str], name: str) -> datetime:
    """One query parameter as an instant. Raises `Problem` naming it."""
    if name not in values:
        raise Problem(422, f"{name} is needed", field=name)
    try:
        if values[name][4:5] != "-":  # a number would be taken for seconds since 1970
            raise ValueError("no date")
        return INSTANT.validate_python(values[name])
    except ValueError as error:  # pydantic's own is one
        text = "must be an instant with its zone, such as 2026-11-25T00:00:00Z"
        raise Problem(422, "Not an instant", field=name, detail=f"{name} {text}") from error


def routes(room: Newsroom, desk: DeskStore) -> list[web.AbstractRouteDef]:
    async def calendar(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        values = query_values(request, {"from", "until"})
        since, until = instant(values, "from"), instant(values, "until")
        if not timedelta(0) < until - since <= LONGEST:  # a sum could leave the calendar
            text = f"must lie after from, at most {LONGEST.days} days"
            raise Problem(422, "Not a stretch of time", field="until", detail=f"until {text}")
        found = await desk.calendar(since, until)
        items = [
            {
                **one,
                "local": local_times(one, room.zone),
                "day": one["at"].astimezone(room.zone).date().isoformat(),
            }
            for one in found
        ]
        return json_response(
            {
                "items": shown(items),
                "time_zone": room.zone.key,
                # Said, not hidden: a stretch this full is to be asked for day by day.
                "complete": len(items) < CALENDAR_MOST,
            }
        )

    return [described(web.get("/api/v1/calendar", calendar), CALENDAR)]
