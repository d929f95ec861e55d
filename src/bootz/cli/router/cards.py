"""Cards that the factory makes, with what proves them: an identity it issues, or a key in a TPM."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bootz.cli.router.tpm import IDENTITIES
from bootz.device.hardware import BuiltCard, NewCard
from bootz.device.kinds import TpmKind
from bootz.device.tpm.card import CardTpm, TpmDescription
from bootz.keystore.kinds import KeyKind
from bootz.manufacturer.room import Manufacturer
from bootz.model.identity import IdentityKind

_PROOFS: Final = dict(
    zip(
        IDENTITIES,
        (
            IdentityKind.IDEVID,
            IdentityKind.TPM20_EK,
            IdentityKind.TPM20_PPK,
            IdentityKind.TPM12_EK,
        ),
        strict=True,
    )
)


def described(identity: str, tpm: str | None) -> TpmDescription | None:
    """Return the TPM that the options ask for, None for none."""
    proof = _PROOFS[identity]
    if proof is not IdentityKind.IDEVID:
        return TpmDescription(TpmKind(tpm or TpmKind.SOFT.value), proof)
    # The key of an IDevID in software is a file, with or without a TPM around it.
    return TpmDescription(TpmKind.SWTPM, proof) if tpm == TpmKind.SWTPM.value else None


@contextmanager
def card_with_tpm(
    record: BuiltCard,
    maker: Manufacturer,
    description: TpmDescription,
    kind: KeyKind,
    anchors: Sequence[bytes],
    beside: Path,
) -> Iterator[NewCard]:
    """Make a TPM, and its IDevID where it has one; what is left of it at the end is removed.

    ``beside`` is the router's folder: the TPM is made next to it, and moved in.
    """
    beside.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".tpm-", dir=beside.parent))
    try:
        tpm = CardTpm.manufacture(folder, description)
        chain: Sequence[bytes] = ()
        if description.proof is IdentityKind.IDEVID:
            public_key = tpm.make_idevid(kind)
            chain = maker.certify_identity(public_key, record.serial_number, record.part_number)
        yield NewCard(record, None, chain, [maker.anchor, *anchors], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
