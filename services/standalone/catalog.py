"""Which services there are and how each is built; imported lazily, so one service loads only its own code."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.messaging.bus import Subscription
from shared.web.hosting import Service

PORTS = {
    "publishing": 8101,
    "social": 8102,
    "sitemap": 8103,
    "notifications": 8104,
    "site": 8105,
}
"""Where each listens when it runs as its own process."""

NAMES = tuple(PORTS)


@dataclass(frozen=True)
class Entry:
    """One service's parts."""

    name: str
    settings: type[Any]
    build: Callable[..., Service]
    subscriptions: tuple[Subscription, ...]


def entry(name: str) -> Entry:
    """Load one service. Raises KeyError with the known names for another one."""
    if name not in PORTS:
        raise KeyError(f"no service {name}; known: {', '.join(NAMES)}")
    settings = importlib.import_module(f"services.{name}.settings")
    app = importlib.import_module(f"services.{name}.app")
    subscriptions = importlib.import_module(f"services.{name}.subscriptions")
    return Entry(
        name,
        getattr(settings, f"{name.capitalize()}Settings"),
        app.build,
        subscriptions.SUBSCRIPTIONS,
    )


def all_subscriptions() -> tuple[Subscription, ...]:
    """Every queue of every service: what the topology step declares before anything publishes."""
    return tuple(
        subscription
        for name in NAMES
        for subscription in importlib.import_module(f"services.{name}.subscriptions").SUBSCRIPTIONS
    )
