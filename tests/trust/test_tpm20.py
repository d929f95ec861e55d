"""The HMAC challenge: vectors, each check with what it refuses, and every single bit."""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from vectors import tpm as vector

from bootz.model.challenge import HmacAnswer
from bootz.reasons import Fault
from bootz.trust.tpm import tpm20
from bootz.trust.tpm.structures import MAX_STRUCTURE, TpmError, sized
from bootz.trust.tpm.tpm20 import HmacKey, UnusableKey, WrappedKey

KEY = HmacKey(vector.OBFUSCATION, vector.KEY)
RECORDED = Path(__file__).parents[3] / "shared" / "vectors" / "tpm20-hmac"


@cache
def ek() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def spki(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def signed(certify_info: bytes) -> bytes:
    digest = hashlib.sha256(certify_info[2:]).digest()
    return bytes.fromhex("0005000b") + hmac.digest(KEY.key, digest, "sha256")


def refused(answer: HmacAnswer, *, bound: bool = True, key: HmacKey = KEY) -> str:
    with pytest.raises(TpmError) as caught:
        tpm20.verify_hmac_answer(key, answer, bound=bound)
    assert caught.value.row.fault is Fault.MALFORMED
    return caught.value.reason


def attested(iak: bytes, *, kind: int = 0x8017, magic: int = 0xFF544347, **other: bytes) -> bytes:
    """A TPM2B_ATTEST about an IAK (TPMT_PUBLIC); ``other`` replaces name or extra data."""
    name = other.get("name", bytes.fromhex("000b") + hashlib.sha256(iak).digest())
    return sized(
        struct.pack(">IH", magic, kind)
        + sized(b"signer")
        + sized(other.get("extra", tpm20.qualifying_data(vector.TRANSPORT_KEY)))
        + bytes(25)
        + sized(name)
        + sized(other.get("qualified", b"\0\x0b" + bytes(32)))
    )


def answer(iak: bytes = vector.IAK_PUBLIC[2:], **attest: object) -> HmacAnswer:
    info = attested(iak, **attest)  # type: ignore[arg-type]
    return HmacAnswer(sized(iak), info, signed(info), vector.TRANSPORT_KEY)


def test_vector_of_key_and_wrap() -> None:
    assert sized(KEY.public) == vector.PUBLIC
    assert tpm20.object_name(KEY.public) == vector.NAME
    assert HmacKey.from_sensitive(KEY.sensitive) == KEY
    assert tpm20.kdfa(vector.SEED, b"STORAGE", vector.NAME, b"", 128) == vector.AES_KEY
    assert tpm20.kdfa(vector.SEED, b"INTEGRITY", b"", b"", 256) == vector.MAC_KEY
    assert tpm20.kdfa(vector.SEED, b"STORAGE", b"", b"", 512) == vector.TWO_BLOCKS
    wrapped = tpm20.wrap_key(KEY, ek().public_key(), seed=vector.SEED)
    assert (wrapped.public, wrapped.duplicate) == (vector.PUBLIC, vector.DUPLICATE)
    assert (len(wrapped.seed), wrapped.seed[:2]) == (258, b"\x01\x00")
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"DUPLICATE\0")
    assert ek().decrypt(wrapped.seed[2:], oaep) == vector.SEED
    assert tpm20.unwrap_key(wrapped, ek()) == KEY


def test_vector_of_an_answer() -> None:
    name = tpm20.verify_hmac_answer(KEY, vector.HMAC_ANSWER, bound=True)
    assert name == b"\0\x0b" + hashlib.sha256(vector.IAK_PUBLIC[2:]).digest()
    tpm20.verify_hmac_answer(KEY, vector.HMAC_ANSWER, bound=False)


@given(st.data())
def test_no_bit_of_an_answer_can_change(data: st.DataObject) -> None:
    part = data.draw(st.sampled_from(["iak_public", "certify_info", "signature", "transport_key"]))
    whole: bytes = getattr(vector.HMAC_ANSWER, part)
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    refused(replace(vector.HMAC_ANSWER, **{part: flipped(whole, bit)}))


@pytest.mark.parametrize("part", ["iak_public", "certify_info", "signature"])
def test_every_bit_in_v06_too(part: str) -> None:
    whole: bytes = getattr(vector.HMAC_ANSWER, part)
    for bit in range(8 * len(whole)):
        refused(replace(vector.HMAC_ANSWER, **{part: flipped(whole, bit)}), bound=False)


@pytest.mark.parametrize("part", ["iak_public", "certify_info", "signature"])
def test_cut_surplus_and_oversized_structures(part: str) -> None:
    whole: bytes = getattr(vector.HMAC_ANSWER, part)
    for size in range(len(whole)):
        assert refused(replace(vector.HMAC_ANSWER, **{part: whole[:size]})).startswith("tpm-")
    huge = sized(bytes(MAX_STRUCTURE))
    for changed in (whole + b"\0", b"", huge, b"\xff\xff" + whole[2:]):
        reason = refused(replace(vector.HMAC_ANSWER, **{part: changed}))
        assert reason == "tpm-structure-malformed"


def test_surplus_inside_the_sized_structures_is_refused_though_the_mac_covers_it() -> None:
    info = sized(vector.CERTIFY_INFO[2:] + b"\0")
    changed = replace(vector.HMAC_ANSWER, certify_info=info, signature=signed(info))
    assert refused(changed) == "tpm-structure-malformed"
    iak = vector.IAK_PUBLIC[2:] + b"\0"
    assert refused(answer(iak)) == "tpm-structure-malformed"


