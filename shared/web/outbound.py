"""The one client for addresses that a user gave: only public hosts, no redirects, size and time capped.

Never trusts a name: the address that is actually connected to is what is checked, so a name that
resolves differently the second time gains nothing.
"""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

MAX_BYTES = 64 * 1024
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Special-purpose ranges (IANA registries, RFC 6890) that some Python versions call global.
_SPECIAL = tuple(
    ipaddress.ip_network(network) for network in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")
)


class Forbidden(ValueError):
    """Raised for an address that outbound requests must not reach."""


def is_public(address: str) -> bool:
    """False for every private, loopback, link-local, multicast, reserved or translated range."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        # Outside 2000::/3 nothing is global unicast (RFC 4291): there are the IPv4-compatible, NAT64
        # and site-local forms, some of which Python calls global.
        if ip not in _GLOBAL_UNICAST or ip.sixtofour or ip.teredo:
            return False
    if any(ip in network for network in _SPECIAL):
        return False
    return ip.is_global and not ip.is_multicast


class OutboundPolicy:
    """Which hosts may be reached. `allowed` names private ones by exact name or address."""

    def __init__(self, allowed: Sequence[str] = (), *, https_only: bool = True) -> None:
        self._allowed = {name.lower() for name in allowed}
        self._https_only = https_only

    def permits_host(self, host: str) -> bool:
        return host.lower().strip("[]") in self._allowed

    def check_url(self, url: str) -> None:
        """Raises `Forbidden` with the reason; call it when the address is registered."""
        try:
            # yarl is what aiohttp itself connects by, so digits in other scripts cannot hide an address.
            parts = URL(url)
            port, host = parts.explicit_port, parts.raw_host
        except (ValueError, TypeError) as error:
            raise Forbidden(f"not an address: {error}") from error
        if not host or "%" in host.partition("%25")[0] or any(ord(char) < 33 for char in url):
            raise Forbidden("must be an absolute http(s) address")
        if "@" in re.split(r"[/?#]", url.partition("//")[2])[0]:
            raise Forbidden("must not contain a user name or password")
        if self.permits_host(host):
            if parts.scheme not in {"http", "https"}:
                raise Forbidden("must start with http:// or https://")
            return
        if parts.scheme != "https" and (self._https_only or parts.scheme != "http"):
            raise Forbidden("must start with https://")
        if port not in {None, 80, 443}:
            raise Forbidden("must use the usual port")
        literal = _literal(host)
        if literal is not None and not is_public(literal):
            raise Forbidden("must not be a private or special address")
        if literal is None and (
            "." not in host
            or host.endswith((".local", ".internal", ".localhost", "."))
            or not _can_be_named(host)
        ):
            raise Forbidden("must be a public host name")

    def check_address(self, host: str, address: str) -> None:
        """Raises `Forbidden` unless this resolved address may be connected to for this host."""
        if not (self.permits_host(host) or self.permits_host(address) or is_public(address)):
            raise Forbidden(f"{host} resolves to a private or special address")


def _literal(host: str) -> str | None:
    """The IP address a host spells, also in the shorthand forms that inet_aton takes (127.1, 0x7f.1)."""
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def _can_be_named(host: str) -> bool:
    """False for what no resolver takes: an empty or endless part, or digits at the end that are no address."""
    labels = host.split(".")
    return all(0 < len(label) < 64 for label in labels) and not labels[-1].isdigit()


class _GuardedResolver(AbstractResolver):
    """Checks what a name resolves to, and remembers where the allowed private names lead."""

    def __init__(self, policy: OutboundPolicy) -> None:
        self._policy = policy
        self._inner = ThreadedResolver()
        self.passed: set[str] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for result in found:
            try:
                self._policy.check_address(host, result["host"])
            except Forbidden as error:
                raise OSError(
                    errno.EACCES, str(error)
                ) from error  # what aiohttp expects of a resolver
            if self._policy.permits_host(host):
                self.passed.add(result["host"])
        return found

    async def close(self) -> None:
        await self._inner.close()


def guarded_session(policy: OutboundPolicy, **options: Any) -> aiohttp.ClientSession:
    """A session whose every connection is checked at connect time; use `guarded_request` with it."""
    resolver = _GuardedResolver(policy)

    def checked_socket(info: tuple[Any, ...]) -> socket.socket:
        # aiohttp does not ask a resolver about literal addresses; this sees every connection.
        family, kind, protocol, _, address = info
        literal = str(address[0])
        if not (literal in resolver.passed or policy.permits_host(literal) or is_public(literal)):
            raise OSError(errno.EACCES, f"{literal} is a private or special address")
        return socket.socket(family=family, type=kind, proto=protocol)

    connector = aiohttp.TCPConnector(
        resolver=resolver, socket_factory=checked_socket, use_dns_cache=False
    )
    return aiohttp.ClientSession(connector=connector, trust_env=False, **options)


class LazySession:
    """A session that is made at its first use, inside the running loop, and closed once."""

    def __init__(self, make: Callable[[], aiohttp.ClientSession]) -> None:
        self._make = make
        self._session: aiohttp.ClientSession | None = None

    def __call__(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = self._make()
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def guarded_request(
    session: aiohttp.ClientSession,
    policy: OutboundPolicy,
    method: str,
    url: str,
    *,
    timeout_seconds: float = 15.0,
    max_bytes: int = MAX_BYTES,
    **options: Any,
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower case) and at most `max_bytes` of the body; redirects are not followed.

    Raises `Forbidden`, or aiohttp's own errors for the caller to sort by phase.
    """
    policy.check_url(url)
    async with session.request(
        method,
        url,
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        **options,
    ) as response:
        body = bytearray()
        async for chunk in response.content.iter_chunked(16 * 1024):
            body += chunk
            if len(body) >= max_bytes:
                break
        return (
            response.status,
            {name.lower(): value for name, value in response.headers.items()},
            bytes(body[:max_bytes]),
        )
