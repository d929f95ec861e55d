"""The commands of the console's configuration mode."""

from collections.abc import Callable

from bootz.device.configuration import with_vendor_text
from bootz.device.console import questions, shows
from bootz.device.console.candidate import Candidate
from bootz.device.console.grammar import ConsoleCommand, Grammar, Values
from bootz.device.console.hands import Hands
from bootz.device.console.questions import Question, confirmation
from bootz.device.orders import Order, OrderVerb
from bootz.errors import ConflictError


class ConfigMode:
    """What the commands do. ``candidate`` is None while the mode has not begun.

    Args:
        ask: asks a question, and returns what is printed above it.
    """

    def __init__(self, hands: Hands, ask: Callable[[Question], str]) -> None:
        self._hands = hands
        self._hardware = hands.hardware
        self._ask = ask
        self.candidate: Candidate | None = None

    @property
    def uncommitted(self) -> bool:
        """Whether there are changes that nothing has committed."""
        return self.candidate is not None and self.candidate.merged != self._hands.running()

    def begin(self) -> str:
        """Begin the mode with what runs."""
        self.candidate = Candidate(self._hands.running())
        return ""

    def commands(self) -> list[ConsoleCommand]:
        """Return the commands of the mode, for its grammar."""
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
            (
                "commit replace",
                "let what was entered replace the whole configuration",
                lambda _: self._ask_to_replace(),
            ),
            ("commit check", "say whether they can be applied", lambda _: self._check()),
            ("clear", "discard the changes and go on", lambda _: self._clear()),
            ("abort", "discard the changes", lambda _: self._abort()),
            ("do COMMAND...", "a command of the other mode", lambda _: ""),
            ("help", "these commands", lambda _: Grammar(self.commands()).summary),
            ("exit", "leave the configuration mode", lambda _: self._leave()),
            ("quit", "leave the configuration mode", lambda _: self._leave()),
            ("end", "leave the configuration mode", lambda _: self._leave()),
        ]
        return [ConsoleCommand(*row) for row in rows]

    @property
    def _edited(self) -> Candidate:
        if self.candidate is None:
            raise ConflictError(
                "console-command", "this is for the configuration mode", where="console"
            )
        return self.candidate

    def _set_server(self, values: Values) -> str:
        line = f"ztp bootz-server ip {values['ADDRESS']} port {values['PORT']}"
        if "FILE" in values:
            line += f" trust-anchor {values['FILE']}"
        self._edited.set_server(line)
        return ""

    def _drop_server(self) -> str:
        self._edited.drop_server()
        return ""

    def _set_hostname(self, values: Values) -> str:
        self._edited.set_hostname(values["NAME"])
        return ""

    def _drop_hostname(self) -> str:
        self._edited.drop_hostname()
        return ""

    def _merged(self) -> str:
        return self._edited.merged.rstrip("\n")

    def _changes(self) -> str:
        return shows.changes(self._hands.running(), self._edited.merged)

    def _check(self) -> str:
        with_vendor_text(None, self._edited.merged)
        return "the configuration can be applied" if self.uncommitted else "there are no changes"

    def _commit(self) -> str:
        if not self.uncommitted and self._hardware.load_state().no_dhcp is None:
            return "there are no changes to commit"
        text = self._edited.merged
        return self._committed(Order(OrderVerb.COMMIT, text=text), text)

    def _committed(self, order: Order, text: str) -> str:
        """Have a configuration committed; what is typed next is a change to it."""
        told = self._hands.order(order, "committed")
        self.candidate = Candidate(text)
        return told

    def _ask_to_replace(self) -> str:
        text = (
            "This commit replaces or removes the whole running configuration, which can\n"
            f"interrupt the service.\n{questions.REPLACE}"
        )
        return self._ask(confirmation(text, self._replace, default="no"))

    def _replace(self) -> str:
        entered = self._edited.entered
        if not entered and not self._hardware.load_state().running:
            return "there are no changes to commit"
        return self._committed(Order(OrderVerb.COMMIT_REPLACE, text=entered), entered)

    def _clear(self) -> str:
        self.candidate = Candidate(self._hands.running())
        return ""

    def _abort(self) -> str:
        told = "the changes are discarded" if self.uncommitted else ""
        self.candidate = None
        return told

    def _leave(self) -> str:
        if self.uncommitted:
            answers = {
                "yes": self._commit_and_leave,
                "no": self._discard_and_leave,
                "cancel": lambda: "",
            }
            return self._ask(Question(questions.UNCOMMITTED, answers, "cancel"))
        self.candidate = None
        return ""

    def _commit_and_leave(self) -> str:
        told = self._commit()
        self.candidate = None
        return told

    def _discard_and_leave(self) -> str:
        self.candidate = None
        return "the changes are discarded"
