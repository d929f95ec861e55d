"""Labels, and changes of many chassis that are chosen by them.

docs/operator-ids.md: O40.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from operations.shell import Shell

from bootz.errors import ConfigError
from bootz.server.operations.labels import MAX_LABELS, checked_labels


@pytest.fixture
def stocked(shell: Shell) -> Shell:
    shell.ok("vendor", "add", "Zeta", "--ca", str(shell.root / "acme.der"))
    shell.ok("profile", "add", "edge")
    shell.ok("profile", "add", "core")
    for serial, vendor, *labels in (
        ("A1", "Acme", "site=oslo", "rack=7"),
        ("A2", "Acme", "Site=oslo", "rack=8"),
        ("A3", "Acme", "site=bergen"),
        ("Z1", "Zeta", "site=oslo"),
        ("Z2", "Zeta"),
    ):
        words = [word for label in labels for word in ("--label", label)]
        shell.ok("chassis", "add", serial, "--vendor", vendor, "--hostname", serial, *words)
    return shell


def serials(shell: Shell, *words: str) -> list[str]:
    return [row["serial_number"] for row in shell.json("chassis", "list", *words)]


def test_labels_are_set_shown_and_removed(stocked: Shell) -> None:
    assert stocked.json("chassis", "show", "a2")["labels"] == {"rack": "8", "site": "oslo"}
    stocked.ok("chassis", "set", "A2", "--label", "BATCH=n 1", "--label", "rack=9")
    stocked.ok("chassis", "set", "A2", "--unset-label", "Site")
    assert stocked.json("chassis", "show", "A2")["labels"] == {"batch": "n 1", "rack": "9"}
    stocked.ok("chassis", "set", "A2", "--hostname", "x")
    assert stocked.json("chassis", "show", "A2")["labels"] == {"batch": "n 1", "rack": "9"}
    stocked.ok("chassis", "remove", "A2")
    stocked.ok("chassis", "add", "A2", "--vendor", "Acme")
    assert stocked.json("chassis", "show", "A2")["labels"] == {}


def test_lists_are_chosen_by_labels(stocked: Shell) -> None:
    assert serials(stocked, "--label", "site=oslo") == ["A1", "A2", "Z1"]
    assert serials(stocked, "--label", "SITE=oslo", "--label", "rack=8") == ["A2"]
    assert serials(stocked, "--label", "site=oslo", "--vendor", "zeta") == ["Z1"]
    assert serials(stocked, "--label", "rack") == ["A1", "A2"]
    assert serials(stocked, "--label", "site=Oslo") == []
    assert stocked.run("chassis", "list", "--label", "=x")[0] == 2


@pytest.mark.parametrize(
    "labels",
    [
        {"": "x"},
        {"a b": "x"},
        {"-a": "x"},
        {"a" * 64: "x"},
        {"a": ""},
        {"a": "x" * 129},
        {"a": "x\ny"},
        {"a": "1", "A": "2"},
        {f"k{n}": "v" for n in range(MAX_LABELS + 1)},
    ],
)
def test_labels_that_do_not_fit(labels: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_labels(labels, where="chassis 'A'")
    assert caught.value.reason == "chassis-invalid"


def changed(out: str) -> dict[str, list[str]]:
    rows: list[dict[str, Any]] = json.loads(out)
    return {row["serial_number"]: row["changes"] for row in rows}


def test_many_are_changed_at_once(stocked: Shell) -> None:
    words = ("chassis", "set", "--where", "label:site=oslo", "--where", "vendor=acme")
    change = ("--profile", "core", "--label", "batch=1", "--var", "v=s3cret", "--output", "json")
    expected = {
        serial: ["labels.batch: - → 1", "profile: - → core", "variables.v: set"]
        for serial in ("A1", "A2")
    }
    assert changed(stocked.ok(*words, *change, "--dry-run")) == expected
    assert serials(stocked, "--profile", "core") == []
    code, out, err = stocked.run(*words, *change)
    assert (code, changed(out), "s3cret" in out + err) == (0, expected, False)
    assert serials(stocked, "--profile", "core") == ["A1", "A2"]
    assert changed(stocked.ok(*words, *change)) == {}
    out = stocked.ok(
        *("chassis", "set", "--where", "profile=core", "--where", "label:RACK=8"),
        *("--unset-label", "batch", "--no-streaming", "--output", "json"),
    )
    assert changed(out) == {"A2": ["labels.batch: 1 → -", "streaming: true → false"]}
    out = stocked.ok("chassis", "set", "--where", "profile=", "--profile", "edge")
    assert serials(stocked, "--profile", "edge") == ["A3", "Z1", "Z2"]


def test_many_are_changed_or_none(stocked: Shell) -> None:
    before = stocked.ok("export", "--only", "chassis")
    words = ("chassis", "set", "--where", "label:site")
    assert stocked.refused(*words, "--image", "xr/1", "--label", "a=1") == "image-not-found"
    assert stocked.refused(*words, "--label", "no such=1") == "chassis-invalid"
    assert stocked.refused("chassis", "set", "--where", "vendor=no", "--var", "a=b") == (
        "vendor-not-found"
    )
    assert stocked.refused("chassis", "set", "--where", "label:site=x", "--var", "a=b") == (
        "where-matches-none"
    )
    assert stocked.ok("export", "--only", "chassis") == before


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("A1", "--where", "vendor=Acme", "--var", "a=b"),
        ("--where", "vendor=Acme"),
        ("--where", "site=oslo", "--var", "a=b"),
        ("--where", "label:", "--var", "a=b"),
        ("--where", "vendor=Acme", "--where", "vendor=Zeta", "--var", "a=b"),
        ("--where", "label:a=1", "--where", "label:A=2", "--var", "a=b"),
        ("--where", "vendor=Acme", "--hostname", "same"),
        ("--where", "vendor=Acme", "--new-serial", "S"),
        ("--where", "vendor=Acme", "--ipv4", "10.0.0.1/24"),
        ("--where", "vendor=Acme", "--card", "RP0"),
    ],
)
def test_what_cannot_be_meant_for_many(stocked: Shell, words: tuple[str, ...]) -> None:
    before = stocked.ok("export", "--only", "chassis")
    assert stocked.run("chassis", "set", *words)[0] == 2
    assert stocked.ok("export", "--only", "chassis") == before


def test_a_dry_run_of_one_changes_nothing(stocked: Shell) -> None:
    words = ("chassis", "set", "A1", "--hostname", "new", "--dry-run", "--output", "json")
    assert changed(stocked.ok(*words)) == {"A1": ["hostname: A1 → new"]}
    assert stocked.json("chassis", "show", "A1")["hostname"] == "A1"


def test_labels_travel_in_every_form(stocked: Shell) -> None:
    table = stocked.file(
        "t.csv",
        "VENDOR;SERIAL_NUMBER;LABEL:SITE;Label: Rack \nAcme;A1;;9\nAcme;A3;tromso;\n",
    )
    stocked.ok("import", table, "--update")
    assert stocked.json("chassis", "show", "A1")["labels"] == {"rack": "9", "site": "oslo"}
    assert stocked.json("chassis", "show", "A3")["labels"] == {"site": "tromso"}
    stocked.ok("import", table, "--update", "--clear", "label:site")
    assert stocked.json("chassis", "show", "A1")["labels"] == {"rack": "9"}
    document = stocked.file(
        "t.json",
        json.dumps(
            {
                "chassis": [
                    {"vendor": "Acme", "serial_number": "A1", "labels": {"rack": None, "b": "1"}},
                    {"vendor": "Acme", "serial_number": "A2", "labels": None},
                ]
            }
        ),
    )
    out = stocked.ok("import", document, "--update", "--dry-run", "--output", "json")
    assert [row["changes"] for row in json.loads(out)] == [
        ["labels.b: - → 1", "labels.rack: 9 → -"],
        ["labels.rack: 8 → -", "labels.site: oslo → -"],
    ]
    stocked.ok("import", document, "--update")
    assert stocked.json("chassis", "show", "A1")["labels"] == {"b": "1"}
    assert stocked.json("chassis", "show", "A2")["labels"] == {}
    for form in ("csv", "json", "yaml"):
        stocked.ok("export", "--format", form, "--to", str(stocked.root / f"x.{form}"))
        text = stocked.ok("import", str(stocked.root / f"x.{form}"), "--output", "json")
        assert json.loads(text) == []


def test_a_batch_is_held_and_released(stocked: Shell) -> None:
    where = ("--where", "label:site=oslo", "--where", "vendor=acme")
    assert stocked.json("chassis", "hold", *where)["held"] == ["A1", "A2"]
    assert serials(stocked, "--state", "on-hold") == ["A1", "A2"]
    stocked.ok("chassis", "set", *where, "--label", "batch=1")
    assert serials(stocked, "--state", "on-hold", "--label", "batch=1") == ["A1", "A2"]
    assert stocked.json("chassis", "release", "--where", "label:rack=7")["released"] == ["A1"]
    assert stocked.refused("chassis", "hold", "--where", "label:no") == "where-matches-none"
    assert stocked.run("chassis", "hold")[0] == 2
    assert stocked.run("chassis", "hold", "A1", *where)[0] == 2
