"""Runs the demo on a stack: embedded in this process, or services of their own over a real broker."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from rich.console import Console

from services.standalone.client import HeraldClient
from services.standalone.demo.driver import Driver
from services.standalone.demo.receivers import Receivers
from services.standalone.demo.show import as_json, show
from services.standalone.demo.verdict import judge, latency
from services.standalone.stack import Options, Stack

EXAMPLES = Path(__file__).parents[3] / "examples"


async def embedded(json_file: Path | None, console: Console, probes: int) -> bool:
    """The whole main job in one process; True when everything arrived exactly once."""
    with TemporaryDirectory(prefix="herald-demo-") as folder:
        async with Receivers() as receivers:
            options = Options(
                data=Path(folder),
                port=0,
                sandbox_port=None,
                settings={"smtp_url": receivers.smtp_url},
            )
            async with Stack(options) as stack:
                if stack.ready is None:
                    raise RuntimeError("the stack did not start")
                console.print(f"Herald is up at {stack.ready.url} (embedded)")
                return await main_job(
                    stack.ready.url,
                    stack.ready.admin_token,
                    receivers,
                    json_file,
                    console,
                    probes=probes,
                )


async def main_job(
    url: str,
    token: str,
    receivers: Receivers,
    json_file: Path | None,
    console: Console,
    *,
    probes: int = 0,
) -> bool:
    """Publish the examples, correct one, retract one, and ask the receiving side."""
    files = sorted(EXAMPLES.glob("*.md"))
    async with HeraldClient(url, token) as client:
        driver = Driver(
            client, receivers, lambda text: console.print(text, highlight=False, markup=False)
        )
        await driver.connect()
        stories = await driver.publish(files)
        await driver.correct(stories[0])
        await driver.retract(stories[-1])
        verdict = await judge(client, receivers, stories)
        timed = [*stories, *await driver.probe(probes)]
        speed = latency(receivers, timed)
    show(console, stories, verdict, speed)
    if json_file:
        result: dict[str, Any] = as_json(stories, verdict, speed)
        json_file.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2))
    return verdict.ok
