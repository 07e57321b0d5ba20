"""The fan-out board of one article: as it stands, and live as server-sent events."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson
from aiohttp import web

from services.publishing.api.act_texts import ARTICLES
from services.publishing.api.desk_answers import BoardAnswer
from services.publishing.api.reaction import figures_json, reaction_json
from services.publishing.api.shown import shown
from services.publishing.api.streams import Heart, Streams, event_id
from services.publishing.store.board import BoardLine, BoardStore
from services.publishing.store.figures import FigureStore
from shared.contracts.identity import Role
from shared.contracts.outlets import OutletFigures
from shared.storage.errors import StorageUnavailable
from shared.web.description import Answer, Operation, Parameter, described
from shared.web.identity import require_role
from shared.web.problems import not_found
from shared.web.requests import json_response, path_id, query_values

BOARD = Operation(
    "read_fanout",
    "See where it stands everywhere",
    ARTICLES,
    {200: Answer("One line for each operation on each outlet.", BoardAnswer)},
    role=Role.CONTRIBUTOR,
)
STREAM = Operation(
    "follow_fanout",
    "Follow the fan-out live",
    ARTICLES,
    {
        200: Answer(
            "Server-sent events: `event: line` with the id to resume from and, as data, a line of the "
            "board. It begins with every line there is and never ends by itself. Figures come with the "
            "board alone: they change a few times a day.",
            media=("text/event-stream",),
            example="retry: 2000\n\nevent: line\nid: 1795426200000-0199f0a2...\n"
            'data: {"outlet":"site","state":"confirmed",...}\n\n',
        )
    },
    role=Role.CONTRIBUTOR,
    headers=(Parameter("Last-Event-ID", "The id of the last event you saw."),),
)


def as_json(line: BoardLine, figures: OutletFigures | None = None) -> dict[str, Any]:
    told = {} if figures is None else {"figures": figures_json(figures)}
    return {
        **line.line.model_dump(mode="json", exclude_none=True),
        "service": line.service,
        "changed_at": shown(line.changed_at),
        **told,
    }


def routes(board: BoardStore, posts: FigureStore, streams: Streams) -> list[web.AbstractRouteDef]:
    async def show(request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        article_id = path_id(request)
        # Lines first: a service that reports in between is then shown as awaited, never as done.
        lines = await board.lines(article_id)
        awaiting = await board.awaiting(article_id)
        if awaiting is None:
            raise not_found("article")
        figures = await posts.of_article(article_id)
        of_line = {one.delivery: one for one in figures}
        settled = not awaiting and all(line.line.state.final for line in lines)
        return json_response(
            {
                "items": [as_json(line, of_line.get(line.line.delivery)) for line in lines],
                "awaiting": awaiting,
                "settled": settled,
                **reaction_json(figures),
            }
        )

    async def stream(request: web.Request) -> web.StreamResponse:
        await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        article_id = path_id(request)
        if await board.awaiting(article_id) is None:
            raise not_found("article")
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        await response.write(b"retry: 2000\n\n")
        heart = Heart()
        following = streams.follow(article_id, request.headers.get("Last-Event-ID"))
        # Whichever way it ends, the client comes back by itself with Last-Event-ID.
        with suppress(ConnectionResetError, StorageUnavailable):
            async for line in following:
                if line is not None:
                    await response.write(
                        b"event: line\nid: %s\ndata: %s\n\n"
                        % (event_id(line).encode(), orjson.dumps(as_json(line)))
                    )
                elif heart.due():
                    await response.write(b": still here\n\n")
                elif request.transport is None or request.transport.is_closing():
                    break
        await following.aclose()
        return response

    return [
        described(web.get("/api/v1/articles/{id}/fanout", show), BOARD),
        described(web.get("/api/v1/articles/{id}/fanout/stream", stream), STREAM),
    ]
