"""Sorts what the Graph API answers about a Page into the outcomes of a delivery. Never quotes a request."""

from __future__ import annotations

from services.social.channels import meta
from services.social.channels.transport import Answer
from shared.delivery.errors import DeliveryError, TryAgain

DUPLICATE = frozenset({506, 1_366_051})
NOT_SCRAPED = 1_609_005
"""Facebook could not read our page just now; nothing was posted."""

BLOCKED_SECONDS = 7200.0
SCRAPE_SECONDS = 60.0


def duplicate(answer: Answer) -> bool:
    """Whether the network takes a post for a repetition."""
    return bool({*meta.codes(answer)} & DUPLICATE)


def failure(answer: Answer, *, mutation: bool, one_post: bool = False) -> DeliveryError:
    """The outcome of an answer that is no success; see `channels.meta`."""
    if NOT_SCRAPED in meta.codes(answer):
        return TryAgain(meta.words(answer), SCRAPE_SECONDS)
    return meta.failure(answer, mutation=mutation, one_post=one_post, blocked=BLOCKED_SECONDS)
