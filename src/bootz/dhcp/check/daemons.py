"""The DHCP server's own check of a file, where the server is installed: bounded, and read only.

Nothing of a file may run here: Kea opens the hooks that a file names and dnsmasq runs its
conf-script even in a test, so such files are given to them without, or not at all.
Source: kea-dhcp4(8) -t, dhcpd(8) -t, dnsmasq(8) --test.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bootz.dhcp.check.dnsmasq.lines import read_lines
from bootz.dhcp.check.files import Files
from bootz.dhcp.check.findings import Finding
from bootz.dhcp.check.kea.config import ROOTS
from bootz.dhcp.check.kea.document import read_document
from bootz.dhcp.sync import Row, rows_of
from bootz.errors import ConfigError
from bootz.protocol.dhcp_offer import Family

TIMEOUT: Final = 20.0
"""Seconds that a server's check may take."""

_MAX_OUTPUT: Final = 64 * 1024
_FOLDERS: Final = ("/usr/sbin", "/sbin", "/usr/local/sbin", "/opt/kea/sbin")
_UNREADABLE: Final = re.compile(
    r"permission denied|can't open|unable to open|cannot (read|open)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class OwnCheck:
    """What a server said of a file: findings, and words of what could not be asked."""

    findings: tuple[Finding, ...] = ()
    words: str = ""


def own_check(form: str, family: Family, path: Path, content: bytes) -> OwnCheck:
    """Let the server that a file is for read it, if it is installed here."""
    with tempfile.TemporaryDirectory(prefix="bootz-dhcp-check-") as folder:
        match form:
            case "kea":
                return _kea(family, path, content, Path(folder))
            case "isc":
                flag = "-4" if family is Family.IPV4 else "-6"
                return _run("dhcpd", [flag, "-t", "-cf", str(path)], path, folder, "-t")
            case _:
                return _dnsmasq(path, content, folder)


def _kea(family: Family, path: Path, content: bytes, folder: Path) -> OwnCheck:
    program = "kea-dhcp4" if family is Family.IPV4 else "kea-dhcp6"
    try:
        document = read_document(content, Files(path.parent))
    except ConfigError:
        # What cannot be read names no hooks that Kea would come to.
        return _run(program, ["-t", str(path)], path, str(folder), "-t")
    if document.missing:
        return OwnCheck(words=f"{program} was not asked: an included file cannot be read")
    root = document.root.get(ROOTS[family]) if isinstance(document.root, dict) else None
    if not isinstance(root, dict):
        return _run(program, ["-t", str(path)], path, str(folder), "-t")
    told = OwnCheck()
    if not root.get("hooks-libraries"):
        told = _run(program, ["-t", str(path)], path, str(folder), "-t")
        # Only on the server itself do its interfaces exist.
        if not any("interface" in finding.detail for finding in told.findings):
            return told
    copy = folder / "without-interfaces.conf"
    copy.write_text(json.dumps({ROOTS[family]: _portable(root, family)}))
    return _run(program, ["-t", str(copy)], path, str(folder), "-t")


def _portable(root: Mapping[str, Any], family: Family) -> Row:
    """Return a configuration without what is only on the server: interfaces, hooks, log files."""
    made = {key: value for key, value in root.items() if key not in {"hooks-libraries", "loggers"}}
    key = "subnet4" if family is Family.IPV4 else "subnet6"
    made["interfaces-config"] = {"interfaces": []}

    def bare(holder: Mapping[str, Any]) -> Row:
        kept = {name: value for name, value in holder.items() if name != "interface"}
        if isinstance(holder.get(key), list):
            kept[key] = [bare(row) for row in rows_of(holder, key)]
        return kept

    if isinstance(made.get(key), list):
        made[key] = [bare(row) for row in rows_of(made, key)]
    if isinstance(made.get("shared-networks"), list):
        made["shared-networks"] = [bare(row) for row in rows_of(made, "shared-networks")]
    return made


def _dnsmasq(path: Path, content: bytes, folder: str) -> OwnCheck:
    source = read_lines(content, Files(path.parent))
    keys = {line.key for line in source.lines}
    unread = keys & {"conf-script", "conf-dir"}
    if unread:
        words = (
            f"dnsmasq was not asked: it would run or read what {', '.join(sorted(unread))} names"
        )
        return OwnCheck(words=words)
    return _run("dnsmasq", ["--test", f"--conf-file={path}"], path, folder, "--test")


def _run(name: str, arguments: Sequence[str], path: Path, folder: str, flag: str) -> OwnCheck:
    search = os.pathsep.join([os.environ.get("PATH", ""), *_FOLDERS])
    program = shutil.which(name, path=search)
    if program is None:
        return OwnCheck(words=f"{name} is not installed here: its own check was left out")
    environment = {
        "PATH": search,
        "LC_ALL": "C",
        "KEA_PIDFILE_DIR": folder,
        "KEA_LOCKFILE_DIR": folder,
        "KEA_LOGGER_DESTINATION": str(Path(folder) / "log"),
    }
    place = f"{name} {flag}"
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(  # noqa: S603 -- no shell; the program is the server's
                [program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=path.parent,
                env=environment,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            words = f"it did not end within {TIMEOUT:g} s"
            return OwnCheck((Finding("not-evaluated", place, words),))
        except OSError as error:
            return OwnCheck(words=f"{place} did not run: {error.strerror}")
        output.seek(0)
        said = output.read(_MAX_OUTPUT).decode(errors="replace")
    if done.returncode == 0:
        return OwnCheck()
    words = _reason(said)
    if _UNREADABLE.search(words) and path.name in words:
        return OwnCheck(words=f"{place} may not read the file: {words}")
    return OwnCheck((Finding("refused", place, words),))


def _reason(said: str) -> str:
    """Return what a server says is wrong, of all that it says."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [
        line
        for line in lines
        if re.search(r"error encountered|check failed|line [0-9]+|dnsmasq: ", line, re.IGNORECASE)
        and "HOSTS_BACKENDS" not in line
    ]
    return "; ".join(telling[:3] or lines[-1:])[:600]
