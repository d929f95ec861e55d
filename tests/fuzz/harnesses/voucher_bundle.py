"""Bundles of vouchers: a tar."""

from bootz.trust.bundle import WIRE_LIMITS, classify_voucher_field, read_bundle


def enter(data: bytes) -> None:
    if classify_voucher_field(data) != "bundle":
        return
    found = read_bundle(data)
    for _, content in found.entries:
        assert len(content) <= WIRE_LIMITS.entry_bytes
        assert content in data
    assert isinstance(found.warnings, tuple)
