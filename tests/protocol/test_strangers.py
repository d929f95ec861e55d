"""What a caller without a record has proven: its number, under the CA of a vendor on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from world import Manufacturer, manufacturer

from bootz.protocol.idevid import TlsCertificate
from bootz.protocol.strangers import ProvenStranger, prove_stranger
from bootz.trust.vendor import Vendor

NOW = datetime.now(UTC)


def vendor(made: Manufacturer) -> Vendor:
    return Vendor(made.name, (), "", made.anchors, made.anchors)


def certificate(made: Manufacturer, serial: str, **changes: timedelta | str) -> TlsCertificate:
    return TlsCertificate(made.device(serial, **changes).certificate)  # type: ignore[arg-type]


def test_a_vendors_ca_vouches_for_it() -> None:
    vendors = [vendor(manufacturer("Beta")), vendor(manufacturer())]

    found = prove_stranger(certificate(manufacturer(), "FX9"), vendors, now=NOW)

    assert found == ProvenStranger("Acme", "FX9")


def test_nothing_is_proven_without_that() -> None:
    acme = [vendor(manufacturer())]

    assert prove_stranger(None, acme, now=NOW) is None
    # Another maker's CA; a certificate that has ended; one that names no number.
    assert prove_stranger(certificate(manufacturer("Beta"), "FX9"), acme, now=NOW) is None
    late = NOW + timedelta(days=30)
    assert prove_stranger(certificate(manufacturer(), "FX9"), acme, now=late) is None
    unnamed = certificate(manufacturer(), "FX9", subject_serial="")
    assert prove_stranger(unnamed, acme, now=NOW) is None
    assert prove_stranger(certificate(manufacturer(), "FX9"), [], now=NOW) is None
