"""Where a call came from, fit to be stored and counted. Never keeps what cannot be read or is without end."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

AGENT_LENGTH = 200
IPV6_PREFIX = 64
"""One household or one attacker holds a whole /64, so that is what is counted (RFC 6177)."""


@dataclass(frozen=True)
class Caller:
    """Who is at the other end of the line; make one with `caller`."""

    address: str
    network: str
    """What is throttled as one: an IPv4 address, or the /64 of an IPv6 one."""
    agent: str


def caller(address: str, agent: str) -> Caller:
    """`address` as the connection or our own proxy gave it, `agent` as the caller wrote it."""
    shown, network = _places(address)
    return Caller(shown, network, _readable(agent)[:AGENT_LENGTH].strip())


def _places(address: str) -> tuple[str, str]:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        unknown = _readable(address)[:64].strip() or "unknown"
        return unknown, unknown
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            plain = ipaddress.IPv6Address(int(ip))  # without a zone
            return str(plain), str(ipaddress.ip_network((plain, IPV6_PREFIX), strict=False))
        return str(ip.ipv4_mapped), str(ip.ipv4_mapped)
    return str(ip), str(ip)


def _readable(text: str) -> str:
    # A header may carry any byte; half of a surrogate pair could not even be stored.
    return "".join(char for char in text if char.isprintable())
