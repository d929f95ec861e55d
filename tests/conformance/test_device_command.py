"""``bootz conformance device`` as a person calls it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from conformance.lab import Lab
from conformance.test_device_adapter import DOUBLE
from pki import make_pair

from bootz.cli.main import run
from bootz.conformance.device.answers import read_content
from bootz.conformance.device.cases import CASES, choose_cases
from bootz.conformance.device.judge import attempts
from bootz.conformance.device.material import (
    KeptVouchers,
    Owner,
    load_authority,
    make_authority,
    make_voucher,
)
from bootz.conformance.device.report import NO_TWIN, judgement, why
from bootz.conformance.verdict import Judgement
from bootz.errors import BootzError, ConfigError
from bootz.keystore.files import write_certificates, write_private_key
from bootz.trust.issuing import CertificateProfile
from bootz.trust.voucher import parse_unverified_voucher

Shell = Callable[..., tuple[int, Any]]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    def call(*words: object) -> tuple[int, Any]:
        code = run(["conformance", "device", *map(str, words), "--output", "json"])
        told = capsys.readouterr().out
        return code, json.loads(told) if told.strip() else None

    return call


def test_the_emulated_router_by_default(shell: Shell, tmp_path: Path) -> None:
    junit = tmp_path / "report.xml"
    code, rows = shell(
        "--case", "bootz-1.3", "--dialect", "v0.1.0", "--dialect", "current", "--junit", junit,
        "--html", tmp_path / "report.html",
    )  # fmt: skip
    assert code == 0
    assert [(row["case"], row["dialect"], row["result"]) for row in rows] == [
        ("bootz-1.3", "v0.1.0", "passed"),
        ("bootz-1.3", "current", "passed"),
    ]
    assert {check["outcome"] for check in rows[0]["checks"]} == {"passed"}
    assert "the device comes up and reports it" in (tmp_path / "report.html").read_text()
    suite = ElementTree.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "0", "0")


def test_another_device_with_vouchers_that_exist(lab: Lab, shell: Shell, tmp_path: Path) -> None:
    """As an operator tries hardware: an adapter, ready vouchers, the owner's own keys."""
    keys = lab.maker / "keys"
    signer = load_authority(keys / "vouchers.pem", keys / "vouchers.key", [])
    domain = make_authority("our domain")
    owner = domain.issue("our owner", CertificateProfile.OWNER)
    vouchers = tmp_path / "vouchers"
    vouchers.mkdir()
    for name, serial in (("a.vcj", "CONFORM-IDEVID"), ("b.vcj", "ANOTHER")):
        (vouchers / name).write_bytes(make_voucher(signer, serial, domain.certificate))
    (vouchers / "README").write_text("no voucher")
    write_certificates(tmp_path / "pdc.pem", [domain.certificate])
    write_certificates(tmp_path / "owner.pem", [owner.certificate])
    write_private_key(tmp_path / "owner.key", owner.key)

    def adapter(name: str) -> tuple[str, str]:
        words = [*DOUBLE, "sound", str(tmp_path / name), str(lab.maker)]
        return "--adapter", shlex.join(words)

    given = (
        "--vendor-ca", keys / "ca.pem", "--voucher-dir", vouchers,
        "--pinned-domain-cert", tmp_path / "pdc.pem",
        "--owner-certificate", tmp_path / "owner.pem", "--owner-key", tmp_path / "owner.key",
    )  # fmt: skip
    code, rows = shell(*adapter("one"), *given, "--case", "bootz-3.3/serial", "--case", "bootz-3.4")
    assert (code, [row["why"] for row in rows]) == (0, ["", ""])
    (vouchers / "b.vcj").unlink()
    # What cannot be played is not a success.
    code, rows = shell(*adapter("two"), *given, "--case", "bootz-3.3/serial")
    assert (code, rows[0]["result"]) == (1, "failed")
    assert "conformance-material" in rows[0]["why"]


def test_a_device_of_another_manufacturer_fails(lab: Lab, shell: Shell, tmp_path: Path) -> None:
    keys = lab.maker / "keys"
    stranger = make_pair("other vendor", ca=True)
    write_certificates(tmp_path / "other.pem", [stranger.der])
    adapter = shlex.join([*DOUBLE, "sound", str(tmp_path / "routers"), str(lab.maker)])
    junit = tmp_path / "report.xml"
    code, rows = shell(
        "--adapter", adapter, "--vendor-ca", tmp_path / "other.pem",
        "--voucher-signer", keys / "vouchers.pem", "--voucher-key", keys / "vouchers.key",
        "--case", "bootz-3.4", "--junit", junit,
    )  # fmt: skip
    assert code == 1
    assert "client certificate refused" in rows[0]["why"]
    assert ElementTree.parse(junit).getroot().get("failures") == "1"


