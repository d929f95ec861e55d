"""A private key in a PKCS#11 token: it signs there and never leaves it.

The library is called by one thread per process. python-pkcs11 initialises it without arguments,
and PKCS#11 then forbids calls of several threads at once; SoftHSM even switches its locks off. So
several sessions would gain nothing, and one session per token serves all signers.

Source: docs/protocol/pki.md#keys; PKCS #11 v2.40 section 5.4 (C_Initialize) and 5.6 (login is of
the whole process); RFC 8017 section 9.2 (DigestInfo).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeVar, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_der_x509_certificate

from bootz.errors import ConfigError, Unavailable
from bootz.keystore.pkcs11_uri import TokenKey, parse_key_uri
from bootz.keystore.protected import read_secret
from bootz.trust.certificate_form import UNREADABLE
from bootz.trust.keys import PublicKey
from bootz.trust.signature import SignatureError, SignatureScheme, scheme_for, strong_key

try:
    import pkcs11
    from pkcs11 import exceptions as flaws
    from pkcs11.types import Object, Session, SignMixin
    from pkcs11.types import PublicKey as TokenPublicKey
    from pkcs11.util.ec import encode_ec_public_key
    from pkcs11.util.rsa import encode_rsa_public_key
except ImportError as _error:
    raise ConfigError(
        "pkcs11-library-missing", "python-pkcs11 is not installed", where="PKCS#11"
    ) from _error

_SHA256_DIGEST_INFO: Final = bytes.fromhex("3031300d060960864801650304020105000420")

_PIN_REFUSED: Final = (
    flaws.PinIncorrect,
    flaws.PinInvalid,
    flaws.PinLenRange,
    flaws.PinLocked,
    flaws.PinExpired,
    flaws.UserPinNotInitialized,
)

_T = TypeVar("_T")

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib as loaded_lib


class Pkcs11Signer:
    """A key of a token. Fills the port ``BlockingSigner``.

    Args:
        library: the token's PKCS#11 module, an absolute path.
        token_label: the label of the token.
        key_label: the label of the key (CKA_LABEL), or None if ``key_id`` names it.
        pin_file: a file of mode 0600 whose first line is the user PIN.
        key_id: the key's CKA_ID.
        token_serial: tells tokens of one label apart.

    Raises:
        ConfigError: the library cannot be loaded, the PIN is refused, there is no such key or
            none that counts, or the PIN's file does not hold.
        Unavailable: the token is not there or does not answer.
    """

    def __init__(
        self,
        *,
        library: Path,
        token_label: str,
        key_label: str | None,
        pin_file: Path,
        key_id: bytes | None = None,
        token_serial: str | None = None,
    ) -> None:
        self._name = TokenKey(
            library, token_label, pin_file, key_label or None, key_id, token_serial
        )
        if self._name.label is None and self._name.key_id is None:
            raise ConfigError("pkcs11-uri-invalid", "object and id are both missing")
        self._module = _module(str(library))
        self._found: tuple[Session, SignMixin] | None = None
        self._refused: ConfigError | None = None
        self._public_key = self._module.run(self._load)
        self._scheme = scheme_for(self._public_key)

    @classmethod
    def from_uri(cls, uri: str) -> Self:
        """Return the signer for a PKCS#11 URI (RFC 7512).

        Raises:
            ConfigError: ``pkcs11-uri-invalid``, or as for the class.
            Unavailable: as for the class.
        """
        name = parse_key_uri(uri)
        return cls(
            library=name.library,
            token_label=name.token,
            key_label=name.label,
            pin_file=name.pin_file,
            key_id=name.key_id,
            token_serial=name.serial,
        )

    @property
    def scheme(self) -> SignatureScheme:
        """The scheme of its signatures."""
        return self._scheme

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self._public_key

    async def sign(self, data: bytes) -> bytes:
        """Return the signature; the token works while the event loop goes on.

        Raises:
            Unavailable: the token does not sign, even after it was reopened.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._module.thread, self._sign, data)

    def sign_blocking(self, data: bytes) -> bytes:
        """As ``sign``; waits for the token.

        Raises:
            Unavailable: as ``sign``.
        """
        return self._module.run(lambda: self._sign(data))

    def _sign(self, data: bytes) -> bytes:
        if self._refused is not None:
            # Another try with the same PIN could lock the token; a reload makes a new signer.
            raise _unavailable(self._name, "it refused the PIN") from self._refused
        digest = hashes.Hash(self._scheme.hash)
        digest.update(data)
        hashed = digest.finalize()
        try:
            return self._again(lambda: self._sign_digest(hashed))
        except ConfigError as error:
            if isinstance(error.__cause__, _PIN_REFUSED):
                self._refused = error
            raise _unavailable(self._name, error.detail) from error

    def _sign_digest(self, hashed: bytes) -> bytes:
        key = self._key()
        if self._scheme is SignatureScheme.RSA_PKCS1_SHA256:
            # 51 bytes to the token instead of the data, and the same signature bit by bit.
            signed = key.sign(_SHA256_DIGEST_INFO + hashed, mechanism=pkcs11.Mechanism.RSA_PKCS)
            return bytes(signed)
        raw = bytes(key.sign(hashed, mechanism=pkcs11.Mechanism.ECDSA))
        half = len(raw) // 2
        return encode_dss_signature(
            int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
        )

    def _load(self) -> PublicKey:
        return self._again(lambda: _public_half(self._session_with_key(), self._name))

    def _again(self, work: Callable[[], _T]) -> _T:
        """Do something with the token; where it fails, once more with a new session."""
        try:
            return work()
        except flaws.PKCS11Error:
            self._forget()
        try:
            return work()
        except flaws.PKCS11Error as error:
            self._forget()
            raise _unavailable(self._name, type(error).__name__) from error

    def _session_with_key(self) -> Session:
        self._key()
        return self._module.session(self._name)

    def _key(self) -> SignMixin:
        session = self._module.session(self._name)
        if self._found is None or self._found[0] is not session:
            # A search on a dead session would be told on stderr by the library.
            session.generate_random(8)
            found = _objects(session, self._name, pkcs11.ObjectClass.PRIVATE_KEY)
            if len(found) != 1:
                raise ConfigError(
                    "pkcs11-token-refused",
                    "there is no such key" if not found else "several keys match",
                    where=_where(self._name),
                )
            self._found = (session, cast("SignMixin", found[0]))
        return self._found[1]

    def _forget(self) -> None:
        self._found = None
        self._module.forget(self._name)


