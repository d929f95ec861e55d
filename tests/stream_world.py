"""Devices that speak streams, honest or not, in the world of ``world.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from world import Device, Running, World, manufacturer, report, request, verified

from bootz.conformance.server import player
from bootz.conformance.server.player import Liar, Lie
from bootz.device.grpc_client import Dialer, ServerRefused, Timeouts
from bootz.device.prover import IdevidProver, Prover, Tpm12Prover, Tpm20Prover
from bootz.device.stream_contact import StreamContact
from bootz.device.tpm.soft import SoftTpm12, SoftTpm20
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapRequest, StatusReport
from bootz.model.challenge import Challenge
from bootz.model.identity import IdentityKind, TpmKeyType, TpmRecord, TpmVersion
from bootz.server.operations.chassis import CardRecord
from bootz.wire.answers import DecodedBootstrapData
from bootz.wire.dialects import CURRENT
from bootz.wire.flows import STREAM, STREAM_FLOWS, STREAM_V1, StreamFlow
from bootz.wire.streams import (
    Reply,
)
from bootz.wire.uri import parse_bootz_uri

TIMEOUTS = Timeouts(20, 30)

KINDS = [
    pytest.param(STREAM, IdentityKind.IDEVID, id="v0.6-idevid"),
    pytest.param(STREAM, IdentityKind.EK_OR_PPK, id="v0.6-tpm20"),
    pytest.param(STREAM_V1, IdentityKind.IDEVID, id="v1-idevid"),
    pytest.param(STREAM_V1, IdentityKind.TPM20_EK, id="v1-ek"),
    pytest.param(STREAM_V1, IdentityKind.TPM20_PPK, id="v1-ppk"),
    pytest.param(STREAM_V1, IdentityKind.TPM12_EK, id="v1-tpm12"),
]
FLOWS = [pytest.param(flow, id=flow.name) for flow in STREAM_FLOWS]


@cache
def tpm_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def spki(key: Any) -> bytes:
    made: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return made


def on_record(kind: IdentityKind) -> TpmRecord:
    """What the inventory has of a TPM that proves itself so."""
    match kind:
        case IdentityKind.IDEVID:
            return TpmRecord()
        case IdentityKind.TPM12_EK:
            return TpmRecord(TpmVersion.TPM12, ek=spki(tpm_key("ek")))
        case _:
            return TpmRecord(TpmVersion.TPM20, spki(tpm_key("ek")), spki(tpm_key("ppk")))


def signer(device: Device) -> Callable[[bytes, HashAlgorithm], bytes]:
    def sign(data: bytes, algorithm: HashAlgorithm) -> bytes:
        key: Any = device.key
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, padding.PKCS1v15(), algorithm)
        signature: bytes = key.sign(data, ec.ECDSA(algorithm))
        return signature

    return sign


def prover(kind: IdentityKind, device: Device | None = None, name: str = "") -> Prover:
    """An honest prover; another ``name`` makes a TPM with other keys."""
    if kind is IdentityKind.IDEVID:
        device = device or manufacturer().device("FX1")
        return IdevidProver([device.certificate, *device.chain], signer(device))
    keys = {
        TpmKeyType.EK: tpm_key(f"{name}ek"),
        TpmKeyType.PPK: tpm_key(f"{name}ppk"),
    }
    if kind is IdentityKind.TPM12_EK:
        return Tpm12Prover(SoftTpm12(keys[TpmKeyType.EK]))
    wanted = TpmKeyType.EK if kind is IdentityKind.TPM20_EK else TpmKeyType.PPK
    return Tpm20Prover(SoftTpm20(keys), wanted)


def fill(world: World, kind: IdentityKind = IdentityKind.IDEVID, **settings: Any) -> None:
    """Put a chassis with a voucher on record."""
    tpm = settings.pop("tpm", on_record(kind))
    world.add_profile(vendor_config="hostname {{ chassis.hostname }}\n")
    card = CardRecord("FX1", tpm=tpm)
    world.add_chassis(hostname="r1", profile="base", cards=(card,), **settings)
    world.add_voucher()


def uri(running: Running) -> Any:
    host, port = running.bound.bootz[0]
    return parse_bootz_uri(f"bootz://{host}:{port}")


def contact(flow: StreamFlow, honest: Prover, lie: Lie | None = None) -> StreamContact:
    return StreamContact(flow, Liar(honest, lie) if lie else honest, Dialer(TIMEOUTS))


async def ask(
    running: Running,
    flow: StreamFlow,
    honest: Prover,
    lie: Lie | None = None,
    wanted: BootstrapRequest | None = None,
) -> SealedData:
    asking = contact(flow, honest, lie)
    return await asking.ask(uri(running), wanted or request(), anchor=None, on_sent=lambda: None)


async def tell(
    running: Running,
    flow: StreamFlow,
    honest: Prover,
    lie: Lie | None = None,
    told: StatusReport | None = None,
    *,
    anchor: bytes | None = None,
) -> None:
    reporting = contact(flow, honest, lie)
    await reporting.report(uri(running), told or report("FX1"), anchor=anchor)  # type: ignore[arg-type]


def opened(sealed: SealedData, serial: str = "FX1") -> DecodedBootstrapData:
    """Verify an answer completely: the signature over what travelled, then what it says."""
    return verified(sealed, serial, content=sealed.content)


async def refused(call: Awaitable[object]) -> tuple[str, str]:
    """Return the status and the reason with which a server refuses."""
    with pytest.raises(ServerRefused) as caught:
        await call
    status, _, text = caught.value.seen.partition(" ")
    return status, text.partition(":")[0]


class Dialogue(player.Dialogue):
    """A stream message by message; it opens with ``request()``, unless told otherwise."""

    async def open_with(
        self, honest: Prover, opening: BootstrapRequest | StatusReport | None = None
    ) -> Challenge:
        return await super().open_with(honest, opening or request())

    async def attest(
        self, honest: Prover, opening: BootstrapRequest | StatusReport | None = None
    ) -> Reply:
        return await super().attest(honest, opening or request())


@asynccontextmanager
async def dialogue(running: Running, flow: StreamFlow) -> AsyncIterator[Dialogue]:
    """Open a stream; nothing is said yet."""
    async with (
        Dialer(TIMEOUTS).dial(uri(running), None) as client,
        client.stream(f"{CURRENT.path}/{flow.method}") as exchange,
    ):
        yield Dialogue(flow, exchange)
