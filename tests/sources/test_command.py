"""``bootz source`` as an operator types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from sources.conftest import CARDS, SELECT
from sources.product import TOKEN, Product, serving
from store.world import Maker

from bootz.cli.main import run
from bootz.config.sources import SourceSettings
from bootz.server.operations.profiles import ProfileRecord, add_profile
from bootz.server.operations.vendors import add_vendor
from bootz.server.site import open_site

Said = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """A site with a source; runs a command and returns its code, JSON and error."""
    site = tmp_path / "site"
    assert run(["init", str(site), "--organization", "Example"]) == 0
    (site / "sot.token").write_text(TOKEN)
    (site / "sot.token").chmod(0o600)
    opened = open_site(site)
    database = opened.database()
    with database.write() as connection:
        for name in ("Cisco", "Arista"):
            add_vendor(connection, Maker(name).vendor)
        for name in ("edge", "core", "leaf"):
            add_profile(connection, ProfileRecord.from_document({"name": name}))
    database.close()

    def call(url: str, *words: str, **settings: Any) -> tuple[int, Any, str]:
        path = site / "bootz.yaml"
        document = yaml.safe_load(path.read_text()) or {}
        document["sources"] = [
            {
                "name": "sot",
                "kind": "netbox",
                "url": url,
                "token_file": "sot.token",
                "select": SELECT["netbox"],
                "cards": CARDS,
                "on_fault": "hold",
                **settings,
            }
        ]
        path.write_text(yaml.safe_dump(document))
        capsys.readouterr()
        code = run(["source", *words, "--site", str(site), "--output", "json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out.strip() else None, err

    return call


def test_a_source_from_check_to_release(said: Said, tmp_path: Path) -> None:
    product = Product("netbox")
    with serving(product) as url:
        code, checks, _ = said(url, "check", "sot")
        assert code == 0
        assert {row["outcome"] for row in checks} == {"passed"}

        code, diff, _ = said(url, "diff", "sot")
        assert (code, diff["dry_run"], diff["counts"]["add"]) == (0, True, 21)
        code, synced, _ = said(url, "sync", "sot")
        assert (code, len(synced["changes"])) == (0, 21)
        assert {row["reason"] for row in synced["faults"]} == {
            "source-no-serial",
            "source-no-name",
        }
        assert all(row["next"] for row in synced["faults"])

        code, shown, _ = said(url, "show")
        assert (code, shown[0]["chassis"], shown[0]["faults"]) == (0, 21, 2)
        code, whole, _ = said(url, "show", "sot")
        assert whole["product_version"] == "NetBox 4.6.8"
        assert len(whole["faults"]) == 2
        code, released, _ = said(url, "release", "FOC2801A002")
        assert (code, released["released_from"]) == (0, "sot")
        # T18: what is exported has no token.
        exported, site = tmp_path / "inventory.yaml", str(tmp_path / "site")
        assert run(["export", "--to", str(exported), "--site", site]) == 0
        assert "FOC2801A002" in exported.read_text()
        assert "SECRETsecret" not in exported.read_text()
        code, _, error = said(url, "release", "FOC2801A002")
        assert code == 1
        assert "source-not-owner" in error


def test_faults_with_stop_are_all_shown_and_nothing_is_changed(said: Said) -> None:
    with serving(Product("netbox")) as url:
        code, shown, error = said(url, "sync", "sot", on_fault="stop")

        assert code == 1
        assert shown["refused"] is True
        assert "source-refused" in error
        assert said(url, "show")[1][0]["chassis"] == 0


def test_check_names_what_is_wrong(said: Said) -> None:
    product = Product("netbox")
    product.forbidden = {"dcim/module-bays/"}
    product.lists["extras/custom-fields/"].pop(0)
    with serving(product) as url:
        code, checks, _ = said(
            url,
            "check",
            "sot",
            select={"status": ["planned"], "tag": ["bootz", "nothing"]},
            push={"fields": True},
        )

    failed = {row["check"]: row for row in checks if row["outcome"] == "failed"}
    assert code == 1
    assert failed["view dcim.modulebay"]["reason"] == "source-forbidden"
    assert failed["select tag=nothing"]["reason"] == "source-filter-unknown"
    assert '"name":"bootz_state","type":"text"' in failed["custom fields"]["detail"]


def test_an_unknown_name_lists_the_known(said: Said) -> None:
    code, _, error = said("http://127.0.0.1:9", "sync", "other")

    assert code == 1
    assert "source-not-found" in error


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url", "http://netbox.example.net"),
        ("url", "https://user:secret@netbox.example.net"),
        ("interval", 5),
        ("page_size", 5000),
        ("select", {}),
        ("select", {"state": ["planned"]}),
        ("cards", [{"kind": "control"}]),
        ("cards", [{"bay": "(", "kind": "control"}]),
        ("mgmt_interface", "["),
        ("name", "../x"),
        ("kind", "other"),
    ],
)
def test_settings_that_do_not_hold(key: str, value: object) -> None:
    good: dict[str, Any] = {
        "name": "sot",
        "kind": "netbox",
        "url": "https://netbox.example.net/api/",
        "token_file": "t",
        "select": {"status": ["planned"]},
    }
    assert SourceSettings.model_validate(good).url == "https://netbox.example.net"

    with pytest.raises(ValueError, match=key) as refused:
        SourceSettings.model_validate({**good, key: value})
    assert "secret" not in str(refused.value)
