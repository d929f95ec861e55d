"""The redirect option's payload: worked bytes, every malformed form, and no surprises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.errors import ConfigError
from bootz.wire.redirect import (
    MAX_URIS,
    Redirect,
    RedirectFlaw,
    RedirectShape,
    decode_redirect,
    encode_redirect,
)
from bootz.wire.uri import BootzUri, parse_bootz_uri

U1 = b"bootz://10.0.0.1:15006"
U2 = b"bootz://[2001:db8::1]:15006"
FIRST, SECOND = parse_bootz_uri(U1.decode()), parse_bootz_uri(U2.decode())
L1, L2 = b"\x00\x16", b"\x00\x1b"


def framed(uri: bytes) -> bytes:
    return len(uri).to_bytes(2, "big") + uri


@pytest.mark.parametrize(
    ("payload", "shape", "uris"),
    [
        (L1 + U1, RedirectShape.RFC8572, [FIRST]),
        (L1 + U1 + L2 + U2, RedirectShape.RFC8572, [FIRST, SECOND]),
        (L2 + U2 + L1 + U1, RedirectShape.RFC8572, [SECOND, FIRST]),
        (U1, RedirectShape.TEXT, [FIRST]),
        (U2 + b"\x00", RedirectShape.TEXT, [SECOND]),
        (U1 + b", " + U2 + b"\n", RedirectShape.TEXT, [FIRST, SECOND]),
        (b"\x16" + U1, RedirectShape.U8, [FIRST]),
        (b"\x16" + U1 + b"\x1b" + U2, RedirectShape.U8, [FIRST, SECOND]),
    ],
)
def test_shapes_in_the_field(payload: bytes, shape: RedirectShape, uris: list[BootzUri]) -> None:
    assert decode_redirect(payload) == Redirect(shape, tuple(uris))


def test_text_of_99_octets_is_text() -> None:
    text = (U1 + b"/" + b"x" * 200)[:99]
    assert text[0] == len(text) - 1  # what makes it look like one short entry
    assert decode_redirect(text).shape is RedirectShape.TEXT


def test_comma_inside_a_uri_does_not_split_it() -> None:
    (uri,) = decode_redirect(U1 + b"/a,b?c,d").uris
    assert uri.endpoint == "/a,b?c,d"


@pytest.mark.parametrize("between", [b",", b" ", b", ", b" , ", b"   "])
def test_text_is_split_where_another_uri_follows(between: bytes) -> None:
    assert decode_redirect(U1 + between + U2 + b" \x00") == Redirect(
        RedirectShape.TEXT, (FIRST, SECOND)
    )


def test_a_comma_at_the_end_of_a_uri_in_text_is_its_own() -> None:
    first, _ = decode_redirect(U1 + b"/,," + U2).uris
    assert first.endpoint == "/,"


@pytest.mark.parametrize(
    ("payload", "flaw", "kept"),
    [
        (b"", "empty", 0),
        (b"\x00", "truncated", 0),
        (b"\x00\x16", "truncated", 0),
        (L1 + U1[:19], "truncated", 0),
        (L1 + U1 + L2 + b"boot", "truncated", 1),
        (L1 + U1 + b"\x00", "truncated", 1),
        (b"\x01\x16" + U1, "truncated", 0),
        (b"\x16\x00" + U1, "truncated", 0),
        (b"\x00\x10" + U1, "truncated", 1),
        (b"\x00\x00" + L1 + U1, "zero-length", 1),
        (b"\x00\x00", "zero-length", 0),
        (framed(b"bootz://\xff\xfe"), "not-ascii", 0),
        (framed("bootz://bücher".encode()), "not-ascii", 0),
        (framed(U1 + b"\n") + L2 + U2, "bad-char", 1),
        (framed(b"https://10.0.0.1:443") + L1 + U1, "wrong-scheme", 1),
        (framed(b"bootz://"), "bad-host", 0),
        (framed(b"bootz://2001:db8::1:15006"), "bad-host", 0),
        (framed(b"bootz://[fe80::1%25eth0]"), "bad-host", 0),
        (framed(b"bootz://300.1.1.1"), "bad-host", 0),
        (framed(b"bootz://h:"), "bad-port", 0),
        (framed(b"bootz://h:0"), "bad-port", 0),
        (framed(b"bootz://h:70000"), "bad-port", 0),
        (framed(b"bootz://u:p@h"), "userinfo", 0),
        (framed(b"bootz://h/#x"), "fragment", 0),
        (framed(b"bootz://h/" + b"x" * 2048), "too-long", 0),
        (L1 + U1 + L1 + U1, "duplicate", 1),
        (b"".join(framed(b"bootz://h%d" % n) for n in range(17)), "too-many", 16),
        (b"\x00" * 8193, "too-long", 0),
        (bytes(range(64)), "truncated", 0),
    ],
)
def test_malformed(payload: bytes, flaw: str, kept: int) -> None:
    redirect = decode_redirect(payload)
    assert len(redirect.uris) == kept
    assert RedirectFlaw(flaw) in {entry.flaw for entry in redirect.ignored}


@pytest.mark.parametrize("payload", [U1, b"\x16" + U1, L1 + U1 + b"\x00", b"\x00\x10" + U1])
def test_strict_reading_takes_the_exact_list_only(payload: bytes) -> None:
    assert decode_redirect(payload).uris
    assert decode_redirect(payload, strict=True).uris == ()
    assert decode_redirect(L1 + U1, strict=True).uris == (FIRST,)


def test_written_bytes_are_the_worked_ones() -> None:
    assert encode_redirect([FIRST, SECOND]) == L1 + U1 + L2 + U2
    assert encode_redirect([FIRST], RedirectShape.U8) == b"\x16" + U1
    assert encode_redirect([FIRST, SECOND], RedirectShape.TEXT) == U1 + b"," + U2


@pytest.mark.parametrize(
    ("uris", "shape"),
    [
        ([], RedirectShape.RFC8572),
        ([FIRST] * (MAX_URIS + 1), RedirectShape.RFC8572),
        ([BootzUri("h", endpoint="/" + "x" * 300)], RedirectShape.U8),
        ([BootzUri("h", endpoint="/" + "x" * 2040)], RedirectShape.RFC8572),
        ([BootzUri(f"h{n}", endpoint="/" + "x" * 1000) for n in range(9)], RedirectShape.TEXT),
        ([FIRST], RedirectShape.EMPTY),
        ([BootzUri("h", endpoint="/a,bootz://x")], RedirectShape.TEXT),
    ],
)
def test_what_cannot_be_written_is_refused(uris: list[BootzUri], shape: RedirectShape) -> None:
    with pytest.raises(ConfigError) as caught:
        encode_redirect(uris, shape)
    assert caught.value.reason == "redirect-unwritable"


HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,20}(\.[a-z][a-z0-9]{0,20}){0,2}", fullmatch=True)
URIS = st.builds(
    BootzUri, HOSTS, st.integers(1, 65535), st.from_regex(r"(/[a-z,]{0,40})?", fullmatch=True)
)


@given(
    st.lists(URIS, min_size=1, max_size=MAX_URIS, unique=True),
    st.sampled_from([RedirectShape.RFC8572, RedirectShape.U8, RedirectShape.TEXT]),
)
def test_what_is_written_is_read_again(uris: list[BootzUri], shape: RedirectShape) -> None:
    redirect = decode_redirect(encode_redirect(uris, shape))
    assert redirect == Redirect(shape, tuple(uris))


@given(st.binary(max_size=400) | st.binary(max_size=60).map(lambda tail: L1 + U1 + tail))
def test_no_payload_ever_raises_and_bounds_hold(payload: bytes) -> None:
    redirect = decode_redirect(payload)
    assert len(redirect.uris) <= MAX_URIS
    assert len(set(redirect.uris)) == len(redirect.uris)
    assert redirect.uris or redirect.ignored
    assert set(decode_redirect(payload, strict=True).uris) <= set(redirect.uris)
