"""Which URLs and addresses a webhook may have; nothing of one gets into a header."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.server.webhooks.signing import new_secret, parse_secret, secret_text
from bootz.server.webhooks.targets import admitted, parse_target, refused_whatever_is_sent

NETWORKS = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.net/x",
        "ftp://hooks.example.net/",
        "https:///x",
        "https://user:secret@hooks.example.net/",
        "https://hooks.example.net/#part",
        "https://hooks.example.net:99999/",
        "https://hooks.example.net:0/",
        "https://hooks.example.net:x/",
        "https://hooks.example.net/\r\nX-Injected: yes",
        "https://hooks.example.net/\nX-Injected: yes",
        "https://hooks.example.net/ X",
        "https://hooks.example.net/\tx",
        "https://hooks.example.net/\x00",
        "https://höoks.example.net/",
        "https://hooks.example.net\\@evil.example/",
        "https://[::1/",
        "https://" + "a" * 2048 + "/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        # Read as 127.0.0.1 by some programs, as a name by others.
        "https://0177.0.0.1/",
        "https://127.0.0.01/",
        "https://0x7f.0.0.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://127.1/",
        "https://127.0.0.1./",
        "https://0/",
        "https://hooks.example.0x7f/",
        "https://127%2e0.0.1/",
        "https://%31%32%37.0.0.1/",
        "https://loc%61lhost/",
        "https://[::1%lo",
    ],
)
def test_urls_that_are_no_target(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_target(url)


def test_urls_that_are() -> None:
    target = parse_target("https://[2001:db8::1]:8443/a?b=c")
    assert (target.host, target.port, target.plain) == ("2001:db8::1", 8443, False)
    assert parse_target("http://hooks.example.net").port == 80
    assert parse_target("https://hooks.example.net").port == 443
    assert parse_target("https://10.example.net/%2e?a=%20").host == "10.example.net"
    assert parse_target("https://93.184.215.14/").host == "93.184.215.14"
    assert parse_target("https://[fe80::1%25eth0]/").host == "fe80::1%25eth0"


@given(st.text(max_size=80))
def test_no_url_has_what_a_header_could_be_made_of(rest: str) -> None:
    try:
        target = parse_target(f"https://hooks.example.net/{rest}")
    except ValueError:
        return
    assert target.host == "hooks.example.net"
    assert target.url.isascii() and target.url.isprintable() and " " not in target.url


@pytest.mark.parametrize(
    ("address", "tls", "plain"),
    [
        ("93.184.215.14", True, False),
        ("2606:2800:220:1::1", True, False),
        ("10.1.2.3", True, True),
        ("10.2.0.1", False, False),
        ("fd00::1", True, True),
        ("127.0.0.1", False, False),
        ("0.0.0.0", False, False),
        ("169.254.169.254", False, False),
        ("100.64.0.1", False, False),
        ("192.168.1.1", False, False),
        ("198.18.0.1", False, False),
        ("224.0.0.1", False, False),
        ("255.255.255.255", False, False),
        ("::1", False, False),
        ("::", False, False),
        ("fe80::1", False, False),
        ("ff02::1", False, False),
        ("::ffff:127.0.0.1", False, False),
        ("::ffff:10.1.2.3", True, True),
        ("::ffff:93.184.215.14", True, False),
        ("64:ff9b::7f00:1", False, False),
        ("64:ff9b::a9fe:a9fe", False, False),
        ("2002:7f00:1::", False, False),
        ("2002:c0a8:101::1", False, False),
        ("::127.0.0.1", False, False),
        ("::10.1.2.3", True, True),
        ("::ffff:0:127.0.0.1", False, False),
        ("64:ff9b:1::7f00:1", False, False),
        ("64:ff9b:1:1::1", False, False),
        ("2001:0:7f00:1::1", False, False),
    ],
)
def test_addresses(address: str, tls: bool, plain: bool) -> None:
    found = ip_address(address)
    assert admitted(found, NETWORKS, plain=False) is tls
    assert admitted(found, NETWORKS, plain=True) is plain


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_short", "whsec_####", "x" * 200, "whsec_é"])
def test_secrets_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="base64") as caught:
        parse_secret(text)
    assert len(text) < 10 or text not in str(caught.value)


def test_a_secret_comes_back_from_its_text() -> None:
    secret = new_secret()
    assert parse_secret(secret_text(secret)) == secret


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("https://127.0.0.1/", True),
        ("https://[::1]/", True),
        ("https://[::ffff:127.0.0.1]/", True),
        ("https://169.254.169.254/latest", True),
        ("https://192.168.1.1/", True),
        ("https://localhost/", True),
        ("https://LocalHost./", True),
        ("https://hooks.localhost/", True),
        ("http://8.8.8.8/", True),
        ("https://8.8.8.8/", False),
        ("https://10.1.2.3/", False),
        ("http://10.1.2.3/", False),
        # Where a name leads is known when it is resolved.
        ("https://hooks.example.net/", False),
        ("http://hooks.example.net/", False),
    ],
)
def test_what_no_try_could_reach_is_known_at_once(url: str, *, refused: bool) -> None:
    assert refused_whatever_is_sent(parse_target(url), NETWORKS) is refused


def test_settings_decide_what_no_try_could_reach() -> None:
    loopback = (ip_network("127.0.0.0/8"),)
    assert not refused_whatever_is_sent(parse_target("https://localhost/"), loopback)
    assert not refused_whatever_is_sent(parse_target("http://127.0.0.1:8080/"), loopback)
    assert refused_whatever_is_sent(parse_target("http://hooks.example.net/"), ())
