"""Connecting an account: its settings are checked as the channel declares them, then sealed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import BaseModel, SecretStr

from services.social.domain.errors import UnknownChannel
from services.social.domain.planning import Account


class Declared(Protocol):
    """What a channel's folder says of the settings an account of it needs."""

    @property
    def settings(self) -> type[BaseModel]: ...


class AccountStore(Protocol):
    """Where accounts are kept."""

    async def add(self, channel: str, name: str, settings: dict[str, Any]) -> Account: ...


def plain(settings: BaseModel) -> dict[str, Any]:
    """Settings with their secrets in clear, for sealing only."""
    clear = settings.model_dump(mode="json")
    for name, value in settings:
        if isinstance(value, SecretStr):
            clear[name] = value.get_secret_value()
    return clear


async def connect(
    store: AccountStore,
    specs: Mapping[str, Declared],
    channel: str,
    name: str,
    settings: dict[str, Any],
) -> Account:
    """Validate the settings as the channel's folder declares them and keep them sealed.

    Raises `UnknownChannel`, `AccountExists`, or `pydantic.ValidationError` for the settings.
    """
    spec = specs.get(channel)
    if spec is None:
        raise UnknownChannel(channel)
    checked = spec.settings.model_validate(settings)
    return await store.add(channel, name, plain(checked))
