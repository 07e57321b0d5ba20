"""Composition root of the sitemap service: the only file that names its concrete parts."""

from __future__ import annotations

from services.sitemap.api.documents import DocumentRoutes
from services.sitemap.handlers import Listing
from services.sitemap.previews import Previews
from services.sitemap.settings import SitemapSettings
from services.sitemap.store import DocumentStore, EntryStore
from services.sitemap.subscriptions import SUBSCRIPTIONS
from services.sitemap.usecases import Sitemaps
from shared.delivery.intake import ArticleIntake
from shared.messaging.bus import Bus
from shared.runtime.clock import Clock
from shared.runtime.loops import Loop
from shared.runtime.publication import load_publication
from shared.storage.client import Database
from shared.storage.held import HeldArticles
from shared.storage.outbox import REPORTS_LINGER_SECONDS, Relay
from shared.web.hosting import Service
from shared.web.identity import Revocations
from shared.web.previews import preview_route

NAME = "sitemap"


def build(settings: SitemapSettings, database: Database, bus: Bus, clock: Clock) -> Service:
    """Wire the service; nothing runs until the host starts it."""
    entries = EntryStore(database)
    documents = DocumentStore(database["documents"])
    publication = load_publication(settings.publication)
    sitemaps = Sitemaps(entries, documents, publication, settings.public_url, clock)
    previews = Previews(sitemaps, publication, settings.public_url)
    held = HeldArticles(database["articles"])
    relay = Relay([held.collection], bus.publish, clock, linger_seconds=REPORTS_LINGER_SECONDS)

    async def refresh() -> float:
        # Changes that come together are listed together; readers are guarded meanwhile.
        await clock.sleep(settings.sitemap_gather_seconds)
        return await sitemaps.refresh()

    loop = Loop("sitemap refresh", refresh)
    listing = Listing(sitemaps, loop.wake)
    revocations = Revocations(database["revoked_tokens"], clock)
    intake = ArticleIntake(NAME, held, listing.apply, clock, relay.wake, revocations.add)

    async def prepare() -> None:
        for part in (entries, held, revocations):
            await part.declare()
        await sitemaps.start()

    return Service(
        name=NAME,
        database=database,
        routes=[
            *DocumentRoutes(documents, sitemaps, clock).routes(),
            preview_route(NAME, previews.show),
        ],
        subscriptions=[(subscription, intake.handle) for subscription in SUBSCRIPTIONS],
        background=[loop, relay],
        prepare=prepare,
    )
