"""A manufacturer with two customers, for the tests of its service."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import mkdtemp
from typing import Any, TypeVar

from google.protobuf.message import Message
from grpclib.client import Channel, UnaryStreamMethod, UnaryUnaryMethod
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from pki import make_pair

from bootz.keystore.files import KeyKind
from bootz.masa.app import Masa, MasaBound
from bootz.masa.folder import MasaFolder, make_masa, open_masa
from bootz.masa.ledger.nouns import AccountType, Component, ComponentName, Role, TpmData, User
from bootz.masa.store.schema import METADATA
from bootz.transport.calling import end_channel
from bootz.transport.limits import ListenerLimits
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import method_path, write_instant

NOW = datetime.now(UTC).replace(microsecond=0)
ACME, BETA = "org-acme", "org-beta"
IEN = "9"

PIN = make_pair("acme domain", ca=True).der
OTHER_PIN = make_pair("other domain", ca=True).der
EXPIRED_PIN = make_pair("old domain", ca=True, expired=True).der
EK = make_pair("ek")

T = TypeVar("T")


def at(days: float) -> object:
    """Return the Timestamp some days from now."""
    return write_instant(NOW + timedelta(days=days))


def user(name: str, org: str = ACME) -> User:
    return User(name, AccountType.USER, org)


@dataclass
class World:
    """A MASA's folder with what stands in it; ids that the service chose are kept by name."""

    folder: MasaFolder
    groups: dict[str, str] = field(default_factory=dict)
    certs: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    now: datetime = NOW

    def dump(self) -> dict[str, list[tuple[object, ...]]]:
        """Return everything that is stored."""
        with self.folder.database.read() as connection:
            return {
                table.name: sorted(
                    (tuple(row) for row in connection.execute(table.select())), key=repr
                )
                for table in METADATA.sorted_tables
            }


def make_folder(path: Path) -> Path:
    folder = path / "masa"
    make_masa(
        folder,
        name="Example Vendor",
        iens=[IEN],
        hosts=["localhost", "127.0.0.1"],
        kind=KeyKind.P256,
        now=NOW,
    )
    return folder


OPENED: list[MasaFolder] = []
"""What a test has opened; ``conftest`` closes it when the test has ended."""


def fill(folder: MasaFolder) -> World:
    """Enter two customers: acme with a tree of groups, beta with a root only."""
    OPENED.append(folder)
    world = World(folder)
    with folder.records() as records:
        for name in ("acme", "beta"):
            world.groups[name] = records.add_org(name)
        for name, parent in (("lab", "acme"), ("rack", "lab"), ("field", "acme")):
            world.groups[name] = records.add_group(world.groups[parent], name).group_id
        held = {
            user("alice"): ("acme", Role.ADMIN),
            user("ada"): ("lab", Role.ADMIN),
            user("bob"): ("lab", Role.ASSIGNER),
            user("carol"): ("lab", Role.REQUESTOR),
            user("dora"): ("rack", Role.ADMIN),
            user("eve"): ("field", Role.REQUESTOR),
            user("nobody"): None,
            user("mallory", BETA): ("beta", Role.ADMIN),
            user("ben", BETA): None,
        }
        for each, role in held.items():
            records.add_user(each)
            world.tokens[each.username] = records.add_token(each)[1]
            if role is not None:
                records.add_role(each, world.groups[role[0]], role[1])
        staff = user("staff", BETA)
        records.add_user(staff, support=True)
        world.tokens["staff"] = records.add_token(staff)[1]
        expired = NOW + timedelta(seconds=1)
        world.tokens["late"] = records.add_token(user("alice"), expires_at=expired)[1]
        for serial, group in (("S1", None), ("S2", "lab"), ("S3", "rack"), ("S4", "field")):
            records.add_component(
                Component(
                    ComponentName(IEN, serial),
                    ACME,
                    child_group_id=None if group is None else world.groups[group],
                    model="8201",
                    mac_address="02:00:00:00:00:01",
                    tpm=TpmData(ek_certificate=EK.der) if serial == "S2" else TpmData(),
                )
            )
        records.add_component(Component(ComponentName(IEN, "B1"), BETA))
        for name, der in (("acme", PIN), ("lab", PIN), ("rack", PIN), ("beta", OTHER_PIN)):
            world.certs[name] = records.add_certificate(
                world.groups[name],
                der,
                revocation_checks=False,
                expires_at=NOW + timedelta(days=2),
            ).cert_id
    return world


@cache
def _filled() -> World:
    """Return a world that is closed, and whose folder is copied: keys are made once."""
    path = Path(mkdtemp(prefix="bootz-masa-"))
    atexit.register(rmtree, path)
    world = fill(open_masa(make_folder(path), clock=lambda: NOW))
    OPENED.remove(world.folder)
    world.folder.close()
    return world


def new_world(path: Path, *, clock: Callable[[], datetime] | None = None) -> World:
    filled = _filled()
    root = path / "masa"
    copytree(filled.folder.path, root)
    folder = open_masa(root, clock=clock or (lambda: NOW))
    OPENED.append(folder)
    return World(folder, dict(filled.groups), dict(filled.certs), dict(filled.tokens))


class Client:
    """A caller of the service over real gRPC."""

    def __init__(self, channel: Channel, world: World) -> None:
        self._channel = channel
        self._world = world

    async def call(
        self,
        caller: str | None,
        method: str,
        request: Message,
        *,
        metadata: list[tuple[str, str]] | None = None,
    ) -> Any:
        answer_type = getattr(pb, f"{method}Response")
        if metadata is None:
            token = None if caller is None else self._world.tokens[caller]
            metadata = [] if token is None else [("authorization", f"Bearer {token}")]
        path = method_path(method)
        if method == "GetComponents":
            stream = UnaryStreamMethod(self._channel, path, type(request), answer_type)
            return await stream(request, metadata=metadata)
        unary = UnaryUnaryMethod(self._channel, path, type(request), answer_type)
        return await unary(request, metadata=metadata)

    async def refused(
        self, caller: str | None, method: str, request: Message, **kwargs: object
    ) -> tuple[Status, str]:
        """Return the status and reason of a call that must fail."""
        try:
            await self.call(caller, method, request, **kwargs)  # type: ignore[arg-type]
        except GRPCError as error:
            return error.status, (error.message or "").partition(":")[0]
        raise AssertionError(f"{method} was answered")


@asynccontextmanager
async def serving(
    world: World, *, limits: ListenerLimits | None = None, cookies: bool = False
) -> AsyncIterator[tuple[Client, MasaBound]]:
    masa = Masa(
        world.folder.make_service(), limits=limits or ListenerLimits(), tls=None, cookies=cookies
    )
    bound = await masa.start([("127.0.0.1", 0)], [("127.0.0.1", 0)])
    channel = Channel("127.0.0.1", bound.grpc[0][1])
    try:
        yield Client(channel, world), bound
    finally:
        end_channel(channel)
        await masa.drain(1)


def with_client(world: World, use: Callable[[Client], Awaitable[T]], **kwargs: bool) -> T:
    """Serve a world over gRPC for as long as ``use`` runs."""

    async def run() -> T:
        async with serving(world, **kwargs) as (client, _):
            return await use(client)

    try:
        return asyncio.run(run())
    finally:
        world.folder.close()
