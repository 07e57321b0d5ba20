"""The import itself: pictures and profiles first, then each article by one request that may be repeated.

Keeps nothing on this side: killed at any instant it is simply run again, and what is there already
answers `unchanged`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import orjson

from services.publishing.domain.foreign import front_matter
from services.publishing.domain.foreign.mapping import Sections
from services.publishing.domain.foreign.model import ForeignAuthor, LeftOut
from services.publishing.domain.slugs import slug_from
from services.standalone.client import ApiError, HeraldClient
from services.standalone.transfer.gallery import Gallery
from services.standalone.transfer.pieces import Material, Piece
from shared.web.outbound import OutboundPolicy

AT_ONCE = 8
BATCH = 20
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between the tries of a request that Herald could not take just then."""
R = TypeVar("R")


class Unmapped(Exception):
    """Raised before anything is written when public articles have no section here."""


@dataclass
class Tally:
    """What came of it so far."""

    outcomes: Counter[str] = field(default_factory=Counter)
    drafts: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    missing_pictures: dict[str, str] = field(default_factory=dict)
    pictures: int = 0

    @property
    def done(self) -> int:
        return self.outcomes.total() + len(self.failed) + len(self.left_out)

    @property
    def clean(self) -> bool:
        return not self.failed and not any(one.wrong for one in self.left_out)


def check_sections(material: Material, sections: Sections) -> int:
    """How many there are, left out or not. Raises `Unmapped` naming the categories that lack a section."""
    unknown = sorted(
        {*sections.renamed.values(), sections.default or ""} - {""} - set(sections.known)
    )
    if unknown:
        raise Unmapped(f"there is no section {', '.join(unknown)}; there are {_listed(sections)}")
    lacking: Counter[str] = Counter()
    articles = count = 0
    for terms, public in material.terms():
        articles += 1
        if public and sections.choose(terms)[0] is None:
            count += 1
            lacking.update({term.name for term in terms} or {"(none at all)"})
    if count:
        names = "".join(f"\n  {name} ({number})" for name, number in lacking.most_common(30))
        raise Unmapped(
            f"{count} articles would have no section. Nothing was written. Their categories:{names}\n"
            f"Give --section-map 'category=section' for some of them, or --default-section; "
            f"the sections here are {_listed(sections)}"
        )
    return articles


def _listed(sections: Sections) -> str:
    return ", ".join(sections.known)


