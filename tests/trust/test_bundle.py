"""The bundle of vouchers: told from a single one, packed, read back, and refused."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trust.world import content, pdc, vendor

from bootz.trust.bundle import (
    BundleError,
    BundleLimits,
    classify_voucher_field,
    file_name,
    is_bundle,
    pack_bundle,
    read_bundle,
)
from bootz.trust.tar import write_entry

ONE = vendor().issue(content(pdc().der, serial_number="A1"))
TWO = vendor().issue(content(pdc().der, serial_number="0B2"))
PACKED = pack_bundle({"A1": ONE, "0B2": TWO})


def test_a_bundle_is_told_by_its_bytes() -> None:
    assert PACKED[0] == 0x30
    assert is_bundle(PACKED)
    assert classify_voucher_field(PACKED) == "bundle"
    assert classify_voucher_field(ONE) == "single"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ov-malformed"),
        (b"x" * 600, "ov-malformed"),
        (b"\x1f\x8b\x08", "ov-bundle-compressed"),
        (b"A" + PACKED[1:], "ov-malformed"),
        (b"A" + pack_bundle({"A": b""})[1:345], "ov-malformed"),
        (b"A" * 257 + b"ustar" + b"\0" * 300, "ov-malformed"),
    ],
    ids=range(6),
)
def test_what_is_neither(data: bytes, reason: str) -> None:
    assert not is_bundle(data)
    with pytest.raises(BundleError) as caught:
        classify_voucher_field(data)
    assert caught.value.reason == reason


def test_a_damaged_first_header_makes_der_of_it() -> None:
    assert classify_voucher_field(PACKED[:20] + b"x" + PACKED[21:]) == "single"


def test_what_is_packed_is_the_same_every_time_and_read_by_others() -> None:
    assert pack_bundle({"0B2": TWO, "A1": ONE}) == PACKED
    assert len(PACKED) % 512 == 0
    with tarfile.open(fileobj=io.BytesIO(PACKED), mode="r:") as archive:
        members = archive.getmembers()
        read = [archive.extractfile(each) for each in members]
        assert [each.read() for each in read if each] == [TWO, ONE]
    assert [each.name for each in members] == ["0B2.vcj", "A1.vcj"]
    assert {(m.mode, m.uid, m.gid, m.mtime, m.uname, m.gname, m.isreg()) for m in members} == {
        (0o644, 0, 0, 0, "", "", True)
    }
    contents = read_bundle(PACKED)
    assert contents.entries == (("0B2.vcj", TWO), ("A1.vcj", ONE))
    assert contents.warnings == ()


@pytest.mark.parametrize(
    ("serial", "name"),
    [
        ("FOC1234ABCD", "FOC1234ABCD.vcj"),
        ("a.b_c-d", "a.b_c-d.vcj"),
        ("x" * 64, "x" * 64 + ".vcj"),
    ],
)
def test_a_serial_number_that_is_a_name(serial: str, name: str) -> None:
    assert file_name(serial) == name


@pytest.mark.parametrize("serial", ["", ".x", "../x", "a/b", "a b", "é", "x" * 65, "A\n", "\ud800"])
def test_a_serial_number_that_is_no_name(serial: str) -> None:
    name = file_name(serial)
    assert (name[:3], name[-4:], len(name)) == ("sn-", ".vcj", 23)
    assert pack_bundle({serial: ONE})


def test_a_name_that_ustar_cannot_hold_is_a_defect_of_the_caller() -> None:
    with pytest.raises(RuntimeError):
        write_entry("x" * 101, b"")


def archive(
    *members: tuple[str | tarfile.TarInfo, bytes], form: int = tarfile.USTAR_FORMAT
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as out:
        for name, data in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def special(kind: bytes, name: str = "special", target: str = "/etc/passwd") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


PASSED_OVER = {
    "folder": (special(tarfile.DIRTYPE), b""),
    "symbolic link": (special(tarfile.SYMTYPE), b""),
    "hard link": (special(tarfile.LNKTYPE), b""),
    "device": (special(tarfile.CHRTYPE), b""),
    "absolute": ("/A1.vcj", ONE),
    "upwards": ("../A1.vcj", ONE),
    "a dot too many": ("x/../A1.vcj", ONE),
    "backslash": ("x\\A1.vcj", ONE),
    "control character": ("A1\n.vcj", ONE),
    "no CMS": ("A1.vcj", b"text"),
    "an empty file": ("A1.vcj", b""),
}


@pytest.mark.parametrize("member", PASSED_OVER.values(), ids=PASSED_OVER)
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_an_entry_that_is_passed_over(member: tuple[tarfile.TarInfo, bytes], form: int) -> None:
    contents = read_bundle(archive(member, ("good", TWO), form=form))
    assert contents.entries == (("good", TWO),)
    assert len(contents.warnings) == 1


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_are_read_and_judged(form: int) -> None:
    long = "x" * 150
    contents = read_bundle(archive((long, ONE), ("/" + long, TWO), ("short", TWO), form=form))
    assert contents.entries == ((long, ONE), ("short", TWO))
    linked = special(tarfile.SYMTYPE, "x" * 150, "y" * 150)
    assert len(read_bundle(archive((linked, b""), form=form)).warnings) == 1


def pax(**headers: str) -> bytes:
    info = tarfile.TarInfo("A1.vcj")
    info.pax_headers = {key.replace("__", "."): value for key, value in headers.items()}
    return archive((info, ONE), form=tarfile.PAX_FORMAT)


def test_a_sparse_file_is_passed_over_and_a_hidden_zero_in_a_name() -> None:
    assert read_bundle(pax(GNU__sparse__major="1")).entries == ()
    assert read_bundle(pax(path="A\0B")).entries == ()
    assert read_bundle(pax(comment="x")).entries == (("A1.vcj", ONE),)


def fix(block: bytes) -> bytes:
    bare = block[:148] + b" " * 8 + block[156:]
    return block[:148] + b"%06o\0 " % sum(bare) + block[156:]


def with_header(change: Callable[[bytes], bytes]) -> bytes:
    return fix(change(PACKED[:512])) + PACKED[512:]


MALFORMED = {
    "nothing": b"",
    "not a block": PACKED[:100],
    "cut inside an entry": PACKED[:1024],
    "without its end": PACKED[:-1024],
    "half of its end": PACKED[:-512],
    "after its end": PACKED + b"x" * 512,
    "zeros, and then another": bytes(1024) + PACKED,
    "checksum": PACKED[:5] + b"x" + PACKED[6:],
    "a second header's checksum": archive(("A", b"x"), ("B", b"y")).replace(b"B\0", b"C\0", 1),
    "size over the end": with_header(lambda h: h[:124] + b"00000170000\0" + h[136:]),
    "size no number": with_header(lambda h: h[:124] + b"0000000000x\0" + h[136:]),
    "size in base 256": with_header(lambda h: h[:124] + b"\x80" + bytes(10) + b"\1" + h[136:]),
    "a size overridden": pax(size="10"),
    "an extended header without value": pax(comment="x").replace(b" comment=", b" comment:"),
    "an extended header too short": pax(comment="x").replace(b"13 comment", b"12 comment"),
    "an extended header too long": pax(comment="x").replace(b"13 comment", b"99 comment"),
    "an extended header of no length": pax(comment="x").replace(b"13 comment", b"xx comment"),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_an_archive_that_is_damaged(data: bytes) -> None:
    with pytest.raises(BundleError) as caught:
        read_bundle(data)
    assert caught.value.reason == "ov-bundle-malformed"


TOO_LARGE = {
    "entries": archive(*[(f"{number}", b"") for number in range(257)]),
    "an entry": archive(("A", bytes((64 << 10) + 1))),
    "in all": bytes((4 << 20) + 1),
}


@pytest.mark.parametrize("data", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_bundle_over_its_bounds(data: bytes) -> None:
    with pytest.raises(BundleError) as caught:
        read_bundle(data)
    assert caught.value.reason == "ov-bundle-too-large"


def test_at_its_bounds_a_bundle_is_read() -> None:
    many = archive(*[(f"{number}", b"") for number in range(256)])
    assert len(read_bundle(many).warnings) == 256
    narrow = BundleLimits(entries=2, entry_bytes=max(len(ONE), len(TWO)), total_bytes=len(PACKED))
    assert len(read_bundle(PACKED, limits=narrow).entries) == 2


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(PACKED) - 1), st.integers(0, 255)), max_size=4))
def test_a_changed_bundle_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    data = bytearray(PACKED)
    for place, value in changes:
        data[place] = value
    try:
        contents = read_bundle(bytes(data))
    except BundleError:
        return
    assert len(contents.entries) + len(contents.warnings) <= 2


@given(st.binary(max_size=700))
def test_any_bytes_are_a_bundle_or_refused(data: bytes) -> None:
    with pytest.raises(BundleError):
        read_bundle(data)
    try:
        kind = classify_voucher_field(data)
    except BundleError:
        return
    assert kind == "single"
    assert data[:1] == b"0"
