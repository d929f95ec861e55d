"""Key files: only their owner can read them, and nothing is half written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from pki import make_pair

from bootz.errors import BootzError, ConfigError, ConflictError, Unavailable
from bootz.keystore.files import (
    KeyKind,
    atomic_write,
    generate_key,
    load_certificates,
    load_private_key,
    write_certificates,
    write_private_key,
)
from bootz.keystore.protected import MAX_SECRET_BYTES, read_protected, read_secret

KEY = generate_key(KeyKind.P256)


def pem(key: object, passphrase: bytes | None = None) -> bytes:
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)  # type: ignore[attr-defined]


def secret(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refusal(path: Path, **options: Path) -> BootzError:
    with pytest.raises(BootzError) as caught:
        load_private_key(path, **options)
    return caught.value


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_key_is_written_for_its_owner_alone_and_read_again(tmp_path: Path, kind: KeyKind) -> None:
    path = tmp_path / "a.key"
    key = generate_key(kind)
    write_private_key(path, key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_private_key(path).public_key() == key.public_key()
    assert names(tmp_path) == ["a.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666, 0o610])
def test_a_key_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = secret(tmp_path / "a.key", pem(KEY), mode)
    error = refusal(path)
    assert error.reason == "key-permissions"
    assert f"{mode:04o}" in error.seen


def test_a_folder_in_which_others_can_replace_it_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    path = secret(folder / "a.key", pem(KEY))
    folder.chmod(0o777)
    assert refusal(path).reason == "key-permissions"
    # In a sticky one others cannot.
    folder.chmod(0o1777)
    load_private_key(path)


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder", "missing", "huge"])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.key"
    match kind:
        case "link":
            path.symlink_to(secret(tmp_path / "b.key", pem(KEY)))
        case "dangling":
            path.symlink_to(tmp_path / "nothing")
        case "pipe":
            os.mkfifo(path, 0o600)
        case "folder":
            path.mkdir(mode=0o700)
        case "huge":
            secret(path, b"x" * (MAX_SECRET_BYTES + 1))
        case _:
            pass
    wanted = {"missing": "key-missing", "huge": "key-malformed"}.get(kind, "key-permissions")
    assert refusal(path).reason == wanted


def test_an_encrypted_key_needs_its_passphrase(tmp_path: Path) -> None:
    path = secret(tmp_path / "a.key", pem(KEY, b"right"))
    right, wrong = secret(tmp_path / "right", b"right\n"), secret(tmp_path / "wrong", b"wrong")
    assert load_private_key(path, passphrase_file=right).public_key() == KEY.public_key()
    assert refusal(path).reason == "key-encrypted"
    error = refusal(path, passphrase_file=wrong)
    assert error.reason == "key-encrypted"
    assert "wrong" not in str(error).replace(str(path), "")
    assert refusal(path, passphrase_file=secret(tmp_path / "x", b"", 0o600)).reason == (
        "key-malformed"
    )
    right.chmod(0o644)
    assert refusal(path, passphrase_file=right).reason == "key-permissions"


def test_a_key_that_is_not_encrypted_opens_with_a_passphrase_too(tmp_path: Path) -> None:
    path = secret(tmp_path / "a.key", pem(KEY))
    opened = load_private_key(path, passphrase_file=secret(tmp_path / "any", b"any"))
    assert opened.public_key() == KEY.public_key()


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 1024),
        ec.generate_private_key(ec.SECP256K1()),
    ],
)
def test_a_kind_that_is_not_used_is_refused(tmp_path: Path, key: object) -> None:
    assert refusal(secret(tmp_path / "a.key", pem(key))).reason == "key-kind"


@given(st.binary(max_size=100))
def test_any_content_is_a_key_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = secret(tmp_path_factory.getbasetemp() / "any.key", content)
    assert refusal(path).reason == "key-malformed"


@pytest.mark.parametrize("there", ["file", "dangling"])
def test_a_key_never_replaces_what_is_there(tmp_path: Path, there: str) -> None:
    path = tmp_path / "a.key"
    if there == "file":
        path.write_bytes(b"mine")
    else:
        path.symlink_to(tmp_path / "victim")
    with pytest.raises(ConflictError):
        write_private_key(path, KEY)
    assert not (tmp_path / "victim").exists()
    assert names(tmp_path) == ["a.key"]
    write_private_key(path, KEY, overwrite=True)
    assert not path.is_symlink()
    load_private_key(path)


def test_a_file_is_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "list"
    atomic_write(path, b"old")
    before = path.stat().st_ino
    atomic_write(path, b"new", mode=0o600)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)
    assert path.stat().st_ino != before
    with pytest.raises(Unavailable):
        atomic_write(tmp_path / "nowhere" / "x", b"")
    with pytest.raises(Unavailable):
        atomic_write(tmp_path, b"")
    assert names(tmp_path) == ["list"]


def test_certificates_are_read_as_pem_or_der(tmp_path: Path) -> None:
    one, two = make_pair("one").der, make_pair("two").der
    path = tmp_path / "c"
    write_certificates(path, [one, two])
    assert load_certificates(path) == (one, two)
    path.write_bytes(one)
    assert load_certificates(path) == (one,)
    for content in (b"", b"junk", one[:-1], one + one, b"x" * ((1 << 20) + 1)):
        path.write_bytes(content)
        with pytest.raises(ConfigError) as caught:
            load_certificates(path)
        assert caught.value.reason == "certificate-file-invalid"


def test_a_secret_is_the_first_line(tmp_path: Path) -> None:
    assert read_secret(secret(tmp_path / "pin", b"1234\nremark\n")) == b"1234"
    assert read_protected(tmp_path / "pin") == b"1234\nremark\n"
    with pytest.raises(ConfigError):
        read_secret(secret(tmp_path / "pin", b"\n1234"))
