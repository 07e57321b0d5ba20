"""The stand-in's repository and blobs: content-addressed, and it forgets no post it ever took."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from PIL import Image, UnidentifiedImageError

from services.social.channels.base import VisiblePost
from services.social.channels.bluesky.fake_account import DID, HANDLE
from services.social.channels.bluesky.fake_lexicon import Invalid, validate_post

COLLECTION = "app.bsky.feed.post"
DAG_CBOR, RAW = 0x71, 0x55
"""Multicodec numbers that a CID begins with."""


@dataclass(frozen=True)
class StoredBlob:
    """An uploaded image."""

    data: bytes
    media_type: str


@dataclass
class Created:
    """One creation of a record; an update or a deletion leaves it here, as the AppView saw it first."""

    uri: str
    cid: str
    record: dict[str, Any]
    received_at: datetime
    root: str
    deleted: bool = False


class FakeRepo:
    """One account's records by record key."""

    def __init__(self) -> None:
        self.blobs: dict[str, StoredBlob] = {}
        self.created: list[Created] = []
        self._live: dict[str, Created] = {}
        self._values: dict[str, tuple[str, dict[str, Any]]] = {}

    def upload(self, data: bytes, content_type: str) -> dict[str, Any]:
        """A blob reference. Raises `Invalid` for anything but a sound image of the stated type."""
        try:
            with Image.open(io.BytesIO(data)) as image:
                image.verify()
                sniffed = Image.MIME.get(image.format or "")
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
            raise Invalid("The blob is not an image", "InvalidMimeType") from error
        if sniffed != content_type:
            raise Invalid(f"Sent as {content_type} but is {sniffed}", "InvalidMimeType")
        cid = _cid(RAW, data)
        self.blobs[cid] = StoredBlob(data, content_type)
        return {"$type": "blob", "ref": {"$link": cid}, "mimeType": content_type, "size": len(data)}

    def put(self, rkey: str, record: Any, body: dict[str, Any], now: datetime, root: str) -> str:
        """The record's CID. The same record again is a no-op; `swapRecord` guards anything else.

        Raises `Invalid`, named InvalidSwap when the key does not hold what `swapRecord` says.
        """
        validate_post(record, self.blobs, self.holds)
        cid = _cid(DAG_CBOR, orjson.dumps(record, option=orjson.OPT_SORT_KEYS))
        current = self._values.get(rkey)
        if current and current[0] == cid:
            return cid
        if "swapRecord" in body and body["swapRecord"] != (current[0] if current else None):
            was = current[0] if current else "null"
            raise Invalid(f"Record was at {was}", "InvalidSwap")
        self._values[rkey] = (cid, record)
        if current is None:
            entry = Created(f"at://{DID}/{COLLECTION}/{rkey}", cid, record, now, root)
            self.created.append(entry)
            self._live[rkey] = entry
        return cid

    def get(self, rkey: str) -> dict[str, Any]:
        """What getRecord answers. Raises `Invalid`, named RecordNotFound."""
        uri = f"at://{DID}/{COLLECTION}/{rkey}"
        if rkey not in self._values:
            raise Invalid(f"Could not locate record: {uri}", "RecordNotFound")
        cid, record = self._values[rkey]
        return {"uri": uri, "cid": cid, "value": record}

    def delete(self, rkey: str) -> None:
        """Deleting what is not there is a success, as on the network."""
        if self._values.pop(rkey, None):
            self._live.pop(rkey).deleted = True

    def holds(self, uri: str, cid: str) -> bool:
        """Whether this version of this record is there."""
        current = self._values.get(uri.rpartition("/")[2])
        return uri.startswith(f"at://{DID}/{COLLECTION}/") and bool(current and current[0] == cid)

    def posts(self) -> list[VisiblePost]:
        """Every creation as people would see it, newest first."""
        return [_seen(entry) for entry in reversed(self.created)]


def _cid(codec: int, data: bytes) -> str:
    """CIDv1, sha2-256, base 32. Over sorted JSON instead of DAG-CBOR: as deterministic, not the same."""
    raw = bytes([1, codec, 0x12, 0x20]) + hashlib.sha256(data).digest()
    return "b" + base64.b32encode(raw).decode().lower().rstrip("=")


def _seen(entry: Created) -> VisiblePost:
    record, embed = entry.record, entry.record.get("embed", {})
    external = embed.get("external")
    features = [facet["features"][0] for facet in record.get("facets", [])]
    links = [feature["uri"] for feature in features if "uri" in feature]
    card = None
    if external:
        card = {name: external[name] for name in ("title", "description", "uri")}
        if "thumb" in external:
            card["image"] = _address(external["thumb"])
    return VisiblePost(
        id=entry.uri,
        author=HANDLE,
        text=record["text"],
        created_at=datetime.fromisoformat(record["createdAt"]),
        received_at=entry.received_at,
        url=f"{entry.root}/profile/{DID}/post/{entry.uri.rpartition('/')[2]}",
        language=next(iter(record.get("langs", [])), None),
        reply_to=record.get("reply", {}).get("parent", {}).get("uri"),
        link=external["uri"] if external else next(iter(links), None),
        card=card,
        images=tuple(
            {"url": _address(image["image"]), "alt": image["alt"]}
            for image in embed.get("images", [])
        ),
        deleted=entry.deleted,
    )


def _address(blob: dict[str, Any]) -> str:
    return f"/blobs/{blob['ref']['$link']}"
