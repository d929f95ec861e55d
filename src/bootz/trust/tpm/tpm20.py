"""The HMAC challenge: a TPM 2.0 without IDevID proves that it holds its EK or PPK.

The server makes a *restricted* HMAC key and encrypts it so that one TPM alone can import it. Such
a key signs only what the TPM itself has written, so that its MAC over a TPM2_Certify result
proves that the certified key lives in the same TPM. Source:
docs/protocol/tpm.md#tpm-20-the-hmac-key; TCG TPM 2.0 Library, part 1 (duplication, KDFa).
"""

import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.serialization import load_der_public_key

from bootz.errors import BootzError
from bootz.model.challenge import HmacAnswer
from bootz.trust.keys import describe_key
from bootz.trust.tpm.structures import (
    Algorithm,
    Public,
    TpmError,
    TpmReader,
    malformed,
    parse_certified,
    parse_public,
    sized,
    unwrap,
)

SECRET_BYTES: Final = 32
"""Of the obfuscation value, of the HMAC key, and of the seed."""

PARENT_BITS: Final = 2048
"""The one size of the TCG's RSA EK profile L-1, which is assumed for EK and PPK alike."""

OAEP_LABEL: Final = b"DUPLICATE\0"
"""With its NUL (TPM 2.0 Library, part 1, annex B.10.4)."""

CERTIFY_MAGIC: Final = 0xFF544347
CERTIFY_KIND: Final = 0x8017
"""TPM_GENERATED_VALUE and TPM_ST_ATTEST_CERTIFY."""

IAK_MASK: Final = 0x000700F2
IAK_ATTRIBUTES: Final = 0x000500F2
"""fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, adminWithPolicy, restricted, sign;
and not decrypt."""

_KEY_ATTRIBUTES: Final = 0x00050440
"""userWithAuth, noDA, restricted, sign."""

_AES_BITS: Final = 128
_ZERO_IV: Final = bytes(16)
_NAME_HASHES: Final = {Algorithm.SHA256: hashlib.sha256, Algorithm.SHA384: hashlib.sha384}
_OAEP: Final = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), OAEP_LABEL)


class UnusableKey(BootzError):
    """The EK or PPK in the inventory cannot be used for encryption."""


@dataclass(frozen=True, slots=True)
class HmacKey:
    """A key of one challenge. Both halves are ``SECRET_BYTES`` fresh random bytes."""

    obfuscation: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @property
    def public(self) -> bytes:
        """The TPMT_PUBLIC, 48 bytes."""
        unique = hashlib.sha256(self.obfuscation + self.key).digest()
        return (
            struct.pack(">HHI", Algorithm.KEYEDHASH, Algorithm.SHA256, _KEY_ATTRIBUTES)
            + sized(b"")
            + struct.pack(">HH", Algorithm.HMAC, Algorithm.SHA256)
            + sized(unique)
        )

    @property
    def sensitive(self) -> bytes:
        """The TPMT_SENSITIVE, 72 bytes; its auth value is empty."""
        kind = struct.pack(">H", Algorithm.KEYEDHASH)
        return kind + sized(b"") + sized(self.obfuscation) + sized(self.key)

    @classmethod
    def from_sensitive(cls, data: bytes) -> "HmacKey":
        """Read what ``sensitive`` wrote, as a TPM does.

        Raises:
            TpmError: it is of another form.
        """
        where = "TPMT_SENSITIVE"
        reader = TpmReader(data, where)
        kind, auth = reader.number(2), reader.sized()
        made = cls(reader.sized(), reader.sized())
        reader.end()
        if kind != Algorithm.KEYEDHASH or auth:
            raise malformed(where, "not a keyed hash without auth value")
        return made


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """The three parameters of TPM2_Import, with their sizes in front."""

    public: bytes = field(repr=False)
    duplicate: bytes = field(repr=False)
    seed: bytes = field(repr=False)


def object_name(public: bytes) -> bytes:
    """Return the name of an object with nameAlg SHA-256: its hash, after the hash's id."""
    return _name_of(public, Algorithm.SHA256)


def _name_of(public: bytes, algorithm: Algorithm) -> bytes:
    return struct.pack(">H", algorithm) + _NAME_HASHES[algorithm](public).digest()


