"""Files with certificates: PEM, DER, PKCS #7; and the identity that a request carries as text."""

from fuzz.laws import text_of

from bootz.errors import BootzError
from bootz.trust.certificate_form import load_certificate, parse_certificates, pem_from_der
from bootz.trust.idevid import parse_identity_certificate


def enter(data: bytes) -> None:
    try:
        parse_identity_certificate(text_of(data))
    except BootzError:
        pass
    found = parse_certificates(data)
    assert found
    for der in found:
        load_certificate(der)
    assert parse_certificates(pem_from_der(found)) == found
