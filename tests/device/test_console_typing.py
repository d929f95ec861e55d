"""The console under an engineer's fingers: abbreviations, questions, pasted blocks, a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from device.chassis_world import RP0, RP1, ChassisWorld
from device.test_console import console, typed

from bootz.cli.main import run
from bootz.conformance.device.by_hand.lines import FACTORY
from bootz.conformance.device.by_hand.lines import typed as by_hand
from bootz.device.configuration import with_vendor_text
from bootz.device.console.pasting import unbroken
from bootz.device.hardware import Hardware
from bootz.errors import BootzError
from bootz.processes import COMMAND
from bootz.wire.server_data import CardAction, ServerData, yang_text

GUIDE = """\
RP/0/RP0/CPU0:ios# config
RP/0/RP0/CPU0:ios(config)#ztp bootz-server ip 1.1.1.1 port 5000 trust-anchor
/misc/disk1/ta.cert
RP/0/RP0/CPU0:ios(config)# commit
"""
"""The block of the vendor's guide, as it stands there."""

LINE = "ztp bootz-server ip 1.1.1.1 port 5000 trust-anchor /misc/disk1/ta.cert"


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return ChassisWorld(tmp_path).chassis({"RP0": RP0, "RP1": RP1})


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("sh run", "show running-config"),
        ("sh plat", "show platform"),
        ("sh ver", "show version"),
        ("sho inv", "show inventory"),
        ("sh zt", "show ztp"),
        ("sh z st", "show ztp state"),
        ("sh log", "show logging"),
        ("term len 0", "terminal length 24"),
        ("sh plat | i RP", "show platform | include RP"),
        ("SHOW Version", "show version"),
        ("Sh PLAT | INC RP", "show platform | include RP"),
    ],
)
def test_commands_may_be_abbreviated(hardware: Hardware, short: str, long: str) -> None:
    assert typed(hardware, short) == typed(hardware, long)


def test_the_configuration_mode_takes_abbreviations(hardware: Hardware) -> None:
    session = console(hardware)
    session.execute("conf t")
    session.execute("zt boo i 1.1.1.1 po 5000 tr /misc/disk1/ta.cert")
    assert session.execute("show conf") == LINE
    assert session.execute("do sh plat").startswith("SLOT")
    assert session.execute("do show run") == "! there is no configuration"
    assert session.execute("comm") == "committed"
    session.execute("end")
    assert session.execute("sh run ztp").splitlines()[0] == LINE


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("sh p", None),
        ("s", "incomplete"),
        ("show", "incomplete"),
        ("show lo x", "invalid input"),
        ("show i", None),
        ("sh h", None),
        ("e", "ambiguous"),
        ("b n", "incomplete"),
        ("show r | x y", "filter"),
        ("show platform | include", "filter"),
        ("show platform extra", "invalid input"),
    ],
)
def test_what_is_ambiguous_or_incomplete_is_said(
    hardware: Hardware, line: str, told: str | None
) -> None:
    if told is None:
        assert typed(hardware, line) is not None
        return
    with pytest.raises(BootzError, match=told) as refused:
        typed(hardware, line)
    assert refused.value.reason == "console-command"


def test_a_question_mark_tells_what_may_follow(hardware: Hardware) -> None:
    assert "platform" in typed(hardware, "show ?")
    assert [line.split()[0] for line in typed(hardware, "show r?").splitlines()] == [
        "running-config"
    ]
    assert "<cr>" in typed(hardware, "show ztp ?")
    assert "ADDRESS" in typed(hardware, "conf", "ztp bootz-server ip ?")
    assert "trust-anchor" in typed(hardware, "conf", "ztp bootz-server ip 1.1.1.1 port 1 ?")
    assert "secure-mode" in typed(hardware, "conf", "do ztp ?")
    with pytest.raises(BootzError):
        typed(hardware, "reload ?x", "reload now ?")


def test_tab_completes(hardware: Hardware) -> None:
    session = console(hardware)
    assert session.completions("sh") == ["show"]
    assert session.completions("show ru") == ["running-config"]
    assert session.completions("show ") == [
        *("ztp", "platform", "inventory", "version", "running-config", "logging", "history")
    ]
    assert session.completions("nothing ") == []
    session.execute("conf t")
    assert session.completions("ztp bootz-server ip 1.1.1.1 p") == ["port"]
    assert session.completions("do sh") == ["show"]


