"""Loading a key by its name: a file, or a PKCS#11 URI."""

from pathlib import Path

from bootz.keystore.files import load_private_key
from bootz.keystore.pkcs11_uri import SCHEME as PKCS11_SCHEME
from bootz.keystore.signer import BlockingSigner, FileSigner


def load_signer(key: str, *, passphrase_file: Path | None = None) -> BlockingSigner:
    """Return the signer for a key file or a PKCS#11 URI.

    Raises:
        ConfigError: it cannot be loaded.
        Unavailable: the token does not answer.
    """
    if key.startswith(PKCS11_SCHEME):
        # Here, because the library of the extra need not be installed for key files.
        from bootz.keystore.pkcs11 import Pkcs11Signer

        return Pkcs11Signer.from_uri(key)
    return FileSigner(load_private_key(Path(key), passphrase_file=passphrase_file))
