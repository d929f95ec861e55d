"""The router's console: the commands of the vendor's guide, one line at a time.

A console is a second pair of hands: it changes the chassis, or places orders, and rings the
bell. So it works the same whether the router runs in another process or not at all.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from bootz.device.bell import ring
from bootz.device.configuration import vendor_text
from bootz.device.events import Notify
from bootz.device.hardware import Hardware
from bootz.device.orders import Order, OrderVerb, obey, pending, place
from bootz.device.record import card_state
from bootz.device.server_data import find_server_data, parse_server_line, without_server_line
from bootz.device.state import RouterState
from bootz.errors import BootzError, ConfigError, ConflictError
from bootz.wire.uri import parse_bootz_uri

PROMPT = "RP/0/RP0/CPU0:ios"
MAX_LINE = 4096
OBEY_SECONDS = 30.0
"""How long a console waits for a running router to do what it was told."""

LOG_LINES = 50

_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9/._:-]{0,63}")
_HOSTNAME = re.compile(r"hostname ([A-Za-z0-9][A-Za-z0-9.-]{0,62})")
_NO_DHCP = re.compile(
    r"bootz no-dhcp initiate(?= .*--src_interface)(?= .*--bootz_uri)"
    r"(?: --(?:src_interface|bootz_uri)[ =]\S+){2}"
)

_AT_POWER_ON = frozenset({OrderVerb.RELOAD, OrderVerb.NO_DHCP_INITIATE, OrderVerb.NO_DHCP_RESET})

EXEC_HELP = """\
ztp secure-mode enable|disable     whether Bootz runs at power-on; then reload
bootz no-dhcp initiate --src_interface IF --bootz_uri URI
bootz no-dhcp reset|terminate      end it: remove everything, or keep the configuration
config                             change the configuration
show ztp|platform|running-config|logging
reload                             restart the router
factory-reset                      remove configuration and history
exit"""

CONFIG_HELP = """\
ztp bootz-server ip ADDRESS port PORT trust-anchor FILE
no ztp bootz-server
hostname NAME
show                               the configuration as it would be
commit                             apply the changes
abort                              discard the changes
exit"""


class Console:
    """One session at a router's console.

    Args:
        notify: told what is done on the disk of a router that no process runs.
        clock: aware UTC now.
    """

    def __init__(
        self, hardware: Hardware, notify: Notify, *, clock: Callable[[], datetime]
    ) -> None:
        self._hardware = hardware
        self._notify = notify
        self._clock = clock
        self._candidate: str | None = None
        self.closed = False

    @property
    def prompt(self) -> str:
        """What stands before the next command."""
        return f"{PROMPT}#" if self._candidate is None else f"{PROMPT}(config)#"

    def execute(self, line: str) -> str:
        """Run one command, and return what it prints, without a line end.

        Raises:
            BootzError: no such command, or it cannot be done.
        """
        if len(line) > MAX_LINE or not line.isprintable():
            raise ConfigError(
                "console-command", "a command must be one printable line", where="line"
            )
        words = line.split()
        if not words or words[0].startswith("!"):
            return ""
        plain = " ".join(words)
        self._hardware.reload()
        if self._candidate is None:
            return self._exec(plain)
        return self._configure(plain, self._candidate)

    def _exec(self, line: str) -> str:
        match line.split():
            case ["?"] | ["help"]:
                return EXEC_HELP
            case ["exit" | "quit" | "end"]:
                self.closed = True
                return ""
            case ["config" | "configure"] | ["configure", "terminal"]:
                self._candidate = self._vendor_text(self._hardware.load_state())
                return ""
            case ["ztp", "secure-mode", ("enable" | "disable") as word]:
                self._hardware.set_secure_mode(enabled=word == "enable")
                ring(self._hardware.folder)
                return f"secure mode is {word}d; `reload` to make it effective"
            case ["show", "ztp"]:
                return self._show_ztp()
            case ["show", "platform"]:
                return self._show_platform()
            case ["show", "running-config"]:
                return self._show_configuration()
            case ["show", "logging"]:
                return "\n".join(self._hardware.log_lines()[-LOG_LINES:])
            case ["reload"]:
                return self._order(Order(OrderVerb.RELOAD), "the router restarts")
            case ["factory-reset"] | ["factory", "reset"]:
                return self._order(Order(OrderVerb.FACTORY_RESET), "the router is in factory state")
            case ["bootz", "no-dhcp", "initiate", *_]:
                return self._initiate(line)
            case ["bootz", "no-dhcp", "reset"]:
                return self._end(
                    OrderVerb.NO_DHCP_RESET, "parameters and configuration are removed"
                )
            case ["bootz", "no-dhcp", "terminate"]:
                return self._end(OrderVerb.NO_DHCP_TERMINATE, "the loop is stopped")
        raise _unknown(line, EXEC_HELP)

    def _configure(self, line: str, candidate: str) -> str:
        match line.split():
            case ["?"] | ["help"]:
                return CONFIG_HELP
            case ["exit" | "end" | "quit" | "abort"]:
                changed = candidate != self._vendor_text(self._hardware.load_state())
                self._candidate = None
                return "the changes are discarded" if changed else ""
            case ["show"]:
                return candidate.rstrip("\n")
            case ["commit"]:
                return self._order(Order(OrderVerb.COMMIT, text=candidate), "committed")
            case ["no", "ztp", "bootz-server", *_]:
                self._candidate = without_server_line(candidate)
                return ""
        if data := parse_server_line(line, "ztp bootz-server"):
            self._candidate = f"{without_server_line(candidate)}{data.line}\n"
            return ""
        if _HOSTNAME.fullmatch(line):
            kept = [each for each in candidate.splitlines() if not each.startswith("hostname ")]
            self._candidate = "".join(f"{each}\n" for each in [line, *kept])
            return ""
        raise _unknown(line, CONFIG_HELP)

    def _initiate(self, line: str) -> str:
        if not _NO_DHCP.fullmatch(line):
            raise _unknown(line, "bootz no-dhcp initiate --src_interface IF --bootz_uri URI")
        words = line.replace("=", " ", 2).split()[3:]
        given = dict(zip(words[::2], words[1::2], strict=True))
        interface, uri = given["--src_interface"], parse_bootz_uri(given["--bootz_uri"])
        if not _INTERFACE.fullmatch(interface):
            raise ConfigError(
                "console-command",
                "this is not an interface name",
                where="--src_interface",
                seen=interface,
            )
        if self._hardware.load_state().no_dhcp is not None:
            raise ConflictError(
                "no-dhcp-running", "a loop without DHCP is already running", where="bootz no-dhcp"
            )
        order = Order(OrderVerb.NO_DHCP_INITIATE, interface=interface, uri=str(uri))
        return self._order(order, f"asking {uri} without DHCP")

    def _end(self, verb: OrderVerb, told: str) -> str:
        if self._hardware.load_state().no_dhcp is None and verb is OrderVerb.NO_DHCP_TERMINATE:
            raise ConflictError(
                "no-dhcp-none", "no loop without DHCP is running", where="bootz no-dhcp"
            )
        return self._order(Order(verb), told)

    def _order(self, order: Order, told: str) -> str:
        """Have it done: by the router if it runs, else on its disk."""
        hardware = self._hardware
        place(hardware, order)
        deadline = time.monotonic() + OBEY_SECONDS
        while pending(hardware):
            try:
                with hardware.powered():
                    _, refused = obey(hardware, hardware.load_state(), self._log)
            except ConflictError:
                ring(hardware.folder)
            else:
                if refused:
                    raise refused[-1]
                if order.verb in _AT_POWER_ON:
                    return f"{told}, as soon as it is powered on: `bootz router boot`"
                return told
            if time.monotonic() > deadline:
                return "the router has not executed this yet; it will"
            time.sleep(0.02)
        return told

    def _log(self, event: str, fields: Mapping[str, object]) -> None:
        self._hardware.log(self._clock(), event, fields)
        self._notify(event, fields)

    def _show_ztp(self) -> str:
        state = self._hardware.load_state()
        data = find_server_data(self._vendor_text(state))
        loop = state.no_dhcp
        rows = [
            ("secure mode", "enabled" if self._hardware.record.secure_mode else "disabled"),
            ("phase", state.phase.value),
            ("status", state.status.value),
            ("attempts", f"{state.attempts}, {state.error_count} failed"),
            ("last server", state.uri or "none"),
            ("stored server", data.line if data else "none"),
            ("no-dhcp", f"{loop.uri} over {loop.interface}" if loop else "not in use"),
        ]
        if state.reason:
            rows.append(("last failure", f"{state.reason}: {state.message}"))
        return "\n".join(f"{name:<14}{value}" for name, value in rows)

    def _show_platform(self) -> str:
        record = self._hardware.record
        state = self._hardware.load_state()
        lines = [f"{'SLOT':<6}{'TYPE':<9}{'SERIAL':<20}{'STATE':<12}REASON"]
        for slot in record.slots or [card.name for card in record.cards]:
            card = record.card_in(slot)
            if card is None:
                lines.append(f"{slot:<6}{'':<9}{'':<20}empty")
                continue
            note = state.note_of(card.token)
            word = card_state(self._hardware, state, card)
            if card == record.active:
                word = "active"
            reason = note.reason if note else ""
            row = f"{slot:<6}{card.kind.value:<9}{card.serial_number:<20}{word:<12}{reason}"
            lines.append(row.rstrip())
        return "\n".join(lines)

    def _show_configuration(self) -> str:
        state = self._hardware.load_state()
        if not state.running:
            return "! there is no configuration"
        document = json.loads(self._hardware.kept("configurations", state.running))
        parts = [self._vendor_text(state).rstrip("\n")]
        if tree := document.get("openconfig"):
            parts += ["! OpenConfig", json.dumps(tree, indent=1, sort_keys=True)]
        return "\n".join(part for part in parts if part) or "! the configuration is empty"

    def _vendor_text(self, state: RouterState) -> str:
        if not state.running:
            return ""
        return vendor_text(self._hardware.kept("configurations", state.running))


def _unknown(line: str, expected: str) -> BootzError:
    return ConfigError(
        "console-command",
        f"the console does not know {line[:200]!r}",
        where="console",
        expected=expected,
        seen=line[:200],
    )
