"""The stored server data on the router: found in its configuration, its trust anchor on its disk.

Without both the router has no server to ask about a card that comes later (S5). The file system
that the router shows is below its disk: ``/misc`` as ``misc``, everything else as ``rootfs``.
"""

import json
from pathlib import Path

from bootz.device.openconfig import InvalidConfiguration
from bootz.errors import BootzError, ConfigError, WireError
from bootz.keystore.files import atomic_write, load_certificates
from bootz.trust.certificates import parse_certificates, pem_from_der
from bootz.wire import server_data as form
from bootz.wire.server_data import ServerData


def find_server_data(vendor_text: str) -> ServerData | None:
    """Return the stored server data of a vendor configuration; of several the last count.

    Raises:
        InvalidConfiguration: some are malformed.
    """
    try:
        return form.find_server_data(vendor_text)
    except WireError as error:
        raise _invalid(error) from error


def parse_server_line(line: str) -> ServerData:
    """Return the stored server data of a line that a person typed.

    Raises:
        InvalidConfiguration: it is malformed.
    """
    try:
        data = form.parse_server_line(line, "ztp bootz-server")
    except WireError as error:
        raise _invalid(error) from error
    if data is None:
        raise RuntimeError("not a line of the server data")
    return data


def save_anchor(disk: Path, data: ServerData, anchor: bytes) -> None:
    """Write the trust anchor (DER) as the named file, PEM, onto the router's disk.

    Raises:
        InvalidConfiguration: there can be no such file.
    """
    if not data.trust_anchor:
        return
    path = _on(disk, data)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_write(path, pem_from_der([anchor]), mode=0o600)
    except (OSError, BootzError) as error:
        raise InvalidConfiguration(
            "config-ztp-server",
            "the trust anchor cannot be written to the named file",
            where=data.trust_anchor,
            expected="a file in a folder",
        ) from error


def load_anchor(disk: Path, data: ServerData, document: bytes) -> bytes:
    """Return the trust anchor, DER: of the named file, else the one in the configuration.

    Raises:
        ConfigError: the file is missing, or holds no certificate; no file is named and the
            configuration has no trust anchor.
    """
    if not data.trust_anchor:
        anchor = answered_anchor(document)
        if anchor is None:
            raise ConfigError(
                "server-data-anchor",
                "the stored server data name no trust anchor, and no answer has brought one",
                where="ztp bootz-server",
                expected="trust-anchor FILE",
                seen="none",
            )
        return anchor
    try:
        return load_certificates(_on(disk, data))[0]
    except BootzError as error:
        raise ConfigError(
            "server-data-anchor",
            "the trust anchor of the stored server data cannot be read",
            where=data.trust_anchor,
            expected="a certificate in PEM",
            seen=error.reason,
        ) from error


def answered_anchor(document: bytes) -> bytes | None:
    """Return the trust anchor (DER) that the answer behind a configuration brought, if any."""
    pem = json.loads(document).get("server_trust_cert")
    return parse_certificates(pem.encode())[0] if pem else None


def _on(disk: Path, data: ServerData) -> Path:
    path = data.trust_anchor.lstrip("/")
    system, colon, rest = path.partition(":")
    if colon and "/" not in system:
        # disk0:ta.cert, disk0:/ta.cert and /disk0:/ta.cert are one file.
        path = f"{system}:/{rest.lstrip('/')}"
    return disk / path if path.startswith("misc/") else disk / "rootfs" / path


def _invalid(error: WireError) -> InvalidConfiguration:
    return InvalidConfiguration(
        error.reason, error.detail, where=error.where, expected=error.expected, seen=error.seen
    )
