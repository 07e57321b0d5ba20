"""Five hundred articles in, out, in again and out again: the two exports are the same, byte for byte."""

from __future__ import annotations

import filecmp
import time
from pathlib import Path
from typing import Any

import orjson
import pytest


def files(folder: Path) -> list[str]:
    return sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())


@pytest.mark.parametrize("kind", ["wordpress", "ghost"])
async def test_nothing_is_lost_on_the_way(
    open_desk: Any, kind: str, request: Any, tmp_path: Path
) -> None:
    source: Path = request.getfixturevalue(kind)()
    first, report = await open_desk(), tmp_path / "report.json"
    began = time.monotonic()
    told = await first.herald(
        *("import", source, "--section-map", "lokales=city", "--report", report)
    )
    assert told.code == 0, told.err
    took = time.monotonic() - began
    found = orjson.loads(report.read_bytes())
    pages = 0 if kind == "wordpress" else 5
    assert found["outcomes"] == {"created": 500 - pages}
    assert found["failed"] == []
    assert found["missing_pictures"] == {}
    assert found["drafts"] == 30
    assert await first.count() == 500 - pages
    assert await first.count("media") == 12

    began = time.monotonic()
    again = await first.herald(
        "import", source, "--section-map", "lokales=city", "--report", report
    )
    assert again.code == 0, again.err
    assert orjson.loads(report.read_bytes())["outcomes"] == {"unchanged": 500 - pages}
    print(f"\n{kind}: imported in {took:.1f} s, again in {time.monotonic() - began:.1f} s")

    one, two = tmp_path / "one", tmp_path / "two"
    assert (await first.herald("export", one)).code == 0
    assert len(files(one)) == 500 - pages + 12 + 2
    second = await open_desk()
    told = await second.herald("import", one)
    assert told.code == 0, told.err
    assert (await second.herald("export", two)).code == 0
    assert files(one) == files(two)
    _, differing, broken = filecmp.cmpfiles(one, two, files(one), shallow=False)
    assert (differing, broken) == ([], [])
