"""Where the commands print what they found: as wide as the terminal, and uncut where a pipe or a file reads it."""

from __future__ import annotations

import sys

from rich.console import Console

PIPED_COLUMNS = 200
"""Nobody sees an edge there, so words that a script looks for are not folded at one."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_COLUMNS)
