"""The webhook side of the delivery worker: one signed message for each revision and partner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from services.notifications.domain.webhooks import PUBLISHED, UPDATED, message_id
from services.notifications.store.webhooks import Webhooks
from services.notifications.webhooks.answers import Gone, failed, judged
from services.notifications.webhooks.sender import NoAnswer, NotSent, Sender, message
from shared.contracts.articles import Status
from shared.contracts.outlets import DeliveryState
from shared.delivery.errors import AuthDead, GiveUp
from shared.delivery.model import LANES, Delivery, Document, Lanes
from shared.delivery.outside import Composed, Drop, Go, Verdict
from shared.runtime.clock import Clock
from shared.storage.held import HeldArticles

log = structlog.get_logger(__name__)

Alarm = Callable[[str, str, str], Awaitable[None]]


class WebhookOutside:
    """Implements `shared.delivery.outside.Outside` for the outlets `webhook/<name>`."""

    def __init__(
        self,
        webhooks: Webhooks,
        held: HeldArticles,
        sender: Sender,
        alarm: Alarm,
        clock: Clock,
    ) -> None:
        self._webhooks = webhooks
        self._held = held
        self._sender = sender
        self._alarm = alarm
        self._clock = clock
        self._quiet: dict[str, datetime] = {}

    async def admit(self, delivery: Delivery) -> Verdict:
        return Go()

    async def ready(self, delivery: Delivery) -> Verdict:
        return Go()

    async def guard(self, delivery: Delivery) -> Verdict:
        webhook = await self._webhooks.get(delivery.subject["webhook"])
        if webhook is None:
            return Drop(DeliveryState.CANCELLED, "the webhook was removed first")
        if not webhook.enabled:
            return Drop(DeliveryState.CANCELLED, f"the webhook is off: {webhook.disabled_reason}")
        if delivery.subject["type"] in {PUBLISHED, UPDATED}:
            held = await self._held.get(delivery.article_id)
            if held and held.article.status is not Status.PUBLISHED:
                status = held.article.status.value
                return Drop(DeliveryState.CANCELLED, f"the article was {status} first")
        return Go()

    async def compose(self, delivery: Delivery, previous: Document | None) -> Composed:
        """The snapshot as it was planned: a later revision is a message of its own."""
        subject = delivery.subject
        body = message(subject["type"], subject["timestamp"], subject["data"])
        return Composed({"id": message_id(delivery.id), "body": body}, delivery.revision)

    async def send(self, delivery: Delivery, previous: Document | None) -> Document | None:
        payload = delivery.payload or {}
        webhook_id = delivery.subject["webhook"]
        webhook = await self._webhooks.get(webhook_id)
        try:
            secret = await self._webhooks.secret(webhook_id)
        except ValueError as error:
            raise AuthDead(str(error)) from error
        if webhook is None or secret is None:
            raise GiveUp("the webhook was removed first")
        in_doubt = delivery.state is DeliveryState.UNKNOWN
        attempts = max(delivery.attempts, 1) + in_doubt
        try:
            answer = await self._sender.post(webhook.url, secret, payload["id"], payload["body"])
        except NotSent as error:
            if error.forbidden:
                raise GiveUp(f"the address is not allowed: {error}") from error
            raise failed(
                str(error), attempts=attempts, uncertain=False, in_doubt=in_doubt
            ) from error
        except NoAnswer as error:
            raise failed(
                str(error), attempts=attempts, uncertain=True, in_doubt=in_doubt
            ) from error
        problem = judged(
            answer.status, answer.headers, self._clock.now(), attempts=attempts, in_doubt=in_doubt
        )
        if isinstance(problem, Gone):
            await self._webhooks.disable(webhook_id, problem.reason)
            await self._alarm(
                f"webhook-gone:{webhook.name}",
                f"The webhook {webhook.name} was switched off",
                f"{webhook.url}: {problem.reason}.",
            )
        if problem is not None:
            raise problem
        return {"remote_id": payload["id"], "url": None, "status": answer.status}

    async def find(self, delivery: Delivery, previous: Document | None) -> Document | None:
        raise GiveUp("a message cannot be looked up at its receiver")

    def idempotent(self, delivery: Delivery) -> bool:
        """The receiver knows the message by its `webhook-id`, the same on every attempt."""
        return True

    def can_find(self, delivery: Delivery) -> bool:
        return False

    async def throttled(self, delivery: Delivery, seconds: float, reason: str) -> None:
        """The receiver asked for less: every message to it waits, not only this one."""
        self._quiet[delivery.outlet] = self._clock.now() + timedelta(seconds=seconds)
        log.info("webhook pauses", outlet=delivery.outlet, seconds=seconds, reason=reason)

    async def auth_dead(self, delivery: Delivery, reason: str) -> None:
        await self._alarm(
            f"webhook-secret:{delivery.outlet}", f"{delivery.outlet} cannot be signed", reason
        )

    async def blocked(self) -> Lanes:
        now = self._clock.now()
        self._quiet = {outlet: until for outlet, until in self._quiet.items() if until > now}
        return dict.fromkeys(LANES, tuple(self._quiet))
