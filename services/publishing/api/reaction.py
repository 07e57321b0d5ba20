"""The public's reaction in our JSON, on a line of the board and as the sum of an article."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.publishing.api.shown import shown
from shared.contracts.outlets import OutletFigures, total


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
        # What a post that is gone had before still happened.
        "counts": total(one.counts for one in figures).model_dump(exclude_none=True),
    }
    return {"reaction": reaction}
