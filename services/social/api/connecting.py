"""`/api/v1/channels/oauth`: the newsroom's apps, and accounts connected by consent. Never returns a secret."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from services.social.api.channels import Connections, shown
from services.social.api.connecting_operations import (
    BEGIN,
    COME_BACK,
    ENTER_APP,
    FINISH,
    LONGEST,
    SEE,
    AppCredentials,
    Choosing,
    NewConnection,
)
from services.social.channels import discover
from services.social.channels.oauth import CALLBACK, App
from services.social.domain.errors import (
    ChoiceRefused,
    NotConnectable,
    NotConsentedYet,
    SettingRefused,
    StateRefused,
    UnknownChannel,
)
from services.social.oauth.connecting import ADDRESSES, Connecting
from services.social.oauth.consents import Consent
from services.social.store import Accounts
from shared.contracts.identity import Role
from shared.web.description import described
from shared.web.identity import require_role
from shared.web.outbound import Forbidden, OutboundPolicy
from shared.web.problems import Problem, invalid, not_found
from shared.web.requests import json_response, path_id, query_values, read_json

PAGE_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""The address holds the code: it is neither kept nor passed on."""
BEGIN_AGAIN = "This connection is not under way any more. Begin again in Herald."


class ConnectingRoutes:
    """Handlers over the acts of connecting."""

    def __init__(
        self,
        connecting: Connecting,
        accounts: Accounts,
        connections: Connections,
        policy: OutboundPolicy,
        wake_worker: Callable[[], None],
    ) -> None:
        self._connecting = connecting
        self._accounts = accounts
        self._connections = connections
        self._policy = policy
        self._wake_worker = wake_worker

    def routes(self) -> list[web.AbstractRouteDef]:
        root = "/api/v1/channels/oauth"
        return [
            described(web.put(f"{root}/apps/{{channel}}", self.enter_app), ENTER_APP),
            described(web.post(root, self.begin), BEGIN),
            # A HEAD would use the state up.
            described(web.get(CALLBACK, self.come_back, allow_head=False), COME_BACK),
            described(web.get(f"{root}/connections/{{id}}", self.see), SEE),
            described(web.post(f"{root}/connections/{{id}}", self.finish), FINISH),
        ]

    async def enter_app(self, request: web.Request) -> web.Response:
        await require_role(request, Role.ADMIN)
        wanted = await read_json(request, AppCredentials)
        channel = request.match_info["channel"]
        for field, address in wanted.settings.items():
            self._check_address(field, address)
        app = App(wanted.client_id, wanted.client_secret.get_secret_value())
        try:
            await self._connecting.enter_app(channel, app, wanted.settings)
        except UnknownChannel as error:
            raise not_found("channel", field="channel") from error
        except (NotConnectable, SettingRefused, ValidationError) as error:
            raise _refusal(error) from error
        return web.Response(status=204)

    async def begin(self, request: web.Request) -> web.Response:
        identity = await require_role(request, Role.ADMIN)
        wanted = await read_json(request, NewConnection)
        for field in ADDRESSES:
            if isinstance(address := wanted.settings.get(field), str):
                self._check_address(field, address)
        try:
            consent, url = await self._connecting.begin(
                identity.subject, wanted.channel, wanted.name, wanted.settings
            )
        except UnknownChannel as error:
            known = ", ".join(sorted(name for name, spec in discover().items() if spec.oauth))
            raise Problem(
                422, "There is no such channel", field="channel", detail=f"known: {known}"
            ) from error
        except (NotConnectable, SettingRefused, ValidationError) as error:
            raise _refusal(error) from error
        where = f"/api/v1/channels/oauth/connections/{consent.id}"
        return json_response(
            {**_under_way(consent), "url": url}, status=201, headers={"Location": where}
        )

    async def come_back(self, request: web.Request) -> web.Response:
        """Networks add parameters of their own, so that only ours are looked at."""
        state, code, error = (_one(request, name) for name in LONGEST)
        try:
            if state is None:
                raise StateRefused("no state")
            consent = await self._connecting.come_back(state, code, error)
        except StateRefused as refused:
            if "text/html" in request.headers.get("Accept", ""):
                return _page(BEGIN_AGAIN, status=404)
            raise Problem(404, "This connection is not under way", field="state") from refused
        if consent.status == "granted":
            return _page("The network has agreed. Go back to Herald to finish.")
        return _page(f"Nothing was connected: {consent.reason}. Begin again in Herald.")

    async def see(self, request: web.Request) -> web.Response:
        identity = await require_role(request, Role.ADMIN)
        query_values(request, set())
        try:
            consent = await self._connecting.seen(path_id(request), identity.subject)
        except StateRefused as error:
            raise not_found("connection") from error
        return json_response(_under_way(consent))

    async def finish(self, request: web.Request) -> web.Response:
        identity = await require_role(request, Role.ADMIN)
        id = path_id(request)
        wanted = await read_json(request, Choosing)
        try:
            account_id = await self._connecting.finish(id, identity.subject, wanted.choice)
        except StateRefused as error:
            raise not_found("connection") from error
        except NotConsentedYet as error:
            raise Problem(409, "Nobody has consented", field="id", detail=str(error)) from error
        except ChoiceRefused as error:
            raise Problem(422, "Not to be chosen", field="choice", detail=str(error)) from error
        self._connections.forget(account_id)
        self._wake_worker()
        pauses = {pause.scope: pause for pause in await self._accounts.pauses()}
        for account, _ in await self._accounts.all():
            if account.id == account_id:
                return json_response(shown(account, pauses))
        raise not_found("account")  # somebody removed it at once

    def _check_address(self, field: str, address: str) -> None:
        try:
            self._policy.check_url(address)
        except Forbidden as error:
            raise Problem(
                422, "Not an address to post to", field=f"settings.{field}", detail=str(error)
            ) from error


def _refusal(error: NotConnectable | SettingRefused | ValidationError) -> Problem:
    if isinstance(error, ValidationError):
        return invalid(error, prefix="settings.")
    if isinstance(error, SettingRefused):
        return Problem(
            422, "Not to be stated here", field=f"settings.{error.field}", detail=str(error)
        )
    return Problem(409, "Not connected by consent", field="channel", detail=str(error))


def _under_way(consent: Consent) -> dict[str, Any]:
    return {
        "id": consent.id,
        "channel": consent.channel,
        "name": consent.name,
        "status": consent.status,
        "reason": consent.reason,
        "choices": [{"id": one["id"], "name": one["name"]} for one in consent.choices],
        "expires_at": consent.expires_at,
    }


def _one(request: web.Request, name: str) -> str | None:
    """The parameter, if it is there once and of a size that a network sends."""
    values = request.query.getall(name, [])
    return values[0] if len(values) == 1 and 0 < len(values[0]) <= LONGEST[name] else None


def _page(text: str, status: int = 200) -> web.Response:
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Herald</title>'
        f"<main><h1>Herald</h1><p>{html.escape(text)}</p></main></html>"
    )
    return web.Response(status=status, text=body, content_type="text/html", headers=PAGE_HEADERS)