@pytest.mark.parametrize("bit", [1, 4, 5, 6, 7, 16, 17, 18])
def test_each_attribute_of_an_iak_counts(bit: int) -> None:
    iak = bytearray(vector.IAK_PUBLIC[2:])
    attributes = int.from_bytes(iak[4:8], "big") ^ 1 << bit
    iak[4:8] = attributes.to_bytes(4, "big")
    assert refused(answer(bytes(iak))) == "tpm-iak-unfit"


@pytest.mark.parametrize("bit", [2, 10])
def test_other_attributes_do_not(bit: int) -> None:
    iak = bytearray(vector.IAK_PUBLIC[2:])
    iak[4:8] = (int.from_bytes(iak[4:8], "big") ^ 1 << bit).to_bytes(4, "big")
    tpm20.verify_hmac_answer(KEY, answer(bytes(iak)), bound=True)


def test_an_rsa_iak_and_one_named_with_sha384_pass() -> None:
    policy = sized(bytes(32))
    rsa_iak = (
        bytes.fromhex("0001000b000500f2")
        + policy
        + bytes.fromhex("00100014000b080000000000")
        + sized(bytes(256))
    )
    tpm20.verify_hmac_answer(KEY, answer(rsa_iak), bound=True)
    p384 = (
        bytes.fromhex("0023000c000500f2")
        + sized(bytes(48))
        + bytes.fromhex("00100018000c00040010")
        + sized(bytes(48)) * 2
    )
    name = b"\0\x0c" + hashlib.sha384(p384).digest()
    tpm20.verify_hmac_answer(KEY, answer(p384, name=name), bound=True)


def test_a_name_with_another_hash_is_refused() -> None:
    iak = bytearray(vector.IAK_PUBLIC[2:])
    iak[2:4] = b"\x00\x0d"
    name = b"\0\x0d" + hashlib.sha512(iak).digest()
    assert refused(answer(bytes(iak), name=name)) == "tpm-iak-unfit"


@pytest.mark.parametrize(
    "attest",
    [
        {"magic": 0xFF544348},
        {"kind": 0x8018},
        {"name": b"\0\x0b" + bytes(32)},
        {"name": b""},
        {"qualified": b"\0\x0b" + hashlib.sha256(vector.IAK_PUBLIC[2:]).digest()},
    ],
)
def test_a_certification_of_something_else(attest: dict[str, object]) -> None:
    assert refused(answer(**attest)) == "tpm-certification-unfit"


@pytest.mark.parametrize(
    "extra",
    [
        b"",
        hashlib.sha256(vector.TRANSPORT_KEY).digest(),
        b"\0\x0b" + hashlib.sha256(b"another").digest(),
        b"\0\x0c" + hashlib.sha384(vector.TRANSPORT_KEY).digest(),
        tpm20.qualifying_data(vector.TRANSPORT_KEY) + b"\0",
    ],
)
def test_only_the_digest_of_this_transport_key_binds(extra: bytes) -> None:
    assert refused(answer(extra=extra)) == "tpm-transport-key-unbound"
    # v0.6 has no transport key and looks at nothing here.
    tpm20.verify_hmac_answer(KEY, answer(extra=extra), bound=False)


def test_an_answer_to_another_challenge() -> None:
    other = HmacKey(vector.OBFUSCATION, bytes(32))
    assert refused(vector.HMAC_ANSWER, key=other) == "tpm-hmac-invalid"


def test_the_mac_is_judged_before_the_key_and_its_certification() -> None:
    wrong = replace(vector.HMAC_ANSWER, signature=flipped(vector.SIGNATURE, 100), iak_public=b"")
    assert refused(wrong) == "tpm-hmac-invalid"


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(lambda: spki(ec.generate_private_key(ec.SECP256R1())), id="ecc"),
        pytest.param(lambda: spki(rsa.generate_private_key(65537, 3072)), id="rsa-3072"),
        pytest.param(lambda: spki(rsa.generate_private_key(65537, 1024)), id="rsa-1024"),
        pytest.param(lambda: b"no key", id="garbage"),
    ],
)
def test_parents_that_nothing_can_be_wrapped_to(key: object) -> None:
    with pytest.raises(UnusableKey) as caught:
        tpm20.parent_key(key())  # type: ignore[operator]
    assert caught.value.row.fault is Fault.INTERNAL


def test_only_the_right_tpm_opens_a_wrap() -> None:
    wrapped = tpm20.wrap_key(KEY, tpm20.parent_key(spki(ek())), seed=vector.SEED)
    others = [
        WrappedKey(flipped(wrapped.public, 200), wrapped.duplicate, wrapped.seed),
        WrappedKey(wrapped.public, flipped(wrapped.duplicate, 500), wrapped.seed),
        WrappedKey(wrapped.public, wrapped.duplicate, flipped(wrapped.seed, 500)),
        WrappedKey(wrapped.public, wrapped.duplicate + b"\0", wrapped.seed),
    ]
    for other in others:
        with pytest.raises(TpmError):
            tpm20.unwrap_key(other, ek())
    with pytest.raises(TpmError):
        tpm20.unwrap_key(wrapped, rsa.generate_private_key(65537, 2048))


@pytest.mark.recorded
def test_the_recorded_answer_of_a_real_tpm() -> None:
    def read(name: str) -> bytes:
        return (RECORDED / name).read_bytes()

    key = HmacKey.from_sensitive(read("sensitive"))
    recorded = HmacAnswer(
        read("challengeResp-iak_pub"),
        read("challengeResp-iak_certify_info"),
        read("challengeResp-iak_certify_info_signature"),
        vector.TRANSPORT_KEY,
    )
    tpm20.verify_hmac_answer(key, recorded, bound=False)
    assert refused(recorded, key=key) == "tpm-transport-key-unbound"
