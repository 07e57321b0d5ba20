"""An import that is killed, interrupted or refused: nothing doubled, nothing half, and it says so."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import orjson

MAP = ("--section-map", "lokales=city")


async def some(place: Any, least: int) -> None:
    async with asyncio.timeout(60):
        while await place.count() < least:
            await asyncio.sleep(0.05)


async def test_killed_in_the_middle_and_run_again(
    desk: Any, wordpress: Any, tmp_path: Path
) -> None:
    source, report = wordpress(), tmp_path / "report.json"
    for least in (40, 200):
        process = await desk.start("import", source, *MAP)
        await some(desk, least)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
    before = await desk.count()
    assert before < 500
    told = await desk.herald("import", source, *MAP, "--report", report)
    assert told.code == 0, told.err
    outcomes = orjson.loads(report.read_bytes())["outcomes"]
    assert sum(outcomes.values()) == 500
    assert set(outcomes) == {"created", "unchanged"}
    # What the killed command had asked for may still have been taken in after we counted.
    assert outcomes["unchanged"] >= before
    assert await desk.count() == 500
    async with desk.client() as client:
        seen: set[str] = set()
        cursor = ""
        while True:
            page = await client.call("GET", f"/api/v1/exports/articles?limit=100{cursor}")
            seen |= {(one["source"], one["external_id"]) for one in page["items"]}
            slugs = [one["article"].get("slug", "") for one in page["items"]]
            assert not any(slug.endswith("-2") and slug != "story-2" for slug in slugs)
            if not page["next"]:
                break
            cursor = f"&cursor={page['next']}"
    assert seen == {("old.example", str(n)) for n in range(1, 501)}


async def test_interrupted_from_the_keyboard(desk: Any, wordpress: Any) -> None:
    process = await desk.start("import", wordpress(), *MAP)
    await some(desk, 20)
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert process.returncode == 130
    assert b"run the same command again" in err
    assert b"Traceback" not in err
    assert b"created" in out


async def test_two_at_once_make_one_of_each(desk: Any, ghost: Any) -> None:
    source = ghost(60)
    first, second = await asyncio.gather(
        desk.herald("import", source, *MAP), desk.herald("import", source, *MAP)
    )
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert await desk.count() == 60


async def test_nothing_is_written_while_a_section_is_missing(desk: Any, wordpress: Any) -> None:
    source = wordpress(40)
    told = await desk.herald("import", source)
    assert told.code == 1
    assert "Lokales & mehr (" in told.err
    assert "world, city" in told.err
    told = await desk.herald("import", source, "--section-map", "lokales=nowhere")
    assert told.code == 1
    assert "there is no section nowhere" in told.err
    assert await desk.count() == 0
    told = await desk.herald("import", source, "--default-section", "culture")
    assert told.code == 0, told.err


async def test_a_dry_run_checks_and_writes_nothing(desk: Any, ghost: Any, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    told = await desk.herald("import", ghost(60), *MAP, "--dry-run", "--report", report)
    assert told.code == 0, told.err
    assert orjson.loads(report.read_bytes())["outcomes"] == {"created": 60}
    for collection in ("articles", "media", "authors", "slugs"):
        assert await desk.count(collection) == 0


async def test_a_refused_article_is_named_and_the_others_come(
    desk: Any, ghost: Any, tmp_path: Path
) -> None:
    source, report = ghost(20), tmp_path / "report.json"
    document = orjson.loads(source.read_bytes())
    posts = document["db"][0]["data"]["posts"]
    posts[0]["title"] = "long " * 100
    posts[1]["slug"] = "story-3"
    source.write_bytes(orjson.dumps(document))
    told = await desk.herald("import", source, *MAP, "--report", report)
    assert told.code == 1
    failed = orjson.loads(report.read_bytes())["failed"]
    assert len(failed) == 2
    assert "headline" in told.err
    assert await desk.count() == 18


async def test_what_cannot_be_imported_is_said_in_one_line(desk: Any, tmp_path: Path) -> None:
    for name, content in {
        "a.xml": b"<rss/>",
        "b.json": b'{"data": {}}',
        "c.txt": b"x",
        "d.xml": b"wordpress.org/export <",
        "e.zip": b"PK\x03\x04broken",
    }.items():
        (tmp_path / name).write_bytes(content)
        told = await desk.herald("import", tmp_path / name)
        assert told.code == 1, name
        assert told.err.startswith("error: "), told.err
        assert "Traceback" not in told.err
    told = await desk.herald("import", tmp_path, "--kind", "nonsense")
    assert "--kind must be one of" in told.err
    assert await desk.count() == 0


async def test_a_token_that_may_not_is_refused(desk: Any, ghost: Any) -> None:
    desk.token = "nonsense"
    told = await desk.herald("import", ghost(5), *MAP)
    assert told.code == 1
    assert "Authorization" in told.err
    assert "Traceback" not in told.err