def test_the_prompt_has_the_host_name_and_the_mode(hardware: Hardware) -> None:
    session = console(hardware)
    assert session.prompt == "RP/0/RP0/CPU0:ios#"
    for line in ("conf", "hostname edge-1", "commit"):
        session.execute(line)
    assert session.prompt == "RP/0/RP0/CPU0:edge-1(config)#"
    session.execute("no hostname")
    session.execute("commit")
    session.execute("exit")
    assert session.prompt == "RP/0/RP0/CPU0:ios#"


@pytest.mark.parametrize("leave", ["exit", "end"])
@pytest.mark.parametrize(
    ("answer", "committed", "mode"),
    [
        ("yes", True, "#"),
        ("n", False, "#"),
        ("cancel", False, "(config)#"),
        ("", False, "(config)#"),
    ],
)
def test_leaving_with_uncommitted_changes_is_asked_about(
    hardware: Hardware, leave: str, answer: str, mode: str, *, committed: bool
) -> None:
    session = console(hardware, asks=True)
    session.execute("conf t")
    session.execute("hostname r9")
    session.execute(leave)
    assert session.prompt.startswith("Uncommitted changes found, commit them")
    assert session.execute("perhaps") == "answer yes, no or cancel"
    session.execute(answer)
    assert session.prompt.endswith(mode)
    assert ("hostname r9" in typed(hardware, "show running-config")) is committed


def test_commit_check_changes_nothing(hardware: Hardware) -> None:
    session = console(hardware)
    session.execute("conf t")
    assert session.execute("commit check") == "there are no changes"
    assert session.execute("commit") == "there are no changes to commit"
    session.execute("hostname r9")
    before = hardware.load_state()
    assert session.execute("commit check") == "the configuration can be applied"
    assert hardware.load_state() == before
    assert session.execute("show configuration") == "hostname r9"
    assert session.execute("clear") == ""
    assert session.execute("show configuration") == "! there are no uncommitted changes"
    session.execute("hostname r9")
    assert session.execute("abort") == "the changes are discarded"
    assert session.execute("exit") == ""
    assert session.closed


def test_changes_are_shown_as_they_would_be_typed(hardware: Hardware) -> None:
    typed(hardware, "conf", "hostname a", "commit")
    assert typed(hardware, "conf", "hostname b", LINE, "show configuration").splitlines() == [
        *("no hostname a", "hostname b", LINE)
    ]


def test_server_data_from_json_are_shown_in_both_forms_and_removed(hardware: Hardware) -> None:
    data = ServerData("boot.example", 5000, "", CardAction.NONE)
    as_json = yang_text(data, None)
    text = f"hostname x\n{as_json}\n"
    state = hardware.load_state()
    digest = hardware.keep("configurations", with_vendor_text(None, text))
    hardware.save_state(type(state)(**{**_members(state), "running": digest, "startup": digest}))
    shown = typed(hardware, "show running-config ztp")
    assert shown.splitlines()[-2:] == [data.line, f"! as YANG data: {as_json}"]
    told = typed(hardware, "show ztp")
    assert data.line in told
    assert as_json in told
    assert "is left running (action none)" in told
    assert typed(hardware, "show run hostname") == "hostname x"
    assert typed(hardware, "conf", "no ztp bootz-server", "commit") == "committed"
    assert typed(hardware, "show running-config") == "hostname x"


def test_the_client_of_the_later_revision_is_shown(hardware: Hardware) -> None:
    client = {"bootz-interface": "MgmtEth0/RP0/CPU0/0", "bootz-vrf": "mgmt"}
    both = {"bootz-server": {"address": "boot.example", "port": 5000}, "bootz": client}
    for container, shown in ((both, 2), ({"bootz": client}, 1)):
        whole = {"Cisco-IOS-XR-ztp-cfg:ztp": container}
        document = with_vendor_text(None, json.dumps(whole, indent=2))
        digest = hardware.keep("configurations", document)
        hardware.save_state(replace(hardware.load_state(), running=digest, startup=digest))
        told = typed(hardware, "show ztp")
        assert "bootz client  interface MgmtEth0/RP0/CPU0/0, VRF mgmt" in told
        lines = typed(hardware, "show running-config ztp").splitlines()
        assert len(lines) == shown
        assert json.loads(lines[-1].removeprefix("! as YANG data: ")) == whole


def _members(state: object) -> dict[str, object]:
    return {name: getattr(state, name) for name in state.__dataclass_fields__}  # type: ignore[attr-defined]


# Questions

