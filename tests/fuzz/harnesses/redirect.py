"""The redirect option (DHCP 143 and 136)."""

from bootz.errors import ConfigError
from bootz.wire.redirect import RedirectShape, decode_redirect, encode_redirect


def enter(data: bytes) -> None:
    found = decode_redirect(data)
    strict = decode_redirect(data, strict=True)
    assert set(strict.uris) <= set(found.uris) or not found.uris
    for shape in (RedirectShape.RFC8572, RedirectShape.U8, RedirectShape.TEXT):
        try:
            written = encode_redirect(found.uris, shape)
        except ConfigError:
            continue
        assert decode_redirect(written).uris == found.uris
