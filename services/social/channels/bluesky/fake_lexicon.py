"""Judges a post record as the lexicons do, with counting of its own. Never lets an unknown field pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

import regex

DATETIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,20})?(Z|[+-]\d\d:\d\d)$", re.ASCII)
LANGUAGE = re.compile(r"^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*$|^i-[a-z]+$")
URI = re.compile(r"^\w+:(?://)?[^\s/]\S*$")
AT_URI = re.compile(r"^at://did:plc:[a-z2-7]{24}/[a-zA-Z.]+/[\w.~:-]+$")
THUMB_BYTES, IMAGE_BYTES = 1_000_000, 2_000_000

# UAX 29 tables 1b and 1c written out, so that the count does not lean on the client's.
_CLUSTER = regex.compile(
    r"\r\n|[\p{GCB=Control}\r\n]"
    r"|\p{GCB=Prepend}*(?:"
    r"\p{GCB=L}*(?:\p{GCB=V}+|\p{GCB=LV}\p{GCB=V}*|\p{GCB=LVT})\p{GCB=T}*|\p{GCB=L}+|\p{GCB=T}+"
    r"|\p{GCB=Regional_Indicator}{2}"
    r"|\p{Extended_Pictographic}(?:\p{GCB=Extend}*\u200d\p{Extended_Pictographic})*"
    r"|\p{InCB=Consonant}(?:[\p{InCB=Extend}\p{InCB=Linker}]*\p{InCB=Linker}"
    r"[\p{InCB=Extend}\p{InCB=Linker}]*\p{InCB=Consonant})*"
    r"|[^\p{GCB=Control}\r\n]"
    r")[\p{GCB=Extend}\u200d\p{GCB=SpacingMark}]*"
    r"|\p{GCB=Prepend}+[\p{GCB=Extend}\u200d\p{GCB=SpacingMark}]*"
)


class Invalid(Exception):
    """A refusal. `name` is the XRPC error, the text its message."""

    def __init__(self, message: str, name: str = "InvalidRequest") -> None:
        super().__init__(message)
        self.name = name


class Blob(Protocol):
    """What was uploaded."""

    @property
    def data(self) -> bytes: ...
    @property
    def media_type(self) -> str: ...


def count_graphemes(text: str) -> int:
    """Extended grapheme clusters by the rules of UAX 29."""
    return len(_CLUSTER.findall(text))


def validate_post(
    record: Any, blobs: Mapping[str, Blob], strong: Callable[[str, str], bool]
) -> None:
    """Raise `Invalid` unless `record` is a valid app.bsky.feed.post.

    `strong(uri, cid)` tells whether that version of that record exists.
    """
    fields = {"$type", "text", "createdAt", "langs", "facets", "embed", "reply", "tags"}
    post = _object(record, "Record", fields, {"text", "createdAt"})
    if post.get("$type") != "app.bsky.feed.post":
        raise Invalid('Invalid $type: expected "app.bsky.feed.post"')
    text = _string(post["text"], "Record/text", max_bytes=3000, max_graphemes=300)
    _created_at(post["createdAt"])
    for language in _array(post.get("langs", []), "Record/langs", 3):
        if not LANGUAGE.match(_string(language, "Record/langs")):
            raise Invalid("Record/langs must be a well-formed BCP 47 language tag")
    for tag in _array(post.get("tags", []), "Record/tags", 8):
        _string(tag, "Record/tags", max_bytes=640, max_graphemes=64)
    _facets(_array(post.get("facets", []), "Record/facets", 100), text.encode())
    if "embed" in post:
        _embed(post["embed"], blobs)
    if "reply" in post:
        reply = _object(post["reply"], "Record/reply", {"root", "parent"}, {"root", "parent"})
        for name, ref in reply.items():
            _object(ref, f"Record/reply/{name}", {"uri", "cid"}, {"uri", "cid"})
            if not AT_URI.match(_string(ref["uri"], f"Record/reply/{name}/uri")):
                raise Invalid(f"Record/reply/{name}/uri must be a valid at-uri")
            if not strong(ref["uri"], ref["cid"]):
                raise Invalid(f"Record/reply/{name} names no existing record")


def _created_at(value: Any) -> None:
    if not DATETIME.match(_string(value, "Record/createdAt")):
        raise Invalid("Record/createdAt must be an valid atproto datetime")
    try:
        datetime.fromisoformat(value)
    except ValueError as error:
        raise Invalid("Record/createdAt must be an valid atproto datetime") from error


def _facets(facets: list[Any], text: bytes) -> None:
    taken = 0
    for facet in sorted(facets, key=_start):
        _object(facet, "facet", {"$type", "index", "features"}, {"index", "features"})
        index = _object(facet["index"], "index", {"byteStart", "byteEnd"}, {"byteStart", "byteEnd"})
        start, end = _integer(index["byteStart"], 0), _integer(index["byteEnd"], 0)
        if not start < end <= len(text):
            raise Invalid("facet lies outside of the text")
        if start < taken:
            raise Invalid("facets overlap")
        taken = end
        try:
            covered = text[start:end].decode()
        except UnicodeDecodeError as error:
            raise Invalid("facet cuts a character") from error
        if not facet["features"]:
            raise Invalid("facet has no features")
        for feature in _array(facet["features"], "features", 4):
            _feature(feature, covered)


def _start(facet: Any) -> int:
    try:
        return int(facet["index"]["byteStart"])
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid("facet must have an index") from error


def _feature(feature: Any, covered: str) -> None:
    kind = feature.get("$type") if isinstance(feature, dict) else None
    if kind == "app.bsky.richtext.facet#link":
        _object(feature, "link", {"$type", "uri"}, {"uri"})
        _uri(feature["uri"], "link/uri")
    elif kind == "app.bsky.richtext.facet#tag":
        _object(feature, "tag", {"$type", "tag"}, {"tag"})
        tag = _string(feature["tag"], "tag", max_bytes=640, max_graphemes=64)
        if covered.lstrip("#＃") != tag:
            raise Invalid("tag differs from the text it covers")
    else:
        raise Invalid(f"unknown facet feature {kind}")


def _embed(embed: Any, blobs: Mapping[str, Blob]) -> None:
    kind = embed.get("$type") if isinstance(embed, dict) else None
    if kind == "app.bsky.embed.external":
        _object(embed, "embed", {"$type", "external"}, {"external"})
        needed = {"uri", "title", "description"}
        external = _object(embed["external"], "external", needed | {"thumb"}, needed)
        _uri(external["uri"], "external/uri")
        _string(external["title"], "external/title")
        _string(external["description"], "external/description")
        if "thumb" in external:
            _image(external["thumb"], blobs, THUMB_BYTES)
    elif kind == "app.bsky.embed.images":
        _object(embed, "embed", {"$type", "images"}, {"images"})
        images = _array(embed["images"], "images", 4)
        if not images:
            raise Invalid("embed/images must not be empty")
        for one in images:
            _object(one, "image", {"image", "alt", "aspectRatio"}, {"image", "alt"})
            _string(one["alt"], "image/alt")
            ratio = one.get("aspectRatio", {"width": 1, "height": 1})
            for side in _object(ratio, "aspectRatio", {"width", "height"}, {"width", "height"}):
                _integer(ratio[side], 1)
            _image(one["image"], blobs, IMAGE_BYTES)
    else:
        raise Invalid(f"Record/embed has an unknown type {kind}")


def _image(ref: Any, blobs: Mapping[str, Blob], limit: int) -> None:
    names = {"$type", "ref", "mimeType", "size"}
    _object(ref, "blob", names, names)
    link = _object(ref["ref"], "blob/ref", {"$link"}, {"$link"})["$link"]
    blob = blobs.get(link) if isinstance(link, str) else None
    if ref["$type"] != "blob" or blob is None:
        raise Invalid(f"Could not find blob: {link}", "BlobNotFound")
    if ref["mimeType"] != blob.media_type or ref["size"] != len(blob.data):
        raise Invalid("Referenced type or size does not match the stored blob", "InvalidMimeType")
    if len(blob.data) > limit:
        size = f"{len(blob.data) / 1024:.2f}KB but the maximum size is {limit / 1024:.2f}KB"
        raise Invalid(f"This file is too large. It is {size}.", "BlobTooLarge")


def _object(value: Any, where: str, known: set[str], needed: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"{where} must be an object")
    if missing := needed - value.keys():
        raise Invalid(f'{where} must have the property "{min(missing)}"')
    if unknown := value.keys() - known:
        raise Invalid(f'{where} has the unknown property "{min(unknown)}"')
    return value


def _array(value: Any, where: str, limit: int) -> list[Any]:
    if not isinstance(value, list):
        raise Invalid(f"{where} must be an array")
    if len(value) > limit:
        raise Invalid(f"{where} must not have more than {limit} elements")
    return value


def _string(
    value: Any, where: str, *, max_bytes: int = 1_000_000, max_graphemes: int | None = None
) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{where} must be a string")
    if len(value.encode()) > max_bytes:
        raise Invalid(f"{where} must not be longer than {max_bytes} characters")
    if max_graphemes is not None and count_graphemes(value) > max_graphemes:
        raise Invalid(f"{where} must not be longer than {max_graphemes} graphemes")
    return value


def _integer(value: Any, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise Invalid(f"must be an integer not less than {least}")
    return value


def _uri(value: Any, where: str) -> None:
    if not URI.match(_string(value, where, max_bytes=8192)):
        raise Invalid(f"{where} must be a uri")
