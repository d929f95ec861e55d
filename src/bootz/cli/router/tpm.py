"""TPMs of routers on the command line: what ``manufacture`` builds in, and how ``boot`` speaks."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from bootz.device.board import BootOptions
from bootz.device.contact import Contact, UnaryContact
from bootz.device.grpc_client import Dialer
from bootz.device.hardware import CardRecord, Hardware, NewCard
from bootz.device.stream_contact import StreamContact
from bootz.device.tpm.card import CardTpm, TpmDescription, TpmKind
from bootz.errors import ConfigError
from bootz.keystore.files import KeyKind
from bootz.manufacturer.room import Manufacturer
from bootz.model.identity import IdentityKind
from bootz.wire.dialects import CURRENT, Dialect
from bootz.wire.flows import STREAM_FLOWS

_F = TypeVar("_F", bound=Callable[..., Any])

UNARY: Final = "unary"
_FLOWS: Final = {flow.name: flow for flow in STREAM_FLOWS}

IDENTITIES: Final = {
    "idevid": IdentityKind.IDEVID,
    "tpm20-ek": IdentityKind.TPM20_EK,
    "tpm20-ppk": IdentityKind.TPM20_PPK,
    "tpm12": IdentityKind.TPM12_EK,
}
"""The words of ``--identity``."""

flow_option = click.option(
    "--flow",
    type=click.Choice([UNARY, *_FLOWS]),
    default=UNARY,
    show_default=True,
    help="Calls that the router uses: unary, the stream of v0.6, or that of v1.0.",
)


def tpm_options(function: _F) -> _F:
    """Add the options that say what a router proves itself by."""
    function = click.option(
        "--tpm",
        "tpm",
        type=click.Choice([kind.value for kind in TpmKind]),
        help="TPM in software, or swtpm. Default: none for an IDevID (a key file), else soft.",
    )(function)
    return click.option(
        "--identity",
        "identity",
        type=click.Choice(list(IDENTITIES)),
        default="idevid",
        show_default=True,
        help="How the router proves its identity: an IDevID, or a TPM key without IDevID.",
    )(function)


def described(identity: str, tpm: str | None) -> TpmDescription | None:
    """Return the TPM that the options ask for, None for none."""
    proof = IDENTITIES[identity]
    if proof is not IdentityKind.IDEVID:
        return TpmDescription(TpmKind(tpm or TpmKind.SOFT.value), proof)
    # The key of an IDevID in software is a file, with or without a TPM around it.
    return TpmDescription(TpmKind.SWTPM, proof) if tpm == TpmKind.SWTPM.value else None


@contextmanager
def card_with_tpm(
    record: CardRecord,
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


def contacts(
    hardware: Hardware, options: BootOptions, flow_name: str
) -> Callable[[Dialect], Contact]:
    """Return what makes the way of speaking of a router.

    Raises:
        ConfigError: streams in a dialect that has none, or unary calls with a key in a TPM.
        BootzError: a key cannot be read.
    """
    card = hardware.record.active
    if flow_name == UNARY:
        dialer = Dialer(options.timeouts, hardware.identity(card), options.source.locate)
        return lambda dialect: UnaryContact(dialer, dialect)
    if options.dialect is not CURRENT:
        raise ConfigError(
            "usage",
            f"the release {options.dialect.name} has no streams",
            where="--flow",
            expected=f"--dialect {CURRENT.name}",
            seen=options.dialect.name,
        )
    dialer = Dialer(options.timeouts, locate=options.source.locate)
    contact = StreamContact(_FLOWS[flow_name], hardware.card(card).prover(), dialer)
    return lambda _: contact
