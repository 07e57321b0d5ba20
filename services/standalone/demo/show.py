"""The demo's table and its JSON form."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.standalone.demo.driver import Story
from services.standalone.demo.verdict import Verdict

COLOURS = {"confirmed": "green", "unknown": "yellow", "failed": "red", "missed": "red"}


def board_table(title: str, lines: list[dict[str, Any]]) -> Table:
    """One article's board."""
    table = Table(title=Text(title), title_justify="left", expand=False)
    for name in ("outlet", "operation", "state", "link", "ms"):
        table.add_column(name, justify="right" if name == "ms" else "left", overflow="fold")
    for line in sorted(lines, key=lambda line: (line["revision"], line["outlet"])):
        state = line["state"]
        milliseconds = line.get("milliseconds")
        table.add_row(
            Text(line["outlet"]),
            line["operation"],
            f"[{COLOURS.get(state, 'cyan')}]{state}[/]",
            Text(line.get("url") or line.get("reason") or ""),
            "" if milliseconds is None else str(milliseconds),
        )
    return table


def show(console: Console, stories: list[Story], verdict: Verdict, speed: dict[str, Any]) -> None:
    """Everything a person wants to see at the end."""
    for story in stories:
        console.print(board_table(f"{story.article['headline']} ({story.fate})", story.board))
    console.print("Arrived, as the receiving side counts:")
    for outlet, count in sorted(verdict.received.items()):
        console.print(f"  {outlet:28} {count}")
    for where, figures in speed.items():
        if figures["count"]:
            console.print(
                f"publish to {where}: p50 {figures['p50']} ms, p95 {figures['p95']} ms,"
                f" max {figures['max']} ms over {figures['count']}"
            )
    for complaint in verdict.complaints:
        console.print(Text.assemble(("WRONG", "red"), " ", complaint), highlight=False)
    if verdict.ok:
        console.print("[green]Every expected item arrived exactly once.[/]")


def as_json(stories: list[Story], verdict: Verdict, speed: dict[str, Any]) -> dict[str, Any]:
    """The machine's version: `ok`, `articles` with their `outlets`, `received`, and the figures."""
    return {
        "ok": verdict.ok,
        "articles": [
            {
                "id": story.article["id"],
                "slug": story.article["slug"],
                "url": story.article["url"],
                "outlets": [
                    {
                        "outlet": line["outlet"],
                        "operation": line["operation"],
                        "state": line["state"],
                        "url": line.get("url"),
                        "ms": line.get("milliseconds"),
                    }
                    for line in story.board
                ],
            }
            for story in stories
        ],
        "received": dict(verdict.received),
        "latency_ms": speed,
        "complaints": verdict.complaints,
    }
