"""A configuration of the Go reference, of our own making."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID
from google.protobuf import text_format

from bootz.keystore.files import KeyKind, PrivateKey, generate_key
from bootz.model.artifacts import Assertion, VoucherContent
from bootz.trust.issuing import CertificateProfile, issue_certificate
from bootz.trust.signature import scheme_for, sign_with
from bootz.trust.voucher import issue_voucher
from bootz.wire.generated import attestz_pb2, bootz_pb2
from bootz.wire.generated import reference_config_pb2 as ref

NOW = datetime.now(UTC)
IMAGE = b"BOOTZ-IMAGE of the reference"


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def key_der(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@dataclass
class Authority:
    """A CA that issues."""

    name: str
    key: PrivateKey = field(default_factory=lambda: generate_key(KeyKind.RSA_2048))

    def __post_init__(self) -> None:
        self.der = self.issue(CertificateProfile.ROOT_CA, self.key, self.name)

    def issue(
        self, profile: CertificateProfile, key: PrivateKey, name: str, serial: str = ""
    ) -> bytes:
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        if serial:
            attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial))
        return issue_certificate(
            profile=profile,
            subject=x509.Name(attributes),
            public_key=key.public_key(),
            issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]),
            issuer_key=self.key,
            serial_number=x509.random_serial_number(),
            not_before=NOW - timedelta(days=10),
            not_after=NOW + timedelta(days=300),
        )

    def voucher(self, serial: str, pinned: bytes) -> bytes:
        key = generate_key(KeyKind.P256)
        return issue_voucher(
            VoucherContent(
                serial,
                Assertion.VERIFIED,
                pinned,
                created_on=NOW - timedelta(days=1),
                expires_on=NOW + timedelta(days=30),
            ),
            signer_certificate=self.issue(CertificateProfile.VOUCHER_SIGNER, key, "vouchers"),
            chain=(),
            scheme=scheme_for(key.public_key()),
            sign=sign_with(key),
            now=NOW,
        )


class ReferenceSite:
    """Everything the file is made of; ``config`` may be changed before it is written."""

    def __init__(self) -> None:
        self.vendor = Authority("Vendor CA")
        self.other = Authority("Other CA")
        self.pinned = Authority("Pinned domain")
        self.anchor = Authority("Trust anchor")
        self.owner_key = generate_key(KeyKind.RSA_2048)
        self.idevid_key = generate_key(KeyKind.P256)
        self.tpm_key = ec.generate_private_key(ec.SECP256R1()).public_key()
        self.config = ref.Config(
            server_address="127.0.0.1",
            server_port="15006",
            trust_anchor=ref.CertKeyPair(
                cert=text(self.anchor.der), key=text(key_der(self.anchor.key))
            ),
            owner_certificate=ref.CertKeyPair(
                cert=text(
                    self.pinned.issue(CertificateProfile.OWNER, self.owner_key, "Bootz owner")
                ),
                key=text(key_der(self.owner_key)),
            ),
            vendor_ca_certs=[text(self.vendor.der), text(self.other.der)],
            test_mode=True,
        )
        fixed = self.config.chassis.add(
            manufacturer="Acme",
            hostname="r1",
            boot_mode=bootz_pb2.BOOT_MODE_SECURE,
            boot_password_hash="$6$hashed",
            intended_image=bootz_pb2.SoftwareImage(
                name="xr",
                version="7.11",
                url="http://192.0.2.1/nowhere",
                os_image_hash=hashlib.sha256(IMAGE).hexdigest(),
                hash_algorithm="ietf-sztp-conveyed-info:sha-256",
            ),
            boot_config=bootz_pb2.BootConfig(
                vendor_config=b"hostname {{ not a template }}\n{% neither %}\n{# nor #}\n"
            ),
            credentials=bootz_pb2.Credentials(),
        )
        fixed.boot_config.metadata["note"] = "{{ kept }}"
        card = self.card("FX1")
        card.idevid.cert = text(self.idevid("FX1"))
        card.idevid.key = text(key_der(self.idevid_key))
        fixed.control_cards.append(card)
        modular = self.config.chassis.add(
            manufacturer="Other", streaming_supported=True, skip_idevid_serial_validation=True
        )
        for serial, kind in (("RP0", attestz_pb2.KEY_EK), ("RP1", attestz_pb2.KEY_PPK)):
            card = self.card(serial, self.other)
            card.public_key = text(
                self.tpm_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            )
            card.public_key_type = kind
            modular.control_cards.append(card)

    def idevid(self, serial: str) -> bytes:
        return self.vendor.issue(
            CertificateProfile.IDEVID, self.idevid_key, "router", f"PID:X SN:{serial}"
        )

    def card(self, serial: str, vendor: Authority | None = None) -> ref.ControlCard:
        voucher = (vendor or self.vendor).voucher(serial, self.pinned.der)
        return ref.ControlCard(serial_number=serial, ownership_voucher=text(voucher))

    def secrets(self) -> tuple[bytes, ...]:
        return tuple(key_der(key) for key in (self.anchor.key, self.owner_key, self.idevid_key))

    def write(self, folder: Path) -> Path:
        path = folder / "config.textproto"
        path.write_text(f"# a remark\n{text_format.MessageToString(self.config)}")
        return path
