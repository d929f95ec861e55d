"""The checks of a preflight: everything that can fail without the router, tried beforehand."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from bootz.cli.inventory.chassis.preview import site_renderer
from bootz.errors import BootzError
from bootz.images.depot import Depot, StoredFile
from bootz.model.kinds import BootMode
from bootz.server.keys.tls_certificates import tls_warnings
from bootz.server.operations.chassis import chassis_by_key
from bootz.server.operations.chassis_record import ChassisRecord
from bootz.server.operations.intent import ChassisIntent
from bootz.server.operations.preflight import (
    SOON,
    PreflightCheck,
    PreflightReport,
    check_dates,
    failed,
    passed,
    warned,
)
from bootz.server.operations.vouchers import check_for_owner, find_vouchers
from bootz.server.site import Site
from bootz.server.store.database import Database
from bootz.server.store.inventory import SqlInventory
from bootz.trust.certificates import AnchorSet, verify_chain
from bootz.wire.dialects import dialect_by_name


def check_site(site: Site, now: datetime) -> PreflightReport:
    """Return the checks of what all chassis share: the owner's certificates, and the server's."""
    return PreflightReport("site", [_owner(site, now), *_owner_dates(site, now), *_tls(site, now)])


async def check_chassis(
    site: Site, database: Database, keys: Sequence[int], address: tuple[str, int]
) -> AsyncIterator[PreflightReport]:
    """Return the checks of each chassis, found by the database's keys, as they are made."""
    now = site.clock()
    depot = Depot(site.images_folder)
    read_files: dict[str, PreflightCheck] = {}
    inventory = SqlInventory(database)
    renderer = site_renderer(site, inventory)
    ring = site.keys
    anchor = ring.certificates(ring.read().trust_anchors[0])[0]
    pinned = site.pinned_domain_cert()
    try:
        for key in keys:
            with database.read() as connection:
                record = chassis_by_key(connection, key)
            checks = list(_modes(record))
            try:
                intent = await inventory.intent(key)
            except BootzError as error:
                checks.append(failed("inventory", str(error), error.reason))
                yield PreflightReport(record.name, checks)
                continue
            checks.append(_vendor(intent, now))
            checks += _vouchers(database, record, pinned, now)
            checks += _images(intent, depot, read_files)
            try:
                (chassis,) = [
                    each
                    for each in await inventory.chassis_of_serial(record.cards[0].serial_number)
                    if each.key == key
                ]
                dialect = dialect_by_name(chassis.release.value)
                serials = [card.serial_number for card in chassis.cards]
                body = await renderer.body(
                    chassis, serials, dialect, trust_anchor=anchor, reached_at=address
                )
                words = f"{len(serials)} cards in {dialect.name}, {len(body)} bytes"
                checks.append(passed("render", words))
            except BootzError as error:
                checks.append(failed("render", str(error), error.reason))
            if not intent.document.boot_config:
                words = "there is no boot configuration: routers treat it as missing and fail"
                checks.append(warned("configuration", words))
            yield PreflightReport(record.name, checks)
    finally:
        await inventory.close()


def _owner(site: Site, now: datetime) -> PreflightCheck:
    files = site.owner_files()
    if files.certificate == files.pinned_domain_cert:
        return passed("owner-certificate", "it is the pinned domain certificate itself")
    try:
        anchors = AnchorSet.from_der((files.pinned_domain_cert,))
        verify_chain(files.certificate, files.intermediates, anchors, now=now)
    except BootzError as error:
        return failed("owner-certificate", str(error), "oc-not-under-pdc")
    return passed("owner-certificate", "it chains to the pinned domain certificate")


def _owner_dates(site: Site, now: datetime) -> list[PreflightCheck]:
    files = site.owner_files()
    shown = (files.certificate, *files.intermediates, files.pinned_domain_cert)
    return [check_dates("owner-certificate-dates", shown, now, reason="oc-expired")]


def _tls(site: Site, now: datetime) -> list[PreflightCheck]:
    keys = site.keys
    keyring = keys.read()
    if not keyring.tls:
        return [passed("tls-certificate", "the server issues one when it starts")]
    shown = keys.certificates(keyring.tls)[:1]
    told = [warned("tls-certificate-names", words) for words in tls_warnings(site, now)]
    return [check_dates("tls-certificate", shown, now, reason="tls-material-unusable"), *told]


def _modes(record: ChassisRecord) -> list[PreflightCheck]:
    told: list[PreflightCheck] = []
    if record.boot_mode is BootMode.INSECURE:
        told.append(warned("mode", "INSECURE: its data is sent unsigned"))
    if record.skip_idevid_serial_check:
        told.append(warned("mode", "the serial number of its IDevID is not checked"))
    if record.on_hold:
        told.append(failed("hold", "the chassis is on hold", "chassis-on-hold"))
    return told


def _vendor(intent: ChassisIntent, now: datetime) -> PreflightCheck:
    return check_dates("vendor-ca", intent.vendor.idevid_ca, now, reason="idevid-untrusted")


def _vouchers(
    database: Database, record: ChassisRecord, pinned: bytes, now: datetime
) -> list[PreflightCheck]:
    """Verify the newest voucher of each card again, as it was when it was stored."""
    if record.boot_mode is BootMode.INSECURE:
        return []
    told: list[PreflightCheck] = []
    for card in record.cards:
        try:
            with database.read() as connection:
                newest = find_vouchers(connection, card.serial_number, record.vendor)[0]
                check_for_owner(
                    connection,
                    newest.raw,
                    pinned_domain_cert=pinned,
                    now=now,
                    vendor=record.vendor,
                    serial_number=card.serial_number,
                )
        except BootzError as error:
            reason = "voucher-missing" if error.reason == "voucher-not-found" else error.reason
            told.append(failed("voucher", f"{card.serial_number}: {error.detail}", reason))
            continue
        left = newest.left(now)
        words = "without an end" if left is None else f"{left.days} days left"
        words = f"{card.serial_number}: it holds, {words}"
        soon = left is not None and left < SOON
        told.append(warned("voucher", words, "ov-expired") if soon else passed("voucher", words))
    return told


def _images(
    intent: ChassisIntent, depot: Depot, known: dict[str, PreflightCheck]
) -> list[PreflightCheck]:
    """Read each file of the store once for all chassis, and compare it with its record."""
    files = [*filter(None, [intent.image]), *intent.smus, *intent.patches]
    told: list[PreflightCheck] = []
    for each in files:
        name = f"{each.name} {each.version}"
        if each.url:
            told.append(warned("image", f"{name} is elsewhere ({each.url}) and was not fetched"))
            continue
        if each.sha256 not in known:
            try:
                depot.verify(StoredFile(each.sha256, each.size))
                known[each.sha256] = passed("image", f"{name}: {each.size} bytes, digest right")
            except BootzError as error:
                known[each.sha256] = failed("image", f"{name}: {error.detail}", error.reason)
        told.append(known[each.sha256])
    return told
