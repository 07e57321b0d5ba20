"""The acts of the site: take in an article, answer for an address, make a front. Never serves a stale one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from services.site.domain.former import former_key, lookup_keys
from services.site.domain.fronts import (
    LATEST,
    PER_SECTION,
    SECTION_PAGE,
    Front,
    front_page,
    right_until,
    section_page,
)
from services.site.domain.presence import OUTLET, Mark, Presence, operation, presence
from services.site.domain.reaction import Reaction
from services.site.page import Page
from services.site.rendering import Renderer
from shared.contracts.articles import Article
from shared.contracts.outlets import DeliveryState, OutletFigures, OutletLine, OutletReported
from shared.runtime.clock import Clock, elapsed_ms
from shared.runtime.publication import Section
from shared.storage.held import Held, HeldArticles
from shared.web.conditional import Prepared


class PageStore(Protocol):
    """Finished pages by slug."""

    async def put(self, page: Page) -> None: ...

    async def get(self, slug: str) -> Page | None: ...


class ListStore(Protocol):
    """The newest articles and the edition they make."""

    async def newest(self, limit: int, section: str | None = None) -> list[Article]: ...

    async def edition(self) -> int: ...

    async def next_edition(self) -> None: ...


class ReactionStore(Protocol):
    """What people did with each article's posts."""

    async def take(self, article_id: str, figures: Sequence[OutletFigures]) -> None: ...

    async def of(self, article_id: str) -> Reaction: ...


class MarkStore(Protocol):
    """What was last done for an article."""

    def of(self, held: Held) -> Mark | None: ...

    async def put(self, article_id: str, mark: Mark) -> None: ...


async def take_in(
    held: Held,
    renderer: Renderer,
    pages: PageStore,
    lists: ListStore,
    marks: MarkStore,
    reactions: ReactionStore,
    clock: Clock,
) -> list[OutletLine]:
    """Put the article's pages in place, or away; the same again when repeated."""
    article = held.article
    reaction = await reactions.of(article.id)
    done = operation(article, marks.of(held))
    writes: list[Awaitable[None]] = [
        *(pages.put(page) for page in _pages(article, renderer, held.acted_at, reaction)),
        lists.next_edition(),
    ]
    if done is not None:
        writes.append(marks.put(article.id, Mark(done, article.revision)))
    await asyncio.gather(*writes)
    if done is None:
        return []
    return [
        OutletLine(
            outlet=OUTLET,
            delivery=f"{article.id}:{OUTLET}:{done.value}:{article.revision}",
            operation=done,
            state=DeliveryState.CONFIRMED,
            sequence=article.revision,
            revision=article.revision,
            url=article.url,
            milliseconds=elapsed_ms(held.acted_at, clock.now()),
        )
    ]


async def show_reaction(
    report: OutletReported,
    reactions: ReactionStore,
    renderer: Renderer,
    pages: PageStore,
    held: HeldArticles,
    clock: Clock,
) -> None:
    """Bring the line below an article up to date; no list, no report and nobody else hears of it."""
    await reactions.take(report.article_id, report.figures)
    known = await held.get(report.article_id)
    if known is None or presence(known.article) is not Presence.SHOWN:
        return
    reaction = await reactions.of(report.article_id)
    page = _page(known.article, renderer, clock.now(), reaction)
    before = await pages.get(page.slug)
    if before and before.document and page.document and before.document.etag == page.document.etag:
        page = replace(page, document=before.document)  # the same bytes keep their Last-Modified
    await pages.put(page)


async def page_at(
    slug: str,
    renderer: Renderer,
    pages: PageStore,
    held: HeldArticles,
    reactions: ReactionStore,
    clock: Clock,
) -> Page | None:
    """What the address holds. A page rendered by an earlier version of the site is made anew first."""
    page = await pages.get(slug)
    if page is None or page.dress == renderer.dress:
        return page
    known = await held.get(page.article_id)
    if known is None:
        return page
    reaction = await reactions.of(known.article.id)
    await asyncio.gather(
        *(pages.put(made) for made in _pages(known.article, renderer, clock.now(), reaction))
    )
    return await pages.get(slug)


async def former_location(raw_path: str, query: str, pages: PageStore) -> str | None:
    """Where an address from before the article came here leads; None for one nobody had."""
    for key in lookup_keys(raw_path, query):
        page = await pages.get(key)
        if page and page.location:
            return page.location
    return None


def _page(article: Article, renderer: Renderer, modified: datetime, reaction: Reaction) -> Page:
    return Page(
        article.slug,
        article.id,
        article.revision,
        renderer.dress,
        document=renderer.article(article, modified, reaction.counts),
        reaction=reaction.version,
    )


def _pages(
    article: Article, renderer: Renderer, modified: datetime, reaction: Reaction
) -> list[Page]:
    """One page for each address the article has or had."""
    page = _page(article, renderer, modified, reaction)
    location = article.url if page.document else None
    addresses = {*article.redirects, *(former_key(path) for path in article.former_paths)}
    former = [
        Page(address, article.id, article.revision, renderer.dress, location=location)
        for address in sorted(addresses - {article.slug, "/"})
    ]
    return [page, *former]


@dataclass(frozen=True)
class _Made:
    document: Prepared
    edition: int
    until: datetime


class Fronts:
    """The front page and section pages of this process, each remade when the edition has moved on.

    Every request asks the database for the edition's number, so that no replica shows a list from
    before a retraction; the lists themselves are read once per edition.
    """

    def __init__(
        self, renderer: Renderer, lists: ListStore, clock: Clock, breaking: timedelta
    ) -> None:
        self._renderer = renderer
        self._lists = lists
        self._clock = clock
        self._breaking = breaking
        self._made: dict[str, _Made] = {}
        self._making: dict[str, asyncio.Lock] = {}

    async def front_page(self) -> Prepared:
        return await self._current("", self._front_page)

    async def section(self, section: Section) -> Prepared:
        return await self._current(section.slug, lambda now: self._section(section, now))

    async def _current(
        self, key: str, make: Callable[[datetime], Awaitable[tuple[Front, datetime]]]
    ) -> Prepared:
        # One render for all who ask at the same time.
        async with self._making.setdefault(key, asyncio.Lock()):
            now, edition = self._clock.now(), await self._lists.edition()
            made = self._made.get(key)
            if made is None or made.edition != edition or now >= made.until:
                front, until = await make(now)
                document = self._renderer.front(front, now)
                if made and made.document.etag == document.etag:
                    document = made.document  # the same bytes keep their Last-Modified
                made = self._made[key] = _Made(document, edition, until)
            return made.document

    async def _front_page(self, now: datetime) -> tuple[Front, datetime]:
        place = self._renderer.place
        slugs = [section.slug for section in place.publication.sections]
        latest, *by_section = await asyncio.gather(
            self._lists.newest(LATEST),
            *(self._lists.newest(PER_SECTION + 1, slug) for slug in slugs),
        )
        sections = dict(zip(slugs, by_section, strict=True))
        front = front_page(latest, sections, place, now, self._breaking)
        return front, right_until(latest, place, now, self._breaking)

    async def _section(self, section: Section, now: datetime) -> tuple[Front, datetime]:
        place = self._renderer.place
        articles = await self._lists.newest(SECTION_PAGE, section.slug)
        return section_page(section, articles, place, now), right_until(
            (), place, now, self._breaking
        )
