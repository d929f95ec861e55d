"""A vendor's source in use: what it answers for some cards, batch by batch.

Source: docs/protocol/ovgs.md#the-client (5, 8).
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from grpclib.client import Channel
from grpclib.const import Status
from grpclib.encoding.base import CodecBase

from bootz.errors import BootzError, ConfigError, TrustError, Unavailable, WireError
from bootz.keystore.files import load_certificates
from bootz.log import get_logger
from bootz.model.chassis import fold_serial
from bootz.server.operations.vendors import VendorRecord
from bootz.server.operations.voucher_source import VoucherSourceSettings
from bootz.server.operations.vouchers.files import find_voucher_files
from bootz.server.store.voucher_rounds import VoucherRound
from bootz.server.voucher_source.client import OvgsClient, Registration, Tally, TpmAnswer
from bootz.server.voucher_source.token import SourceToken
from bootz.transport.calling import CallRefused, client_context
from bootz.trust.voucher import parse_unverified_voucher

log = get_logger()

BATCH: Final = 100
"""Cards of one call."""

REREAD: Final = timedelta(days=1)
"""How old what is known of a registration may be."""

ALARM: Final = timedelta(days=30)
"""How near the expiry of a registration is when the log warns."""

_OF_AN_ENTRY: Final = frozenset(
    {
        Status.INVALID_ARGUMENT,
        Status.NOT_FOUND,
        Status.PERMISSION_DENIED,
        Status.FAILED_PRECONDITION,
        Status.RESOURCE_EXHAUSTED,
        Status.DEADLINE_EXCEEDED,
    }
)
"""Refusals of a batch that one entry, or their number, may be to blame for."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a source has for a card: vouchers, unverified, or why none."""

    serial_number: str
    vouchers: tuple[bytes, ...] = field(default=(), repr=False)
    tpm: TpmAnswer | None = None
    error: BootzError | None = None


class VoucherSource(Protocol):
    """Where a vendor's vouchers come from."""

    async def until(self, begun: datetime) -> datetime | None:
        """Return when a voucher will end that is fetched in a round that began then.

        None if that is not known.

        Raises:
            BootzError: the source does not answer, or is set up wrongly.
        """

    def fetch(
        self, serials: Sequence[str], asking: VoucherRound
    ) -> AsyncIterator[tuple[Answered, ...]]:
        """Yield what there is for each card, batch by batch.

        ``asking`` is on record: a source that knows its key answers each card once.

        Raises:
            BootzError: the source does not answer, or not in its form; what it had yielded
                stands.
        """

    def tpms(self, serials: Sequence[str]) -> AsyncIterator[tuple[Answered, ...]]:
        """Yield what there is to know of the cards' TPMs, batch by batch.

        Raises:
            BootzError: as ``fetch``.
        """

    @property
    def tally(self) -> Tally | None:
        """What was called; None where nothing is called."""

    def close(self) -> None:
        """End connections."""


