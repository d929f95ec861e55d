"""``bootz dhcp check`` on files: known ones, included ones, and the server's own word."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from dhcp.checked import FILES, MAC, framed, kea4, option
from dhcp.kea import U1, config4
from operations.shell import Shell, shell

from bootz.cli.main import run

__all__ = ["shell"]


def checked(
    capsys: pytest.CaptureFixture[str], path: Path, *words: str
) -> tuple[int, list[dict[str, str]], str]:
    capsys.readouterr()
    given = ["dhcp", "check", str(path), "--no-connect", "--no-inventory", "--output", "json"]
    code = run([*given, *words])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else [], err


CLEAN: tuple[int, set[str]] = (0, set())
KNOWN_FILES = {
    # A file that is included as a value is read.
    "kea-include-value.conf": CLEAN,
    # The list comes by a class: of the reservation, or by what the router sends.
    "kea-class-of-reservation.conf": CLEAN,
    "kea-class-by-test.conf": CLEAN,
    "isc-condition.conf": CLEAN,
    "dnsmasq-tag-by-match.conf": CLEAN,
    "isc-record-type.conf": CLEAN,
    # Kea does not start with them.
    "kea-address-twice.conf": (1, {"refused"}),
    "kea-mac-with-hyphens.conf": (1, {"refused"}),
    "kea-definition-without-name.json": (1, {"refused", "not-evaluated"}),
    # A text in quotes is bare text on the wire.
    "kea-quoted-literal.conf": (0, {"text-redirect"}),
}


@pytest.mark.parametrize(("name", "wanted"), KNOWN_FILES.items(), ids=KNOWN_FILES.keys())
def test_files_that_were_judged_wrongly(
    capsys: pytest.CaptureFixture[str], name: str, wanted: tuple[int, set[str]]
) -> None:
    code, found, _ = checked(capsys, FILES / name, "--no-daemon")
    assert (code, {each["code"] for each in found}) == wanted


@pytest.mark.parametrize(
    "content",
    [
        (FILES / "kea-surrogate.json").read_bytes(),
        b'{"Dhcp4": {"boot-file-name": "\xff\xfe',
        b'{"Dhcp4": {"valid-lifetime": 1',
        b'{"Dhcp4": NaN}',
        b'{"Dhcp4": ' + b"[" * 5000,
    ],
)
def test_what_kea_does_not_read_is_one_clear_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "kea.conf"
    path.write_bytes(content)
    code, found, err = checked(capsys, path, "--no-daemon")
    assert (code, found) == (1, [])
    assert json.loads(err.splitlines()[-1])["error"]["reason"] == "dhcp-config-unreadable"


def test_a_number_without_end_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "kea.conf"
    path.write_text('{"Dhcp4": {"valid-lifetime": 1}, "x": ' + "1" * 5000 + "}")
    code, found, _ = checked(capsys, path, "--no-daemon")
    assert code == 1
    assert "too large" in str(found)


def test_the_command_says_what_and_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        alive = f"bootz://127.0.0.1:{listening.getsockname()[1]}"
        path = tmp_path / "kea.conf"
        rows = [{"hw-address": MAC, "ip-address": "10.0.0.12", **option(framed(alive))}]
        path.write_text(json.dumps(config4(tmp_path, rows)))
        words = ["dhcp", "check", str(path), "--no-inventory", "--no-daemon"]
        assert run([*words, "--output", "json"]) == 0
        assert "no problem found" in capsys.readouterr().err
    assert run([*words, "--output", "json"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["code"], finding["severity"]) == ("unreachable", "error")
    assert "127.0.0.1" in finding["detail"]


INCLUDES = {
    "kea": (
        '{"Dhcp4": {"interfaces-config": {"interfaces": ["e"]}, <?include "inner"?>}}',
        (
            '"client-classes": [{"name": "DROP", "test": "member(\'UNKNOWN\')"}],'
            '"subnet4": [{"id": 1, "subnet": "10.0.0.0/24", "reservations": [{"hw-address":'
            f' "{MAC}", "ip-address": "10.0.0.12", "option-data": [{{"code": 143, "csv-format":'
            f' false, "data": "{U1}"}}]}}]}}]'
        ),
    ),
    "isc": (
        (
            'option sztp code 143 = string; deny unknown-clients; include "inner";\n'
            "subnet 10.0.0.0 netmask 255.255.255.0 { }"
        ),
        (
            f"host a {{ hardware ethernet {MAC}; fixed-address 10.0.0.12;"
            f" option sztp {bytes.fromhex(U1).hex(':')}; }}"
        ),
    ),
    "dnsmasq": (
        "dhcp-range=10.0.0.0,static,255.255.255.0\ndhcp-ignore=tag:!known\nconf-file=inner\n",
        f"dhcp-host={MAC},10.0.0.12\ndhcp-option=143,{bytes.fromhex(U1).hex(':')}\n",
    ),
    "dnsmasq hosts and options": (
        (
            "dhcp-range=10.0.0.0,static,255.255.255.0\ndhcp-ignore=tag:!known\n"
            "dhcp-hostsfile=inner\ndhcp-optsfile=opts\n"
        ),
        f"{MAC},10.0.0.12\n",
    ),
}


@pytest.mark.parametrize("name", INCLUDES)
def test_included_files_are_read_or_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    outer, inner = INCLUDES[name]
    path = tmp_path / "outer.conf"
    path.write_text(outer)
    form = name.split()[0]
    code, found, _ = checked(capsys, path, "--no-daemon", "--form", form)
    assert code == 0
    assert {each["code"] for each in found} >= {"not-evaluated"}
    assert any("inner is not read: No such file" in each["detail"] for each in found)
    (tmp_path / "inner").write_text(inner)
    (tmp_path / "opts").write_text(f"143,{bytes.fromhex(U1).hex(':')}\n")
    assert checked(capsys, path, "--no-daemon", "--form", form)[:2] == (0, [])


@pytest.mark.parametrize("name", ["kea", "isc", "dnsmasq"])
def test_files_that_include_themselves_and_pipes_are_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    path = tmp_path / "outer.conf"
    path.write_text(INCLUDES[name][0])
    os.mkfifo(tmp_path / "inner")
    code, found, _ = checked(capsys, path, "--no-daemon", "--form", name)
    assert code == 0
    assert any("it is not a regular file" in each["detail"] for each in found)
    (tmp_path / "inner").unlink()
    words = {"kea": '<?include "inner"?>', "isc": 'include "inner";', "dnsmasq": "conf-file=inner"}
    (tmp_path / "inner").write_text(words[name])
    _, found, _ = checked(capsys, path, "--no-daemon", "--form", name)
    assert any("include one another" in each["detail"] for each in found)


def test_a_folder_that_is_included_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "dnsmasq.conf"
    path.write_text("conf-dir=/etc/dnsmasq.d\ndhcp-range=10.0.0.0,static,255.255.255.0\n")
    code, found, err = checked(capsys, path)
    assert code == 0
    assert any("conf-dir is not read: /etc/dnsmasq.d" in each["detail"] for each in found)
    # Nor is dnsmasq itself asked: it would read the folder, and run what stands there.
    assert "dnsmasq was not asked" in err


OWN = {
    "kea-dhcp4": (
        kea4(option(U1)).replace('"valid-lifetime": 3600', '"no-such-word": 3600'),
        "no-such-word",
    ),
    "dhcpd": ("optoin routers 10.0.0.1;", "line 1"),
    "dnsmasq": ("dhcp-range=10.0.0.0,static\nno-such-word=1\n", "bad option"),
}


@pytest.mark.kea
@pytest.mark.parametrize("program", OWN)
def test_the_server_itself_is_asked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, program: str
) -> None:
    path = tmp_path / "file.conf"
    text, words = OWN[program]
    path.write_text(text)
    _, found, _ = checked(capsys, path, "--no-daemon")
    assert {each["code"] for each in found} & {"not-evaluated", "refused"}
    code, found, _ = checked(capsys, path)
    assert code == 1
    told = [each for each in found if each["where"].startswith(f"{program} -")]
    assert [each["code"] for each in told] == ["refused"]
    assert words in told[0]["detail"]


@pytest.mark.kea
def test_interfaces_of_the_server_are_not_missed_here(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config: dict[str, Any] = json.loads(kea4(option(U1)))
    config["Dhcp4"]["interfaces-config"]["interfaces"] = ["far-away0"]
    config["Dhcp4"]["subnet4"][0]["interface"] = "far-away0"
    path = tmp_path / "kea.conf"
    path.write_text(json.dumps(config))
    assert checked(capsys, path)[:2] == (0, [])
    config["Dhcp4"]["subnet4"][0]["reservations"] *= 2
    path.write_text(json.dumps(config))
    code, found, _ = checked(capsys, path)
    assert code == 1
    assert {"kea-dhcp4 -t"} < {each["where"] for each in found}


@pytest.mark.kea
def test_nothing_that_a_file_names_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {trace}\n")
    script.chmod(0o755)
    library = tmp_path / "hook.so"
    library.write_bytes(b"\x7fELF no library")
    config: dict[str, Any] = json.loads(kea4(option(U1)))
    config["Dhcp4"]["hooks-libraries"] = [{"library": str(library)}]
    kea = tmp_path / "kea.conf"
    kea.write_text(json.dumps(config))
    code, found, _ = checked(capsys, kea)
    # Kea is asked without the hook: it would open it, and this one it could not.
    assert (code, {each["code"] for each in found}) == (0, {"not-evaluated"})
    dnsmasq = tmp_path / "dnsmasq.conf"
    dnsmasq.write_text(f"conf-script={script}\ndhcp-range=10.0.0.0,static\n")
    assert checked(capsys, dnsmasq)[0] == 0
    assert not trace.exists()


def test_without_the_server_it_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    path = tmp_path / "kea.conf"
    path.write_text(kea4(option(U1)))
    code, found, err = checked(capsys, path)
    assert (code, found) == (0, [])
    assert "kea-dhcp4 is not installed here" in err


def test_the_inventory_says_who_is_a_router(
    shell: Shell, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ("--vendor", "Acme", "--ipv4", "10.0.0.12/24", "--mac", MAC)
    shell.ok("chassis", "add", "FOC1", *words, "--hostname", "r1")
    path = tmp_path / "kea.conf"
    path.write_text(kea4({}))
    code, out, _ = shell.run("dhcp", "check", str(path), "--no-connect", "--no-daemon")
    assert code == 1
    assert "for Acme FOC1 (r1)" in out
    path.write_text(kea4(option(U1[4:])))
    assert shell.run("dhcp", "check", str(path), "--no-connect", "--no-daemon")[0] == 0
    shell.ok("vendor", "set", "Acme", "--redirect-shape", "rfc8572")
    code, out, _ = shell.run("dhcp", "check", str(path), "--no-connect", "--no-daemon")
    assert code == 1
    assert "is marked rfc8572" in out
    shell.ok("vendor", "set", "Acme", "--redirect-shape", "text")
    code, out, err = shell.run("dhcp", "check", str(path), "--no-connect", "--no-daemon")
    assert (code, "no problem found" in err) == (0, True)
