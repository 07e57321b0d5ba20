"""Settings from the environment: prefix `HERALD_`, each `X` also as `X_FILE` for secrets. Never logged."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

PREFIX = "HERALD_"


class _FileSource(EnvSettingsSource):
    """Reads `HERALD_X` from the file that `HERALD_X_FILE` names (Docker and Kubernetes secrets)."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        # Read here, because what is raised later loses the variable's name on its way out.
        self._contents = {
            name: content
            for name in settings_cls.model_fields
            if (content := _content(f"{PREFIX}{name.upper()}")) is not None
        }

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return self._contents.get(field_name), field_name, False


def _content(variable: str) -> str | None:
    """What the file holds; None where none is named or the plain variable is set, which wins."""
    path = os.environ.get(f"{variable}_FILE")
    if not path or variable in os.environ:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SettingsError(f"{variable}_FILE: {error}") from error


class Settings(BaseSettings):
    """What every service shares. A plain variable wins over its `_FILE` twin."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", hide_input_in_errors=True)

    mongo_url: str = "mongodb://127.0.0.1:27017/?replicaSet=rs0"
    mongo_prefix: str = "herald"
    """Each service's database is `<prefix>_<service>`."""
    amqp_url: str = "amqp://guest:guest@127.0.0.1:5672/"
    public_url: str = "http://127.0.0.1:8080"
    """The one origin readers and editors see; every absolute address starts with it."""
    internal_url: str | None = None
    """Where services reach that origin from inside; `public_url` when unset."""
    secret_key: SecretStr = Field(min_length=32)
    data_dir: Path = Path("var")
    publication: Path = Path("deploy/publication.toml")
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    log_level: str = "INFO"
    log_format: str = Field(default="json", pattern="^(json|console)$")
    allow_private_hosts: tuple[str, ...] = ()
    """Names or addresses that outbound requests may reach although they are private (development)."""
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    """How many proxies of ours stand in front; that many last entries of X-Forwarded-For are believed."""
    lease_seconds: float | None = Field(default=None, gt=0)
    """How long a worker may hold a delivery before another takes it up; unset, longer than its longest send."""
    grace_seconds: float = 20.0
    """How long a stopping process lets work in hand finish; keep it below the orchestrator's own."""

    @field_validator("public_url", "internal_url")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @property
    def origin(self) -> str:
        """The address services use to reach the public origin."""
        return self.internal_url or self.public_url

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _FileSource(settings_cls)
