"""The router's console: the commands of the vendor's guide, one line at a time.

A console is a second pair of hands: it changes the chassis, or places orders, and rings the
bell. So it works the same whether the router runs in another process or not at all.
"""

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from bootz.device.bell import ring
from bootz.device.configuration import with_vendor_text
from bootz.device.console import shows
from bootz.device.console.grammar import ConsoleCommand, Grammar, UnknownCommand, Values
from bootz.device.console.pasting import bare, joins
from bootz.device.events import Notify
from bootz.device.hardware import Hardware
from bootz.device.orders import Order, OrderVerb, obey, pending, place
from bootz.device.server_data import parse_server_line
from bootz.errors import ConfigError, ConflictError, PolicyError
from bootz.wire.server_data import without_server_data
from bootz.wire.uri import parse_bootz_uri

MAX_LINE = 4096
MAX_HISTORY = 256
OBEY_SECONDS = 30.0
"""How long a console waits for a running router to do what it was told."""

LEAVING = "Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]: "

_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9/._:-]{0,63}")
_HOSTNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}")
_INITIATE_FORM = "bootz no-dhcp initiate --src_interface IF --bootz_uri URI"
_NO_DHCP = re.compile(
    r"(?=.*--src_interface)(?=.*--bootz_uri)(?:--(?:src_interface|bootz_uri)[ =]\S+ ?){2}"
)

