"""Which key files a site uses: one list, replaced as a whole.

    keys/keyring.json               the list; what is not in it does not count
    keys/pinned-domain/1.pem .key   the certificate that vouchers pin (the key may be elsewhere)
    keys/owner/1.pem .key           owner certificate, then those between it and the pinned one
    keys/owner/2.pem .key           perhaps a P-256 one beside it
    keys/trust-anchor/2.pem .key    the server's trust anchor
    keys/trust-anchor/2.cross.pem   the same key, certified by the anchor before it
    keys/tls/7.pem .key             the server's TLS chain

A change writes files under new numbers first and the list last, so that a crash at any point
leaves either the old keys or the new ones.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bootz.errors import ConfigError, Unavailable
from bootz.keystore.files import (
    PrivateKey,
    atomic_write,
    load_certificates,
    load_private_key,
    sync_folder,
    write_certificates,
    write_private_key,
)
from bootz.server.key_roles import KeyRole as KeyRole

KEYRING_NAME: Final = "keyring.json"

_LOCK_NAME: Final = ".lock"
_MAX_KEYRING_BYTES: Final = 64 << 10
_NUMBERED: Final = re.compile(r"([0-9]{1,9})\.(?:cross\.pem|pem|key)")


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys in use, each as ``role/number``.

    ``trust_anchors`` has the present one first, then earlier ones that devices may still hold.
    Owner and pinned domain are None where the settings name keys that are kept elsewhere.
    ``owner_key`` is a PKCS#11 URI, or the path of an encrypted file that ``owner_passphrase_file``
    opens; None where the key lies beside the owner certificate. ``owner_p256`` and its two are a
    second owner certificate, for routers that verify P-256; None where all get the first.
    ``tls_brought`` tells a TLS certificate that the operator chose from one that was issued here
    and may be issued again.
    """

    trust_anchors: tuple[str, ...]
    tls: str
    pinned_domain: str | None = None
    owner: str | None = None
    owner_key: str | None = None
    owner_passphrase_file: str | None = None
    owner_p256: str | None = None
    owner_p256_key: str | None = None
    owner_p256_passphrase_file: str | None = None
    tls_brought: bool = False

    @property
    def names(self) -> frozenset[str]:
        """All that are in use."""
        single = (self.tls, self.pinned_domain, self.owner, self.owner_p256)
        return frozenset((*self.trust_anchors, *(name for name in single if name)))


_Name = Annotated[str, Field(pattern=r"^(pinned-domain|owner|trust-anchor|tls)/[0-9]{1,9}$")]


class _KeyringFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    trust_anchors: tuple[_Name, ...] = Field(min_length=1)
    tls: _Name
    pinned_domain: _Name | None = None
    owner: _Name | None = None
    owner_key: str | None = None
    owner_passphrase_file: str | None = None
    owner_p256: _Name | None = None
    owner_p256_key: str | None = None
    owner_p256_passphrase_file: str | None = None
    tls_brought: bool = False


