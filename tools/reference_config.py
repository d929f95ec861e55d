"""Write what `bootz conformance server --material` lists as a configuration of the Go reference.

    python tools/reference_config.py MATERIAL SITE ADDRESS:PORT > bootz.textproto

SITE is the folder of a site of this program: its trust anchor signs the reference's certificate,
its owner key what the reference answers; its pinned domain certificate is that of MATERIAL.
How the reference is started with the file: docs/conformance.md#the-go-reference.
"""

import base64
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from google.protobuf import text_format

from bootz.trust.certificates import parse_certificates
from bootz.wire.generated import attestz_pb2, bootz_pb2
from bootz.wire.generated import reference_config_pb2 as reference

MODES = {
    "secure": bootz_pb2.BOOT_MODE_SECURE,
    "insecure": bootz_pb2.BOOT_MODE_INSECURE,
}
KINDS = {"ek": attestz_pb2.KEY_EK, "ppk": attestz_pb2.KEY_PPK}


def text(data: bytes) -> str:
    """Return bytes as the reference's file has them."""
    return base64.b64encode(data).decode()


def pair(folder: Path) -> reference.CertKeyPair:
    """Return the certificate and the key of a role of a site."""
    key = load_pem_private_key((folder / "1.key").read_bytes(), None)
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    certificate = parse_certificates((folder / "1.pem").read_bytes())[0]
    return reference.CertKeyPair(cert=text(certificate), key=text(plain))


def card(
    material: Path, listed: dict[str, str | None], device: str | None
) -> reference.ControlCard:
    """Return a card; the reference has one TPM key for it, so that of the device's identity."""
    made = reference.ControlCard(serial_number=listed["serial_number"] or "")
    if voucher := listed["voucher"]:
        made.ownership_voucher = text((material / voucher).read_bytes())
    name = "ppk" if device == "ppk" else "ek"
    if key := listed[name]:
        public = load_pem_public_key((material / key).read_bytes())
        form = PublicFormat.SubjectPublicKeyInfo
        made.public_key = text(public.public_bytes(Encoding.DER, form))
        made.public_key_type = KINDS[name]
    return made


def write(material: Path, site: Path, address: str) -> str:
    """Return the configuration."""
    inventory = json.loads((material / "inventory.json").read_text())
    config = reference.Config(
        server_address=address,
        trust_anchor=pair(site / "keys/trust-anchor"),
        owner_certificate=pair(site / "keys/owner"),
    )
    for vendor in inventory["vendors"]:
        anchors = parse_certificates((material / vendor["ca"]).read_bytes())
        config.vendor_ca_certs.extend(text(anchor) for anchor in anchors)
    devices = {serial: device for device, serial in inventory["devices"].items()}
    for listed in inventory["chassis"]:
        config.chassis.add(
            manufacturer=listed["vendor"],
            hostname=listed["serial_number"].lower(),
            boot_mode=MODES[listed["boot_mode"]],
            streaming_supported=listed["streaming"],
            boot_config=bootz_pb2.BootConfig(vendor_config=b"hostname conformance\n"),
            control_cards=[
                card(material, each, devices.get(each["serial_number"])) for each in listed["cards"]
            ],
        )
    return text_format.MessageToString(config)


if __name__ == "__main__":
    sys.stdout.write(write(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
