"""The addresses readers open. GET and HEAD only; an unknown address answers 404 in the paper's dress."""

from __future__ import annotations

from urllib.parse import unquote

from aiohttp import web

from services.site.rendering import Renderer
from services.site.usecases import Fronts, PageStore, ReactionStore, former_location, page_at
from shared.runtime.clock import Clock
from shared.storage.held import HeldArticles
from shared.web.conditional import Prepared, prepare, serve
from shared.web.description import Answer, Operation, Parameter, Refusal, Tag, described
from shared.web.problems import not_found

POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""No script at all: JSON-LD is a data block, which no policy runs or stops (CSP 3, 6.1.10)."""
REVALIDATE = "public, max-age=0, must-revalidate"
IMMUTABLE = "public, max-age=31536000, immutable"
MAX_SLUG = 300
ELSEWHERE = r"/{path:(?!(?:api|console|media|sitemaps|healthz|readyz|metrics)(?:/|$)).+}"
"""Every address that no other route of any service takes; theirs answer for themselves."""


SITE = Tag(
    "Site",
    "The readers' pages. A program that asks for JSON gets a problem in place of the 404 page.",
)
SLUG = Parameter("slug", "The last part of the address.", {"type": "string"}, "city")
PAGE = Answer("The page.", media=("text/html",), headers=("ETag", "Last-Modified"))
NO_PAGE = Refusal(404, "There is no such page", "path", media=("text/html",))


def _asset(id: str, summary: str, media: str) -> Operation:
    return Operation(
        id,
        summary,
        SITE,
        {200: Answer("It.", media=(media,), headers=("ETag", "Last-Modified"))},
        path=(Parameter("digest", "Names the version.", example="0a1b2c3d4e5f6071"),),
        conditional=True,
        stored=False,
    )


MOVED = Answer("It is at another address now.", headers=("Location",))
FRONT_PAGE = Operation(
    "open_front_page",
    "The front page",
    SITE,
    {200: PAGE, 301: MOVED},
    text="With a query such as `?p=12`, the article that had this address before it came here.",
    conditional=True,
)
SECTION = Operation(
    "open_section",
    "A section's page",
    SITE,
    {200: PAGE, 301: MOVED},
    path=(SLUG,),
    conditional=True,
    refusals=(NO_PAGE,),
)
ARTICLE = Operation(
    "open_article",
    "An article's page",
    SITE,
    {
        200: PAGE,
        301: MOVED,
        410: Answer(
            "It was retracted; the page says why.",
            media=("text/html",),
            headers=("ETag", "Last-Modified"),
        ),
    },
    path=(Parameter("slug", SLUG.text, SLUG.schema, "harbour-bridge-reopens-after-two-years"),),
    conditional=True,
    refusals=(NO_PAGE,),
)
OLD_ADDRESS = Operation(
    "open_former_address",
    "An address that an article had before it came here",
    SITE,
    {301: MOVED},
    path=(
        Parameter(
            "path", "Any path that is not another route's.", {"type": "string"}, "2019/05/old-name"
        ),
    ),
    refusals=(NO_PAGE,),
)
STYLE = _asset("read_site_style", "The site's style sheet", "text/css")
ICON = _asset("read_site_icon", "The site's icon", "image/svg+xml")


class PageRoutes:
    """Handlers of the readers' pages and their two assets."""

    def __init__(
        self,
        renderer: Renderer,
        pages: PageStore,
        held: HeldArticles,
        reactions: ReactionStore,
        fronts: Fronts,
        clock: Clock,
    ) -> None:
        self._renderer = renderer
        self._pages = pages
        self._held = held
        self._reactions = reactions
        self._fronts = fronts
        self._clock = clock
        started = clock.now()
        self._not_found = renderer.not_found(started)
        self._style = prepare(renderer.style, started, "text/css; charset=utf-8", IMMUTABLE)
        self._icon = prepare(renderer.icon, started, "image/svg+xml", IMMUTABLE)

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            described(web.get("/", self.front_page), FRONT_PAGE),
            described(web.get("/sections/{slug}", self.section), SECTION),
            described(web.get("/articles/{slug}", self.article), ARTICLE),
            described(web.get("/assets/site.{digest}.css", self.style), STYLE),
            described(web.get("/assets/icon.{digest}.svg", self.icon), ICON),
            described(web.get(ELSEWHERE, self.elsewhere), OLD_ADDRESS),
        ]

    async def front_page(self, request: web.Request) -> web.Response:
        if request.query_string and (moved := await self._moved(request)):
            return moved
        return _page(request, await self._fronts.front_page())

    async def elsewhere(self, request: web.Request) -> web.Response:
        """Any other address: where an article was before it came here, or nothing."""
        return await self._moved(request) or _page(request, self._not_found)

    async def section(self, request: web.Request) -> web.Response:
        section = self._renderer.place.section(request.match_info["slug"])
        if section is None:
            return await self.elsewhere(request)
        return _page(request, await self._fronts.section(section))

    async def article(self, request: web.Request) -> web.Response:
        slug = request.match_info["slug"]
        if len(slug) > MAX_SLUG or not _encodable(slug):
            return _page(request, self._not_found)
        page = await page_at(
            slug, self._renderer, self._pages, self._held, self._reactions, self._clock
        )
        if page and page.location:
            return _gone_to(page.location)
        if page and page.document:
            return _page(request, page.document)
        return await self.elsewhere(request)

    async def _moved(self, request: web.Request) -> web.Response | None:
        raw = request.rel_url.raw_path
        if not _encodable(unquote(raw)) or "%00" in raw + request.query_string:
            return None
        query = request.rel_url.raw_query_string
        location = await former_location(raw, query, self._pages)
        return _gone_to(location) if location else None

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


def _gone_to(location: str) -> web.Response:
    # Revalidated, because an article may take one of its former slugs again.
    headers = {"Location": location, "Cache-Control": REVALIDATE}
    return web.Response(status=301, headers=headers)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
