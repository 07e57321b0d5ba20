"""Cards of articles over HTTP: a picture for those who show a link or want one. Only GET and HEAD."""

from __future__ import annotations

from aiohttp import web

from services.site.api.pages import SITE
from services.site.cards import Cards
from services.site.domain.presence import Presence
from shared.delivery.errors import TryAgain
from shared.web.conditional import holds
from shared.web.description import Answer, Operation, Parameter, Refusal, described
from shared.web.problems import Problem, not_found

KEPT = "public, max-age=86400, immutable"
"""The address names the bytes; after a day a cache learns that the article has been withdrawn."""
RETRY_SECONDS = 5

CARD = Operation(
    "read_card",
    "An article's card",
    SITE,
    {200: Answer("A picture of the headline.", media=("image/jpeg",), headers=("ETag",))},
    text=(
        "Headline, section, bylines and the lead image, as Open Graph and Instagram show them. `link` is "
        "1200 by 630 pixels, `tall` 1080 by 1350. The address is in the page's `og:image`."
    ),
    path=(
        Parameter("id", "The article.", example="019ab000-0000-7000-8000-000000000001"),
        Parameter("digest", "16 hex digits that name what is drawn.", example="0a1b2c3d4e5f6071"),
        Parameter("size", "`link` or `tall`.", {"type": "string"}, "link"),
    ),
    conditional=True,
    refusals=(
        Refusal(404, "There is no such card", "path"),
        Refusal(410, "The article was retracted", "path"),
        Refusal(503, "The photograph cannot be read now", headers=("Retry-After",)),
    ),
)


class CardRoutes:
    """The one route of cards."""

    def __init__(self, cards: Cards) -> None:
        self._cards = cards

    def routes(self) -> list[web.AbstractRouteDef]:
        return [described(web.get("/cards/{id}/{digest}-{size}.jpg", self.card), CARD)]

    async def card(self, request: web.Request) -> web.Response:
        try:
            found = await self._cards.at(request.path)
        except TryAgain as error:
            raise Problem(
                503,
                "The photograph cannot be read now",
                headers={"Retry-After": str(RETRY_SECONDS)},
            ) from error
        if found is Presence.RETRACTED:
            raise Problem(410, "The article was retracted", field="path")
        if isinstance(found, Presence):
            raise not_found("card", field="path")
        # The path is of letters and digits only, or nothing would have been found there.
        etag = request.match_info["digest"]
        headers = {"ETag": f'"{etag}"', "Cache-Control": KEPT}
        if holds(request, etag):
            return web.Response(status=304, headers=headers)
        return web.Response(body=found, content_type="image/jpeg", headers=headers)
