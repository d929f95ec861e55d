"""Issuing certificates: one builder, a profile for every role.

Serial numbers, times and keys are arguments; a key may be any subclass of the library's key
classes, so that an issuing CA can live in a token.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bootz.errors import ConfigError
from bootz.trust.keys import PrivateKey
from bootz.trust.signature import scheme_for, strong_key

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_PRINTABLE: Final = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*")
"""What ASN.1 allows in a PrintableString (X.680, 41.4)."""


@dataclass(frozen=True, slots=True)
class _Traits:
    ca: bool
    end_of_path: bool = False
    server: bool = False


class CertificateProfile(Enum):
    """The roles that certificates are issued for; none but SERVER_TLS has an extended key usage.

    A voucher signer with one would fail ``openssl cms -verify``.

    Source: docs/protocol/vouchers.md#the-cms-around-it.
    """

    ROOT_CA = "root-ca"
    SUBORDINATE_CA = "subordinate-ca"
    OWNER = "owner"
    VOUCHER_SIGNER = "voucher-signer"
    SERVER_TLS = "server-tls"
    IDEVID = "idevid"


_TRAITS: Final = {
    CertificateProfile.ROOT_CA: _Traits(ca=True),
    CertificateProfile.SUBORDINATE_CA: _Traits(ca=True, end_of_path=True),
    CertificateProfile.OWNER: _Traits(ca=False),
    CertificateProfile.VOUCHER_SIGNER: _Traits(ca=False),
    CertificateProfile.SERVER_TLS: _Traits(ca=False, server=True),
    CertificateProfile.IDEVID: _Traits(ca=False),
}


def split_hosts(
    hosts: Sequence[str],
) -> tuple[tuple[str, ...], tuple[IpAddress, ...]]:
    """Divide the names of a server into DNS names and IP addresses."""
    names: list[str] = []
    addresses: list[IpAddress] = []
    for host in hosts:
        try:
            addresses.append(ipaddress.ip_address(host))
        except ValueError:
            names.append(host)
    return tuple(names), tuple(addresses)


def issue_root(
    name: x509.Name,
    key: PrivateKey,
    *,
    serial_number: int,
    not_before: datetime,
    not_after: datetime,
) -> bytes:
    """Return a self-signed CA certificate in DER; arguments and errors as ``issue_certificate``."""
    return issue_certificate(
        profile=CertificateProfile.ROOT_CA,
        subject=name,
        public_key=key.public_key(),
        issuer_name=name,
        issuer_key=key,
        serial_number=serial_number,
        not_before=not_before,
        not_after=not_after,
    )


def issue_certificate(
    *,
    profile: CertificateProfile,
    subject: x509.Name,
    public_key: object,
    issuer_name: x509.Name,
    issuer_key: PrivateKey,
    serial_number: int,
    not_before: datetime,
    not_after: datetime,
    dns_names: Sequence[str] = (),
    ip_addresses: Sequence[IpAddress] = (),
    idevid_serial: str = "",
    issuer_key_identifier: bytes = b"",
) -> bytes:
    """Return a new certificate in DER, signed with the issuer key's natural scheme.

    Args:
        profile: what it is for.
        subject: its name; ``idevid_serial`` is appended to it as serialNumber.
        public_key: RSA of 2048 bits or more, P-256, P-384 or P-521.
        issuer_name: the issuer's subject; the subject itself for a self-signed one.
        issuer_key: signs; a self-signed certificate's own key.
        serial_number: positive, at most 159 bits.
        not_before: aware; fractions of seconds are dropped.
        not_after: aware; 9999-12-31T23:59:59Z stands for "no end".
        dns_names: host names for the subjectAltName.
        ip_addresses: addresses for the subjectAltName.
        idevid_serial: ``PID:<product> SN:<serial>`` or the plain serial number.
        issuer_key_identifier: the issuer's SubjectKeyIdentifier where it is not that of RFC 5280
            method 1.

    Raises:
        SignatureError: one of the keys does not count.
        ConfigError: ``certificate-unissuable``: the arguments make no certificate.
    """
    key = strong_key(public_key)
    algorithm = scheme_for(issuer_key.public_key()).hash
    traits = _TRAITS[profile]
    authority = (
        x509.AuthorityKeyIdentifier(issuer_key_identifier, None, None)
        if issuer_key_identifier
        else x509.AuthorityKeyIdentifier.from_issuer_public_key(strong_key(issuer_key.public_key()))
    )
    try:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_with_serial(subject, idevid_serial))
            .issuer_name(issuer_name)
            .public_key(key)
            .serial_number(serial_number)
            .not_valid_before(not_before.replace(microsecond=0))
            .not_valid_after(not_after.replace(microsecond=0))
            .add_extension(
                x509.BasicConstraints(traits.ca, 0 if traits.end_of_path else None), critical=True
            )
            .add_extension(_key_usage(traits), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(authority, critical=False)
        )
        if traits.server:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
            builder = builder.add_extension(usage, critical=False)
        if dns_names or ip_addresses:
            names: list[x509.GeneralName] = [x509.DNSName(name) for name in dns_names]
            names += [x509.IPAddress(address) for address in ip_addresses]
            alternative = x509.SubjectAlternativeName(names)
            builder = builder.add_extension(alternative, critical=False)
        return builder.sign(issuer_key, algorithm).public_bytes(Encoding.DER)
    except (ValueError, TypeError, OverflowError) as error:
        raise ConfigError(
            "certificate-unissuable", " ".join(str(error).split())[:200], where=profile.value
        ) from error


def _key_usage(traits: _Traits) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not traits.ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=traits.ca,
        crl_sign=traits.ca,
        encipher_only=False,
        decipher_only=False,
    )


def _with_serial(subject: x509.Name, serial: str) -> x509.Name:
    if not serial:
        return subject
    # The library always writes a PrintableString here, in which '_' makes a broken certificate.
    kind = _ASN1Type.PrintableString if _PRINTABLE.fullmatch(serial) else _ASN1Type.UTF8String
    attribute = x509.NameAttribute(NameOID.SERIAL_NUMBER, serial, _type=kind)
    return x509.Name([*subject.rdns, x509.RelativeDistinguishedName([attribute])])
