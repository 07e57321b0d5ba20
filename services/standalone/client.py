"""A client of Herald's own REST API, for the command line and the demo. Uses nothing that others cannot."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import frontmatter
import orjson
import yaml

FINAL = {"confirmed", "failed", "missed", "cancelled"}


class ApiError(Exception):
    """Raised when Herald answers with a problem; the text names the field."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status, self.problem = status, problem
        errors = problem.get("errors")
        said = "; ".join(
            f"{item.get('field')}: {item.get('message')}"
            for item in (errors if isinstance(errors, list) else [])
            if isinstance(item, dict)  # a proxy in between may answer JSON of its own
        )
        super().__init__(f"{status} {problem.get('title', '')}{': ' + said if said else ''}")


class BadFile(Exception):
    """Raised for a file that cannot be made an article; the text names the file and says why."""


class Unsendable(aiohttp.ClientError):
    """Raised for what cannot be put into a request; the text never repeats it."""


class HeraldClient:
    """One signed-in connection to one installation."""

    def __init__(self, url: str, token: str) -> None:
        """Raises `aiohttp.InvalidURL` or `Unsendable`."""
        if url.startswith("//"):  # of any scheme, which the client does not choose
            raise aiohttp.InvalidURL(url)
        if not token.isprintable():
            raise Unsendable("the token has a line end or something else in it that is no text")
        self.url = url.rstrip("/")
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {self._token}"})
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session:
            await self._session.close()

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise RuntimeError("use it as `async with HeraldClient(...)`")
        async with self._session.request(method, f"{self.url}{path}", **options) as response:
            yield response

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        revision: int | None = None,
        data: aiohttp.FormData | None = None,
    ) -> Any:
        """One request; the parsed answer. Raises `ApiError` or `Unsendable`."""
        headers = {} if revision is None else {"If-Match": f'"{revision}"'}
        options: dict[str, Any] = {"headers": headers}
        if data is not None:
            options["data"] = data
        elif method not in {"GET", "DELETE"}:
            headers["Content-Type"] = "application/json"
            try:
                options["data"] = orjson.dumps(body or {})
            except TypeError as error:  # arguments that a terminal sent in another encoding
                raise Unsendable("what was typed in is not UTF-8") from error
        async with self._answer(method, path, **options) as response:
            raw = await response.read()
            if response.status >= 400:
                raise ApiError(response.status, _problem(raw))
            try:
                return orjson.loads(raw) if raw else None
            except orjson.JSONDecodeError as error:
                title = "but this is not Herald's answer; is the address right?"
                raise ApiError(response.status, {"title": title}) from error

    async def page(self, path: str) -> tuple[int, str]:
        """A public address as a reader gets it: status and text."""
        async with self._answer("GET", path, headers={"Authorization": ""}) as response:
            return response.status, await response.text()

    async def is_there(self, path: str) -> bool:
        """Whether a public address answers 200."""
        async with self._answer("HEAD", path) as response:
            return response.status == 200

    async def download(self, path: str) -> bytes | None:
        """The bytes of a public address; None where there is nothing. Raises `ApiError`."""
        async with self._answer("GET", path) as response:
            raw = await response.read()
            if response.status == 404:
                return None
            if response.status != 200:
                raise ApiError(response.status, _problem(raw))
            return raw

    async def create_from_file(self, path: Path) -> dict[str, Any]:
        """An article from Markdown with front matter; its lead image is uploaded first.

        Raises `BadFile` or `ApiError`.
        """
        fields = article_fields(path)
        image = fields.get("lead_image")
        if isinstance(image, dict) and "file" in image:
            source = path.parent / str(image.pop("file"))
            if not source.is_file():
                raise BadFile(f"{path}: lead_image.file: there is no {source}")
            image["media_id"] = await self.upload(source)
        created: dict[str, Any] = await self.call("POST", "/api/v1/articles", fields)
        return created

    async def publish_file(self, path: Path) -> dict[str, Any]:
        """`create_from_file`, then publish. A refusal leaves no draft behind to hold the slug.

        Raises `BadFile` or `ApiError`.
        """
        article = await self.create_from_file(path)
        try:
            return await self.act(article, "publish")
        except ApiError:
            with suppress(ApiError):  # the first refusal is the one to tell
                draft = f"/api/v1/articles/{article['id']}"
                await self.call("DELETE", draft, revision=article["revision"])
            raise

    async def upload(self, path: Path) -> str:
        """Upload an image; its media id."""
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return await self.upload_bytes(path.read_bytes(), path.name, kind)

    async def upload_bytes(
        self, content: bytes, name: str = "picture", kind: str = "application/octet-stream"
    ) -> str:
        """Upload an image that is in memory; its media id."""
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name, content_type=kind)
        answer = await self.call("POST", "/api/v1/media", data=form)
        media_id: str = answer["media_id"]
        return media_id

    async def act(
        self, article: dict[str, Any], act: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """publish, correct, retract or unpublish, at the revision in hand."""
        changed: dict[str, Any] = await self.call(
            "POST", f"/api/v1/articles/{article['id']}/{act}", body, revision=article["revision"]
        )
        return changed

    async def fanout(self, article_id: str) -> dict[str, Any]:
        board: dict[str, Any] = await self.call("GET", f"/api/v1/articles/{article_id}/fanout")
        return board

    async def boards(
        self, article_id: str, *, timeout_seconds: float, every: float = 0.1
    ) -> AsyncIterator[dict[str, Any]]:
        """The board again and again until everything on it is settled or the time is up."""
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        while True:
            board = await self.fanout(article_id)
            yield board
            if board["settled"] or asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(every)


def _problem(raw: bytes) -> dict[str, Any]:
    try:
        problem = orjson.loads(raw)
    except orjson.JSONDecodeError:
        problem = None
    if isinstance(problem, dict):
        return problem
    return {"title": raw.decode("utf-8", "replace")[:200]}


def article_fields(path: Path) -> dict[str, Any]:
    """The front matter and the body as the API takes them; dates that YAML made become text again.

    Raises `BadFile`.
    """
    try:
        post = frontmatter.loads(path.read_text(encoding="utf-8"))
        fields: dict[str, Any] = orjson.loads(orjson.dumps({**post.metadata, "body": post.content}))
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise BadFile(f"{path}: {error}") from error
    return fields
