"""One router and one server: W4 to W12 of docs/protocol/workflow.md, from request to report.

Every step first does its work and then replaces the record, so that a router which loses power
repeats at most the step it was in. After an image, and after every restart, it goes on from
the answer that it kept, which it verifies again.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from bootz.device.board import Board
from bootz.device.card_process import CardProcess
from bootz.device.card_report import describe_notes
from bootz.device.configuration import build_configuration, wanted_action
from bootz.device.download import InvalidImage
from bootz.device.hardware import BuiltCard
from bootz.device.installer import check_image, fetch_image
from bootz.device.kept import KeptAnswer, KeptReport
from bootz.device.openconfig import InvalidConfiguration
from bootz.device.server_data import save_anchor
from bootz.device.state import BootzStatus, InstalledImage, Phase, RouterState
from bootz.errors import BootzError, ConfigError, TrustError, Unavailable, WireError
from bootz.model.bootstrap import CardState, ReportedStatus, SoftwareImage
from bootz.model.chassis import CardStatus
from bootz.protocol.device import DeviceSession, OpenedAnswer
from bootz.wire.dialects import dialect_by_name
from bootz.wire.uri import BootzUri, parse_bootz_uri

COURTESY_REPORTS = 2
"""Tries for a report that nothing waits for: INITIATED, FAILURE."""


class BootResult(Enum):
    """How a power-on ended."""

    ONBOARDED = "onboarded"
    ALREADY_ONBOARDED = "already-onboarded"
    NORMAL_BOOT = "normal-boot"
    UNREPORTED = "unreported"
    FAILED = "failed"
    STOPPED = "stopped"
    """It was told to stay, and then to end."""


class ServerFailed(Exception):
    """One server of an offer led to nothing; the next one is tried."""

    def __init__(self, error: BootzError, status: BootzStatus | None) -> None:
        super().__init__(error.reason)
        self.error = error
        self.status = status

    @property
    def telling(self) -> int:
        """How much it says: most, where data came and did not do; least, where no answer came."""
        if self.status is not None:
            return 2
        return 0 if isinstance(self.error, Unavailable) else 1


class Onboarding:
    """What one attempt does with each server of its offer."""

    def __init__(self, board: Board, cards: CardProcess) -> None:
        self._board = board
        self._hardware = board.hardware
        self._options = board.options
        self._notify = board.notify
        self._cards = cards
        self._counted = False
        """Whether the attempt has asked a server, and so is in the record."""

    @property
    def _state(self) -> RouterState:
        return self._board.state

    async def run(self, uri: BootzUri) -> BootResult:
        """Go from where the record is to managed state.

        Raises:
            ServerFailed: this server led to nothing.
            BootzError: the hardware itself fails.
        """
        while self._state.phase in {Phase.CONTACT, Phase.ANSWERED}:
            if self._state.phase is Phase.CONTACT:
                await self._ask(uri)
            try:
                await self._install()
            except ConfigError as error:
                # What was kept is damaged: ask again.
                raise ServerFailed(error, None) from error
        return await self._report_success()

    async def _ask(self, uri: BootzUri) -> None:
        """W4 to W9: ask, verify, keep."""
        options = self._options
        if not self._counted:
            self._counted = True
            self._board.save(
                replace(
                    self._state,
                    attempts=self._state.attempts + 1,
                    last_boot_attempt=self._board.clock(),
                )
            )
        self._board.save(
            replace(
                self._state,
                dialect=options.dialect.name,
                uri=str(uri),
                checks=(),
                asked=tuple(card.token for card in self._hardware.reload().running),
                cards=(),
            )
        )
        nonce = None if options.insecure else self._board.make_nonce()
        session = DeviceSession(self._board.describe(self._asked()))
        self._notify("contact", {"uri": str(uri), "dialect": options.dialect.name})
        try:
            sealed = await self._board.contact_for(options.dialect).ask(
                uri,
                session.request(nonce),
                anchor=None,
                on_sent=lambda: self._board.move(BootzStatus.SENT),
            )
        except WireError as error:
            raise ServerFailed(error, BootzStatus.OV_INVALID) from error
        except BootzError as error:
            raise ServerFailed(error, None) from error
        self._board.move(BootzStatus.RECEIVED)
        answer = KeptAnswer(str(uri), options.dialect.name, nonce, sealed)
        self._open(session, answer)
        self._board.save(
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
        try:
            return session.open(
                answer.sealed, dialect_by_name(answer.dialect), now=self._board.trusted_now()
            )
        except (TrustError, WireError) as error:
            raise ServerFailed(error, BootzStatus.OV_INVALID) from error
        finally:
            self._board.save(replace(self._state, checks=session.checks))

    async def _install(self) -> None:
        """W10 and W11, from the kept answer; after a new image the router restarts here."""
        answer = KeptAnswer.read(self._hardware.kept("answers", self._state.answer))
        asked = self._asked()
        insecure = answer.nonce is None and not self._options.insecure
        if insecure or not asked or asked[0] != self._hardware.record.active:
            # It was asked for in an earlier, insecure life, and is unsigned; or by
            # another active card, which is not there any more.
            self._board.save(replace(self._state, phase=Phase.CONTACT, answer=""))
            return
        session = DeviceSession(self._board.describe(asked))
        session.request(answer.nonce)
        opened = self._open(session, answer)
        data = opened.cards[0].data
        await self._cards.settle(
            asked,
            opened,
            parse_bootz_uri(answer.uri),
            dialect_by_name(answer.dialect),
            wanted_action(data),
        )
        report = self._plan_report(answer, opened)
        if self._state.status is BootzStatus.RECEIVED:
            await self._courtesy(report, ReportedStatus.INITIATED, "onboarding started")
        try:
            if data.image is not None and not self._runs(data.image):
                await self._install_image(data.image)
                return
            configuration = build_configuration(data)
            digest = self._hardware.keep("configurations", configuration.document)
            if configuration.server_data is not None:
                # The file counts for nothing before the configuration that names it is in force.
                save_anchor(self._hardware.disk, configuration.server_data, opened.trust_anchor)
        except (InvalidImage, InvalidConfiguration) as error:
            text = f"{error.reason}: {error}"
            await self._courtesy(report, ReportedStatus.FAILURE, text)
            invalid_image = isinstance(error, InvalidImage)
            raise ServerFailed(
                error,
                BootzStatus.OS_INVALID_IMAGE
                if invalid_image
                else BootzStatus.CONFIGURATION_INVALID,
            ) from error
        if configuration.script_sha256:
            self._notify("script-recorded", {"sha256": configuration.script_sha256})
        self._board.move(
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
        self._board.move(BootzStatus.OS_UPGRADE_IN_PROGRESS)
        check_image(path, strict=self._hardware.record.strict_images)
        installed = InstalledImage(image.name, image.version, path.name)
        self._board.move(BootzStatus.OS_UPGRADE_COMPLETE, replace(self._state, image=installed))
        self._notify("reboot", {"image": image.name, "version": image.version})
        self._board.restart()

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
        states, words = describe_notes(self._state.cards)
        return KeptReport(answer.uri, answer.dialect, opened.trust_anchor, states, "; ".join(words))

    async def _report_success(self) -> BootResult:
        """W12: the last report, again and again until the server has it."""
        report = KeptReport.read(self._hardware.kept("answers", self._state.report))
        tries = self._options.report_attempts
        delivered = await self._board.deliver(report, ReportedStatus.SUCCESS, report.message, tries)
        if not delivered:
            return BootResult.UNREPORTED
        without_dhcp = self._state.no_dhcp
        after = replace(
            self._state,
            phase=Phase.OPERATIONAL,
            report="",
            reason="",
            message="",
            no_dhcp=None,
            initiated=None,
        )
        self._board.move(BootzStatus.OK, after)
        if without_dhcp is not None:
            self._notify("no-dhcp-done", {"uri": without_dhcp.uri})
        self._hardware.sweep(self._state)
        return BootResult.ONBOARDED

    async def _courtesy(self, report: KeptReport, status: ReportedStatus, message: str) -> None:
        limit = self._options.report_attempts
        initialized = CardStatus.NOT_INITIALIZED
        states = tuple(CardState(state.serial_number, initialized) for state in report.states)
        tries = min(limit, COURTESY_REPORTS) if limit else COURTESY_REPORTS
        await self._board.deliver(replace(report, states=states), status, message, tries)

    def _asked(self) -> tuple[BuiltCard, ...]:
        """Return the cards that the request listed and that are still there."""
        running = self._hardware.reload().running
        return tuple(card for card in running if card.token in self._state.asked)
