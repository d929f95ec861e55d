"""The checks of each chassis, read in batches: thousands take seconds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Connection

from bootz.errors import BootzError
from bootz.model.chassis import fold_serial
from bootz.model.kinds import BootMode
from bootz.server.operations.chassis import chassis_by_keys
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.intent import ChassisIntent, IntendedImage, build_intent
from bootz.server.operations.shared import SharedRecords, read_shared
from bootz.server.operations.vouchers.records import VoucherRecord, vouchers_of_serials
from bootz.server.operations.vouchers.storing import ACCEPTED
from bootz.server.preflight.findings import (
    SOON,
    PreflightCheck,
    PreflightReport,
    check_dates,
    failed,
    passed,
    warned,
)
from bootz.server.preflight.site_checks import advertised_hosts, is_loopback
from bootz.server.preflight.terms import PreflightTerms
from bootz.server.rendering.preview import Preview, preview_warnings, render_record
from bootz.server.rendering.templates import Templates
from bootz.sql.batches import batches
from bootz.trust.vendor import Vendor
from bootz.trust.voucher import verify_for_owner
from bootz.wire.bounds import MAX_ANSWER_BYTES

_SEALING_BYTES: Final = 64 << 10
"""What signature, voucher and owner certificate add to the data, generously."""


def check_chassis(
    connection: Connection, keys: Sequence[int], terms: PreflightTerms
) -> Iterator[PreflightReport]:
    """Return the checks of each chassis, found by the database's keys, in their order.

    What has been removed in between is left out.
    """
    run = _Run(terms, read_shared(connection))
    for batch in batches(keys):
        records = chassis_by_keys(connection, batch)
        found = [records[key] for key in batch if key in records]
        vouchers = _newest(connection, found)
        dhcp = {} if terms.dhcp is None else terms.dhcp(found)
        for record in found:
            checks = [*run.checks(record, vouchers), *dhcp.get(record.key, ())]
            yield PreflightReport(record.name, checks, record.key)


_Vouchers = Mapping[tuple[str, str], VoucherRecord]
"""The newest of each card, by folded serial number and the vendor's name."""


def _newest(connection: Connection, records: Sequence[ChassisRecord]) -> _Vouchers:
    serials = [card.serial_number for record in records for card in record.cards]
    newest: dict[tuple[str, str], VoucherRecord] = {}
    for voucher in vouchers_of_serials(connection, serials):
        newest.setdefault((fold_serial(voucher.serial_number), voucher.vendor), voucher)
    return newest


