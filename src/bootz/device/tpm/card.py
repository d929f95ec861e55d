"""A card's TPM as a folder: what it is, how the card proves itself with it, and where its keys are.

tpm.json          family, software twin or swtpm, and how the card proves itself
ek.pem, ppk.pem   public keys, for the owner's inventory
ek.key, ppk.key   the private ones, of a twin in software alone
state             of swtpm
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from pydantic import TypeAdapter, ValidationError

from bootz.device.kinds import TpmKind as TpmKind
from bootz.device.prover import IdevidProver, Prover, Tpm12Prover, Tpm20Prover
from bootz.device.tpm.soft import SoftTpm12, SoftTpm20
from bootz.device.tpm.swtpm12 import SwtpmTpm12
from bootz.device.tpm.swtpm20 import SwtpmTpm20
from bootz.errors import ConfigError, unreadable
from bootz.keystore.files import KeyKind, atomic_write, load_private_key, write_private_key
from bootz.model.identity import IdentityKind, TpmKeyType, TpmVersion
from bootz.trust.certificates import fingerprint
from bootz.trust.keys import PublicKey
from bootz.trust.tpm.structures import Curve

_CURVES: Final[Mapping[KeyKind, Curve | None]] = {
    KeyKind.RSA_2048: None,
    KeyKind.P256: Curve.P256,
    KeyKind.P384: Curve.P384,
}
_RECORD: Final = "tpm.json"
_STATE: Final = "state"


@dataclass(frozen=True, slots=True)
class TpmDescription:
    """``proof`` is how the card proves itself on a stream; an IDevID only with a real TPM 2.0."""

    kind: TpmKind
    proof: IdentityKind

    @property
    def version(self) -> TpmVersion:
        """The family."""
        return TpmVersion.TPM12 if self.proof is IdentityKind.TPM12_EK else TpmVersion.TPM20


_DESCRIPTION: Final = TypeAdapter(TpmDescription)


class CardTpm:
    """The TPM in a folder."""

    def __init__(self, folder: Path, description: TpmDescription) -> None:
        self._folder = folder
        self.description = description

    @classmethod
    def manufacture(cls, folder: Path, description: TpmDescription) -> "CardTpm":
        """Make a TPM with its keys in an empty folder.

        Raises:
            Unavailable: swtpm cannot be run.
        """
        made = cls(folder, description)
        for name, key in made._make_keys().items():
            pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            atomic_write(folder / f"{name}.pem", pem)
        atomic_write(folder / _RECORD, _DESCRIPTION.dump_json(description))
        return made

    @classmethod
    def open(cls, folder: Path) -> "CardTpm | None":
        """Open a TPM's folder, None where there is none.

        Raises:
            ConfigError: its description is damaged.
        """
        path = folder / _RECORD
        if not path.is_file():
            return None
        try:
            return cls(folder, _DESCRIPTION.validate_json(path.read_bytes()))
        except ValidationError as error:
            raise ConfigError("hardware-damaged", "malformed", where=str(path)) from error
        except OSError as error:
            raise unreadable(path, error) from error

    def _make_keys(self) -> dict[str, rsa.RSAPublicKey]:
        tpm12 = self.description.version is TpmVersion.TPM12
        if self.description.kind is TpmKind.SOFT:
            names = ("ek",) if tpm12 else ("ek", "ppk")
            keys = {name: rsa.generate_private_key(65537, 2048) for name in names}
            for name, key in keys.items():
                write_private_key(self._folder / f"{name}.key", key)
            return {name: key.public_key() for name, key in keys.items()}
        state = self._folder / _STATE
        state.mkdir(mode=0o700)
        if tpm12:
            return {"ek": SwtpmTpm12.manufacture(state).public_key()}
        tpm20 = SwtpmTpm20.manufacture(state)
        return {
            "ek": tpm20.public_key(TpmKeyType.EK),
            "ppk": tpm20.public_key(TpmKeyType.PPK),
        }

    def make_idevid(self, kind: KeyKind) -> PublicKey:
        """Make the IDevID key in a real TPM 2.0, and return its public part.

        Raises:
            Unavailable: the TPM does not do it.
        """
        return SwtpmTpm20(self._folder / _STATE).make_idevid(_CURVES[kind])

    def idevid_key(self) -> PublicKey:
        """Return the public part of the IDevID key of a real TPM 2.0.

        Raises:
            Unavailable: the TPM has none, or does not answer.
        """
        return SwtpmTpm20(self._folder / _STATE).idevid_key()

    def prover(self, certificates: Sequence[bytes]) -> Prover:
        """Return what proves the card; ``certificates`` is its IDevID chain, if it has one.

        Raises:
            BootzError: a key file cannot be read, or others may read it.
        """
        proof = self.description.proof
        if proof is IdentityKind.TPM12_EK:
            return Tpm12Prover(self._tpm12())
        if proof is IdentityKind.IDEVID:
            return IdevidProver(certificates, SwtpmTpm20(self._folder / _STATE).sign)
        wanted = TpmKeyType.PPK if proof is IdentityKind.TPM20_PPK else TpmKeyType.EK
        return Tpm20Prover(self._tpm20(), wanted)

    def _tpm12(self) -> SoftTpm12 | SwtpmTpm12:
        if self.description.kind is TpmKind.SWTPM:
            return SwtpmTpm12(self._folder / _STATE)
        return SoftTpm12(self._soft_key("ek"))

    def _tpm20(self) -> SoftTpm20 | SwtpmTpm20:
        if self.description.kind is TpmKind.SWTPM:
            return SwtpmTpm20(self._folder / _STATE)
        return SoftTpm20(
            {TpmKeyType.EK: self._soft_key("ek"), TpmKeyType.PPK: self._soft_key("ppk")}
        )

    def _soft_key(self, name: str) -> rsa.RSAPrivateKey:
        path = self._folder / f"{name}.key"
        key = load_private_key(path)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            raise ConfigError("hardware-damaged", "it is not an RSA key", where=str(path))
        return key

    def record(self) -> dict[str, object]:
        """Return what a person compares with the inventory: the SHA-256 of each public key."""
        keys: dict[str, object] = {}
        for name in ("ek", "ppk"):
            path = self._folder / f"{name}.pem"
            if path.is_file():
                key = load_pem_public_key(path.read_bytes())
                spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
                keys[name] = fingerprint(spki)
        return {
            "version": self.description.version.value,
            "kind": self.description.kind.value,
            "identity": self.description.proof.value,
            **keys,
        }
