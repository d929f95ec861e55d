"""PKCS #7 as a bag of certificates: how Windows, Java and OpenSSL export a CA with its chain.

Such a file is a SignedData that signs nothing (RFC 5652 section 5.2, the degenerate case). Whatever
is signed in it is not judged: as in PEM, only the certificates are taken.
"""

from typing import Final

from bootz.trust.asn1 import (
    OBJECT_IDENTIFIER,
    SEQUENCE,
    SET,
    Asn1Error,
    BerError,
    normalise,
    read_one,
)

_SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")
_EXPLICIT: Final = 0xA0
_CERTIFICATES: Final = 0xA0


def is_pkcs7(data: bytes) -> bool:
    """Tell a ContentInfo with a SignedData from a certificate; both begin with a SEQUENCE."""
    # Tag and length of the SEQUENCE take at most six bytes; a certificate goes on with another one.
    return data[:1] == b"\x30" and b"\x06\x09" + _SIGNED_DATA in data[:18]


def certificates_in_pkcs7(data: bytes) -> tuple[bytes, ...]:
    """Return the DER of each certificate in a PKCS #7 (DER, or BER), in order.

    Raises:
        Asn1Error: not a SignedData.
    """
    try:
        return _read(data)
    except BerError:
        return _read(normalise(data))


def _read(data: bytes) -> tuple[bytes, ...]:
    outer = read_one(data, SEQUENCE).children()
    if outer.take(OBJECT_IDENTIFIER).content != _SIGNED_DATA:
        raise Asn1Error("another content type than signed-data")
    explicit = outer.take(_EXPLICIT).children()
    outer.end()
    fields = explicit.take(SEQUENCE).children()
    explicit.end()
    fields.take_any().integer()
    fields.take(SET)
    fields.take(SEQUENCE)
    bag = fields.take_if(_CERTIFICATES)
    for _ in fields.rest():
        pass
    if bag is None:
        return ()
    return tuple(each.raw for each in bag.children().rest() if each.tag == SEQUENCE)
