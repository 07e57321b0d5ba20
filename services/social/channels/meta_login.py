"""Facebook's login, by which Pages and the Instagram accounts behind them are connected. Never asks a Page anything."""

from __future__ import annotations

from typing import Any, Protocol

from services.social.channels.oauth import App, Ask, Code, Tokens, bearer, tokens_of

PAGES_AT_ONCE, MOST_ROUNDS = 100, 10
"""Pages are listed in rounds; nobody chooses among more."""


class Graph(Protocol):
    """Where the Graph API answers."""

    @property
    def server(self) -> str: ...

    @property
    def version(self) -> str: ...


def dialog(login: str, version: str) -> str:
    """The page where people consent."""
    return f"{login}/{version}/dialog/oauth"


async def exchange(ask: Ask, app: App, graph: Graph, code: Code) -> Tokens:
    """The person's own token, long-lived: only that gives tokens of Pages that do not expire."""
    url = f"{graph.server}/{graph.version}/oauth/access_token"
    form = app.form(redirect_uri=code.redirect_uri, code=code.code)
    short = tokens_of(await ask("POST", url, form=form, changes=True))
    form = app.form(grant_type="fb_exchange_token", fb_exchange_token=short.access_token)
    return tokens_of(await ask("POST", url, form=form, changes=True))


async def pages(ask: Ask, graph: Graph, tokens: Tokens, fields: str) -> list[dict[str, Any]]:
    """The Pages of the person that come with a token of their own: other roles may not post."""
    url = f"{graph.server}/{graph.version}/me/accounts"
    query = {"fields": f"access_token,{fields}", "limit": str(PAGES_AT_ONCE)}
    found: list[dict[str, Any]] = []
    for _ in range(MOST_ROUNDS):
        told = await ask("GET", url, query=query, headers=bearer(tokens))
        found += [page for page in told["data"] if page.get("access_token")]
        paging = told.get("paging") or {}
        if "next" not in paging:
            break
        query["after"] = paging["cursors"]["after"]
    return found
