"""Pictures over HTTP: upload for those signed in, immutable bytes for everybody."""

from __future__ import annotations

import re
from typing import Annotated

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ConfigDict, WithJsonSchema

from services.publishing.api.article_answers import PICTURE
from services.publishing.api.desk_answers import PictureAnswer
from services.publishing.api.refusals import refusing
from services.publishing.domain.stored_pictures import renditions
from services.publishing.store.pictures import PictureStore
from services.publishing.usecases.pictures import Darkroom
from services.publishing.usecases.ports import StoredPicture
from shared.contracts.identity import Role
from shared.web.app import MAX_UPLOAD_BYTES
from shared.web.conditional import holds
from shared.web.description import MULTIPART, Answer, Operation, Parameter, Tag, described
from shared.web.identity import require_role
from shared.web.problems import Problem, not_found
from shared.web.requests import json_response

ENVELOPE_BYTES = 16 * 1024
"""What a multipart body may hold besides the picture."""
MEDIA_ID = re.compile(r"[0-9a-f]{32}")


class Upload(BaseModel):
    """One picture: JPEG, PNG, WebP or GIF, at most 20 MB and 50 million pixels."""

    model_config = ConfigDict(extra="forbid")

    file: Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})]


MEDIA = Tag("Media", "Pictures, cleaned of everything but what is to be seen.")
UPLOAD = Operation(
    "upload_picture",
    "Upload a picture",
    MEDIA,
    {201: Answer("The picture and its stored sizes.", PictureAnswer)},
    role=Role.CONTRIBUTOR,
    text="The same picture again is the same picture.",
    body=Upload,
    body_media=MULTIPART,
)
SERVE = Operation(
    "read_picture",
    "A stored size of a picture",
    MEDIA,
    {200: Answer("Its bytes.", media=("image/jpeg", "image/png"), headers=("ETag",))},
    text="The address names the bytes, so they never change.",
    path=(
        Parameter("id", "32 hex digits.", {"type": "string"}, PICTURE),
        Parameter("file", "The last part of a rendition's `url`.", {"type": "string"}, "w800.jpg"),
    ),
    conditional=True,
)


async def uploaded(request: web.Request) -> bytes:
    """The multipart field `file`, never more than 20 MB of it."""
    if request.content_type != "multipart/form-data":
        raise Problem(415, "The body must be multipart/form-data", field="Content-Type")
    length = request.content_length
    if length is not None and length > MAX_UPLOAD_BYTES + ENVELOPE_BYTES:
        raise _too_large()
    content: bytes | None = None
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name != "file":
                name = getattr(part, "name", None) or "body"
                raise Problem(422, "Unknown field", field=name, detail="send one field: file")
            if content is not None:
                raise Problem(422, "Given twice", field="file")
            content = await _capped(part)
    except (HttpProcessingError, ValueError, RuntimeError, AssertionError, LookupError) as error:
        raise Problem(400, "The body is not well-formed multipart", field="body") from error
    if not content:
        raise Problem(422, "Send the picture in the field file", field="file")
    return content


async def _capped(part: BodyPartReader) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(64 * 1024):
        content += chunk
        if len(content) > MAX_UPLOAD_BYTES:
            raise _too_large()
    return bytes(content)


def _too_large() -> Problem:
    return Problem(413, "A picture may have at most 20 MB", field="file")


def routes(
    pictures: PictureStore, darkroom: Darkroom, public_url: str
) -> list[web.AbstractRouteDef]:
    def as_json(picture: StoredPicture) -> dict[str, object]:
        return {
            "media_id": picture.id,
            "width": picture.width,
            "height": picture.height,
            "renditions": [
                one.model_dump(mode="json")
                for one in renditions(picture.id, picture.renditions, public_url)
            ],
        }

    async def upload(request: web.Request) -> web.Response:
        person = await require_role(request, Role.CONTRIBUTOR)
        picture = await darkroom.take_in(await uploaded(request), person)
        return json_response(as_json(picture), status=201)

    async def serve(request: web.Request) -> web.Response:
        media_id, file = request.match_info["id"], request.match_info["file"]
        if not MEDIA_ID.fullmatch(media_id):
            raise not_found("picture")
        etag = f"{media_id}-{file}"
        # The address names the bytes, so what a reader holds is never out of date; but only what
        # is there may be said to be unchanged.
        found = await pictures.content(media_id, file)
        if found is None:
            raise not_found("picture")
        content, media_type = found
        headers = {
            "ETag": f'"{etag}"',
            "Cache-Control": "public, max-age=31536000, immutable",
        }
        if holds(request, etag):
            return web.Response(status=304, headers=headers)
        return web.Response(body=content, content_type=media_type, headers=headers)

    return [
        described(web.post("/api/v1/media", refusing(upload)), UPLOAD),
        described(web.get("/media/{id}/{file}", serve), SERVE),
    ]
