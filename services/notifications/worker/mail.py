"""The mail side of the delivery worker: who is written to, whether they still want it, and what it says."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from services.notifications.domain.campaigns import ALERTS, CONFIRMATION, OPERATOR, OUTLET, Kind
from services.notifications.domain.links import ConfirmLink, LeaveLink, Links
from services.notifications.domain.subscribers import Standing, Subscriber
from services.notifications.mail import letters
from services.notifications.mail.compose import Envelope, Masthead, compose
from services.notifications.store.subscribers import Subscribers
from shared.contracts.articles import Article, Status
from shared.contracts.outlets import DeliveryState, OperatorAlert
from shared.delivery.errors import GiveUp, TryAgain
from shared.delivery.model import LANES, Delivery, Document, Lanes
from shared.delivery.outside import Composed, Drop, Go, Hold, Verdict
from shared.delivery.own_origin import OwnOrigin
from shared.runtime.clock import Clock
from shared.runtime.publication import Publication
from shared.storage.held import HeldArticles

log = structlog.get_logger(__name__)

NOT_LIVE_SECONDS = 0.2
HARMLESS_REPEATS = 3
"""Copies of a mail whose loss is worse than its repetition that may go out while in doubt."""
KEPT_LIVE = 256


class Mailer(Protocol):
    """SMTP or files."""

    idempotent: bool

    async def send(self, envelope: Envelope) -> str:
        """What the other side said. Raises `TryAgain`, `GiveUp` or `OutcomeUnknown`."""

    async def close(self) -> None: ...


class MailOutside:
    """Implements `shared.delivery.outside.Outside` for the outlet `email`."""

    def __init__(
        self,
        subscribers: Subscribers,
        held: HeldArticles,
        mailer: Mailer,
        own: OwnOrigin,
        clock: Clock,
        *,
        publication: Publication,
        masthead: Masthead,
        links: Links,
        operator: str | None,
    ) -> None:
        self._subscribers = subscribers
        self._held = held
        self._mailer = mailer
        self._own = own
        self._clock = clock
        self._publication = publication
        self._masthead = masthead
        self._links = links
        self._operator = operator
        self._live: dict[tuple[str, int], None] = {}
        self._quiet_until: datetime | None = None

    async def admit(self, delivery: Delivery) -> Verdict:
        return Go()

    async def ready(self, delivery: Delivery) -> Verdict:
        """An alert waits until readers who follow its link find the page."""
        if delivery.subject["kind"] != Kind.ALERT.value:
            return Go()
        article = await self._article(delivery)
        if article.status is not Status.PUBLISHED:
            return Drop(DeliveryState.CANCELLED, f"the article was {article.status.value} first")
        key = article.id, article.revision
        if key not in self._live:
            if not await self._own.is_live(article):
                return Hold(NOT_LIVE_SECONDS, "the article's page does not answer 200 yet")
            while len(self._live) >= KEPT_LIVE:
                self._live.pop(next(iter(self._live)))
            self._live[key] = None
        return Go()

    async def guard(self, delivery: Delivery) -> Verdict:
        kind = delivery.subject["kind"]
        if kind == OPERATOR:
            return Go()
        if kind == CONFIRMATION:
            person = await self._person(delivery)
            if person is None or person.status is Standing.CONFIRMED:
                return Drop(DeliveryState.CANCELLED, "nothing is left to confirm")
            return Go()
        person, article = await asyncio.gather(self._person(delivery), self._article(delivery))
        if person is None or not person.takes(ALERTS):
            return Drop(DeliveryState.CANCELLED, "unsubscribed first")
        expected = Status.RETRACTED if kind == Kind.RETRACTION.value else Status.PUBLISHED
        overtaken = kind == Kind.ALERT.value and article.publication != delivery.publication
        if article.status is not expected or overtaken:
            return Drop(DeliveryState.CANCELLED, f"the article was {article.status.value} first")
        embargo = article.embargo_until
        if kind == Kind.ALERT.value and embargo and embargo > self._clock.now():
            return Hold((embargo - self._clock.now()).total_seconds(), "under embargo")
        return Go()

    async def compose(self, delivery: Delivery, previous: Document | None) -> Composed:
        subject = delivery.subject
        dated: datetime = subject["dated"]
        if subject["kind"] == OPERATOR:
            if self._operator is None:
                raise GiveUp("no operator's address is set any more")
            report = OperatorAlert.read(subject["alert"])
            letter = letters.operator_alert(report, self._publication.language)
            return self._composed(letter, self._operator, delivery, 1, 0)
        if subject["kind"] == CONFIRMATION:
            person = await self._person(delivery)
            if person is None:
                raise GiveUp("the address was deleted first")
            url = self._links.confirm_url(ConfirmLink(person.id, dated))
            letter = letters.confirmation(self._publication.name, person.language, url)
            return self._composed(letter, person.email, delivery, 1, 0)
        person, article = await asyncio.gather(self._person(delivery), self._article(delivery))
        if person is None:
            raise GiveUp("the subscriber was deleted first")
        leave = self._links.leave_url(LeaveLink(person.id, ALERTS))
        told = len(article.corrections)
        return self._composed(
            letter_for(subject["kind"], subject["number"], article),
            person.email,
            delivery,
            article.revision,
            told,
            leave,
        )

    async def send(self, delivery: Delivery, previous: Document | None) -> Document | None:
        payload = delivery.payload or {}
        corrections = payload["corrections"]
        envelope = Envelope(**{name: payload[name] for name in Envelope.__annotations__})
        reply = await self._mailer.send(envelope)
        return {
            "remote_id": envelope.message_id,
            "url": None,
            "reply": reply,
            "corrections": corrections,
        }

    async def find(self, delivery: Delivery, previous: Document | None) -> Document | None:
        raise GiveUp("a mail cannot be looked up")

    def idempotent(self, delivery: Delivery) -> bool:
        """Files are; by SMTP only mails whose loss is worse than a second, identical copy."""
        harmless = delivery.subject["kind"] in {CONFIRMATION, OPERATOR}
        return self._mailer.idempotent or (harmless and delivery.attempts < HARMLESS_REPEATS)

    def can_find(self, delivery: Delivery) -> bool:
        return False

    async def throttled(self, delivery: Delivery, seconds: float, reason: str) -> None:
        """The relay cannot be used or wants us slower: no mail at all for a while."""
        self._quiet_until = self._clock.now() + timedelta(seconds=seconds)
        log.info("mail pauses", seconds=seconds, reason=reason)

    async def auth_dead(self, delivery: Delivery, reason: str) -> None:
        """Mailers have no account of their own to pause; trouble with the relay's is `TryAgain`."""

    async def blocked(self) -> Lanes:
        quiet = self._quiet_until is not None and self._quiet_until > self._clock.now()
        return dict.fromkeys(LANES, (OUTLET,) if quiet else ())

    def _composed(
        self,
        letter: letters.Letter,
        recipient: str,
        delivery: Delivery,
        revision: int,
        corrections: int,
        leave_url: str | None = None,
    ) -> Composed:
        envelope = compose(
            letter,
            self._masthead,
            recipient=recipient,
            key=delivery.id,
            dated=delivery.subject["dated"],
            list_name=ALERTS if leave_url else None,
            leave_url=leave_url,
        )
        return Composed({**asdict(envelope), "corrections": corrections}, revision)

    async def _person(self, delivery: Delivery) -> Subscriber | None:
        return await self._subscribers.get(delivery.subject["recipient"])

    async def _article(self, delivery: Delivery) -> Article:
        held = await self._held.get(delivery.article_id)
        if held is None:
            raise TryAgain("the article is not here yet", after=0.5)
        return held.article


def letter_for(kind: str, number: int, article: Article) -> letters.Letter:
    """What a campaign's mail says. Raises `GiveUp` when there is nothing left to say."""
    if kind == Kind.ALERT.value:
        return letters.alert(article)
    if kind == Kind.RETRACTION.value:
        return letters.retraction(article)
    if number > len(article.corrections):
        raise GiveUp("the correction was taken back")
    return letters.correction(article, number)
