"""docker-compose.yml and the Caddyfile say about the services what the code says: names, ports, settings, routes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from services.standalone.catalog import NAMES, PORTS, entry
from shared.messaging.bus import Bus
from shared.runtime.clock import ManualClock
from shared.storage.client import Database

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
CADDYFILE = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
HEALTH = {"/healthz", "/readyz", "/metrics"}
EXAMPLES = {"slug": "a-story", "name": "main", "channel": "mastodon", "file": "news.css"}


def seconds(duration: str) -> float:
    """A Compose duration in whole seconds or minutes."""
    number, unit = re.fullmatch(r"(\d+)(s|m)", duration).groups()  # type: ignore[union-attr]
    return float(number) * {"s": 1, "m": 60}[unit]


@pytest.mark.parametrize("name", NAMES)
def test_each_service_is_there_as_the_code_knows_it(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["command"] == ["service", name]
    assert service["environment"]["HERALD_PORT"] == str(PORTS[name])
    assert service["healthcheck"]["test"] == ["CMD", "python", "-m", "services", "ready"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "ports" not in service  # only the proxy is reachable from outside


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_is_a_setting_of_the_service(name: str) -> None:
    service = COMPOSE["services"][name]
    settings = entry(name).settings
    fields = {f"HERALD_{field.upper()}" for field in settings.model_fields}
    for variable, value in service["environment"].items():
        assert variable.removesuffix("_FILE") in fields, variable
        if variable.endswith("_FILE"):
            secret = Path(value)
            assert secret.parent == Path("/run/secrets")
            assert secret.name in service["secrets"]
            assert secret.name in COMPOSE["secrets"]
    assert "HERALD_SECRET_KEY" not in service["environment"]
    assert set(service["secrets"]) <= set(COMPOSE["secrets"])
    for secret in service["secrets"]:
        assert f"HERALD_{secret.upper()}_FILE" in service["environment"]


@pytest.mark.parametrize("name", NAMES)
def test_a_stopping_service_has_time_to_finish(name: str) -> None:
    service = COMPOSE["services"][name]
    default = entry(name).settings.model_fields["grace_seconds"].default
    grace = float(service["environment"].get("HERALD_GRACE_SECONDS", default))
    assert seconds(service["stop_grace_period"]) > grace


def test_everything_that_stays_is_limited_and_restarted() -> None:
    for name, service in COMPOSE["services"].items():
        if name == "topology":
            assert service["restart"] == "on-failure"
            continue
        assert service["restart"] == "unless-stopped", name
        assert "memory" in service["deploy"]["resources"]["limits"], name
        assert "stop_grace_period" in service, name
    for name in NAMES:
        limits = COMPOSE["services"][name]["deploy"]["resources"]["limits"]
        assert set(limits) == {"cpus", "memory"}, name


def test_no_service_waits_for_what_is_not_there() -> None:
    for name, service in COMPOSE["services"].items():
        for wanted in service.get("depends_on", []):
            assert wanted in COMPOSE["services"], name
        for network in service["networks"]:
            assert network in COMPOSE["networks"], name
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            known = source in COMPOSE["volumes"] or (ROOT / source).exists()
            assert known, volume
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert COMPOSE["services"]["topology"]["command"] == ["topology"]
    assert COMPOSE["services"]["caddy"]["depends_on"] == list(NAMES)


def upstreams() -> list[tuple[list[str], str]]:
    """What the Caddyfile's `handle` blocks say, in order: path patterns and the service behind them."""
    matchers = {
        name: paths.split() for name, paths in re.findall(r"^\t(@\w+) path (.+)$", CADDYFILE, re.M)
    }
    blocks = re.findall(r"^\thandle (@\w+ )?\{\n(.*?)^\t\}", CADDYFILE, re.M | re.S)
    found = []
    for matcher, body in blocks:
        proxied = re.search(r'reverse_proxy \{\$HERALD_(\w+):"(\w+):(\d+)"\}', body)
        if proxied:
            variable, host, port = proxied.groups()
            assert variable == host.upper()
            assert PORTS[host] == int(port)
        paths = matchers[matcher.strip()] if matcher else ["*"]
        found.append((paths, proxied.group(2) if proxied else "nobody"))
    assert len(found) == len(matchers) + 1
    return found


def behind(path: str, handles: list[tuple[list[str], str]]) -> str:
    """Who answers: the first block one of whose patterns fits; `/x/*` means everything below `/x/`."""
    for patterns, host in handles:
        for pattern in patterns:
            if path == pattern or (pattern.endswith("*") and path.startswith(pattern[:-1])):
                return host
    return "nobody"


def test_every_service_is_behind_the_proxy_and_health_is_not() -> None:
    handles = upstreams()
    assert {host for _, host in handles} == {*NAMES, "nobody"}
    assert {behind(path, handles) for path in HEALTH} == {"nobody"}
    for name in NAMES:
        assert f"HERALD_{name.upper()}" not in COMPOSE["services"]["caddy"]["environment"]


@pytest.mark.parametrize("name", NAMES)
async def test_every_route_leads_to_the_service_that_has_it(
    name: str, database: Database, clock: ManualClock, tmp_path: Path
) -> None:
    found = entry(name)
    settings = found.settings(
        secret_key="a secret of more than thirty-two characters",
        publication=ROOT / "deploy" / "publication.toml",
        data_dir=tmp_path,
    )

    class NoBus:
        async def publish(self, message: Any) -> None:
            raise AssertionError("nothing runs here")

    service = found.build(settings, database, cast(Bus, NoBus()), clock)
    handles = upstreams()
    paths = {route.path for route in service.routes}  # type: ignore[attr-defined]
    assert paths
    for path in paths:
        example = re.sub(r"\{(\w+)[^}]*\}", lambda m: EXAMPLES.get(m[1], "1"), path)
        assert behind(example, handles) == name, path
    if service.close:
        await service.close()


def test_caddy_takes_the_file() -> None:
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config"]
    done = subprocess.run(
        [*command, str(ROOT / "deploy" / "Caddyfile")], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("listen", [":80", "https://news.example.org"])
def test_the_services_reach_the_proxy_whatever_the_public_address(listen: str) -> None:
    inside = COMPOSE["services"]["caddy"]["environment"]["HERALD_LISTEN_INSIDE"]
    assert inside == COMPOSE["services"]["social"]["environment"]["HERALD_INTERNAL_URL"]
    adapted = subprocess.run(
        ["caddy", "adapt", "--adapter", "caddyfile", "--config", ROOT / "deploy" / "Caddyfile"],
        env={**os.environ, "HERALD_LISTEN": listen, "HERALD_LISTEN_INSIDE": inside},
        capture_output=True,
        check=True,
    )
    servers = json.loads(adapted.stdout)["apps"]["http"]["servers"].values()
    plain = [server for server in servers if server["listen"] == [":80"]]
    hosts = [
        host
        for server in plain
        for route in server["routes"]
        for match in route.get("match", [{}])
        for host in match.get("host", ["caddy"])  # a route without hosts takes every one
    ]
    assert "caddy" in hosts
