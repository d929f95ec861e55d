"""A turn-up night in a database: routers in every state, strangers, a card that waits, users."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import insert, update
from store.world import call, maker, owner, refusal, report

from bootz.cli.site.image_target import image_target
from bootz.config.site import SiteConfig
from bootz.config.sources import SourceSettings
from bootz.errors import ConfigError
from bootz.model.bootstrap import ReportedStatus
from bootz.model.chassis import BootMode, CardStatus, ClaimedCard
from bootz.model.checks import STRANGER, Check, Outcome
from bootz.server.api.auth.accounts import add_account
from bootz.server.api.auth.passwords import hash_password
from bootz.server.api.auth.roles import OperatorRole
from bootz.server.key_roles import KeyRole
from bootz.server.operations.chassis import add_all_chassis, list_chassis
from bootz.server.operations.chassis_record import CardRecord, ChassisRecord
from bootz.server.operations.holds import hold_chassis
from bootz.server.operations.images import ImageRecord, add_image
from bootz.server.operations.profiles import ProfileRecord, add_profile
from bootz.server.operations.site_certificates import (
    SiteCertificate,
    read_site_certificates,
    store_site_certificates,
)
from bootz.server.operations.vendors import add_vendor
from bootz.server.operations.vouchers.storing import store_voucher
from bootz.server.ports import CallRecord
from bootz.server.rendering.preview import PreviewTerms, preview_chassis
from bootz.server.rendering.reached import reached_of
from bootz.server.sources.mapping import DeviceFault
from bootz.server.sources.markers import Marker, add_markers, fault_row, note_success
from bootz.server.sources.pulled import (
    Pulled,
    PulledDevice,
    SourceName,
    copy_path,
    write_copy,
)
from bootz.server.store.attempt_log import AttemptLog, Entry, JournalLimits
from bootz.server.store.database import Database
from bootz.server.store.entries import DownloadRecord
from bootz.server.store.schema import ACCOUNT, WEBHOOK_DELIVERY
from bootz.sql.times import to_text

PASSWORD = "correct horse battery"
SIZE = 64 << 20

_CHECKS = (
    Check("client-certificate", Outcome.PASSED, "", "ab" * 32),
    Check("chassis-on-record", Outcome.PASSED, "", "Acme"),
    Check("idevid-chain", Outcome.PASSED, "a CA of Acme", "ab" * 32),
    Check("idevid-serial", Outcome.PASSED, "", "the same"),
    Check("nonce", Outcome.PASSED, "", "present"),
)
_NO_VOUCHER = Check("voucher", Outcome.FAILED, "a voucher that pins the owner", "none is stored")

Plan = Sequence[tuple[str, int]]
NIGHT: Plan = (
    ("ready", 17),
    ("applying", 4),
    ("image", 5),
    ("sent", 2),
    ("proved", 1),
    ("connected", 1),
    ("expected", 10),
    ("failed", 3),
    ("stuck", 2),
    ("on-hold", 3),
)
"""How many routers are where; 48 in all."""


SWAPPED = "SWAP1"
"""The serial number of a box that came in place of a planned one."""


def write(database: Database, entries: Sequence[Entry]) -> None:
    """Put entries in the journal."""
    log = AttemptLog(JournalLimits())
    with database.write_journal() as connection:
        log.write(connection, entries)


_hashed = cache(lambda: hash_password(PASSWORD, ""))


def people(database: Database, now: datetime) -> None:
    """Make an account of each role, named after it; one slow hash for all of them."""
    with database.write() as connection:
        for role in OperatorRole:
            add_account(connection, role.value, role, now=now)
        connection.execute(update(ACCOUNT).values(password=_hashed()))


def inventory(database: Database, count: int, *, markup: str = "") -> list[tuple[int, str]]:
    """Put vendor, image, profile and routers on record; return their keys and serial numbers."""
    acme = maker()
    with database.write() as connection:
        add_vendor(connection, acme.vendor)
        add_image(
            connection,
            ImageRecord.from_document(
                {
                    "name": "lab-os",
                    "version": "2.0",
                    "file_name": "lab-os-2.0.img",
                    "size": SIZE,
                    "sha256": "5a" * 32,
                    "added_at": "2026-11-27T12:00:00Z",
                }
            ),
        )
        add_profile(
            connection,
            ProfileRecord.from_document(
                {
                    "name": "access",
                    "description": "Access routers, one uplink",
                    "image": {"name": "lab-os", "version": "2.0"},
                    "vendor_config": "hostname {{ chassis.hostname }}\n!\nbanner motd # {{ "
                    "variables.site }} #\n!\ninterface MgmtEth0/RP0/CPU0/0\n "
                    "ipv4 address dhcp\n!\n",
                    "variables": {"site": "Oslo"},
                }
            ),
        )
        add_all_chassis(
            connection,
            [
                ChassisRecord(
                    "Acme",
                    f"FX{number:05d}",
                    hostname=f"{'osl' if number % 2 else 'ber'}-edge-{number:03d}{markup}",
                    part_number="RT-1",
                    profile="access",
                    labels={
                        "site": ("osl" if number % 2 else "ber") + markup,
                        "rack": f"r{number % 4 + 1}",
                        "batch": "7",
                    },
                )
                for number in range(1, count + 1)
            ],
        )
        return [(each.key, each.serial_number) for each in list_chassis(connection)]


def _answered(key: int, serial: str, at: datetime) -> CallRecord:
    checks = (*_CHECKS, Check("voucher", Outcome.PASSED, "", serial.lower()))
    return call(
        serial,
        at=at,
        chassis_key=key,
        checks=checks,
        nonce_digest=f"n{key}",
        written="current",
        sent={"payload_sha256": "84" * 32, "signed": "yes", "answer_bytes": 6572},
    )


def _loaded(tag: str, at: datetime, octets: int) -> DownloadRecord:
    whole = octets == SIZE
    return DownloadRecord(
        at, tag, "5a" * 32, "lab-os-2.0.img", "192.0.2.7:4", 0, octets, SIZE, whole, whole
    )


def entries_of(
    state: str, key: int, serial: str, tag: str, now: datetime, ago: float, words: str
) -> Iterable[Entry]:
    """Return what a router did that stands in a state, the last of it ``ago`` minutes before."""
    end = now - timedelta(minutes=ago)
    begin = end - timedelta(minutes=4)
    initiated = report(
        ReportedStatus.INITIATED,
        serial,
        at=begin + timedelta(seconds=3),
        chassis_key=key,
        card=CardStatus.NOT_INITIALIZED,
        message="onboarding started",
    )
    match state:
        case "connected":
            yield refusal(serial, "database-unavailable", at=end)
        case "proved":
            yield refusal(serial, "database-unavailable", at=end, chassis_key=key)
        case "sent":
            yield _answered(key, serial, end)
        case "image":
            yield _answered(key, serial, begin)
            yield initiated
            yield _loaded(tag, end, SIZE * 2 // 3)
        case "applying" | "stuck":
            yield _answered(key, serial, begin)
            yield replace(initiated, at=end)
            yield _loaded(tag, end, SIZE)
        case "ready":
            yield _answered(key, serial, begin)
            yield initiated
            yield _loaded(tag, begin + timedelta(minutes=2), SIZE)
            yield report(
                ReportedStatus.SUCCESS,
                serial,
                at=end,
                chassis_key=key,
                message="the router is operational" + words,
            )
        case "failed" if key % 2:
            yield refusal(
                serial,
                "voucher-missing",
                at=end,
                chassis_key=key,
                checks=(*_CHECKS, _NO_VOUCHER),
            )
        case "failed":
            yield _answered(key, serial, begin)
            yield report(
                ReportedStatus.FAILURE,
                serial,
                at=end,
                chassis_key=key,
                message="commit failed: line 41, invalid input" + words,
            )


def fill(
    database: Database, now: datetime, *, plan: Plan = NIGHT, markup: str = ""
) -> list[tuple[int, str]]:
    """Make a night out of a plan, and return keys and serial numbers in its order."""
    routers = inventory(database, sum(count for _, count in plan), markup=markup)
    states = [state for state, count in plan for _ in range(count)]
    with database.read() as connection:
        tags = {each.key: each.url_tag for each in list_chassis(connection)}
    entries: list[Entry] = []
    for number, (state, (key, serial)) in enumerate(zip(states, routers, strict=True)):
        ago = 55.0 if state == "stuck" else 0.5 + number * 1.2 if state == "ready" else 1.0
        entries += entries_of(state, key, serial, tags[key], now, ago, markup)
    for number in (1, 2):
        entries.append(
            replace(
                refusal(
                    f"ZZ9000{number}{markup}",
                    "chassis-unknown",
                    at=now - timedelta(minutes=number * 9),
                    peer=f"192.0.2.5{number}:4000",
                    idevid_fingerprint="cd" * 32,
                ),
                detail="no chassis has this serial number" + markup,
            )
        )
    write(database, sorted(entries, key=lambda each: each.at))
    held = [key for state, (key, _) in zip(states, routers, strict=True) if state == "on-hold"]
    with database.write() as connection:
        hold_chassis(connection, held, "no power until Monday" + markup, now=now)
    return routers


def vouchers(database: Database, serials: Iterable[str], now: datetime) -> None:
    """Store a voucher for each serial number, as the manufacturer issued it to the owner."""
    for number, serial in enumerate(serials):
        ends = now + timedelta(days=9 if number == 1 else 60 + number)
        raw = maker().voucher(serial, owner().der, expires=ends)
        with database.write() as connection:
            store_voucher(connection, raw, now=now, pinned_domain_cert=owner().der)


def sent(database: Database, key: int, at: datetime) -> None:
    """Let a router get what its record says; the site's certificates are published."""
    with database.read() as connection:
        anchor = read_site_certificates(connection).trust_anchor
        terms = PreviewTerms(reached_of(SiteConfig(), image_target), anchor, ("192.0.2.9", 15006))
        preview = preview_chassis(connection, key, terms)
    serial = preview.chassis.serial_number
    made = _answered(key, serial, at)
    write(
        database,
        [
            replace(
                made,
                content=preview.body,
                content_sha256=hashlib.sha256(preview.body).hexdigest(),
                reached_at=terms.reached_at,
            )
        ],
    )


