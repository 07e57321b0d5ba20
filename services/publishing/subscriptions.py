"""The queues of the publishing service, as data."""

from __future__ import annotations

from shared.messaging.bus import Subscription

OUTLETS = Subscription("publishing.outlets", ("outlet.reported.#", "identity.*"))

SUBSCRIPTIONS = (OUTLETS,)