REPLACE = "Do you wish to proceed? [no]:"


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("yes", "hostname b"),
        ("y", "hostname b"),
        (f"{REPLACE} yes", "hostname b"),
        ("", f"hostname a\n{LINE}"),
        ("no", f"hostname a\n{LINE}"),
    ],
)
def test_commit_replace_leaves_only_what_was_entered(
    hardware: Hardware, answer: str, left: str
) -> None:
    typed(hardware, "conf", "hostname a", LINE, "commit")
    session = console(hardware, asks=True)
    session.execute("conf")
    session.execute("hostname b")
    assert "whole running configuration" in session.execute("commit replace")
    assert session.prompt == REPLACE
    assert session.execute("perhaps") == "answer yes or no"
    session.execute(answer)
    assert session.prompt.endswith("(config)#")
    assert typed(hardware, "show running-config") == left
    if answer:
        assert session.uncommitted is (answer == "no")


def test_commit_replace_removes_what_the_server_gave_besides(hardware: Hardware) -> None:
    state = hardware.load_state()
    whole = {"openconfig": {"a": 1}, "credentials": {"b": 2}, "vendor": "hostname a\n"}
    digest = hardware.keep("configurations", json.dumps(whole).encode())
    hardware.save_state(replace(state, running=digest, startup=digest))
    typed(hardware, "conf", "hostname b", "commit replace", "yes")
    kept = hardware.kept("configurations", hardware.load_state().running)
    assert json.loads(kept) == {"vendor": "hostname b\n"}


def test_commit_replace_with_nothing_leaves_no_configuration(hardware: Hardware) -> None:
    typed(hardware, "conf", "hostname a", "commit")
    typed(hardware, "conf", "commit replace", "yes")
    state = hardware.load_state()
    assert (state.running, state.startup, state.in_progress) == ("", "", False)
    assert typed(hardware, "show running-config") == "! there is no configuration"
    assert typed(hardware, "conf", "commit replace", "yes") == "there are no changes to commit"
    assert "restarts" in typed(hardware, "reload location all", "y")
    assert hardware.load_state().in_progress


def test_a_person_is_asked_and_a_script_is_not(hardware: Hardware) -> None:
    asked = console(hardware, asks=True)
    for line in ("reload", "ztp initiate", "ztp terminate", "ztp clean"):
        assert asked.execute(line) == ""
        assert asked.prompt.endswith("[confirm] (y/n):")
        assert asked.completions("y") == []
        assert asked.execute("n") == "nothing was changed"
        assert asked.execute(f"{line} noprompt")
        assert typed(hardware, line) if line != "ztp terminate" else True
    assert asked.execute("reload location all noprompt").startswith("the router restarts")
    assert asked.execute("reload location all") == ""
    assert asked.execute("").startswith("the router restarts")


def test_the_lines_for_a_router_of_a_stranger_can_be_pasted_into_ours(
    hardware: Hardware,
) -> None:
    typed(hardware, "conf", "hostname a", "commit")
    session = console(hardware, asks=True)
    for line in by_hand(FACTORY).splitlines():
        session.execute(line)
    assert not session.unanswered
    assert hardware.load_state().in_progress


def test_the_other_mode_is_neither_left_nor_begun_by_do(hardware: Hardware) -> None:
    session = console(hardware)
    for line in ("conf t", "hostname a"):
        session.execute(line)
    for line in ("do conf t", "do exit", "DO end", "do quit"):
        with pytest.raises(BootzError, match="does not know"):
            session.execute(line)
    assert not session.closed
    assert session.execute("show configuration") == "hostname a"
    assert "configure" not in session.help("do ")


def test_end_without_a_mode_leaves_nothing(hardware: Hardware) -> None:
    session = console(hardware)
    for line in ("conf", "hostname a", "commit", "end", "end"):
        session.execute(line)
    assert not session.closed
    assert session.execute("show running-config hostname") == "hostname a"


