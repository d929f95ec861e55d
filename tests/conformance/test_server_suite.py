"""The suite for servers: our own passes it, and what is no Bootz server passes nothing."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pki import make_pair
from world import Running, World, make_site, run, utc_now

from bootz.cli.conformance.server_play import play_all
from bootz.cli.main import run as bootz
from bootz.conformance.server.catalogue import all_cases
from bootz.conformance.server.material import Material, make_material
from bootz.conformance.server.player import Player
from bootz.conformance.server.site_record import on_record
from bootz.conformance.server.suite import CaseChoice, ServerRun, ServerVerdict, chosen
from bootz.conformance.verdict import Judgement
from bootz.device.grpc_client import Timeouts
from bootz.keystore.files import load_certificates
from bootz.model.identity import TpmKeyType
from bootz.processes import service
from bootz.server.operations.vendors import list_vendors
from bootz.server.site import open_site
from bootz.transport.grpc.call import Call, Method
from bootz.transport.limits import ListenerLimits
from bootz.transport.listener import GrpcListener
from bootz.transport.status import EndCall, Status
from bootz.transport.tls import server_context
from bootz.wire.dialects import DIALECTS
from bootz.wire.reference import parse_reference_config
from bootz.wire.uri import parse_bootz_uri

CHOSEN = [
    "onboard/*",
    "reports/*",
    "modular/*",
    "spelling/*/p256",
    "hostile/v0.1.0/*/p256/*",
    "hostile/current/*/rsa/*",
    "hostile/stream/ek/*",
    "hostile/stream-v1/p384/*",
    "hostile/stream-v1/any/*",
    "hostile/*/foreign-card-*",
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template") / "site"
    make_site(root)
    return root


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Material:
    folder = tmp_path_factory.mktemp("devices") / "material"
    return make_material(folder, open_site(template).pinned_domain_cert(), "CTEST", utc_now)


def test_our_server_passes(
    tmp_path: Path, template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path, template)
    junit, html = tmp_path / "junit.xml", tmp_path / "report.html"

    async def story(running: Running) -> None:
        host, port = running.bound.bootz[0]
        words = ["--site", str(world.root), "conformance", "server", "--strict"]
        words += ["--target", f"{host}:{port}", "--output", "json"]
        words += ["--junit", str(junit), "--html", str(html)]
        for pattern in CHOSEN:
            words += ["--case", pattern]
        assert await asyncio.to_thread(bootz, words) == 0

    run(story, world)
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) > 250
    assert {row["result"] for row in rows} == {"passed"}
    suite = ElementTree.parse(junit).getroot()
    assert suite.attrib["failures"] == suite.attrib["skipped"] == "0"
    assert suite.attrib["tests"] == str(len(rows))
    # Every message that was sent lies beside the page, which names it.
    page = html.read_text()
    for file in (tmp_path / "report-sent").iterdir():
        assert f'href="report-sent/{file.name}"' in page
    # The record is as it was.
    assert world.write(list_vendors) == ()


def test_the_devices_are_written_for_the_go_reference(material: Material, template: Path) -> None:
    tool = Path(__file__).parents[2] / "tools" / "reference_config.py"
    words = [sys.executable, str(tool), str(material.folder), str(template), "127.0.0.1:16006"]
    done = subprocess.run(words, check=True, capture_output=True, timeout=60, text=True)
    config = parse_reference_config(done.stdout)
    cards = {card.serial_number: card for chassis in config.chassis for card in chassis.cards}
    assert cards["CTEST-P256"].ownership_voucher
    assert not cards["CTEST-NO-VOUCHER"].ownership_voucher
    kinds = {card.public_key_type for card in cards.values() if card.public_key}
    assert kinds == {TpmKeyType.EK, TpmKeyType.PPK}


async def _careless(call: Call) -> None:
    """Answer whoever asks, whatever it is; of a stream, every message."""
    while await call.receive(1 << 20) is not None:
        await call.send(b"\x1a\x00")


async def _answer(call: Call) -> None:
    await call.receive(1 << 20)
    await call.send(b"")


async def _refuse(_call: Call) -> None:
    raise EndCall(Status.PERMISSION_DENIED, "I know no one")


def _methods(unary: Method, stream: Method) -> Mapping[str, Method]:
    return {
        f"{dialect.path}/{method}": stream if method.startswith("BootstrapStream") else unary
        for dialect in DIALECTS
        for method in dialect.methods
    }


def _tls(folder: Path) -> ssl.SSLContext:
    pair = make_pair("server", ip="127.0.0.1").save(folder, "server")
    return server_context(*pair, client_anchors=None)


def _played(
    folder: Path, material: Material, methods: Mapping[str, Method], *patterns: str
) -> list[ServerVerdict]:
    """Play cases against a server that is no Bootz server."""
    listener = GrpcListener(methods, limits=ListenerLimits(), context=_tls(folder))
    cases = all_cases()

    async def story() -> list[ServerVerdict]:
        ((host, port),) = await listener.start([("127.0.0.1", 0)])
        player = Player(parse_bootz_uri(f"bootz://{host}:{port}"), material, Timeouts(10, 20))
        suite = ServerRun(player, cases, exact=False, seconds=20)
        verdicts = [await suite.judge(case) for case in chosen(cases, CaseChoice(patterns))]
        await listener.drain(0)
        return verdicts

    return asyncio.run(story())


def test_a_careless_server_fails(tmp_path: Path, material: Material) -> None:
    patterns = ("*/current/*/p256*", "*/stream-v1/ek/*", "*/stream/p256*")
    verdicts = _played(tmp_path, material, _methods(_answer, _careless), *patterns)
    judgements = Counter(verdict.judgement for verdict in verdicts)
    assert judgements[Judgement.PASSED] == 0
    # Whom it serves, whoever that is, it serves wrongly: no twin excuses that.
    assert judgements[Judgement.FAILED] > 20


def test_who_refuses_everyone_passes_nothing(tmp_path: Path, material: Material) -> None:
    verdicts = _played(tmp_path, material, _methods(_refuse, _refuse), "*/p256/*", "onboard/*")
    for verdict in verdicts:
        hostile = verdict.case.name.startswith("hostile/")
        assert verdict.judgement is (Judgement.NOT_JUDGED if hostile else Judgement.FAILED)
    assert any("is not served: PERMISSION_DENIED" in verdict.judged.why for verdict in verdicts)


def test_what_is_not_offered_is_not_judged(tmp_path: Path, material: Material) -> None:
    methods = {
        path: method
        for path, method in _methods(_refuse, _refuse).items()
        if path.startswith("/Bootstrap/")
    }
    patterns = ("*/v0.1.0/*/p256/no-nonce", "*/current/*/p256/no-nonce", "onboard/*/p256")
    by_name = {each.case.name: each for each in _played(tmp_path, material, methods, *patterns)}
    # Offered, and served to no one: the well-behaved device fails.
    assert by_name["onboard/v0.1.0/unary/p256"].judgement is Judgement.FAILED
    for name in ("onboard/current/unary/p256", "hostile/current/unary/p256/no-nonce"):
        assert by_name[name].judgement is Judgement.NOT_JUDGED
        assert "does not offer current/unary" in by_name[name].judged.why


async def _closes(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _bare(folder: Path, *, closing: bool) -> tuple[str, Callable[[], Awaitable[object]]]:
    """Start a TLS server without any service; return its address, and what stops it."""
    if closing:
        context = _tls(folder)
        server = await asyncio.start_server(_closes, "127.0.0.1", 0, ssl=context)
        host, port = server.sockets[0].getsockname()

        async def stop() -> None:
            server.close()

        return f"{host}:{port}", stop
    listener = GrpcListener({}, limits=ListenerLimits(), context=_tls(folder))
    ((host, port),) = await listener.start([("127.0.0.1", 0)])
    return f"{host}:{port}", lambda: listener.drain(0)


@pytest.mark.parametrize("closing", [False, True], ids=["unimplemented", "closing"])
def test_a_server_without_a_service_passes_nothing(
    tmp_path: Path, material: Material, capsys: pytest.CaptureFixture[str], *, closing: bool
) -> None:
    junit = tmp_path / "junit.xml"

    async def story() -> None:
        address, stop = await _bare(tmp_path, closing=closing)
        words = ["conformance", "server", "--any-refusal", "--material", str(material.folder)]
        words += ["--target", address, "--output", "json", "--junit", str(junit)]
        assert await asyncio.to_thread(bootz, words) == 1
        await stop()

    asyncio.run(story())
    said = capsys.readouterr()
    results = Counter(row["result"] for row in json.loads(said.out))
    assert results["passed"] == 0
    assert results["not judged"] > 900
    # What is not offered is no failure; what breaks is one.
    assert (results["FAILED"] > 0) is closing
    assert "0 of " in said.err
    suite = ElementTree.parse(junit).getroot()
    assert suite.attrib["skipped"] == str(results["not judged"])


def test_replayed_over_a_restart(tmp_path: Path, template: Path, material: Material) -> None:
    world = World(tmp_path, template)
    cases = all_cases()
    wanted = chosen(cases, CaseChoice(("restart/*/p256/*", "restart/stream-v1/ek/*"), restart=True))
    port = 0

    async def story() -> list[ServerVerdict]:
        async with AsyncExitStack() as stack:

            async def start() -> None:
                nonlocal port
                log = tmp_path / "serve.log"
                words = ("--site", world.root, "serve", "--no-door")
                listen = ("--listen", f"127.0.0.1:{port}")
                images = ("--image-http", "127.0.0.1:0", "--image-https", "127.0.0.1:0")
                event = await stack.enter_async_context(service(*words, *listen, *images, log=log))
                port = int(str(event["bound"]).rpartition(":")[2].strip("']"))

            async def restart() -> None:
                await stack.aclose()
                await start()

            await start()
            uri = parse_bootz_uri(f"bootz://127.0.0.1:{port}")
            player = Player(uri, material, Timeouts(10, 20))
            return await play_all(ServerRun(player, cases, exact=True, seconds=20), wanted, restart)

    with on_record(world.site, material):
        verdicts = asyncio.run(story())
    assert len(verdicts) == len(wanted) == 6
    assert {verdict.judgement for verdict in verdicts} == {Judgement.PASSED}


def test_a_restart_that_fails_leaves_the_rest(
    tmp_path: Path, template: Path, material: Material, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path, template)

    async def story(running: Running) -> None:
        host, port = running.bound.bootz[0]
        words = ["conformance", "server", "--output", "json", "--material", str(material.folder)]
        words += ["--target", f"{host}:{port}", "--identity", "ek", "--flow", "stream"]
        words += ["--case", "restart/*", "--case", "onboard/*"]
        assert await asyncio.to_thread(bootz, [*words, "--restart-command", "false"]) == 0
        assert await asyncio.to_thread(bootz, [*words, "--restart-command", "no-such"]) == 0
        assert await asyncio.to_thread(bootz, [*words, "--strict", "--restart-command", "false"])
        # Nothing was restarted, so the challenges are those of one process: still fresh.
        assert await asyncio.to_thread(bootz, [*words, "--restart-command", "true"]) == 0

    with on_record(world.site, material):
        run(story, world)
    documents = capsys.readouterr().out.split("]\n")
    results = [
        {row["case"].split("/")[0]: row["result"] for row in json.loads(f"{text}]")}
        for text in documents
        if text.strip()
    ]
    assert results[0] == {"onboard": "passed", "restart": "not judged"} == results[1] == results[2]
    assert results[3] == {"onboard": "passed", "restart": "passed"}


def test_two_servers_side_by_side(
    tmp_path: Path, template: Path, material: Material, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path, template)
    junit, html = tmp_path / "junit.xml", tmp_path / "both.html"

    async def story(running: Running) -> None:
        host, port = running.bound.bootz[0]
        address, stop = await _bare(tmp_path, closing=False)
        words = ["conformance", "server", "--output", "json", "--material", str(material.folder)]
        words += ["--case", "*/current/unary/p256*", "--junit", str(junit), "--html", str(html)]
        ours = f"{host}:{port}"
        assert await asyncio.to_thread(bootz, [*words, "--compare", ours, ours]) == 0
        assert await asyncio.to_thread(bootz, [*words, "--compare", ours, address]) == 1
        assert await asyncio.to_thread(bootz, [*words, "--compare", ours, ours, "--target", ours])
        await stop()

    with on_record(world.site, material):
        run(story, world)
    # The first comparison finds no difference.
    _, same, different = capsys.readouterr().out.partition("[]\n")
    assert same
    rows = json.loads(different)
    assert {(row["first"], row["second"]) for row in rows} == {("passed", "not judged")}
    suites = ElementTree.parse(junit).getroot()
    assert [suite.attrib["skipped"] for suite in suites] == ["0", str(len(rows))]
    assert "does not offer current/unary" in html.read_text()


def test_material_for_another_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pinned = make_pair("owner", ca=True)
    chain, _ = pinned.save(tmp_path, "pinned")
    folder = tmp_path / "material"
    words = ["conformance", "server", "--material", str(folder)]
    assert bootz(words) == 2
    assert bootz([*words, "--pinned-domain-cert", str(chain)]) == 0
    document = json.loads((folder / "inventory.json").read_bytes())
    assert {len(row["cards"]) for row in document["chassis"]} == {1, 2}
    cards = [card for row in document["chassis"] for card in row["cards"]]
    vouchers = [card["voucher"] for card in cards if card["voucher"] is not None]
    assert vouchers
    assert all((folder / voucher).is_file() for voucher in vouchers)
    # One CA of each kind: servers choose a hash by them.
    (maker, neighbour) = document["vendors"]
    assert len(load_certificates(folder / maker["ca"])) == 3
    assert len(load_certificates(folder / neighbour["ca"])) == 1
    # No server is there: every case fails, and says so.
    capsys.readouterr()
    words += ["--target", "127.0.0.1:1", "--case", "onboard/current/*", "--output", "json"]
    assert bootz(words) == 1
    rows = json.loads(capsys.readouterr().out)
    assert {row["result"] for row in rows} == {"FAILED"}
    for damage in ("{", "[]", "{}", '{"form": 1}', '{"form": 2, "tag": "x", "devices": {}}'):
        (folder / "inventory.json").write_text(damage)
        assert bootz(words) == 1


def test_cases_are_listed_chosen_and_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    def listed(*words: str) -> list[dict[str, object]]:
        assert bootz(["conformance", "server", "--list", "--output", "json", *words]) == 0
        rows: list[dict[str, object]] = json.loads(capsys.readouterr().out)
        return rows

    rows = listed("--slow")
    names = [row["case"] for row in rows]
    assert len(names) == len(set(names)) > 1000
    for row in rows:
        twins = row["twins"]
        assert isinstance(twins, list)
        # A refusal counts beside a twin; what replays over a restart has its own honest part.
        hostile = row["expected"] != "OK" and not row["restart"]
        assert bool(twins) is hostile
        assert set(twins) <= set(names)
        assert row["claim"]
        assert row["source"]
    chosen_rows = listed("--dialect", "v0.1.0", "--dialect", "current", "--flow", "unary")
    assert {row["dialect"] for row in chosen_rows} == {"v0.1.0", "current"}
    assert {row["flow"] for row in chosen_rows} == {"unary"}
    assert {row["identity"] for row in listed("--identity", "rsa")} == {"rsa", "any"}
    assert bootz(["conformance", "server", "--list", "--case", "nothing/*"]) == 1
    assert bootz(["conformance", "server", "--list", "--flow", "unary", "--case", "*/ek"]) == 1
