"""The address chooses the bus, and a broker that is down is no reason to fail."""

from __future__ import annotations

import pytest

from shared.messaging.memory import MemoryBus
from shared.messaging.opening import open_bus
from shared.messaging.rabbit import RabbitBus


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("memory://", MemoryBus),
        ("amqp://guest:guest@127.0.0.1:1/", RabbitBus),
        ("amqps://guest:guest@127.0.0.1:1/", RabbitBus),
    ],
)
async def test_the_scheme_chooses(url: str, kind: type) -> None:
    assert isinstance(open_bus(url), kind)


def test_another_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="memory://"):
        open_bus("redis://127.0.0.1")