@pytest.mark.parametrize("asking", ["end", "commit replace"])
def test_a_script_stops_at_a_line_that_is_no_answer(
    hardware: Hardware, asking: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ("conf", "hostname a", asking, "show run", "commit")
    words = [word for line in lines for word in ("-c", line)]
    assert run(["router", "console", str(hardware.folder), *words]) == 1
    told = capsys.readouterr()
    assert "console-unanswered" in told.err
    assert "seen: show run" in told.err
    assert "show run" in told.out
    assert "commit\n" not in told.out.split("show run")[1]
    assert typed(hardware, "show run") == "! there is no configuration"


def test_the_time_that_a_router_prints_is_no_answer(hardware: Hardware) -> None:
    session = console(hardware)
    for line in ("conf", "hostname a", "end", "Sun Nov 29 07:00:00.123 UTC", "yes"):
        session.execute(line)
    assert typed(hardware, "show run") == "hostname a"


def test_lines_after_the_end_of_a_session_are_told(
    hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    console_of = ["router", "console", str(hardware.folder)]
    assert run([*console_of, "-c", "exit", "-c", "reload"]) == 0
    assert "were not run" in capsys.readouterr().err
    assert run([*console_of, "-c", "exit"]) == 0
    assert "were not run" not in capsys.readouterr().err


def test_a_script_without_a_line_end_is_refused_before_its_end(hardware: Hardware) -> None:
    with Path("/dev/zero").open("rb") as zeros:
        endless = subprocess.run(
            [*COMMAND, "router", "console", str(hardware.folder)],
            stdin=zeros,
            capture_output=True,
            check=False,
            timeout=60,
        )
    assert endless.returncode == 1
    assert b"one printable line" in endless.stderr


def test_a_script_that_ends_with_a_question_fails(
    hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    console_of = ["router", "console", str(hardware.folder)]
    assert run([*console_of, "-c", "reload location all"]) == 1
    assert "console-unanswered" in capsys.readouterr().err
    assert run([*console_of, "-c", "conf", "-c", "hostname a", "-c", "end"]) == 1
    assert "console-unanswered" in capsys.readouterr().err
    assert run([*console_of, "-c", "reload location all", "-c", "y"]) == 0
    assert run([*console_of, "-c", "reload location all noprompt"]) == 0


def test_history_is_shown(hardware: Hardware) -> None:
    assert typed(hardware, "show version", "sh hist").splitlines() == ["show version", "sh hist"]


def test_a_line_that_was_broken_is_read_when_its_rest_comes(hardware: Hardware) -> None:
    session = console(hardware)
    session.execute("conf")
    with pytest.raises(BootzError, match="incomplete"):
        session.execute("ztp bootz-server ip 1.1.1.1 port 5000 trust-anchor")
    session.execute("/misc/disk1/ta.cert")
    assert session.execute("show configuration") == LINE


BEGUN = "RP/0/RP0/CPU0:ios(config)#ztp bootz-server"
WORDS = LINE.removeprefix("ztp bootz-server ").split()


@pytest.mark.parametrize("at", range(len(WORDS)))
@pytest.mark.parametrize("prompt", ["RP/0/RP0/CPU0:ios(config)#", ""])
def test_a_pasted_line_may_be_broken_at_any_blank(hardware: Hardware, prompt: str, at: int) -> None:
    first, rest = " ".join(["ztp bootz-server", *WORDS[:at]]), " ".join(WORDS[at:])
    if not prompt and WORDS[at] == WORDS[at].lower() and WORDS[at] in {"ip", "port"}:
        return  # Typed, not pasted: it is an error, at once.
    session = console(hardware)
    session.execute("conf")
    for line in unbroken([f"{prompt}{first}", rest], session.is_cut, session.joins):
        session.execute(line)
    assert session.execute("show configuration") == LINE


def test_what_is_held_back_gets_its_error_when_its_rest_does_not_come(hardware: Hardware) -> None:
    session = console(hardware)
    session.execute("conf")
    prompted = ["RP/0/RP0/CPU0:ios(config)#hostname", "RP/0/RP0/CPU0:ios(config)#show"]
    for lines in (prompted, [prompted[0], ""], [prompted[0], "!"], prompted[:1]):
        given = list(unbroken(lines, session.is_cut, session.joins))
        assert given == lines
        with pytest.raises(BootzError, match="incomplete"):
            session.execute(given[0])
    # Two commands of a person: the second is not taken for the name.
    assert list(unbroken(["hostname", "commit"], session.is_cut, session.joins)) == [
        *("hostname", "commit")
    ]


def test_a_script_does_not_take_the_next_command_for_a_value(
    hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for line in ("conf", "hostname", "commit") for word in ("-c", line)]
    assert run(["router", "console", str(hardware.folder), *words]) == 1
    assert "incomplete command" in capsys.readouterr().err


def test_the_block_of_the_guide_is_understood_as_a_script(hardware: Hardware) -> None:
    done = subprocess.run(
        [*COMMAND, "router", "console", str(hardware.folder)],
        input=GUIDE.encode(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert b"committed" in done.stdout
    assert typed(hardware, "show running-config") == LINE


def test_changes_that_a_script_leaves_uncommitted_are_told(
    hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["router", "console", str(hardware.folder), "-c", "conf", "-c", "hostname a"]) == 0
    assert "the uncommitted changes are discarded" in capsys.readouterr().err


class Terminal:
    """A console process at the other end of a pty."""

    def __init__(self, folder: Path) -> None:
        self._own, other = pty.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, "router", "console", str(folder)],
            stdin=other,
            stdout=other,
            stderr=other,
            env={**os.environ, "TERM": "xterm", "INPUTRC": "/dev/null"},
        )
        os.close(other)
        self.seen = ""

    def type(self, keys: str) -> None:
        os.write(self._own, keys.encode())

    def until(self, pattern: str) -> str:
        """Read until a pattern appears behind what was read before; return what came."""
        deadline = time.monotonic() + 60
        seen = ""
        while not re.search(pattern, seen):
            ready, _, _ = select.select([self._own], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"{pattern!r} did not come: {seen!r}"
            seen += os.read(self._own, 4096).decode()
        return seen

    def stop(self, pattern: str) -> None:
        """Stop it as Control-Z does, and read until a pattern; again where nothing came of it.

        A signal that comes between the prompt and the wait for a key is lost, as at a keyboard.
        """
        for _ in range(12):
            self.process.send_signal(signal.SIGTSTP)
            if select.select([self._own], [], [], 5)[0]:
                break
        self.until(pattern)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._own)


@pytest.fixture
def terminal(hardware: Hardware) -> Iterator[Terminal]:
    opened = Terminal(hardware.folder)
    try:
        opened.until("ios# ")
        yield opened
    finally:
        opened.end()


def test_at_a_terminal_words_are_completed_listed_and_remembered(terminal: Terminal) -> None:
    terminal.type("sh\tver\t\r")
    assert "software" in terminal.until(r"hardware TAM[^\n]*\n.*ios# ")
    terminal.type("show ?")
    listed = terminal.until(r"history[^\n]*\n.*ios# show ")
    assert "slots and cards" in listed
    terminal.type("plat\r")
    terminal.until(r"RP1 .*ios# ".replace(" .*", "[\\s\\S]*"))
    terminal.type("\x1b[A\r")
    assert RP0 in terminal.until(r"SLOT[\s\S]*ios# ")
    # What has one answer, or none but a value, is told with its help as well.
    for keys, word in (
        ("show r", "running-config  the configuration, or a section of it"),
        ("bootz no-dhcp initiate ", "OPTIONS  ask a server without DHCP"),
        ("show version ", "<cr>  software and chassis"),
        ("nothing ", "% console: invalid input"),
    ):
        terminal.type(f"{keys}?")
        assert word in terminal.until(rf"\n[\s\S]*ios# {keys}$")
        terminal.type("\x15")
    terminal.type("nothing\r")
    assert "console-command" in terminal.until(r"%[\s\S]*%[\s\S]*ios# ")
    terminal.type("exit\r")
    assert terminal.process.wait(60) == 0


@pytest.mark.parametrize("bracketed", [False, True])
def test_at_a_terminal_the_block_of_the_guide_is_understood(
    terminal: Terminal, hardware: Hardware, *, bracketed: bool
) -> None:
    block = GUIDE.replace("\n", "\r")
    terminal.type(f"\x1b[200~{block}\x1b[201~\r" if bracketed else block)
    terminal.until("committed")
    assert typed(hardware, "show running-config") == LINE


def test_at_a_terminal_the_block_is_understood_line_by_line(
    terminal: Terminal, hardware: Hardware
) -> None:
    begin, first, rest, commit = GUIDE.splitlines()
    for line in (begin, first, rest):
        terminal.type(f"{line}\r")
        # The first half waits for its rest, without an error.
        assert "%" not in terminal.until(r"ios\(config\)# $")
    terminal.type(f"{commit}\r")
    assert "%" not in terminal.until(r"committed[\s\S]*# $")
    assert typed(hardware, "show running-config") == LINE
    terminal.type("ztp bootz-server ip 1.1.1.1 port\r")
    assert "% console: incomplete command" in terminal.until(r"%[\s\S]*%[\s\S]*\(config\)# $")


def test_at_a_terminal_control_z_ends_the_configuration_mode(terminal: Terminal) -> None:
    terminal.type("conf t\r")
    terminal.until(r"\(config\)# $")
    terminal.stop(r"\^Z[\s\S]*ios# $")
    terminal.type("conf t\rhostname z\r")
    terminal.until(r"hostname z[\s\S]*\(config\)# $")
    terminal.stop(r"\^Z[\s\S]*commit them before exiting[\s\S]*\]: ")
    terminal.type("no\r")
    terminal.until(r"discarded[\s\S]*ios# $")
    # Outside of the mode it does nothing.
    terminal.stop(r"\^Z[\s\S]*ios# $")
    terminal.type("exit\r")
    assert terminal.process.wait(60) == 0
