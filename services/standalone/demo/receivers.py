"""The receiving side of the demo: networks, an inbox and a webhook endpoint that remember what arrived."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web
from aiosmtpd.controller import Controller

from services.social.channels import discover
from services.social.sandbox.app import Sandbox
from services.standalone.ports import free_port


@dataclass
class Mail:
    """One message as the receiving server took it."""

    recipient: str
    message: EmailMessage
    at: datetime


@dataclass
class Hook:
    """One webhook call, its signature already verified."""

    id: str
    type: str
    data: dict[str, Any]
    at: datetime
    signed: bool


def _that_take_back() -> Sandbox:
    """The demo ends with nothing left to see, so a network on which a person has to remove takes no part."""
    return Sandbox([name for name, spec in discover().items() if spec.capabilities.delete])


@dataclass
class Receivers:
    """Everything Herald sends to in the demo, on loopback ports of its own."""

    sandbox: Sandbox = field(default_factory=_that_take_back)
    mails: list[Mail] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    webhook_secret: str | None = None
    sandbox_url: str = ""
    webhook_url: str = ""
    smtp_url: str = ""
    _runners: list[web.AppRunner] = field(default_factory=list)
    _smtp: Controller | None = None

    async def __aenter__(self) -> Self:
        self.sandbox_url = await self._serve(self.sandbox.app())
        app = web.Application()
        app.router.add_post("/hook", self._hook)
        self.webhook_url = f"{await self._serve(app)}/hook"
        port = free_port()
        self._smtp = Controller(_Inbox(self.mails.append), hostname="127.0.0.1", port=port)
        self._smtp.start()
        self.smtp_url = f"smtp://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for runner in self._runners:
            await runner.cleanup()
        if self._smtp:
            self._smtp.stop()

    async def _serve(self, app: web.Application) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def _hook(self, request: web.Request) -> web.Response:
        raw = await request.read()
        body = orjson.loads(raw)
        hook_id = request.headers["webhook-id"]
        signed = _verified(
            self.webhook_secret or "",
            hook_id,
            request.headers["webhook-timestamp"],
            raw,
            request.headers["webhook-signature"],
        )
        self.hooks.append(Hook(hook_id, body["type"], body["data"], datetime.now(UTC), signed))
        return web.Response(status=204)


def _verified(secret: str, id: str, timestamp: str, body: bytes, signatures: str) -> bool:
    """Check a Standard Webhooks v1 signature without using the sender's code."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{id}.{timestamp}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(wanted, given) for given in signatures.split())


class _Inbox:
    """aiosmtpd's hook: called once per accepted message."""

    def __init__(self, keep: Callable[[Mail], None]) -> None:
        self._keep = keep

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        for recipient in envelope.rcpt_tos:
            self._keep(Mail(recipient, message, datetime.now(UTC)))
        return "250 OK"
