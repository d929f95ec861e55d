"""``bootz bench`` as a person calls it: a real server, real clients, small numbers."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import ssl
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import bootz
from bootz.bench.against import Comparison, Round, Side
from bootz.bench.builds import Build, this_build
from bootz.bench.factory import Factory
from bootz.bench.light import LightCall, LightCallFailed
from bootz.bench.plan import BenchPlan, IdentityKey
from bootz.bench.serving import serving
from bootz.bench.site import build_site, owner_key_of
from bootz.cli.bench_show import show_comparison
from bootz.cli.ending import ends_like_ctrl_c
from bootz.cli.main import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, run
from bootz.cli.output import Output, OutputFormat
from bootz.processes import COMMAND
from bootz.server.keys.owner import load_owner_identity
from bootz.server.site import open_site
from bootz.trust.certificates import load_certificate

PACE = ("--onboardings", "4", "--clients", "2", "--concurrency", "2")
SMALL = (*PACE, "--config-bytes", "500")


@pytest.mark.parametrize(
    ("dialect", "flow", "identity"),
    [
        ("v0.1.0", "unary", "rsa-2048"),
        ("current", "unary", "p256"),
        ("current", "stream-v1", "rsa-2048"),
    ],
)
def test_onboardings_are_measured(
    dialect: str, flow: str, identity: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bench", "--inventory", "3", *SMALL, "--dialect", dialect, "--identity", identity]
    assert run([*words, "--flow", flow, "--output", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["inventory"], row["routers"], row["onboardings"]) == (3, 3, 4)
    assert (row["dialect"], row["flow"]) == (dialect, flow)
    assert 0 < row["p50_ms"] <= row["p99_ms"]
    assert row["per_second"] > 0
    assert (row["tls_key"], row["owner_key"]) == ("secp256r1", "RSA-2048")
    assert 0 < row["resident_mib"] <= row["resident_peak_mib"]


def test_too_much_cpu_and_a_folder_in_use_are_failures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bench", "--inventory", "2", *SMALL, "--keep", str(tmp_path)]
    assert run([*words, "--max-cpu-ms", "0.001"]) == 1
    told = capsys.readouterr()
    assert "bench-too-slow" in told.err
    assert "2" in told.out
    assert (tmp_path / "0-2" / "serve.log").exists()
    assert run(words) == 1
    assert "bench-plan-invalid" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--onboardings", "0"],
        ["--routers", "0"],
        ["--max-cpu-ms", "0"],
        ["--max-cpu-ms", "nan"],
        ["--storm", "0"],
        ["--storm", "100001"],
    ],
)
def test_numbers_that_make_no_sense_are_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", *words]) == EXIT_USAGE
    assert f"error: {words[0]}: out of range" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    words = ["bench", "--inventory", "2", *SMALL, "--keep", str(tmp_path / "file" / "kept")]
    assert run([*words, "--output", "json"]) == EXIT_FAILED
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["reason"] == "file-unwritable"
    assert error["where"].startswith(str(tmp_path))


def test_a_running_server_is_measured_with_kept_material(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--output", "json"]
    kinds = ["--tls-key", "rsa-2048", "--owner-key", "p256"]
    kept = ["--inventory", "2", "--identity", "p256", *kinds, "--keep", str(tmp_path)]
    assert run(["bench", *SMALL, *kept, *words]) == 0
    identity = load_owner_identity(
        open_site(tmp_path / "0-2" / "site").owner_files(), datetime.now(UTC)
    )
    public = load_certificate(identity.certificate.certificate).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    (own,) = json.loads(capsys.readouterr().out)
    assert own["tls_key"] == "RSA-2048"
    with serving(tmp_path / "0-2" / "site") as server:
        address = f"127.0.0.1:{server.address[1]}"
        target = ["bench", *PACE, "--target", address, "--pid", str(server.pid), *words]
        material = ["--material", str(tmp_path / "0-2" / "material")]
        assert run([*target, *material]) == 0
        (row,) = json.loads(capsys.readouterr().out)
        assert (row["routers"], row["onboardings"], row["tls_key"]) == (2, 4, "RSA-2048")
        # What is not known of a server that was started elsewhere is not claimed.
        assert {name for name, value in row.items() if value is None} == {
            *("inventory", "workers", "identity", "config_bytes", "owner_key")
        }
        assert row.keys() == own.keys()
        assert run([*target, *material, "--routers", "1"]) == 0
        ((row,), log) = (json.loads(capsys.readouterr().out), tmp_path / "0-2" / "serve.log")
        assert row["routers"] == 1
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        reports = [each["serial_number"] for each in lines if each["event"] == "status-reported"]
        assert set(reports[-4:]) == {"BENCH0000000"}
        for further, where in (
            (["--material", str(tmp_path)], "material.json"),
            ([], "--material"),
            ([*material, "--pid", "0"], "--pid"),
        ):
            assert run([*target, *further]) == EXIT_USAGE
            error = json.loads(capsys.readouterr().err)["error"]
            assert (error["reason"], error["where"][-len(where) :]) == ("bench-plan-invalid", where)


def test_a_build_is_compared_with_a_checkout(capsys: pytest.CaptureFixture[str]) -> None:
    checkout = str(Path(bootz.__file__).parents[2])
    words = ["bench", "--inventory", "2", *SMALL, "--rounds", "1", "--against", checkout]
    kinds = ["--identity", "p256", "--owner-key", "p256"]
    assert run([*words, *kinds, "--output", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["round"] for row in told["rounds"]] == [1]
    assert told["ratio_min"] <= told["ratio"] <= told["ratio_max"]
    assert (told["other"], told["own_tls_key"]) == (checkout, told["other_tls_key"])
    assert (told["own_owner_key"], told["other_owner_key"]) == ("secp256r1", "secp256r1")


def test_a_build_that_cannot_choose_the_owners_key_keeps_its_own(tmp_path: Path) -> None:
    script = tmp_path / "old.py"
    script.write_text(
        "import sys\n"
        "from bootz.cli.main import run\n"
        "words = sys.argv[1:]\n"
        "if words[-1] == '--help':\n"
        "    sys.exit(print('Options: --other'))\n"
        "sys.exit(run(words))\n"
    )
    old = Build("old", (sys.executable, str(script)), dict(os.environ))
    plan = BenchPlan(1, 1, 1, 1, 1, "current", IdentityKey.P256, 0, owner_key=IdentityKey.P256)
    factory = Factory(plan.identity, datetime.now(UTC))
    sites = [
        build_site(each, plan, factory, tmp_path / each.name, lambda *_: None)
        for each in (old, this_build())
    ]
    assert [owner_key_of(each) for each in sites] == ["RSA-2048", "secp256r1"]


def test_unlike_keys_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    plan = BenchPlan(1, 1, 1, 1, 1, "current", IdentityKey.P256, 0)
    rounds = (Round(10.0, 5.0), Round(10.0, 4.0), Round(10.0, 6.0))
    sides = (
        Side("abc", "RSA-2048", "RSA-2048"),
        Side("this build", "secp256r1", "secp256r1"),
    )
    show_comparison(Output(OutputFormat.TABLE), Comparison(plan, *sides, rounds))
    told = capsys.readouterr()
    assert "unlike TLS keys: RSA-2048 of abc, secp256r1 of this build" in told.err
    assert "unlike owner keys: RSA-2048 of abc, secp256r1 of this build" in told.err
    assert [line for line in told.out.splitlines() if line.startswith("ratio ")] == [
        "ratio            0.5",
        "ratio min        0.4",
        "ratio max        0.6",
    ]


@pytest.mark.parametrize("one_address", [True, False])
def test_a_storm_onboards_everybody(
    capsys: pytest.CaptureFixture[str], *, one_address: bool
) -> None:
    words = ["bench", "--storm", "9", "--identity", "p256", "--config-bytes", "500"]
    further = ["--one-address"] if one_address else []
    assert run([*words, *further, "--output", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["onboarded"], told["failed"], told["addresses"]) == (
        9,
        {},
        1 if one_address else 9,
    )
    assert 0 < told["p50_s"] <= told["last_s"]
    assert (told["inventory"], told["identity"], told["config_bytes"]) == (9, "p256", 500)
    assert (told["tls_key"], told["owner_key"]) == ("secp256r1", "RSA-2048")


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["--storm", "5", "--against", "HEAD"], "--storm"),
        (["--storm", "5", "--flow", "stream"], "--flow"),
        (["--one-address"], "--one-address"),
        (["--storm", "5", "--onboardings", "4"], "--onboardings"),
        (["--storm", "5", "--routers", "4"], "--routers"),
        (["--storm", "5", "--inventory", "6", "--inventory", "7"], "--inventory"),
        (["--images", "1", "--workers", "2"], "--workers"),
        (["--target", "127.0.0.1:1", "--config-bytes", "5"], "--config-bytes"),
        (["--rounds", "3"], "--rounds"),
        (["--inventory", "1", "--inventory", "2", "--profile", "picture.svg"], "--profile"),
        (["--pid", "1"], "--pid"),
        (["--against", "no-such-revision"], "--against"),
        (["--against", "HEAD", "--rounds", "0"], "--rounds"),
        (["--against", "HEAD", "--inventory", "1", "--inventory", "2"], "--inventory"),
        (["--target", "127.0.0.1", "--material", ".", "--pid", "1"], "--target"),
        (["--profile", "picture.png"], "--profile"),
        (["--storm", "5", "--max-cpu-ms", "0.001"], "--max-cpu-ms"),
        (["--images", "1", "--profile", "picture.svg"], "--profile"),
        (["--against", "HEAD", "--max-cpu-ms", "0.001"], "--max-cpu-ms"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    words: list[str], where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", *words, "--output", "json"]) == EXIT_USAGE
    error = json.loads(capsys.readouterr().err)["error"]
    assert (error["reason"], error["where"]) == ("bench-plan-invalid", where)


def test_a_router_of_a_storm_is_told_why_it_failed() -> None:
    async def call(answer: bytes) -> str:
        loop = asyncio.get_running_loop()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE

        async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        done: asyncio.Future[bytes] = loop.create_future()
        async with server:
            await loop.create_connection(
                lambda: LightCall(context, "h", "/p", b"", done), "127.0.0.1", port
            )
            with pytest.raises(LightCallFailed) as caught:
                await done
        return caught.value.kind

    assert asyncio.run(call(b"")) == "reset"
    assert asyncio.run(call(b"HTTP/1.1 200 OK\r\n\r\n")) == "tls"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_bench_that_is_told_to_end_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    checkout, temporary, pipe = (tmp_path / name for name in ("checkout", "temporary", "pipe"))
    for folder in (checkout / "src/bootz/cli", checkout / ".venv/bin", temporary):
        folder.mkdir(parents=True)
    (checkout / "src/bootz/cli/main.py").touch()
    os.mkfifo(pipe)
    python = checkout / ".venv/bin/python"
    python.write_text(f"#!/bin/sh\nexec 3>'{pipe}'\necho begun >&3\nexec tail -f /dev/null\n")
    python.chmod(0o755)
    words = ["--against", str(checkout), "--rounds", "1", "--onboardings", "1"]
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with (
        os.fdopen(reading) as told,
        subprocess.Popen(
            # Who runs the tests may ignore some of them, as below nohup.
            [*("env", "--default-signal=INT,TERM,HUP"), *COMMAND, "bench", *words],
            env=os.environ | {"TMPDIR": str(temporary)},
        ) as process,
    ):
        try:
            assert select.select([told], [], [], 60)[0]
            os.set_blocking(reading, True)
            assert told.readline() == "begun\n"
            assert len(list(temporary.iterdir())) == 1
            process.send_signal(number)
            assert process.wait(60) == EXIT_INTERRUPTED
            # The build that was called has ended, too.
            assert select.select([told], [], [], 60)[0]
            assert told.read() == ""
        finally:
            process.kill()
    assert list(temporary.iterdir()) == []


def test_a_hangup_that_is_ignored_ends_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ends_like_ctrl_c():
            signal.raise_signal(signal.SIGHUP)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)