class Keys:
    """The key files of one site."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self) -> Keyring:
        """Return what is in use.

        Raises:
            ConfigError: the list is missing or damaged.
        """
        path = self.folder / KEYRING_NAME
        try:
            with path.open("rb") as file:
                content = file.read(_MAX_KEYRING_BYTES)
            read = _KeyringFile.model_validate_json(content)
        except OSError as error:
            raise ConfigError(
                "keyring-damaged", f"cannot be read: {error.strerror}", where=str(path)
            ) from error
        except ValidationError as error:
            raise ConfigError("keyring-damaged", "is malformed", where=str(path)) from error
        return Keyring(**dict(read))

    def write(self, keyring: Keyring) -> None:
        """Put a list in force, and remove what is no longer needed.

        What the list before names is kept, because a server may be about to load it; the key of
        an earlier trust anchor goes at once: nothing is signed with it again.

        Raises:
            Unavailable: the list cannot be written; then nothing has changed.
        """
        before = self._names_before()
        model = _KeyringFile(**asdict(keyring))
        content = model.model_dump_json(indent=1, exclude_defaults=True).encode() + b"\n"
        atomic_write(self.folder / KEYRING_NAME, content, mode=0o600)
        for name in keyring.trust_anchors[1:]:
            self.path(name, "key").unlink(missing_ok=True)
        for role in KeyRole:
            kept = _numbers(keyring.names | before, role)
            for number, path in self._numbered(role):
                if kept and number not in kept:
                    path.unlink(missing_ok=True)

    def _names_before(self) -> frozenset[str]:
        """Return what the list in force names; nothing where there is none that can be read."""
        try:
            return self.read().names
        except ConfigError:
            return frozenset()

    def drop_unlisted(self, keyring: Keyring) -> None:
        """Remove files that were stored for a change that was not made."""
        for role in KeyRole:
            newest = max(_numbers(keyring.names, role), default=0)
            for number, path in self._numbered(role):
                if number > newest:
                    path.unlink(missing_ok=True)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock under which lists are read, thought over, and replaced.

        Raises:
            Unavailable: the folder cannot be written.
        """
        path = self.folder / _LOCK_NAME
        try:
            opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                "file-unwritable", f"cannot be written: {error.strerror}", where=str(path)
            ) from error
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            yield
        finally:
            os.close(opened)

    def store(
        self,
        role: KeyRole,
        certificates: Sequence[bytes],
        key: PrivateKey | None = None,
        *,
        cross: bytes | None = None,
    ) -> str:
        """Write files under the next number and return its name; it is not yet in use.

        Raises:
            Unavailable: they cannot be written.
        """
        folder = self.folder / role.value
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            sync_folder(self.folder)
        except OSError as error:
            raise Unavailable(
                "file-unwritable", f"cannot be made: {error.strerror}", where=str(folder)
            ) from error
        number = max((number for number, _ in self._numbered(role)), default=0) + 1
        name = f"{role.value}/{number}"
        if key is not None:
            write_private_key(self.path(name, "key"), key)
        if cross is not None:
            write_certificates(self.path(name, "cross.pem"), [cross])
        write_certificates(self.path(name, "pem"), certificates)
        return name

    def path(self, name: str, suffix: str) -> Path:
        """Return the path of a file of a name."""
        return self.folder / f"{name}.{suffix}"

    def certificates(self, name: str) -> tuple[bytes, ...]:
        """Return the certificates of a name, DER.

        Raises:
            ConfigError: they cannot be read.
        """
        return load_certificates(self.path(name, "pem"))

    def has_key(self, name: str) -> bool:
        """Tell whether the private key is kept here."""
        return os.path.lexists(self.path(name, "key"))

    def private_key(self, name: str) -> PrivateKey:
        """Return the private key of a name.

        Raises:
            ConfigError: it is missing, or not protected.
        """
        return load_private_key(self.path(name, "key"))

    def path_to_old_anchors(self, trust_anchors: Sequence[str]) -> tuple[bytes, ...]:
        """Return the certificates that lead from the present trust anchor to the earlier ones.

        Raises:
            ConfigError: one cannot be read.
        """
        return tuple(
            load_certificates(self.path(name, "cross.pem"))[0] for name in trust_anchors[:-1]
        )

    def _numbered(self, role: KeyRole) -> tuple[tuple[int, Path], ...]:
        folder = self.folder / role.value
        if not folder.is_dir():
            return ()
        return tuple(
            (int(match[1]), path)
            for path in folder.iterdir()
            if (match := _NUMBERED.fullmatch(path.name))
        )


def _numbers(names: frozenset[str], role: KeyRole) -> frozenset[int]:
    """Return the numbers of a role among names."""
    split = (name.split("/") for name in names)
    return frozenset(int(number) for folder, number in split if folder == role.value)


def with_tls(keyring: Keyring, tls: str, *, brought: bool = False) -> Keyring:
    """Return the list with another TLS certificate, ``brought`` by the operator or issued here."""
    return replace(keyring, tls=tls, tls_brought=brought)
