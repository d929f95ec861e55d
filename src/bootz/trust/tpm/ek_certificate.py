"""The certificate of an endorsement key, as a TPM's NV index or a manufacturer hands it out.

Source: TCG EK Credential Profile for TPM Family 2.0, section 2.2.1.4 (the NV index may be larger
than the certificate in it).
"""

from typing import Final

from cryptography import x509

from bootz.trust.asn1 import SEQUENCE, Asn1Error, Reader
from bootz.trust.certificate_form import UNREADABLE, CertificateError, pem_blocks

MAX_PADDED: Final = 16 << 10
"""Bytes, with padding and CAs; NV indices have some kilobytes at most."""

_PADDING: Final = (b"\xff", b"\x00")


def read_ek_certificates(data: bytes) -> tuple[bytes, ...]:
    """Return an EK's certificate (DER), and the CAs that came behind it.

    Args:
        data: PEM, the EK's first; or DER, one certificate behind the other, filled up with 0xFF
            or with 0x00 to the size of an NV index.

    Raises:
        CertificateError: ``certificate-malformed``: no certificate, or something else behind it.
    """
    if len(data) > MAX_PADDED:
        raise _malformed(f"longer than {MAX_PADDED} bytes")
    try:
        if data.lstrip().startswith(b"-----"):
            found = pem_blocks(data.decode("ascii"))
        else:
            found = _cut(data)
        for der in found:
            # Not load_certificate: an EK's key may be of a kind that only TPMs know.
            x509.load_der_x509_certificate(der)
    except (Asn1Error, *UNREADABLE) as error:
        raise _malformed(" ".join(str(error).split())[:200]) from error
    return found


def _cut(data: bytes) -> tuple[bytes, ...]:
    reader = Reader(data)
    found = [reader.take(SEQUENCE).raw]
    while (left := data[sum(map(len, found)) :]) and not _is_padding(left):
        found.append(Reader(left).take(SEQUENCE).raw)
    return tuple(found)


def _is_padding(left: bytes) -> bool:
    return any(not left.strip(octet) for octet in _PADDING)


def _malformed(detail: str) -> CertificateError:
    return CertificateError(
        "certificate-malformed",
        f"not an EK certificate: {detail}",
        expected="a DER certificate, filled up with 0xFF or 0x00 at most",
    )
