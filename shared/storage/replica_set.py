"""Makes a lone mongod the primary of its own replica set, which majority writes and change streams need."""

from __future__ import annotations

import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

ALREADY_INITIALIZED = 23


def initiate(address: str, *, name: str = "rs0", timeout_seconds: float = 30.0) -> None:
    """Initiate if needed and wait for the primary. Raises TimeoutError. Blocks; call it at start-up."""
    deadline = time.monotonic() + timeout_seconds
    last: Exception | None = None
    client: MongoClient[dict[str, object]] = MongoClient(
        address, directConnection=True, serverSelectionTimeoutMS=500
    )
    try:
        while time.monotonic() < deadline:
            try:
                if client.admin.command("hello").get("isWritablePrimary"):
                    return
                config = {"_id": name, "members": [{"_id": 0, "host": address}]}
                client.admin.command("replSetInitiate", config)
            except OperationFailure as error:
                last = error if error.code != ALREADY_INITIALIZED else _move(client, address)
            except PyMongoError as error:
                last = error
            time.sleep(0.05)
    finally:
        client.close()
    raise TimeoutError(f"{address}: {last or 'no primary'}")


def _move(client: MongoClient[dict[str, object]], address: str) -> Exception | None:
    """The data remembers the port of an earlier start; tell the set its member's present address."""
    config: Any = client.local["system.replset"].find_one()
    if config is None or config["members"][0]["host"] == address:
        return None  # it is the right one and only needs a moment to be elected
    config["members"][0]["host"] = address
    config["version"] += 1
    try:
        client.admin.command("replSetReconfig", config, force=True)
    except OperationFailure as error:
        return error
    return None
