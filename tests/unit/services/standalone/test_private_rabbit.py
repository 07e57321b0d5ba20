"""Without the package the private broker says what to install, and starts nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.standalone import rabbitmq


@pytest.fixture(autouse=True)
def _ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unit tests open no sockets, not even to look for a free port."""
    ports = iter(range(40_000, 40_100))
    monkeypatch.setattr(rabbitmq, "free_port", lambda: next(ports))


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbitmq, "_HOME", tmp_path)
    broker = rabbitmq.PrivateRabbit(tmp_path / "base")
    with pytest.raises(rabbitmq.RabbitMissing, match="apt-get install rabbitmq-server"):
        broker.start()
    with pytest.raises(RuntimeError, match="not running"):
        _ = broker.pid


def test_the_cookie_is_private_and_stays_the_same(tmp_path: Path) -> None:
    broker = rabbitmq.PrivateRabbit(tmp_path)
    home = Path(broker._environment()["HOME"])
    cookie = home / ".erlang.cookie"
    first = cookie.read_text()
    assert cookie.stat().st_mode & 0o777 == 0o400
    broker._environment()
    assert cookie.read_text() == first
