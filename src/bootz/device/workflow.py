"""The router's workflow: from power-on to managed state, W1 and W4 to W13 of workflow.md.

Every step first does its work and then replaces the record, so that a router which loses power
repeats at most the step it was in. After an image, and after every restart, it goes on from
the answer that it kept, which it verifies again.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum

from bootz.device.configuration import build_configuration
from bootz.device.contact import Contact
from bootz.device.grpc_client import Timeouts
from bootz.device.hardware import Hardware
from bootz.device.installer import DownloadOptions, InvalidImage, check_image, fetch_image
from bootz.device.kept import KeptAnswer, KeptReport
from bootz.device.openconfig import InvalidConfiguration
from bootz.device.source import UriSource
from bootz.device.state import BootzStatus, InstalledImage, Phase, RouterState
from bootz.errors import BootzError, ConfigError, TrustError, WireError
from bootz.model.bootstrap import CardState, ReportedStatus, SoftwareImage, StatusReport
from bootz.model.chassis import CardStatus
from bootz.protocol.device import DeviceCard, DeviceDescription, DeviceSession, OpenedAnswer
from bootz.wire.dialects import Dialect, dialect_by_name
from bootz.wire.uri import BootzUri, parse_bootz_uri

SOFTWARE_DATE = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock that shows an earlier time was never set, and is not trusted (pki.md section 5)."""

MAX_REPORT_WAIT = 60.0
COURTESY_REPORTS = 2
"""Tries for a report that nothing waits for: INITIATED, FAILURE."""

Notify = Callable[[str, Mapping[str, object]], None]
"""Told each event as it happens: a name and fields, none of them secret."""


class BootResult(Enum):
    """How a power-on ended."""

    ONBOARDED = "onboarded"
    ALREADY_ONBOARDED = "already-onboarded"
    NORMAL_BOOT = "normal-boot"
    UNREPORTED = "unreported"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class BootOptions:
    """What a person may choose. Waits are seconds; 0 attempts means without end.

    ``source`` is this router's own; ``report_wait`` doubles from try to try up to a minute.
    """

    source: UriSource
    dialect: Dialect
    insecure: bool = False
    retry_wait: float = 10.0
    max_attempts: int = 0
    report_wait: float = 1.0
    report_attempts: int = 0
    timeouts: Timeouts = field(default_factory=Timeouts)
    download: DownloadOptions = field(default_factory=DownloadOptions)


class _AttemptFailed(Exception):
    def __init__(self, error: BootzError, status: BootzStatus | None) -> None:
        super().__init__(error.reason)
        self.error = error
        self.status = status


