"""Completion as a person at a shell meets it: real shells, at a terminal where they have one."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pki import make_pair

from bootz.cli.main import run
from bootz.reasons import REASONS

_WAIT_S = 120
_SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(bootz completion bash)"'),
    "zsh": (
        ["zsh", "-f", "-i"],
        'autoload -Uz compinit; compinit -u -D; eval "$(bootz completion zsh)"',
    ),
}
SHELLS = ["bash", pytest.param("zsh", marks=pytest.mark.zsh)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with names that a shell must quote."""
    folder = tmp_path_factory.mktemp("completion")
    ca, _ = make_pair("Acme CA", ca=True).save(folder, "acme")
    (folder / "image.bin").write_bytes(b"image")
    root = folder / "site"
    assert run(["init", str(root)]) == 0
    for words in (
        ["vendor", "add", "Acme $1 Net's", "--ca", str(ca)],
        ["profile", "add", "edge"],
        ["chassis", "add", "SN-0007", "--vendor", "Acme $1 Net's", "--profile", "edge"],
        ["image", "add", str(folder / "image.bin"), "--name", "os", "--version", "7.3.1"],
    ):
        assert run(["--site", str(root), *words]) == 0
    return root


def _environment(site: Path) -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(site.parent), "TERM": "dumb", "BOOTZ_SITE": str(site)}


class Terminal:
    """A shell that somebody types at."""

    def __init__(self, shell: str, site: Path) -> None:
        words, setup = _SHELLS[shell]
        self._child, self._terminal = pty.fork()
        if self._child == 0:
            os.execvpe(words[0], words, _environment(site))
        self.type(setup)

    def type(self, line: str) -> str:
        """Type a line and Enter; return all that came until the shell has done it."""
        # What the shell echoes of the line is not yet the sign.
        os.write(self._terminal, f"{line}; printf '=%s=' done\n".encode())
        told = b""
        while b"=done=" not in told:
            ready, _, _ = select.select([self._terminal], [], [], _WAIT_S)
            assert ready, told.decode(errors="replace")
            told += os.read(self._terminal, 65536)
        return told.decode(errors="replace")

    def close(self) -> None:
        os.kill(self._child, signal.SIGKILL)
        os.waitpid(self._child, 0)
        os.close(self._terminal)


@pytest.fixture(scope="module", params=SHELLS)
def terminal(request: pytest.FixtureRequest, site: Path) -> Iterator[Terminal]:
    opened = Terminal(request.param, site)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("bootz vend\tsho\tAc\t--outp\tjs\t", '"name": "Acme $1 Net\'s"'),
        ("bootz chassis sho\tsn\t--output json", '"serial_number": "SN-0007"'),
        ("bootz chassis lis\t--vendor Ac\t--output json", '"hostname": ""'),
        ("bootz chassis set SN-0007 --image o\t--output json", '"version": "7.3.1"'),
        ("bootz image show o\t7\t--output json", '"file_name": "image.bin"'),
        ("bootz reasons site-mis\t", "bootz.yaml"),
        ("bootz voucher verify $BOOTZ_SITE/bootz.y\t--output json", "bootz.yaml"),
    ],
)
def test_tab_completes_at_a_terminal(terminal: Terminal, typed: str, told: str) -> None:
    assert told in terminal.type(typed)


@pytest.mark.fish
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("bootz chas", ["chassis"]),
        ("bootz chassis show sn", ["SN-0007"]),
        ("bootz vendor show ", ["Acme $1 Net's"]),
        ("bootz chassis list --profile ", ["edge"]),
        ("bootz image show os ", ["7.3.1"]),
        ("bootz chassis set SN-0007 --boot-mode ", ["insecure", "secure"]),
    ],
)
def test_fish_offers(site: Path, typed: str, offered: list[str]) -> None:
    script = f"bootz completion fish | source; complete -C '{typed}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        env=_environment(site),
        capture_output=True,
        text=True,
        check=True,
        timeout=_WAIT_S,
    )
    assert sorted(line.partition("\t")[0] for line in done.stdout.splitlines()) == offered


def _asked(site: Path, words: str, *, position: int) -> list[str]:
    """Ask as bash does, and return what is offered."""
    asked = {"_BOOTZ_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(position)}
    done = subprocess.run(
        ["bootz"], env=_environment(site) | asked, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return [line.removeprefix("plain,") for line in done.stdout.split()]


def test_every_reason_is_offered(site: Path) -> None:
    assert _asked(site, "bootz reasons", position=2) == sorted(REASONS)


def test_without_a_site_no_name_is_offered_and_nothing_is_said(tmp_path: Path) -> None:
    assert _asked(tmp_path, "bootz chassis show", position=3) == []


def test_the_site_that_is_typed_counts(site: Path, tmp_path: Path) -> None:
    words = f"bootz\n--site\n{site}\nchassis\nshow"
    assert _asked(tmp_path, words, position=5) == ["SN-0007"]


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "tcsh"]) == 2
    assert "tcsh" in capsys.readouterr().err
