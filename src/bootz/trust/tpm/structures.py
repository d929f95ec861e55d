"""The structures of a TPM 2.0 that cross the wire, read strictly: surplus bytes are refused.

Whatever is judged is judged over the bytes as they came; nothing is written again. Source: TCG
TPM 2.0 Library, part 2; docs/protocol/tpm.md#tpm-20-the-answer.
"""

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from bootz.errors import TrustError

MAX_STRUCTURE: Final = 4096
"""Bytes; the largest that a TPM makes here is a public area of RSA-4096, some 600."""


class Algorithm(IntEnum):
    """TPM_ALG_ID, as far as it is met here."""

    RSA = 0x0001
    HMAC = 0x0005
    AES = 0x0006
    KEYEDHASH = 0x0008
    XOR = 0x000A
    SHA256 = 0x000B
    SHA384 = 0x000C
    NULL = 0x0010
    RSASSA = 0x0014
    RSAES = 0x0015
    ECDSA = 0x0018
    ECDAA = 0x001A
    ECC = 0x0023
    CFB = 0x0043


class Curve(IntEnum):
    """TPM_ECC_CURVE."""

    P256 = 0x0003
    P384 = 0x0004


class TpmError(TrustError):
    """A structure of a TPM that is malformed, or proves nothing."""


@dataclass(frozen=True, slots=True)
class Public:
    """A TPMT_PUBLIC: ``raw`` is all of it, the rest what is judged."""

    raw: bytes = field(repr=False)
    kind: int
    name_algorithm: int
    attributes: int


@dataclass(frozen=True, slots=True)
class Certified:
    """A TPMS_ATTEST as TPM2_Certify makes it: ``raw`` is all of it. Names include the hash's id."""

    raw: bytes = field(repr=False)
    magic: int
    kind: int
    extra_data: bytes = field(repr=False)
    name: bytes = field(repr=False)
    qualified_name: bytes = field(repr=False)


class TpmReader:
    """Reads fields off bytes, front to back; ``where`` names the structure for errors."""

    def __init__(self, data: bytes, where: str) -> None:
        self._data = data
        self._at = 0
        self._where = where

    def take(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            TpmError: fewer are left.
        """
        end = self._at + size
        if end > len(self._data):
            raise malformed(self._where, f"it ends at byte {len(self._data)}", f"byte {end}")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def number(self, size: int) -> int:
        """Return the next unsigned number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "big")

    def sized(self) -> bytes:
        """Return the content of the next TPM2B: a length of two bytes, and as many bytes."""
        return self.take(self.number(2))

    def end(self) -> None:
        """Refuse what is left.

        Raises:
            TpmError: something is.
        """
        if self._at != len(self._data):
            raise malformed(
                self._where,
                f"{len(self._data) - self._at} surplus bytes",
                f"{self._at} bytes",
            )


def malformed(where: str, detail: str, expected: str = "") -> TpmError:
    """Return the error for a malformed structure."""
    return TpmError("tpm-structure-malformed", detail, where=where, expected=expected)


def sized(content: bytes) -> bytes:
    """Return a TPM2B: the length in two bytes, then the content."""
    return struct.pack(">H", len(content)) + content


def unwrap(data: bytes, where: str) -> bytes:
    """Return the content of a TPM2B that is all of ``data``.

    Raises:
        TpmError: cut, with surplus bytes, or longer than any such structure.
    """
    if len(data) > MAX_STRUCTURE:
        raise malformed(where, f"{len(data)} bytes", f"at most {MAX_STRUCTURE}")
    reader = TpmReader(data, where)
    content = reader.sized()
    reader.end()
    return content


def parse_public(data: bytes, where: str) -> Public:
    """Read a TPMT_PUBLIC of an RSA, ECC or keyed-hash object.

    Raises:
        TpmError: cut, with surplus bytes, or of another kind.
    """
    reader = TpmReader(data, where)
    kind = reader.number(2)
    name_algorithm = reader.number(2)
    attributes = reader.number(4)
    reader.sized()  # the policy is the device's own affair
    if kind == Algorithm.RSA:
        _pass_symmetric(reader)
        _pass_scheme(reader)
        reader.take(2 + 4)  # bits of the modulus, exponent
        reader.sized()
    elif kind == Algorithm.ECC:
        _pass_symmetric(reader)
        _pass_scheme(reader)
        reader.take(2)  # curve
        _pass_scheme(reader)  # key derivation
        reader.sized()
        reader.sized()
    elif kind == Algorithm.KEYEDHASH:
        _pass_scheme(reader)
        reader.sized()
    else:
        raise malformed(where, f"an object of kind {kind:#06x}", "RSA, ECC or keyed hash")
    reader.end()
    return Public(data, kind, name_algorithm, attributes)


def _pass_symmetric(reader: TpmReader) -> None:
    """Go past a TPMT_SYM_DEF_OBJECT."""
    if reader.number(2) != Algorithm.NULL:
        reader.take(2 + 2)  # bits of the key, mode


def _pass_scheme(reader: TpmReader) -> None:
    """Go past a scheme: none, one without details, or one with its hash."""
    scheme = reader.number(2)
    if scheme in {Algorithm.NULL, Algorithm.RSAES}:
        return
    reader.take(2)  # hash
    if scheme in {Algorithm.ECDAA, Algorithm.XOR}:
        reader.take(2)  # counter; key derivation


def parse_certified(data: bytes, where: str) -> Certified:
    """Read a TPMS_ATTEST with the body that TPM2_Certify gives it.

    Raises:
        TpmError: cut, or with surplus bytes. ``magic`` and ``kind`` are the caller's to judge.
    """
    reader = TpmReader(data, where)
    magic = reader.number(4)
    kind = reader.number(2)
    reader.sized()  # qualifiedSigner: the parent's public area is not known here
    extra_data = reader.sized()
    reader.take(8 + 4 + 4 + 1)  # clock, resets, restarts, safe
    reader.take(8)  # firmware
    name = reader.sized()
    qualified_name = reader.sized()
    reader.end()
    return Certified(data, magic, kind, extra_data, name, qualified_name)
