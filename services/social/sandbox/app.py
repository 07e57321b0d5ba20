"""Serves every fake below `/<channel>`, the page at `/`, and what arrived as JSON. Holds everything in memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from aiohttp import web
from jinja2 import Environment, FileSystemLoader
from pydantic import BaseModel, ConfigDict, Field

from services.social.channels import discover
from services.social.channels.base import Fake, VisiblePost
from shared.web.problems import Problem, problems
from shared.web.requests import json_response, read_json

PAGE_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'self'"
)
HERE = Path(__file__).parent


class Injection(BaseModel):
    """Make the next `times` creating calls of a network fail in a documented way."""

    model_config = ConfigDict(extra="forbid")

    channel: str
    fault: Annotated[str, Field(max_length=60)]
    times: int = Field(default=1, ge=0, le=10_000)


class Sandbox:
    """One fake per channel folder."""

    def __init__(self, names: Collection[str] | None = None) -> None:
        """`names` are the networks to stand in for; None for every one there is."""
        self.fakes: dict[str, Fake] = {
            name: spec.fake() for name, spec in discover().items() if names is None or name in names
        }
        self._page = Environment(loader=FileSystemLoader(HERE), autoescape=True).get_template(
            "page.html"
        )

    def account(self, channel: str, base_url: str) -> dict[str, object]:
        """Settings that connect an account to this sandbox at `base_url`."""
        return self.fakes[channel].account(f"{base_url}/{channel}")

    def app(self) -> web.Application:
        app = web.Application(middlewares=[problems], client_max_size=64 * 1024 * 1024)
        app.add_routes(
            [
                web.get("/", self._show),
                web.get("/sandbox.css", self._style),
                web.get("/received", self._received),
                web.post("/faults", self._inject),
                web.get("/accounts", self._accounts),
            ]
        )
        for name, fake in self.fakes.items():
            app.add_subapp(f"/{name}", fake.app())
        return app

    async def _show(self, _: web.Request) -> web.Response:
        networks = [
            {"name": name, "title": discover()[name].title, "posts": fake.visible()}
            for name, fake in self.fakes.items()
        ]
        return web.Response(
            text=self._page.render(networks=networks),
            content_type="text/html",
            headers={"Content-Security-Policy": PAGE_POLICY, "Refresh": "5"},
        )

    async def _style(self, _: web.Request) -> web.Response:
        return web.Response(text=(HERE / "sandbox.css").read_text(), content_type="text/css")

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

    async def _inject(self, request: web.Request) -> web.Response:
        wanted = await read_json(request, Injection)
        fake = self.fakes.get(wanted.channel)
        if fake is None:
            raise Problem(422, "There is no such channel", field="channel")
        if wanted.fault not in fake.faults:
            known = ", ".join(sorted(fake.faults))
            raise Problem(422, "There is no such fault", field="fault", detail=f"known: {known}")
        fake.faults[wanted.fault] = wanted.times
        return json_response({"channel": wanted.channel, "faults": dict(fake.faults)})


def _plain(post: VisiblePost) -> dict[str, object]:
    return asdict(post)
