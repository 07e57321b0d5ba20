"""The social side of the delivery worker: accounts, guards, and the channels that do the work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import structlog
from pydantic import BaseModel

from services.social.admission import Admission
from services.social.cards import Cards
from services.social.changes import (
    Changes,
    able,
    creates,
    frozen,
    intent,
    new_post,
    posted_of,
    remembered,
    way_of,
)
from services.social.channels import discover
from services.social.channels.base import Channel
from services.social.domain.errors import NoSuchAccount
from services.social.domain.policy import Choice, Manner
from services.social.domain.spending import Price
from services.social.domain.standing import Ask
from services.social.oauth.alerts import Alerts
from services.social.oauth.renewing import Renewals
from services.social.standing import Standings
from services.social.store import Accounts, scopes
from shared.contracts.articles import Article, Status
from shared.contracts.outlets import DeliveryState, Operation
from shared.delivery.errors import AuthDead, DeliveryError, GiveUp, TryAgain
from shared.delivery.model import SEEN_BY_A_PERSON, Delivery, Document, Lanes
from shared.delivery.outside import Composed, Drop, Go, Hold, Leave, Task, Verdict
from shared.delivery.own_origin import OwnOrigin
from shared.runtime.clock import Clock
from shared.storage.held import HeldArticles

log = structlog.get_logger(__name__)


class SocialOutside:
    """Implements `shared.delivery.outside.Outside` over connected accounts."""

    def __init__(
        self,
        accounts: Accounts,
        held: HeldArticles,
        session: Callable[[], aiohttp.ClientSession],
        clock: Clock,
        *,
        own: OwnOrigin,
        cards: Cards,
        alerts: Alerts,
        renewals: Renewals,
        changes: Changes,
        standings: Standings,
    ) -> None:
        self._accounts = accounts
        self._held = held
        self._session = session
        self._clock = clock
        self._own = own
        self._cards = cards
        self._alerts = alerts
        self._renewals = renewals
        self._changes = changes
        self._standings = standings
        self._admission = Admission(accounts, standings, clock)
        self._channels: dict[str, tuple[BaseModel, Channel]] = {}

    async def admit(self, delivery: Delivery) -> Verdict:
        return await self._admission.verdict(delivery)

    async def ready(self, delivery: Delivery) -> Verdict:
        """A post waits until readers who follow its link find the page."""
        if delivery.operation is not Operation.POST:
            return Go()
        article = await self._article(delivery)
        if article.status is not Status.PUBLISHED:
            return Drop(DeliveryState.CANCELLED, f"the article was {article.status.value} first")
        if await self._own.is_live(article):
            return Go()
        return Hold(5.0, "the article's page does not answer 200 yet")

    async def guard(self, delivery: Delivery) -> Verdict:
        account_id = delivery.outlet.removeprefix("social/")
        pause, article = await asyncio.gather(
            self._accounts.pause_for(scopes(account_id, delivery.article_id)),
            self._article(delivery),
        )
        # A deletion that makes room for a new post is no withdrawal.
        withdraws = delivery.operation is Operation.DELETE and not delivery.step
        if not withdraws and (
            article.status is not Status.PUBLISHED or article.publication != delivery.publication
        ):
            return Drop(DeliveryState.CANCELLED, f"the article was {article.status.value} first")
        if pause is not None:
            return Hold(5.0, f"paused ({pause.scope}): {pause.reason}")
        embargo = article.embargo_until
        if not withdraws and embargo and embargo > self._clock.now():
            return Hold((embargo - self._clock.now()).total_seconds(), "under embargo")
        return Go()

    async def compose(
        self, delivery: Delivery, previous: Document | None
    ) -> Composed | Leave | Task:
        article, choice = await self._article(delivery), None
        if delivery.operation is not Operation.POST:
            decided = await self._changes.decide(delivery, article, previous)
            if not isinstance(decided, Choice):
                return decided
            choice = decided
        now = self._clock.now()
        cards = {} if choice else self._cards.of(article)
        wanted = intent(delivery.id, delivery.operation, article, now, previous, choice, cards)
        try:
            async with self._channel(delivery) as channel:
                body = await channel.compose(wanted)
        except DeliveryError as error:
            account_id = delivery.outlet.removeprefix("social/")
            await self._standings.failed(account_id, Ask.of(delivery), error)
            raise
        return Leave() if body is None else frozen(delivery, article, body, choice)

    async def send(self, delivery: Delivery, previous: Document | None) -> Document | None:
        payload = delivery.payload or {}
        posted, way = posted_of(previous), way_of(delivery)
        if way is Manner.REPOST and posted is not None:
            return await self._changes.repost(delivery, posted)
        account_id = delivery.outlet.removeprefix("social/")
        async with self._channel(delivery) as channel:
            ask = Ask.of(delivery, self._price(delivery, way))
            async with self._standings.under_way(account_id, ask, lambda: channel.budget):
                if way is None:
                    result = new_post(delivery, posted, await channel.post(payload["body"]))
                elif posted is None or posted.remote_id == SEEN_BY_A_PERSON:
                    raise GiveUp("nothing is known of the post to change")
                elif way is Manner.DELETE:
                    await channel.delete(posted)
                    result = posted
                else:
                    result = await channel.edit(payload["body"], posted)
        return remembered(result, payload)

    async def find(self, delivery: Delivery, previous: Document | None) -> Document | None:
        """An edit of the post itself and a deletion make nothing: they may always begin anew."""
        if not creates(delivery):
            return None
        payload = delivery.payload or {}
        posted = posted_of(previous)
        async with self._channel(delivery) as channel:
            found = await channel.find(payload["body"])
            if found is None:
                return None
            if delivery.operation is Operation.POST:
                found = new_post(delivery, posted, found)
            elif posted is not None:
                # It is there, so this makes nothing, and tells what the thread is now.
                found = await channel.edit(payload["body"], posted)
        return remembered(found, payload)

    def idempotent(self, delivery: Delivery) -> bool:
        if not creates(delivery):
            return True  # deleting and setting the same text twice is doing it once
        network = able(delivery)
        if network.idempotent and network.idempotent_seconds is not None and delivery.armed_at:
            age = (self._clock.now() - delivery.armed_at).total_seconds()
            return age < network.idempotent_seconds
        return network.idempotent

    def can_find(self, delivery: Delivery) -> bool:
        return able(delivery).lookup or not creates(delivery)

    async def throttled(self, delivery: Delivery, seconds: float, reason: str) -> None:
        until = self._clock.now() + timedelta(seconds=seconds)
        await self._accounts.quiet(delivery.outlet.removeprefix("social/"), until)
        self._admission.forget()
        log.info("account throttled", outlet=delivery.outlet, seconds=seconds, reason=reason)

    async def auth_dead(self, delivery: Delivery, reason: str) -> None:
        account_id = delivery.outlet.removeprefix("social/")
        self._channels.pop(account_id, None)
        self._admission.forget()
        await self._alerts.dead(account_id, reason, article_id=delivery.article_id)

    async def blocked(self) -> Lanes:
        return await self._admission.blocked()

    def forget(self, account_id: str) -> None:
        """Drop what is cached of an account whose settings or pauses changed."""
        self._channels.pop(account_id, None)
        self._admission.forget()

    async def channel(self, account_id: str) -> Channel:
        """The account's channel, built once for its settings. Raises `NoSuchAccount` or ValueError.

        The settings are read each time, because another replica may have replaced or removed them.
        """
        return (await self._versioned(account_id))[0]

    async def _versioned(self, account_id: str) -> tuple[Channel, int]:
        spec = discover()[account_id.partition("/")[0]]
        opened, version = await self._accounts.opened(account_id)
        settings = spec.settings.model_validate(opened)
        built_from, channel = self._channels.get(account_id, (None, None))
        if channel is None or built_from != settings:
            channel = spec.build(settings, self._session(), self._cards.fetch)
            self._channels[account_id] = (settings, channel)
        return channel, version

    @asynccontextmanager
    async def _channel(self, delivery: Delivery) -> AsyncIterator[Channel]:
        """The account's channel for a few calls; credentials that these find dead are renewed, if they can be."""
        account_id = delivery.outlet.removeprefix("social/")
        try:
            channel, version = await self._versioned(account_id)
        except NoSuchAccount as error:
            raise GiveUp("the account has been removed") from error
        except ValueError as error:
            raise AuthDead(str(error)) from error
        try:
            yield channel
        except AuthDead as error:
            raise await self._renewals.instead(account_id, version, error) from error

    async def _article(self, delivery: Delivery) -> Article:
        held = await self._held.get(delivery.article_id)
        if held is None:
            raise TryAgain("the article is not here yet", after=0.5)
        return held.article

    def _price(self, delivery: Delivery, way: Manner | None) -> Price:
        """For the settings that its channel was just built from; a notice of a retraction costs a post."""
        settings, _ = self._channels[delivery.outlet.removeprefix("social/")]
        operation = Operation.DELETE if way is Manner.DELETE else Operation.POST
        body = (delivery.payload or {})["body"]
        return discover()[delivery.outlet.split("/")[1]].price(settings, operation, body)
