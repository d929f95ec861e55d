"""A chassis with slots, loose cards, and a Bootz server that knows cards and bundles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from device.world import FakeServer, Log, Manner, World, options, router
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from pki import Pair, make_pair

from bootz.device.card_folder import CardParts
from bootz.device.hardware import BuiltCard, BuiltChassis, Hardware, NewCard
from bootz.device.onboarding import BootResult
from bootz.device.slots import make_card
from bootz.device.state import CardNote, InstalledImage, RouterState
from bootz.model.artifacts import SealedData
from bootz.model.bootstrap import BootConfig, BootstrapData, BootstrapRequest
from bootz.model.chassis import CardKind, CardStatus
from bootz.trust.bundle import pack_bundle
from bootz.trust.owner import build_owner_certificate
from bootz.trust.signature import encode_signature, scheme_for, sign_with
from bootz.wire.answers import encode_answer, encode_bootstrap_data, with_nonce
from bootz.wire.dialects import Dialect

CHASSIS = "CHASSIS1"
RP0, RP1, LC0 = "RP0SERIAL", "RP1SERIAL", "LC0SERIAL"
SLOTS = ("RP0", "RP1", "LC0", "LC1")


def kind_of(slot: str) -> CardKind:
    return CardKind.CONTROL if slot.startswith("RP") else CardKind.LINE


class ChassisWorld(World):
    """A vendor, an owner, a chassis, and cards that are made as they are needed."""

    def parts(
        self, serial: str, *, vendor: Pair | None = None, key: Pair | None = None
    ) -> CardParts:
        idevid = make_pair(serial, vendor or self.vendor, serial=serial)
        return CardParts((key or idevid).key, [idevid.der], [self.vendor.der])

    def chassis(self, cards: Mapping[str, str], name: str = "chassis", **settings: Any) -> Hardware:
        records = tuple(
            BuiltCard(slot, serial, f"PID-{slot}", slot, kind_of(slot))
            for slot, serial in cards.items()
        )
        new = []
        for record in records:
            parts = self.parts(record.serial_number)
            new.append(NewCard(record, parts.key, parts.certificates, parts.anchors))
        return Hardware.manufacture(
            self.folder / name,
            BuiltChassis("Acme", CHASSIS, records, "PID", modular=True, slots=SLOTS, **settings),
            new,
            RouterState(image=InstalledImage("os", "1")),
        )

    def card(self, serial: str, kind: CardKind = CardKind.CONTROL, **parts: Any) -> Path:
        folder = self.folder / f"card-{serial}-{len(list(self.folder.iterdir()))}"
        made = self.parts(serial, **parts)
        make_card(folder, BuiltCard("", serial, "PID", kind=kind), made)
        return folder

    def tampered(self, serial: str, kind: CardKind = CardKind.CONTROL) -> Path:
        return self.card(serial, kind, key=make_pair("another"))


class ChassisServer(FakeServer):
    """Answers for the cards in ``known``; each voucher as its ``Manner`` says."""

    def __init__(self, world: World, *known: str, bundle: bool = False, **more: Any) -> None:
        super().__init__(world, **more)
        self.known = set(known)
        self.bundle = bundle
        self.voucher_manners: dict[str, Manner | None] = {}
        self.change_voucher: Callable[[bytes], bytes] = lambda voucher: voucher
        self.line = "ztp bootz-server ip 127.0.0.1 port {port} trust-anchor /misc/disk1/ta.cert\n"
        self.asked: list[BootstrapRequest] = []
        self.on_request: Callable[[BootstrapRequest], None] = lambda _request: None
        self.hold: asyncio.Event | None = None

    def data(self, serial: str) -> BootstrapData:
        config = "hostname r1\n" + self.line.format(port=self.uri.rpartition(":")[2])
        return replace(
            self.world.data, serial_number=serial, boot_config=BootConfig({}, config.encode())
        )

    def voucher_of(self, serial: str) -> bytes:
        manner = self.voucher_manners.get(serial, Manner(voucher_serial=serial))
        return b"" if manner is None else self.world.voucher(manner)

    def answered(self, listed: list[str], _asking: str) -> list[str]:
        """The cards that are answered, in their order."""
        return [serial for serial in listed if serial in self.known]

    def answer(self, request: BootstrapRequest, dialect: Dialect) -> bytes:
        listed = [card.serial_number for card in request.descriptor.control_cards]
        listed = listed or [request.active.serial_number]
        if request.active.status is CardStatus.INITIALIZED:
            listed = [serial for serial in listed if serial != request.active.serial_number]
        answered = self.answered(listed, request.active.serial_number)
        if not answered:
            raise GRPCError(Status.NOT_FOUND, "cards-unknown: not on record")
        found = {serial: self.voucher_of(serial) for serial in answered}
        vouchers = {serial: voucher for serial, voucher in found.items() if voucher}
        if self.bundle:
            voucher = pack_bundle(vouchers)
        elif answered[0] in vouchers:
            voucher = vouchers[answered[0]]
        else:
            raise GRPCError(Status.FAILED_PRECONDITION, "voucher-missing: none in store")
        payload = with_nonce(
            encode_bootstrap_data([self.data(serial) for serial in answered], dialect),
            request.nonce,
        )
        owner = self.world.owner.owner
        assert owner is not None
        sealed = SealedData(
            payload,
            encode_signature(sign_with(owner.key)(payload)),
            self.change_voucher(voucher),
            build_owner_certificate(
                owner.der,
                [],
                scheme=scheme_for(owner.key.public_key()),
                sign=sign_with(owner.key),
                signing_time=datetime.now().astimezone(),
            ).cms,
        )
        return encode_answer(sealed, dialect)

    async def respond(self, request: BootstrapRequest, dialect: Dialect, manner: Manner) -> bytes:
        self.asked.append(request)
        self.on_request(request)
        if self.hold is not None:
            await self.hold.wait()
        return self.answer(request, dialect)

    def listed(self) -> list[list[str]]:
        """The serial numbers that each request listed."""
        return [[c.serial_number for c in r.descriptor.control_cards] for r in self.asked]


class Events(Log):
    """A log that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._news = asyncio.Event()

    def __call__(self, event: str, fields: Mapping[str, object]) -> None:
        super().__call__(event, fields)
        self._news.set()

    async def until(self, event: str, count: int = 1) -> Mapping[str, object]:
        while len(self.named(event)) < count:
            self._news.clear()
            await self._news.wait()
        return self.named(event)[count - 1]


class Powered:
    """A router that stays powered while a test works at it; power is cut at the end."""

    def __init__(self, hardware: Hardware, uri: str, **changes: Any) -> None:
        self.hardware = hardware
        self.events = Events()
        choice = options(uri, **{"max_attempts": 0, "card_wait": 3600.0, **changes})
        self._router = router(hardware, choice, self.events)
        self._task: asyncio.Task[BootResult] | None = None

    async def __aenter__(self) -> Powered:
        self._task = asyncio.create_task(self._router.boot(stay=True))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        ended = self._task.done()
        self._task.cancel()
        results = await asyncio.gather(self._task, return_exceptions=True)
        if ended and isinstance(results[0], Exception):
            raise results[0]

    @property
    def state(self) -> RouterState:
        return self.hardware.load_state()


def notes(state: RouterState) -> dict[str, CardNote]:
    return {note.slot: note for note in state.cards}


def told(state: RouterState) -> dict[str, tuple[str, str]]:
    return {note.slot: (note.condition.value, note.reason) for note in state.cards}
