"""The topology step: every queue of every service exists before the first event."""

from __future__ import annotations

import asyncio

from services.standalone.catalog import all_subscriptions
from shared.messaging.bus import BusError
from shared.messaging.opening import open_bus


async def declare_all(amqp_url: str, wait_seconds: float) -> None:
    """Declare, waiting for a broker that is still starting. Raises TimeoutError."""
    bus = open_bus(amqp_url)
    last = "no answer"
    try:
        async with asyncio.timeout(wait_seconds):
            while True:
                try:
                    await bus.declare(all_subscriptions())
                    return
                except (BusError, OSError) as error:
                    last = str(error) or type(error).__name__
                    await asyncio.sleep(0.5)
    except TimeoutError:
        raise TimeoutError(f"the broker did not take the topology: {last}") from None
    finally:
        await bus.close()
