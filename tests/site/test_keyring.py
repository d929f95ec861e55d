"""The list of keys: whole, or refused; and what becomes of files that are in no list."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pki import make_pair

from bootz.errors import ConfigError, Unavailable
from bootz.keystore.files import KeyKind, generate_key
from bootz.server.keys.keyring import KEYRING_NAME, Keyring, KeyRole, Keys

KEY = generate_key(KeyKind.P256)
CERTIFICATE = make_pair("any").der


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    return Keys(folder)


def stored(keys: Keys, role: KeyRole) -> str:
    return keys.store(role, [CERTIFICATE], KEY)


def test_a_list_is_read_as_it_was_written(keys: Keys) -> None:
    whole = Keyring(
        ("trust-anchor/2", "trust-anchor/1"),
        "tls/3",
        "pinned-domain/1",
        "owner/4",
        "pkcs11:token=T;object=O?module-path=/m&pin-source=/p",
        "/secret",
        "owner/6",
        "/p256.key",
        "/p256.secret",
    )
    for keyring in (whole, Keyring(("trust-anchor/1",), "tls/1")):
        keys.write(keyring)
        assert keys.read() == keyring
    assert (keys.folder / KEYRING_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b'{"trust_anchors": [], "tls": "tls/1"}',
        b'{"trust_anchors": ["trust-anchor/1"], "tls": "../../etc/passwd"}',
        b'{"trust_anchors": ["trust-anchor/1"], "tls": "tls/1", "more": 1}',
        b'{"trust_anchors": ["trust-anchor/1"], "tls": "tls/1\\n"}',
        b'{"trust_anchors": ["trust-anchor/1"], "tls": "tls/1"' + b" " * 70_000 + b"}",
    ],
)
def test_a_damaged_list_is_refused(keys: Keys, content: bytes) -> None:
    (keys.folder / KEYRING_NAME).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        keys.read()
    assert caught.value.reason == "keyring-damaged"


@given(st.binary(max_size=60))
def test_any_content_is_a_list_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    keys = Keys(tmp_path_factory.getbasetemp())
    (keys.folder / KEYRING_NAME).write_bytes(content)
    with pytest.raises(ConfigError):
        keys.read()


def test_numbers_are_never_used_again_while_files_are_there(keys: Keys) -> None:
    assert [stored(keys, KeyRole.TLS) for _ in range(3)] == ["tls/1", "tls/2", "tls/3"]


def test_the_generation_before_is_kept_and_older_ones_go(keys: Keys) -> None:
    anchor = stored(keys, KeyRole.TRUST_ANCHOR)
    for _ in range(4):
        keys.write(Keyring((anchor,), stored(keys, KeyRole.TLS)))
    assert sorted(path.name for path in (keys.folder / "tls").iterdir()) == [
        *("3.key", "3.pem", "4.key", "4.pem"),
    ]


def test_an_owner_key_beside_another_is_kept_and_those_before_it_go(keys: Keys) -> None:
    anchor, tls = stored(keys, KeyRole.TRUST_ANCHOR), stored(keys, KeyRole.TLS)
    first = stored(keys, KeyRole.OWNER)
    for _ in range(4):
        keys.write(Keyring((anchor,), tls, owner=first, owner_p256=stored(keys, KeyRole.OWNER)))
    assert sorted(path.name for path in (keys.folder / "owner").glob("*.key")) == [
        *("1.key", "4.key", "5.key"),
    ]


def test_what_was_stored_for_nothing_is_dropped(keys: Keys) -> None:
    keyring = Keyring((stored(keys, KeyRole.TRUST_ANCHOR),), stored(keys, KeyRole.TLS))
    keys.write(keyring)
    stored(keys, KeyRole.TLS)
    stored(keys, KeyRole.OWNER)
    keys.drop_unlisted(keyring)
    assert sorted(str(path.relative_to(keys.folder)) for path in keys.folder.rglob("*.key")) == [
        "tls/1.key",
        "trust-anchor/1.key",
    ]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "nothing")
    with pytest.raises(Unavailable), keys.changing():
        pass
    with pytest.raises(Unavailable):
        stored(keys, KeyRole.TLS)
