"""What the suite's server signs with: the owner's keys, and vouchers from where there are any."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from cryptography import x509
from cryptography.x509.oid import NameOID

from bootz.errors import BootzError, ConfigError
from bootz.keystore.files import (
    KeyKind,
    PrivateKey,
    generate_key,
    load_certificates,
    load_private_key,
    random_serial,
    write_certificates,
    write_private_key,
)
from bootz.model.artifacts import Assertion, VoucherContent
from bootz.model.chassis import fold_serial
from bootz.trust.certificates import AnchorSet, PinnedDomain, load_certificate, verify_chain
from bootz.trust.issuing import CertificateProfile, issue_certificate, split_hosts
from bootz.trust.keys import describe_key
from bootz.trust.owner import build_owner_certificate
from bootz.trust.signature import encode_signature, scheme_for, sign_with
from bootz.trust.voucher import issue_voucher, parse_unverified_voucher

_VALID: Final = timedelta(days=30)
_BACKDATED: Final = timedelta(days=1)
MAX_VOUCHER_BYTES: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate with its key; ``chain`` is DER, what leads to the root, without itself."""

    certificate: bytes = field(repr=False)
    key: PrivateKey = field(repr=False)
    chain: tuple[bytes, ...] = field(default=(), repr=False)

    def issue(
        self,
        name: str,
        profile: CertificateProfile,
        *,
        kind: KeyKind = KeyKind.RSA_2048,
        hosts: Sequence[str] = (),
    ) -> "Authority":
        """Return a new certificate below this one."""
        return _issue(name, profile, self, kind, hosts)


def make_authority(name: str, *, kind: KeyKind = KeyKind.RSA_2048) -> Authority:
    """Return a new root."""
    return _issue(name, CertificateProfile.ROOT_CA, None, kind, ())


def _issue(
    name: str,
    profile: CertificateProfile,
    above: Authority | None,
    kind: KeyKind,
    hosts: Sequence[str],
) -> Authority:
    key = generate_key(kind)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names, addresses = split_hosts(hosts)
    certificate = issue_certificate(
        profile=profile,
        subject=subject,
        public_key=key.public_key(),
        issuer_name=subject if above is None else load_certificate(above.certificate).subject,
        issuer_key=key if above is None else above.key,
        serial_number=random_serial(),
        not_before=now - _BACKDATED,
        not_after=now + _VALID,
        dns_names=names,
        ip_addresses=addresses,
    )
    chain = () if above is None else (above.certificate, *above.chain)
    return Authority(certificate, key, chain)


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner that the device must obey.

    ``identity`` signs the answers and chains to ``pinned`` (DER), which the vouchers pin.
    ``stranger`` has the same names and has no trusted issuer. ``server`` is for TLS, below
    ``anchor`` (DER).
    """

    pinned: bytes = field(repr=False)
    identity: Authority
    stranger: Authority
    anchor: bytes = field(repr=False)
    server: Authority

    @classmethod
    def make(cls, *hosts: str, owner: tuple[bytes, Authority] | None = None) -> "Owner":
        """Return an owner; its server is reached at these hosts.

        ``owner`` is the pinned domain certificate and the owner certificate where vouchers exist
        already.

        Raises:
            ConfigError: the owner certificate does not chain to the pinned domain certificate.
        """
        if owner is None:
            domain = make_authority("conformance owner")
            pinned = domain.certificate
            # The pinned domain certificate is the reader's own, and never sent along.
            issued = domain.issue("conformance owner certificate", CertificateProfile.OWNER)
            identity = Authority(issued.certificate, issued.key)
        else:
            pinned, identity = owner
            anchors = PinnedDomain(AnchorSet.from_der([pinned]))
            try:
                verify_chain(identity.certificate, identity.chain, anchors, now=datetime.now(UTC))
            except BootzError as error:
                raise ConfigError(
                    "conformance-material",
                    "the owner certificate does not chain to the pinned domain certificate",
                    where="--owner-certificate",
                ) from error
        strange = make_authority("conformance owner").issue(
            "conformance owner certificate", CertificateProfile.OWNER
        )
        root = make_authority("conformance server CA")
        server = root.issue("conformance server", CertificateProfile.SERVER_TLS, hosts=hosts)
        return cls(
            pinned,
            identity,
            Authority(strange.certificate, strange.key),
            root.certificate,
            server,
        )

    def certificate_cms(self, identity: Authority) -> bytes:
        """Return the owner certificate as it travels."""
        return build_owner_certificate(
            identity.certificate,
            identity.chain,
            scheme=scheme_for(identity.key.public_key()),
            sign=sign_with(identity.key),
            signing_time=datetime.now(UTC),
        ).cms

    def save_server(self, folder: Path) -> tuple[Path, Path]:
        """Write certificate chain and key of the server; return both paths."""
        chain, key = folder / "server.pem", folder / "server.key"
        write_certificates(chain, [self.server.certificate])
        write_private_key(key, self.server.key)
        return chain, key


def sign_answer(identity: Authority, payload: bytes) -> str:
    """Return the response signature, base64 text."""
    return encode_signature(sign_with(identity.key)(payload))


class Vouchers(Protocol):
    """Where vouchers that pin the owner come from."""

    def voucher(self, serial_number: str) -> bytes:
        """Return the voucher of a card.

        Raises:
            ConfigError: ``conformance-material``: there is none.
        """
        ...

    def foreign(self, serial_number: str) -> bytes:
        """Return a genuine voucher of any other card.

        Raises:
            ConfigError: ``conformance-material``: there is none.
        """
        ...


class SignedVouchers:
    """Vouchers that are made on the spot with a manufacturer's own signer."""

    def __init__(self, signer: Authority, pinned: bytes) -> None:
        self._signer = signer
        self._pinned = pinned

    def voucher(self, serial_number: str) -> bytes:
        """Return the voucher of a card."""
        return make_voucher(self._signer, serial_number, self._pinned)

    def foreign(self, serial_number: str) -> bytes:
        """Return a genuine voucher of another card."""
        return make_voucher(self._signer, f"{serial_number}X"[-64:], self._pinned)


