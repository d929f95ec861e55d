"""``pkcs11:`` URIs of keys."""

from fuzz.laws import text_of

from bootz.keystore.pkcs11_uri import parse_key_uri


def enter(data: bytes) -> None:
    parse_key_uri(text_of(data))
