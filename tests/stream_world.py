"""Devices that speak streams, honest or not, in the world of ``world.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from world import Device, Running, World, manufacturer, report, request, verified

from bootz.device.grpc_client import Exchange, GrpcClient, ServerRefused, Timeouts, client_context
from bootz.device.prover import IdevidProver, Introduction, Prover, Tpm12Prover, Tpm20Prover
from bootz.device.stream_contact import StreamContact
from bootz.device.tpm.soft import SoftTpm12, SoftTpm20
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootstrapRequest, StatusReport
from bootz.model.challenge import HPKE_SUITE, Challenge, ChallengeAnswer, TransportKey
from bootz.model.identity import IdentityKind, TpmKeyType, TpmRecord, TpmVersion
from bootz.server.operations.chassis import CardRecord
from bootz.wire.answers import DecodedBootstrapData
from bootz.wire.flows import STREAM, STREAM_FLOWS, STREAM_V1, StreamFlow
from bootz.wire.streams import (
    STREAM_CODECS,
    Reply,
    Told,
    decode_transport_key,
    encode_transport_key,
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


@dataclass
class Lie:
    """How a device deviates; the defaults are honest."""

    introduction: Callable[[Introduction], Introduction] = lambda honest: honest
    answer: Callable[[ChallengeAnswer], ChallengeAnswer] = lambda honest: honest
    transport_key: Callable[[TransportKey], TransportKey] = lambda honest: honest
    before_answer: Callable[[], None] = lambda: None


class Liar:
    """A prover that says what a lie makes of the truth; proofs are over what it says."""

    def __init__(self, honest: Prover, lie: Lie) -> None:
        self._honest, self._lie = honest, lie

    async def introduce(self, flow: StreamFlow) -> Introduction:
        return self._lie.introduction(await self._honest.introduce(flow))

    async def answer(self, challenge: Challenge, transport_key: bytes) -> ChallengeAnswer:
        self._lie.before_answer()
        if transport_key:
            key = self._lie.transport_key(decode_transport_key(transport_key))
            transport_key = encode_transport_key(key)
        return self._lie.answer(await self._honest.answer(challenge, transport_key))


def uri(running: Running) -> Any:
    host, port = running.bound.bootz[0]
    return parse_bootz_uri(f"bootz://{host}:{port}")


def contact(flow: StreamFlow, honest: Prover, lie: Lie | None = None) -> StreamContact:
    return StreamContact(flow, Liar(honest, lie) if lie else honest, TIMEOUTS)


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


@dataclass
class Dialogue:
    """A stream message by message."""

    flow: StreamFlow
    exchange: Exchange
    key: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)

    async def say(self, told: Told | bytes) -> Reply:
        codec = STREAM_CODECS[self.flow.method]
        message = told if isinstance(told, bytes) else codec.tell(told)
        return codec.replied(await self.exchange(message))

    async def open_with(
        self, honest: Prover, wanted: BootstrapRequest | StatusReport | None = None
    ) -> Challenge:
        made = await honest.introduce(self.flow)
        opening = replace(
            wanted or request(), identity=made.identity, aik_pub_digest=made.aik_pub_digest
        )
        challenge = await self.say(opening)
        assert not isinstance(challenge, SealedData)
        return challenge  # type: ignore[return-value]

    async def answered(self, honest: Prover, challenge: Challenge) -> ChallengeAnswer:
        """Return the honest answer to a challenge."""
        key = b""
        if self.flow.bound:
            public = self.key.public_key().public_bytes_raw()
            nonce = getattr(challenge, "nonce", b"")
            key = encode_transport_key(TransportKey(HPKE_SUITE, public, nonce))
        return await honest.answer(challenge, key)

    async def attest(
        self, honest: Prover, wanted: BootstrapRequest | StatusReport | None = None
    ) -> Reply:
        challenge = await self.open_with(honest, wanted)
        return await self.say(await self.answered(honest, challenge))


@asynccontextmanager
async def dialogue(running: Running, flow: StreamFlow) -> AsyncIterator[Dialogue]:
    """Open a stream; nothing is said yet."""
    async with (
        GrpcClient(uri(running), client_context(None, None), TIMEOUTS) as client,
        client.stream(f"/bootz.Bootstrap/{flow.method}") as exchange,
    ):
        yield Dialogue(flow, exchange)
