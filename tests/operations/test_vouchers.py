"""Vouchers: verified completely before they are stored; files of every form, bounded."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from operations.shell import Shell
from sqlalchemy import Connection
from store.world import NOW, maker, owner

from bootz.errors import BootzError, ConfigError
from bootz.model.artifacts import Assertion
from bootz.server.operations.chassis import ChassisRecord, add_chassis
from bootz.server.operations.vendors import add_vendor
from bootz.server.operations.vouchers import files as voucher_files
from bootz.server.operations.vouchers.files import (
    FoundVoucher,
    find_voucher_files,
    read_voucher_text,
)
from bootz.server.operations.vouchers.records import find_vouchers, list_vouchers
from bootz.server.operations.vouchers.storing import (
    StoreOutcome,
    VoucherResult,
    remove_vouchers,
    store_voucher,
)
from bootz.trust.bundle import BundleLimits, pack_bundle
from bootz.trust.tar import write_end, write_entry

PINNED = owner().der
DAY = timedelta(days=1)


def store(connection: Connection, raw: bytes, vendor: str | None = None) -> VoucherResult:
    return store_voucher(connection, raw, pinned_domain_cert=PINNED, now=NOW, vendor=vendor)


def test_a_good_voucher_is_stored_once(connection: Connection) -> None:
    add_chassis(connection, ChassisRecord("Acme", "fx1"))
    raw = maker().voucher("FX1", PINNED, expires=NOW + DAY)
    first, second = store(connection, raw), store(connection, raw, "acme")
    assert (first.outcome, second.outcome) == (StoreOutcome.STORED, StoreOutcome.SAME)
    assert first.vendor == "Acme"
    # The router compares byte for byte, so another spelling is worth a word.
    assert any("'fx1'" in warning for warning in first.warnings)
    (kept,) = find_vouchers(connection, " fx1")
    assert (kept.raw, kept.serial_number, kept.left(NOW)) == (raw, "FX1", DAY)
    assert list_vouchers(connection, expiring_before=NOW) == ()
    assert list_vouchers(connection, expiring_before=NOW + DAY) == (kept,)
    with pytest.raises(BootzError) as caught:
        find_vouchers(connection, "other")
    assert caught.value.reason == "voucher-not-found"


ENDED_SINCE: Any = {"created": NOW - 2 * DAY, "signer_ends": NOW - DAY}


def swapped(raw: bytes) -> bytes:
    """The same voucher with one letter of its content changed."""
    return raw.replace(b'"FX1"', b'"FX2"')


@pytest.mark.parametrize(
    ("raw", "vendor", "reason"),
    [
        (maker().voucher("FX1", owner("rival").der), None, "ov-pins-other"),
        (maker().voucher("FX1", PINNED, expires=NOW - DAY), None, "ov-expired"),
        (maker().voucher("FX1", PINNED, expires=NOW), None, "ov-expired"),
        (maker().voucher("FX1", PINNED, created=NOW + DAY), None, "ov-not-yet-valid"),
        (maker().voucher("FX1", PINNED, assertion=Assertion.LOGGED), None, "ov-assertion"),
        (maker().voucher("FX1", PINNED, **ENDED_SINCE), "Acme", "ov-signer-expired"),
        (maker().voucher("FX1", PINNED, **ENDED_SINCE), None, "ov-signer-expired"),
        (maker("Rogue").voucher("FX1", PINNED), None, "voucher-vendor-unknown"),
        (maker("Rogue").voucher("FX1", PINNED), "Acme", "ov-untrusted-signer"),
        (maker("Other").voucher("FX1", PINNED), "Acme", "ov-untrusted-signer"),
        (maker().voucher("FX1", PINNED), "Nobody", "vendor-not-found"),
        (maker().voucher("x" * 65, PINNED), None, "ov-content"),
        (maker().voucher("a\nb", PINNED), None, "ov-content"),
        (swapped(maker().voucher("FX1", PINNED)), None, "ov-bad-signature"),
        (maker().voucher("FX1", PINNED) + b"\x00", None, "ov-malformed"),
        (maker().voucher("FX1", PINNED)[:-1], None, "ov-malformed"),
        (b"", None, "ov-malformed"),
        (b"\x30" * 1_000_000, None, "ov-malformed"),
    ],
)
def test_a_wrong_voucher_is_refused_and_never_stored(
    connection: Connection, raw: bytes, vendor: str | None, reason: str
) -> None:
    add_vendor(connection, maker("Other").vendor)
    good = maker().voucher("FX1", PINNED, created=NOW - DAY)
    assert store(connection, good).outcome is StoreOutcome.STORED
    result = store(connection, raw, vendor)
    assert result.outcome is StoreOutcome.REFUSED
    assert result.error is not None
    assert result.error.reason == reason
    assert [voucher.raw for voucher in list_vouchers(connection)] == [good]


def test_the_vendor_is_found_by_its_anchors(connection: Connection) -> None:
    add_vendor(connection, maker("Other").vendor)
    assert store(connection, maker("Other").voucher("FX1", PINNED)).vendor == "Other"
    assert store(connection, maker().voucher("FX1", PINNED)).vendor == "Acme"
    assert [v.vendor for v in list_vouchers(connection, vendor="other")] == ["Other"]


RAW = maker().voucher("FX1", PINNED)
TEXT = base64.encodebytes(RAW)


@pytest.mark.parametrize(
    "data",
    [
        RAW,
        TEXT,
        TEXT.replace(b"\n", b"\r\n"),
        b"-----BEGIN CMS-----\n" + TEXT + b"-----END CMS-----\n",
        b"\n-----BEGIN PKCS7-----\n" + TEXT + b"-----END PKCS7-----\n\n",
    ],
)
def test_a_voucher_may_be_der_pem_or_base64(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "FX1.vcj"
    path.write_bytes(data)
    (found,) = find_voucher_files([path]).vouchers
    assert (found.raw, found.error) == (RAW, None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no voucher!",
        b"-----BEGIN CMS-----\n" + TEXT + b"-----END PKCS7-----\n",
        TEXT + b"!",
        RAW * 100,
        base64.b64encode(bytes(70_000)),
    ],
)
def test_a_file_that_is_no_voucher_is_told_and_others_go_on(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.vcj").write_bytes(data)
    (tmp_path / "good.vcj").write_bytes(RAW)
    bad, good = find_voucher_files([tmp_path]).vouchers
    assert bad.error is not None
    assert (bad.error.reason, good.raw) == ("voucher-file-invalid", RAW)


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_any_bytes_are_der_or_a_clear_error(data: bytes) -> None:
    try:
        der = read_voucher_text(data, "file")
    except ConfigError as error:
        assert error.reason == "voucher-file-invalid"  # noqa: PT017 -- both ends are right
    else:
        assert der


def test_folders_are_searched_links_are_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in" / "deep", tmp_path / "out"
    inside.mkdir(parents=True)
    outside.mkdir()
    (inside / "a.vcj").write_bytes(RAW)
    (inside / "readme.txt").write_bytes(b"x")
    (outside / "b.vcj").write_bytes(RAW)
    (inside / "link.vcj").symlink_to(outside / "b.vcj")
    found = find_voucher_files([tmp_path / "in"])
    assert [Path(voucher.where).name for voucher in found.vouchers] == ["a.vcj"]


def test_a_tar_is_read_in_memory_whatever_its_names(tmp_path: Path) -> None:
    other = maker().voucher("FX2", PINNED)
    bundle = pack_bundle({"FX1": RAW, "FX2": other})
    (tmp_path / "all.tar").write_bytes(bundle)
    (tmp_path / "all.tar.gz").write_bytes(gzip.compress(bundle))
    for name in ("all.tar", "all.tar.gz"):
        found = find_voucher_files([tmp_path / name])
        assert [voucher.raw for voucher in found.vouchers] == [RAW, other]
    armoured = pack_bundle({"FX1": base64.b64encode(RAW), "FX2": other})
    (tmp_path / "armoured.tar").write_bytes(armoured)
    found = find_voucher_files([tmp_path / "armoured.tar"])
    assert [voucher.raw for voucher in found.vouchers] == [RAW, other]
    (tmp_path / "armoured.tar").unlink()
    evil = io.BytesIO()
    with tarfile.open(fileobj=evil, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for entry, content in (("../up.vcj", RAW), ("/abs.vcj", RAW), ("junk.vcj", b"junk")):
            info = tarfile.TarInfo(entry)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("link.vcj")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    (tmp_path / "evil.tar").write_bytes(evil.getvalue())
    found = find_voucher_files([tmp_path / "evil.tar"])
    assert found.warnings == ()
    assert [(inside(each), each.raw, reason(each)) for each in found.vouchers] == [
        (name, b"", "voucher-file-invalid")
        for name in ("../up.vcj", "/abs.vcj", "junk.vcj", "link.vcj")
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "all.tar",
        "all.tar.gz",
        "evil.tar",
    ]


def test_vouchers_are_removed_by_card_digest_or_end(shell: Shell) -> None:
    for serial in ("FX1", "FX2"):
        shell.ok("chassis", "add", serial, "--vendor", "Acme")
    files = [
        shell.file(f"{number}.vcj", maker().voucher(serial, PINNED, expires=expires))
        for number, (serial, expires) in enumerate(
            [("FX1", NOW + DAY), ("FX1", NOW + 2 * DAY), ("FX2", NOW + DAY)]
        )
    ]
    shell.ok("voucher", "import", *files)
    digest = hashlib.sha256(Path(files[0]).read_bytes()).hexdigest()

    def stored() -> list[str]:
        return [row["serial_number"] for row in shell.json("voucher", "list")]

    assert len(shell.json("voucher", "remove", "fx1", "--dry-run")) == 2
    assert stored() == ["FX1", "FX1", "FX2"]
    code, out, err = shell.run("voucher", "remove", "FX1", "--sha256", digest[:12].upper())
    assert (code, digest in out.replace("\n", "").replace(" ", "")) == (0, True)
    assert "no valid voucher" not in err
    assert shell.refused("voucher", "remove", "FX1", "--sha256", digest[:12]) == "voucher-not-found"
    # One name that is not there, and nothing at all is removed.
    assert shell.refused("voucher", "remove", "FX1", "FX9") == "voucher-not-found"
    assert stored() == ["FX1", "FX2"]
    assert "FX1 has no valid voucher" in shell.run("voucher", "remove", "FX1")[2]
    assert stored() == ["FX2"]
    assert shell.json("voucher", "remove", "--expired") == []
    assert shell.refused("voucher", "remove", "FX2", "--expired") == "voucher-not-found"
    assert shell.run("voucher", "remove")[0] == 2


def test_only_what_has_ended_is_removed_of_all_cards(connection: Connection) -> None:
    add_vendor(connection, maker("Other").vendor)
    for name, serial, life in (("Acme", "A", 1), ("Acme", "B", 9), ("Other", "A", 1)):
        assert store(connection, maker(name).voucher(serial, PINNED, expires=NOW + life * DAY))
    with pytest.raises(BootzError) as caught:
        remove_vouchers(connection, ["A"])
    assert caught.value.reason == "voucher-ambiguous"
    ended = remove_vouchers(connection, (), vendor="Other", ended_by=NOW + 2 * DAY)
    assert [(record.vendor, record.serial_number) for record in ended] == [("Other", "A")]
    remove_vouchers(connection, (), ended_by=NOW + 2 * DAY)
    assert [record.serial_number for record in list_vouchers(connection)] == ["B"]


def test_legacy_is_shown_wherever_a_vendor_is(shell: Shell) -> None:
    assert "LEGACY" not in shell.run("vendor", "show", "Acme")[2]
    for words in (
        ("vendor", "set", "Acme", "--legacy", "--idevid-serial", "chassis"),
        ("vendor", "show", "Acme"),
        ("vendor", "list"),
    ):
        code, out, err = shell.run(*words)
        assert (code, "LEGACY is on for Acme" in err) == (0, True), out
    settings = shell.json("vendor", "show", "Acme")["settings"]
    assert (settings["legacy"], settings["idevid_serial"]) == (True, "chassis")
    assert "LEGACY" not in shell.run("vendor", "set", "Acme", "--no-legacy")[2]


def inside(found: FoundVoucher) -> str:
    """Return the entry of a tar."""
    return found.where.rpartition(": ")[2]


def reason(found: FoundVoucher) -> str:
    return "" if found.error is None else found.error.reason


def test_what_is_no_voucher_beside_vouchers_is_passed_over_with_a_warning(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entries = {"README.txt": b"read me", "root.cer": owner().der, "._FX1.vcj": b"\0\5\x16\7"}
        for name, content in {**entries, "FX1.vcj": RAW, "FX2.VCJ": b"", "x": RAW[:-1]}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        tar.addfile(folder_entry("vouchers.vcj"))
    (tmp_path / "order.tar").write_bytes(packed.getvalue())
    found = find_voucher_files([tmp_path / "order.tar"])
    passed_over = zip([*entries, "vouchers.vcj"], found.warnings, strict=True)
    assert all(name in words for name, words in passed_over)
    assert {inside(each): reason(each) for each in found.vouchers} == {
        "FX1.vcj": "",
        "FX2.VCJ": "voucher-file-invalid",
        "x": "voucher-file-invalid",
    }


def folder_entry(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE
    return info


def test_an_archive_without_vouchers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.tar").write_bytes(write_entry("README", b"read me") + write_end())
    (only,) = find_voucher_files([tmp_path / "none.tar"]).vouchers
    assert (reason(only), "no voucher" in str(only.error)) == ("voucher-file-invalid", True)


def test_a_damaged_archive_or_empty_folder_keeps_no_other_away(tmp_path: Path) -> None:
    (tmp_path / "cut.tar").write_bytes(pack_bundle({"FX1": RAW})[:700])
    (tmp_path / "FX1.vcj").write_bytes(RAW)
    (tmp_path / "empty").mkdir()
    paths = [tmp_path / name for name in ("cut.tar", "empty", "FX1.vcj")]
    found = find_voucher_files(paths).vouchers
    assert [reason(each) for each in found] == ["voucher-file-invalid"] * 2 + [""]


def test_commands_name_each_damaged_voucher_of_a_tar_and_fail(shell: Shell) -> None:
    bad = {f"FX{number}": RAW[: -1 - number] for number in range(3)}
    tar = shell.file("order.tar", pack_bundle({**bad, "GOOD": maker().voucher("GOOD", PINNED)}))
    for words, outcomes, told in (
        (["voucher", "import", tar], ["stored", *["refused"] * 3], "3 of 4 were refused"),
        (["voucher", "verify", tar], ["holds", *["wrong"] * 3], "3 of 4 do not hold"),
    ):
        code, out, err = shell.run(*words, "--output", "json")
        rows = json.loads(out)
        assert (code, [row["outcome"] for row in rows]) == (1, outcomes), err
        assert json.loads(err)["error"]["detail"] == told
        assert [row["file"].rpartition(": ")[2] for row in rows[1:]] == [
            "FX0.vcj",
            "FX1.vcj",
            "FX2.vcj",
        ]
        assert {row["reason"] for row in rows[1:]} == {"voucher-file-invalid"}
    only = shell.file("bad.tar", pack_bundle(bad))
    for verb in ("import", "verify"):
        assert shell.run("voucher", verb, only)[0] == 1


def test_bombs_and_damage_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = BundleLimits(entries=3, entry_bytes=65536, total_bytes=100_000)
    monkeypatch.setattr(voucher_files, "OFFLINE_LIMITS", limits)
    bundle = pack_bundle({"FX1": RAW})
    for name, data in {
        "bomb.gz": gzip.compress(bytes(10_000_000)),
        "cut.gz": gzip.compress(bundle)[:-9],
        "twice.gz": gzip.compress(bundle) * 2,
        "noise.gz": b"\x1f\x8b" + bytes(40),
        "many.tar": pack_bundle({f"S{number}": RAW for number in range(4)}),
        "cut.tar": bundle[:700],
    }.items():
        (tmp_path / name).write_bytes(data)
        (only,) = find_voucher_files([tmp_path / name]).vouchers
        assert (reason(only), name in str(only.error)) == ("voucher-file-invalid", True)
    for number in range(4):
        (tmp_path / f"{number}.vcj").write_bytes(RAW)
    (only,) = find_voucher_files([tmp_path]).vouchers
    assert reason(only) == "voucher-file-invalid"


def test_missing_and_empty_places_are_told(tmp_path: Path) -> None:
    with pytest.raises(BootzError) as caught:
        find_voucher_files([tmp_path / "none.vcj"])
    assert caught.value.reason == "file-unreadable"
    (only,) = find_voucher_files([tmp_path]).vouchers
    assert reason(only) == "voucher-file-invalid"


def test_gzip_that_swells_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "order.tar.gz"
    bomb.write_bytes(gzip.compress(bytes(64 << 20)))
    (only,) = find_voucher_files([bomb]).vouchers
    assert reason(only) == "voucher-file-invalid"
    (tmp_path / "FX1.vcj").write_bytes(RAW)
    (tmp_path / "good.tgz").write_bytes(gzip.compress(pack_bundle({"FX1": RAW})))
    found = find_voucher_files([tmp_path]).vouchers
    # In a folder a bad file keeps no other away.
    assert [each.raw for each in found] == [RAW, RAW, b""]
    assert found[2].error is not None
