"""The acts on an article over HTTP, one route each; the role of each comes from the state table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from services.publishing.api.act_texts import operation
from services.publishing.api.articles import answer
from services.publishing.api.refusals import refusing
from services.publishing.domain.article import WorkingCopy
from services.publishing.domain.content import CorrectionText, RetractionText
from services.publishing.domain.fields import Written
from services.publishing.domain.standing import ReturnText, ScheduleText
from services.publishing.domain.states import Act, least_role
from services.publishing.usecases import publication, review
from services.publishing.usecases.ports import Newsroom
from shared.contracts.articles import Status
from shared.web.description import described
from shared.web.identity import Identity, require_role
from shared.web.requests import path_id, read_json, require_match

Do = Callable[[Newsroom, str, int | None, Any, Identity], Awaitable[WorkingCopy]]
Plain = Callable[[Newsroom, str, int | None, Identity], Awaitable[WorkingCopy]]


class Nothing(Written):
    """The body of an act that needs none."""


def _plain(do: Plain) -> Do:
    return lambda room, article_id, expected, _, person: do(room, article_id, expected, person)


ROUTES: dict[str, tuple[Act, type[BaseModel], Do]] = {
    "submit": (Act.SUBMIT, Nothing, _plain(review.submit)),
    "return": (Act.RETURN, ReturnText, review.give_back),
    "schedule": (Act.SCHEDULE, ScheduleText, review.schedule),
    "unschedule": (Act.UNSCHEDULE, Nothing, _plain(review.unschedule)),
    "publish": (Act.PUBLISH, Nothing, _plain(publication.publish)),
    "correct": (Act.CORRECT, CorrectionText, publication.correct),
    "unpublish": (Act.UNPUBLISH, Nothing, _plain(publication.unpublish)),
    "retract": (Act.RETRACT, RetractionText, publication.retract),
    "retract/confirm": (Act.RETRACT, Nothing, _plain(publication.confirm_retraction)),
    "retract/decline": (Act.DECLINE_RETRACTION, Nothing, _plain(publication.decline_retraction)),
}


def routes(room: Newsroom) -> list[web.AbstractRouteDef]:
    def handler(act: Act, model: type[BaseModel], do: Do) -> Callable[..., Any]:
        async def handle(request: web.Request) -> web.Response:
            person = await require_role(request, least_role(act))
            article_id, expected = path_id(request), require_match(request)
            body: BaseModel = Nothing()
            if request.can_read_body or model is not Nothing:
                body = await read_json(request, model)
            copy = await do(room, article_id, expected, body, person)
            # A retraction that waits for a second person is accepted, not done (RFC 9110, 202).
            waits = act is Act.RETRACT and copy.status is not Status.RETRACTED
            return answer(copy, room, 202 if waits else 200)

        return handle

    return [
        described(
            web.post(f"/api/v1/articles/{{id}}/{name}", refusing(handler(act, model, do))),
            operation(name, least_role(act), model, body_optional=model is Nothing),
        )
        for name, (act, model, do) in ROUTES.items()
    ]