class KeptVouchers:
    """Vouchers that a manufacturer has issued: the files of a folder, told apart by content."""

    def __init__(self, folder: Path) -> None:
        self._by_serial: dict[str, bytes] = {}
        try:
            for path in sorted(folder.iterdir()):
                if path.is_file() and path.stat().st_size <= MAX_VOUCHER_BYTES:
                    self._take(path.read_bytes())
        except OSError as error:
            raise ConfigError(
                "conformance-material", error.strerror or str(error), where=str(folder)
            ) from error

    def _take(self, cms: bytes) -> None:
        try:
            content = parse_unverified_voucher(cms)
        except BootzError:
            # Another file that lies in the folder.
            return
        self._by_serial[fold_serial(content.serial_number)] = cms

    def voucher(self, serial_number: str) -> bytes:
        """Return the voucher of a card.

        Raises:
            ConfigError: there is none.
        """
        found = self._by_serial.get(fold_serial(serial_number))
        if found is None:
            raise ConfigError(
                "conformance-material", "the folder has no voucher for it", where=serial_number
            )
        return found

    def foreign(self, serial_number: str) -> bytes:
        """Return a genuine voucher of another card.

        Raises:
            ConfigError: there is none.
        """
        own = fold_serial(serial_number)
        for serial, cms in self._by_serial.items():
            if serial != own:
                return cms
        raise ConfigError(
            "conformance-material",
            "the case also needs a voucher of another card",
            where="--voucher-dir",
        )


def make_voucher(signer: Authority, serial_number: str, pinned: bytes) -> bytes:
    """Return a voucher that pins ``pinned`` (DER) for a serial number."""
    now = datetime.now(UTC)
    return issue_voucher(
        VoucherContent(serial_number, Assertion.VERIFIED, pinned, created_on=now),
        signer_certificate=signer.certificate,
        chain=signer.chain,
        scheme=scheme_for(signer.key.public_key()),
        sign=sign_with(signer.key),
        now=now,
    )


def load_authority(certificate: Path, key: Path, above: Sequence[bytes] = ()) -> Authority:
    """Read a certificate (PEM, its chain after it) and its key.

    Raises:
        BootzError: one of them cannot be read, or they do not belong together.
    """
    ders = load_certificates(certificate)
    private = load_private_key(key)
    public = load_certificate(ders[0]).public_key()
    if public != private.public_key():
        raise ConfigError(
            "conformance-material",
            "the key does not belong to the certificate",
            where=str(key),
            expected=str(certificate),
            seen=describe_key(private.public_key()),
        )
    return Authority(ders[0], private, (*ders[1:], *above))
