"""The CMSs that may publish here, with sealed secrets, and the messages that were taken lately."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.publishing.domain.errors import Conflict
from services.publishing.domain.inbound.messages import NewSource
from shared.runtime.keys import Vault
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate

REMEMBERED = timedelta(minutes=10)
"""Twice the tolerance of a message's time: an older replay is refused by its time alone."""
SECRET_BYTES = 32


@dataclass(frozen=True)
class InboundSource:
    """One CMS, without its secret."""

    told: NewSource
    created_at: datetime


class InboundStore:
    """The `inbound_sources` and `inbound_seen` collections."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._sources: Collection = database["inbound_sources"]
        self._seen: Collection = database["inbound_seen"]
        self._vault = vault

    async def declare(self) -> None:
        seconds = int(REMEMBERED.total_seconds())
        await self._seen.create_index([("at", 1)], name="ttl", expireAfterSeconds=seconds)

    async def add(self, new: NewSource, now: datetime) -> tuple[InboundSource, str]:
        """The source and its fresh secret, which is shown this once. Raises `Conflict`."""
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        if new.kind == "ghost":
            secret = secrets.token_hex(SECRET_BYTES)  # Ghost signs with the text as it stands
        try:
            await self._sources.insert_one(
                {
                    "_id": new.name,
                    **new.model_dump(exclude={"name"}),
                    # A list, because a category's name may hold what a key must not.
                    "section_map": [[old, section] for old, section in new.section_map.items()],
                    "sealed": self._vault.seal({"secret": secret}),
                    "created_at": now,
                }
            )
        except Duplicate as error:
            raise Conflict("name", "another source has this name") from error
        return InboundSource(new, now), secret

    async def all(self) -> list[InboundSource]:
        """Every source, by name."""
        return [_source(one) for one in await self._sources.find({}, sort=[("_id", 1)])]

    async def get(self, name: str) -> tuple[InboundSource, str | None] | None:
        """The source and its secret; None for one sealed with another HERALD_SECRET_KEY."""
        found = await self._sources.find_one({"_id": name})
        if found is None:
            return None
        try:
            return _source(found), str(self._vault.open(found["sealed"])["secret"])
        except ValueError:
            return _source(found), None

    async def remove(self, name: str) -> bool:
        return await self._sources.delete_one({"_id": name})

    async def was_seen(self, name: str, message_id: str) -> bool:
        return await self._seen.find_one({"_id": f"{name}:{message_id}"}, {"_id": 1}) is not None

    async def remember(self, name: str, message_id: str, now: datetime) -> None:
        """This message was taken; until it is, it may be sent again."""
        try:
            await self._seen.insert_one({"_id": f"{name}:{message_id}", "at": now})
        except Duplicate:
            return  # it came twice at a time


def _source(document: Document) -> InboundSource:
    fields = {name: document[name] for name in NewSource.model_fields if name in document}
    fields |= {"name": document["_id"], "section_map": dict(document["section_map"])}
    return InboundSource(NewSource.model_construct(**fields), document["created_at"])
