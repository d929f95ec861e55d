"""One card's own hardware: a folder with its identity, its anchors, and whom it obeys.

identity.key       the identity key (0600); identity.pem its IDevID chain
vendor.pem         the vendor's trust anchors
tpm                its TPM, where it has one (``bootz.device.tpm.card``); then no identity.key
owner/voucher.vcj, owner/owner-certificate.cms   what the card has verified of its owner (S1)
card.json          what is printed on a card that is in no chassis
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bootz.device.identity import CardIdentity, FileIdentity
from bootz.device.prover import IdevidProver, Prover
from bootz.device.tpm.card import CardTpm
from bootz.errors import BootzError, ConfigError, TrustError
from bootz.keystore.files import (
    PrivateKey,
    atomic_write,
    load_certificates,
    load_private_key,
    write_certificates,
    write_private_key,
)
from bootz.trust.certificates import (
    AnchorSet,
    VendorCAs,
    idevid_serial_number,
    load_certificate,
    spki_fingerprint,
)
from bootz.trust.signature import sign_hashed


@dataclass(frozen=True, slots=True)
class CardParts:
    """What the factory puts into a card; ``certificates`` and ``anchors`` are DER.

    ``key`` is None, and ``certificates`` may be empty, where the identity is that of a TPM; its
    folder, ``tpm``, is moved into the card.
    """

    key: PrivateKey | None = field(repr=False)
    certificates: Sequence[bytes]
    anchors: Sequence[bytes]
    tpm: Path | None = None

    def check(self, name: str) -> None:
        """Judge whether the parts make a card.

        Raises:
            ConfigError: the key is not that of the certificate.
            TrustError: an anchor is not a certificate.
        """
        AnchorSet.from_der(self.anchors)
        if self.key is None:
            return
        leaf = load_certificate(self.certificates[0])
        expected = spki_fingerprint(leaf.public_key())
        seen = spki_fingerprint(self.key.public_key())
        if expected != seen:
            raise ConfigError(
                "hardware-identity",
                "the identity key does not belong to the identity certificate",
                where=name,
                expected=expected,
                seen=seen,
            )


class CardFolder:
    """A card's folder; files are read when they are asked for.

    ``legacy``: whether vouchers may come by chains of the forms that a vendor's setting of that
    name takes.
    """

    def __init__(self, path: Path, *, legacy: bool = False) -> None:
        self.path = path
        self._legacy = legacy

    def build(self, parts: CardParts) -> None:
        """Put the parts into a new folder."""
        self.path.mkdir(mode=0o700, parents=True)
        if parts.key is not None:
            write_private_key(self.path / "identity.key", parts.key)
        if parts.certificates:
            write_certificates(self.path / "identity.pem", parts.certificates)
        if parts.tpm is not None:
            shutil.move(parts.tpm, self.path / "tpm")
        write_certificates(self.path / "vendor.pem", parts.anchors)

    def certificates(self) -> tuple[bytes, ...]:
        """Return the IDevID with what leads to the vendor's CA, DER, leaf first.

        Empty for a card that has none, because its TPM proves it otherwise.
        """
        path = self.path / "identity.pem"
        if not path.exists() and self.tpm() is not None:
            return ()
        return load_certificates(path)

    def tpm(self) -> CardTpm | None:
        """Return the TPM, None for a card without."""
        return CardTpm.open(self.path / "tpm")

    def prover(self) -> Prover:
        """Return what proves the card on a stream.

        Raises:
            BootzError: a key cannot be read, or others may read it.
        """
        certificates, tpm = self.certificates(), self.tpm()
        if tpm is not None:
            return tpm.prover(certificates)
        return IdevidProver(certificates, sign_hashed(self._key()))

    def _key(self) -> PrivateKey:
        return load_private_key(self.path / "identity.key")

    def vendor_anchors(self) -> VendorCAs:
        """Return the anchors that vouchers for this card must lead to."""
        anchors = load_certificates(self.path / "vendor.pem")
        return VendorCAs(AnchorSet.from_der(anchors, legacy=self._legacy))

    def identity(self) -> CardIdentity:
        """Return the identity; its key is checked for being private.

        Raises:
            BootzError: key or certificate cannot be read, or others may read the key; or the
                key is in a TPM.
        """
        if self.tpm() is not None:
            raise ConfigError(
                "hardware-identity-sealed",
                "the identity key is in a TPM, which the TLS library cannot use",
                where=self.path.name,
                expected="a key in a file",
                seen="a TPM",
            )
        self._key()
        return FileIdentity(
            self.path / "identity.pem", self.path / "identity.key", self.certificates()
        )

    def flaw(self, serial_number: str) -> TrustError | None:
        """Return why a card is not what it says it is, None if nothing speaks against it.

        The chassis asks every card to prove its identity: the key must be that of the IDevID,
        and the IDevID that of the serial number which the card shows.
        """
        try:
            self.vendor_anchors()
            tpm, certificates = self.tpm(), self.certificates()
            if not certificates:
                # Its TPM has no name; which card it is, the owner's inventory says.
                return None
            leaf = load_certificate(certificates[0])
            key = self._key().public_key() if tpm is None else tpm.idevid_key()
            named = idevid_serial_number(leaf)
        except (BootzError, ValueError) as error:
            detail = error.reason if isinstance(error, BootzError) else "an unreadable key"
            return _tampered("the card's identity cannot be read", "an identity", detail)
        expected = spki_fingerprint(leaf.public_key())
        seen = spki_fingerprint(key)
        if seen != expected:
            return _tampered("the card's key does not belong to its identity", expected, seen)
        if named != serial_number:
            return _tampered("the card has another serial number", named, serial_number)
        return None

    def install_owner(self, voucher: bytes, owner_certificate: bytes) -> None:
        """Load voucher and owner certificate (both CMS) onto the card."""
        place = self.path / "owner"
        place.mkdir(mode=0o700, exist_ok=True)
        atomic_write(place / "owner-certificate.cms", owner_certificate, mode=0o600)
        atomic_write(place / "voucher.vcj", voucher, mode=0o600)

    def remove_owner(self) -> None:
        """Forget whom the card obeys."""
        shutil.rmtree(self.path / "owner", ignore_errors=True)

    def owned(self) -> bool:
        """Tell whether voucher and owner certificate are loaded."""
        return (self.path / "owner" / "voucher.vcj").is_file()


def _tampered(detail: str, expected: str, seen: str) -> TrustError:
    return TrustError("card-tampered", detail, where="card", expected=expected, seen=seen)
