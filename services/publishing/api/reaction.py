"""The public's reaction in our JSON, on a line of the board and as the sum of an article."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.publishing.api.shown import shown
from services.publishing.domain.reaction import total
from shared.contracts.outlets import OutletFigures


def figures_json(figures: OutletFigures) -> dict[str, Any]:
    return {
        "at": shown(figures.at),
        "gone": figures.gone,
        "counts": figures.counts.model_dump(exclude_none=True),
    }


def reaction_json(figures: Sequence[OutletFigures]) -> dict[str, Any]:
    """`reaction` where anything was read, else nothing."""
    if not figures:
        return {}
    reaction = {
        "posts": len(figures),
        "gone": sum(one.gone for one in figures),
        "at": shown(max(one.at for one in figures)),
        "counts": total(figures).model_dump(exclude_none=True),
    }
    return {"reaction": reaction}