def modular(database: Database, now: datetime) -> int:
    """Put a modular chassis on record that has listed a card which is not; return its key."""
    cards = (CardRecord("RP-1", "RP", "RP0"), CardRecord("RP-2", "RP", "RP1"))
    with database.write() as connection:
        made = ChassisRecord("Acme", "MOD1", hostname="osl-core-1", modular=True, cards=cards)
        add_all_chassis(connection, [made])
        key = next(each.key for each in list_chassis(connection) if each.serial_number == "MOD1")
    foreign = (ClaimedCard("RP-9", "RP", "RP1"),)
    write(database, [call("RP-1", at=now, chassis_key=key, foreign_cards=foreign)])
    return key


def insecure(database: Database) -> None:
    """Put a chassis on record that is served without proofs."""
    with database.write() as connection:
        made = ChassisRecord(
            "Acme", "OPEN1", hostname="lab-bench-1", boot_mode=BootMode.INSECURE, profile="access"
        )
        add_all_chassis(connection, [made])


def certificates(database: Database, pinned: bytes) -> None:
    """Publish certificates of the site, as its server does when it starts."""
    with database.write() as connection:
        store_site_certificates(
            connection,
            [
                SiteCertificate(role, role.value, "in force", "in a file", (pinned,))
                for role in KeyRole
            ],
        )


