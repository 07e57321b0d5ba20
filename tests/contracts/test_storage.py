"""One suite over both drivers: what a collection, a database and its files promise, on a real mongod."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.standalone.mongod import Mongod
from shared.storage.client import Collection, Database, open_client
from shared.storage.errors import DocumentTooLarge, Duplicate, StorageUnavailable


@pytest.fixture
def things(either_database: Database) -> Collection:
    return either_database["things"]


async def test_reads_give_back_what_was_written(things: Collection) -> None:
    moment = datetime(2026, 11, 23, 9, 30, 0, 125000, tzinfo=UTC)
    await things.insert_one({"_id": 1, "at": moment, "raw": b"\x00\xff", "tags": ("a", "b")})
    assert await things.find_one({"_id": 1}) == {
        "_id": 1,
        "at": moment,
        "raw": b"\x00\xff",
        "tags": ["a", "b"],
    }
    assert await things.find_one({"_id": 1}, {"tags": 1}) == {"_id": 1, "tags": ["a", "b"]}
    assert await things.find_one({"_id": 2}) is None


async def test_find_sorts_limits_and_scan_streams_everything(things: Collection) -> None:
    for number in range(12):
        await things.insert_one({"_id": number, "even": number % 2 == 0})
    found = await things.find({"even": True}, {"_id": 1}, sort=[("_id", -1)], limit=3)
    assert [one["_id"] for one in found] == [10, 8, 6]
    assert len(await things.find({})) == 12
    streamed = [one["_id"] async for one in things.scan({}, sort=[("_id", 1)], batch_size=5)]
    assert streamed == list(range(12))
    assert await things.count({"even": True}) == 6
    assert await things.count({}, limit=4) == 4


async def test_updates_tell_whether_they_changed_something(things: Collection) -> None:
    assert await things.update_one({"_id": 1}, {"$set": {"n": 1}}) is False
    assert await things.update_one({"_id": 1}, {"$set": {"n": 1}}, upsert=True) is True
    assert await things.update_one({"_id": 1}, {"$set": {"n": 1}}) is False
    assert await things.update_one({"_id": 1}, [{"$set": {"n": {"$add": ["$n", 1]}}}]) is True
    await things.insert_one({"_id": 2, "n": 2})
    assert await things.update_many({"n": 2}, {"$inc": {"n": 5}}) == 2
    assert await things.delete_one({"_id": 1}) is True
    assert await things.delete_one({"_id": 1}) is False
    assert await things.delete_many({}) == 1


async def test_find_one_and_update_answers_the_new_document(things: Collection) -> None:
    assert await things.find_one_and_update({"_id": 1}, {"$inc": {"n": 1}}) is None
    made = await things.find_one_and_update({"_id": 1}, {"$inc": {"n": 1}}, upsert=True)
    assert made == {"_id": 1, "n": 1}
    await things.insert_one({"_id": 2, "n": 9})
    taken = await things.find_one_and_update(
        {}, {"$set": {"taken": True}}, sort=[("n", -1)], projection={"n": 0}
    )
    assert taken == {"_id": 2, "taken": True}


async def test_aggregate_answers_a_list(things: Collection) -> None:
    for number in range(4):
        await things.insert_one({"_id": number, "half": number // 2})
    counted = await things.aggregate(
        [{"$group": {"_id": "$half", "n": {"$sum": 1}}}, {"$sort": {"_id": 1}}]
    )
    assert counted == [{"_id": 0, "n": 2}, {"_id": 1, "n": 2}]


@pytest.mark.parametrize("way", ["insert", "update", "upsert", "find_one_and_update"])
async def test_a_taken_value_is_named_by_its_field(things: Collection, way: str) -> None:
    await things.create_index([("slug", 1)], unique=True, name="slug")
    await things.create_index([("slug", 1)], unique=True, name="slug")  # again changes nothing
    await things.insert_one({"_id": 1, "slug": "taken"})
    await things.insert_one({"_id": 2, "slug": "free"})
    taken = {"$set": {"slug": "taken"}}
    ways: dict[str, Callable[[], Awaitable[Any]]] = {
        "insert": lambda: things.insert_one({"_id": 3, "slug": "taken"}),
        "update": lambda: things.update_one({"_id": 2}, taken),
        "upsert": lambda: things.update_one({"_id": 3}, taken, upsert=True),
        "find_one_and_update": lambda: things.find_one_and_update({"_id": 2}, taken),
    }
    with pytest.raises(Duplicate) as caught:
        await ways[way]()
    assert caught.value.field == "slug"
    with pytest.raises(Duplicate) as caught:
        await things.insert_one({"_id": 1, "slug": "other"})
    assert caught.value.field == "_id"


async def test_a_document_beyond_16_mb_is_refused_in_our_words(things: Collection) -> None:
    big = "x" * (9 * 1024 * 1024)
    with pytest.raises(DocumentTooLarge):
        await things.insert_one({"_id": 1, "a": big, "b": big})
    await things.insert_one({"_id": 1, "a": big})
    with pytest.raises(DocumentTooLarge):
        await things.update_one({"_id": 1}, {"$set": {"b": big}})
    assert await things.find_one({"_id": 1}, {"b": 1}) == {"_id": 1}


async def test_files_keep_bytes_and_words(either_database: Database) -> None:
    files = either_database.files("media")
    content = bytes(range(256)) * 2048  # more than one chunk
    assert await files.get("none") is None
    await files.put("a", content, {"type": "image/png"})
    await files.put("empty", b"", {})
    assert await files.get("a") == (content, {"type": "image/png"})
    assert await files.get("empty") == (b"", {})
    await asyncio.sleep(0.002)  # the newest wins by the millisecond
    await files.put("a", b"new", {"type": "image/gif"})
    assert await files.get("a") == (b"new", {"type": "image/gif"})


async def test_what_a_crash_left_of_an_upload_stops_no_later_one(either_database: Database) -> None:
    files = either_database.files("media")
    await files.put("a", b"x" * 1000, {})
    await either_database["media.files"].delete_many({})  # the chunks stay, as after kill -9
    assert await files.get("a") is None
    await files.put("a", b"whole", {})
    assert await files.get("a") == (b"whole", {})


async def test_ping_and_drop(either_database: Database) -> None:
    await either_database.ping()
    await either_database["things"].insert_one({"_id": 1})
    await either_database.drop()
    assert await either_database["things"].count({}) == 0


@pytest.fixture
def private_mongod(tmp_path: Path) -> Any:
    """A server of our own that a test may kill."""
    server = Mongod(tmp_path / "db")
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["motor", "pymongo"])
async def doomed(
    private_mongod: Mongod, request: pytest.FixtureRequest
) -> AsyncIterator[Callable[[str], Database]]:
    async with open_client(
        private_mongod.url, driver=request.param, timeout_seconds=0.6
    ) as databases:
        yield databases


async def test_acknowledged_writes_survive_a_kill_and_absence_is_said_in_our_words(
    private_mongod: Mongod, doomed: Callable[[str], Database]
) -> None:
    database = doomed("test")
    things = database["things"]
    for number in range(40):
        await things.insert_one({"_id": number})
    acknowledged = 40

    async def write_until_it_dies() -> None:
        nonlocal acknowledged
        while True:
            await things.insert_one({"_id": acknowledged})
            acknowledged += 1

    writing = asyncio.create_task(write_until_it_dies())
    await asyncio.sleep(0.3)
    await asyncio.to_thread(private_mongod.kill)
    with pytest.raises(StorageUnavailable):
        await writing
    answers = await asyncio.gather(
        database.ping(),
        things.find_one({}),
        things.find({}),
        things.count({}),
        things.update_one({"_id": 0}, {"$set": {"n": 1}}, upsert=True),
        things.aggregate([{"$match": {}}]),
        things.create_index([("n", 1)]),
        database.files().get("a"),
        database.drop(),
        anext(things.scan({})),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [StorageUnavailable] * len(answers)
    await asyncio.to_thread(private_mongod.start)
    kept = {one["_id"] async for one in things.scan({}, {"_id": 1})}
    assert acknowledged > 40
    assert kept >= set(range(acknowledged))
    await database.ping()
