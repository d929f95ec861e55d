"""What a device says it is: the identity of a request, and how it may be proven.

Source: Bootz message ``Identity``.
"""

from dataclasses import dataclass
from enum import Enum


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
    """Which TPM key the inventory holds for a card (``openconfig.attestz.Key``)."""

    UNSPECIFIED = 0
    EK = 1
    PPK = 2
