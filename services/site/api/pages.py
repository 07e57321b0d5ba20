"""The addresses readers open. GET and HEAD only; an unknown address answers 404 in the paper's dress."""

from __future__ import annotations

from aiohttp import web

from services.site.rendering import Renderer
from services.site.usecases import Fronts, PageStore, page_at
from shared.runtime.clock import Clock
from shared.storage.held import HeldArticles
from shared.web.conditional import Prepared, prepare, serve
from shared.web.problems import not_found

POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""No script at all: JSON-LD is a data block, which no policy runs or stops (CSP 3, 6.1.10)."""
REVALIDATE = "public, max-age=0, must-revalidate"
IMMUTABLE = "public, max-age=31536000, immutable"
MAX_SLUG = 300


class PageRoutes:
    """Handlers of the readers' pages and their two assets."""

    def __init__(
        self,
        renderer: Renderer,
        pages: PageStore,
        held: HeldArticles,
        fronts: Fronts,
        clock: Clock,
    ) -> None:
        self._renderer = renderer
        self._pages = pages
        self._held = held
        self._fronts = fronts
        self._clock = clock
        started = clock.now()
        self._not_found = renderer.not_found(started)
        self._style = prepare(renderer.style, started, "text/css; charset=utf-8", IMMUTABLE)
        self._icon = prepare(renderer.icon, started, "image/svg+xml", IMMUTABLE)

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/", self.front_page),
            web.get("/sections/{slug}", self.section),
            web.get("/articles/{slug}", self.article),
            web.get("/assets/site.{digest}.css", self.style),
            web.get("/assets/icon.{digest}.svg", self.icon),
        ]

    async def front_page(self, request: web.Request) -> web.Response:
        return _page(request, await self._fronts.front_page())

    async def section(self, request: web.Request) -> web.Response:
        section = self._renderer.place.section(request.match_info["slug"])
        if section is None:
            return _page(request, self._not_found)
        return _page(request, await self._fronts.section(section))

    async def article(self, request: web.Request) -> web.Response:
        slug = request.match_info["slug"]
        if len(slug) > MAX_SLUG or not _encodable(slug):
            return _page(request, self._not_found)
        page = await page_at(slug, self._renderer, self._pages, self._held, self._clock)
        if page and page.location:
            # Revalidated, because an article may take one of its former slugs again.
            headers = {"Location": page.location, "Cache-Control": REVALIDATE}
            return web.Response(status=301, headers=headers)
        return _page(request, page.document if page and page.document else self._not_found)

    async def style(self, request: web.Request) -> web.Response:
        return self._asset(request, self._style, self._renderer.style_path)

    async def icon(self, request: web.Request) -> web.Response:
        return self._asset(request, self._icon, self._renderer.icon_path)

    def _asset(self, request: web.Request, asset: Prepared, path: str) -> web.Response:
        """Ours under its own name is kept for ever; a name from another version gets ours for now."""
        response = serve(request, asset)
        if request.path != path:
            response.headers["Cache-Control"] = REVALIDATE
        return response


def _page(request: web.Request, document: Prepared) -> web.Response:
    accepted = request.headers.get("Accept", "")
    if document.status == 404 and "json" in accepted and "html" not in accepted:
        raise not_found("page", field="path")  # a program asks; people get the page
    response = serve(request, document)
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
