"""The EK challenge of a TPM 1.2: the vector, the wrap opened, and what is refused."""

from __future__ import annotations

from functools import cache

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from vectors import tpm as vector

from bootz.reasons import Fault
from bootz.trust.tpm import tpm12
from bootz.trust.tpm.structures import TpmError
from bootz.trust.tpm.tpm20 import UnusableKey


@cache
def ek(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def spki(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_vector() -> None:
    assert tpm12.build_contents(vector.KEY, vector.AIK_DIGEST) == vector.TPM12_CONTENTS
    assert tpm12.answer_hash(vector.KEY, vector.TRANSPORT_KEY) == vector.TPM12_HASH
    tpm12.verify_answer(vector.KEY, vector.TPM12_HASH, vector.TRANSPORT_KEY)


@pytest.mark.parametrize("bits", [1024, 2048, 4096])
def test_the_tpm_opens_the_blob_with_the_label_and_hash_of_tpm12(bits: int) -> None:
    key = tpm12.endorsement_key(spki(ek(bits)))
    blob = tpm12.encrypt_contents(vector.TPM12_CONTENTS, key)
    assert len(blob) == bits // 8
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), b"TCPA")
    assert ek(bits).decrypt(blob, oaep) == vector.TPM12_CONTENTS
    opened = tpm12.open_contents(blob, ek(bits), vector.AIK_DIGEST)
    assert tpm12.read_session_key(opened) == vector.KEY
    with pytest.raises(TpmError):
        tpm12.open_contents(blob, ek(bits), bytes(20))
    with pytest.raises(TpmError):
        tpm12.open_contents(bytes(bits // 8), ek(bits), vector.AIK_DIGEST)


@given(st.data())
def test_no_bit_of_an_answer_can_change(data: st.DataObject) -> None:
    parts = [vector.TPM12_HASH, vector.TRANSPORT_KEY]
    part = data.draw(st.integers(0, 1))
    bit = data.draw(st.integers(0, 8 * len(parts[part]) - 1))
    changed = bytearray(parts[part])
    changed[bit // 8] ^= 1 << bit % 8
    parts[part] = bytes(changed)
    with pytest.raises(TpmError) as caught:
        tpm12.verify_answer(vector.KEY, *parts)
    assert caught.value.row.fault is Fault.MALFORMED


@pytest.mark.parametrize("seen", [b"", vector.TPM12_HASH[:-1], vector.TPM12_HASH + b"\0"])
def test_an_answer_of_another_length(seen: bytes) -> None:
    with pytest.raises(TpmError):
        tpm12.verify_answer(vector.KEY, seen, vector.TRANSPORT_KEY)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        vector.TPM12_CONTENTS[:39],
        vector.TPM12_CONTENTS[:41],
        b"\0\0\0\6" + vector.TPM12_CONTENTS[4:40],
    ],
)
def test_what_is_no_session_key(data: bytes) -> None:
    with pytest.raises(TpmError):
        tpm12.read_session_key(data)


@pytest.mark.parametrize("key", [lambda: spki(ec.generate_private_key(ec.SECP256R1())), bytes])
def test_keys_that_are_no_ek(key: object) -> None:
    with pytest.raises(UnusableKey):
        tpm12.endorsement_key(key())  # type: ignore[operator]
