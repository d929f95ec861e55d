"""Commands of a TPM 1.2, marshalled by hand, with the HMACs that authorize them.

Source: TCG TPM Main Specification 1.2, part 3; docs/protocol/tpm.md#commands-of-tpm-12.
"""

import hashlib
import hmac
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from bootz.device.tpm.swtpm import Swtpm
from bootz.errors import TrustError, Unavailable
from bootz.trust.tpm.structures import TpmError, TpmReader
from bootz.trust.tpm.tpm12 import EK_OAEP, PUBKEY_HEAD

SECRET_BYTES: Final = 20

_SRK: Final = 0x40000000
_OWNER: Final = 0x40000001
_EK: Final = 0x40000006
_TAG: Final = {0: 0x00C1, 1: 0x00C2, 2: 0x00C3}
"""By the number of sessions."""
_ENTITY_OWNER: Final = 2
_PROTOCOL_OWNER: Final = 5
_CONTINUE: Final = b"\x01"

_ENABLE_PRESENCE: Final = 0x0020
_PRESENT: Final = 0x0008

_RSA_PARAMETERS: Final = struct.pack(">III", 2048, 2, 0)
_EK_PARAMETERS: Final = struct.pack(">IHHI", 1, 3, 1, len(_RSA_PARAMETERS)) + _RSA_PARAMETERS
"""RSA-2048 for encryption with OAEP, no signing: those of EK and SRK."""

_KEY_HEAD: Final = struct.pack(">IHIB", 0x01010000, 0x0011, 0, 1)
_KEY_TAIL: Final = struct.pack(">III", 0, 0, 0)
_SRK_TEMPLATE: Final = _KEY_HEAD + _EK_PARAMETERS + _KEY_TAIL
_AIK_TEMPLATE: Final = struct.pack(">IHIB", 0x01010000, 0x0012, 0, 1) + PUBKEY_HEAD[:-4] + _KEY_TAIL


