"""The site's certificates as everyone may see them: which, until when, and where each key is.

They are in the database, beside what they vouch for, so that who may open no key, or runs on
another machine, knows them too. The folder ``keys/`` decides; this is its public side, written by
whoever changes it (``server/keys/publishing.py``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from cryptography import x509
from sqlalchemy import Connection, delete, insert, select

from bootz.errors import Unavailable
from bootz.server.key_roles import KeyRole
from bootz.server.store.schema import SITE_CERTIFICATE
from bootz.trust.certificates import fingerprint, load_certificate, parse_certificates, pem_from_der
from bootz.trust.keys import describe_key

IN_FORCE: Final = "in force"
EARLIER: Final = "earlier, still accepted"
P256_BESIDE: Final = "in force for owner_key: p256"


@dataclass(frozen=True, slots=True)
class SiteCertificate:
    """A certificate of the site. ``chain`` is DER, the certificate itself first.

    ``name`` is that of ``bootz keys show``; ``state`` in force, in force for some routers, or
    earlier; ``key_is`` says in words where the private key is; ``brought`` tells that the operator
    chose it.
    """

    role: KeyRole
    name: str
    state: str
    key_is: str
    chain: tuple[bytes, ...] = field(repr=False)
    brought: bool = False

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate itself."""
        return load_certificate(self.chain[0])

    @property
    def sha256(self) -> str:
        """Its fingerprint, 64 lower-case hex digits."""
        return fingerprint(self.chain[0])

    @property
    def kind(self) -> str:
        """What kind of key it has."""
        return describe_key(self.certificate.public_key())

    def days_left(self, now: datetime) -> int:
        """Whole days to its end; negative when it has ended."""
        return (self.certificate.not_valid_after_utc - now) // timedelta(days=1)

    def flaw(self, now: datetime) -> str:
        """Say why it is not valid at ``now`` (aware UTC); empty where it is."""
        certificate = self.certificate
        if now < certificate.not_valid_before_utc:
            return f"it begins at {certificate.not_valid_before_utc.isoformat()}"
        if now >= certificate.not_valid_after_utc:
            return f"it ended at {certificate.not_valid_after_utc.isoformat()}"
        return ""


@dataclass(frozen=True, slots=True)
class SiteCertificates:
    """All certificates of a site; at least one in force for each role."""

    entries: tuple[SiteCertificate, ...]

    @classmethod
    def of(cls, entries: Iterable[SiteCertificate]) -> Self:
        """Return them, whole.

        Raises:
            Unavailable: ``certificates-unpublished``: a role has none.
        """
        made = cls(tuple(entries))
        for role in KeyRole:
            made.in_force(role)
        return made

    def in_force(self, role: KeyRole) -> SiteCertificate:
        """Return the one that is used.

        Raises:
            Unavailable: ``certificates-unpublished``.
        """
        for each in self.entries:
            if each.role is role and each.state == IN_FORCE:
                return each
        raise Unavailable(
            "certificates-unpublished",
            f"the database does not have the {role.value} certificate",
            where="keys",
        )

    @property
    def pinned_domain(self) -> bytes:
        """DER of the certificate that vouchers must pin."""
        return self.in_force(KeyRole.PINNED_DOMAIN).chain[0]

    @property
    def owner(self) -> tuple[bytes, ...]:
        """The owner certificate (DER), then those between it and the pinned one."""
        return self.in_force(KeyRole.OWNER).chain

    @property
    def owner_p256(self) -> SiteCertificate | None:
        """The P-256 owner certificate beside the first one, None where there is none."""
        return next((each for each in self.entries if each.state == P256_BESIDE), None)

    @property
    def trust_anchor(self) -> bytes:
        """DER of what routers get as the server's trust anchor."""
        return self.in_force(KeyRole.TRUST_ANCHOR).chain[0]


def read_site_certificates(connection: Connection) -> SiteCertificates:
    """Return what was published last.

    Raises:
        Unavailable: ``certificates-unpublished``: nothing was, or not all of it.
    """
    return SiteCertificates.of(published(connection))


def store_site_certificates(connection: Connection, entries: Sequence[SiteCertificate]) -> None:
    """Put these in the place of what was published before."""
    connection.execute(delete(SITE_CERTIFICATE))
    connection.execute(
        insert(SITE_CERTIFICATE),
        [
            {
                "position": position,
                "role": each.role.value,
                "name": each.name,
                "state": each.state,
                "key_is": each.key_is,
                "brought": each.brought,
                "chain": pem_from_der(each.chain).decode("ascii"),
            }
            for position, each in enumerate(entries)
        ],
    )


def published(connection: Connection) -> tuple[SiteCertificate, ...]:
    """Return what was published last; empty if nothing was."""
    rows = connection.execute(select(SITE_CERTIFICATE).order_by(SITE_CERTIFICATE.c.position))
    return tuple(
        SiteCertificate(
            KeyRole(row.role),
            row.name,
            row.state,
            row.key_is,
            parse_certificates(row.chain.encode("ascii")),
            row.brought,
        )
        for row in rows
    )
