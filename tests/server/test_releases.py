"""A release by any of its names: the table of the IOS XR guide, and the tags behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import World

from bootz.cli.main import run
from bootz.errors import ConfigError
from bootz.model.kinds import Release
from bootz.model.releases import release_named
from bootz.server.operations.chassis import find_chassis
from bootz.server.operations.chassis_record import ChassisRecord

TABLE = [
    ("7.11.1", "v0.1.0"),
    ("v0.1.0", "v0.1.0"),
    ("24.1.1", "v0.1.0"),
    ("v0.0.0-20230809153947-e6bc0be82dd8", "v0.1.0"),
    ("24.2.1", "2023-11"),
    ("v0.1.1-0.20231106050618-8d6e2559f803", "2023-11"),
    ("v0.1.1", "2023-11"),
    ("24.3.1", "v0.3"),
    ("v0.3.1", "v0.3"),
    ("openconfig/bootz v0.3.1", "v0.3"),
    ("Release 24.3.1", "v0.3"),
    ("release 7.11.1", "v0.1.0"),
    ("IOS XR 24.2.1", "2023-11"),
    ("Cisco IOS-XR Release 24.1.1", "v0.1.0"),
    ("openconfig/bootz@v0.1.0", "v0.1.0"),
    ("24.4.1", "v0.3"),
    ("v0.6.2", "v0.3"),
    ("v0.7.0", "current"),
    ("v1.0.0", "current"),
    ("current", "current"),
]


@pytest.mark.parametrize(("name", "dialect"), TABLE)
def test_each_name_is_that_of_a_dialect(name: str, dialect: str) -> None:
    assert release_named(name) is Release(dialect)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "24.9",
        "Release",
        "Release ",
        "IOS XR v",
        "24.3.1 Release",
        "7.11.1x",
        "v0.0.9",
        "v0.1.1-0.2024",
        "x" * 500,
    ],
)
def test_an_unknown_release_lists_the_table(name: str) -> None:
    with pytest.raises(ValueError, match=r"IOS XR 7\.11\.1 or v0\.1\.0: v0\.1\.0") as refused:
        release_named(name)
    assert len(str(refused.value)) < 600


def test_a_release_is_typed_imported_and_rendered(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = ("--site", str(world.root))
    add = ("chassis", "add", "R1", "--vendor", "Acme", "--release", "24.3.1")
    assert run([*add, *site]) == 0
    table = tmp_path / "chassis.csv"
    table.write_text("vendor,serial_number,release\nAcme,R2,7.11.1\n")
    assert run(["import", str(table), *site]) == 0

    database = world.site.database()
    try:
        with database.read() as connection:
            found = {each: find_chassis(connection, each).release for each in ("R1", "R2")}
    finally:
        database.close()
    assert found == {"R1": Release.V0_3, "R2": Release.V0_1_0}
    assert run(["chassis", "render", "R1", "--release", "24.2.1", *site]) == 0
    capsys.readouterr()
    assert run(["chassis", "render", "R1", "--release", "24.9.9", *site]) == 2
    assert "IOS XR 7.11.1 or v0.1.0: v0.1.0" in capsys.readouterr().err
    with pytest.raises(ConfigError, match=r"24\.1\.1"):
        ChassisRecord.from_document({"vendor": "Acme", "serial_number": "X", "release": "9"})
