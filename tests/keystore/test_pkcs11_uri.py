"""PKCS#11 URIs (RFC 7512)."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.errors import ConfigError
from bootz.keystore.pkcs11_uri import TokenKey, parse_key_uri

END = "?module-path=/m.so&pin-source=file:/pin"


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        (f"pkcs11:token=T;object=O{END}", TokenKey(Path("/m.so"), "T", Path("/pin"), "O")),
        (
            f"pkcs11:id=%01%FF;token=My%20Token;type=private;serial=77{END}",
            TokenKey(Path("/m.so"), "My Token", Path("/pin"), None, b"\x01\xff", "77"),
        ),
        (
            "pkcs11:token=T;object=O?pin-source=file:///pin&module-path=/m.so",
            TokenKey(Path("/m.so"), "T", Path("/pin"), "O"),
        ),
        (
            "pkcs11:token=T;object=O?pin-source=/a%20pin&module-path=/m.so",
            TokenKey(Path("/m.so"), "T", Path("/a pin"), "O"),
        ),
    ],
)
def test_a_uri_names_a_key(uri: str, wanted: TokenKey) -> None:
    assert parse_key_uri(uri) == wanted


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "pkcs11:",
        "file:/key.pem",
        f"pkcs11:object=O{END}",
        f"pkcs11:token=T{END}",
        f"pkcs11:token=;object=O{END}",
        f"pkcs11:token=T;object=O;object=P{END}",
        f"pkcs11:token=T;object=O;type=public{END}",
        f"pkcs11:token=T;object=O;model=M{END}",
        f"pkcs11:token=T;object=%zz{END}",
        f"pkcs11:token=T;object=%ff{END}",
        f"pkcs11:token=T;object=O%00{END}",
        "pkcs11:token=T;object=O?module-path=/m.so",
        "pkcs11:token=T;object=O?pin-source=file:/pin",
        "pkcs11:token=T;object=O?module-path=m.so&pin-source=file:/pin",
        "pkcs11:token=T;object=O?module-path=/m.so&pin-source=file:pin",
        "pkcs11:token=T;object=O?module-path=/m.so&pin-source=|/bin/getpin",
        f"pkcs11:token=T;object={'O' * 3000}{END}",
    ],
)
def test_what_names_no_key_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_key_uri(uri)
    assert caught.value.reason == "pkcs11-uri-invalid"


def test_a_pin_in_it_is_refused_and_not_told() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_key_uri("pkcs11:token=T;object=O?module-path=/m.so&pin-value=48151623")
    assert "pin-value" in str(caught.value)
    assert "48151623" not in repr(caught.value)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for uri in (text, f"pkcs11:{text}", f"pkcs11:token=T;object={text}{END}"):
        with contextlib.suppress(ConfigError):
            assert parse_key_uri(uri).token