class OvgsSource:
    """An OVGS service.

    Args:
        client: of its endpoint.
        settings: of the vendor.
        pinned_domain_cert: this owner's, DER.
        vendor: its name, for the log.
        clock: aware UTC.
    """

    def __init__(
        self,
        client: OvgsClient,
        settings: VoucherSourceSettings,
        *,
        pinned_domain_cert: bytes,
        vendor: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._settings = settings
        self._pinned = pinned_domain_cert
        self._vendor = vendor
        self._clock = clock
        self._registration: Registration | None = None
        self._read_at: datetime | None = None

    @property
    def tally(self) -> Tally:
        """What was called."""
        return self._client.tally

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    async def until(self, begun: datetime) -> datetime:
        """Return when a voucher will end that is fetched in a round that began then.

        Raises:
            ConfigError: ``masa-pins-other``; what is registered is not this owner's, or ended.
            BootzError: the service refuses or does not answer.
        """
        now = self._clock()
        # A clock that was set back must not make what was read last for ever.
        read_at = self._read_at
        fresh = read_at is not None and read_at <= now < read_at + REREAD
        if self._registration is None or not fresh:
            self._registration = await self._client.registration(self._settings.cert_id)
            self._read_at = now
            left = self._registration.expires_at - now
            if left <= ALARM:
                log.warning("registration-ends-soon", vendor=self._vendor, days=left.days)
        registered = self._registration
        if registered.certificate != self._pinned or registered.expires_at <= now:
            # Not kept: the operator may mend it at the manufacturer's side at any time.
            self._registration = None
            raise ConfigError(
                "masa-pins-other",
                "the registration has expired"
                if registered.certificate == self._pinned
                else "another certificate is registered",
                where=f"{self._settings.ovgs} {self._settings.cert_id}",
            )
        wanted = begun + timedelta(days=self._settings.lifetime_days)
        return min(wanted, registered.expires_at)

    async def fetch(
        self, serials: Sequence[str], asking: VoucherRound
    ) -> AsyncIterator[tuple[Answered, ...]]:
        """Yield a voucher, or why there is none, for each card."""
        until = await self.until(asking.begun)

        async def ask(part: Sequence[str]) -> tuple[Answered, ...]:
            answers = await self._client.vouchers(
                part, self._settings.cert_id, until, key=asking.key
            )
            return tuple(
                Answered(serial, (answer.cms,), answer.tpm)
                for serial, answer in zip(part, answers, strict=True)
            )

        async for part in _halved(serials, ask):
            yield part

    async def tpms(self, serials: Sequence[str]) -> AsyncIterator[tuple[Answered, ...]]:
        """Yield what is known of the cards' TPMs."""

        async def ask(part: Sequence[str]) -> tuple[Answered, ...]:
            answers = await self._client.tpms(part)
            return tuple(
                Answered(serial, tpm=tpm) for serial, tpm in zip(part, answers, strict=True)
            )

        async for part in _halved(serials, ask):
            yield part


async def _halved(
    serials: Sequence[str], ask: Callable[[Sequence[str]], Awaitable[tuple[Answered, ...]]]
) -> AsyncIterator[tuple[Answered, ...]]:
    """Ask in batches; one that fails on an entry is halved until the entry stands alone."""
    left = [serials[at : at + BATCH] for at in range(0, len(serials), BATCH)]
    left.reverse()
    while left:
        part = left.pop()
        try:
            answered = await ask(part)
        except BootzError as error:
            if not _blames_an_entry(error):
                raise
            if len(part) == 1:
                answered = (Answered(part[0], error=error),)
            else:
                middle = len(part) // 2
                left += [part[middle:], part[:middle]]
                continue
        yield answered


def _blames_an_entry(error: BootzError) -> bool:
    if isinstance(error, CallRefused):
        return error.status in _OF_AN_ENTRY
    # Too large an answer, or an entry that cannot be read; a service that is too slow for so many.
    return isinstance(error, WireError) or error.reason == "masa-deadline"


class FolderSource:
    """A folder for the vouchers that arrive by mail."""

    tally = None

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def close(self) -> None:
        """Nothing is open."""

    async def until(self, begun: datetime) -> None:
        """Not known before the file is there."""

    async def fetch(
        self, serials: Sequence[str], asking: VoucherRound
    ) -> AsyncIterator[tuple[Answered, ...]]:
        """Yield the vouchers of each card that lie in the folder."""
        found = await asyncio.to_thread(self._find, {fold_serial(each) for each in serials})
        for at in range(0, len(serials), BATCH):
            yield tuple(self._answered(serial, found) for serial in serials[at : at + BATCH])

    async def tpms(self, serials: Sequence[str]) -> AsyncIterator[tuple[Answered, ...]]:
        """Yield nothing: a voucher file says nothing of TPMs."""
        for serial in serials[:0]:
            yield (Answered(serial),)

    def _answered(self, serial: str, found: Mapping[str, Sequence[bytes]]) -> Answered:
        vouchers = tuple(found.get(fold_serial(serial), ()))
        if vouchers:
            return Answered(serial, vouchers)
        return Answered(
            serial,
            error=Unavailable(
                "voucher-source-lacks", f"no voucher of {serial!r}", where=str(self._folder)
            ),
        )

    def _find(self, wanted: set[str]) -> dict[str, list[bytes]]:
        found: dict[str, list[bytes]] = {}
        for file in find_voucher_files([self._folder]).vouchers:
            if file.error is not None:
                # Also where nothing was put there yet; what is missing is said for each card.
                continue
            try:
                serial = fold_serial(parse_unverified_voucher(file.raw).serial_number)
            except TrustError:
                continue
            if serial in wanted:
                found.setdefault(serial, []).append(file.raw)
        return found


def open_source(
    vendor: VendorRecord,
    *,
    root: Path,
    pinned_domain_cert: bytes,
    clock: Callable[[], datetime],
    environ: Mapping[str, str],
) -> VoucherSource | None:
    """Return a vendor's source, None where it has none; nothing is called yet.

    Args:
        vendor: whose settings name the source.
        root: what its relative paths are below.
        pinned_domain_cert: this owner's, DER.
        clock: aware UTC.
        environ: the environment, where a token may be.

    Raises:
        ConfigError: the TLS roots cannot be loaded.
    """
    settings = vendor.settings.voucher_source
    if settings is None:
        return None
    if settings.folder:
        return FolderSource(root / settings.folder)
    host, _, port = settings.ovgs.rpartition(":")

    def open_channel(codec: CodecBase) -> Channel:
        # Read again for each connection: roots change as well.
        roots = load_certificates(root / settings.tls_roots) if settings.tls_roots else None
        context = None if settings.plaintext else client_context(roots)
        return Channel(host.strip("[]"), int(port), ssl=context, codec=codec)

    client = OvgsClient(
        open_channel,
        where=settings.ovgs,
        ien=vendor.ien,
        token=SourceToken(
            root / settings.token_file if settings.token_file else None,
            settings.token_variable,
            environ,
        ),
        metadata=(settings.metadata_key, settings.metadata_template),
        clock=clock,
        chance=random.random,
    )
    return OvgsSource(
        client,
        settings,
        pinned_domain_cert=pinned_domain_cert,
        vendor=vendor.name,
        clock=clock,
    )