class Loader:
    """One run of an import into one installation."""

    def __init__(
        self,
        client: HeraldClient,
        material: Material,
        sections: Sections,
        policy: OutboundPolicy | None,
        tally: Tally,
        moved: Callable[[], None],
        *,
        trial: bool,
    ) -> None:
        self._client, self._material, self._sections = client, material, sections
        self._tally, self._moved, self._trial = tally, moved, trial
        self._gallery = Gallery(client, material.shelf, self._patiently, policy, trial=trial)
        self._authors: dict[str, asyncio.Task[str | None]] = {}
        self._again: list[Piece] = []
        self._media: dict[str, str] = {}

    async def run(self) -> None:
        """Raises `ApiError` for a token that may not import, aiohttp's errors where Herald stays away."""
        try:
            if self._material.kind == "herald":
                await self._own_media()
                await self._own_authors()
            await self._all(self._material.pieces(self._sections), self._one)
            if not self._trial:
                # Once more those that are related to others: by now these others are here.
                await self._all(iter(self._again), self._link)
        finally:
            self._tally.missing_pictures = dict(self._gallery.missing)
            self._tally.pictures = self._gallery.taken
            await self._gallery.close()
            for task in self._authors.values():
                task.cancel()

    async def _all(self, pieces: Iterator[Any], act: Callable[[Any], Awaitable[None]]) -> None:
        queue: asyncio.Queue[Any] = asyncio.Queue(AT_ONCE * 2)

        async def work() -> None:
            while (piece := await queue.get()) is not None:
                await act(piece)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(work())
                # Reading an export is work for the processor, which the requests must not wait for.
                while batch := await asyncio.to_thread(_next, pieces):
                    for piece in batch:
                        await queue.put(piece)
                for _ in range(AT_ONCE):
                    await queue.put(None)
        except ExceptionGroup as group_error:
            raise group_error.exceptions[0] from group_error

    async def _one(self, piece: Piece | LeftOut) -> None:
        if isinstance(piece, LeftOut):
            self._tally.left_out.append(piece)
            self._moved()
            return
        try:
            await self._furnish(piece)
            answer = await self._put(piece)
        except ApiError as error:
            if error.status in {401, 403}:
                raise
            about = {"external_id": piece.external_id, "title": piece.title, "reason": str(error)}
            self._tally.failed.append(about)
        else:
            self._tally.outcomes[answer["outcome"]] += 1
            status = answer.get("status", piece.body.get("status", "draft"))
            self._tally.drafts += status in {"draft", "in_review"}
            if notes := [*piece.notes, *answer["notes"]]:
                about = {"external_id": piece.external_id, "title": piece.title}
                self._tally.notes.append({**about, "notes": notes})
            if piece.body.get("related"):
                self._again.append(piece)
        self._moved()

    async def _link(self, piece: Piece) -> None:
        with suppress(ApiError):  # it was taken in; that somebody works on it by now is no failure
            await self._put(piece)

    async def _put(self, piece: Piece) -> Any:
        path = f"/api/v1/imports/{quote(piece.source, safe='')}/{quote(piece.external_id, safe='')}"
        path += "?trial=true" if self._trial else ""
        return await self._patiently(lambda: self._client.call("PUT", path, piece.body))

    async def _patiently(self, request: Callable[[], Awaitable[R]]) -> R:
        """Every request here may be repeated, so one that was cut off simply is."""
        for pause in PAUSES:
            try:
                return await request()
            except ApiError as error:
                if error.status not in {429, 502, 503, 504}:
                    raise
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError):
                pass
            await asyncio.sleep(pause)
        return await request()

    async def _furnish(self, piece: Piece) -> None:
        """Give the piece its pictures and the profiles of its authors."""
        body = piece.body
        if self._media:
            piece.body = body = _replaced(body, self._media)
        if piece.pictures:
            found = {
                one: await self._gallery.media_id(one, piece.near) for one in set(piece.pictures)
            }
            here = {one: f"/media/{id}/w1600.jpg" for one, id in found.items() if id}
            body["body"] = front_matter.with_pictures(body["body"], here)
        if piece.lead and (id := await self._gallery.media_id(piece.lead.url, piece.near)):
            words = {"alt": piece.lead.alt[:1000], "caption": (piece.lead.caption or "")[:1000]}
            said = {name: value for name, value in words.items() if value}
            body["lead_image"] = {**said, **body.get("lead_image", {}), "media_id": id}
        elif piece.lead:
            body.pop("lead_image", None)
        if piece.share and (id := await self._gallery.media_id(piece.share, piece.near)):
            body.setdefault("share", {})["image"] = {"media_id": id}
        if piece.authors and not self._trial:
            body["bylines"] = [
                {"author": slug} if (slug := await self._profile(author)) else byline
                for author, byline in zip(piece.authors, body.get("bylines", ()), strict=False)
            ]

    async def _profile(self, author: ForeignAuthor) -> str | None:
        """The slug of the author's profile, made where there is none; None where it is somebody else's."""
        slug = author.slug or slug_from(author.name, "")
        if slug not in self._authors:
            self._authors[slug] = asyncio.create_task(self._make_profile(slug, author))
        return await self._authors[slug]

    async def _make_profile(self, slug: str, author: ForeignAuthor) -> str | None:
        profile: dict[str, Any] = {"slug": slug, "name": author.name}
        profile |= {"bio": author.bio[:2000]} if author.bio else {}
        profile |= {"url": author.url} if author.url else {}
        if author.portrait and (id := await self._gallery.media_id(author.portrait)):
            profile["portrait"] = {"media_id": id, "alt": author.name}
        return slug if await self._author(profile) else None

    async def _author(self, profile: dict[str, Any]) -> bool:
        """Whether there is a profile of this person under this slug now."""
        try:
            await self._patiently(lambda: self._client.call("POST", "/api/v1/authors", profile))
        except ApiError as error:
            if error.status == 422:
                return False
            if error.status != 409:
                raise
            path = f"/api/v1/authors/{profile['slug']}"
            known = await self._patiently(lambda: self._client.call("GET", path))
            return bool(known["name"] == profile["name"])
        return True

    async def _own_media(self) -> None:
        """Every picture of a Herald export; it keeps its address where it can."""
        if self._trial:
            return
        names = [one for one in self._material.shelf.names() if one.startswith("media/")]

        async def take(name: str) -> None:
            was, _, extension = name.rpartition("/")[2].partition(".")
            if await self._patiently(
                lambda: self._client.is_there(f"/media/{was}/original.{extension}")
            ):
                return
            id = await self._gallery.media_id(name)
            if id and id != was:
                self._media[was] = id

        await self._all(iter(names), take)

    async def _own_authors(self) -> None:
        if self._trial or "authors.json" not in self._material.shelf.names():
            return
        with self._material.shelf.open("authors.json") as file:
            authors = orjson.loads(file.read())
        for author in authors:
            if not await self._author(_replaced(author, self._media)):
                reason = "another person has a profile under this slug"
                about = {"external_id": str(author.get("slug")), "title": str(author.get("name"))}
                self._tally.failed.append({**about, "reason": reason})


def _next(pieces: Iterator[Any]) -> list[Any]:
    batch = []
    for piece in pieces:
        batch.append(piece)
        if len(batch) == BATCH:
            break
    return batch


def _replaced(value: Any, media: dict[str, str]) -> Any:
    """The same document with every old media id in it replaced, alone or inside an address."""
    if isinstance(value, dict):
        return {name: _replaced(inner, media) for name, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, media) for inner in value]
    if isinstance(value, str):
        for was, now in media.items():
            value = value.replace(was, now)
    return value
