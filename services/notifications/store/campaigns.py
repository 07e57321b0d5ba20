"""Campaigns, and what the deliveries of each add up to; a change of the sum carries its report."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any

from services.notifications.domain.campaigns import Campaign, Decision, Kind, Tally, tallied
from shared.contracts.events import Outgoing
from shared.contracts.outlets import DeliveryState
from shared.runtime.clock import Clock
from shared.storage.client import Collection, Database, Document
from shared.storage.errors import Duplicate
from shared.storage.outbox import append, declare_outbox, entry

OPEN_BATCH = 100
REOPEN_DAYS = 7
MAIL_DELIVERIES = "deliveries"

_FIELDS = (
    "article_id", "number", "publication", "revision", "headline", "corrections", "acted_at",
    "cut_at", "created_at", "planned",
)  # fmt: skip


class Campaigns:
    """One document for each mailing; `open` while its sum may still change by itself."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.collection: Collection = database["campaigns"]
        self._deliveries: Collection = database[MAIL_DELIVERIES]
        self._clock = clock

    async def declare(self) -> None:
        """Indexes; what was summed up lately is looked at again, in case a crash came between."""
        await self.collection.create_index([("article_id", 1)], name="article")
        await self.collection.create_index(
            [("open", 1)], name="open", partialFilterExpression={"open": True}
        )
        await declare_outbox(self.collection)
        # Not by state as well: a delivery that moves within the index while it is read would be
        # counted twice or not at all.
        await self._deliveries.create_index([("subject.campaign", 1)], name="campaign")
        lately = self._clock.now() - timedelta(days=REOPEN_DAYS)
        await self.collection.update_many(
            {"created_at": {"$gt": lately}, "decision": Decision.SEND.value, "planned": True},
            {"$set": {"open": True}},
        )

    async def create(self, campaign: Campaign) -> None:
        """Enter it once; the line of a second entry is dropped."""
        try:
            await self.collection.update_one(
                {"_id": campaign.id},
                {
                    "$setOnInsert": {
                        **{name: getattr(campaign, name) for name in _FIELDS},
                        "kind": campaign.kind.value,
                        "decision": campaign.decision.value,
                        "tally": _tally_document(campaign.tally),
                        "sequence": campaign.sequence,
                        "open": False,
                    }
                },
                upsert=True,
            )
        except Duplicate:
            return  # another replica entered it in the same instant

    async def planned(self, campaign: Campaign) -> None:
        """All its deliveries are entered: from now on they are summed up, once in any case.

        What an earlier attempt entered and a crash cut off may be more than this one counted.
        """
        await self.collection.update_one(
            {"_id": campaign.id, "planned": False},
            {
                "$set": {
                    "planned": True,
                    "tally": _tally_document(campaign.tally),
                    "open": True,
                }
            },
        )

    async def told(self, article_id: str, less_than: int | None) -> AsyncIterator[str]:
        """Who got an alert of this article, with fewer corrections in it than `less_than`."""
        query = _told(article_id, less_than)
        async for document in self._deliveries.scan(query, {"subject.recipient": 1}):
            yield document["subject"]["recipient"]

    async def count_told(self, article_id: str, less_than: int | None) -> int:
        """How many people `told` would name, each once."""
        rows = await self._deliveries.aggregate(
            [
                {"$match": _told(article_id, less_than)},
                {"$group": {"_id": "$subject.recipient"}},
                {"$count": "people"},
            ]
        )
        return int(rows[0]["people"]) if rows else 0

    async def written_to(self, campaign_id: str) -> set[str]:
        """Whoever has a delivery of this campaign, in whatever state."""
        query = {"subject.campaign": campaign_id}
        return {
            document["subject"]["recipient"]
            async for document in self._deliveries.scan(query, {"subject.recipient": 1})
        }

    async def of_article(self, article_id: str) -> list[Campaign]:
        found = await self.collection.find({"article_id": article_id}, {"outbox": 0})
        return [_campaign(document) for document in found]

    async def get(self, campaign_id: str) -> Campaign | None:
        found = await self.collection.find_one({"_id": campaign_id}, {"outbox": 0})
        return _campaign(found) if found else None

    async def page(self, *, after: str | None, limit: int) -> list[Campaign]:
        """Newest article first, starting below the id `after`."""
        query = {"_id": {"$lt": after}} if after else {}
        found = await self.collection.find(query, {"outbox": 0}, sort=[("_id", -1)], limit=limit)
        return [_campaign(document) for document in found]

    async def open_ones(self, also: Iterable[str]) -> list[Campaign]:
        """What must be summed up: the open ones, and `also` whatever state they are in."""
        query: dict[str, Any] = {"open": True}
        if named := list(also):
            query = {"$or": [query, {"_id": {"$in": named}}]}
        found = await self.collection.find(
            query, {"outbox": 0}, sort=[("_id", -1)], limit=OPEN_BATCH + len(named)
        )
        return [_campaign(document) for document in found]

    async def reopen(self, campaign_id: str) -> None:
        """Say, before it happens, that the sum will change."""
        await self.collection.update_one({"_id": campaign_id}, {"$set": {"open": True}})

    async def counts(self, campaign_id: str) -> dict[DeliveryState, int]:
        """Deliveries by state."""
        return (await self._sums([campaign_id])).get(campaign_id, ({}, None))[0]

    async def tallies(self, campaigns: Iterable[Campaign]) -> dict[str, Tally]:
        """The sum of each campaign now."""
        known = list(campaigns)
        sums = await self._sums([campaign.id for campaign in known]) if known else {}
        found = {}
        for campaign in known:
            counts, milliseconds = sums.get(campaign.id, ({}, campaign.tally.milliseconds))
            found[campaign.id] = tallied(counts, milliseconds)
        return found

    async def _sums(self, ids: list[str]) -> dict[str, tuple[dict[DeliveryState, int], int | None]]:
        rows = await self._deliveries.aggregate(
            [
                {"$match": {"subject.campaign": {"$in": ids}}},
                {
                    "$group": {
                        "_id": {"campaign": "$subject.campaign", "state": "$state"},
                        "count": {"$sum": 1},
                        "milliseconds": {"$max": "$milliseconds"},
                    }
                },
            ]
        )
        found: dict[str, tuple[dict[DeliveryState, int], int | None]] = {}
        for row in rows:
            counts, milliseconds = found.get(row["_id"]["campaign"], ({}, None))
            counts[DeliveryState(row["_id"]["state"])] = row["count"]
            if row["_id"]["state"] == DeliveryState.CONFIRMED.value:
                milliseconds = row["milliseconds"]
            found[row["_id"]["campaign"]] = counts, milliseconds
        return found

    async def settle(self, campaign: Campaign, tally: Tally, report: Outgoing | None) -> bool:
        """Write the new sum, and its report, if nobody has moved the line on in between."""
        update: dict[str, Any] = {
            "$set": {
                "tally": _tally_document(tally),
                "open": tally.state is DeliveryState.WAITING,
                "sequence": campaign.sequence + (report is not None),
            }
        }
        if report is not None:
            appended = append(entry(report, self._clock.now()))
            update["$push"] = appended["$push"]
            update["$set"].update(appended["$set"])
        return await self.collection.update_one(
            {"_id": campaign.id, "sequence": campaign.sequence}, update
        )


def _told(article_id: str, less_than: int | None) -> Document:
    query: Document = {
        "article_id": article_id,
        "subject.kind": Kind.ALERT.value,
        "state": DeliveryState.CONFIRMED.value,
    }
    return query if less_than is None else {**query, "payload.corrections": {"$lt": less_than}}


def _tally_document(tally: Tally) -> Document:
    return {
        "state": tally.state.value,
        "recipients": tally.recipients,
        "milliseconds": tally.milliseconds,
        "reason": tally.reason,
    }


def _campaign(document: Document) -> Campaign:
    tally = document["tally"]
    fields: dict[str, datetime | str | int] = {name: document[name] for name in _FIELDS}
    return Campaign(
        **fields,  # type: ignore[arg-type]
        kind=Kind(document["kind"]),
        decision=Decision(document["decision"]),
        tally=Tally(**{**tally, "state": DeliveryState(tally["state"])}),
        sequence=document["sequence"],
    )
