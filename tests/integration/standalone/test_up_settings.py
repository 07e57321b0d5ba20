"""`herald up` obeys the same HERALD_* variables as every service and names the one that is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HERALD_SECRET_KEY_FILE", "/no/such/file", "HERALD_SECRET_KEY_FILE: "),
        ("HERALD_SECRET_KEY", "short", "HERALD_SECRET_KEY: Value should have at least 32"),
        ("HERALD_PUBLICATION", "/no/such.toml", "'/no/such.toml'"),
        ("HERALD_MAIL_FROM", "nobody", "HERALD_MAIL_FROM: "),
        ("HERALD_PUBLIC_URL", "[/]", "HERALD_PUBLIC_URL: "),
    ],
)
def test_a_wrong_setting_ends_it_with_one_line(
    tmp_path: Path, variable: str, value: str, said: str
) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text("of an earlier start")
    bare = {name: kept for name, kept in os.environ.items() if not name.startswith("HERALD_")}
    # The settings are read before the database is asked anything, so none need be there.
    mongo = "mongodb://127.0.0.1:1/?replicaSet=rs0"
    command = ["up", "--data", str(tmp_path), "--port", "0", "--ready-file", str(ready)]
    result = subprocess.run(
        [sys.executable, "-m", "services", *command, "--mongo-url", mongo],
        env={**bare, variable: value},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1, result.stderr
    assert result.stderr.startswith("error: ")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not ready.exists()
