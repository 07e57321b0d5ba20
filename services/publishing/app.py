"""The composition root of publishing: the only file that names concrete adapters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import aiohttp
from aiohttp import web

from services.publishing.api import (
    acts,
    articles,
    authors,
    autosaves,
    board,
    calendar,
    checklist,
    history,
    imports,
    locks,
    media,
    own_account,
    people,
    previews,
    reference,
    revisions,
    sections,
    sessions,
    tokens,
    trash,
)
from services.publishing.api.inbound import InboundRoutes, fetching
from services.publishing.api.streams import Streams
from services.publishing.asking import Asker
from services.publishing.domain.passwords import Passwords
from services.publishing.handlers import Handlers
from services.publishing.repair import Repair
from services.publishing.scheduler import Scheduler
from services.publishing.settings import PublishingSettings
from services.publishing.store.articles import ArticleStore
from services.publishing.store.authors import AuthorStore
from services.publishing.store.autosaves import AutosaveStore
from services.publishing.store.board import BoardStore
from services.publishing.store.desk import DeskStore
from services.publishing.store.figures import FigureStore
from services.publishing.store.inbound import InboundStore
from services.publishing.store.locks import LockStore
from services.publishing.store.people import PersonStore, declare_people
from services.publishing.store.pictures import PictureStore
from services.publishing.store.records import RecordStore
from services.publishing.store.repairs import RepairStore
from services.publishing.store.slugs import SlugStore
from services.publishing.store.throttle import ThrottleStore
from services.publishing.store.tokens import TokenStore
from services.publishing.store.trash import TrashStore
from services.publishing.subscriptions import OUTLETS
from services.publishing.usecases.front_desk import FrontDesk
from services.publishing.usecases.pictures import Darkroom
from services.publishing.usecases.ports import Newsroom
from shared.messaging.bus import Bus
from shared.runtime.clock import Clock
from shared.runtime.ids import new_id
from shared.runtime.keys import KeyRing
from shared.runtime.loops import Loop
from shared.runtime.publication import load_publication
from shared.storage.client import Database
from shared.storage.outbox import Relay
from shared.web.hosting import Service
from shared.web.identity import Identities, Revocations
from shared.web.outbound import LazySession, OutboundPolicy, guarded_session


def front_desk(
    settings: PublishingSettings, database: Database, clock: Clock, relay: Relay | None = None
) -> FrontDesk:
    """People and tokens on their own, as the command line uses them.

    Without a relay, a revocation's event waits in its document for the running service's poll.
    """
    keys = KeyRing(settings.secret_key.get_secret_value())
    return FrontDesk(
        people=PersonStore(database),
        tokens=TokenStore(database, lambda id: relay.wake("tokens", id) if relay else None),
        throttle=ThrottleStore(database),
        records=RecordStore(database),
        passwords=Passwords(),
        identities=Identities(keys, clock),
        vault=keys.vault("totp"),
        clock=clock,
        make_id=new_id,
        session_lifetime=timedelta(hours=settings.session_hours),
    )


def newsroom(
    settings: PublishingSettings, database: Database, clock: Clock, wake: Callable[[str], None]
) -> Newsroom:
    """What the acts on articles stand on. Reads `publication.toml`."""
    return Newsroom(
        articles=ArticleStore(database),
        trash=TrashStore(database),
        slugs=SlugStore(database),
        records=RecordStore(database),
        pictures=PictureStore(database),
        authors=AuthorStore(database),
        publication=load_publication(settings.publication),
        public_url=settings.public_url,
        expected_services=settings.expected_services,
        clock=clock,
        make_id=new_id,
        wake=wake,
        schedule_lateness=timedelta(minutes=settings.schedule_lateness_minutes),
        second_person_retracts=settings.retraction_second_person,
    )


def build(settings: PublishingSettings, database: Database, bus: Bus, clock: Clock) -> Service:
    """Wire the service."""
    public_url = settings.public_url
    store, lines = ArticleStore(database), BoardStore(database)
    lists, binned = DeskStore(database, public_url), TrashStore(database)
    held, typed = LockStore(database), AutosaveStore(database)
    records, pictures = RecordStore(database), PictureStore(database)
    relay = Relay([store.collection, database["tokens"]], bus.publish, clock)
    desk = front_desk(settings, database, clock, relay)
    revocations = Revocations(database["revoked_tokens"], clock)

    def wake(article_id: str) -> None:
        relay.wake("articles", article_id)

    room = newsroom(settings, database, clock, wake)
    figures = FigureStore(database)
    streams = Streams(lines)
    handlers = Handlers(lines, figures, revocations, clock, streams.changed)
    repair = Repair(room, store, lines, RepairStore(database), wake)
    scheduler = Scheduler(room)

    async def prepare() -> None:
        parts = (
            store, lists, binned, held, typed, lines, figures, records, revocations, sources,
        )  # fmt: skip
        for part in parts:
            await part.declare()
        await declare_people(database)

    darkroom = Darkroom(room)
    sources = InboundStore(
        database, KeyRing(settings.secret_key.get_secret_value()).vault("inbound")
    )
    # Pictures are public wherever they are, so they may come over plain http.
    policy = OutboundPolicy(settings.allow_private_hosts, https_only=False)
    guarded = LazySession(lambda: guarded_session(policy))
    session = LazySession(lambda: aiohttp.ClientSession(trust_env=False))

    async def close() -> None:
        for one in (session, guarded):
            await one.close()

    routes: list[web.AbstractRouteDef] = [
        *articles.routes(room, lists, typed, figures),
        *acts.routes(room),
        *checklist.routes(room),
        *authors.routes(room, AuthorStore(database)),
        *sections.routes(room.publication),
        *previews.routes(room, Asker(session, settings.origin)),
        *calendar.routes(room, lists),
        *trash.routes(room, binned),
        *imports.routes(room),
        *InboundRoutes(room, sources, darkroom, fetching(guarded, policy)).routes(),
        *history.routes(records),
        *revisions.routes(room),
        *locks.routes(room, held),
        *autosaves.routes(room, typed),
        *board.routes(lines, figures, streams),
        *media.routes(pictures, darkroom, public_url),
        *people.routes(desk),
        *sessions.routes(desk, settings.trusted_proxies),
        *own_account.routes(desk, settings.trusted_proxies),
        *tokens.routes(desk),
        *reference.routes(public_url),
    ]
    return Service(
        name="publishing",
        database=database,
        routes=routes,
        subscriptions=[(OUTLETS, handlers.handle)],
        background=[streams, Loop("scheduler", scheduler.step), Loop("repair", repair.step), relay],
        prepare=prepare,
        close=close,
    )
