"""One folder per network. A folder that exports `CHANNEL` is found by `discover`; nothing lists them."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from services.social.channels.base import ChannelSpec


@cache
def discover() -> dict[str, ChannelSpec]:
    """Every channel by name. A sub-package without `CHANNEL` is a mistake and raises AttributeError."""
    found: dict[str, ChannelSpec] = {}
    for info in pkgutil.iter_modules(__path__, prefix=f"{__name__}."):
        if info.ispkg:
            spec: ChannelSpec = importlib.import_module(info.name).CHANNEL
            found[spec.name] = spec
    return found
