"""``bootz import`` and ``bootz export``: all or nothing, and round again."""

from __future__ import annotations

import base64
import copy
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from crash import killed_runs
from imports.conftest import Shell, make_site
from imports.inventory import SHA, everything
from store.world import NOW, maker, owner

from bootz.cli.main import run
from bootz.server.site import Site


@pytest.fixture
def document(site: Site) -> dict[str, Any]:
    return everything(site, maker())


def write(folder: Path, document: object, name: str = "inventory.yaml") -> Path:
    path = folder / name
    if path.suffix == ".json":
        path.write_text(json.dumps(document, indent=1))
    else:
        path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def exported(site: Site, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert run(["--site", str(site.root), "export", *words]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ["inventory.yaml", "inventory.json"])
def test_what_is_exported_imports_again_and_changes_nothing(
    any_site: Site,
    shell: Shell,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    site, document = any_site, everything(any_site, maker())
    changes = shell(site, "import", write(tmp_path, document, name))
    assert {change["action"] for change in changes} == {"add"}
    assert len(changes) == 6
    for form in ("yaml", "json"):
        text = exported(site, capsys, "--format", form)
        again = tmp_path / f"again.{form}"
        again.write_text(text)
        assert shell(site, "import", again) == []
        assert shell(site, "import", again, "--update") == []
        assert exported(site, capsys, "--format", form) == text
    read = yaml.safe_load(exported(site, capsys))
    assert read["profiles"][0] == document["profiles"][0]
    assert read["chassis"][1]["overrides"] == {"vendor_config": ""}
    assert read["vendors"][0]["settings"]["ztp_server_line"] == "on"


def test_an_export_makes_another_site_the_same(
    site: Site,
    document: dict[str, Any],
    shell: Shell,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shell(site, "import", write(tmp_path, document))
    path = tmp_path / "export.json"
    assert run(["--site", str(site.root), "export", "--to", str(path), "--format", "json"]) == 0
    assert path.stat().st_mode & 0o777 == 0o600
    other = make_site(tmp_path / "other")
    # Its vouchers pin the first site's certificate, so there they are refused, and all with them.
    assert {row["reason"] for row in shell(other, "import", path, code=1)} == {"ov-pins-other"}
    words = [word for section in ("vendors", "profiles", "chassis") for word in ("--only", section)]
    shell(other, "import", path, *words)
    assert exported(other, capsys, *words) == exported(site, capsys, *words)


def test_a_dry_run_shows_and_changes_nothing(
    site: Site, document: dict[str, Any], shell: Shell, tmp_path: Path, capsys: Any
) -> None:
    path = write(tmp_path, document)
    assert len(shell(site, "import", path, "--dry-run")) == 6
    assert shell(site, "chassis", "list") == []
    shell(site, "import", path)
    document["chassis"][0]["hostname"] = "r9"
    document["chassis"][0]["variables"] = {"site": "hidden-word"}
    document["chassis"][1]["cards"].pop()
    document["chassis"][1]["cards"].append({"serial_number": "LC9", "kind": "line"})
    document["profiles"][0]["boot_password_hash"] = "$6$other"
    path = write(tmp_path, document)
    before = exported(site, capsys)
    words = ("--dry-run", "--update", "--clear", "cards")
    changes = {each["name"]: each for each in shell(site, "import", path, *words)}
    assert exported(site, capsys) == before
    assert {each["action"] for each in changes.values()} == {"update"}
    assert "hostname: r1 → r9" in changes["Acme 0123"]["changes"]
    assert {"card LC0: removed", "card LC9: added"} <= set(changes["Acme CH1"]["changes"])
    assert "variables.site: changed" in changes["Acme 0123"]["changes"]
    assert "boot_password_hash: changed" in changes["edge"]["changes"]
    assert "$6$" not in json.dumps(changes)
    assert "hidden-word" not in json.dumps(changes)


def test_what_differs_needs_update(
    site: Site, document: dict[str, Any], shell: Shell, tmp_path: Path
) -> None:
    shell(site, "import", write(tmp_path, document))
    document["chassis"][0]["hostname"] = "r9"
    document["profiles"][0]["description"] = "other"
    path = write(tmp_path, document)
    rows = shell(site, "import", path, code=1)
    assert [row["reason"] for row in rows] == ["import-differs", "import-differs"]
    assert shell(site, "chassis", "show", "0123")["hostname"] == "r1"
    assert len(shell(site, "import", path, "--update")) == 2
    assert shell(site, "chassis", "show", "0123")["hostname"] == "r9"


def spoiled(document: dict[str, Any]) -> dict[str, Any]:
    """A document with an error in many entries."""
    bad = copy.deepcopy(document)
    good_ca = bad["vendors"][0]["idevid_ca"]
    bad["vendors"] += [
        {"name": "Bad", "idevid_ca": "no certificate"},
        {"name": "None"},
        {"name": "Acme", "idevid_ca": good_ca},
    ]
    bad["profiles"] += [
        {"name": "broken", "vendor_config": "{% if %}"},
        {"name": "odd", "nonsense": 1},
    ]
    bad["images"] = [
        {
            "name": "xr",
            "version": "1",
            "file_name": "xr.iso",
            "size": 1,
            "sha256": SHA,
            "added_at": "2026-01-01T00:00:00+00:00",
        }
    ]
    bad["chassis"] += [
        {"vendor": "Acme", "serial_number": "0123"},
        {"vendor": "Acme", "serial_number": "X1", "boot_mode": "loose"},
        {"vendor": "Acme", "serial_number": 17},
        {"serial_number": "X2"},
        "no mapping",
    ]
    bad["vouchers"] += [
        {"voucher": "%%%"},
        {"voucher": base64.b64encode(b"no voucher").decode()},
        {"voucher": base64.b64encode(maker().voucher("0123", owner().der)).decode()},
        {"serial_number": "1"},
    ]
    return bad


@pytest.mark.parametrize("name", ["bad.yaml", "bad.json"])
def test_every_error_is_told_at_once_and_nothing_is_done(
    any_site: Site, shell: Shell, tmp_path: Path, name: str
) -> None:
    site = any_site
    path = write(tmp_path, spoiled(everything(site, maker())), name)
    rows = shell(site, "import", path, code=1)
    assert sorted(row["reason"] for row in rows) == sorted(
        [
            *["vendor-invalid"] * 2,
            *["import-twice", "template-failed", "document-invalid", "import-image-missing"],
            *["import-twice", *["chassis-invalid"] * 3, "import-file-invalid"],
            *["voucher-file-invalid"] * 2,
            *["ov-malformed", "ov-pins-other"],
        ]
    )
    lines = path.read_text().splitlines()
    for row in rows:
        file, _, line = row["place"].rpartition(":")
        assert file == str(path)
        assert 1 <= int(line) <= len(lines)
        assert row["action"]
    for noun in ("vendor", "profile", "chassis", "voucher"):
        assert shell(site, noun, "list") == []


def test_a_fault_hides_only_those_that_follow_from_it(
    site: Site, shell: Shell, tmp_path: Path
) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(
        "vendors:\n"
        "  - {name: Acme, aliases: [Acme Inc]}\n"
        "chassis:\n"
        "  - {vendor: acme, serial_number: A}\n"
        "  - {vendor: ACME INC, serial_number: B}\n"
        "  - {vendor: Nobody, serial_number: C}\n"
        "  - {vendor: Acme, serial_number: D, boot_mode: sometimes}\n"
    )
    rows = shell(site, "import", path, code=1)
    assert [(row["place"], row["reason"]) for row in rows] == [
        (f"{path}:2", "vendor-invalid"),
        (f"{path}:6", "vendor-not-found"),
        (f"{path}:7", "chassis-invalid"),
    ]
    assert rows[2]["where"] == "chassis 'D'"


def test_the_line_is_that_of_the_entry(site: Site, shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(
        "# a remark\nversion: 1\nchassis:\n  - vendor: Nobody\n    serial_number: A\n\n"
        "  - {vendor: Nobody, serial_number: B}\n"
    )
    rows = shell(site, "import", path, code=1)
    assert [row["place"] for row in rows] == [f"{path}:4", f"{path}:7"]
    path = tmp_path / "inventory.json"
    path.write_text(
        '{"version":1,\n"chassis": [\n{"vendor":"Nobody",\n"serial_number":"A"} ,'
        '\n\n  {"vendor":"Nobody","serial_number":"]"}],\n"vouchers": []}'
    )
    rows = shell(site, "import", path, code=1)
    assert [row["place"] for row in rows] == [f"{path}:3", f"{path}:6"]


def test_a_voucher_past_its_end_is_passed_over(
    site: Site, document: dict[str, Any], shell: Shell, tmp_path: Path
) -> None:
    past = maker().voucher(
        "0123",
        site.pinned_domain_cert(),
        created=NOW - timedelta(days=9),
        expires=NOW - timedelta(days=2),
    )
    document["vouchers"] = [{"voucher": base64.b64encode(past).decode()}]
    changes = shell(site, "import", write(tmp_path, document))
    assert not [change for change in changes if change["section"] == "vouchers"]


def test_an_image_in_the_store_is_taken_by_its_digest(
    site: Site, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "xr.iso"
    image.write_bytes(b"image")
    added = shell(site, "image", "add", image, "--name", "xr", "--version", "1")
    text = exported(site, capsys, "--only", "images")
    assert added["sha256"] in text
    path = tmp_path / "images.yaml"
    path.write_text(text)
    assert shell(site, "import", path) == []
    other = make_site(tmp_path / "other")
    (row,) = shell(other, "import", path, code=1)
    assert row["reason"] == "import-image-missing"
    shell(other, "image", "add", image, "--name", "copy", "--version", "1")
    shell(other, "import", path)
    assert shell(other, "image", "show", "xr", "1")["stored"] is True
    # The same name with another content is another image.
    path.write_text(text.replace(added["sha256"], SHA))
    (row,) = shell(other, "import", path, "--update", code=1)
    assert row["reason"] == "image-exists"


def test_kill_9_at_any_step_leaves_all_or_nothing(
    any_site: Site, shell: Shell, tmp_path: Path
) -> None:
    site, document = any_site, everything(any_site, maker())
    path = write(tmp_path, document)
    done = False
    for _ in killed_runs(["--site", str(site.root), "import", str(path)], site.root, every=7):
        counts = {noun: len(shell(site, noun, "list")) for noun in ("vendor", "profile", "chassis")}
        assert counts in (
            {"vendor": 0, "profile": 0, "chassis": 0},
            {"vendor": 1, "profile": 1, "chassis": 2},
        )
        done = counts["vendor"] == 1
        if done:
            break
    assert len(shell(site, "chassis", "list")) == 2


def test_many_chassis_at_once(
    site: Site, document: dict[str, Any], shell: Shell, tmp_path: Path
) -> None:
    document["chassis"] = [
        {"vendor": "acme networks", "serial_number": f"S{number}", "profile": "EDGE"}
        for number in range(2000)
    ]
    document["vouchers"] = []
    path = write(tmp_path, document, "many.json")
    assert len(shell(site, "import", path)) == 2002
    assert shell(site, "import", path) == []
    document["chassis"][1999]["hostname"] = "last"
    path = write(tmp_path, document, "many.json")
    assert [change["name"] for change in shell(site, "import", path, "--update")] == ["Acme S1999"]


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [("x.txt", 2, ""), ("missing.yaml", 1, "file-unreadable"), ("bin.json", 1, "import-file-inva")],
)
def test_files_of_no_use(
    site: Site,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    code: int,
    reason: str,
) -> None:
    if name != "missing.yaml":
        (tmp_path / name).write_bytes(b"{\n\xff\xfe}")
    assert run(["--site", str(site.root), "import", str(tmp_path / name)]) == code
    assert reason in capsys.readouterr().err


def test_a_table_round_trips(
    site: Site, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ca = tmp_path / "ca.der"
    ca.write_bytes(maker().ca)
    shell(site, "vendor", "add", "Acme", "--ca", ca)
    table = tmp_path / "chassis.csv"
    table.write_text(
        "\ufeffvendor,serial_number,part_number,modular,streaming,card_serial_number,card_slot,"
        "card_mac,var:site\r\n"
        'Acme,FX1,P1,,,,,00:11:22:33:44:55,"Berlin, ""Mitte"""\r\n'
        "Acme,CH1,P2,true,no,RP0,0,,\r\nAcme,CH1,,,,RP1,1,,\r\n"
    )
    assert len(shell(site, "import", table)) == 2
    text = exported(site, capsys, "--format", "csv")
    again = tmp_path / "again.csv"
    again.write_text(text)
    assert shell(site, "import", again) == []
    other = make_site(tmp_path / "other")
    shell(other, "vendor", "add", "Acme", "--ca", ca)
    shell(other, "import", again)
    whole = exported(site, capsys, "--only", "chassis")
    assert exported(other, capsys, "--only", "chassis") == whole
    assert 'Berlin, "Mitte"' in whole


def test_what_no_table_holds_is_said(
    site: Site, document: dict[str, Any], shell: Shell, tmp_path: Path
) -> None:
    shell(site, "import", write(tmp_path, document))
    error = shell(site, "export", "--format", "csv", "--to", tmp_path / "x.csv", code=1)
    assert error["error"]["reason"] == "export-not-csv"
    assert not (tmp_path / "x.csv").exists()
    assert run(["--site", str(site.root), "export", "--format", "csv", "--only", "vendors"]) == 2


def test_a_table_with_errors_names_every_row(site: Site, shell: Shell, tmp_path: Path) -> None:
    table = tmp_path / "chassis.csv"
    table.write_text(
        "vendor,serial_number,boot_mode,streaming\nNobody,A,,\nNobody,B,loose,\nNobody,C,,maybe\n"
    )
    rows = shell(site, "import", table, code=1)
    assert {row["place"] for row in rows} == {f"{table}:{line}" for line in (2, 3, 4)}
