"""People, tokens and failed sign-ins in MongoDB. Keeps hashes of passwords and no token at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from services.publishing.domain.errors import Conflict
from services.publishing.usecases.change import SOURCE
from services.publishing.usecases.people import Person, Token
from shared.contracts.events import write_event
from shared.contracts.identity import Role, TokenRevoked
from shared.runtime.ids import NewId, new_id
from shared.runtime.tracing import current_traceparent
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate
from shared.storage.outbox import append, declare_outbox, entry

WINDOW = timedelta(minutes=15)
FAILURES = 5


class PersonStore:
    """The `users` collection."""

    def __init__(self, database: Database) -> None:
        self._users: Collection = database["users"]

    async def declare(self) -> None:
        await self._users.create_index([("email", 1)], unique=True)

    async def add(self, person: Person) -> None:
        document = asdict(person) | {"role": person.role.name.lower()}
        document["_id"] = document.pop("id")
        try:
            await self._users.insert_one(document)
        except Duplicate as error:
            raise Conflict("email", "somebody has this e-mail already") from error

    async def get(self, person_id: str) -> Person | None:
        return _person(await self._users.find_one({"_id": person_id}))

    async def by_email(self, email: str) -> Person | None:
        return _person(await self._users.find_one({"email": email}))

    async def change(self, person_id: str, fields: dict[str, Any]) -> Person | None:
        return _person(await self._users.find_one_and_update({"_id": person_id}, {"$set": fields}))

    async def page(self, after: str | None, limit: int) -> Sequence[Person]:
        query: Document = {"_id": {"$gt": after}} if after else {}
        found = await self._users.find(query, sort=[("_id", 1)], limit=limit)
        return [person for one in found if (person := _person(one))]


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

    async def live_of(self, person: str, now: datetime) -> list[Token]:
        found = await self.collection.find(
            {"person": person, "revoked_at": None, "expires_at": {"$gt": now}}, {"outbox": 0}
        )
        return [_token(one) for one in found]

    async def page(self, person: str, after: str | None, limit: int) -> Sequence[Token]:
        """The person's tokens for programs, newest first."""
        query: Document = {"person": person, "kind": "token"}
        if after:
            query["_id"] = {"$lt": after}
        found = await self.collection.find(query, {"outbox": 0}, sort=[("_id", -1)], limit=limit)
        return [_token(one) for one in found]

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


class ThrottleStore:
    """The `signins` collection: attempts per e-mail and address within fifteen minutes."""

    def __init__(self, database: Database) -> None:
        self._attempts: Collection = database["signins"]

    async def declare(self) -> None:
        await self._attempts.create_index([("expires_at", 1)], name="ttl", expireAfterSeconds=0)

    async def begin(self, email: str, address: str, now: datetime) -> int:
        """Count an attempt; answers the seconds to wait, 0 when it may be made.

        It is counted before the password is looked at: a burst of attempts side by side gets no
        more tries than one after the other.
        """
        attempt = new_id()
        recent = {
            "$filter": {
                "input": {"$ifNull": ["$attempts", []]},
                "cond": {"$gt": ["$$this.at", now - WINDOW]},
            }
        }
        document = await self._attempts.find_one_and_update(
            {"_id": _key(email, address)},
            [
                {"$set": {"attempts": recent, "expires_at": now + WINDOW}},
                {
                    "$set": {
                        "attempts": {
                            "$cond": [
                                {"$lt": [{"$size": "$attempts"}, FAILURES]},
                                {
                                    "$concatArrays": [
                                        "$attempts",
                                        [{"id": {"$literal": attempt}, "at": now}],
                                    ]
                                },
                                "$attempts",
                            ]
                        }
                    }
                },
            ],
            upsert=True,
        )
        attempts: list[Document] = (document or {}).get("attempts", [])
        if any(one["id"] == attempt for one in attempts):
            return 0
        oldest: datetime = min(one["at"] for one in attempts)
        return max(1, math.ceil((oldest + WINDOW - now).total_seconds()))

    async def succeeded(self, email: str, address: str) -> None:
        await self._attempts.delete_one({"_id": _key(email, address)})


async def declare_people(database: Database) -> None:
    """The indexes of everything in this module; `email` is unique by one of them."""
    await PersonStore(database).declare()
    await TokenStore(database, lambda _: None).declare()
    await ThrottleStore(database).declare()


def _key(email: str, address: str) -> str:
    return f"{address} {email}"


def _person(document: Document | None) -> Person | None:
    if document is None:
        return None
    return Person(
        id=document["_id"],
        email=document["email"],
        name=document["name"],
        role=Role[document["role"].upper()],
        password_hash=document["password_hash"],
        disabled=document["disabled"],
        created_at=document["created_at"],
    )


def _token(document: Document) -> Token:
    return Token(
        id=document["_id"],
        person=document["person"],
        name=document["name"],
        kind=document["kind"],
        role=Role[document["role"].upper()],
        created_at=document["created_at"],
        expires_at=document["expires_at"],
        revoked_at=document["revoked_at"],
    )
