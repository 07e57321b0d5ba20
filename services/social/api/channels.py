"""`/api/v1/channels`: connect, list, test, pause, resume and remove accounts. Never returns a secret."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from aiohttp import web
from pydantic import ValidationError

from services.social.api.channel_operations import (
    ADD,
    LIST,
    PAUSE,
    PAUSE_WIDE,
    REMOVE,
    RESUME,
    RESUME_WIDE,
    TEST,
    NewAccount,
    PauseReason,
    WidePause,
    WideScope,
)
from services.social.api.standings import described_account
from services.social.channels import discover
from services.social.channels.base import Channel
from services.social.domain.errors import AccountExists, NoSuchAccount, UnknownChannel
from services.social.domain.forecast import in_words, step
from services.social.domain.planning import Account
from services.social.domain.policy import Kind, manner
from services.social.oauth.connecting import ADDRESSES
from services.social.oauth.store import Credentials, Standing
from services.social.standing import Standings
from services.social.store import Accounts, Pause, scopes
from services.social.usecases import connect
from shared.contracts.identity import Role
from shared.delivery.errors import DeliveryError
from shared.runtime.clock import Clock
from shared.web.description import described
from shared.web.identity import require_role
from shared.web.outbound import Forbidden, OutboundPolicy
from shared.web.problems import Problem, invalid, not_found
from shared.web.requests import json_response, query_values, read_json


class Connections(Protocol):
    """The live side of accounts: built from the stored settings, dropped when these change."""

    async def channel(self, account_id: str) -> Channel: ...

    def forget(self, account_id: str) -> None: ...


class ChannelRoutes:
    """Handlers over the account store."""

    def __init__(
        self,
        accounts: Accounts,
        credentials: Credentials,
        connections: Connections,
        policy: OutboundPolicy,
        wake_worker: Callable[[], None],
        standings: Standings,
        clock: Clock,
    ) -> None:
        self._standings = standings
        self._accounts = accounts
        self._credentials = credentials
        self._clock = clock
        self._connections = connections
        self._policy = policy
        self._wake_worker = wake_worker

    def routes(self) -> list[web.AbstractRouteDef]:
        root, one = "/api/v1/channels", "/api/v1/channels/{channel}/{name}"
        return [
            described(web.get(root, self.list), LIST),
            described(web.post(root, self.add), ADD),
            described(web.post(f"{root}/pause", self.pause_wide), PAUSE_WIDE),
            described(web.post(f"{root}/resume", self.resume_wide), RESUME_WIDE),
            described(web.delete(one, self.remove), REMOVE),
            described(web.post(f"{one}/test", self.test), TEST),
            described(web.post(f"{one}/pause", self.pause), PAUSE),
            described(web.post(f"{one}/resume", self.resume), RESUME),
        ]

    async def list(self, request: web.Request) -> web.Response:
        await require_role(request, Role.CONTRIBUTOR)
        query_values(request, set())
        pauses = {pause.scope: pause for pause in await self._accounts.pauses()}
        accounts, credentials = await self._accounts.all(), await self._credentials.all()
        standings = await self._standings.all()
        now = self._clock.now()
        items = [
            {
                **described_account(
                    shown(account, pauses), quiet_until, standings.get(account.id), now
                ),
                "credentials": _forecast(credentials.get(account.id), now),
            }
            for account, quiet_until in accounts
        ]
        return json_response({"items": items, "next": None})

    async def add(self, request: web.Request) -> web.Response:
        await require_role(request, Role.ADMIN)
        wanted = await read_json(request, NewAccount)
        for field in ADDRESSES:
            self._check_address(field, wanted.settings.get(field))
        try:
            account = await connect(
                self._accounts, discover(), wanted.channel, wanted.name, wanted.settings
            )
        except UnknownChannel as error:
            known = ", ".join(sorted(discover()))
            raise Problem(
                422, "There is no such channel", field="channel", detail=f"known: {known}"
            ) from error
        except AccountExists as error:
            raise Problem(409, "The channel has an account of this name", field="name") from error
        except ValidationError as error:
            raise invalid(error, prefix="settings.") from error
        return json_response(
            shown(account, {}),
            status=201,
            headers={"Location": f"/api/v1/channels/{account.id}"},
        )

    async def remove(self, request: web.Request) -> web.Response:
        await require_role(request, Role.ADMIN)
        account_id = await self._account_id(request)
        self._connections.forget(account_id)
        try:
            await self._accounts.remove(account_id)
        except NoSuchAccount as error:  # somebody else was quicker
            raise not_found("account", field="name") from error
        await self._standings.forget(account_id)
        return web.Response(status=204)

    async def test(self, request: web.Request) -> web.Response:
        """Verify the credentials at the network without posting anything."""
        await require_role(request, Role.ADMIN)
        account_id = await self._account_id(request)
        try:
            channel = await self._connections.channel(account_id)
            name = await channel.check()
        except NoSuchAccount as error:
            raise not_found("account", field="name") from error
        except DeliveryError as error:
            return json_response({"ok": False, "reason": error.reason})
        except ValueError as error:
            return json_response({"ok": False, "reason": str(error)})
        return json_response({"ok": True, "account": name})

    async def pause(self, request: web.Request) -> web.Response:
        identity = await require_role(request, Role.EDITOR)
        account_id = await self._account_id(request)
        wanted = await read_json(request, PauseReason)
        return await self._switch_off(account_id, wanted.reason, identity.name)

    async def resume(self, request: web.Request) -> web.Response:
        await require_role(request, Role.EDITOR)
        account_id = await self._account_id(request)
        closed = await self._standings.resume(account_id)
        return await self._switch_on(account_id, changed=closed)

    async def pause_wide(self, request: web.Request) -> web.Response:
        """The kill switch over everything, one network or one article."""
        identity = await require_role(request, Role.EDITOR)
        wanted = await read_json(request, WidePause)
        return await self._switch_off(wanted.scope, wanted.reason, identity.name)

    async def resume_wide(self, request: web.Request) -> web.Response:
        await require_role(request, Role.EDITOR)
        wanted = await read_json(request, WideScope) if request.can_read_body else WideScope()
        return await self._switch_on(wanted.scope)

    async def _switch_off(self, scope: str, reason: str, who: str) -> web.Response:
        changed = await self._accounts.pause(scope, reason, who)
        self._connections.forget(scope)
        return json_response({"scope": scope, "paused": True, "changed": changed})

    async def _switch_on(self, scope: str, *, changed: bool = False) -> web.Response:
        changed = await self._accounts.resume(scope) or changed
        self._connections.forget(scope)
        self._wake_worker()
        return json_response({"scope": scope, "paused": False, "changed": changed})

    def _check_address(self, field: str, address: object) -> None:
        """A network's address is typed in by a person, so it must not point into our own house."""
        if isinstance(address, str):
            try:
                self._policy.check_url(address)
            except Forbidden as error:
                raise Problem(
                    422, "Not an address to post to", field=f"settings.{field}", detail=str(error)
                ) from error

    async def _account_id(self, request: web.Request) -> str:
        account_id = f"{request.match_info['channel']}/{request.match_info['name']}"
        if all(account.id != account_id for account, _ in await self._accounts.all()):
            raise not_found("account", field="name")
        return account_id


def _forecast(standing: Standing | None, now: datetime) -> dict[str, Any] | None:
    if standing is None or standing.version == 0:
        return None
    ends_at = standing.ends_at
    near = ends_at is not None and step(ends_at, now) is not None
    return {
        "renews": standing.refreshes,
        "ends_at": ends_at,
        "forecast": in_words(ends_at, now) if ends_at and near else None,
        "problem": standing.refused or standing.problem,
    }


def shown(account: Account, pauses: dict[str, Pause]) -> dict[str, Any]:
    """The account as every answer has it."""
    pause = next((pauses[scope] for scope in scopes(account.id) if scope in pauses), None)
    able = discover()[account.channel].capabilities
    return {
        "id": account.id,
        "channel": account.channel,
        "name": account.name,
        "outlet": account.outlet,
        "created_at": account.created_at,
        "paused": None if pause is None else {"scope": pause.scope, "reason": pause.reason},
        "capabilities": {
            "edit": able.edit,
            "delete": able.delete,
            "alt_text": able.alt_text,
            "lookup": able.lookup,
            "idempotent": able.idempotent,
            "reply": able.reply,
        },
        "policy": {kind.value: manner(account.policy, able, kind) for kind in Kind},
    }