def kdfa(seed: bytes, label: bytes, context_u: bytes, context_v: bytes, bits: int) -> bytes:
    """Derive a key with SHA-256; ``label`` without its NUL. Source: TCG TPM 2.0 Library, part 1."""
    fixed = label + b"\0" + context_u + context_v + struct.pack(">I", bits)
    blocks = -(-bits // 256)
    made = b"".join(
        hmac.digest(seed, struct.pack(">I", number) + fixed, "sha256")
        for number in range(1, blocks + 1)
    )
    return made[: bits // 8]


def parent_key(spki: bytes) -> rsa.RSAPublicKey:
    """Read an EK or PPK (DER SubjectPublicKeyInfo) that a key can be wrapped to.

    Raises:
        UnusableKey: not RSA of 2048 bits.
    """
    return key_on_record(spki, PARENT_BITS, PARENT_BITS)


def key_on_record(spki: bytes, smallest: int, largest: int) -> rsa.RSAPublicKey:
    """Read an RSA key of the inventory (DER SubjectPublicKeyInfo).

    Raises:
        UnusableKey: it cannot be read, or has fewer or more bits.
    """
    expected = f"RSA of {smallest} to {largest} bits"
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise unusable("unreadable", expected) from error
    if not isinstance(key, rsa.RSAPublicKey) or not smallest <= key.key_size <= largest:
        raise unusable(describe_key(key), expected)
    return key


def unusable(seen: str, expected: str = "an RSA key") -> UnusableKey:
    """Return the error for a key on record that nothing can be encrypted to."""
    return UnusableKey(
        "tpm-key-unusable",
        "the key in the inventory cannot be used for encryption",
        where="EK or PPK in the inventory",
        expected=expected,
        seen=seen,
    )


def wrap_key(key: HmacKey, parent: rsa.RSAPublicKey, *, seed: bytes) -> WrappedKey:
    """Encrypt a key so that only the TPM with ``parent`` can import it.

    ``seed`` is ``SECRET_BYTES`` fresh random bytes.

    Raises:
        UnusableKey: the library cannot encrypt to this parent.
    """
    public = key.public
    try:
        encrypted = parent.encrypt(seed, _OAEP)
    except ValueError as error:
        raise unusable(str(error)) from error
    return WrappedKey(
        sized(public), sized(_protect(seed, object_name(public), key.sensitive)), sized(encrypted)
    )


def _keys(seed: bytes, name: bytes) -> tuple[bytes, bytes]:
    """Return the keys of the outer wrapper: for AES and for its MAC."""
    return (
        kdfa(seed, b"STORAGE", name, b"", _AES_BITS),
        kdfa(seed, b"INTEGRITY", b"", b"", 256),
    )


def _protect(seed: bytes, name: bytes, sensitive: bytes) -> bytes:
    encryption, integrity = _keys(seed, name)
    encryptor = Cipher(AES(encryption), CFB(_ZERO_IV)).encryptor()
    hidden = encryptor.update(sized(sensitive)) + encryptor.finalize()
    return sized(hmac.digest(integrity, hidden + name, "sha256")) + hidden


def unwrap_key(wrapped: WrappedKey, parent: rsa.RSAPrivateKey) -> HmacKey:
    """Undo ``wrap_key`` as TPM2_Import does, with the checks it makes; for a TPM in software.

    Raises:
        TpmError: for another parent, altered, or of another form.
    """
    try:
        seed = parent.decrypt(unwrap(wrapped.seed, "inSymSeed"), _OAEP)
    except ValueError as error:
        raise TpmError("tpm-import-refused", "the seed is for another key") from error
    public = unwrap(wrapped.public, "objectPublic")
    name = object_name(public)
    encryption, integrity = _keys(seed, name)
    reader = TpmReader(unwrap(wrapped.duplicate, "duplicate"), "duplicate")
    outer = reader.sized()
    hidden = reader.take(2 + 2 + 2 + 2 * (2 + SECRET_BYTES))
    reader.end()
    if not hmac.compare_digest(outer, hmac.digest(integrity, hidden + name, "sha256")):
        raise TpmError("tpm-import-refused", "the integrity check of the duplicate failed")
    decryptor = Cipher(AES(encryption), CFB(_ZERO_IV)).decryptor()
    plain = decryptor.update(hidden) + decryptor.finalize()
    key = HmacKey.from_sensitive(unwrap(plain, "TPM2B_SENSITIVE"))
    if key.public != public:
        raise TpmError("tpm-import-refused", "the public area is not that of the key")
    return key


def qualifying_data(transport_key: bytes) -> bytes:
    """Return what binds a certification to a stream's key: a TPMT_HA with SHA-256 (V1 only)."""
    return struct.pack(">H", Algorithm.SHA256) + hashlib.sha256(transport_key).digest()


def verify_hmac_answer(key: HmacKey, answer: HmacAnswer, *, bound: bool) -> bytes:
    """Verify what a TPM certified with the key that it was given; return the IAK's name.

    Args:
        key: the key of this challenge, never of another.
        answer: the structures as they came.
        bound: the certification must name ``answer.transport_key`` (V1); v0.6 binds nothing.

    Raises:
        TpmError: the first of the checks 3 to 7 that fails, as numbered in
            docs/protocol/tpm.md#tpm-20-the-servers-checks.
    """
    where = "iak_certify_info"
    certified = parse_certified(unwrap(answer.certify_info, where), where)
    _verify_mac(key, certified.raw, answer.signature)
    iak = parse_public(unwrap(answer.iak_public, "iak_pub"), "iak_pub")
    algorithm = _check_iak(iak)
    if certified.magic != CERTIFY_MAGIC or certified.kind != CERTIFY_KIND:
        raise TpmError(
            "tpm-certification-unfit",
            "it is not a TPM's certification of a key",
            where=where,
            expected=f"{CERTIFY_MAGIC:#x}, {CERTIFY_KIND:#x}",
            seen=f"{certified.magic:#x}, {certified.kind:#x}",
        )
    name = _name_of(iak.raw, algorithm)
    if not hmac.compare_digest(certified.name, name) or certified.qualified_name == name:
        raise TpmError(
            "tpm-certification-unfit",
            "the certified key is not the one in iak_pub",
            where=where,
            expected=name.hex(),
            seen=certified.name.hex(),
        )
    if bound and not hmac.compare_digest(
        certified.extra_data, qualifying_data(answer.transport_key)
    ):
        raise TpmError(
            "tpm-transport-key-unbound",
            "the certification is not bound to the transport key of this answer",
            where=f"{where}.extraData",
            expected="SHA-256 of serialized_transport_key",
            seen=f"{len(certified.extra_data)} other bytes",
        )
    return name


def _verify_mac(key: HmacKey, certified: bytes, signature: bytes) -> None:
    where = "iak_certify_info_signature"
    reader = TpmReader(signature, where)
    algorithms = (reader.number(2), reader.number(2))
    if algorithms != (Algorithm.HMAC, Algorithm.SHA256):
        raise malformed(
            where, f"algorithms {algorithms[0]:#06x}, {algorithms[1]:#06x}", "HMAC, SHA-256"
        )
    seen = reader.take(hashlib.sha256().digest_size)
    reader.end()
    # TPM2_Certify hashes first and signs the digest.
    expected = hmac.digest(key.key, hashlib.sha256(certified).digest(), "sha256")
    if not hmac.compare_digest(seen, expected):
        raise TpmError(
            "tpm-hmac-invalid",
            "the MAC was not made with this challenge's key over these bytes",
            where=where,
        )


def _check_iak(iak: Public) -> Algorithm:
    """Return the hash of an IAK's name.

    Raises:
        TpmError: the key could have been made outside, be moved, or sign what it is given.
    """
    if iak.attributes & IAK_MASK != IAK_ATTRIBUTES:
        raise TpmError(
            "tpm-iak-unfit",
            "the certified key does not have the attributes of an IAK",
            where="iak_pub.objectAttributes",
            expected=f"{IAK_ATTRIBUTES:#010x} of {IAK_MASK:#010x}",
            seen=f"{iak.attributes:#010x}",
        )
    for algorithm in _NAME_HASHES:
        if iak.name_algorithm == algorithm:
            return algorithm
    raise TpmError(
        "tpm-iak-unfit",
        "the name of the certified key uses another hash",
        where="iak_pub.nameAlg",
        expected="SHA-256 or SHA-384",
        seen=f"{iak.name_algorithm:#06x}",
    )
