"""The suite for servers: our own passes it, and a careless server does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest
from grpclib.const import Status
from pki import make_pair
from world import Running, World, make_site, run, utc_now

from bootz.cli.main import run as bootz
from bootz.conformance.server.behaved import behaved_cases
from bootz.conformance.server.hostile import hostile_cases
from bootz.conformance.server.hostile_streams import hostile_stream_cases
from bootz.conformance.server.material import make_material
from bootz.conformance.server.player import Player
from bootz.conformance.server.suite import ServerCase, play
from bootz.device.grpc_client import ServerRefused, Timeouts
from bootz.errors import WireError
from bootz.server.operations.vendors import list_vendors
from bootz.transport.grpc.call import Call, Method
from bootz.transport.limits import ListenerLimits
from bootz.transport.listener import GrpcListener
from bootz.transport.tls import server_context
from bootz.wire.dialects import DIALECTS
from bootz.wire.uri import parse_bootz_uri

CHOSEN = [
    "onboard/*",
    "reports/*",
    "hostile/v0.1.0/*",
    "hostile/current/*",
    "hostile/stream/[a-z]*-*/*",
    "hostile/stream-v1/[a-z]*-*/*",
    "hostile/stream-v1/tpm12/*",
    "hostile/*/borrowed-*",
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template") / "site"
    make_site(root)
    return root


def test_our_server_passes(
    tmp_path: Path, template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path, template)
    junit = tmp_path / "junit.xml"

    async def story(running: Running) -> None:
        host, port = running.bound.bootz[0]
        words = ["--site", str(world.root), "conformance", "server"]
        words += ["--target", f"{host}:{port}", "--junit", str(junit), "--output", "json"]
        for pattern in CHOSEN:
            words += ["--case", pattern]
        assert await asyncio.to_thread(bootz, words) == 0

    run(story, world)
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) > 100
    assert {row["result"] for row in rows} == {"passed"}
    suite = ElementTree.parse(junit).getroot()
    assert suite.attrib["failures"] == "0"
    assert suite.attrib["tests"] == str(len(rows))
    # The record is as it was.
    assert world.write(list_vendors) == ()


async def _careless(call: Call) -> None:
    """Answer whoever asks, whatever it is; of a stream, every message."""
    while await call.receive(1 << 20) is not None:
        await call.send(b"\x1a\x00")


async def _answer(call: Call) -> None:
    await call.receive(1 << 20)
    await call.send(b"")


def _methods() -> Mapping[str, Method]:
    return {
        f"{dialect.path}/{method}": (_careless if method.startswith("BootstrapStream") else _answer)
        for dialect in DIALECTS
        for method in dialect.methods
    }


def test_a_careless_server_fails(tmp_path: Path) -> None:
    owner = make_pair("owner", ca=True)
    material = make_material(tmp_path / "material", owner.der, "CTEST", utc_now)
    tls = server_context(
        *make_pair("server", ip="127.0.0.1").save(tmp_path, "server"), client_anchors=None
    )
    listener = GrpcListener(_methods(), limits=ListenerLimits(), context=tls)
    skipped = {"oversized", "rogue-manufacturer"}
    cases = [
        case
        for case in (*behaved_cases(), *hostile_cases(), *hostile_stream_cases())
        if any(word in case.name for word in ("current", "stream-v1/ek", "stream/p256"))
        if not case.slow and not skipped.intersection(case.name.split("/"))
    ]

    async def story() -> list[str]:
        ((host, port),) = await listener.start([("127.0.0.1", 0)])
        uri = parse_bootz_uri(f"bootz://{host}:{port}")
        player = Player(uri, material, Timeouts(10, 20))
        passed = [
            case.name
            for case in cases
            if (await play(case, player, exact=False, seconds=20)).passed
        ]
        await listener.drain(0)
        return passed

    assert asyncio.run(story()) == []


def refusing(status: str) -> ServerCase:
    async def refuse(_player: Player) -> None:
        raise ServerRefused(Status[status], "because", where="x")

    return ServerCase("x", "NOT_FOUND", refuse)


@pytest.mark.parametrize(
    ("status", "exact", "passed", "remark"),
    [
        ("NOT_FOUND", True, True, ""),
        ("INVALID_ARGUMENT", True, False, "the specification says NOT_FOUND"),
        ("INVALID_ARGUMENT", False, True, "the specification says NOT_FOUND"),
    ],
)
def test_judging_a_refusal(status: str, exact: bool, passed: bool, remark: str) -> None:
    verdict = asyncio.run(play(refusing(status), None, exact=exact, seconds=5))  # type: ignore[arg-type]
    assert (verdict.passed, verdict.remark) == (passed, remark)


def test_judging_what_breaks() -> None:
    async def hang(_player: Player) -> None:
        await asyncio.Event().wait()

    async def broken(_player: Player) -> None:
        raise WireError("data-malformed", "no data")

    async def fine(_player: Player) -> None:
        return

    def passed(case: ServerCase) -> bool:
        return asyncio.run(play(case, None, exact=False, seconds=0.05)).passed  # type: ignore[arg-type]

    assert not passed(ServerCase("x", "NOT_FOUND", hang))
    assert not passed(ServerCase("x", "NOT_FOUND", fine))
    assert not passed(ServerCase("x", "OK", hang))
    assert not passed(ServerCase("x", "OK", broken))
    assert passed(ServerCase("x", "OK", fine))


def test_material_for_another_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pinned = make_pair("owner", ca=True)
    chain, _ = pinned.save(tmp_path, "pinned")
    folder = tmp_path / "material"
    words = ["conformance", "server", "--material", str(folder)]
    assert bootz(words) == 2
    assert bootz([*words, "--pinned-domain-cert", str(chain)]) == 0
    document = json.loads((folder / "inventory.json").read_bytes())
    for row in document["chassis"]:
        assert (folder / row["voucher"]).is_file()
    assert (folder / document["vendor"]["ca"]).is_file()
    # Nobody is there: every case fails, and says so.
    capsys.readouterr()
    words += ["--target", "127.0.0.1:1", "--case", "onboard/current/*", "--output", "json"]
    assert bootz(words) == 1
    rows = json.loads(capsys.readouterr().out)
    assert {row["result"] for row in rows} == {"FAILED"}
    (folder / "inventory.json").write_text("{")
    assert bootz(words) == 1


def test_cases_are_listed_and_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootz(["conformance", "server", "--list", "--slow", "--output", "json"]) == 0
    names = [row["case"] for row in json.loads(capsys.readouterr().out)]
    assert len(names) == len(set(names)) > 400
    assert bootz(["conformance", "server", "--list", "--case", "nothing/*"]) == 1
