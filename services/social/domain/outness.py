"""Whether a post of ours is out on its network, from the deliveries of its thread. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.model import SEEN_BY_A_PERSON, Delivery, Document


@dataclass(frozen=True)
class Out:
    """Readers have it. `result` is what its network calls it now, after the last edit."""

    result: Document
    since: datetime


@dataclass(frozen=True)
class NotOut:
    """Not yet, or not certainly; later it may be otherwise."""


@dataclass(frozen=True)
class Over:
    """There is nothing to ask the network about, and there never will be again."""

    reason: str


def outness(post: Delivery, thread: Sequence[Delivery]) -> Out | NotOut | Over:
    """`thread` holds the operations of the post's thread, itself among them, oldest first."""
    if any(_ends(one, post) for one in thread):
        return Over("taken back")
    if post.state is not DeliveryState.CONFIRMED:
        return NotOut()  # what failed, and is retried by a person, is out the moment it succeeds
    results = [one.result for one in thread if one.state is DeliveryState.CONFIRMED and one.result]
    if not results or results[-1].get("remote_id") == SEEN_BY_A_PERSON:
        return Over("its id on the network is not known")
    return Out(results[-1], post.acted_at + timedelta(milliseconds=post.milliseconds or 0))


def _ends(one: Delivery, post: Delivery) -> bool:
    """A withdrawal does, even where the network would not have it; making room for a new post, once it is done."""
    later = one.operation is Operation.DELETE and one.place > post.place
    return later and (not one.step or one.state is DeliveryState.CONFIRMED)
