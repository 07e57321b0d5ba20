"""A command for each operation that anybody can copy into a shell. Pure; quotes everything that is not ours."""

from __future__ import annotations

import shlex
from typing import Any
from urllib.parse import quote, urlencode

import orjson

Json = dict[str, Any]


def curl(origin: str, method: str, path: str, operation: Json) -> str:
    """A command that does it, once the token and the ids are your own."""
    headers, query = [], {}
    if operation["security"]:
        headers.append('"Authorization: Bearer $TOKEN"')
    for one in operation.get("parameters", ()):
        example = str(one.get("example", f"<{one['name']}>"))
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", quote(example, safe=""))
        elif one.get("required") and one["in"] == "query":
            query[one["name"]] = example
        elif one.get("required"):
            headers.append(shlex.quote(f"{one['name']}: {example}"))
    url = origin + path + (f"?{urlencode(query)}" if query else "")
    data: list[str] = []
    for media, content in operation.get("requestBody", {"content": {}})["content"].items():
        data = _data(media, content.get("example"), headers)
    verb = [] if method == "get" else [f"-X {method.upper()}"]
    parts = [f"curl {' '.join([*verb, shlex.quote(url)])}", *(f"-H {one}" for one in headers)]
    return " \\\n  ".join([*parts, *data])


def _data(media: str, example: Any, headers: list[str]) -> list[str]:
    if media == "multipart/form-data":
        return ["-F file=@picture.jpg"]
    if media == "application/json":
        headers.append("'Content-Type: application/json'")
        return [f"-d {shlex.quote(orjson.dumps(example, option=orjson.OPT_INDENT_2).decode())}"]
    return [f"-d {shlex.quote(urlencode(example))}"]
