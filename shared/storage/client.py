"""MongoDB through motor (or PyMongo's own async client): majority reads and writes, one error language."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

from bson.codec_options import CodecOptions
from gridfs.asynchronous import AsyncGridFSBucket
from gridfs.errors import NoFile
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorGridFSBucket
from pymongo import AsyncMongoClient, ReturnDocument, UpdateOne
from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    DuplicateKeyError,
    NotPrimaryError,
    OperationFailure,
    WaitQueueTimeoutError,
    WTimeoutError,
)
from pymongo.errors import (
    DocumentTooLarge as DriverDocumentTooLarge,
)

from shared.storage.errors import DocumentTooLarge, Duplicate, StorageUnavailable

Document = dict[str, Any]
Update = Mapping[str, Any] | Sequence[Mapping[str, Any]]
Driver = Literal["motor", "pymongo"]

P = ParamSpec("P")
R = TypeVar("R")

_AWAY = (AutoReconnect, ConnectionFailure, NotPrimaryError, WaitQueueTimeoutError, WTimeoutError)
_STEPPING_DOWN = {91, 189, 11600, 11602, 10107, 13435, 13436, 50}
_TOO_LARGE = {10334, 17419, 17420}


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except DuplicateKeyError as error:
        keys = (error.details or {}).get("keyPattern") or {"_id": 1}
        raise Duplicate(next(iter(keys))) from error
    except DriverDocumentTooLarge as error:
        raise DocumentTooLarge(str(error)) from error
    except _AWAY as error:
        raise StorageUnavailable(str(error)) from error
    except OperationFailure as error:
        if error.code in _STEPPING_DOWN:
            raise StorageUnavailable(str(error)) from error
        if error.code in _TOO_LARGE:
            raise DocumentTooLarge(str(error)) from error
        raise


def _speaks_our_errors(call: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    @wraps(call)
    async def spoken(*args: P.args, **kwargs: P.kwargs) -> R:
        with _our_errors():
            return await call(*args, **kwargs)

    return spoken


class Collection:
    """The few calls Herald makes on a collection, the same over either driver."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.name: str = raw.name

    @_speaks_our_errors
    async def find_one(
        self, query: Mapping[str, Any], projection: Mapping[str, Any] | None = None
    ) -> Document | None:
        found: Document | None = await self._raw.find_one(query, projection)
        return found

    @_speaks_our_errors
    async def find(
        self,
        query: Mapping[str, Any],
        projection: Mapping[str, Any] | None = None,
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
    ) -> list[Document]:
        """All matches as a list; give a `limit` wherever the result can grow."""
        cursor = self._raw.find(query, projection, limit=limit)
        if sort:
            cursor = cursor.sort(list(sort))
        return [document async for document in cursor]

    async def scan(
        self,
        query: Mapping[str, Any],
        projection: Mapping[str, Any] | None = None,
        *,
        sort: Sequence[tuple[str, int]] = (),
        batch_size: int = 500,
    ) -> AsyncIterator[Document]:
        """Stream all matches without holding them in memory."""
        cursor = self._raw.find(query, projection, batch_size=batch_size)
        if sort:
            cursor = cursor.sort(list(sort))
        while True:
            with _our_errors():
                document = await anext(cursor, None)
            if document is None:
                return
            yield document

    @_speaks_our_errors
    async def insert_one(self, document: Mapping[str, Any]) -> None:
        await self._raw.insert_one(document)

    @_speaks_our_errors
    async def update_one(
        self, query: Mapping[str, Any], update: Update, *, upsert: bool = False
    ) -> bool:
        """True when a document was changed or inserted."""
        result = await self._raw.update_one(query, update, upsert=upsert)
        return bool(result.modified_count or result.upserted_id is not None)

    @_speaks_our_errors
    async def update_many(self, query: Mapping[str, Any], update: Update) -> int:
        result = await self._raw.update_many(query, update)
        return int(result.modified_count)

    @_speaks_our_errors
    async def update_each(self, updates: Sequence[tuple[Mapping[str, Any], Update]]) -> int:
        """Many conditional updates of one document each, in one round trip and no order.

        How many documents were changed; which ones, only the documents can tell.
        """
        operations = [UpdateOne(query, update) for query, update in updates]
        result = await self._raw.bulk_write(operations, ordered=False)
        return int(result.modified_count)

    @_speaks_our_errors
    async def find_one_and_update(
        self,
        query: Mapping[str, Any],
        update: Update,
        *,
        sort: Sequence[tuple[str, int]] = (),
        upsert: bool = False,
        projection: Mapping[str, Any] | None = None,
    ) -> Document | None:
        """The document as it is after the update, or None when nothing matched."""
        changed: Document | None = await self._raw.find_one_and_update(
            query,
            update,
            projection=projection,
            sort=list(sort) or None,
            upsert=upsert,
            return_document=ReturnDocument.AFTER,
        )
        return changed

    @_speaks_our_errors
    async def delete_one(self, query: Mapping[str, Any]) -> bool:
        return bool((await self._raw.delete_one(query)).deleted_count)

    @_speaks_our_errors
    async def delete_many(self, query: Mapping[str, Any]) -> int:
        return int((await self._raw.delete_many(query)).deleted_count)

    @_speaks_our_errors
    async def count(self, query: Mapping[str, Any], limit: int = 0) -> int:
        options = {"limit": limit} if limit else {}
        return int(await self._raw.count_documents(query, **options))

    @_speaks_our_errors
    async def aggregate(self, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        cursor = self._raw.aggregate(list(pipeline))
        if not hasattr(cursor, "__aiter__"):
            cursor = await cursor  # PyMongo's own client answers a coroutine, motor the cursor
        return [document async for document in cursor]

    @_speaks_our_errors
    async def create_index(self, keys: Sequence[tuple[str, Any]], **options: Any) -> None:
        """Declare an index; an equal one that is already there is left as it is."""
        await self._raw.create_index(list(keys), **options)


class Files:
    """GridFS: bytes too large for a document, kept under an id of ours.

    Our id is GridFS's file name: chunks that a crash left behind under a file id would make every
    later upload under that id fail.
    """

    def __init__(self, bucket: Any) -> None:
        self._bucket = bucket

    @_speaks_our_errors
    async def put(self, id: str, content: bytes, metadata: Document) -> None:
        """Keep the bytes; the last complete `put` of an id is the one that `get` answers."""
        await self._bucket.upload_from_stream(id, content, metadata=metadata)

    @_speaks_our_errors
    async def get(self, id: str) -> tuple[bytes, Document] | None:
        """Content and metadata, or None where there is no such file."""
        try:
            stream = await self._bucket.open_download_stream_by_name(id)
        except NoFile:
            return None
        return await stream.read(), dict(stream.metadata or {})


class Database:
    """One service's database. `driver` is visible so that the storage suite can name its runs."""

    def __init__(self, raw: Any, driver: Driver) -> None:
        self._raw = raw
        self.driver = driver

    def __getitem__(self, name: str) -> Collection:
        return Collection(self._raw[name])

    def files(self, name: str = "files") -> Files:
        bucket = (
            AsyncIOMotorGridFSBucket(self._raw, name)
            if self.driver == "motor"
            else AsyncGridFSBucket(self._raw, name)
        )
        return Files(bucket)

    @_speaks_our_errors
    async def collection_names(self) -> list[str]:
        """Every collection there is, sorted."""
        return sorted(await self._raw.list_collection_names())

    @_speaks_our_errors
    async def ping(self) -> None:
        """Raise `StorageUnavailable` when there is no primary to talk to."""
        await self._raw.command("ping")

    @_speaks_our_errors
    async def drop(self) -> None:
        """Delete the whole database (tests and `herald restore`)."""
        await self._raw.client.drop_database(self._raw.name)


@asynccontextmanager
async def open_client(
    url: str, *, driver: Driver = "motor", timeout_seconds: float = 5.0
) -> AsyncIterator[Callable[[str], Database]]:
    """A client for `url`; yields a function from database name to `Database`. Connects lazily."""
    client_type: Any = AsyncIOMotorClient if driver == "motor" else AsyncMongoClient
    client = client_type(
        url,
        w="majority",
        journal=True,
        readConcernLevel="majority",
        retryWrites=True,
        tz_aware=True,
        uuidRepresentation="standard",
        serverSelectionTimeoutMS=int(timeout_seconds * 1000),
        connectTimeoutMS=int(timeout_seconds * 1000),
        socketTimeoutMS=int(timeout_seconds * 4000),
        appname="herald",
    )
    options: CodecOptions[Document] = CodecOptions(tz_aware=True)
    try:
        yield lambda name: Database(client.get_database(name, codec_options=options), driver)
    finally:
        closing = client.close()
        if closing is not None:
            await closing
