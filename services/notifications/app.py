"""Composition root of the notifications service: the only file that names its concrete parts."""

from __future__ import annotations

from datetime import timedelta

import aiohttp

from services.notifications.api.campaigns import CampaignRoutes
from services.notifications.api.deliveries import DELIVERIES, TwoDesks
from services.notifications.api.subscribers import SubscriberRoutes
from services.notifications.api.subscriptions import SubscriptionRoutes
from services.notifications.api.webhooks import WebhookRoutes
from services.notifications.domain.links import Links
from services.notifications.handlers import Handlers
from services.notifications.mail import smtp
from services.notifications.mail.compose import Masthead
from services.notifications.mail.files import FileMailer
from services.notifications.mail.relay import Relay as MailRelay
from services.notifications.mail.smtp import SmtpMailer
from services.notifications.planning import Planning
from services.notifications.previews import Previews
from services.notifications.settings import NotificationsSettings
from services.notifications.store.alarms import Alarms
from services.notifications.store.campaigns import MAIL_DELIVERIES, Campaigns
from services.notifications.store.subscribers import Subscribers
from services.notifications.store.webhooks import Webhooks
from services.notifications.subscriptions import SUBSCRIPTIONS
from services.notifications.webhooks.sender import Sender
from services.notifications.worker.mail import Mailer, MailOutside
from services.notifications.worker.reckoning import Reckoner
from services.notifications.worker.webhooks import WebhookOutside
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

NAME = "notifications"


def build(settings: NotificationsSettings, database: Database, bus: Bus, clock: Clock) -> Service:
    """Wire the service; nothing runs until the host starts it."""
    publication = load_publication(settings.publication)
    keys = KeyRing(settings.secret_key.get_secret_value())
    links = Links(keys, settings.public_url)
    masthead = Masthead(
        publication.name, settings.mail_from, settings.bounce_address or settings.mail_from
    )
    policy = OutboundPolicy(settings.allow_private_hosts)
    own_session = LazySession(lambda: aiohttp.ClientSession(trust_env=False))
    guarded = LazySession(lambda: guarded_session(policy))

    subscribers = Subscribers(database, clock)
    campaigns = Campaigns(database, clock)
    webhooks = Webhooks(database, keys.vault("webhook secrets"), clock)
    held = HeldArticles(database["articles"])
    mail_deliveries, messages = database[MAIL_DELIVERIES], database["webhook_deliveries"]
    alarms = Alarms(database, clock, lambda collection, id: relay.wake(collection, id))
    relay = Relay(
        [held.collection, campaigns.collection, messages, alarms.collection],
        bus.publish,
        clock,
        linger_seconds=REPORTS_LINGER_SECONDS,
    )

    mailer: Mailer = FileMailer(settings.mail_dir or settings.data_dir / "mail")
    if settings.smtp_url:
        mailer = SmtpMailer(MailRelay.parse(settings.smtp_url.get_secret_value()), alarms.ring)
    sender = Sender(guarded, policy, clock)
    mail = Ledger(
        mail_deliveries,
        clock,
        lambda delivery: reckoner.note(delivery),
        relay.wake,
        lease_seconds=settings.lease_seconds or smtp.LEASE_SECONDS,
    )
    hooks = Ledger(
        messages,
        clock,
        lambda one: report_event(
            NAME, one.article_id, one.revision, [one.line()], clock, partial=True
        ),
        relay.wake,
        lease_seconds=settings.lease_seconds or LEASE_SECONDS,
    )
    mail_worker = Worker(
        mail,
        MailOutside(
            subscribers,
            held,
            mailer,
            OwnOrigin(own_session, public_url=settings.public_url, origin=settings.origin),
            clock,
            publication=publication,
            masthead=masthead,
            links=links,
            operator=settings.operator_email,
        ),
        clock,
        Slots(settings.mail_concurrency),
    )
    hook_worker = Worker(
        hooks,
        WebhookOutside(webhooks, held, sender, alarms.ring, clock),
        clock,
        Slots(settings.webhook_concurrency),
    )
    planning = Planning(
        held,
        campaigns,
        subscribers,
        webhooks,
        mail=mail,
        hooks=hooks,
        clock=clock,
        lateness=timedelta(hours=settings.alert_lateness_hours),
        wake_mail=mail_worker.wake,
        wake_hooks=hook_worker.wake,
    )
    previews = Previews(
        campaigns,
        subscribers,
        webhooks,
        masthead=masthead,
        links=links,
        lateness=timedelta(hours=settings.alert_lateness_hours),
    )
    reckoner = Reckoner(NAME, campaigns, planning.follow_up, clock, relay.wake)
    reckoning = Loop("campaigns", reckoner.step)
    reckoner.wake = reckoning.wake
    revocations = Revocations(database["revoked_tokens"], clock)
    handlers = Handlers(
        ArticleIntake(NAME, held, planning.apply, clock, relay.wake, revocations.add),
        mail,
        mail_worker.wake,
        mail_operator=settings.operator_email is not None,
    )

    async def prepare() -> None:
        for part in (subscribers, campaigns, webhooks, held, mail, hooks, alarms, revocations):
            await part.declare()

    async def close() -> None:
        await mailer.close()
        for session in (own_session, guarded):
            await session.close()

    desk = TwoDesks(Desk(mail, mail_worker.wake), Desk(hooks, hook_worker.wake))
    return Service(
        name=NAME,
        database=database,
        routes=[
            *SubscriptionRoutes(
                subscribers, mail, links, clock, publication, mail_worker.wake
            ).routes(),
            *SubscriberRoutes(subscribers, publication.language).routes(),
            *CampaignRoutes(campaigns).routes(),
            *WebhookRoutes(webhooks, sender, policy, clock).routes(),
            *DeliveryRoutes(
                "/api/v1/notifications/deliveries", desk, DELIVERIES, "notification_delivery"
            ).routes(),
            preview_route(NAME, previews.show),
        ],
        subscriptions=[(subscription, handlers.handle) for subscription in SUBSCRIPTIONS],
        background=[mail_worker, hook_worker, reckoning, relay],
        prepare=prepare,
        close=close,
    )
