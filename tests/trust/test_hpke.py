"""HPKE: opened by the one it is for, and by a second implementation of RFC 9180 written here."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from bootz.trust.hpke import HpkeError, Sealed, check_recipient, open_sealed, seal

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
KEM = b"KEM\x00\x20"
HPKE = b"HPKE\x00\x20\x00\x01\x00\x02"


def extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")


def expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    text = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(key, text + b"\x01", "sha256")[:length]


def key_and_nonce(shared: bytes, encapsulated: bytes) -> tuple[bytes, bytes]:
    """Sections 4.1 and 5.1 of RFC 9180, mode base, empty info."""
    secret = expand(
        KEM,
        extract(KEM, b"", b"eae_prk", shared),
        b"shared_secret",
        encapsulated + PUBLIC,
        32,
    )
    context = (
        b"\x00" + extract(HPKE, b"", b"psk_id_hash", b"") + extract(HPKE, b"", b"info_hash", b"")
    )
    schedule = extract(HPKE, secret, b"secret", b"")
    return (
        expand(HPKE, schedule, b"key", context, 32),
        expand(HPKE, schedule, b"base_nonce", context, 12),
    )


@pytest.mark.parametrize("size", [0, 1, 20_000, 1 << 20])
def test_what_is_sealed_opens(size: int) -> None:
    text = hashlib.shake_128(b"text").digest(size)
    sealed = seal(text, PUBLIC)
    assert (len(sealed.encapsulated_key), len(sealed.ciphertext)) == (32, size + 16)
    assert open_sealed(sealed, KEY) == text
    assert seal(text, PUBLIC) != sealed


def test_the_suite_is_the_one_of_the_interface() -> None:
    sealed = seal(b"text", PUBLIC)
    shared = KEY.exchange(X25519PublicKey.from_public_bytes(sealed.encapsulated_key))
    key, nonce = key_and_nonce(shared, sealed.encapsulated_key)
    assert AESGCM(key).decrypt(nonce, sealed.ciphertext, b"") == b"text"
    own = X25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
    encapsulated = own.public_key().public_bytes_raw()
    key, nonce = key_and_nonce(own.exchange(KEY.public_key()), encapsulated)
    made = Sealed(encapsulated, AESGCM(key).encrypt(nonce, b"other text", b""))
    assert open_sealed(made, KEY) == b"other text"


P = 2**255 - 19
ORDER_8 = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"
ORDER_8_TOO = "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"
# Every u of low order, as each may be written in 32 octets: the exchange gives zero whatever the
# private key, so that anyone could read the data.
LOW_ORDER = [
    *(number.to_bytes(32, "little") for number in (0, 1, P - 1, P, P + 1)),
    bytes.fromhex(ORDER_8),
    bytes.fromhex(ORDER_8_TOO),
]
HIGH_BIT = [key[:31] + bytes([key[31] | 0x80]) for key in LOW_ORDER]
OTHER_LENGTHS = [b"", bytes(31), bytes(33), PUBLIC[:31], PUBLIC + b"\0"]


@pytest.mark.parametrize("key", [*OTHER_LENGTHS, *LOW_ORDER, *HIGH_BIT], ids=bytes.hex)
def test_a_key_that_nothing_is_encrypted_for(key: bytes) -> None:
    for refuse in (lambda: check_recipient(key), lambda: seal(b"text", key)):
        with pytest.raises(HpkeError) as caught:
            refuse()
        assert caught.value.reason == "transport-key-invalid"
        words = "a point of low order" if len(key) == 32 else f"{len(key)} bytes"
        assert caught.value.seen == words


@given(st.binary(min_size=32, max_size=32))
def test_a_recipient_is_accepted_exactly_if_something_can_be_encrypted_for_it(key: bytes) -> None:
    try:
        check_recipient(key)
    except HpkeError:
        with pytest.raises(HpkeError):
            seal(b"text", key)
    else:
        assert seal(b"text", key).ciphertext


def test_keys_that_something_is_encrypted_for() -> None:
    check_recipient(PUBLIC)
    check_recipient(bytes([9]) + bytes(31))


GOOD = seal(b"text", PUBLIC)
OTHER = seal(b"text", X25519PrivateKey.generate().public_key().public_bytes_raw())


@pytest.mark.parametrize(
    "sealed",
    [
        OTHER,
        Sealed(b"", b""),
        Sealed(bytes(32), GOOD.ciphertext),
        Sealed(GOOD.encapsulated_key, b""),
        Sealed(GOOD.encapsulated_key, GOOD.ciphertext[:-1]),
        Sealed(GOOD.encapsulated_key, b"x" + GOOD.ciphertext[1:]),
        Sealed(OTHER.encapsulated_key, GOOD.ciphertext),
        Sealed(GOOD.encapsulated_key + GOOD.ciphertext, b""),
        Sealed(GOOD.encapsulated_key[:31], GOOD.encapsulated_key[31:] + GOOD.ciphertext),
    ],
    ids=range(9),
)
def test_a_message_that_does_not_open(sealed: Sealed) -> None:
    with pytest.raises(HpkeError) as caught:
        open_sealed(sealed, KEY)
    assert caught.value.reason == "data-undecryptable"
    assert not isinstance(caught.value, InvalidTag)


@given(st.binary(max_size=48), st.binary(max_size=64))
def test_any_bytes_are_refused(encapsulated: bytes, ciphertext: bytes) -> None:
    with pytest.raises(HpkeError):
        open_sealed(Sealed(encapsulated, ciphertext), KEY)


def test_nothing_of_a_message_is_shown() -> None:
    assert repr(GOOD) == "Sealed()"
