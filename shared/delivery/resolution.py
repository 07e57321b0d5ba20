"""What a person may do to a delivery: retry, cancel, say what became of it, finish a task. Never guesses."""

from __future__ import annotations

from shared.contracts.outlets import DeliveryState
from shared.delivery.ledger import Ledger
from shared.delivery.model import SEEN_BY_A_PERSON, Delivery, Document


class Refused(ValueError):
    """Raised when the delivery's state does not allow the act; the text says why."""


async def retry(ledger: Ledger, delivery: Delivery, who: str) -> Delivery:
    """Send it again from the start: for what failed, was missed or cancelled, or still waits."""
    if delivery.state is DeliveryState.UNKNOWN:
        raise Refused("its outcome is unknown: resolve it first, or it may happen twice")
    if delivery.state in {DeliveryState.CLAIMED, DeliveryState.ARMED}:
        raise Refused("it is being sent right now")
    if delivery.state is DeliveryState.CONFIRMED:
        raise Refused("it has already happened")
    return _moved(await ledger.replan(delivery, f"retried by {who}", however_late=True))


async def cancel(ledger: Ledger, delivery: Delivery, who: str) -> Delivery:
    """Give it up before anything was sent."""
    if delivery.state not in {DeliveryState.PLANNED, DeliveryState.WAITING}:
        raise Refused(f"only what has not begun can be cancelled; this is {delivery.state.value}")
    return _moved(await ledger.close(delivery, DeliveryState.CANCELLED, f"cancelled by {who}"))


async def resolve(
    ledger: Ledger, delivery: Delivery, who: str, *, happened: bool, url: str | None = None
) -> Delivery:
    """A person looked: `happened` confirms it, otherwise it is planned again. A task happened when they did it.

    `url` is where it can be seen.
    """
    if delivery.task is not None:
        if not happened:
            raise Refused(
                "it waits for a person: do it, cancel it, or retry it by the present policy"
            )
        done = {**delivery.task, "url": url} if url else delivery.task
        return _moved(await ledger.confirm(delivery, done, f"done by {who}"))
    if delivery.state is not DeliveryState.UNKNOWN:
        raise Refused(f"only an unknown outcome can be resolved; this is {delivery.state.value}")
    if happened:
        result: Document = {"remote_id": SEEN_BY_A_PERSON, "url": url, "extra": {}}
        return _moved(await ledger.confirm(delivery, result, f"seen there by {who}"))
    return _moved(await ledger.replan(delivery, f"not there, says {who}", however_late=True))


def _moved(changed: Delivery | None) -> Delivery:
    if changed is None:
        raise Refused("it has just changed; look again")
    return changed
