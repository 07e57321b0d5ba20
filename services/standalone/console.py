"""Where the commands print what they found: as wide as the terminal, wider where a pipe or a file reads it."""

from __future__ import annotations

import sys

from rich.console import Console

PIPED_COLUMNS = 200
"""Nobody sees an edge there; at the usual 80 the words that a script looks for are folded."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_COLUMNS)
