"""``bootz import --update`` adds to what is on record; it removes only what it is told to."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from imports.conftest import Shell
from imports.test_import import exported
from store.world import maker

from bootz.cli.main import run
from bootz.server.site import Site

WHOLE: dict[str, Any] = {
    "chassis": [
        {
            "vendor": "Acme",
            "serial_number": "FX1",
            "part_number": "P1",
            "hostname": "r1",
            "profile": "edge",
            "boot_mode": "insecure",
            "streaming": False,
            "cards": [{"serial_number": "FX1", "part_number": "P1", "mac": "00:11:22:33:44:55"}],
            "variables": {"site": "oslo", "vlan": 7},
            "overrides": {"vendor_config": "mine"},
            "dhcp": {"ipv4": "10.0.0.9/24", "gateway": "10.0.0.1"},
        },
        {
            "vendor": "Acme",
            "serial_number": "CH1",
            "modular": True,
            "hostname": "core",
            "cards": [
                {"serial_number": "RP0", "slot": "0", "part_number": "RP-A"},
                {"serial_number": "RP1", "slot": "1"},
            ],
        },
    ],
    "profiles": [{"name": "edge", "vendor_config": "a", "variables": {"x": "1", "y": "2"}}],
}


@pytest.fixture
def stocked(site: Site, shell: Shell, tmp_path: Path) -> Site:
    ca = tmp_path / "ca.der"
    ca.write_bytes(maker().ca)
    shell(site, "vendor", "add", "Acme", "--ca", ca, "--alias", "Acme Inc", "--ien", "9")
    path = tmp_path / "whole.yaml"
    path.write_text(yaml.safe_dump(WHOLE))
    shell(site, "import", path)
    return site


def chassis(site: Site, capsys: pytest.CaptureFixture[str], serial: str) -> dict[str, Any]:
    found = json.loads(exported(site, capsys, "--format", "json", "--only", "chassis"))["chassis"]
    (one,) = [each for each in found if each["serial_number"] == serial]
    return dict(one)


def table(folder: Path, text: str) -> Path:
    path = folder / "t.csv"
    path.write_text(text)
    return path


def test_a_table_of_three_columns_leaves_everything_else(
    stocked: Site, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(
        tmp_path,
        "vendor,serial_number,hostname\nAcme,FX1,r9\nacme inc,ch1,core9\n",
    )
    changes = shell(stocked, "import", path, "--update", "--dry-run")
    assert [each["changes"] for each in changes] == [
        ["hostname: r1 → r9"],
        ["hostname: core → core9"],
    ]
    shell(stocked, "import", path, "--update")
    for before, name in zip(WHOLE["chassis"], ("r9", "core9"), strict=True):
        assert chassis(stocked, capsys, before["serial_number"]) == before | {"hostname": name}
    assert shell(stocked, "import", path, "--update") == []
    assert shell(stocked, "import", path) == []


def test_empty_cells_leave_everything(
    stocked: Site, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = exported(stocked, capsys)
    text = (
        "vendor,serial_number,part_number,hostname,profile,boot_mode,streaming,modular,var:site,"
        "card_mac,card_slot,dhcp_ipv4\nAcme,FX1,,,,,,,,,,\nAcme,CH1,,,,,,,,,,\n"
    )
    assert shell(stocked, "import", table(tmp_path, text), "--update") == []
    assert exported(stocked, capsys) == before


def test_what_chassis_set_changed_survives(
    stocked: Site, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    override = tmp_path / "o.yaml"
    override.write_text("credentials: {a: b}\nscript: '#!/bin/sh'\n")
    shell(stocked, "chassis", "set", "FX1", "--override-file", override, "--var", "z=1")
    path = tmp_path / "whole.yaml"
    assert shell(stocked, "import", path, "--update") == []
    assert set(chassis(stocked, capsys, "FX1")["overrides"]) == {
        *("vendor_config", "credentials", "script")
    }


@pytest.mark.parametrize(
    ("columns", "gone"),
    [
        (["hostname"], ["hostname"]),
        (["Part Number", "profile"], ["part_number", "profile", "cards.0.part_number"]),
        (["var:site"], ["variables.site"]),
        (["variables"], ["variables"]),
        (["overrides"], ["overrides"]),
        (["overrides.vendor_config"], ["overrides"]),
        (["dhcp_gateway"], ["dhcp.gateway"]),
        (["dhcp"], ["dhcp"]),
        (["card_mac"], ["cards"]),
        (["boot_mode", "streaming"], ["boot_mode", "streaming"]),
    ],
)
def test_clear_removes_where_the_table_has_nothing(
    stocked: Site,
    shell: Shell,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    columns: list[str],
    gone: list[str],
) -> None:
    wanted = json.loads(json.dumps(WHOLE["chassis"][0]))
    for key in gone:
        *outer, last = key.split(".")
        place = wanted
        for step in outer:
            place = place[int(step) if step.isdecimal() else step]
        del place[last]
    words = [word for column in columns for word in ("--clear", column)]
    path = table(tmp_path, "vendor,serial_number,hostname\nAcme,FX1,\n")
    (change,) = shell(stocked, "import", path, "--update", "--dry-run", *words)
    assert len(change["changes"]) >= len(columns)
    shell(stocked, "import", path, "--update", *words)
    assert chassis(stocked, capsys, "FX1") == wanted
    assert chassis(stocked, capsys, "CH1") == WHOLE["chassis"][1]


def test_clear_takes_what_the_table_has(
    stocked: Site, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path, "vendor,serial_number,hostname\nAcme,FX1,\nAcme,CH1,kept\n")
    shell(stocked, "import", path, "--update", "--clear", "hostname")
    assert "hostname" not in chassis(stocked, capsys, "FX1")
    assert chassis(stocked, capsys, "CH1")["hostname"] == "kept"


@pytest.mark.parametrize(
    "words",
    [
        ("--clear", "hostname"),
        ("--update", "--clear", "hostnam"),
        ("--update", "--clear", "vendor"),
        ("--update", "--clear", "serial_number"),
        ("--update", "--clear", "var:"),
    ],
)
def test_what_cannot_be_cleared(stocked: Site, tmp_path: Path, words: tuple[str, ...]) -> None:
    path = table(tmp_path, "vendor,serial_number\nAcme,FX1\n")
    assert run(["--site", str(stocked.root), "import", str(path), *words]) == 2


def test_null_removes(
    stocked: Site, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "n.json"
    path.write_text(
        json.dumps(
            {
                "chassis": [
                    {
                        "vendor": "Acme",
                        "serial_number": "FX1",
                        "hostname": None,
                        "profile": None,
                        "streaming": None,
                        "cards": [{"mac": None}],
                        "variables": {"site": None},
                        "overrides": {"vendor_config": None},
                        "dhcp": {"gateway": None},
                    },
                    {
                        "vendor": "Acme",
                        "serial_number": "CH1",
                        "cards": [{"serial_number": "RP0", "part_number": None, "slot": "7"}],
                    },
                ],
                "profiles": [{"name": "EDGE", "vendor_config": None, "variables": {"x": None}}],
            }
        )
    )
    assert len(shell(stocked, "import", path, "--update")) == 3
    assert chassis(stocked, capsys, "FX1") == {
        "vendor": "Acme",
        "serial_number": "FX1",
        "part_number": "P1",
        "boot_mode": "insecure",
        "variables": {"vlan": 7},
        "dhcp": {"ipv4": "10.0.0.9/24"},
    }
    assert chassis(stocked, capsys, "CH1")["cards"] == [
        {"serial_number": "RP0", "slot": "7"},
        {"serial_number": "RP1", "slot": "1"},
    ]
    read = json.loads(exported(stocked, capsys, "--format", "json", "--only", "profiles"))
    assert read["profiles"] == [{"name": "edge", "variables": {"y": "2"}}]


def test_an_empty_override_is_not_a_missing_one(
    stocked: Site, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    override = tmp_path / "o.yaml"
    override.write_text("image: null\nscript: ''\ncertz_profiles: ''\n")
    shell(stocked, "chassis", "set", "FX1", "--override-file", override)
    empty = {"image": "", "script": "", "certz_profiles": "", "vendor_config": "mine"}
    assert chassis(stocked, capsys, "FX1")["overrides"] == empty
    path = tmp_path / "again.json"
    path.write_text(exported(stocked, capsys, "--format", "json"))
    assert shell(stocked, "import", path) == []


def test_cards_are_added_and_stay(
    stocked: Site, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "vendor,serial_number,card_serial_number,card_slot\nAcme,CH1,rp1,\nAcme,CH1,LC0,LC0\n"
    (change,) = shell(stocked, "import", table(tmp_path, text), "--update")
    assert change["changes"] == ["card LC0: added"]
    cards = chassis(stocked, capsys, "CH1")["cards"]
    assert [card["serial_number"] for card in cards] == ["RP0", "RP1", "LC0"]
    path = table(tmp_path, text)
    (change,) = shell(stocked, "import", path, "--update", "--clear", "cards")
    assert change["changes"] == ["card RP0: removed"]


def test_a_fixed_chassis_that_becomes_modular_gives_up_its_own_card(
    stocked: Site, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "vendor,serial_number,modular,card_serial_number\nAcme,FX1,yes,RP8\nAcme,FX1,,RP9\n"
    shell(stocked, "import", table(tmp_path, text), "--update")
    assert chassis(stocked, capsys, "FX1")["cards"] == [
        {"serial_number": "RP8"},
        {"serial_number": "RP9"},
    ]


def test_the_part_number_of_a_fixed_chassis_is_that_of_its_card(
    stocked: Site, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path, "vendor,serial_number,part_number\nAcme,FX1,P2\n")
    shell(stocked, "import", path, "--update")
    found = chassis(stocked, capsys, "FX1")
    assert (found["part_number"], found["cards"][0]["part_number"]) == ("P2", "P2")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("Acme,RP0,x,", "card of the modular chassis 'CH1'"),
        ("Acme,CH2,x,RP0", "belongs to chassis 'CH1'"),
        ("Acme,CH1,x,\nAcme Inc,ch1,y,", "t.csv:2 too"),
        ("Acme,N1,x,\nAcme Inc,n1,y,", "t.csv:2 too"),
    ],
)
def test_what_may_be_a_mistake_is_not_taken_for_a_new_name(
    stocked: Site, shell: Shell, tmp_path: Path, rows: str, words: str
) -> None:
    text = f"vendor,serial_number,hostname,card_serial_number\n{rows}\n"
    (row,) = shell(stocked, "import", table(tmp_path, text), "--update", code=1)
    assert row["reason"] in {"serial-taken", "import-twice"}
    assert words in row["detail"]


def test_a_modular_chassis_without_a_serial_number_may_be_given_one(
    stocked: Site, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell(stocked, "chassis", "add", "", "--vendor", "Acme", "--modular", "--card", "X0:0")
    text = "vendor,serial_number,card_serial_number\nAcme,CH7,x0\n"
    (change,) = shell(stocked, "import", table(tmp_path, text), "--update")
    assert change["changes"] == ["serial_number: - → CH7"]
    assert chassis(stocked, capsys, "CH7")["cards"] == [{"serial_number": "X0", "slot": "0"}]


def test_a_vendor_keeps_what_a_file_does_not_say(
    stocked: Site, shell: Shell, tmp_path: Path
) -> None:
    shell(stocked, "vendor", "set", "Acme", "--ztp-server-line", "on")
    path = tmp_path / "v.yaml"
    path.write_text("vendors:\n- {name: acme inc, settings: {image_hash_format: colon-hex}}\n")
    assert shell(stocked, "import", path, code=1)[0]["reason"] == "import-differs"
    (change,) = shell(stocked, "import", path, "--update")
    assert change["changes"] == ["settings.image_hash_format: - → colon-hex"]
    shown = shell(stocked, "vendor", "show", "Acme")
    assert (shown["name"], shown["aliases"], shown["ien"]) == ("Acme", ["Acme Inc"], "9")
    assert shown["settings"] == {"ztp_server_line": "on", "image_hash_format": "colon-hex"}


def test_a_dry_run_tells_no_secret(stocked: Site, shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(
        json.dumps(
            {
                "chassis": [
                    {
                        "vendor": "Acme",
                        "serial_number": "FX1",
                        "variables": {"site": "s3cret", "new": "s3cret"},
                        "overrides": {"boot_password_hash": "s3cret", "vendor_config": "s3cret"},
                        "dhcp": {"ipv4": "10.0.0.8/24"},
                    }
                ]
            }
        )
    )
    (change,) = shell(stocked, "import", path, "--update", "--dry-run")
    assert change["changes"] == [
        "variables.site: changed",
        "variables.new: set",
        "overrides.vendor_config: changed",
        "overrides.boot_password_hash: set",
        "dhcp.ipv4: 10.0.0.9/24 → 10.0.0.8/24",
    ]


MACS = """vendor,serial_number,hostname,card_mac,dhcp_ipv4
Acme,MAC0001,m1,00-11-22-33-44-59,10.0.0.21/24
Acme,MAC0002,m2,0011.2233.445a,10.0.0.22/24
Acme,MAC0003,m3,00112233445B,10.0.0.23/24
"""
DOUBLES = """vendor,serial_number,hostname,card_mac,dhcp_ipv4,card_client_id
Acme,MAC0005,m5,00-11-22-33-44-59,10.0.0.25/24,a
Acme,MAC0006,M2,,10.0.0.21/25,a
"""


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_value_that_two_routers_have_is_told_with_both(
    stocked: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], dry_run: bool
) -> None:
    first, second = tmp_path / "mac.csv", tmp_path / "dup.csv"
    first.write_text(MACS)
    second.write_text(DOUBLES)
    assert run(["--site", str(stocked.root), "import", str(first)]) == 0
    assert "warning" not in capsys.readouterr().err
    words = ["--dry-run"] if dry_run else []
    assert run(["--site", str(stocked.root), "import", str(second), *words]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    mac, cells = "00:11:22:33:44:59", [f"{second}:{row}, cell F{row}" for row in (2, 3)]
    assert told == [
        f"warning: address 10.0.0.21 is used 2 times: MAC0001, MAC0006 ({second}:3, cell E3)",
        f"warning: hostname m2 is used 2 times: MAC0002, MAC0006 ({second}:3, cell C3)",
        f"warning: MAC address {mac} is used 2 times: MAC0001, MAC0005 ({second}:2, cell D2)",
        f"warning: client-id a is used 2 times: MAC0005 ({cells[0]}), MAC0006 ({cells[1]})",
    ]


def test_chassis_set_tells_of_a_value_that_another_has(
    stocked: Site, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    site = ["--site", str(stocked.root)]
    assert run([*site, "chassis", "set", "CH1", "--hostname", "R1"]) == 0
    assert "hostname r1 is used 2 times: FX1, CH1" in capsys.readouterr().err
    words = ["--vendor", "Acme", "--mac", "001122334455"]
    assert run([*site, "chassis", "add", "N1", *words]) == 0
    assert "MAC address 00:11:22:33:44:55 is used 2 times: FX1, N1" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["yaml", "json", "csv"])
def test_an_export_is_whole_or_nothing(
    stocked: Site, shell: Shell, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    # An older version took such a value; a cut file could be imported.
    shell(stocked, "chassis", "set", "FX1", "--unset-override", "vendor_config", "--unset-var=vlan")
    shell(stocked, "chassis", "add", "ZZ", "--vendor", "Acme", "--var", "a=b")
    with closing(sqlite3.connect(stocked.root / "bootz.db")) as database:
        variables = '{"a":1}' if form == "csv" else '{"a":"\\ud800"}'
        database.execute("UPDATE chassis SET variables = ? WHERE serial = 'ZZ'", [variables])
        database.commit()
    capsys.readouterr()
    assert run(["--site", str(stocked.root), "export", "--format", form]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "ZZ" in told.err
    assert "export-not-csv" in told.err if form == "csv" else "export-unwritable" in told.err
    shell(stocked, "chassis", "set", "ZZ", "--var", "a=b")
    assert "ZZ" in exported(stocked, capsys, "--format", form)


def test_a_line_that_is_not_public_is_told_at_import(
    stocked: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "ztp bootz-server ip boot.example port 5000"
    path = tmp_path / "more.yaml"
    said = {
        "profiles": [
            {"name": "new", "vendor_config": f"hostname r\n{line} action none"},
            {"name": "edge", "vendor_config": f"{line} vrf mgmt"},
            {"name": "plain", "vendor_config": line},
            {"name": "made", "vendor_config": f"{line} vrf {{{{ variables.vrf }}}}"},
        ],
        "chassis": [
            {
                "vendor": "Acme",
                "serial_number": serial,
                "overrides": {"dynamic_vendor_config": f"{line} vrf mgmt"},
            }
            for serial in ("FX1", "FX2")
        ],
    }
    path.write_text(yaml.safe_dump(said))
    assert run(["--site", str(stocked.root), "import", str(path), "--update"]) == 0
    told = capsys.readouterr().err
    warned = [each for each in told.splitlines() if "public is ztp bootz-server ip" in each]
    assert len(warned) == 4
    for word in ("vendor_config line 2", "vendor_config line 1", "action none", "vrf mgmt"):
        assert any(word in each for each in warned)
    assert sum("dynamic_vendor_config line 1" in each for each in warned) == 2
    assert all(f"{path.name}:" in each for each in warned)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"certz_profiles": {"profiles": []}}, "certz_profiles: it must be a list"),
        ({"image": "lab-os"}, "image.on record: it must be a map of keys"),
        ({"variables": ["a"]}, "variables: it must be a map of keys"),
        ({"vendor_config": 5}, "vendor_config: it must be a text"),
    ],
)
def test_a_value_of_another_form_is_told_in_the_words_of_the_file(
    stocked: Site,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    said: dict[str, Any],
    told: str,
) -> None:
    path = tmp_path / "more.yaml"
    path.write_text(yaml.safe_dump({"profiles": [{"name": "new", **said}]}))
    assert run(["--site", str(stocked.root), "import", str(path)]) == 1
    assert told in capsys.readouterr().out