@dataclass(slots=True)
class _Run:
    """What is found once and holds for many chassis."""

    terms: PreflightTerms
    shared: SharedRecords
    templates: Templates = field(default_factory=Templates)
    vendors: dict[str, PreflightCheck] = field(default_factory=dict)
    trusted: dict[str, Vendor] = field(default_factory=dict)
    files: dict[str, PreflightCheck] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)

    def checks(self, record: ChassisRecord, vouchers: _Vouchers) -> Iterator[PreflightCheck]:
        """Return the checks of one chassis, but for DHCP's."""
        yield self._record(record)
        yield from _modes(record)
        try:
            intent = build_intent(record, self.shared)
        except BootzError as error:
            yield failed("inventory", str(error), error.reason)
            return
        yield self._vendor(intent)
        yield from self._vouchers(record, vouchers)
        try:
            preview = render_record(record, self.shared, self.terms.preview, self.templates)
        except BootzError as error:
            yield from self._images(intent, "")
            yield failed("render", str(error), error.reason)
            return
        yield from self._images(intent, _image_url(preview, self.terms))
        yield _render(preview)
        yield _artifacts(intent)
        yield from self._owner_key(intent)
        yield from (warned("content", words) for words in preview_warnings(preview))

    def _record(self, record: ChassisRecord) -> PreflightCheck:
        odd: list[str] = []
        if record.profile is None:
            odd.append("it has no profile")
        if not record.hostname:
            odd.append("it has no host name")
        if odd:
            return warned("record", ", ".join(odd), "chassis-incomplete")
        return passed("record", f"{len(record.cards)} cards, profile {record.profile}")

    def _vendor(self, intent: ChassisIntent) -> PreflightCheck:
        name = intent.vendor.name
        if name not in self.vendors:
            self.vendors[name] = check_dates(
                "vendor-ca", intent.vendor.idevid_ca, self.terms.now, reason="idevid-untrusted"
            )
        return self.vendors[name]

    def _owner_key(self, intent: ChassisIntent) -> Iterator[PreflightCheck]:
        """Tell which key signs, where the record asks for another than the first."""
        if intent.document.owner_key != "p256":
            return
        if self.terms.certificates.owner_p256 is None:
            words = "the site has no P-256 owner key, so that its first key signs for this router"
            yield warned("owner-key", words)
        else:
            yield passed("owner-key", "the P-256 owner key signs for this router")

    def _vouchers(self, record: ChassisRecord, vouchers: _Vouchers) -> Iterator[PreflightCheck]:
        """Verify the newest voucher of each card again, as it was when it was stored."""
        if record.boot_mode is BootMode.INSECURE:
            return
        for card in record.cards:
            newest = vouchers.get((fold_serial(card.serial_number), record.vendor))
            if newest is None:
                words = f"{card.serial_number}: none is stored"
                yield failed("voucher", words, "voucher-missing")
                continue
            yield self._voucher(record.vendor, card.serial_number, newest)

    def _voucher(self, vendor: str, serial: str, newest: VoucherRecord) -> PreflightCheck:
        try:
            verify_for_owner(
                newest.raw,
                self._trusted(vendor).voucher_anchors,
                serial_number=serial,
                pinned_domain_cert=self.terms.certificates.pinned_domain,
                accepted=ACCEPTED,
                now=self.terms.now,
            )
        except BootzError as error:
            return failed("voucher", f"{serial}: {error.detail}", error.reason)
        left = newest.left(self.terms.now)
        words = "without an end" if left is None else f"{left // timedelta(days=1)} days left"
        soon = left is not None and left < SOON
        words = f"{serial}: it holds, {words}"
        return warned("voucher", words, "ov-expired") if soon else passed("voucher", words)

    def _trusted(self, vendor: str) -> Vendor:
        if vendor not in self.trusted:
            self.trusted[vendor] = self.shared.vendors[vendor].to_vendor()
        return self.trusted[vendor]

    def _images(self, intent: ChassisIntent, url: str) -> Iterator[PreflightCheck]:
        """Read each file of the store once for all chassis, and compare it with its record."""
        for each in filter(None, [intent.image, *intent.smus, *intent.patches]):
            if each.url:
                if not each.sha256:
                    words = f"{each.name} {each.version} has no digest: routers cannot verify it"
                    yield warned("image", words)
            else:
                yield self._file(each)
        if url and self.terms.url_probe is not None:
            yield self._reachable(url, own=not (intent.image and intent.image.url))

    def _file(self, image: IntendedImage) -> PreflightCheck:
        if image.sha256 not in self.files:
            name = f"{image.name} {image.version}"
            try:
                self.terms.images.verify(image.sha256, image.size)
                found = passed("image", f"{name}: {image.size} bytes, digest right")
            except BootzError as error:
                found = failed("image", f"{name}: {error.detail}", error.reason)
            self.files[image.sha256] = found
        return self.files[image.sha256]

    def _reachable(self, url: str, *, own: bool) -> PreflightCheck:
        if self.terms.url_probe is None:
            raise RuntimeError("only asked where URLs are to be tried")
        # The tag differs for each chassis; the file and the server do not.
        place = url.partition("?")[0]
        if _loops_back(place) and (not own or self.terms.config.images.base_url):
            words = f"{place}: routers cannot reach the loopback of this machine"
            if not all(map(is_loopback, advertised_hosts(self.terms.config))):
                return failed("image-url", words, "image-url-unreachable")
        if place not in self.urls:
            self.urls[place] = self.terms.url_probe(url)
        flaw = self.urls[place]
        if flaw and own:
            # The server may be started last of all.
            return warned("image-url", f"{place}: {flaw}", "image-url-unreachable")
        if flaw:
            return failed("image-url", f"{place}: {flaw}", "image-url-unreachable")
        return passed("image-url", f"{place} is served")


def _loops_back(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")


def _modes(record: ChassisRecord) -> Iterator[PreflightCheck]:
    if record.boot_mode is BootMode.INSECURE:
        yield warned("mode", "INSECURE: its data is sent unsigned")
    if record.skip_idevid_serial_check:
        yield warned("mode", "the serial number of its IDevID is not checked")
    if record.on_hold:
        yield failed("hold", "the chassis is on hold", "chassis-on-hold")


def _render(preview: Preview) -> PreflightCheck:
    size = len(preview.body)
    words = f"{len(preview.chassis.cards)} cards in {preview.dialect.name}, {size} bytes"
    if size > MAX_ANSWER_BYTES - _SEALING_BYTES:
        return failed("render", words, "rendered-too-large")
    return passed("render", words)


def _artifacts(intent: ChassisIntent) -> PreflightCheck:
    """Tell which gNSI artifacts the data have; encoding them has parsed each."""
    document = intent.document
    names = [name for name in ("credentials", "authz", "pathz") if getattr(document, name)]
    names += [f"certz {each.ssl_profile_id}" for each in document.certz_profiles or ()]
    return passed("gnsi", f"parsed: {', '.join(names)}" if names else "there are none")


def _image_url(preview: Preview, terms: PreflightTerms) -> str:
    """Return the URL that the router would load; empty where there is no image."""
    image = preview.intent.image
    if image is None:
        return ""
    if not terms.server and not image.url:
        return ""
    return terms.preview.reached.image_url(image, preview.intent.url_tag, terms.preview.reached_at)
