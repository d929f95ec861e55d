"""What Prometheus would read of a site, and how it reads it."""

from __future__ import annotations

import time
from pathlib import Path

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from world import World

from bootz.cli.site.door_surroundings import door_surroundings
from bootz.server.api.app import create_app
from bootz.server.api.context import Door

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Scraped:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {each.name: each for each in text_string_to_metric_families(text)}
        self._samples: Samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        """Return one sample; None where there is no such series."""
        return self._samples.get((name, frozenset(labels.items())))

    def series(self, name: str) -> dict[frozenset[tuple[str, str]], float]:
        return {labels: value for (found, labels), value in self._samples.items() if found == name}


def scrape(world: World) -> Scraped:
    """Read the metrics of a site as a program on the same machine."""
    site = world.site
    database = site.database()
    operator = site.config.operator.model_copy(update={"metrics": "loopback"})
    config = site.config.model_copy(update={"operator": operator})
    door = Door(
        database,
        config,
        lambda: world.now(),
        time.monotonic,
        door_surroundings(world.root, config),
        world.root,
    )
    client = TestClient(create_app(door), client=("127.0.0.1", 50000))
    try:
        answer = client.get("/metrics")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        return Scraped(answer.text)
    finally:
        client.close()
        database.close()


MONITORING = Path(__file__).parents[2] / "monitoring"
