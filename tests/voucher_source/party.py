"""A manufacturer's running MASA with one customer, beside the test's own event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from masa.world import ACME, IEN, NOW, make_folder
from store.world import owner

from bootz.masa.app import Masa
from bootz.masa.folder import MasaFolder, open_masa
from bootz.masa.ledger.nouns import AccountType, Component, ComponentName, Role, TpmData, User
from bootz.transport.limits import ListenerLimits
from bootz.transport.tls import server_context

SITE = User("site", AccountType.SERVICE_ACCOUNT, ACME)


@dataclass
class Manufacturer:
    """The folder of a MASA, and how its customer reaches it."""

    folder: MasaFolder
    token: str
    cert_id: str
    port: int = 0
    clock: list[datetime] = field(default_factory=lambda: [NOW])

    @property
    def root(self) -> Path:
        return self.folder.path / "keys" / "root.pem"

    def words(self, token_file: Path) -> list[str]:
        """The options of ``bootz vendor set`` for this MASA."""
        token_file.write_text(self.token)
        token_file.chmod(0o600)
        return [
            *("--voucher-ca", str(self.root)),
            *("--ovgs", f"127.0.0.1:{self.port}"),
            *("--cert-id", self.cert_id),
            *("--token-file", str(token_file)),
            *("--tls-roots", str(self.root)),
        ]

    def sell(self, *serials: str, tpm: TpmData | None = None) -> None:
        with self.folder.records() as records:
            for serial in serials:
                records.add_component(
                    Component(ComponentName(IEN, serial), ACME, tpm=tpm or TpmData())
                )

    def issued(self) -> int:
        from bootz.masa.store.issues import IssueLog

        with self.folder.database.read() as connection:
            return len(IssueLog(connection).latest(limit=100_000))


def found_manufacturer(
    path: Path, serials: Sequence[str] = (), *, pinned: bytes | None = None, days: float = 2
) -> Manufacturer:
    clock = [NOW]
    folder = open_masa(make_folder(path), clock=lambda: clock[0])
    with folder.records() as records:
        records.add_org("acme")
        records.add_user(SITE)
        records.add_role(SITE, ACME, Role.REQUESTOR)
        token = records.add_token(SITE)[1]
        cert = records.add_certificate(
            ACME,
            owner().der if pinned is None else pinned,
            revocation_checks=False,
            expires_at=NOW + timedelta(days=days),
        )
    made = Manufacturer(folder, token, cert.cert_id, clock=clock)
    made.sell(*serials)
    return made


@contextmanager
def serving(manufacturer: Manufacturer) -> Iterator[None]:
    """Serve over TLS from a thread of its own; the port stays the same when it comes again."""
    keys = manufacturer.folder.path / "keys"
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        masa = Masa(
            manufacturer.folder.make_service(),
            limits=ListenerLimits(),
            tls=lambda protocol: server_context(
                keys / "tls.pem", keys / "tls.key", protocols=(protocol,)
            ),
        )
        bound = await masa.start([("127.0.0.1", manufacturer.port)], [("127.0.0.1", 0)])
        manufacturer.port = bound.grpc[0][1]
        started.set()
        await stop.wait()
        await masa.drain(1)

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert started.wait(30), "the MASA does not serve"
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
