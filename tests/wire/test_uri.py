"""What is a bootz URI, and what is not.

Source: docs/protocol/dhcp.md#the-uri; docs/protocol/dhcp.md#malformed-lists.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.errors import WireError
from bootz.wire.uri import DEFAULT_PORT, parse_bootz_uri


@pytest.mark.parametrize(
    ("text", "host", "port", "endpoint", "normal"),
    [
        ("bootz://10.0.0.1", "10.0.0.1", DEFAULT_PORT, "", "bootz://10.0.0.1:15006"),
        ("bootz://10.0.0.1:443/grpc", "10.0.0.1", 443, "/grpc", "bootz://10.0.0.1:443/grpc"),
        ("BOOTZ://Boot.Example:1?a=b", "boot.example", 1, "?a=b", "bootz://boot.example:1?a=b"),
        ("bootz://[2001:DB8::0:1]", "2001:db8::1", 15006, "", "bootz://[2001:db8::1]:15006"),
        ("bootz://[fe80::1]:65535/x:y", "fe80::1", 65535, "/x:y", "bootz://[fe80::1]:65535/x:y"),
        ("bootz://h/a@b", "h", 15006, "/a@b", "bootz://h:15006/a@b"),
    ],
)
def test_a_uri_is_taken_apart_and_normalised(
    text: str, host: str, port: int, endpoint: str, normal: str
) -> None:
    uri = parse_bootz_uri(text)
    assert (uri.host, uri.port, uri.endpoint) == (host, port, endpoint)
    assert str(uri) == normal
    assert parse_bootz_uri(normal) == uri


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("https://10.0.0.1:443", "uri-wrong-scheme"),
        ("bootz:/10.0.0.1", "uri-wrong-scheme"),
        ("", "uri-wrong-scheme"),
        ("bootz://", "uri-bad-host"),
        ("bootz://:15006", "uri-bad-host"),
        ("bootz://2001:db8::1:15006", "uri-bad-host"),
        ("bootz://[2001:db8::1", "uri-bad-host"),
        ("bootz://[2001:db8::1]x", "uri-bad-host"),
        ("bootz://[fe80::1%eth0]", "uri-bad-host"),
        ("bootz://[10.0.0.1]", "uri-bad-host"),
        ("bootz://300.1.1.1", "uri-bad-host"),
        ("bootz://1.2.3", "uri-bad-host"),
        ("bootz://010.0.0.1", "uri-bad-host"),
        ("bootz://-a.example", "uri-bad-host"),
        ("bootz://a..example", "uri-bad-host"),
        ("bootz://" + "a" * 64, "uri-bad-host"),
        ("bootz://h:", "uri-bad-port"),
        ("bootz://h:0", "uri-bad-port"),
        ("bootz://h:65536", "uri-bad-port"),
        ("bootz://h:+1", "uri-bad-port"),
        ("bootz://h:000001", "uri-bad-port"),
        ("bootz://u:p@h", "uri-userinfo"),
        ("bootz://h/#x", "uri-fragment"),
        ("bootz://h/ x", "uri-bad-char"),
        ("bootz://h\n", "uri-bad-char"),
        ("bootz://bücher", "uri-not-ascii"),
        ("bootz://h/" + "x" * 2048, "uri-too-long"),
    ],
)
def test_what_is_no_uri_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(WireError) as caught:
        parse_bootz_uri(text)
    assert caught.value.reason == reason


@given(st.text(max_size=80) | st.from_regex(r"bootz://[\[\]:.@/?#a-f0-9%-]*", fullmatch=True))
def test_any_text_is_a_uri_with_a_stable_normal_form_or_a_wire_error(text: str) -> None:
    try:
        uri = parse_bootz_uri(text)
    except WireError:
        return
    assert parse_bootz_uri(str(uri)) == uri
    assert 1 <= uri.port <= 65535
    assert uri.host == uri.host.lower()
