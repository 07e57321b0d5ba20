"""Composition root of the site service: the only file that names its concrete parts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import aiohttp

from services.site.api.cards import CardRoutes
from services.site.api.pages import PageRoutes
from services.site.cards import Cards
from services.site.domain.views import Place
from services.site.previews import Previews
from services.site.rendering import Renderer
from services.site.settings import SiteSettings
from services.site.store import CardFiles, Lists, Marks, Pages, Reactions
from services.site.subscriptions import ARTICLES, EXPRESS, FIGURES
from services.site.usecases import Fronts, show_reaction, take_in
from shared.cards.typefaces import require
from shared.contracts.base import EventData
from shared.contracts.events import Event
from shared.contracts.outlets import OutletLine, OutletReported
from shared.delivery.intake import ArticleIntake
from shared.delivery.own_origin import OwnOrigin
from shared.messaging.bus import Bus
from shared.runtime.clock import Clock
from shared.runtime.publication import load_publication
from shared.storage.client import Database
from shared.storage.held import Held, HeldArticles
from shared.storage.outbox import REPORTS_LINGER_SECONDS, Relay
from shared.web.hosting import Service
from shared.web.identity import Revocations
from shared.web.outbound import LazySession
from shared.web.previews import preview_route

NAME = "site"


def build(settings: SiteSettings, database: Database, bus: Bus, clock: Clock) -> Service:
    """Wire the service; nothing runs until the host starts it."""
    require()
    place = Place(
        load_publication(settings.publication),
        settings.public_url,
        always_card=settings.site_share_picture == "card",
    )
    renderer = Renderer(place)
    held = HeldArticles(database["articles"])
    pages = Pages(database["pages"])
    lists = Lists(held.collection, database["editions"])
    marks = Marks(held.collection)
    reactions = Reactions(database["reactions"])
    fronts = Fronts(renderer, lists, clock, timedelta(hours=settings.site_breaking_hours))
    own_session = LazySession(lambda: aiohttp.ClientSession(trust_env=False))
    own = OwnOrigin(own_session, public_url=settings.public_url, origin=settings.origin)
    cards = Cards(held, CardFiles(database.files("cards")), place, own.rendition)
    relay = Relay([held.collection], bus.publish, clock, linger_seconds=REPORTS_LINGER_SECONDS)

    async def apply(one: Held) -> Sequence[OutletLine]:
        return await take_in(one, renderer, pages, lists, marks, reactions, clock)

    async def figures(event: Event[EventData]) -> None:
        if isinstance(event.data, OutletReported):
            await show_reaction(event.data, reactions, renderer, pages, held, clock)

    revocations = Revocations(database["revoked_tokens"], clock)
    intake = ArticleIntake(NAME, held, apply, clock, relay.wake, revocations.add)

    async def prepare() -> None:
        for part in (lists, held, revocations):
            await part.declare()

    return Service(
        name=NAME,
        database=database,
        routes=[
            *PageRoutes(renderer, pages, held, reactions, fronts, clock).routes(),
            *CardRoutes(cards).routes(),
            preview_route(NAME, Previews(renderer, held, reactions).show),
        ],
        subscriptions=[(ARTICLES, intake.handle), (EXPRESS, intake.handle), (FIGURES, figures)],
        background=[relay],
        prepare=prepare,
        close=own_session.close,
    )
