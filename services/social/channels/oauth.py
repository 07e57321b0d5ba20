"""What connecting by consent is on one network, as data: the consent page, the exchange, the renewal, the accounts.

A flow describes; `services.social.oauth` performs. It never keeps a token and never sees a session.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.delivery.errors import OutcomeUnknown

CALLBACK = "/api/v1/channels/callback"
"""Where every network sends people back to, below our public origin; register it with the app."""


@dataclass(frozen=True)
class App:
    """The newsroom's app at a network (RFC 6749, section 2.2)."""

    client_id: str
    client_secret: str = field(repr=False)

    def form(self, **more: str) -> dict[str, str]:
        """How it names itself in the body of a request (RFC 6749, section 2.3.1), before `more`."""
        return {"client_id": self.client_id, "client_secret": self.client_secret, **more}


@dataclass(frozen=True)
class Code:
    """What people come back with, and what proves that we sent them."""

    code: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect_uri: str

    def form(self) -> dict[str, str]:
        """The access token request (RFC 6749, section 4.1.3), as far as it is the same everywhere."""
        return {
            "grant_type": "authorization_code",
            "code": self.code,
            "redirect_uri": self.redirect_uri,
        }


@dataclass(frozen=True)
class Tokens:
    """What a network granted; seconds count from the answer, None is "for good" or "did not say"."""

    access_token: str = field(repr=False)
    expires_in: float | None = None
    refresh_token: str | None = field(default=None, repr=False)
    """What renews it: where a network renews an access token by itself, that token."""
    refresh_expires_in: float | None = None

    def form(self) -> dict[str, str]:
        """The request to renew them (RFC 6749, section 6)."""
        return {"grant_type": "refresh_token", "refresh_token": self.refresh_token or ""}


@dataclass(frozen=True)
class Choice:
    """One account, page or organisation that the consent reaches."""

    id: str
    """The network's own and lasting name of it, by which a reconnection is compared."""
    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings fields that name it to the channel."""
    tokens: Tokens | None = None
    """Its own, where a network gives each page a token."""


class Ask(Protocol):
    """One call to the network; answers its JSON object.

    Raises `AuthDead` (refused), `TryAgain` (not now), or `OutcomeUnknown` (only where it `changes` something).
    """

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        changes: bool = False,
    ) -> dict[str, Any]: ...


@dataclass(frozen=True)
class OAuthFlow:
    """The authorisation code grant (RFC 6749, section 4.1) in one network's dialect.

    The functions get the account's settings as the channel's model, with stand-ins for what is not known yet.
    """

    scopes: tuple[str, ...]
    filled: Mapping[str, str]
    """Settings fields the flow fills, `access_token` first, each with a value that stands in until then."""
    consent: Callable[[Any], str]
    """Address of the page where people consent."""
    exchange: Callable[[Ask, App, Any, Code], Awaitable[Tokens]]
    choices: Callable[[Ask, Any, Tokens], Awaitable[list[Choice]]]
    """What may be posted as; the person chooses where it is more than one."""
    register: Callable[[Ask, Any, str, tuple[str, ...]], Awaitable[App]] | None = None
    """Makes an app at the account's own server, for this redirect address and these scopes; else it is entered."""
    knows: Callable[[Ask, Any, App], Awaitable[bool]] | None = None
    """Whether that server still knows an app that was registered earlier."""
    pkce: bool = True
    """RFC 7636 with S256; off where the network's documentation has no place for it."""
    separator: str = " "
    refresh: Callable[[Ask, App, Any, Tokens], Awaitable[Tokens]] | None = None
    """Renews the tokens; None where only a person can."""


def tokens_of(told: Mapping[str, Any], *, renews_itself: bool = False) -> Tokens:
    """The token answer of RFC 6749, section 5.1. Raises `OutcomeUnknown` where it has no token."""
    access, refresh = told.get("access_token"), told.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise OutcomeUnknown("a success without access_token")
    return Tokens(
        access_token=access,
        expires_in=_seconds(told.get("expires_in")),
        refresh_token=access if renews_itself else refresh if isinstance(refresh, str) else None,
        refresh_expires_in=_seconds(told.get("refresh_token_expires_in")),
    )


def bearer(tokens: Tokens) -> dict[str, str]:
    """The header that shows the token, so that it is in no address."""
    return {"Authorization": f"Bearer {tokens.access_token}"}


LONGEST_SECONDS = 10 * 366 * 86_400.0
"""A longer life is as good as none stated; an instant that far away would not be a date any more."""


def _seconds(value: Any) -> float | None:
    """Networks write numbers, numbers as text, or 0 for "does not expire"."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds < LONGEST_SECONDS else None
