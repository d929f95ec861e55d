"""The commands of the console outside of the configuration mode."""

import re
from collections.abc import Callable, Iterator

from bootz.device.bell import ring
from bootz.device.console import questions, shows
from bootz.device.console.grammar import ConsoleCommand, Grammar, UnknownCommand, Values
from bootz.device.console.hands import Hands
from bootz.device.console.questions import Question, confirmation
from bootz.device.orders import Order, OrderVerb
from bootz.errors import ConfigError, ConflictError, PolicyError
from bootz.wire.uri import parse_bootz_uri

_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9/._:-]{0,63}")
_INITIATE_FORM = "bootz no-dhcp initiate --src_interface IF --bootz_uri URI"
_NO_DHCP = re.compile(
    r"(?=.*--src_interface)(?=.*--bootz_uri)(?:--(?:src_interface|bootz_uri)[ =]\S+ ?){2}"
)


class ExecMode:
    """What the commands do.

    Args:
        ask: asks a question, and returns what is printed above it.
        asks: whether a person is there, who is asked before ``reload`` and ``ztp …``.
        begin: begins the configuration mode.
        close: ends the session.
        history: the commands so far, one a line.
    """

    def __init__(
        self,
        hands: Hands,
        ask: Callable[[Question], str],
        *,
        asks: bool,
        begin: Callable[[], str],
        close: Callable[[], str],
        history: Callable[[], str],
    ) -> None:
        self._hands = hands
        self._hardware = hands.hardware
        self._ask = ask
        self._asks = asks
        self._begin = begin
        self._close = close
        self._history = history

    def commands(self) -> list[ConsoleCommand]:
        """Return the commands of the mode, for its grammar."""
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
            ("show history", "the commands of this session", lambda _: self._history()),
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
            *self._confirmed(
                "ztp initiate",
                "start Bootz now",
                f"Start Bootz? It may change the configuration {questions.CONFIRM}",
                self._ztp_initiate,
            ),
            *self._confirmed(
                "ztp terminate",
                "stop Bootz",
                f"Stop Bootz? It may leave the router half configured {questions.CONFIRM}",
                self._ztp_terminate,
            ),
            *self._confirmed(
                "ztp clean",
                "remove logs and records of Bootz",
                f"Remove all records and logs of Bootz? {questions.CONFIRM}",
                self._ztp_clean,
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
            *self._confirmed(
                "reload", "restart the router", f"Reload? {questions.CONFIRM}", self._reload
            ),
            *self._confirmed(
                "reload location all",
                "restart the router with all its cards",
                f"Proceed with reload? {questions.CONFIRM}",
                self._reload,
                always=True,
            ),
            ("factory-reset", "remove configuration and history", lambda _: self._reset()),
            ("factory reset", "the same", lambda _: self._reset()),
            ("terminal length LINES", "accepted; nothing is paged", lambda _: ""),
            ("terminal width COLUMNS", "accepted; nothing is broken", lambda _: ""),
            ("help", "these commands", lambda _: Grammar(self.commands()).summary),
            ("exit", "leave the console", lambda _: self._close()),
            ("quit", "leave the console", lambda _: self._close()),
            ("end", "nothing: no mode is to be left", lambda _: ""),
        ]
        return [ConsoleCommand(*row) for row in rows]

    def commands_within(self) -> list[ConsoleCommand]:
        """Return those of them that ``do`` runs: not what begins or leaves a mode."""
        moves = {"configure", "exit", "quit", "end"}
        return [each for each in self.commands() if each.path.split()[0] not in moves]

    def _show_version(self) -> str:
        return shows.show_version(self._hardware, shows.hostname_in(self._hands.running()))

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
        return self._hands.order(Order(OrderVerb.ZTP_INITIATE), "Bootz starts")

    def _ztp_terminate(self) -> str:
        if not self._hardware.load_state().in_progress:
            raise ConflictError("ztp-none", "no Bootz process is running", where="ztp terminate")
        return self._hands.order(Order(OrderVerb.ZTP_TERMINATE), "Bootz is stopped")

    def _ztp_clean(self) -> str:
        return self._hands.order(Order(OrderVerb.ZTP_CLEAN), "records and logs are removed")

    def _reload(self) -> str:
        return self._hands.order(Order(OrderVerb.RELOAD), "the router restarts")

    def _reset(self) -> str:
        return self._hands.order(Order(OrderVerb.FACTORY_RESET), "the router is in factory state")

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
        return self._hands.order(order, f"asking {uri} without DHCP")

    def _end(self, verb: OrderVerb, told: str) -> str:
        if self._hardware.load_state().no_dhcp is None and verb is OrderVerb.NO_DHCP_TERMINATE:
            raise ConflictError(
                "no-dhcp-none", "no loop without DHCP is running", where="bootz no-dhcp"
            )
        return self._hands.order(Order(verb), told)

    def _require_tam(self) -> None:
        if not self._hardware.record.hardware_tam:
            raise PolicyError("hardware-tam-missing", shows.NO_TAM, where="hardware TAM")

    def _confirmed(
        self, path: str, told: str, asked: str, act: Callable[[], str], *, always: bool = False
    ) -> Iterator[tuple[str, str, Callable[[Values], str]]]:
        """Give a command that asks first, and the same with ``noprompt``.

        It asks a person only, so that scripts run as they are written; ``always``: both.
        """

        def first(_values: Values) -> str:
            asks = always or self._asks
            return self._ask(confirmation(asked, act)) if asks else act()

        yield path, told, first
        yield f"{path} noprompt", "without a question", lambda _: act()
