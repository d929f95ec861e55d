"""What a device says it is: the identity of a request, and how it may be proven.

Source: Bootz message ``Identity``.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final


class IdentityKind(Enum):
    """The kinds of identity a device may announce (oneof ``type`` of ``Identity``)."""

    IDEVID = "idevid"
    TPM20_EK = "tpm20-ek"
    TPM20_PPK = "tpm20-ppk"
    TPM12_EK = "tpm12-ek"
    EK_OR_PPK = "ek-or-ppk"
    """Stream v0.6 only: a TPM 2.0 without IDevID, the key not said."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity as claimed on the wire; nothing in it is proven.

    ``idevid_cert`` is base64 of one DER certificate or a PEM chain, leaf first (IDEVID only).
    ``public_key`` is the EK or PPK that the device names; informative, the inventory's key counts.
    """

    kind: IdentityKind
    idevid_cert: str = ""
    public_key: bytes = b""


class TpmKeyType(Enum):
    """Which key of a TPM a challenge is encrypted to (``openconfig.attestz.Key``)."""

    UNSPECIFIED = 0
    EK = 1
    PPK = 2


class TpmVersion(Enum):
    """Which of the two families of TPM a card has."""

    TPM12 = "1.2"
    TPM20 = "2.0"


@dataclass(frozen=True, slots=True)
class TpmRecord:
    """What is on record of a card's TPM. Keys are DER SubjectPublicKeyInfo, None if unknown.

    ``ek`` is the endorsement key, ``ppk`` a platform primary key that takes its place; ``key``
    is one of the two, not known which. ``ek_certificate`` is DER.
    """

    version: TpmVersion | None = None
    ek: bytes | None = field(default=None, repr=False)
    ppk: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)
    ek_certificate: bytes | None = field(default=None, repr=False)


NO_TPM: Final = TpmRecord()
"""Nothing is known of it."""
