"""The catalogue of services is complete: each has settings, a composition root, queues and a port of its own."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import services
from services.publishing.settings import PublishingSettings
from services.standalone.catalog import NAMES, PORTS, all_subscriptions, entry
from shared.runtime.settings import Settings

FOLDERS = Path(str(services.__file__)).parent


def test_every_folder_with_a_composition_root_is_listed() -> None:
    assert set(NAMES) == {path.parent.name for path in FOLDERS.glob("*/app.py")}


def test_each_listens_on_a_port_of_its_own() -> None:
    assert tuple(PORTS) == NAMES
    assert len(set(PORTS.values())) == len(PORTS)
    assert all(8101 <= port <= 8106 for port in PORTS.values())


@pytest.mark.parametrize("name", NAMES)
def test_each_service_has_its_parts(name: str) -> None:
    found = entry(name)
    assert found.name == name
    assert issubclass(found.settings, Settings)
    assert list(inspect.signature(found.build).parameters) == [
        "settings",
        "database",
        "bus",
        "clock",
    ]
    for subscription in found.subscriptions:
        assert subscription.queue.startswith(f"{name}.")
        assert subscription.topics


def test_the_topology_step_declares_every_queue_once() -> None:
    queues = [subscription.queue for subscription in all_subscriptions()]
    assert len(queues) == len(set(queues))
    assert {queue.partition(".")[0] for queue in queues} <= set(NAMES)
    assert set(queues) == {one.queue for name in NAMES for one in entry(name).subscriptions}


def test_who_must_report_is_a_service_that_hears_of_articles() -> None:
    expected = PublishingSettings.model_fields["expected_services"].default
    for name in expected:
        topics = [topic for one in entry(name).subscriptions for topic in one.topics]
        assert any(topic.startswith("article.") for topic in topics), name


def test_another_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match="no service nope; known: publishing, social"):
        entry("nope")
