"""The export: Markdown with front matter, one index, pictures and authors, in a folder that imports again."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from services.publishing.domain.content import Content
from services.publishing.domain.foreign.front_matter import put_together
from services.standalone.client import HeraldClient
from services.standalone.transfer.pieces import INDEX

PAGE = 50
AT_ONCE = 8
_PICTURE = re.compile(r"\b([0-9a-f]{32})\b")
_FRONT = [name for name in Content.model_fields if name != "body"]


class Occupied(Exception):
    """Raised for a folder that holds something else than an earlier export."""


@dataclass
class Export:
    """What was written."""

    articles: Counter[str] = field(default_factory=Counter)
    """By status."""
    authors: int = 0
    pictures: int = 0
    notes: list[str] = field(default_factory=list)


class Unloader:
    """One run of an export into one folder."""

    def __init__(
        self, client: HeraldClient, folder: Path, statuses: set[str], moved: Callable[[], None]
    ) -> None:
        """Writes only articles in one of the `statuses`; in all where there are none. Raises `Occupied`."""
        if folder.exists() and any(folder.iterdir()) and not (folder / INDEX).exists():
            raise Occupied(f"{folder}: is not empty and holds no export of Herald")
        self._client, self._folder = client, folder
        self._statuses, self._moved = statuses, moved
        self._pictures: set[str] = set()
        self.export = Export()

    async def run(self) -> Export:
        """The index is written last: a folder that has one is complete."""
        (self._folder / "articles").mkdir(parents=True, exist_ok=True)
        (self._folder / INDEX).unlink(missing_ok=True)
        lines = []
        async for item in self._all("/api/v1/exports/articles"):
            article = item["article"]
            if self._statuses and article["status"] not in self._statuses:
                continue
            lines.append(self._article(item))
            self._moved()
        authors = [_profile(one) async for one in self._all("/api/v1/authors")]
        self._remember(authors)
        self.export.authors = len(authors)
        _write(
            self._folder / "authors.json", orjson.dumps(authors, option=orjson.OPT_INDENT_2) + b"\n"
        )
        await self._media()
        _write(self._folder / INDEX, b"".join(orjson.dumps(line) + b"\n" for line in lines))
        return self.export

    async def _all(self, path: str) -> AsyncIterator[Any]:
        cursor = ""
        while True:
            page = await self._client.call("GET", f"{path}?limit={PAGE}{cursor}")
            for item in page["items"]:
                yield item
            if not page.get("next"):
                return
            cursor = f"&cursor={page['next']}"

    def _article(self, item: dict[str, Any]) -> dict[str, Any]:
        """Write the file; the line of the index that goes with it."""
        article = dict(item["article"])
        name = f"articles/{article.get('slug') or article['id']}.md"
        front = {field: article.pop(field) for field in _FRONT if field in article}
        body = article.pop("body", "")
        self._remember([front, body, article])
        _write(self._folder / name, put_together(front, body).encode())
        self.export.articles[article["status"]] += 1
        title = front.get("headline", "")
        self.export.notes += [f"{title}: {note}" for note in item.get("notes", ())]
        return {
            "file": name,
            "source": item["source"],
            "external_id": item["external_id"],
            "article": article,
        }

    def _remember(self, value: Any) -> None:
        """Every picture that is named anywhere."""
        self._pictures.update(_PICTURE.findall(orjson.dumps(value).decode()))

    async def _media(self) -> None:
        folder = self._folder / "media"
        folder.mkdir(exist_ok=True)
        room = asyncio.Semaphore(AT_ONCE)

        async def fetch(media_id: str) -> None:
            async with room:
                for extension in ("jpg", "png"):
                    path = folder / f"{media_id}.{extension}"
                    # Named by its content: what is there from an earlier export is the same.
                    found = path.exists() or await self._client.download(
                        f"/media/{media_id}/original.{extension}"
                    )
                    if isinstance(found, bytes):
                        _write(path, found)
                    if found:
                        self.export.pictures += 1
                        return

        await asyncio.gather(*(fetch(one) for one in sorted(self._pictures)))


def _profile(author: dict[str, Any]) -> dict[str, Any]:
    """An author as `POST /api/v1/authors` takes it."""
    fields = ("slug", "name", "role", "bio", "portrait", "links", "url")
    profile = {name: author[name] for name in fields if author.get(name)}
    if "portrait" in profile:
        portrait = profile["portrait"]
        profile["portrait"] = {"media_id": portrait["media_id"], "alt": portrait["alt"]}
    return profile


def _write(path: Path, content: bytes) -> None:
    """The whole file or none of it."""
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(content)
    partial.replace(path)