def test_a_device_that_never_comes_passes_nothing(lab: Lab, shell: Shell, tmp_path: Path) -> None:
    keys = lab.maker / "keys"
    junit = tmp_path / "report.xml"
    code, rows = shell(
        "--adapter", shlex.join([*DOUBLE, "absent", "FOC1"]), "--vendor-ca", keys / "ca.pem",
        "--voucher-signer", keys / "vouchers.pem", "--voucher-key", keys / "vouchers.key",
        "--case", "bootz-1", "--case", "bootz-3.3", "--case", "bootz-7", "--case", "bootz-8",
        "--junit", junit,
    )  # fmt: skip
    assert code == 1
    good = {"bootz-1.3", "bootz-7.1", "bootz-8.1.1", "bootz-8.1.2", "bootz-8.1.3"}
    assert {row["case"] for row in rows if row["result"] == "failed"} == good
    assert {row["result"] for row in rows if row["case"] not in good} == {"not judged"}
    report = ElementTree.parse(junit).getroot()
    assert report.get("skipped") == str(len(rows) - len(good))


def test_a_hostile_case_counts_beside_a_good_answer_of_the_same_kind(lab: Lab) -> None:
    """A device that recovers is judged by it; one that does not needs a twin elsewhere."""
    sound = lab.play(choose_cases(["bootz-3.3/serial"])[0])
    assert judgement(sound, [sound]) is Judgement.PASSED
    silent = replace(sound, served=False)
    assert judgement(silent, [silent]) is Judgement.NOT_JUDGED
    assert NO_TWIN in why(silent, [silent])
    other = replace(sound, dialect="v0.3")
    assert judgement(silent, [silent, other]) is Judgement.NOT_JUDGED
    twin = replace(sound, case=choose_cases(["bootz-3.4"])[0])
    assert judgement(silent, [silent, twin]) is Judgement.PASSED
    flawed = replace(silent, error="it burns")
    assert judgement(flawed, [flawed, twin]) is Judgement.FAILED


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--case", "bootz-9"], 1),
        (["--case", "bootz-6", "--dialect", "v0.3"], 1),
        (["--adapter", "x"], 2),
        (["--vendor-ca", __file__], 2),
        (["--case-timeout", "bootz-1=soon"], 2),
        (["--timeout", "0"], 1),
        (["--image", __file__], 2),
        (["--listen", "0.0.0.0"], 2),
    ],
)
def test_what_cannot_be_asked_for(shell: Shell, words: list[str], code: int) -> None:
    assert shell(*words) == (code, None)


def test_the_cases_are_listed(shell: Shell) -> None:
    code, rows = shell("--list", "--case", "bootz-3.3")
    assert code == 0
    assert [row["case"] for row in rows] == [
        "bootz-3.3/signer", "bootz-3.3/serial", "bootz-3.3/signature", "bootz-3.3/nonce"
    ]  # fmt: skip
    assert len(shell("--list")[1]) == len(CASES) == len({case.id for case in CASES})


def test_cases_are_chosen_by_group() -> None:
    def ids(*patterns: str) -> list[str]:
        return [case.id for case in choose_cases(patterns)]

    assert ids("bootz-1") == ["bootz-1.1", "bootz-1.2/openconfig", "bootz-1.2/vendor", "bootz-1.3"]
    assert ids("bootz-8.4", "bootz-7.1") == ["bootz-7.1", "bootz-8.4"]
    assert len(ids("bootz-6")) == len(ids("bootz-[1-5]"))
    with pytest.raises(ConfigError):
        choose_cases(["bootz-1", "bootz-99"])


def test_statuses_are_divided_into_attempts() -> None:
    told = ["BOOTZ_UNSPECIFIED", "BOOTZ_SENT", "BOOTZ_OV_INVALID", "BOOTZ_SENT"]
    assert attempts(told) == [("BOOTZ_SENT", "BOOTZ_OV_INVALID"), ("BOOTZ_SENT",)]
    assert attempts(["BOOTZ_OK"]) == [("BOOTZ_OK",)]
    assert attempts([]) == []


def test_material_that_does_not_fit(tmp_path: Path) -> None:
    one, other = make_authority("one"), make_authority("other")
    write_certificates(tmp_path / "one.pem", [one.certificate])
    write_private_key(tmp_path / "other.key", other.key)
    with pytest.raises(BootzError) as caught:
        load_authority(tmp_path / "one.pem", tmp_path / "other.key")
    assert caught.value.reason == "conformance-material"
    with pytest.raises(BootzError) as caught:
        Owner.make("127.0.0.1", owner=(one.certificate, other))
    assert caught.value.reason == "conformance-material"
    with pytest.raises(BootzError) as caught:
        read_content(b"hostname r1\n", "r2", None)
    assert caught.value.reason == "conformance-material"


def test_vouchers_of_a_folder_are_told_apart_by_content(tmp_path: Path) -> None:
    signer = make_authority("vendor").issue("signer", CertificateProfile.VOUCHER_SIGNER)
    (tmp_path / "x").write_bytes(make_voucher(signer, "S1", signer.certificate))
    kept = KeptVouchers(tmp_path)
    assert parse_unverified_voucher(kept.voucher("s1")).serial_number == "S1"
    assert parse_unverified_voucher(kept.foreign("S2")).serial_number == "S1"
    for call in (lambda: kept.voucher("S2"), lambda: kept.foreign("S1")):
        with pytest.raises(ConfigError) as caught:
            call()
        assert caught.value.reason == "conformance-material"
