"""The manufacturer's room: a folder with a CA, and a signer of vouchers under it.

    manufacturer.json      the name
    keys/ca.key, ca.pem    the vendor CA: routers trust it, owners take it into their inventory
    keys/vouchers.key, .pem  signs vouchers, under the CA

Keys are files of mode 0600 and never leave the folder.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from bootz.errors import ConfigError, ConflictError, UnknownChassis
from bootz.keystore.clock import check_clock
from bootz.keystore.files import (
    KeyKind,
    PrivateKey,
    PublicKey,
    atomic_write,
    generate_key,
    load_certificates,
    load_private_key,
    random_serial,
    write_certificates,
    write_private_key,
)
from bootz.model.artifacts import Assertion, VoucherContent
from bootz.trust.certificates import load_certificate
from bootz.trust.issuing import CertificateProfile, issue_certificate, issue_root
from bootz.trust.signature import scheme_for, sign_with
from bootz.trust.voucher import issue_voucher

FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""An IDevID does not expire (IEEE 802.1AR section 8.7)."""

BACKDATED = timedelta(days=1)
"""How far certificates reach back, for routers whose clock runs behind."""

MAX_SERIAL = 64
"""Characters of a serial number at most: RFC 5280 appendix A.1, ub-serial-number."""


@dataclass(frozen=True, slots=True)
class IssuedIdentity:
    """An identity that leaves the factory: its key, and its chain without the CA, DER."""

    key: PrivateKey = field(repr=False)
    chain: tuple[bytes, ...]


class Manufacturer:
    """An opened manufacturer.

    Args:
        clock: aware UTC now.
    """

    def __init__(
        self, folder: Path, name: str, anchor: bytes, clock: Callable[[], datetime]
    ) -> None:
        self._keys = folder / "keys"
        self._clock = clock
        self.name = name
        self.anchor = anchor
        """The CA's certificate, DER."""

    @classmethod
    def create(
        cls, folder: Path, name: str, *, kind: KeyKind, clock: Callable[[], datetime]
    ) -> "Manufacturer":
        """Make a manufacturer in a new or empty folder.

        Raises:
            ConflictError: something is there already.
            ConfigError: the name cannot be used in a certificate.
        """
        if folder.exists() and any(folder.iterdir()):
            raise ConflictError("file-exists", "the folder is not empty", where=str(folder))
        if not 0 < len(name) <= 40 or not name.isprintable():
            raise ConfigError(
                "manufacturer-argument", "the name must have 1 to 40 characters", where="name"
            )
        keys = folder / "keys"
        keys.mkdir(mode=0o700, parents=True)
        start = clock() - BACKDATED
        ca_key, signer_key = generate_key(kind), generate_key(kind)
        ca_name = _name(name, f"{name} manufacturer CA")
        anchor = issue_root(
            ca_name,
            ca_key,
            serial_number=random_serial(),
            not_before=start,
            not_after=FOREVER,
        )
        signer = issue_certificate(
            profile=CertificateProfile.VOUCHER_SIGNER,
            subject=_name(name, f"{name} voucher signer"),
            public_key=signer_key.public_key(),
            issuer_name=ca_name,
            issuer_key=ca_key,
            serial_number=random_serial(),
            not_before=start,
            not_after=FOREVER,
        )
        write_private_key(keys / "ca.key", ca_key)
        write_certificates(keys / "ca.pem", [anchor])
        write_private_key(keys / "vouchers.key", signer_key)
        write_certificates(keys / "vouchers.pem", [signer])
        # Last, because this file is what makes the folder a manufacturer.
        atomic_write(folder / "manufacturer.json", json.dumps({"name": name}).encode())
        return cls(folder, name, anchor, clock)

    @classmethod
    def open(cls, folder: Path, *, clock: Callable[[], datetime]) -> "Manufacturer":
        """Open a manufacturer's folder.

        Raises:
            UnknownChassis: there is no manufacturer.
            ConfigError: it is damaged.
        """
        path = folder / "manufacturer.json"
        try:
            text = path.read_bytes()
        except OSError as error:
            raise UnknownChassis(
                "manufacturer-missing", "there is no manufacturer here", where=str(folder)
            ) from error
        try:
            name = json.loads(text)["name"]
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError("manufacturer-damaged", "malformed", where=str(path)) from error
        anchor = load_certificates(folder / "keys" / "ca.pem")[0]
        return cls(folder, str(name), anchor, clock)

    def issue_identity(
        self, serial_number: str, part_number: str, *, kind: KeyKind
    ) -> IssuedIdentity:
        """Make a key and an IDevID for one card (docs/protocol/pki.md#idevid).

        Raises:
            ConfigError: the serial number cannot be used in a certificate.
        """
        key = generate_key(kind)
        return IssuedIdentity(
            key, self.certify_identity(key.public_key(), serial_number, part_number)
        )

    def certify_identity(
        self, public_key: PublicKey, serial_number: str, part_number: str
    ) -> tuple[bytes, ...]:
        """Issue an IDevID for a key that is elsewhere, such as in a TPM; return its chain, DER.

        Raises:
            ConfigError: the serial number cannot be used in a certificate.
        """
        _check_serial(serial_number)
        ca_key = load_private_key(self._keys / "ca.key")
        named = f"PID:{part_number} SN:{serial_number}" if part_number else serial_number
        if len(named) > MAX_SERIAL:
            named = serial_number
        leaf = issue_certificate(
            profile=CertificateProfile.IDEVID,
            subject=_name(self.name, serial_number),
            public_key=public_key,
            issuer_name=load_certificate(self.anchor).subject,
            issuer_key=ca_key,
            serial_number=random_serial(),
            not_before=self._clock() - BACKDATED,
            not_after=FOREVER,
            idevid_serial=named,
        )
        return (leaf,)

    def issue_voucher(
        self, serial_number: str, pinned_domain_cert: bytes, *, expires_on: datetime | None
    ) -> bytes:
        """Say that one card obeys whoever chains to a certificate; return the voucher's CMS.

        Raises:
            ConfigError: the serial number is invalid, the voucher would be out of date at once, or
                ``clock-behind``.
            TrustError: the pinned domain certificate (DER) is invalid.
        """
        _check_serial(serial_number)
        load_certificate(pinned_domain_cert)
        now = self._clock()
        if expires_on is not None and expires_on <= now:
            raise ConfigError(
                "manufacturer-argument",
                "the voucher would expire before it begins",
                where="expires",
                expected=f"later than {now.isoformat()}",
                seen=expires_on.isoformat(),
            )
        key = load_private_key(self._keys / "vouchers.key")
        signer_certificate = load_certificates(self._keys / "vouchers.pem")[0]
        check_clock(load_certificate(signer_certificate), now, where="vouchers.pem")
        content = VoucherContent(
            serial_number,
            Assertion.VERIFIED,
            pinned_domain_cert,
            created_on=now,
            expires_on=expires_on,
            revocation_checks=False,
        )
        return issue_voucher(
            content,
            signer_certificate=signer_certificate,
            chain=[self.anchor],
            scheme=scheme_for(key.public_key()),
            sign=sign_with(key),
            now=now,
        )


def _check_serial(serial_number: str) -> None:
    printable = serial_number.isascii() and serial_number.isprintable()
    if not 0 < len(serial_number) <= MAX_SERIAL or not printable or " " in serial_number:
        raise ConfigError(
            "manufacturer-argument",
            "a serial number must be 1 to 64 printable ASCII characters without blanks",
            where="serial",
            seen=repr(serial_number[:80]),
        )


def _name(organization: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
