"""E-mail addresses: one spelling for each mailbox. Accepts only what every relay can carry as ASCII."""

from __future__ import annotations

import re

MAX_ADDRESS = 254
"""RFC 5321, 4.5.3.1.3: a path has 256 octets, two of them the angle brackets."""
MAX_LOCAL = 64

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
MAILBOX = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*", re.ASCII)
"""Dot-atom and host name (RFC 5321, 4.1.2); quoted local parts and address literals are not taken."""


def normalised(address: str) -> str:
    """The address in lower case, an international domain in its ASCII form.

    Raises ValueError with the reason. Lower case in the local part too: no mail system in use tells
    `Ann@` from `ann@`, and a person who signs up twice must not be mailed twice.
    """
    local, at, domain = address.strip().rpartition("@")
    if not at or not local or not domain:
        raise ValueError("must be an address such as ann@example.org")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError("the part after the @ is not a domain") from error
    found = f"{local}@{domain}".lower()
    if len(found) > MAX_ADDRESS or len(local) > MAX_LOCAL:
        raise ValueError("is longer than an address can be")
    if not MAILBOX.fullmatch(found) or "." not in domain:
        raise ValueError("must be an address such as ann@example.org")
    return found
