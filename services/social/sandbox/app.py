"""Serves every fake below `/<channel>`, the page at `/`, and what arrived as JSON. Holds everything in memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader

from services.social.channels import discover
from services.social.channels.base import Fake, VisiblePost
from services.social.sandbox.sight import pieces, threads
from services.social.sandbox.switches import MOST_TIMES, Switches
from shared.web.problems import problems
from shared.web.requests import json_response

PAGE_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
RELOAD_SECONDS, OPEN_RELOAD_SECONDS = 5, 20
"""Slower while switches are open, so that nobody loses a number that they are typing."""
SHOWN = 40
"""Threads of a network on the page; a drill makes thousands."""
HERE = Path(__file__).parent


class Sandbox:
    """One fake per channel folder."""

    def __init__(self, names: Collection[str] | None = None) -> None:
        """`names` are the networks to stand in for; None for every one there is."""
        self.fakes: dict[str, Fake] = {
            name: spec.fake() for name, spec in discover().items() if names is None or name in names
        }
        self._switches = Switches(self.fakes)
        rooms = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True)
        rooms.globals["pieces"] = pieces
        self._page = rooms.get_template("page.html")

    def account(self, channel: str, base_url: str) -> dict[str, object]:
        """Settings that connect an account to this sandbox at `base_url`."""
        return self.fakes[channel].account(f"{base_url}/{channel}")

    def app(self) -> web.Application:
        app = web.Application(middlewares=[problems], client_max_size=64 * 1024 * 1024)
        app.add_routes(
            [
                web.get("/", self._show),
                web.get("/sandbox.css", self._style),
                web.get("/sandbox.svg", self._icon),
                web.get("/received", self._received),
                web.get("/accounts", self._accounts),
                *self._switches.routes(),
            ]
        )
        for name, fake in self.fakes.items():
            app.add_subapp(f"/{name}", fake.app())
        return app

    async def _show(self, request: web.Request) -> web.Response:
        opened = request.query.get("open")
        networks = [self._network(name) for name in self.fakes]
        text = self._page.render(
            networks=networks, opened=opened, armed=self._switches.armed(), most=MOST_TIMES
        )
        reload = OPEN_RELOAD_SECONDS if opened in self.fakes else RELOAD_SECONDS
        return web.Response(
            text=text,
            content_type="text/html",
            headers={
                "Content-Security-Policy": PAGE_POLICY,
                "Refresh": str(reload),
                "Referrer-Policy": "same-origin",
                "X-Content-Type-Options": "nosniff",
            },
        )

    def _network(self, name: str) -> dict[str, object]:
        fake, posts = self.fakes[name], self.fakes[name].visible()
        switches, found = self._switches.of(name), threads(posts)
        return {
            "name": name,
            "title": discover()[name].title,
            "posts": len(posts),
            "threads": found[:SHOWN],
            "older": len(found[SHOWN:]),
            "deleted": sum(post.deleted for post in fake.creations()),
            "switches": switches,
            "armed": [switch for switch in switches if switch.left],
        }

    async def _style(self, _: web.Request) -> web.Response:
        return web.Response(text=(HERE / "sandbox.css").read_text(), content_type="text/css")

    async def _icon(self, _: web.Request) -> web.Response:
        return web.Response(text=(HERE / "sandbox.svg").read_text(), content_type="image/svg+xml")

    async def _received(self, _: web.Request) -> web.Response:
        """Per network: every post ever created, and those that readers see now."""
        return json_response(
            {
                name: {
                    "created": [_plain(post) for post in fake.creations()],
                    "visible": [_plain(post) for post in fake.visible()],
                }
                for name, fake in self.fakes.items()
            }
        )

    async def _accounts(self, request: web.Request) -> web.Response:
        """How to connect an account to each stand-in; these credentials open nothing real."""
        base = f"{request.scheme}://{request.host}"
        return json_response({name: self.account(name, base) for name in self.fakes})


def _plain(post: VisiblePost) -> dict[str, object]:
    return asdict(post)