SOURCE = SourceSettings.model_validate(
    {
        "name": "netbox",
        "kind": "netbox",
        "url": "https://netbox.example.net",
        "token_file": "netbox-token",
        "select": {"status": ["planned"]},
    }
)


def planned(database: Database, root: Path, now: datetime) -> None:
    """Let the routers be planned in NetBox, which was read a minute ago; two have faults there."""
    with database.write() as connection:
        found = tuple(list_chassis(connection))
        devices = [
            PulledDevice(
                id=str(number),
                url=f"{SOURCE.url}/dcim/devices/{number}/",
                name=each.hostname,
                serial=each.serial_number,
                status=SourceName("Planned", "planned"),
            )
            for number, each in enumerate(found, 101)
        ]
        add_markers(
            connection,
            [
                Marker(each.key, SOURCE.name, device.id, device.url, "planned", "{}")
                for each, device in zip(found, devices, strict=True)
            ],
        )
        faults = [
            ConfigError("source-no-serial", "it has no serial number", where="serial"),
            ConfigError("source-no-profile", "no rule fits it", where="role edge"),
        ]
        rows = [
            fault_row(
                DeviceFault(key, f"osl-edge-{key}", f"{SOURCE.url}/dcim/devices/{key}/", fault)
            )
            for key, fault in zip(("301", "302"), faults, strict=True)
        ]
        note_success(connection, SOURCE.name, rows, reached=True)
    pulled = Pulled("NetBox", "4.1.4", now - timedelta(minutes=1), tuple(devices))
    write_copy(copy_path(root, SOURCE.name), pulled)


def dead_letter(database: Database, now: datetime) -> None:
    """Let a delivery of the first webhook be given up."""
    with database.write() as connection:
        connection.execute(
            insert(WEBHOOK_DELIVERY).values(
                webhook_id=1,
                event_id=1,
                type="bootz.refused",
                lane="FX1",
                body=b"{}",
                state="dead",
                tries=12,
                since=to_text(now - timedelta(days=1)),
                next_at=to_text(now),
                error="no answer from hooks.example.net",
            )
        )


def stranger(serial: str, at: datetime, *, detail: str = "") -> CallRecord:
    """Return the call of a router that is not on record."""
    return replace(refusal(serial, "chassis-unknown", at=at, peer="192.0.2.66:4"), detail=detail)


def swapped(database: Database, at: datetime) -> None:
    """Let a box come that proves itself and is not on record."""
    proof = Check(STRANGER, Outcome.PASSED, "", "Acme")
    call = refusal(SWAPPED, "chassis-unknown", at=at, peer="192.0.2.77:4")
    write(database, [replace(call, proven_serial=SWAPPED, checks=(proof,))])
