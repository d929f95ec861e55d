"""What a router tells of itself, for a person or a program: its telemetry, and more."""

from dataclasses import asdict

from bootz.device.hardware import BuiltCard, Hardware
from bootz.device.onboarding import BootResult
from bootz.device.state import Phase, RouterState


def boot_record(
    hardware: Hardware, state: RouterState, result: BootResult, seconds: float
) -> dict[str, object]:
    """Return the account of one power-on; ``seconds`` is how long it took."""
    return {**_common(hardware, state), "result": result.value, "seconds": round(seconds, 3)}


def state_record(hardware: Hardware, state: RouterState) -> dict[str, object]:
    """Return the router's present state, with ``/system/bootz/state`` as a part."""
    record = hardware.record
    return {
        **_common(hardware, state),
        "manufacturer": record.manufacturer,
        "part_number": record.part_number,
        "modular": record.modular,
        "secure_mode": record.secure_mode,
        "hardware_tam": record.hardware_tam,
        "legacy": record.legacy,
        "operational": state.phase is Phase.OPERATIONAL,
        "phase": state.phase,
        "cards": [_card(hardware, state, card) for card in record.cards],
        "empty_slots": [slot for slot in record.slots if record.card_in(slot) is None],
        "no_dhcp": None
        if state.no_dhcp is None
        else {"interface": state.no_dhcp.interface, "uri": state.no_dhcp.uri},
        "bootz": {
            "status": state.status,
            "error-count": state.error_count,
            "last-boot-attempt": state.last_boot_attempt,
            "checksum": state.checksum,
        },
    }


def card_state(hardware: Hardware, state: RouterState, card: BuiltCard) -> str:
    """Return in a word how a card is: ``off``, ``waiting``, or what became of it."""
    if not card.powered:
        return "off"
    note = state.note_of(card.token)
    if note is not None:
        return note.condition.value
    return "active" if card == hardware.record.active else "waiting"


def _card(hardware: Hardware, state: RouterState, card: BuiltCard) -> dict[str, object]:
    note = state.note_of(card.token)
    return {
        "name": card.name,
        "kind": card.kind,
        "slot": card.slot,
        "serial_number": card.serial_number,
        "part_number": card.part_number,
        "state": card_state(hardware, state, card),
        "owned": hardware.card(card).owned(),
        "reason": "" if note is None else note.reason,
        "tpm": None if (tpm := hardware.card(card).tpm()) is None else tpm.record(),
    }


def _common(hardware: Hardware, state: RouterState) -> dict[str, object]:
    image = state.image
    return {
        "serial_number": hardware.record.serial_number or hardware.record.cards[0].serial_number,
        "dialect": state.dialect,
        "uri": state.uri,
        "dhcp": None if state.discovery is None else asdict(state.discovery),
        "statuses": list(state.statuses),
        "status": state.status,
        "attempts": state.attempts,
        "error_count": state.error_count,
        "last_boot_attempt": state.last_boot_attempt,
        "checksum": state.checksum,
        "image": None
        if image is None
        else {"name": image.name, "version": image.version, "sha256": image.sha256},
        "configuration_sha256": state.running,
        "script_sha256": state.script_sha256,
        "reason": state.reason,
        "message": state.message,
        "checks": [
            {
                "name": check.name,
                "outcome": check.outcome,
                "expected": check.expected,
                "seen": check.seen,
            }
            for check in state.checks
        ],
    }
