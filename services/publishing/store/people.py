"""People in MongoDB. Keeps hashes of passwords and recovery codes, and second factors only sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from services.publishing.domain.errors import Conflict
from services.publishing.domain.second_factor import SecondFactor
from services.publishing.store.throttle import ThrottleStore
from services.publishing.store.tokens import TokenStore
from services.publishing.usecases.front_desk import Person
from shared.contracts.identity import Role
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate


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

    async def change(
        self, person_id: str, fields: dict[str, Any], expected: int | None
    ) -> Person | None:
        revision = {"$ifNull": ["$revision", 1]}  # who was added before there were any
        query: Document = {"_id": person_id}
        if expected is not None:
            query["$expr"] = {"$eq": [revision, expected]}
        values: Document = {name: {"$literal": value} for name, value in fields.items()}
        values["revision"] = {"$add": [revision, 1]}
        return _person(await self._users.find_one_and_update(query, [{"$set": values}]))

    async def page(self, after: str | None, limit: int) -> Sequence[Person]:
        query: Document = {"_id": {"$gt": after}} if after else {}
        found = await self._users.find(query, sort=[("_id", 1)], limit=limit)
        return [person for one in found if (person := _person(one))]

    async def replace_password(self, person: Person, password_hash: str) -> bool:
        return await self._users.update_one(
            {"_id": person.id, "password_hash": person.password_hash},
            {"$set": {"password_hash": password_hash}},
        )

    async def offer_secret(self, person_id: str, sealed: bytes) -> bool:
        return await self._users.update_one(
            {"_id": person_id, "second_factor": None}, {"$set": {"pending_secret": sealed}}
        )

    async def begin_second_factor(self, person: Person, factor: SecondFactor) -> bool:
        return await self._users.update_one(
            {"_id": person.id, "second_factor": None, "pending_secret": person.pending_secret},
            {"$set": {"second_factor": asdict(factor), "pending_secret": None}},
        )

    async def spend_step(self, person: Person, step: int) -> bool:
        if person.second_factor is None:
            return False
        return await self._users.update_one(
            {
                "_id": person.id,
                # Of the secret that was looked at: another one has steps of its own.
                "second_factor.sealed": person.second_factor.sealed,
                "second_factor.last_step": {"$lt": step},
            },
            {"$set": {"second_factor.last_step": step}},
        )

    async def spend_recovery(self, person: Person, hashed: str) -> bool:
        return await self._users.update_one(
            {"_id": person.id, "second_factor.recovery": hashed},
            {"$pull": {"second_factor.recovery": hashed}},
        )

    async def end_second_factor(self, person_id: str) -> bool:
        return await self._users.update_one(
            {"_id": person_id, "second_factor": {"$ne": None}},
            {"$set": {"second_factor": None, "pending_secret": None}},
        )


async def declare_people(database: Database) -> None:
    """The indexes of people, tokens and the throttle; `email` is unique by one of them."""
    await PersonStore(database).declare()
    await TokenStore(database, lambda _: None).declare()
    await ThrottleStore(database).declare()


def _person(document: Document | None) -> Person | None:
    if document is None:
        return None
    factor = document.get("second_factor")
    return Person(
        id=document["_id"],
        email=document["email"],
        name=document["name"],
        role=Role[document["role"].upper()],
        password_hash=document["password_hash"],
        disabled=document["disabled"],
        created_at=document["created_at"],
        second_factor=SecondFactor(
            sealed=factor["sealed"],
            last_step=factor["last_step"],
            recovery=tuple(factor["recovery"]),
        )
        if factor
        else None,
        pending_secret=document.get("pending_secret"),
        revision=document.get("revision", 1),
    )
