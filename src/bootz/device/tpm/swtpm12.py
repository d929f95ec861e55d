"""A real TPM 1.2: its EK is made in it and never leaves it; AIKs live for one challenge."""

import secrets
import threading
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from bootz.device.tpm.commands12 import SECRET_BYTES, Commands12, Secrets
from bootz.device.tpm.swtpm import running
from bootz.keystore.files import atomic_write
from bootz.keystore.protected import read_protected
from bootz.trust.tpm.tpm12 import pubkey_digest

_SECRETS = "secrets"


class SwtpmTpm12:
    """A TPM 1.2 whose state is a folder; beside it a file (0600) with its owner's secrets.

    The TPM runs while one call of these lasts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    @classmethod
    def manufacture(cls, folder: Path) -> "SwtpmTpm12":
        """Make a TPM with an EK and an owner in an empty folder.

        Raises:
            Unavailable: the TPM does not do it.
        """
        known = secrets.token_bytes(3 * SECRET_BYTES)
        # First, so that a TPM never has an unknown owner.
        atomic_write(folder / _SECRETS, known, mode=0o600)
        with running(folder, tpm2=False) as process:
            commands = Commands12(process, secrets.token_bytes)
            commands.enable()
            commands.take_ownership(commands.create_endorsement_key(), _split(known))
        return cls(folder)

    def public_key(self) -> rsa.RSAPublicKey:
        """Return the public part of the EK."""
        with self._lock, running(self._folder, tpm2=False) as process:
            return Commands12(process, secrets.token_bytes).read_ek(self._secrets().owner)

    def make_identity(self) -> tuple[bytes, bytes]:
        """Make an AIK; return its TPM_KEY and the SHA-1 of its TPM_PUBKEY."""
        with self._lock, running(self._folder, tpm2=False) as process:
            commands = Commands12(process, secrets.token_bytes)
            aik, modulus = commands.make_identity(self._secrets())
        return aik, pubkey_digest(modulus)

    def activate(self, aik: bytes, blob: bytes) -> bytes:
        """Open a blob that was made for this EK and AIK; return the TPM_SYMMETRIC_KEY."""
        known = self._secrets()
        with self._lock, running(self._folder, tpm2=False) as process:
            commands = Commands12(process, secrets.token_bytes)
            handle = commands.load_key(aik, known.srk)
            # The TPM forgets the key when it ends.
            return commands.activate_identity(handle, blob, known)

    def _secrets(self) -> Secrets:
        return _split(read_protected(self._folder / _SECRETS))


def _split(known: bytes) -> Secrets:
    size = SECRET_BYTES
    return Secrets(known[:size], known[size : 2 * size], known[2 * size : 3 * size])
