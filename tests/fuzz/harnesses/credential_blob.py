"""Credential blobs, as a TPM in software opens them: TPM 2.0 import, TPM 1.2 activation."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key
from fuzz.corpus import material

from bootz.errors import BootzError
from bootz.trust.tpm.tpm12 import open_contents, read_session_key
from bootz.trust.tpm.tpm20 import HmacKey, WrappedKey, unwrap_key


@cache
def _parent() -> RSAPrivateKey:
    key = load_der_private_key(material("parent.der"), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def enter(data: bytes) -> None:
    parts: list[bytes] = []
    at = 0
    for _ in range(2):
        size = int.from_bytes(data[at : at + 2], "big")
        parts.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    for read in (
        lambda: HmacKey.from_sensitive(data),
        lambda: read_session_key(data),
        lambda: open_contents(data, _parent(), bytes(20)),
    ):
        try:
            read()
        except BootzError:
            continue
    unwrap_key(WrappedKey(parts[0], parts[1], data[at:]), _parent())
