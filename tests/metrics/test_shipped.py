"""Alert rules and dashboard: read by the real promtool, and about metrics that are there.

docs/operator-ids.md: O50.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from metrics.scrape import MONITORING, Scraped, scrape
from stream_world import ask, dialogue, fill, prover, tell
from world import Running, World, manufacturer, run

from bootz.model.identity import IdentityKind
from bootz.server.metrics.families import FAMILIES, MetricKind
from bootz.server.operations.webhooks import add_webhook
from bootz.server.site import utc_now
from bootz.wire.flows import STREAM_V1

SPECIFIED = {
    "bootz_calls_total",
    "bootz_call_seconds",
    "bootz_attempts_total",
    "bootz_onboarding_seconds",
    "bootz_chassis",
    "bootz_challenge_failures_total",
    "bootz_voucher_expiry_timestamp_seconds",
    "bootz_certificate_expiry_timestamp_seconds",
    "bootz_image_bytes_total",
    "bootz_image_downloads",
    "bootz_connections",
    "bootz_handshakes_total",
    "bootz_journal_seconds",
    "bootz_journal_waiting",
    "bootz_signature_seconds",
    "bootz_build_info",
}


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Scraped:
    """A site of which every metric has a value."""
    world = World(tmp_path_factory.mktemp("scraped"), template)
    world.add_vendor(manufacturer())
    fill(world)
    now = utc_now()
    world.write(lambda to: add_webhook(to, "ops", "https://hooks.example.net/", now=now))
    honest = prover(IdentityKind.IDEVID)
    found: list[Scraped] = []

    async def story(running: Running) -> None:
        await ask(running, STREAM_V1, honest)
        await tell(running, STREAM_V1, honest)
        async with dialogue(running, STREAM_V1) as stream:
            await stream.open_with(honest)
        await running.server.tend()
        found.append(scrape(world))

    run(story, world)
    return found[0]


def promtool(*words: str, given: str = "", folder: Path = MONITORING) -> str:
    done = subprocess.run(
        ["promtool", *words], input=given, capture_output=True, text=True, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\bbootz_[a-z0-9_]+", expression))


def there(scraped: Scraped, name: str) -> bool:
    return bool(scraped.series(name))


def panels() -> list[dict[str, Any]]:
    document: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text())
    found: list[dict[str, Any]] = document["panels"]
    return found


def test_every_specified_metric_has_a_value(scraped: Scraped) -> None:
    missing = {
        name
        for name in SPECIFIED
        if not there(scraped, name) and not there(scraped, f"{name}_count")
    }
    assert missing == set()


@pytest.mark.prometheus
def test_promtool_finds_nothing_wrong_with_the_metrics(scraped: Scraped) -> None:
    assert promtool("check", "metrics", given=scraped.text) == ""


@pytest.mark.prometheus
def test_the_rules_fire_and_stay_silent() -> None:
    promtool("check", "rules", "alerts.yml")
    promtool("test", "rules", "alerts_test.yml")
    promtool("check", "config", "--syntax-only", "prometheus.yml")


def test_every_rule_has_a_case_that_fires_and_one_that_does_not() -> None:
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text())
    names = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    fires, silent = set(), set()
    for case in yaml.safe_load((MONITORING / "alerts_test.yml").read_text())["tests"]:
        for told in case["alert_rule_test"]:
            (fires if told["exp_alerts"] else silent).add(told["alertname"])
    assert fires == silent == names


def test_rules_ask_for_metrics_that_are_there(scraped: Scraped) -> None:
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            for name in names_in(rule["expr"]):
                assert there(scraped, name), (rule["alert"], name)


def test_the_dashboard_asks_for_metrics_that_are_there(scraped: Scraped) -> None:
    shown = set()
    for panel in panels():
        for target in panel["targets"]:
            for name in names_in(target["expr"]):
                assert there(scraped, name), (panel["title"], name)
                shown.add(re.sub(r"_bucket$", "", name))
    assert shown >= SPECIFIED


def test_the_dashboard_groups_by_labels_that_are_there(scraped: Scraped) -> None:
    own = {family.name: set(family.labels) for family in FAMILIES}
    own["bootz_webhook_delivered_total"] = {"webhook"}
    own["bootz_webhook_deliveries"] = {"webhook", "state"}
    own["bootz_chassis"] = {"state", "vendor"}
    own["bootz_voucher_expiry_timestamp_seconds"] = {"vendor"}
    for panel in panels():
        for target in panel["targets"]:
            known = {"le", "instance"}
            for name in names_in(target["expr"]):
                known |= own[re.sub(r"_bucket$", "", name)]
            for grouping in re.findall(r"by \(([a-z_, ]*)\)", target["expr"]):
                assert {word.strip() for word in grouping.split(",")} <= known, panel["title"]
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= known, panel["title"]


def test_no_label_names_a_router() -> None:
    labels = {label for family in FAMILIES for label in family.labels}
    assert not labels & {"serial", "serial_number", "hostname", "chassis", "peer", "address"}
    assert all(
        family.name.endswith("_total") for family in FAMILIES if family.kind is MetricKind.COUNTER
    )


def test_no_serial_number_or_hostname_is_in_the_text(scraped: Scraped) -> None:
    assert "FX1" not in scraped.text
    assert "r1" not in re.findall(r'"([^"]*)"', scraped.text)
