"""A flame graph of a server, drawn by py-spy while the routers onboard."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bootz.errors import ConfigError, OptionError, Unavailable

_FORMATS: Final = {".svg": "flamegraph", ".json": "speedscope", ".txt": "raw"}
_RATE: Final = "200"
_END_S: Final = 60.0


def profiler(picture: Path) -> str:
    """Return the program that draws, once it is clear that it can.

    Raises:
        OptionError: ``bench-plan-invalid``: the name has no ending that says what to write.
        ConfigError: ``bench-plan-invalid``: py-spy is not installed.
        Unavailable: ``file-unwritable``: there is no such folder.
    """
    if picture.suffix not in _FORMATS:
        raise OptionError(
            "bench-plan-invalid",
            "the name does not say what to write",
            where="--profile",
            expected=" or ".join(_FORMATS),
            seen=picture.name,
        )
    found = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if found is None:
        raise ConfigError(
            "bench-plan-invalid",
            "py-spy is not installed: pip install py-spy",
            where="--profile",
        )
    if not picture.parent.is_dir():
        raise Unavailable("file-unwritable", "there is no such folder", where=str(picture.parent))
    return found


@contextmanager
def profiled(pid: int, picture: Path | None) -> Iterator[None]:
    """Draw what a process and its children do until the block ends; nothing without a file.

    Raises:
        OptionError, ConfigError: as ``profiler``.
        Unavailable: as ``profiler``; py-spy may not look into the process, or cannot write.
    """
    if picture is None:
        yield
        return
    words = ["record", "--pid", str(pid), "--output", str(picture), "--rate", _RATE]
    words += ["--format", _FORMATS[picture.suffix], "--threads", "--subprocesses"]
    words += ["--duration", "unlimited"]
    command = [profiler(picture), *words]
    with subprocess.Popen(  # noqa: S603 -- found by name, as a shell would
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as drawing:
        if drawing.stdout is None:
            raise RuntimeError("stdout is not a pipe")
        # It says a line when it begins.
        told = drawing.stdout.readline()
        try:
            yield
        finally:
            drawing.send_signal(signal.SIGINT)
            try:
                told += drawing.communicate(timeout=_END_S)[0]
            except subprocess.TimeoutExpired:
                drawing.kill()
    if drawing.returncode or not picture.exists():
        lines = told.decode(errors="replace").strip().splitlines()
        raise Unavailable(
            "bench-server-failed",
            f"py-spy: {lines[-1][:300] if lines else 'it printed nothing'}",
            where=str(picture),
        )
