"""`herald import` and `herald export`: whole archives in and out, with a bar that says how far it is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import orjson
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from services.publishing.domain.foreign.ghost import PERMALINK
from services.publishing.domain.foreign.mapping import Sections
from services.publishing.domain.foreign.model import Unreadable
from services.standalone.client import ApiError, HeraldClient
from services.standalone.complaints import complain, fail
from services.standalone.console import console
from services.standalone.transfer.loading import Loader, Tally, Unmapped, check_sections
from services.standalone.transfer.pieces import KINDS, open_material
from services.standalone.transfer.shelf import Unfit
from services.standalone.transfer.unloading import Export, Occupied, Unloader
from shared.web.outbound import OutboundPolicy

STATUSES = ("draft", "in_review", "published", "unpublished", "retracted")
HERE = "http://127.0.0.1:8080"
INTERRUPTED = 130

Url = Annotated[str, typer.Option("--url", envvar="HERALD_URL", help="Where Herald answers.")]
Token = Annotated[
    str, typer.Option("--token", envvar="HERALD_TOKEN", help="An administrator's API token.")
]


def import_(
    source: Annotated[
        Path, typer.Argument(exists=True, help="A file, a folder or a zip with pictures beside it.")
    ],
    token: Token,
    url: Url = HERE,
    kind: Annotated[
        str | None, typer.Option(help="wxr, ghost, markdown or herald; guessed if not given.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--source", help="What to call the old system; its host if not given."),
    ] = None,
    section_map: Annotated[
        list[str] | None, typer.Option(help="category=section; may be given several times.")
    ] = None,
    default_section: Annotated[
        str | None, typer.Option(help="The section of what no category leads to.")
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="The old address of a Ghost site (its export lacks it).")
    ] = None,
    permalink: Annotated[
        str, typer.Option(help="How a Ghost site's addresses are made, if not its default.")
    ] = PERMALINK,
    fetch_images: Annotated[
        bool, typer.Option(help="Get pictures that are not among the files from the old site.")
    ] = False,
    private_host: Annotated[
        list[str] | None, typer.Option(help="A host inside your network to fetch pictures from.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Check everything and write nothing.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write what came of each article here (JSON).")
    ] = None,
) -> None:
    """Bring in the articles of WordPress (WXR), Ghost (JSON), Markdown or another Herald. Nobody is told.

    It can be stopped at any time and run again: what is here already is left alone.
    """
    if kind is not None and kind not in KINDS:
        fail(f"--kind must be one of {', '.join(KINDS)}")
    renamed = {}
    for pair in section_map or ():
        old, equals, new = pair.rpartition("=")
        if not (old and equals and new):
            fail(f"--section-map: {pair}: must be category=section")
        renamed[old] = new
    policy = OutboundPolicy(private_host or (), https_only=False) if fetch_images else None
    tally, interrupted = Tally(), False

    async def work() -> None:
        material = open_material(source, kind, name, site, permalink)  # type: ignore[arg-type]
        async with HeraldClient(url, token) as client:
            known = await client.call("GET", "/api/v1/sections")
            sections = Sections(
                {one["slug"]: one["name"] for one in known["items"]}, renamed, default_section
            )
            total = await asyncio.to_thread(check_sections, material, sections)
            with _bar("Checking" if dry_run else "Importing", total) as (progress, task):
                loader = Loader(
                    client,
                    material,
                    sections,
                    policy,
                    tally,
                    lambda: progress.update(task, completed=tally.done),
                    trial=dry_run,
                )
                await loader.run()

    try:
        _run(work(), url)
    except KeyboardInterrupt:
        interrupted = True
    except (Unfit, Unreadable, Unmapped) as error:
        fail(f"{source}: {error}" if isinstance(error, Unreadable) else str(error))
    finally:
        if tally.done:
            _show(tally, dry_run=dry_run)
        if report:
            report.write_bytes(orjson.dumps(_report(tally), option=orjson.OPT_INDENT_2))
    if interrupted:
        complain("interrupted; run the same command again to go on")
        raise typer.Exit(INTERRUPTED)
    if not tally.clean:
        raise typer.Exit(1)


def export(
    folder: Annotated[Path, typer.Argument(file_okay=False, help="A new folder.")],
    token: Token,
    url: Url = HERE,
    status: Annotated[
        list[str] | None, typer.Option(help="Only articles in this status; several times for more.")
    ] = None,
) -> None:
    """Write every article as Markdown with front matter, and pictures and authors, to import elsewhere."""
    wrong = set(status or ()) - set(STATUSES)
    if wrong:
        fail(f"--status must be one of {', '.join(STATUSES)}")

    async def work() -> Export:
        async with HeraldClient(url, token) as client:
            with _bar("Exporting", None) as (progress, task):
                unloader = Unloader(
                    client, folder, set(status or ()), lambda: progress.advance(task)
                )
                return await unloader.run()

    try:
        done: Export = _run(work(), url)
    except Occupied as error:
        fail(str(error))
    except KeyboardInterrupt:
        complain("interrupted; the folder is incomplete, and the next export goes on with it")
        raise typer.Exit(INTERRUPTED) from None
    table = Table("exported", "")
    for name, count in sorted(done.articles.items()):
        table.add_row(f"{name} articles", str(count))
    table.add_row("authors", str(done.authors))
    table.add_row("pictures", str(done.pictures))
    console.print(table)
    for note in done.notes:
        console.print(note, markup=False)


def _run(work: Coroutine[Any, Any, Any], url: str) -> Any:
    try:
        return asyncio.run(work)
    except aiohttp.InvalidURL as error:
        fail(f"{error}: not an address; --url must be such as {HERE}")
    except ApiError as error:
        fail(str(error))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        fail(f"{url}: {error}")


@contextmanager
def _bar(label: str, total: int | None) -> Iterator[tuple[Progress, TaskID]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(show_speed=True),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield progress, progress.add_task(label, total=total)


def _show(tally: Tally, *, dry_run: bool) -> None:
    table = Table("would be" if dry_run else "articles", "")
    for outcome in ("created", "updated", "unchanged"):
        if count := tally.outcomes[outcome]:
            table.add_row(outcome, str(count))
    table.add_row("of these drafts", str(tally.drafts))
    for reason, count in Counter(one.reason for one in tally.left_out).most_common():
        table.add_row(f"left out: {reason}", str(count))
    table.add_row("failed", str(len(tally.failed)))
    table.add_row("pictures taken in", str(tally.pictures))
    table.add_row("pictures missing", str(len(tally.missing_pictures)))
    table.add_row("with notes (see --report)", str(len(tally.notes)))
    console.print(table)
    wrong = [one for one in tally.left_out if one.wrong]
    for one in tally.failed[:20]:
        complain(f"{one['external_id']} {one['title']}: {one['reason']}")
    for left in wrong[:20]:
        complain(f"{left.external_id} {left.what}: {left.reason}")
    for address, reason in list(tally.missing_pictures.items())[:20]:
        console.print(f"picture missing: {address}: {reason}", markup=False, soft_wrap=True)


def _report(tally: Tally) -> dict[str, Any]:
    return {
        "outcomes": dict(tally.outcomes),
        "drafts": tally.drafts,
        "failed": tally.failed,
        "left_out": [
            {"external_id": one.external_id, "title": one.what, "reason": one.reason}
            for one in tally.left_out
        ],
        "notes": tally.notes,
        "pictures": tally.pictures,
        "missing_pictures": tally.missing_pictures,
    }
