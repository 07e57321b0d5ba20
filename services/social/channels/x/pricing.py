"""What X charges for one call, by the account's own figures. Never counts the reads of a look-up, which cost little."""

from __future__ import annotations

from pydantic import BaseModel

from services.social.channels.base import Payload
from services.social.channels.x.addresses import addresses
from services.social.channels.x.settings import XSettings
from services.social.domain.spending import MICROS, Price
from shared.contracts.outlets import Operation


def price(settings: BaseModel, operation: Operation, payload: Payload) -> Price:
    """A post is dearer where the network sees an address in it; corrections are posts too."""
    paid = XSettings.model_validate(settings)
    if operation is Operation.DELETE:
        usd = paid.deletion_cost_usd
    else:
        text = str(payload["text"])
        # In doubt, such as for an address without a name, rather too dear than over the limit.
        linked = "://" in text or bool(addresses(text))
        usd = paid.link_post_cost_usd if linked else paid.post_cost_usd
    limit = paid.monthly_limit_usd
    return Price(round(usd * MICROS), None if limit is None else round(limit * MICROS))
