"""Sessions and tokens in MongoDB: what was issued and what has ended, never a token itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime

from services.publishing.usecases.change import SOURCE
from services.publishing.usecases.front_desk import Kind, Token
from shared.contracts.events import write_event
from shared.contracts.identity import Role, TokenRevoked
from shared.runtime.ids import NewId, new_id
from shared.runtime.tracing import current_traceparent
from shared.storage.client import Collection, Database, Document
from shared.storage.outbox import append, declare_outbox, entry


class TokenStore:
    """The `tokens` collection; a revocation leaves through its document's outbox."""

    def __init__(
        self, database: Database, wake: Callable[[str], None], make_id: NewId = new_id
    ) -> None:
        self.collection: Collection = database["tokens"]
        self._wake = wake
        self._make_id = make_id

    async def declare(self) -> None:
        await declare_outbox(self.collection)
        await self.collection.create_index([("person", 1), ("_id", -1)])
        await self.collection.create_index([("expires_at", 1)], name="ttl", expireAfterSeconds=0)

    async def add(self, token: Token) -> None:
        document = asdict(token) | {"role": token.role.name.lower()}
        document["_id"] = document.pop("id")
        await self.collection.insert_one(document)

    async def get(self, token_id: str) -> Token | None:
        found = await self.collection.find_one({"_id": token_id}, {"outbox": 0})
        return _token(found) if found else None

    async def live_of(self, person: str, now: datetime, kind: Kind | None = None) -> list[Token]:
        query: Document = {"person": person, "revoked_at": None, "expires_at": {"$gt": now}}
        if kind:
            query["kind"] = kind
        return [_token(one) for one in await self.collection.find(query, {"outbox": 0})]

    async def page(self, person: str, after: str | None, limit: int) -> Sequence[Token]:
        """The person's tokens for programs, newest first."""
        return await self._newest({"person": person, "kind": "token"}, after, limit)

    async def sessions(
        self, person: str, now: datetime, after: str | None, limit: int
    ) -> Sequence[Token]:
        """Where the person is signed in now, newest first."""
        live = {"revoked_at": None, "expires_at": {"$gt": now}}
        return await self._newest({"person": person, "kind": "session", **live}, after, limit)

    async def revoke(self, token: Token, now: datetime) -> bool:
        event = write_event(
            TokenRevoked(token_id=token.id, expires_at=token.expires_at),
            id=self._make_id(),
            source=SOURCE,
            subject=token.id,
            time=now,
            traceparent=current_traceparent(),
        )
        update = append(entry(event.outgoing(), now))
        update["$set"]["revoked_at"] = now
        changed = await self.collection.update_one({"_id": token.id, "revoked_at": None}, update)
        if changed:
            self._wake(token.id)
        return changed

    async def _newest(self, query: Document, after: str | None, limit: int) -> Sequence[Token]:
        if after:
            query["_id"] = {"$lt": after}
        found = await self.collection.find(query, {"outbox": 0}, sort=[("_id", -1)], limit=limit)
        return [_token(one) for one in found]


def _token(document: Document) -> Token:
    scopes = document.get("scopes")
    return Token(
        id=document["_id"],
        person=document["person"],
        name=document["name"],
        kind=document["kind"],
        role=Role[document["role"].upper()],
        created_at=document["created_at"],
        expires_at=document["expires_at"],
        revoked_at=document["revoked_at"],
        scopes=None if scopes is None else tuple(scopes),
        address=document.get("address"),
        agent=document.get("agent"),
    )
