"""Sorts what Instagram's Graph API answers into the outcomes of a delivery. Never quotes a request."""

from __future__ import annotations

from services.social.channels import meta
from services.social.channels.transport import Answer
from shared.delivery.errors import AuthDead, DeliveryError, OutcomeUnknown, TryAgain

ACTION_BLOCKED = 2_207_051
"""Called an error, yet such a picture has been seen to be published afterwards."""
QUOTA = 2_207_042
"""The account's publications of 24 hours are used up."""
RESTRICTED = 2_207_050
NOT_FETCHED = frozenset({2_207_003, 2_207_052, 2_207_053})
"""Instagram could not read our picture just now."""
NOT_READY = 2_207_027
CONTAINER_GONE = frozenset({2_207_008, 2_207_020})

QUOTA_SECONDS = 3600.0
FETCH_SECONDS = 60.0
READY_SECONDS = 5.0
BLOCKED_SECONDS = 7200.0


def failure(answer: Answer, *, mutation: bool, one_post: bool = False) -> DeliveryError:
    """The outcome of an answer that is no success; see `channels.meta`."""
    said = meta.words(answer)
    code, subcode = meta.codes(answer)
    if ACTION_BLOCKED in {code, subcode}:
        return OutcomeUnknown(said) if mutation else TryAgain(said)
    if subcode in CONTAINER_GONE:
        return TryAgain(said, 1.0)
    if subcode == NOT_READY:
        return TryAgain(said, READY_SECONDS)
    if subcode in NOT_FETCHED:
        return TryAgain(said, FETCH_SECONDS)
    if subcode == QUOTA:
        return TryAgain(said, QUOTA_SECONDS, whole_account=True)
    if subcode == RESTRICTED:
        return AuthDead(said)
    return meta.failure(answer, mutation=mutation, one_post=one_post, blocked=BLOCKED_SECONDS)
