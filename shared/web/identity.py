"""Who is asking: bearer tokens that every service verifies offline, and the roles they carry."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from aiohttp import web

from shared.contracts.identity import Role, Scope
from shared.runtime.clock import Clock
from shared.runtime.ids import new_id
from shared.runtime.keys import KeyRing
from shared.storage.client import Collection
from shared.web.problems import Problem
from shared.web.scopes import needed, reaches

ISSUER = "herald"
ALGORITHM = "HS256"
REVOCATIONS_FRESH_SECONDS = 2.0


@dataclass(frozen=True)
class Identity:
    """The person or program behind a request."""

    subject: str
    name: str
    role: Role
    token_id: str
    scopes: frozenset[str] | None = None
    """What a limited token is limited to; None for one that reaches all that the role allows."""


class Revocations:
    """Ids of dead tokens in this service's own database, read again every two seconds."""

    def __init__(self, collection: Collection, clock: Clock) -> None:
        self._collection = collection
        self._clock = clock
        self._known: set[str] = set()
        self._added: set[str] = set()
        """By this process since it last began to read: the read may not have seen them."""
        self._read_at: datetime | None = None
        self._reading = asyncio.Lock()

    async def declare(self) -> None:
        await self._collection.create_index([("expires_at", 1)], name="ttl", expireAfterSeconds=0)

    async def add(self, token_id: str, expires_at: datetime) -> None:
        await self._collection.update_one(
            {"_id": token_id}, {"$set": {"expires_at": expires_at}}, upsert=True
        )
        self._known.add(token_id)
        self._added.add(token_id)

    async def holds(self, token_id: str) -> bool:
        if not self._fresh():
            async with self._reading:
                if not self._fresh():
                    await self._read()
        return token_id in self._known

    def _fresh(self) -> bool:
        # A clock that was set back must not make old news fresh until it has caught up.
        return self._read_at is not None and (
            abs((self._clock.now() - self._read_at).total_seconds()) <= REVOCATIONS_FRESH_SECONDS
        )

    async def _read(self) -> None:
        now = self._clock.now()
        self._added.clear()
        found = await self._collection.find({}, {"_id": 1})
        self._known = {document["_id"] for document in found} | self._added
        self._read_at = now


class Identities:
    """Issues and verifies tokens with a key derived from the one secret."""

    def __init__(self, keys: KeyRing, clock: Clock, revocations: Revocations | None = None) -> None:
        self._key = keys.derive("identity")
        self._clock = clock
        self._revocations = revocations

    def issue(
        self,
        subject: str,
        name: str,
        role: Role,
        lifetime: timedelta,
        scopes: Iterable[str] | None = None,
    ) -> tuple[str, str, datetime]:
        """A token, its id and when it expires. `scopes` limit it (RFC 8693, section 4.2)."""
        now = self._clock.now()
        token_id, expires = new_id(), now + lifetime
        claims: dict[str, str | int] = {
            "iss": ISSUER,
            "sub": subject,
            "name": name,
            "role": role.name.lower(),
            "jti": token_id,
            "iat": int(now.timestamp()),
            "exp": int(expires.timestamp()),
        }
        if scopes is not None:
            claims["scope"] = " ".join(scopes)
        return jwt.encode(claims, self._key, ALGORITHM), token_id, expires

    async def verify(self, token: str) -> Identity:
        """Raises a 401 `Problem` naming the Authorization header."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                options={
                    "require": ["exp", "iat", "sub", "jti", "role"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            if claims["exp"] <= self._clock.now().timestamp():
                raise jwt.ExpiredSignatureError("the token has expired")
            identity = Identity(
                str(claims["sub"]),
                str(claims.get("name", "")),
                Role[claims["role"].upper()],
                str(claims["jti"]),
                # Present but empty is a token that reaches nothing, never one that reaches all.
                frozenset(claims["scope"].split()) if "scope" in claims else None,
            )
        except (
            jwt.PyJWTError,
            KeyError,
            AttributeError,
            TypeError,
            ValueError,
            RecursionError,
        ) as error:
            raise _unauthorized(str(error) or "the token is not valid") from error
        if self._revocations and await self._revocations.holds(identity.token_id):
            raise _unauthorized("the token was revoked")
        return identity

    async def revoke(self, token_id: str, expires_at: datetime) -> None:
        """Refuse the token in this process at once; other processes learn of it by the event."""
        if self._revocations:
            await self._revocations.add(token_id, expires_at)


def _unauthorized(detail: str) -> Problem:
    return Problem(
        401,
        "Sign in first",
        field="Authorization",
        detail=detail,
        headers={"WWW-Authenticate": 'Bearer realm="herald"'},
    )


IDENTITIES: web.AppKey[Identities] = web.AppKey("identities", Identities)


async def require_role(request: web.Request, role: Role) -> Identity:
    """The caller, who must hold at least `role`: 401 for nobody, 403 for too little.

    A limited token must also hold the scope that `shared.web.scopes` asks for this route.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthorized("send Authorization: Bearer <token>")
    identity = await request.app[IDENTITIES].verify(token.strip())
    if identity.role < role:
        raise Problem(
            403,
            "Your role does not allow this",
            field="Authorization",
            detail=f"this needs the role {role.name.lower()}; yours is {identity.role.name.lower()}",
        )
    if identity.scopes is not None:
        _require_scope(request, identity.scopes)
    return identity


def _require_scope(request: web.Request, scopes: frozenset[str]) -> None:
    resource = request.match_info.route.resource
    route = resource.canonical if resource else request.path
    if reaches(scopes, request.method, route):
        return
    needs = needed(request.method, route)
    if isinstance(needs, Scope):
        detail = f"this needs the scope {needs}; yours are {' '.join(sorted(scopes)) or 'none'}"
        challenge = f'Bearer realm="herald", error="insufficient_scope", scope="{needs}"'
    else:
        detail = "no token that is limited to scopes may do this"
        challenge = 'Bearer realm="herald", error="insufficient_scope"'  # RFC 6750, section 3.1
    raise Problem(
        403,
        "Your token does not reach this far",
        field="Authorization",
        detail=detail,
        headers={"WWW-Authenticate": challenge},
    )
