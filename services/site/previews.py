"""What an article's address would answer after a snapshot: the page byte for byte. Puts nothing in place."""

from __future__ import annotations

from datetime import datetime

from services.site.domain.presence import OUTLET, operation, presence
from services.site.rendering import Renderer
from services.site.store import Marks, Reactions
from shared.contracts.articles import Article
from shared.storage.held import HeldArticles
from shared.web.previews import NONE, Line


class Previews:
    """Shows snapshots with the renderer that makes the real pages."""

    def __init__(self, renderer: Renderer, held: HeldArticles, reactions: Reactions) -> None:
        self._renderer = renderer
        self._held = held
        self._reactions = reactions

    async def show(self, article: Article, now: datetime) -> list[Line]:
        known = await self._held.get(article.id)
        done = operation(article, Marks.of(known) if known else None)
        counts = (await self._reactions.of(article.id)).counts
        page = self._renderer.article(article, now, counts) or self._renderer.not_found(now)
        return [
            {
                "outlet": OUTLET,
                "operation": done.value if done else NONE,
                "url": article.url,
                "status": presence(article).value,
                "html": page.body.decode(),
                "redirects": [slug for slug in article.redirects if slug != article.slug],
                **({} if done else {"reason": "the article is not on the site"}),
            }
        ]
