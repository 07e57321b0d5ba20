"""What an operation goes on from, and what makes it void: the others of its thread. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.model import ENDED_UNSENT, UNFINISHED, Delivery, Document
from shared.delivery.outside import Drop


def follows(delivery: Delivery) -> bool:
    """Whether it goes on from what came before in its thread; a first post does not."""
    return delivery.step > 0 or delivery.operation in {Operation.EDIT, Operation.DELETE}


def overtaken(delivery: Delivery, later: Sequence[Delivery]) -> bool:
    """Whether a newer change carries all of this one, so that it would be said, or undone, twice.

    Handlers side by side can plan in the wrong order, and a person can retry an old one.
    """
    if delivery.state is not DeliveryState.CLAIMED:
        return False
    if delivery.operation is Operation.DELETE:
        # It made room for a new post; where a newer change has been made meanwhile, that is what stands.
        return delivery.step > 0 and any(
            other.revision > delivery.revision and other.state is DeliveryState.CONFIRMED
            for other in later
        )
    return any(
        other.operation is delivery.operation and other.state not in ENDED_UNSENT for other in later
    )


def continued(
    operation: Operation, revision: int, earlier: Sequence[Delivery]
) -> Document | Drop | None:
    """The result that this operation changes, or why there is nothing for it to do.

    None while one of the `earlier` operations (oldest first) may still happen; what a person has
    not done yet is overtaken by this one. A post that follows goes out only where the last thing
    that happened took the one before it away. The result may be of what only a person saw
    (`SEEN_BY_A_PERSON`): then the outside has to ask one again.
    """
    if any(other.state.value in UNFINISHED and other.task is None for other in earlier):
        return None
    happened = [
        other for other in earlier if other.state is DeliveryState.CONFIRMED and other.result
    ]
    if not happened:
        return Drop(DeliveryState.CANCELLED, "nothing was posted here")
    previous = happened[-1].result or {}
    if happened[-1].operation is Operation.DELETE:
        if operation is Operation.POST:
            return previous
        return Drop(DeliveryState.CANCELLED, "it was removed and not posted again")
    if operation is Operation.POST:
        return Drop(DeliveryState.CANCELLED, "the post before it is still there")
    newest = max(other.composed_from or 0 for other in happened)
    if operation is Operation.EDIT and newest >= revision:
        return Drop(DeliveryState.CANCELLED, "already part of what was posted")
    return previous
