"""Certificates for tests that need some and are not about them."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Pair:
    """A key with its certificate, and those above it that are sent along."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def save(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write certificate chain and key as PEM; return both paths."""
        chain, key = folder / f"{name}.pem", folder / f"{name}.key"
        chain.write_bytes(
            b"".join(
                each.public_bytes(serialization.Encoding.PEM)
                for each in (self.certificate, *self.chain)
            )
        )
        key.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return chain, key


def make_pair(
    name: str,
    issuer: Pair | None = None,
    *,
    ca: bool = False,
    ip: str = "",
    expired: bool = False,
    serial: str = "",
) -> Pair:
    """Make a key and a certificate for it, self-signed without an issuer.

    ``serial`` is for an IDevID: the serial number in its subject.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if serial:
        names.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial))
    subject = x509.Name(names)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now + timedelta(days=-1 if expired else 3))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    if ip:
        address = x509.IPAddress(ipaddress.ip_address(ip))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    signed = builder.sign(key if issuer is None else issuer.key, hashes.SHA256())
    return Pair(key, signed, () if issuer is None else (issuer.certificate, *issuer.chain))


def client_context(
    folder: Path,
    pair: Pair | None = None,
    *,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    anchor: bytes | None = None,
) -> ssl.SSLContext:
    """Return a TLS client that verifies the server only where an anchor is given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2"])
    context.maximum_version = version
    if anchor is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=anchor)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if pair is not None:
        context.load_cert_chain(*pair.save(folder, f"client-{id(pair)}"))
    return context


def silent_peer(address: tuple[str, int], context: ssl.SSLContext) -> ssl.SSLSocket:
    """Return a connection that is shaken hands with, and on which nothing is read or sent."""
    plain = socket.create_connection(address, timeout=30)
    connection = context.wrap_socket(plain, server_hostname=address[0])
    connection.settimeout(None)
    return connection
