"""``bootz://`` addresses."""

from fuzz.laws import text_of

from bootz.wire.uri import parse_bootz_uri


def enter(data: bytes) -> None:
    uri = parse_bootz_uri(text_of(data))
    assert parse_bootz_uri(str(uri)) == uri
