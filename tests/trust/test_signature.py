"""Raw signatures: the natural hash of each key, the hashes peers use, and what never verifies."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from hypothesis import given
from hypothesis import strategies as st
from trust.world import (
    SHA256_RSA,
    SHA384_RSA,
    Key,
    authority,
    curve_key,
    forge,
    p384,
    p521,
    rsa_key,
    signing,
)

from bootz.trust.certificates import load_certificate
from bootz.trust.keys import PrivateKey
from bootz.trust.owner import odd_algorithm
from bootz.trust.signature import (
    SignatureError,
    SignatureScheme,
    encode_signature,
    scheme_for,
    sign_with,
    verify_raw,
    verify_response_signature,
)

DATA = b"the bytes as received"
KEYS: dict[str, tuple[PrivateKey, SignatureScheme, str]] = {
    "RSA-2048": (rsa_key(), SignatureScheme.RSA_PKCS1_SHA256, "sha256"),
    "P-256": (curve_key(), SignatureScheme.ECDSA_SHA256, "sha256"),
    "P-384": (p384(), SignatureScheme.ECDSA_SHA384, "sha384"),
    "P-521": (p521(), SignatureScheme.ECDSA_SHA512, "sha512"),
}


def sign(key: Key, algorithm: hashes.HashAlgorithm) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(DATA, ec.ECDSA(algorithm))
    assert not isinstance(key, ed25519.Ed25519PrivateKey)
    return key.sign(DATA, padding.PKCS1v15(), algorithm)


@pytest.mark.parametrize(("key", "scheme", "natural"), KEYS.values(), ids=KEYS)
def test_the_hash_follows_the_key(
    key: ec.EllipticCurvePrivateKey, scheme: SignatureScheme, natural: str
) -> None:
    assert scheme_for(key.public_key()) is scheme
    assert scheme.hash.name == natural
    signature = sign_with(key)(DATA)
    verify_raw(key.public_key(), signature, DATA)
    for algorithm in (hashes.SHA256(), hashes.SHA384()):
        verify_raw(key.public_key(), sign(key, algorithm), DATA)


@pytest.mark.parametrize("name", ["RSA-2048", "P-256", "P-384"])
@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA224(), hashes.SHA512()])
def test_other_hashes_do_not_verify(name: str, algorithm: hashes.HashAlgorithm) -> None:
    key = KEYS[name][0]
    with pytest.raises(SignatureError) as caught:
        verify_raw(key.public_key(), sign(key, algorithm), DATA)
    assert caught.value.reason == "sig-invalid"


def test_pss_is_no_response_signature() -> None:
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    with pytest.raises(SignatureError):
        verify_raw(rsa_key().public_key(), rsa_key().sign(DATA, pss, hashes.SHA256()), DATA)


@pytest.mark.parametrize(
    "key",
    [
        rsa_key(0, 1024).public_key(),
        ec.generate_private_key(ec.SECP256K1()).public_key(),
        ed25519.Ed25519PrivateKey.generate().public_key(),
    ],
)
def test_keys_that_do_not_count(key: PublicKeyTypes) -> None:
    with pytest.raises(SignatureError) as caught:
        scheme_for(key)
    assert caught.value.reason == "key-unsupported"
    weak = rsa_key(0, 1024)
    with pytest.raises(SignatureError):
        verify_raw(weak.public_key(), sign(weak, hashes.SHA256()), DATA)


OWNER = forge("owner", rsa_key(4))
GOOD = encode_signature(sign_with(rsa_key(4))(DATA))


def test_a_response_signature_is_base64_perhaps_with_blanks_around_it() -> None:
    assert (len(GOOD), "\n" in GOOD) == (344, False)
    verify_response_signature(OWNER.der, GOOD, DATA)
    verify_response_signature(OWNER.der, f"\r\n {GOOD}\t\n", DATA)


@pytest.mark.parametrize(
    "text",
    ["", " \n", "no base64!", GOOD[:-1], GOOD[:40] + "\x00" + GOOD[40:], GOOD + "é", "AAAA" * 4096],
    ids=range(7),
)
def test_a_response_signature_that_is_none(text: str) -> None:
    with pytest.raises(SignatureError) as caught:
        verify_response_signature(OWNER.der, text, DATA)
    assert caught.value.reason == "sig-malformed"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (GOOD, DATA + b"\0"),
        (GOOD, DATA.upper()),
        (encode_signature(sign_with(rsa_key(5))(DATA)), DATA),
        (encode_signature(sign_with(curve_key())(DATA)), DATA),
        ("AAAA", DATA),
    ],
    ids=range(5),
)
def test_a_response_signature_that_does_not_hold(text: str, data: bytes) -> None:
    with pytest.raises(SignatureError) as caught:
        verify_response_signature(OWNER.der, text, data)
    assert caught.value.reason == "sig-invalid"


@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(SignatureError):
        verify_response_signature(OWNER.der, text, DATA)


RSA_384 = (SHA384_RSA, lambda data: rsa_key().sign(data, padding.PKCS1v15(), hashes.SHA384()))


@pytest.mark.parametrize(
    ("key", "issuer", "algorithm", "fits"),
    [
        (rsa_key(4), rsa_key(), None, True),
        (p384(), p384(1), None, True),
        (curve_key(), rsa_key(), None, True),
        (p384(), rsa_key(), None, False),
        (rsa_key(4), curve_key(1), None, False),
        (curve_key(), curve_key(1), None, False),
        (rsa_key(4), rsa_key(), RSA_384, False),
        (rsa_key(4), p384(1), None, False),
    ],
    ids=range(8),
)
def test_owner_certificates_that_other_routers_misjudge_are_named(
    key: Key, issuer: Key, algorithm: tuple[bytes, object] | None, fits: bool
) -> None:
    made = forge("owner", key, authority("issuer", issuer), algorithm=algorithm or signing(issuer))  # type: ignore[arg-type]
    assert (odd_algorithm(load_certificate(made.der)) == "") is fits
    assert signing(rsa_key())[0] == SHA256_RSA
