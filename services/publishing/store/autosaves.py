"""Autosaves in MongoDB, their content as the JSON it came as. A late older one never replaces a newer one."""

from __future__ import annotations

from datetime import datetime

import orjson

from services.publishing.domain.autosaves import GONE_FOR, KEPT, LISTED, Autosave
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate


class AutosaveStore:
    """The `autosaves` collection."""

    def __init__(self, database: Database) -> None:
        self._autosaves: Collection = database["autosaves"]

    async def declare(self) -> None:
        await self._autosaves.create_index(
            [("article_id", 1), ("person", 1), ("saved_at", -1)], name="of_person"
        )
        await self._autosaves.create_index([("expires_at", 1)], name="ttl", expireAfterSeconds=0)

    async def put(self, autosave: Autosave) -> Autosave:
        document = vars(autosave) | {
            # As text: the names inside are the writer's, and a database has its own idea of names.
            "content": orjson.dumps(autosave.content).decode(),
            "expires_at": autosave.saved_at + KEPT,
        }
        key = _key(autosave.article_id, autosave.person, autosave.session)
        older = {"_id": key, "seq": {"$lt": autosave.seq}}
        while True:
            try:
                await self._autosaves.update_one(older, {"$set": document}, upsert=True)
                return autosave
            except Duplicate:
                found = await self._autosaves.find_one({"_id": key})
            # An older one that was inserted in this very instant is replaced at the next try.
            if found and found["seq"] >= autosave.seq:
                return _autosave(found)

    async def drop(
        self, article_id: str, person: str, session: str, seq: int | None, now: datetime
    ) -> None:
        key = _key(article_id, person, session)
        gone: Document = {"content": None, "expires_at": now + GONE_FOR}
        if seq is None:
            await self._autosaves.update_one({"_id": key, "content": {"$ne": None}}, {"$set": gone})
            return
        gone |= {"article_id": article_id, "person": person, "session": session, "seq": seq}
        gone |= {"base_revision": 0, "saved_at": now}
        while True:
            try:
                # Also where none is: the request that brings it may still be on its way.
                await self._autosaves.update_one(
                    {"_id": key, "seq": {"$lte": seq}}, {"$set": gone}, upsert=True
                )
                return
            except Duplicate:
                found = await self._autosaves.find_one({"_id": key}, {"seq": 1})
            if found and found["seq"] > seq:
                return

    async def of_person(self, article_id: str, person: str) -> list[Autosave]:
        found = await self._autosaves.find(
            {"article_id": article_id, "person": person, "content": {"$ne": None}},
            sort=[("saved_at", -1)],
            limit=LISTED,
        )
        return [_autosave(one) for one in found]


def _key(article_id: str, person: str, session: str) -> str:
    return f"{article_id}:{person}:{session}"


def _autosave(document: Document) -> Autosave:
    content = document["content"]
    return Autosave(
        article_id=document["article_id"],
        person=document["person"],
        session=document["session"],
        seq=document["seq"],
        base_revision=document["base_revision"],
        content=None if content is None else orjson.loads(content),
        saved_at=document["saved_at"],
    )
