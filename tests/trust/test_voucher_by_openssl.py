"""Vouchers that OpenSSL has signed: its verdict is the oracle, and where ours differs is told.

Each row is a signer's key, its certificate below the vendor's CA, and how ``openssl cms -sign``
is asked to sign.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from trust import cms_forge
from trust.world import (
    NOW,
    Key,
    authority,
    curve_key,
    extension,
    forge,
    openssl,
    p384,
    p521,
    pdc,
    rsa_key,
    usage,
)

from bootz.trust.asn1 import encode_oid, encode_sequence
from bootz.trust.certificates import AnchorSet, VendorCAs, parse_certificates, pem_from_der
from bootz.trust.voucher import VoucherError, verify_voucher

REPORTED = Path(__file__).parents[1] / "vectors" / "reported"
ROOT = authority("vendor", rsa_key(1))
ANCHORS = VendorCAs(AnchorSet.from_der([ROOT.der]))
CONTENT = json.dumps(
    {
        "ietf-voucher:voucher": {
            "created-on": "2026-01-01T00:00:00Z",
            "assertion": "verified",
            "serial-number": "FOC1234ABCD",
            "pinned-domain-cert": base64.b64encode(pdc().der).decode(),
        }
    }
).encode()


def pss(salt: str) -> tuple[str, ...]:
    return ("-keyopt", "rsa_padding_mode:pss", "-keyopt", f"rsa_pss_saltlen:{salt}")


@dataclass(frozen=True)
class Row:
    """``reason`` is ours, empty where the voucher holds; ``openssl`` whether it holds there."""

    key: Key
    options: tuple[str, ...] = ()
    reason: str = ""
    openssl: bool = True
    seen: str = ""
    digest: str = "sha256"


UNSUPPORTED = "ov-algorithm-unsupported"
ROWS = {
    "RSA": Row(rsa_key(2)),
    "RSA, SHA-384": Row(rsa_key(2), digest="sha384"),
    "RSA, SHA-512": Row(rsa_key(2), digest="sha512"),
    "P-256": Row(curve_key(2)),
    "P-384, SHA-384": Row(p384(2), digest="sha384"),
    "P-521, SHA-512": Row(p521(2), digest="sha512"),
    "by subject key identifier": Row(curve_key(2), ("-keyid",)),
    "PSS, salt as the digest": Row(rsa_key(2), pss("digest")),
    "PSS, the longest salt": Row(rsa_key(2), pss("max")),
    "PSS, the longest salt, SHA-512": Row(rsa_key(2), pss("max"), digest="sha512"),
    "PSS, no salt": Row(rsa_key(2), pss("0")),
    "PSS, salt of 20": Row(rsa_key(2), pss("20")),
    "PSS, MGF1 of another hash": Row(
        rsa_key(2),
        (*pss("32"), "-keyopt", "rsa_mgf1_md:sha512"),
        UNSUPPORTED,
        seen="MGF1 of sha512",
    ),
    # Only ours refuses these: too weak, or read by no router.
    "SHA-1": Row(rsa_key(2), (), UNSUPPORTED, seen="SHA-1", digest="sha1"),
    "Brainpool": Row(
        ec.generate_private_key(ec.BrainpoolP256R1()), (), UNSUPPORTED, seen="brainpoolP256r1"
    ),
}


def write_signer(folder: Path, key: Key, name: str = "signer") -> None:
    identifier = extension(x509.SubjectKeyIdentifier(b"0123456789"))
    made = forge("signer", key, ROOT, extensions=(usage(sign=True), identifier))
    (folder / f"{name}.pem").write_bytes(pem_from_der([made.der]))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / f"{name}.key").write_bytes(private)


def sign(folder: Path, options: tuple[str, ...], digest: str = "sha256") -> bytes:
    (folder / "content").write_bytes(CONTENT)
    told = openssl(
        *("cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-outform", "DER", "-md", digest),
        *("-in", "content", "-signer", "signer.pem", "-inkey", "signer.key", *options),
        folder=folder,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


def holds_for_openssl(folder: Path, cms: bytes) -> bool:
    (folder / "voucher.vcj").write_bytes(cms)
    (folder / "root.pem").write_bytes(pem_from_der([ROOT.der]))
    told = openssl(
        *("cms", "-verify", "-binary", "-inform", "DER", "-in", "voucher.vcj", "-purpose", "any"),
        *("-attime", str(int(NOW.timestamp())), "-CAfile", "root.pem", "-out", "read"),
        folder=folder,
    )
    return told.returncode == 0


def reason_of(cms: bytes) -> tuple[str, str]:
    try:
        verify_voucher(cms, ANCHORS, now=NOW)
    except VoucherError as error:
        return error.reason, f"{error} {error.seen}"
    return "", ""


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_openssl_signs(tmp_path: Path, row: Row) -> None:
    write_signer(tmp_path, row.key)
    cms = sign(tmp_path, row.options, row.digest)
    assert holds_for_openssl(tmp_path, cms) is row.openssl
    reason, seen = reason_of(cms)
    assert reason == row.reason, seen
    assert row.seen in seen
    # Whatever is accepted, one bit more or less is not.
    changed = cms.replace(b"FOC1234ABCD", b"FOC1234ABCE")
    assert not holds_for_openssl(tmp_path, changed)
    assert reason_of(changed)[0] in {"ov-bad-signature", UNSUPPORTED}


def test_explicit_curve_parameters_are_refused_as_openssl_does(tmp_path: Path) -> None:
    """The same signature, key and names; only the parameters of the curve are spelt out."""
    arguments = ("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "signer.key")
    openssl(*arguments, "-param_enc", "explicit", folder=tmp_path)
    key = tmp_path / "ca.key"
    key.write_bytes(
        rsa_key(1).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (tmp_path / "root.pem").write_bytes(pem_from_der([ROOT.der]))
    openssl(
        "req", "-new", "-key", "signer.key", "-subj", "/CN=signer", "-out", "r", folder=tmp_path
    )
    made = openssl(
        *("x509", "-req", "-in", "r", "-CA", "root.pem", "-CAkey", "ca.key", "-days", "9999"),
        *("-set_serial", "5", "-out", "signer.pem"),
        folder=tmp_path,
    )
    assert made.returncode == 0, made.stderr
    (der,) = parse_certificates((tmp_path / "signer.pem").read_bytes())
    assert isinstance(x509.load_der_x509_certificate(der).public_key(), ec.EllipticCurvePublicKey)
    later = x509.load_der_x509_certificate(der).not_valid_before_utc
    cms = sign(tmp_path, ())
    (tmp_path / "voucher.vcj").write_bytes(cms)
    told = openssl(
        *("cms", "-verify", "-binary", "-inform", "DER", "-in", "voucher.vcj", "-purpose", "any"),
        *("-attime", str(int(later.timestamp()) + 60), "-CAfile", "root.pem", "-out", "read"),
        folder=tmp_path,
    )
    assert told.returncode != 0
    assert b"explicit" in told.stderr.lower()
    with pytest.raises(VoucherError) as caught:
        verify_voucher(cms, ANCHORS, now=later)
    assert (caught.value.reason, "specifiedCurve" in caught.value.seen) == (UNSUPPORTED, True)


def test_a_key_for_pss_alone_and_a_cms_that_says_rsa(tmp_path: Path) -> None:
    """OpenSSL 3.0 signs so by default, and cannot verify it itself."""
    openssl(
        *("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"),
        *("-out", "signer.key"),
        folder=tmp_path,
    )
    openssl(
        *("req", "-new", "-x509", "-key", "signer.key", "-subj", "/CN=x", "-out", "signer.pem"),
        folder=tmp_path,
    )
    cms = sign(tmp_path, ())
    with pytest.raises(VoucherError) as caught:
        verify_voucher(cms, ANCHORS, now=NOW)
    assert caught.value.reason == UNSUPPORTED
    assert "rsaEncryption" in str(caught.value)
    assert "RSA-PSS alone" in str(caught.value)


def test_ed25519_is_named() -> None:
    """RFC 8419 defines it for CMS; no router is known to read it, and OpenSSL 3.0 does not."""
    key = ed25519.Ed25519PrivateKey.generate()
    made = forge("signer", key, extensions=(usage(sign=True),))
    algorithm = encode_sequence(encode_oid("1.3.101.112"))
    signer = cms_forge.Signer(made, content=CONTENT, algorithm=algorithm, sign=key.sign)
    reason, seen = reason_of(cms_forge.build([signer.build()], [made.der], content=CONTENT))
    assert (reason, "Ed25519" in seen) == (UNSUPPORTED, True)


def test_the_reported_voucher_with_the_longest_salt_holds(tmp_path: Path) -> None:
    cms = (REPORTED / "pss-max-salt.vcj").read_bytes()
    signed = openssl(
        "pkcs7", "-inform", "DER", "-in", str(REPORTED / "pss-max-salt.vcj"), "-print_certs",
        folder=tmp_path,
    )  # fmt: skip
    certificates = parse_certificates(signed.stdout)
    anchors = VendorCAs(AnchorSet.from_der(certificates))
    now = NOW.replace(year=2027, month=1)
    voucher = verify_voucher(cms, anchors, now=now)
    assert voucher.content.serial_number == "VCHB02"
    assert [warning for warning in voucher.warnings if "RSA-PSS" in warning]
    with pytest.raises(VoucherError) as caught:
        verify_voucher(cms.replace(b"VCHB02", b"VCHB03"), anchors, now=now)
    assert caught.value.reason == "ov-bad-signature"
