"""Composition root of the social service: the only file that names its concrete parts."""

from __future__ import annotations

from datetime import timedelta

import aiohttp

from services.social.api.channel_operations import DELIVERIES
from services.social.api.channels import ChannelRoutes
from services.social.api.connecting import ConnectingRoutes
from services.social.api.policies import PolicyRoutes
from services.social.cards import Cards
from services.social.changes import Changes
from services.social.channels import discover
from services.social.handlers import Planning
from services.social.oauth.alerts import Alerts
from services.social.oauth.apps import Apps
from services.social.oauth.asking import Asking
from services.social.oauth.connecting import Connecting
from services.social.oauth.consents import Consents
from services.social.oauth.renewing import Renewals
from services.social.oauth.store import Credentials
from services.social.previews import Previews
from services.social.reaction.allowance import Allowances
from services.social.reaction.reader import Reader
from services.social.reaction.reports import Reports
from services.social.reaction.store import Readings
from services.social.settings import SocialSettings
from services.social.standing import Standings
from services.social.store import Accounts
from services.social.subscriptions import SUBSCRIPTIONS
from services.social.worker import SocialOutside
from shared.cards.typefaces import require
from shared.delivery.desk import Desk
from shared.delivery.intake import ArticleIntake, report_event
from shared.delivery.ledger import LEASE_SECONDS, Ledger
from shared.delivery.own_origin import OwnOrigin
from shared.delivery.slots import Slots
from shared.delivery.worker import Worker
from shared.messaging.bus import Bus
from shared.runtime.clock import Clock
from shared.runtime.keys import KeyRing
from shared.runtime.loops import Loop
from shared.runtime.publication import load_publication
from shared.storage.client import Database
from shared.storage.held import HeldArticles
from shared.storage.outbox import REPORTS_LINGER_SECONDS, Relay
from shared.web.deliveries import DeliveryRoutes
from shared.web.hosting import Service
from shared.web.identity import Revocations
from shared.web.outbound import LazySession, OutboundPolicy, guarded_session
from shared.web.previews import preview_route

NAME = "social"


def build(settings: SocialSettings, database: Database, bus: Bus, clock: Clock) -> Service:
    """Wire the service; nothing runs until the host starts it."""
    require()
    keys = KeyRing(settings.secret_key.get_secret_value())
    policy = OutboundPolicy(settings.allow_private_hosts)
    own_session = LazySession(lambda: aiohttp.ClientSession(trust_env=False))
    network_session = LazySession(lambda: guarded_session(policy))

    vault = keys.vault("channel credentials")
    accounts = Accounts(database, vault, clock)
    credentials = Credentials(accounts, vault, clock)
    apps = Apps(database, keys.vault("channel apps"), clock)
    held = HeldArticles(database["articles"])
    deliveries = database["deliveries"]
    relay = Relay(
        [
            held.collection,
            deliveries,
            accounts.collection,
            database["readings"],
            database["standings"],
        ],
        bus.publish,
        clock,
        linger_seconds=REPORTS_LINGER_SECONDS,
    )
    ledger = Ledger(
        deliveries,
        clock,
        lambda delivery: report_event(
            NAME, delivery.article_id, delivery.revision, [delivery.line()], clock, partial=True
        ),
        relay.wake,
        lease_seconds=settings.lease_seconds or LEASE_SECONDS,
    )
    own = OwnOrigin(own_session, public_url=settings.public_url, origin=settings.origin)
    cards = Cards(load_publication(settings.publication), settings.public_url, own.rendition)
    alerts = Alerts(accounts, clock, relay.wake)
    standings = Standings(database, clock, alerts, ledger.hasten, relay.wake)
    ask = Asking(network_session)
    renewals = Renewals(credentials, apps, alerts, ask, discover, clock)
    consents = Consents(database, keys.vault("channel consents"), clock)
    connecting = Connecting(
        accounts, credentials, apps, consents, ask, discover, public_url=settings.public_url
    )
    readings = Readings(database, clock)
    outside = SocialOutside(
        accounts,
        held,
        network_session,
        clock,
        own=own,
        cards=cards,
        alerts=alerts,
        renewals=renewals,
        changes=Changes(accounts, alerts, ledger, readings.enrol),
        standings=standings,
    )
    slots = Slots(
        settings.social_concurrency,
        express=settings.social_express_concurrency,
        per_outlet=settings.social_account_concurrency,
    )
    worker = Worker(ledger, outside, clock, slots)
    lateness = timedelta(hours=settings.social_lateness_hours)
    planning = Planning(ledger, accounts, lateness, worker.wake, readings.enrol)
    reader = Reader(
        readings,
        Allowances(database, clock),
        ledger,
        accounts,
        outside,
        Reports(alerts, clock, relay.wake),
        clock,
        ceiling=settings.social_reads_per_day,
    )
    previews = Previews(ledger, accounts, outside.channel, lateness, cards)
    revocations = Revocations(database["revoked_tokens"], clock)
    intake = ArticleIntake(NAME, held, planning.apply, clock, relay.wake, revocations.add)

    async def prepare() -> None:
        for part in (
            accounts,
            standings,
            credentials,
            consents,
            held,
            ledger,
            readings,
            revocations,
        ):
            await part.declare()

    async def close() -> None:
        await own_session.close()
        await network_session.close()

    return Service(
        name=NAME,
        database=database,
        routes=[
            *ConnectingRoutes(connecting, accounts, outside, policy, worker.wake).routes(),
            *ChannelRoutes(
                accounts, credentials, outside, policy, worker.wake, standings, clock
            ).routes(),
            *PolicyRoutes(accounts).routes(),
            *DeliveryRoutes("/api/v1/deliveries", Desk(ledger, worker.wake), DELIVERIES).routes(),
            preview_route(NAME, previews.show),
        ],
        subscriptions=[(subscription, intake.handle) for subscription in SUBSCRIPTIONS],
        background=[
            worker,
            Loop("credentials", renewals.step),
            Loop("reaction", reader.step),
            relay,
        ],
        prepare=prepare,
        close=close,
    )
