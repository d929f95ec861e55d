"""A SoftHSM token of our own; the test fails where the library is not installed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pkcs11
from pkcs11.util.ec import encode_named_curve_parameters

LIBRARY = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "0000-user"


class SoftToken:
    """A token in a folder. SOFTHSM2_CONF is read when the library is initialised."""

    def __init__(self, folder: Path, label: str = "owner", pin: str = PIN) -> None:
        self.folder = folder
        self.label = label
        self.pin = pin
        self.store = folder / "tokens"
        self.store.mkdir(parents=True)
        configuration = folder / "softhsm2.conf"
        configuration.write_text(f"directories.tokendir = {self.store}\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(configuration)
        self.pin_file = folder / "pin"
        self.write_pin(pin)
        subprocess.run(
            [
                *("softhsm2-util", "--init-token", "--free", "--label", label),
                *("--pin", pin, "--so-pin", "0000-so"),
            ],
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )

    def write_pin(self, pin: str) -> None:
        self.pin_file.write_text(pin + "\n")
        self.pin_file.chmod(0o600)

    def make_rsa(self, key: str) -> None:
        """Make a key pair, RSA-2048, that stays in the token."""
        library = pkcs11.lib(str(LIBRARY))
        library.reinitialize()
        with library.get_token(token_label=self.label).open(rw=True, user_pin=self.pin) as session:
            session.generate_keypair(pkcs11.KeyType.RSA, 2048, label=key, store=True)

    def make_ec(self, key: str, curve: str) -> None:
        """Make a key pair on a named curve that stays in the token."""
        library = pkcs11.lib(str(LIBRARY))
        library.reinitialize()
        with library.get_token(token_label=self.label).open(rw=True, user_pin=self.pin) as session:
            parameters = session.create_domain_parameters(
                pkcs11.KeyType.EC,
                {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curve)},
                local=True,
            )
            parameters.generate_keypair(label=key, store=True)

    def uri(self, key: str) -> str:
        return (
            f"pkcs11:token={self.label};object={key}"
            f"?module-path={LIBRARY}&pin-source=file:{self.pin_file}"
        )