class _Module:
    """A token's library in this process; everything but ``run`` belongs to its one thread."""

    def __init__(self, library: str) -> None:
        self._library = library
        self._sessions: dict[tuple[str, str | None], Session] = {}
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pkcs11")

    def run(self, work: Callable[[], _T]) -> _T:
        """Do something in the thread, and wait for it."""
        return self.thread.submit(work).result()

    def session(self, name: TokenKey) -> Session:
        """Return the session with a token, logged in; opened if there is none.

        Raises:
            ConfigError: the library cannot be loaded, or the PIN is refused.
            Unavailable: there is no such token.
            PKCS11Error: the token fails.
        """
        kept = self._sessions.get((name.token, name.serial))
        if kept is None:
            kept = self._open(name)
            self._sessions[(name.token, name.serial)] = kept
        return kept

    def forget(self, name: TokenKey) -> None:
        """Close the session with a token; the next use opens it again."""
        session = self._sessions.pop((name.token, name.serial), None)
        if session is not None:
            try:
                session.close()
            except flaws.PKCS11Error:
                pass  # It is gone already, which is why it is forgotten.

    def _open(self, name: TokenKey) -> Session:
        pin = read_secret(name.pin_file)
        try:
            text = pin.decode()
        except UnicodeDecodeError as error:
            raise ConfigError(
                "key-malformed", "does not contain a PIN in UTF-8", where=str(name.pin_file)
            ) from error
        serial = None if name.serial is None else name.serial.encode()
        try:
            try:
                token = self._loaded().get_token(token_label=name.token, token_serial=serial)
            except flaws.NoSuchToken:
                # Some libraries look for tokens only when they are initialised.
                self._sessions.clear()
                self._loaded().reinitialize()
                token = self._loaded().get_token(token_label=name.token, token_serial=serial)
            return token.open(user_pin=text)
        except flaws.NoSuchToken as error:
            raise _unavailable(name, "there is no such token") from error
        except flaws.MultipleTokensReturned as error:
            raise ConfigError(
                "pkcs11-token-refused", "several tokens have this label", where=_where(name)
            ) from error
        except _PIN_REFUSED as error:
            raise ConfigError(
                "pkcs11-token-refused",
                f"the PIN is refused: {type(error).__name__}",
                where=_where(name),
            ) from error

    def _loaded(self) -> "loaded_lib":
        try:
            return pkcs11.lib(self._library)
        except (RuntimeError, OSError, AttributeError) as error:
            raise ConfigError(
                "pkcs11-library-missing", "cannot be loaded", where=self._library
            ) from error


@cache
def _module(library: str) -> _Module:
    """The one of this process: a library keeps logins per process, not per caller."""
    return _Module(library)


def _objects(session: Session, name: TokenKey, kind: "pkcs11.ObjectClass") -> list[Object]:
    wanted: dict[pkcs11.Attribute, object] = {pkcs11.Attribute.CLASS: kind}
    if name.label is not None:
        wanted[pkcs11.Attribute.LABEL] = name.label
    if name.key_id is not None:
        wanted[pkcs11.Attribute.ID] = name.key_id
    return list(session.get_objects(wanted))


def _public_half(session: Session, name: TokenKey) -> PublicKey:
    """Return the public key: that of the token, or of a certificate that lies there."""
    publics = _objects(session, name, pkcs11.ObjectClass.PUBLIC_KEY)
    certificates = _objects(session, name, pkcs11.ObjectClass.CERTIFICATE)
    loaded: object
    try:
        if publics:
            loaded = load_der_public_key(_encoded(publics[0]))
        elif certificates:
            value = bytes(certificates[0][pkcs11.Attribute.VALUE])
            loaded = load_der_x509_certificate(value).public_key()
        else:
            raise ConfigError(
                "pkcs11-token-refused",
                "the token has neither the public key nor a certificate for this key",
                where=_where(name),
            )
        return strong_key(loaded)
    except UNREADABLE as error:
        raise ConfigError(
            "pkcs11-token-refused", "the public key cannot be read", where=_where(name)
        ) from error
    except SignatureError as error:
        raise ConfigError(
            "key-kind",
            "is of an unsupported type or size",
            where=_where(name),
            expected=error.expected,
            seen=error.seen,
        ) from error


def _encoded(public: Object) -> bytes:
    if public[pkcs11.Attribute.KEY_TYPE] is pkcs11.KeyType.RSA:
        return encode_rsa_public_key(cast("TokenPublicKey", public))
    return encode_ec_public_key(cast("TokenPublicKey", public))


def _where(name: TokenKey) -> str:
    key = name.label if name.label is not None else (name.key_id or b"").hex()
    return f"key {key!r} of token {name.token!r}"


def _unavailable(name: TokenKey, why: str) -> Unavailable:
    return Unavailable("pkcs11-token-unavailable", why, where=_where(name))