class Ordinal(IntEnum):
    """TPM_COMMAND_CODE."""

    OIAP = 0x0A
    OSAP = 0x0B
    TAKE_OWNERSHIP = 0x0D
    LOAD_KEY_2 = 0x41
    PHYSICAL_ENABLE = 0x6F
    PHYSICAL_SET_DEACTIVATED = 0x72
    CREATE_ENDORSEMENT_KEY = 0x78
    MAKE_IDENTITY = 0x79
    ACTIVATE_IDENTITY = 0x7A
    OWNER_READ_INTERNAL_PUB = 0x81
    PHYSICAL_PRESENCE = 0x4000000A


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the owner of a TPM knows; 20 bytes each."""

    owner: bytes = field(repr=False)
    srk: bytes = field(repr=False)
    aik: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Session:
    handle: int
    even: bytes = field(repr=False)
    secret: bytes = field(repr=False)


class Commands12:
    """The commands of one running TPM 1.2; ``draw`` gives random bytes for nonces."""

    def __init__(self, tpm: Swtpm, draw: Callable[[int], bytes]) -> None:
        self._tpm = tpm
        self._draw = draw

    def enable(self) -> None:
        """Switch a new TPM on, as a person in front of it may."""
        for presence in (_ENABLE_PRESENCE, _PRESENT):
            self._run(Ordinal.PHYSICAL_PRESENCE, struct.pack(">H", presence))
        self._run(Ordinal.PHYSICAL_ENABLE, b"")
        self._run(Ordinal.PHYSICAL_SET_DEACTIVATED, b"\x00")

    def create_endorsement_key(self) -> rsa.RSAPublicKey:
        """Make the EK, once in the life of a TPM."""
        reader = self._run(Ordinal.CREATE_ENDORSEMENT_KEY, self._nonce() + _EK_PARAMETERS)
        return _read_pubkey(reader)

    def take_ownership(self, ek: rsa.RSAPublicKey, secrets: Secrets) -> None:
        """Give a TPM its owner and its storage root key."""
        parts = [struct.pack(">H", _PROTOCOL_OWNER)]
        for secret in (secrets.owner, secrets.srk):
            encrypted = ek.encrypt(secret, EK_OAEP)
            parts += [struct.pack(">I", len(encrypted)), encrypted]
        parts.append(_SRK_TEMPLATE)
        self._run(Ordinal.TAKE_OWNERSHIP, b"".join(parts), sessions=[self._oiap(secrets.owner)])

    def read_ek(self, owner: bytes) -> rsa.RSAPublicKey:
        """Return the public part of the EK; only its owner may."""
        reader = self._run(
            Ordinal.OWNER_READ_INTERNAL_PUB,
            struct.pack(">I", _EK),
            sessions=[self._oiap(owner)],
        )
        return _read_pubkey(reader)

    def make_identity(self, secrets: Secrets) -> tuple[bytes, bytes]:
        """Make an AIK; return its TPM_KEY, wrapped by the storage root key, and its modulus."""
        srk, owner = self._oiap(secrets.srk), self._osap(secrets.owner)
        pad = hashlib.sha1(owner.secret + owner.even).digest()  # noqa: S324 -- as TPM 1.2 has it
        hidden = bytes(a ^ b for a, b in zip(secrets.aik, pad, strict=True))
        label = hashlib.sha1(b"bootz").digest()  # noqa: S324
        reader = self._run(
            Ordinal.MAKE_IDENTITY, hidden + label + _AIK_TEMPLATE, sessions=[srk, owner]
        )
        return _read_key(reader)

    def load_key(self, key: bytes, srk: bytes) -> int:
        """Load a key that the storage root key wraps; return its handle."""
        reader = self._run(
            Ordinal.LOAD_KEY_2,
            key,
            handle=_SRK,
            sessions=[self._oiap(srk)],
            handle_back=True,
        )
        return reader.number(4)

    def activate_identity(self, aik: int, blob: bytes, secrets: Secrets) -> bytes:
        """Open a blob for this EK and this AIK; return the TPM_SYMMETRIC_KEY.

        Raises:
            TrustError: ``tpm-import-refused``: it is for another, or altered.
        """
        try:
            reader = self._run(
                Ordinal.ACTIVATE_IDENTITY,
                struct.pack(">I", len(blob)) + blob,
                handle=aik,
                sessions=[self._oiap(secrets.aik), self._oiap(secrets.owner)],
            )
        except Unavailable as error:
            raise TrustError(
                "tpm-import-refused", "the TPM refuses the blob", where="TPM", seen=error.seen
            ) from error
        head = reader.take(8)
        return head + reader.take(int.from_bytes(head[6:], "big"))

    def _nonce(self) -> bytes:
        return self._draw(SECRET_BYTES)

    def _oiap(self, secret: bytes) -> _Session:
        reader = self._run(Ordinal.OIAP, b"")
        return _Session(reader.number(4), reader.take(SECRET_BYTES), secret)

    def _osap(self, owner: bytes) -> _Session:
        odd = self._nonce()
        entity = struct.pack(">HI", _ENTITY_OWNER, _OWNER)
        reader = self._run(Ordinal.OSAP, entity + odd)
        handle, even = reader.number(4), reader.take(SECRET_BYTES)
        shared = hmac.digest(owner, reader.take(SECRET_BYTES) + odd, "sha1")
        return _Session(handle, even, shared)

    def _run(
        self,
        ordinal: Ordinal,
        parameters: bytes,
        *,
        handle: int | None = None,
        sessions: Sequence[_Session] = (),
        handle_back: bool = False,
    ) -> TpmReader:
        """Run a command whose ``handle`` no HMAC covers; return a reader at what comes back.

        Raises:
            Unavailable: ``tpm-command-failed``; ``seen`` is the return code.
            TrustError: whoever answers does not know the secret of a session.
        """
        body = (b"" if handle is None else struct.pack(">I", handle)) + parameters
        covered = hashlib.sha1(struct.pack(">I", ordinal) + parameters).digest()  # noqa: S324
        odds = [self._nonce() for _ in sessions]
        for session, odd in zip(sessions, odds, strict=True):
            mac = hmac.digest(session.secret, covered + session.even + odd + _CONTINUE, "sha1")
            body += struct.pack(">I", session.handle) + odd + _CONTINUE + mac
        command = struct.pack(">HII", _TAG[len(sessions)], 10 + len(body), ordinal) + body
        response = self._tpm.transact(command)
        (returned,) = struct.unpack_from(">I", response, 6)
        if returned:
            raise Unavailable(
                "tpm-command-failed",
                f"TPM {ordinal.name} was refused with {returned:#x}",
                where="TPM",
                expected="0",
                seen=f"{returned:#x}",
            )
        size = SECRET_BYTES + 1 + SECRET_BYTES
        end = len(response) - size * len(sessions)
        out = response[10:end]
        covered_back = out[4:] if handle_back else out
        answered = struct.pack(">II", returned, ordinal) + covered_back
        digest = hashlib.sha1(answered).digest()  # noqa: S324
        for number, (session, odd) in enumerate(zip(sessions, odds, strict=True)):
            area = response[end + size * number :][:size]
            even, going_on, mac = area[:SECRET_BYTES], area[SECRET_BYTES:][:1], area[-SECRET_BYTES:]
            expected = hmac.digest(session.secret, digest + even + odd + going_on, "sha1")
            if not hmac.compare_digest(mac, expected):
                raise TpmError("tpm-hmac-invalid", "the response is not authentic", where="TPM")
        return TpmReader(out, f"response to {ordinal.name}")


def _read_pubkey(reader: TpmReader) -> rsa.RSAPublicKey:
    """Return the key of a TPM_PUBKEY."""
    reader.take(4 + 2 + 2)  # algorithm, schemes
    reader.take(reader.number(4))  # RSA-2048, 65537
    modulus = int.from_bytes(reader.take(reader.number(4)), "big")
    return rsa.RSAPublicNumbers(65537, modulus).public_key()


def _read_key(reader: TpmReader) -> tuple[bytes, bytes]:
    """Return a TPM_KEY as it stands, and its modulus."""
    parts = [reader.take(4 + 2 + 4 + 1), reader.take(4 + 2 + 2)]

    def counted() -> bytes:
        size = reader.take(4)
        content = reader.take(int.from_bytes(size, "big"))
        parts.extend((size, content))
        return content

    counted()  # parameters
    counted()  # PCRs
    modulus = counted()
    counted()  # wrapped private part
    return b"".join(parts), modulus