class Router:
    """A powered router.

    Args:
        contact_for: makes the way of speaking for a dialect; a restart may need the earlier one.
        clock: aware UTC now.
        make_nonce: a fresh nonce at each call.
    """

    def __init__(
        self,
        hardware: Hardware,
        options: BootOptions,
        contact_for: Callable[[Dialect], Contact],
        *,
        clock: Callable[[], datetime],
        make_nonce: Callable[[], str],
        notify: Notify,
    ) -> None:
        self._hardware = hardware
        self._options = options
        self._contact_for = contact_for
        self._clock = clock
        self._make_nonce = make_nonce
        self._notify = notify
        self._state = hardware.load_state()

    async def boot(self) -> BootResult:
        """Power on, and run until the router works or its attempts are used up.

        Raises:
            BootzError: the hardware itself fails: a damaged folder, a full disk.
        """
        with self._hardware.powered():
            self._state = self._hardware.load_state()
            self._notify("power-on", {"phase": self._state.phase.value})
            if self._state.phase is Phase.OPERATIONAL:
                return BootResult.ALREADY_ONBOARDED
            begun = self._state.phase is not Phase.CONTACT
            if not begun and (not self._hardware.record.secure_mode or self._state.startup):
                return BootResult.NORMAL_BOOT
            try:
                return await self._loop()
            finally:
                await self._options.source.close()

    async def _loop(self) -> BootResult:
        attempt = 0
        while True:
            try:
                uris = await self._discover()
            except BootzError as error:
                uris = ()
                attempt += 1
                self._fail(error, self._state.undiscovered(error.reason, str(error)))
                if attempt == self._options.max_attempts:
                    return BootResult.FAILED
            for uri in uris:
                attempt += 1
                try:
                    return await self._attempt(uri)
                except _AttemptFailed as failure:
                    cause = failure.error
                    after = self._state.failed(cause.reason, str(cause), failure.status)
                    self._fail(cause, after)
                if attempt == self._options.max_attempts:
                    return BootResult.FAILED
            await self._options.source.release()
            self._notify("waiting", {"seconds": self._options.retry_wait})
            await asyncio.sleep(self._options.retry_wait)

    async def _discover(self) -> Sequence[BootzUri]:
        """W2 and W3: learn whom to ask, and keep what was learned."""
        source = self._options.source
        try:
            return await source.discover()
        finally:
            self._save(replace(self._state, discovery=source.account))

    def _fail(self, error: BootzError, after: RouterState) -> None:
        """Record a failed attempt, and tell it."""
        self._save(after)
        self._notify(
            "attempt-failed",
            {
                "reason": error.reason,
                "detail": str(error),
                "status": self._state.status.value,
                "error_count": self._state.error_count,
            },
        )

    async def _attempt(self, uri: BootzUri) -> BootResult:
        while self._state.phase in {Phase.CONTACT, Phase.ANSWERED}:
            if self._state.phase is Phase.CONTACT:
                await self._ask(uri)
            try:
                await self._install()
            except ConfigError as error:
                # What was kept is damaged: ask again.
                raise _AttemptFailed(error, None) from error
        return await self._report_success()

    async def _ask(self, uri: BootzUri) -> None:
        """W4 to W9: ask, verify, keep."""
        options = self._options
        self._save(
            replace(
                self._state,
                attempts=self._state.attempts + 1,
                last_boot_attempt=self._clock(),
                dialect=options.dialect.name,
                uri=str(uri),
                checks=(),
            )
        )
        nonce = None if options.insecure else self._make_nonce()
        session = DeviceSession(self._description())
        self._notify("contact", {"uri": str(uri), "dialect": options.dialect.name})
        try:
            sealed = await self._contact_for(options.dialect).ask(
                uri,
                session.request(nonce),
                anchor=None,
                on_sent=lambda: self._move(BootzStatus.SENT),
            )
        except WireError as error:
            raise _AttemptFailed(error, BootzStatus.OV_INVALID) from error
        except BootzError as error:
            raise _AttemptFailed(error, None) from error
        self._move(BootzStatus.RECEIVED)
        answer = KeptAnswer(str(uri), options.dialect.name, nonce, sealed)
        self._open(session, answer)
        self._save(
            replace(
                self._state,
                phase=Phase.ANSWERED,
                answer=self._hardware.keep("answers", answer.write()),
                checksum=hashlib.sha512(sealed.content or b"").hexdigest(),
            )
        )
        self._notify("verified", {"checks": len(self._state.checks)})

    def _open(self, session: DeviceSession, answer: KeptAnswer) -> OpenedAnswer:
        """Verify an answer, and leave the checks in the record."""
        now = self._clock()
        try:
            return session.open(
                answer.sealed,
                dialect_by_name(answer.dialect),
                now=now if now >= SOFTWARE_DATE else None,
            )
        except (TrustError, WireError) as error:
            raise _AttemptFailed(error, BootzStatus.OV_INVALID) from error
        finally:
            self._save(replace(self._state, checks=session.checks))

    async def _install(self) -> None:
        """W10 and W11, from the kept answer; after a new image the router restarts here."""
        answer = KeptAnswer.read(self._hardware.kept("answers", self._state.answer))
        if answer.nonce is None and not self._options.insecure:
            # It was asked for in an earlier, insecure life, and nobody vouches for it.
            self._save(replace(self._state, phase=Phase.CONTACT, answer=""))
            return
        session = DeviceSession(self._description())
        session.request(answer.nonce)
        opened = self._open(session, answer)
        data = opened.cards[0].data
        report = self._plan_report(answer, opened)
        if self._state.status is BootzStatus.RECEIVED:
            await self._courtesy(report, ReportedStatus.INITIATED, "onboarding has begun")
        try:
            if data.image is not None and not self._runs(data.image):
                await self._install_image(data.image)
                return
            configuration = build_configuration(data)
        except (InvalidImage, InvalidConfiguration) as error:
            text = f"{error.reason}: {error}"
            await self._courtesy(report, ReportedStatus.FAILURE, text)
            invalid_image = isinstance(error, InvalidImage)
            raise _AttemptFailed(
                error,
                BootzStatus.OS_INVALID_IMAGE
                if invalid_image
                else BootzStatus.CONFIGURATION_INVALID,
            ) from error
        if configuration.script_sha256:
            self._notify("script-recorded", {"sha256": configuration.script_sha256})
        digest = self._hardware.keep("configurations", configuration.document)
        self._move(
            BootzStatus.CONFIGURATION_APPLIED,
            replace(
                self._state,
                phase=Phase.CONFIGURED,
                running=digest,
                startup=digest,
                script_sha256=configuration.script_sha256,
                answer="",
                report=self._hardware.keep("answers", report.write()),
            ),
        )

    def _runs(self, image: SoftwareImage) -> bool:
        present = self._state.image
        return (
            present is not None and present.name == image.name and present.version == image.version
        )

    async def _install_image(self, image: SoftwareImage) -> None:
        self._notify("image", {"name": image.name, "version": image.version, "url": image.url})
        path = await fetch_image(
            image, self._hardware.images, self._options.download, self._image_progress()
        )
        self._move(BootzStatus.OS_UPGRADE_IN_PROGRESS)
        check_image(path, strict=self._hardware.record.strict_images)
        installed = InstalledImage(image.name, image.version, path.name)
        self._move(BootzStatus.OS_UPGRADE_COMPLETE, replace(self._state, image=installed))
        self._notify("reboot", {"image": image.name, "version": image.version})
        self._state = self._hardware.load_state()

    def _image_progress(self) -> Callable[[int, int | None], None]:
        last = -1

        def tell(received: int, total: int | None) -> None:
            nonlocal last
            tenth = received * 10 // total if total else received >> 20
            if tenth != last:
                last = tenth
                self._notify("image-progress", {"bytes": received, "total": total})

        return tell

    def _plan_report(self, answer: KeptAnswer, opened: OpenedAnswer) -> KeptReport:
        """Return the report of success: every verified card, and the others by name (S9)."""
        states = [
            CardState(each.card.serial_number, CardStatus.INITIALIZED) for each in opened.cards
        ]
        words = ["the router is operational"]
        for failed in opened.failed:
            serial = failed.card.serial_number
            states.append(CardState(serial, CardStatus.NOT_INITIALIZED))
            words.append(f"card {serial} is shut down: {failed.error.reason}")
        words += [f"card {card.serial_number} was not answered" for card in opened.unanswered]
        return KeptReport(
            answer.uri, answer.dialect, opened.trust_anchor, tuple(states), "; ".join(words)
        )

    async def _report_success(self) -> BootResult:
        """W12: the last report, again and again until the server has it."""
        report = KeptReport.read(self._hardware.kept("answers", self._state.report))
        tries = self._options.report_attempts
        if not await self._deliver(report, ReportedStatus.SUCCESS, report.message, tries):
            return BootResult.UNREPORTED
        done = replace(self._state, phase=Phase.OPERATIONAL, report="", reason="", message="")
        self._move(BootzStatus.OK, done)
        self._hardware.sweep(self._state)
        return BootResult.ONBOARDED

    async def _courtesy(self, report: KeptReport, status: ReportedStatus, message: str) -> None:
        limit = self._options.report_attempts
        initialized = CardStatus.NOT_INITIALIZED
        states = tuple(CardState(state.serial_number, initialized) for state in report.states)
        tries = min(limit, COURTESY_REPORTS) if limit else COURTESY_REPORTS
        await self._deliver(replace(report, states=states), status, message, tries)

    async def _deliver(
        self, kept: KeptReport, status: ReportedStatus, message: str, tries: int
    ) -> bool:
        """Send a report with back-off; ``tries`` 0 means until it is acknowledged."""
        contact = self._contact_for(dialect_by_name(kept.dialect))
        uri, report = parse_bootz_uri(kept.uri), StatusReport(status, message, kept.states)
        wait, count = self._options.report_wait, 0
        while True:
            count += 1
            try:
                await contact.report(uri, report, anchor=kept.anchor)
            except BootzError as error:
                self._notify(
                    "report-failed",
                    {"report": status.name, "reason": error.reason, "detail": str(error)},
                )
                if count == tries:
                    if status is ReportedStatus.SUCCESS:
                        told = replace(self._state, reason=error.reason, message=str(error))
                        self._save(told)
                    return False
                await asyncio.sleep(wait)
                wait = min(2 * wait, MAX_REPORT_WAIT)
            else:
                self._notify("report", {"report": status.name, "message": message})
                return True

    def _description(self) -> DeviceDescription:
        record = self._hardware.record
        cards = tuple(
            DeviceCard(
                card.serial_number,
                self._hardware.vendor_anchors(card),
                self._hardware.certificates(card)[0],
                card.part_number,
                card.slot,
            )
            for card in record.cards
        )
        return DeviceDescription(
            record.manufacturer,
            record.part_number,
            record.serial_number,
            cards,
            CardState(record.active.serial_number, CardStatus.NOT_INITIALIZED),
            record.modular,
        )

    def _move(self, status: BootzStatus, state: RouterState | None = None) -> None:
        """Take on a status, and with it a new record, in one step."""
        self._save((state or self._state).moved(status))
        self._notify("status", {"status": status.value})

    def _save(self, state: RouterState) -> None:
        self._state = state
        self._hardware.save_state(state)