_AT_POWER_ON = frozenset(
    {OrderVerb.RELOAD, OrderVerb.NO_DHCP_INITIATE, OrderVerb.NO_DHCP_RESET, OrderVerb.ZTP_INITIATE}
)


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
        self._leaving: Callable[[], None] | None = None
        self._cut = ""
        self._history: list[str] = []
        self._exec = Grammar(self._exec_commands())
        self._config = Grammar(self._config_commands())
        self.closed = False

    @property
    def prompt(self) -> str:
        """What stands before the next command, or the question that waits for its answer."""
        if self._leaving is not None:
            return LEAVING.rstrip()
        hostname = shows.hostname_in(self._running())
        mode = "" if self._candidate is None else "(config)"
        return f"RP/0/{self._hardware.record.active.name}/CPU0:{hostname}{mode}#"

    @property
    def uncommitted(self) -> bool:
        """Whether there are changes that nothing has committed."""
        return self._candidate is not None and self._candidate != self._running()

    def is_cut(self, line: str) -> bool:
        """Tell whether a line lacks only a value at its end, as a line that was broken does."""
        words = bare(line)
        if self._leaving is not None or not words or words.endswith("?"):
            return False
        grammar, rest = self._reading(words)
        return grammar.is_cut(rest)

    def completions(self, line: str) -> list[str]:
        """Return how the last word of a line may be completed."""
        if self._leaving is not None:
            return []
        grammar, rest = self._reading(bare(line) + line[len(line.rstrip()) :])
        return grammar.completions(rest)

    def help(self, line: str) -> str:
        """Return what may follow a line (``?``).

        Raises:
            BootzError: it is not a command so far.
        """
        grammar, rest = self._reading(line)
        return grammar.help(rest)

    def execute(self, line: str) -> str:
        """Run one command, and return what it prints, without a line end.

        Raises:
            BootzError: no such command, or it cannot be done.
        """
        if len(line) > MAX_LINE or not line.replace("\t", " ").isprintable():
            raise ConfigError(
                "console-command", "a command must be one printable line", where="line"
            )
        line = line.replace("\t", " ")
        self._hardware.reload()
        if self._leaving is not None:
            return self._answered(line.strip(), self._leaving)
        cut, self._cut = self._cut, ""
        if cut and joins(cut, line):
            line = f"{cut} {line.strip()}"
        plain = bare(line)
        if not plain or plain.startswith("!"):
            return ""
        if plain.endswith("?"):
            return self.help(plain[:-1])
        self._history = [*self._history, plain][-MAX_HISTORY:]
        command, *filters = re.split(r"\s\|\s", plain)
        grammar, rest = self._reading(command)
        try:
            told = grammar.run(rest)
        except UnknownCommand as error:
            self._cut = line if error.cut else ""
            raise
        for each in filters:
            told = _filtered(told, each)
        return told

    def _reading(self, line: str) -> tuple[Grammar, str]:
        """Return what reads a line; ``do`` in front of it is for the other mode."""
        if self._candidate is None:
            return self._exec, line
        word, blank, rest = line.lstrip().partition(" ")
        return (self._exec, rest) if word == "do" and blank else (self._config, line)

    def _exec_commands(self) -> list[ConsoleCommand]:
        hardware = self._hardware
        rows: list[tuple[str, str, Callable[[Values], str]]] = [
            ("show ztp", "where Bootz stands", lambda _: shows.show_ztp(hardware)),
            ("show ztp state", "/system/bootz/state", lambda _: shows.show_ztp_state(hardware)),
            ("show ztp checks", "the last answer's", lambda _: shows.show_ztp_checks(hardware)),
            ("show ztp log", "the latest events", lambda _: shows.show_log(hardware)),
            ("show platform", "slots and cards", lambda _: shows.show_platform(hardware)),
            ("show inventory", "part and serial numbers", lambda _: shows.show_inventory(hardware)),
            ("show version", "software and chassis", lambda _: self._show_version()),
            (
                "show running-config [SECTION...]",
                "the configuration, or a section of it",
                lambda values: shows.show_running(hardware, values.get("SECTION", "")),
            ),
            ("show logging", "the latest events", lambda _: shows.show_log(hardware)),
            ("show history", "the commands of this session", lambda _: "\n".join(self._history)),
            ("configure [terminal]", "change the configuration", lambda _: self._begin()),
            (
                "ztp secure-mode enable",
                "let Bootz run at power-on; then reload",
                lambda _: self._set_secure_mode(enabled=True),
            ),
            (
                "ztp secure-mode disable",
                "boot without Bootz; then reload",
                lambda _: self._set_secure_mode(enabled=False),
            ),
            ("ztp initiate [noprompt]", "start Bootz now", lambda _: self._ztp_initiate()),
            ("ztp terminate [noprompt]", "stop Bootz", lambda _: self._ztp_terminate()),
            (
                "ztp clean [noprompt]",
                "remove logs and records of Bootz",
                lambda _: self._order(Order(OrderVerb.ZTP_CLEAN), "records and logs are removed"),
            ),
            ("bootz no-dhcp initiate OPTIONS...", "ask a server without DHCP", self._initiate),
            (
                "bootz no-dhcp reset",
                "end it, remove everything",
                lambda _: self._end(
                    OrderVerb.NO_DHCP_RESET, "parameters and configuration are gone"
                ),
            ),
            (
                "bootz no-dhcp terminate",
                "end it, keep the configuration",
                lambda _: self._end(OrderVerb.NO_DHCP_TERMINATE, "the loop is stopped"),
            ),
            (
                "reload",
                "restart the router",
                lambda _: self._order(Order(OrderVerb.RELOAD), "the router restarts"),
            ),
            ("factory-reset", "remove configuration and history", lambda _: self._reset()),
            ("factory reset", "the same", lambda _: self._reset()),
            ("terminal length LINES", "accepted; nothing is paged", lambda _: ""),
            ("terminal width COLUMNS", "accepted; nothing is broken", lambda _: ""),
            ("help", "these commands", lambda _: self._exec.summary),
            ("exit", "leave the console", lambda _: self._close()),
            ("quit", "leave the console", lambda _: self._close()),
            ("end", "leave the console", lambda _: self._close()),
        ]
        return [ConsoleCommand(*row) for row in rows]

    def _config_commands(self) -> list[ConsoleCommand]:
        hardware = self._hardware
        rows: list[tuple[str, str, Callable[[Values], str]]] = [
            (
                "ztp bootz-server ip ADDRESS port PORT [trust-anchor FILE]",
                "the stored server data",
                self._set_server,
            ),
            ("no ztp bootz-server [OLD...]", "remove them", lambda _: self._drop_server()),
            ("hostname NAME", "the name of the router", self._set_hostname),
            ("no hostname [OLD...]", "remove it", lambda _: self._drop_hostname()),
            ("show", "the configuration as it would be", lambda _: self._merged()),
            ("show configuration", "the uncommitted changes", lambda _: self._changes()),
            ("show configuration merged", "all as it would be", lambda _: self._merged()),
            (
                "show running-config [SECTION...]",
                "the configuration that runs",
                lambda values: shows.show_running(hardware, values.get("SECTION", "")),
            ),
            ("commit", "apply the changes", lambda _: self._commit()),
            ("commit check", "say whether they can be applied", lambda _: self._check()),
            ("clear", "discard the changes and go on", lambda _: self._clear()),
            ("abort", "discard the changes", lambda _: self._abort()),
            ("do COMMAND...", "a command of the other mode", lambda _: ""),
            ("help", "these commands", lambda _: self._config.summary),
            ("exit", "leave the configuration mode", lambda _: self._leave()),
            ("quit", "leave the configuration mode", lambda _: self._leave()),
            ("end", "leave the configuration mode", lambda _: self._leave()),
        ]
        return [ConsoleCommand(*row) for row in rows]

    # The mode of commands

    def _begin(self) -> str:
        self._candidate = self._running()
        return ""

    def _close(self) -> str:
        self.closed = True
        return ""

    def _show_version(self) -> str:
        return shows.show_version(self._hardware, shows.hostname_in(self._running()))

    def _set_secure_mode(self, *, enabled: bool) -> str:
        self._hardware.set_secure_mode(enabled=enabled)
        ring(self._hardware.folder)
        if enabled and not self._hardware.record.hardware_tam:
            return f"secure mode is enabled, but {shows.NO_TAM}"
        word = "enabled" if enabled else "disabled"
        return f"secure mode is {word}; `reload` to make it effective"

    def _ztp_initiate(self) -> str:
        self._require_tam()
        if not self._hardware.record.secure_mode:
            raise PolicyError("ztp-not-secure", "secure mode is not enabled", where="ztp initiate")
        return self._order(Order(OrderVerb.ZTP_INITIATE), "Bootz starts")

    def _ztp_terminate(self) -> str:
        if not self._hardware.load_state().in_progress:
            raise ConflictError("ztp-none", "no Bootz process is running", where="ztp terminate")
        return self._order(Order(OrderVerb.ZTP_TERMINATE), "Bootz is stopped")

    def _reset(self) -> str:
        return self._order(Order(OrderVerb.FACTORY_RESET), "the router is in factory state")

    def _initiate(self, values: Values) -> str:
        given = values["OPTIONS"]
        if not _NO_DHCP.fullmatch(given):
            raise UnknownCommand(
                "the options are not complete", seen=given, expected=_INITIATE_FORM
            )
        words = given.replace("=", " ", 2).split()
        options = dict(zip(words[::2], words[1::2], strict=True))
        interface, uri = options["--src_interface"], parse_bootz_uri(options["--bootz_uri"])
        if not _INTERFACE.fullmatch(interface):
            raise ConfigError(
                "console-command",
                "this is not an interface name",
                where="--src_interface",
                seen=interface,
            )
        self._require_tam()
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

    def _require_tam(self) -> None:
        if not self._hardware.record.hardware_tam:
            raise PolicyError("hardware-tam-missing", shows.NO_TAM, where="hardware TAM")

    # The mode of configuration

    @property
    def _edited(self) -> str:
        return self._candidate or ""

    def _set_server(self, values: Values) -> str:
        line = f"ztp bootz-server ip {values['ADDRESS']} port {values['PORT']}"
        if "FILE" in values:
            line += f" trust-anchor {values['FILE']}"
        data = parse_server_line(line)
        self._candidate = f"{without_server_data(self._edited)}{data.line}\n"
        return ""

    def _drop_server(self) -> str:
        self._candidate = without_server_data(self._edited)
        return ""

    def _set_hostname(self, values: Values) -> str:
        name = values["NAME"]
        if not _HOSTNAME.fullmatch(name):
            raise ConfigError(
                "console-command", "this is not a host name", where="hostname", seen=name[:200]
            )
        self._drop_hostname()
        self._candidate = f"hostname {name}\n{self._edited}"
        return ""

    def _drop_hostname(self) -> str:
        kept = [line for line in self._edited.splitlines() if not line.startswith("hostname ")]
        self._candidate = "".join(f"{line}\n" for line in kept)
        return ""

    def _merged(self) -> str:
        return self._edited.rstrip("\n")

    def _changes(self) -> str:
        return shows.changes(self._running(), self._edited)

    def _check(self) -> str:
        with_vendor_text(None, self._edited)
        return "the configuration can be applied" if self.uncommitted else "there are no changes"

    def _commit(self) -> str:
        if not self.uncommitted and self._hardware.load_state().no_dhcp is None:
            return "there are no changes to commit"
        return self._order(Order(OrderVerb.COMMIT, text=self._edited), "committed")

    def _clear(self) -> str:
        self._candidate = self._running()
        return ""

    def _abort(self) -> str:
        told = "the changes are discarded" if self.uncommitted else ""
        self._candidate = None
        return told

    def _leave(self) -> str:
        if self.uncommitted:
            self._leaving = self._out
        else:
            self._out()
        return ""

    def _out(self) -> None:
        self._candidate = None

    def _answered(self, line: str, leave: Callable[[], None]) -> str:
        """Take the answer to the question about uncommitted changes; anything unclear asks again.

        Raises:
            BootzError: the changes cannot be committed; the session stays where it is.
        """
        answer = line.casefold()
        if answer and "yes".startswith(answer):
            self._leaving = None
            told = self._commit()
            leave()
            return told
        if answer and "no".startswith(answer):
            self._leaving = None
            leave()
            return "the changes are discarded"
        if "cancel".startswith(answer):
            self._leaving = None
            return ""
        return "answer yes, no or cancel"

    # Both

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

    def _running(self) -> str:
        return shows.running_text(self._hardware, self._hardware.load_state())


def _filtered(text: str, how: str) -> str:
    """Return the lines that a filter behind ``|`` leaves.

    Raises:
        UnknownCommand: there is no such filter.
    """
    verb, _, words = how.strip().partition(" ")
    lines, words = text.splitlines(), words.strip()
    kinds = [kind for kind in ("include", "exclude", "begin") if verb and kind.startswith(verb)]
    if len(kinds) != 1 or not words:
        raise UnknownCommand(
            "the filter is not known", seen=how, expected="include, exclude or begin WORDS"
        )
    if kinds == ["begin"]:
        first = next((at for at, line in enumerate(lines) if words in line), len(lines))
        return "\n".join(lines[first:])
    return "\n".join(line for line in lines if (words in line) is (kinds == ["include"]))
