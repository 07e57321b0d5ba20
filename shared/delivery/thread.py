"""What an edit or a deletion goes on from: the operations of its thread that came before it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.model import SEEN_BY_A_PERSON, UNFINISHED, Delivery, Document
from shared.delivery.outside import Drop

BY_HAND = "a person confirmed the post, but its id is not known: change it there by hand"


def continued(
    operation: Operation, revision: int, earlier: Sequence[Delivery]
) -> Document | Drop | None:
    """The result that this operation changes, or why there is nothing for it to do.

    None while one of the `earlier` operations (oldest first) may still happen.
    """
    if any(other.state.value in UNFINISHED for other in earlier):
        return None
    happened = [
        other for other in earlier if other.state is DeliveryState.CONFIRMED and other.result
    ]
    if not happened:
        return Drop(DeliveryState.CANCELLED, "nothing was posted here")
    previous = happened[-1].result or {}
    if previous.get("remote_id") == SEEN_BY_A_PERSON:
        return Drop(DeliveryState.FAILED, BY_HAND)
    newest = max(other.composed_from or 0 for other in happened)
    if operation is Operation.EDIT and newest >= revision:
        return Drop(DeliveryState.CANCELLED, "already part of what was posted")
    return previous
