"""How the routes of every process's health are described. They are for the inside: the proxy answers 404."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from shared.web.description import Answer, Operation, Shown, Tag

OPERATION = Tag(
    "Running it",
    "For the orchestrator and for monitoring; the proxy in front does not pass them on.",
)


class Alive(Shown):
    """The process answers."""

    status: Literal["alive"]

    EXAMPLE: ClassVar[dict[str, Any]] = {"status": "alive"}


class Readiness(Shown):
    """Everything that must be there, by name: true, or what is wrong with it."""

    ready: bool
    checks: dict[str, bool | str]

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "ready": True,
        "checks": {"started": True, "queue site.articles": True, "database site": True},
    }


ALIVE = Operation(
    "read_health",
    "Is the process alive?",
    OPERATION,
    {200: Answer("It is.", Alive)},
    stored=False,
)
READY = Operation(
    "read_readiness",
    "Can it do its work?",
    OPERATION,
    {
        200: Answer("Everything is there.", Readiness),
        503: Answer(
            "Something is missing.",
            Readiness,
            example={
                "ready": False,
                "checks": {"started": True, "database site": "no primary"},
            },
        ),
    },
    stored=False,
)
METRICS = Operation(
    "read_metrics",
    "Figures for Prometheus",
    OPERATION,
    {200: Answer("In the text format.", media=("text/plain",))},
    stored=False,
)
