"""What a manufacturer issues holds for the card it names, and for nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pki import make_pair

from bootz.errors import BootzError, ConfigError
from bootz.keystore.files import KeyKind
from bootz.manufacturer.room import Manufacturer
from bootz.model.artifacts import Assertion
from bootz.trust.certificates import (
    AnchorSet,
    VendorCAs,
    idevid_serial_number,
    spki_fingerprint,
    verify_chain,
)
from bootz.trust.voucher import verify_voucher

NOW = datetime(2027, 1, 1, tzinfo=UTC)


def clock() -> datetime:
    return NOW


@pytest.fixture
def maker(tmp_path: Path) -> Manufacturer:
    Manufacturer.create(tmp_path / "m", "Acme", kind=KeyKind.P256, clock=clock)
    return Manufacturer.open(tmp_path / "m", clock=clock)


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        (KeyKind.RSA_2048, rsa.RSAPrivateKey),
        (KeyKind.P256, ec.EllipticCurvePrivateKey),
        (KeyKind.P384, ec.EllipticCurvePrivateKey),
    ],
)
def test_an_identity_chains_to_the_maker_for_ever(
    maker: Manufacturer, kind: KeyKind, form: type
) -> None:
    issued = maker.issue_identity("FOC1", "PID-1", kind=kind)
    assert isinstance(issued.key, form)
    anchors = AnchorSet.from_der([maker.anchor])
    for now in (NOW, NOW + timedelta(days=365 * 200)):
        chain = verify_chain(issued.chain[0], issued.chain[1:], anchors, now=now)
        assert idevid_serial_number(chain.leaf) == "FOC1"
    assert spki_fingerprint(chain.leaf.public_key()) == spki_fingerprint(issued.key.public_key())


def test_a_voucher_pins_the_owner_and_ends_when_it_says(maker: Manufacturer) -> None:
    pdc = make_pair("PDC", ca=True).der
    end = NOW + timedelta(days=3)
    voucher = verify_voucher(
        maker.issue_voucher("FOC1", pdc, expires_on=end),
        VendorCAs(AnchorSet.from_der([maker.anchor])),
        now=NOW,
    )
    content = voucher.content
    assert (content.serial_number, content.pinned_domain_cert) == ("FOC1", pdc)
    assert (content.assertion, content.expires_on) == (Assertion.VERIFIED, end)


def test_another_maker_of_the_same_name_is_another(maker: Manufacturer, tmp_path: Path) -> None:
    twin = Manufacturer.create(tmp_path / "twin", "Acme", kind=KeyKind.P256, clock=clock)
    voucher = twin.issue_voucher("FOC1", make_pair("PDC", ca=True).der, expires_on=None)
    with pytest.raises(BootzError) as caught:
        verify_voucher(voucher, VendorCAs(AnchorSet.from_der([maker.anchor])), now=NOW)
    assert caught.value.reason == "ov-untrusted-signer"


@pytest.mark.parametrize("serial", ["", "a b", "é", "x" * 65, "a\nb"])
def test_a_serial_number_that_is_none_is_refused(maker: Manufacturer, serial: str) -> None:
    with pytest.raises(BootzError) as caught:
        maker.issue_identity(serial, "", kind=KeyKind.P256)
    assert caught.value.reason == "manufacturer-argument"
    with pytest.raises(BootzError):
        maker.issue_voucher(serial, make_pair("PDC").der, expires_on=None)


def test_a_voucher_that_is_over_or_pins_nothing_is_not_issued(maker: Manufacturer) -> None:
    with pytest.raises(BootzError) as caught:
        maker.issue_voucher("FOC1", make_pair("PDC").der, expires_on=NOW)
    assert caught.value.where == "expires"
    with pytest.raises(BootzError):
        maker.issue_voucher("FOC1", b"no certificate", expires_on=None)


def test_a_clock_before_the_keys_issues_no_voucher(maker: Manufacturer, tmp_path: Path) -> None:
    early = Manufacturer.open(tmp_path / "m", clock=lambda: NOW - timedelta(days=400))
    with pytest.raises(ConfigError) as caught:
        early.issue_voucher("FOC1", make_pair("PDC").der, expires_on=None)
    assert caught.value.reason == "clock-behind"


def test_nothing_is_overwritten_and_nothing_is_opened_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BootzError) as caught:
        Manufacturer.open(tmp_path / "m", clock=clock)
    assert caught.value.reason == "manufacturer-missing"
    Manufacturer.create(tmp_path / "m", "Acme", kind=KeyKind.P256, clock=clock)
    with pytest.raises(BootzError) as caught:
        Manufacturer.create(tmp_path / "m", "Acme", kind=KeyKind.P256, clock=clock)
    assert caught.value.reason == "file-exists"
    (tmp_path / "m" / "manufacturer.json").write_text("[]")
    with pytest.raises(BootzError) as caught:
        Manufacturer.open(tmp_path / "m", clock=clock)
    assert caught.value.reason == "manufacturer-damaged"


def test_keys_are_private(tmp_path: Path) -> None:
    Manufacturer.create(tmp_path / "m", "Acme", kind=KeyKind.P256, clock=clock)
    keys = list((tmp_path / "m" / "keys").glob("*.key"))
    assert len(keys) == 2
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}
