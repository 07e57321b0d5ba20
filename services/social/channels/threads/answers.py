"""Sorts what the Threads API answers into the outcomes of a delivery. Never quotes a request."""

from __future__ import annotations

from services.social.channels import meta
from services.social.channels.transport import Answer
from shared.delivery.errors import AuthDead, DeliveryError, OutcomeUnknown, TryAgain

NOT_PROPAGATED = 4_279_009
"""The container is made but not yet known everywhere: the same one can be published a little later."""
RESTRICTED = 4_279_013
ACTION_BLOCKED = 2_207_051
"""Called an error, yet such posts have been seen to be published afterwards."""

PROPAGATION_SECONDS = 30.0
"""What the documentation advises to wait between the two steps."""
BLOCKED_SECONDS = 3600.0
"""Asking sooner prolongs a block."""


def failure(answer: Answer, *, mutation: bool, one_post: bool = False) -> DeliveryError:
    """The outcome of an answer that is no success; see `channels.meta`."""
    said = meta.words(answer)
    found = {*meta.codes(answer)}
    if NOT_PROPAGATED in found:
        return TryAgain(said, PROPAGATION_SECONDS)
    if ACTION_BLOCKED in found:
        return OutcomeUnknown(said) if mutation else TryAgain(said)
    if RESTRICTED in found:
        return AuthDead(said)
    return meta.failure(answer, mutation=mutation, one_post=one_post, blocked=BLOCKED_SECONDS)
