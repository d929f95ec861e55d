"""What the console shows of a router: texts made of its hardware and its record."""

import json
from collections.abc import Iterable, Sequence

from bootz.device.configuration import vendor_text
from bootz.device.hardware import Hardware
from bootz.device.record import card_state
from bootz.device.server_data import find_server_data
from bootz.device.state import RouterState
from bootz.wire.server_data import CardAction, ZtpClient, find_client, yang_text

LOG_LINES = 50

NO_TAM = "this hardware has no TAM: Bootz does not start"


def running_text(hardware: Hardware, state: RouterState) -> str:
    """Return the vendor configuration that runs; empty: none."""
    return vendor_text(hardware.kept("configurations", state.running)) if state.running else ""


def show_ztp(hardware: Hardware) -> str:
    """Return where Bootz stands."""
    state = hardware.load_state()
    record = hardware.record
    vendor = running_text(hardware, state)
    data, client = find_server_data(vendor), find_client(vendor)
    loop = state.no_dhcp
    rows = [
        ("secure mode", "enabled" if record.secure_mode else "disabled"),
        ("hardware TAM", "present" if record.hardware_tam else f"absent; {NO_TAM}"),
        ("phase", state.phase.value),
        ("status", state.status.value),
        ("attempts", f"{state.attempts}, {state.error_count} failed"),
        ("last server", state.uri or "none"),
        ("stored server", data.line if data else "none"),
    ]
    if data is not None:
        rows.append(("as YANG data", yang_text(data, client)))
        rows.append(("failing card", _fate(data.action)))
    if client is not None:
        rows.append(("bootz client", _client(client)))
    rows.append(("no-dhcp", f"{loop.uri} over {loop.interface}" if loop else "not in use"))
    if state.reason:
        rows.append(("last failure", f"{state.reason}: {state.message}"))
    return _table(rows)


def show_ztp_state(hardware: Hardware) -> str:
    """Return the telemetry of ``/system/bootz/state``."""
    state = hardware.load_state()
    last = state.last_boot_attempt
    return _table(
        [
            ("status", state.status.value),
            ("error-count", str(state.error_count)),
            ("last-boot-attempt", "none" if last is None else last.isoformat()),
            ("checksum", state.checksum or "none"),
        ]
    )


def show_ztp_checks(hardware: Hardware) -> str:
    """Return the checks of the last answer."""
    checks = hardware.load_state().checks
    lines = [f"{check.name:<20}{check.outcome.value:<10}{check.seen}".rstrip() for check in checks]
    return "\n".join(lines) or "no answer was checked yet"


def show_log(hardware: Hardware) -> str:
    """Return the latest lines of the router's log."""
    return "\n".join(hardware.log_lines()[-LOG_LINES:])


def show_version(hardware: Hardware, hostname: str) -> str:
    """Return the software that runs, and the chassis."""
    record, image = hardware.record, hardware.load_state().image
    return _table(
        [
            ("software", "none" if image is None else f"{image.name} {image.version}"),
            ("hostname", hostname),
            ("manufacturer", record.manufacturer),
            ("platform", record.part_number),
            ("serial number", record.serial_number or record.active.serial_number),
            ("hardware TAM", "present" if record.hardware_tam else "absent"),
        ]
    )


def show_platform(hardware: Hardware) -> str:
    """Return every slot with its card, and how that is."""
    record, state = hardware.record, hardware.load_state()
    lines = [f"{'SLOT':<6}{'TYPE':<9}{'SERIAL':<20}{'STATE':<12}REASON"]
    for slot in record.slots or [card.name for card in record.cards]:
        card = record.card_in(slot)
        if card is None:
            lines.append(f"{slot:<6}{'':<9}{'':<20}empty")
            continue
        note = state.note_of(card.token)
        word = card_state(hardware, state, card)
        if card == record.active:
            word = "active"
        reason = note.reason if note else ""
        row = f"{slot:<6}{card.kind.value:<9}{card.serial_number:<20}{word:<12}{reason}"
        lines.append(row.rstrip())
    return "\n".join(lines)


def show_inventory(hardware: Hardware) -> str:
    """Return part and serial number of the chassis and of each card."""
    record = hardware.record
    rows = [("chassis", record.part_number, record.serial_number)]
    rows += [(card.name, card.part_number, card.serial_number) for card in record.cards]
    return "\n".join(f"NAME: {name:<10}PID: {pid:<16}SN: {serial}" for name, pid, serial in rows)


def show_running(hardware: Hardware, section: str = "") -> str:
    """Return the configuration that runs, or the lines of it that begin with a section's words."""
    state = hardware.load_state()
    if not state.running:
        return "! there is no configuration"
    vendor = running_text(hardware, state)
    if section:
        return _section(vendor, section)
    parts = [vendor.rstrip("\n")]
    if tree := json.loads(hardware.kept("configurations", state.running)).get("openconfig"):
        parts += ["! OpenConfig", json.dumps(tree, indent=1, sort_keys=True)]
    return "\n".join(part for part in parts if part) or "! the configuration is empty"


def changes(before: str, after: str) -> str:
    """Return the lines that a commit would add, and those that it would remove, with ``no``."""
    old, new = before.splitlines(), after.splitlines()
    removed = [f"no {line}" for line in old if line not in new]
    added = [line for line in new if line not in old]
    return "\n".join([*removed, *added]) or "! there are no uncommitted changes"


def hostname_in(text: str) -> str:
    """Return the host name in a vendor configuration, ``ios`` where it has none."""
    names = [line.split()[1:2] for line in text.splitlines() if line.startswith("hostname ")]
    return names[-1][0] if names and names[-1] else "ios"


def _section(vendor: str, section: str) -> str:
    found: list[str] = []
    inside = False
    for line in vendor.splitlines():
        if not line[:1].isspace():
            inside = _begins(line.split(), section.split())
        if inside:
            found.append(line)
    if _begins(["ztp", "bootz-server"], section.split()):
        # Both forms, whichever of them the router was given.
        data, client = find_server_data(vendor), find_client(vendor)
        found = [line for line in found if not _begins(line.split(), ["ztp", "bootz-server"])]
        found += [] if data is None else [data.line]
        if data is not None or client is not None:
            found.append(f"! as YANG data: {yang_text(data, client)}")
    return "\n".join(found) or f"! there is no {section!r} in the configuration"


def _begins(words: Sequence[str], wanted: Sequence[str]) -> bool:
    pairs = zip(wanted, words, strict=False)
    return len(words) >= len(wanted) and all(word.startswith(want) for want, word in pairs)


def _fate(action: CardAction) -> str:
    return "is shut down" if action is CardAction.SHUTDOWN else "is left running (action none)"


def _client(client: ZtpClient) -> str:
    interface = f"interface {client.interface}, " if client.interface else ""
    return f"{interface}VRF {client.vrf}"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    kept = list(rows)
    width = max(14, *(len(name) + 1 for name, _ in kept))
    return "\n".join(f"{name:<{width}}{value}" for name, value in kept)
