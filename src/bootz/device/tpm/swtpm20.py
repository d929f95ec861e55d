"""A real TPM 2.0: EK, PPK and IDevID keys are made in it and never leave it.

    EK      81010001  endorsement hierarchy, template L-1
    PPK     81800001  platform hierarchy, a storage key without policy
    IDevID  81020000  owner hierarchy; signs what it is given, with a hash chosen each time

Source: TCG EK Credential Profile; TCG TPM 2.0 Keys for Device Identity and Attestation, handles.
"""

import hashlib
import threading
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from bootz.device.tpm.commands20 import (
    ENDORSEMENT,
    OWNER,
    PASSWORD,
    PLATFORM,
    Authorization,
    Code,
    Commands,
)
from bootz.device.tpm.swtpm import running
from bootz.errors import ConfigError
from bootz.model.challenge import HmacAnswer
from bootz.model.identity import TpmKeyType
from bootz.trust.keys import PublicKey
from bootz.trust.tpm.structures import Algorithm, Curve, TpmReader, sized
from bootz.trust.tpm.templates import (
    CERTIFY_POLICY,
    ek_public,
    iak_public,
    idevid_template,
    storage_public,
)
from bootz.trust.tpm.tpm20 import WrappedKey

_EK: Final = 0x81010001
_IDEVID: Final = 0x81020000
_PPK: Final = 0x81800001
_PARENTS: Final = {TpmKeyType.EK: _EK, TpmKeyType.PPK: _PPK}
_HASHES: Final = {"sha256": Algorithm.SHA256, "sha384": Algorithm.SHA384}
_CURVES: Final = {Curve.P256: ec.SECP256R1(), Curve.P384: ec.SECP384R1()}


class SwtpmTpm20:
    """A TPM 2.0 whose state is a folder; it runs while one call of these lasts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    @classmethod
    def manufacture(cls, folder: Path) -> "SwtpmTpm20":
        """Make a TPM with EK and PPK in an empty folder.

        Raises:
            Unavailable: the TPM does not do it.
        """
        with running(folder, tpm2=True) as process:
            commands = Commands(process)
            for hierarchy, template, place in (
                (ENDORSEMENT, ek_public(), _EK),
                (PLATFORM, storage_public(), _PPK),
            ):
                handle, _ = commands.create_primary(hierarchy, template)
                commands.evict(PLATFORM if hierarchy == PLATFORM else OWNER, handle, place)
                commands.flush(handle)
        return cls(folder)

    def make_idevid(self, curve: Curve | None) -> PublicKey:
        """Make the IDevID key, on a curve or RSA-2048; return its public part.

        Raises:
            Unavailable: the TPM does not do it.
        """
        with self._lock, running(self._folder, tpm2=True) as process:
            commands = Commands(process)
            handle, public = commands.create_primary(OWNER, idevid_template(curve))
            commands.evict(OWNER, handle, _IDEVID)
            commands.flush(handle)
        return _read_key(public)

    def idevid_key(self) -> PublicKey:
        """Return the public part of the IDevID key."""
        with self._lock, running(self._folder, tpm2=True) as process:
            return _read_key(Commands(process).read_public(_IDEVID))

    def public_key(self, key_type: TpmKeyType) -> rsa.RSAPublicKey:
        """Return the public part of EK or PPK."""
        with self._lock, running(self._folder, tpm2=True) as process:
            key = _read_key(Commands(process).read_public(_parent(key_type)))
        if not isinstance(key, rsa.RSAPublicKey):
            raise ConfigError(
                "tpm-key-absent", f"the {key_type.name} is not an RSA key", where="TPM"
            )
        return key

    def sign(self, data: bytes, algorithm: HashAlgorithm) -> bytes:
        """Sign with the IDevID key; an ECDSA signature is DER of r and s.

        Raises:
            Unavailable: the TPM does not do it.
        """
        digest = hashlib.new(algorithm.name, data).digest()
        hashed = _HASHES[algorithm.name]
        with self._lock, running(self._folder, tpm2=True) as process:
            commands = Commands(process)
            key = _read_key(commands.read_public(_IDEVID))
            scheme = Algorithm.RSASSA if isinstance(key, rsa.RSAPublicKey) else Algorithm.ECDSA
            reader = commands.sign(_IDEVID, scheme, hashed, digest)
        reader.take(4)  # scheme, hash
        if scheme is Algorithm.RSASSA:
            return reader.sized()
        r, s = (int.from_bytes(reader.sized(), "big") for _ in range(2))
        return encode_dss_signature(r, s)

    def certify(self, key_type: TpmKeyType, wrapped: WrappedKey, qualifying: bytes) -> HmacAnswer:
        """Import an HMAC key under EK or PPK, and certify the IAK with it."""
        parent = _parent(key_type)
        with self._lock, running(self._folder, tpm2=True) as process:
            commands = Commands(process)
            signer = _import(commands, parent, wrapped)
            iak, public = commands.create_primary(OWNER, iak_public(Curve.P256, CERTIFY_POLICY))
            session = commands.start_policy()
            commands.policy_command_code(session, Code.CERTIFY)
            policy = Authorization.policy(session)
            attest, signature = commands.certify(iak, policy, signer, qualifying)
        # The TPM forgets keys and sessions when it ends.
        return HmacAnswer(sized(public), sized(attest), signature)


def _import(commands: Commands, parent: int, wrapped: WrappedKey) -> int:
    """Import and load an HMAC key; an EK wants its policy satisfied before each use."""
    if parent == _PPK:
        private = commands.import_(
            parent, PASSWORD, wrapped.public, wrapped.duplicate, wrapped.seed
        )
        return commands.load(parent, PASSWORD, private, wrapped.public)
    session = commands.start_policy()
    policy = Authorization.policy(session)
    commands.policy_secret(session)
    private = commands.import_(parent, policy, wrapped.public, wrapped.duplicate, wrapped.seed)
    commands.policy_secret(session)
    handle = commands.load(parent, policy, private, wrapped.public)
    commands.flush(session)
    return handle


def _parent(key_type: TpmKeyType) -> int:
    if key_type not in _PARENTS:
        raise ConfigError("tpm-key-absent", f"this TPM has no {key_type.name}", where="TPM")
    return _PARENTS[key_type]


def _read_key(public: bytes) -> PublicKey:
    """Return the key in the TPMT_PUBLIC of a key without scheme that this TPM has made."""
    reader = TpmReader(public, "TPMT_PUBLIC")
    kind = reader.number(2)
    reader.take(2 + 4)  # name algorithm, attributes
    reader.sized()
    if reader.number(2) != Algorithm.NULL:
        reader.take(2 + 2)  # bits and mode of the symmetric cipher
    reader.take(2)  # scheme
    if kind == Algorithm.RSA:
        reader.take(2 + 4)  # bits, exponent
        return rsa.RSAPublicNumbers(65537, int.from_bytes(reader.sized(), "big")).public_key()
    curve = _CURVES[Curve(reader.number(2))]
    reader.take(2)  # key derivation
    x, y = (int.from_bytes(reader.sized(), "big") for _ in range(2))
    return ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
