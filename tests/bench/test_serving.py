"""The server as seen from outside: the line it announces itself with, and what it uses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootz.bench.builds import Build
from bootz.bench.serving import ServerProcess, read_serving_line, serving, usage_of
from bootz.errors import OptionError, Unavailable


def test_only_the_line_that_says_serving_names_an_address() -> None:
    assert read_serving_line(b'{"event":"serving","bound":["127.0.0.1:15006"]}') == (
        "127.0.0.1",
        15006,
    )
    assert read_serving_line(b'{"event":"serving","bound":["[::1]:1"]}') == ("::1", 1)
    for line in (
        b"",
        b"Traceback",
        b"[]",
        b'"serving"',
        b'{"event":"stopping","bound":["127.0.0.1:1"]}',
        b'{"event":"serving"}',
        b'{"event":"serving","bound":[]}',
        b'{"event":"serving","bound":["127.0.0.1"]}',
        b'{"event":"serving","bound":{"a":1}}',
    ):
        assert read_serving_line(line) is None


@given(st.binary())
def test_any_line_can_be_read(line: bytes) -> None:
    assert read_serving_line(line) is None


def test_usage_counts_cpu_of_threads_and_children(tmp_path: Path) -> None:
    burn = "e=os.times;\nwhile sum(e()[:2])<{}: pass\n"
    child = f"import os\n{burn.format(0.2)}print('x',flush=True);input()"
    parent = (
        "import os,subprocess,sys,threading\n"
        f"child=subprocess.Popen([sys.executable,'-c',{child!r}],stdin=subprocess.PIPE)\n"
        "def work():\n e=os.times\n while sum(e()[:2])<0.3: pass\n"
        "t=threading.Thread(target=work);t.start();t.join()\n"
        "print('y',flush=True);input();child.communicate(b'\\n')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = {process.stdout.readline(), process.stdout.readline()}
        assert lines == {b"x\n", b"y\n"}
        usage = ServerProcess(process, ("", 0)).usage()
        assert usage.cpu >= 0.45
        assert usage.resident_peak >= usage.resident > 1 << 20
        process.communicate(b"\n")
    with pytest.raises(Unavailable) as caught:
        ServerProcess(process, ("", 0)).usage()
    assert caught.value.reason == "bench-server-failed"


def build(words: str) -> Build:
    return Build("a build", (sys.executable, "-c", words), dict(os.environ))


def test_a_server_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    words = "import sys; sys.exit('no such site' if '--site' in sys.argv else 0)"
    with pytest.raises(Unavailable) as caught, serving(tmp_path / "site", build(words)):
        pass
    assert caught.value.detail == "no such site"
    assert caught.value.where == str(tmp_path / "serve.log")


@pytest.mark.parametrize("door", [True, False])
def test_a_server_is_ended_with_its_block(tmp_path: Path, *, door: bool) -> None:
    line = '{"event": "serving", "bound": ["127.0.0.1:9"]}'
    words = (
        "import signal,sys,os\n"
        f"if '--help' in sys.argv: print({'--no-door' if door else ''!r}); sys.exit(0)\n"
        f"assert ('--no-door' in sys.argv) is {door}\n"
        f"print({line!r}, file=sys.stderr, flush=True); signal.pause()"
    )
    with serving(tmp_path / "site", build(words)) as server:
        assert server.address == ("127.0.0.1", 9)
        assert server.usage().resident > 0
    with pytest.raises(Unavailable):
        server.usage()
    assert (tmp_path / "serve.log").stat().st_size > 0


def test_a_build_without_several_processes_is_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError) as caught, serving(tmp_path / "site", build(""), workers=2):
        pass
    assert (caught.value.where, caught.value.seen) == ("--workers", "2")
    assert "a build" in caught.value.detail


def test_a_process_that_is_not_there_has_no_usage() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    with pytest.raises(Unavailable) as caught:
        usage_of(process.pid)
    assert caught.value.reason == "bench-server-failed"
