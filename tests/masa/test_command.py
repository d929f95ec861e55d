"""``bootz masa``, as a new user tries it: from an empty folder to a voucher over TLS."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from grpclib.client import Channel, UnaryUnaryMethod
from masa.world import NOW, PIN

from bootz.cli.main import run
from bootz.processes import service
from bootz.transport.calling import end_channel
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import method_path, write_instant

SERIALS = [f"SN{number}" for number in range(10)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "masa"
    monkeypatch.setenv("BOOTZ_MASA", str(path))
    assert run(["masa", "init", str(path), "--ien", "9", "--name", "Example Vendor"]) == 0
    return path


def result(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Run a verb and return what it prints as JSON."""
    capsys.readouterr()
    assert run(["masa", *words, "--output", "json"]) == 0, capsys.readouterr().err
    printed = capsys.readouterr().out
    return json.loads(printed) if printed else None


def setup(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Enter a customer with ten serial numbers; return its token and certificate's id."""
    pin = folder.parent / "pin.pem"
    pin.write_bytes(x509.load_der_x509_certificate(PIN).public_bytes(Encoding.PEM))
    assert result(capsys, "org", "add", "acme") == {"org_id": "org-acme"}
    result(capsys, "user", "add", "alice", "--org", "acme", "--role", "ADMIN")
    token = result(capsys, "token", "add", "alice", "--org", "acme", "--label", "site")["token"]
    result(capsys, "serial", "add", *SERIALS, "--ien", "9", "--org", "acme", "--model", "8201")
    cert = result(capsys, "cert", "add", "acme", str(pin))
    return token, cert["cert_id"]


def test_the_verbs_enter_and_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token, cert_id = setup(folder, capsys)
    assert result(capsys, "org", "list") == [{"org_id": "org-acme"}]
    group = result(capsys, "group", "add", "acme", "lab")["group_id"]
    listed = result(capsys, "group", "list", "acme")
    assert {each["group_id"] for each in listed} == {"org-acme", group}
    result(capsys, "user", "grant", "alice", "acme/lab", "REQUESTOR", "--org", "acme")
    (alice,) = result(capsys, "user", "list")
    assert alice["roles"] == {"org-acme": "ADMIN", group: "REQUESTOR"}
    result(capsys, "user", "revoke", "alice", "acme/lab", "--org", "acme")
    (shown,) = result(capsys, "token", "list")
    assert token not in json.dumps(shown)
    result(capsys, "token", "remove", str(shown["id"]))
    assert result(capsys, "token", "list") == []
    result(capsys, "org", "add", "beta")
    result(capsys, "serial", "move", "sn0", "--ien", "9", "--org", "beta")
    assert [each["serial"] for each in result(capsys, "serial", "list", "--org", "beta")] == ["SN0"]
    result(capsys, "serial", "remove", "SN0", "--ien", "9")
    assert len(result(capsys, "serial", "list")) == 9
    assert [each["cert_id"] for each in result(capsys, "cert", "list", "acme")] == [cert_id]
    result(capsys, "user", "remove", "alice", "--org", "acme")
    assert result(capsys, "user", "list") == []


@pytest.mark.parametrize(
    "words",
    [
        ["init", "{folder}", "--ien", "9"],
        ["init", "{folder}/other", "--ien", "nine"],
        ["org", "add", "acme"],
        ["org", "add", "a/b"],
        ["user", "add", "alice", "--org", "acme"],
        ["user", "add", "bob", "--org", "none"],
        ["user", "add", "bob", "--org", "acme", "--role", "ADMIN", "--group", "acme/none"],
        ["user", "remove", "bob", "--org", "acme"],
        ["token", "add", "bob", "--org", "acme"],
        ["token", "add", "alice", "--org", "acme", "--expires", "2020-01-01"],
        ["token", "remove", "99"],
        ["serial", "add", "sn1", "--ien", "9", "--org", "acme"],
        ["serial", "add", "X", "--ien", "8", "--org", "acme"],
        ["serial", "add", "X", "--ien", "9", "--org", "acme", "--mac", "zz"],
        ["serial", "remove", "X", "--ien", "9"],
        ["serial", "move", "X", "--ien", "9", "--org", "acme"],
        ["cert", "add", "acme", "{folder}/none.pem"],
        ["cert", "add", "acme", "{folder}/masa.yaml"],
        ["voucher", "issue", "{folder}/none.json", "-o", "{folder}/x.vcj"],
        ["voucher", "issue", "{folder}/masa.yaml", "-o", "{folder}/x.vcj"],
        ["import", "{folder}/none.yaml"],
        ["import", "{folder}/masa.yaml"],
        ["org", "list", "--masa", "{folder}/none"],
        ["serve", "--masa", "{folder}/none"],
        ["serve", "--grpc", "nonsense"],
        ["serve", "--grpc", "0.0.0.0:0", "--plaintext"],
    ],
)
def test_what_does_not_fit_is_one_clear_error(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    token, _ = setup(folder, capsys)
    capsys.readouterr()
    assert run(["masa", *(word.format(folder=folder) for word in words)]) == 1
    printed = capsys.readouterr()
    assert "next:" in printed.err
    assert token not in printed.err + printed.out
    assert "Traceback" not in printed.err


def test_a_request_that_came_by_mail_is_answered_with_files(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup(folder, capsys)
    wishes = [
        {"serial-number": serial, "pinned-domain-cert": base64.b64encode(PIN).decode()}
        for serial in SERIALS[:2]
    ]
    one, many = folder / "one.json", folder / "many.json"
    one.write_text(json.dumps(wishes[0]))
    many.write_text(json.dumps(wishes))
    answered = result(capsys, "voucher", "issue", str(one), "-o", str(folder / "SN0.vcj"))
    assert answered["vouchers"] == 1
    assert (folder / "SN0.vcj").read_bytes()[:1] == b"0"
    answered = result(capsys, "voucher", "issue", str(many), "-o", str(folder / "order.tar"))
    assert answered["vouchers"] == 2
    listed = result(capsys, "voucher", "list")
    assert [each["serial"] for each in listed] == ["SN1", "SN0", "SN0"]
    assert len(result(capsys, "voucher", "list", "--serial", "sn0")) == 2
    assert run(["masa", "voucher", "list", "--serial", "SNO", "--output", "json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == []
    assert "'SNO' is not on record; did you mean SN0?" in err


def test_serve_answers_over_tls_until_it_is_told_to_stop(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token, cert_id = setup(folder, capsys)

    async def use() -> str:
        log = folder / "masa.log"
        words = ("masa", "serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
        async with service(*words, log=log) as serving:
            (address,) = serving["grpc"]
            context = ssl.create_default_context(cafile=str(folder / "keys" / "root.pem"))
            context.set_alpn_protocols(["h2"])
            channel = Channel("127.0.0.1", int(address.rpartition(":")[2]), ssl=context)
            path = method_path("GetOwnershipVouchers")
            call = UnaryUnaryMethod(
                channel, path, pb.GetOwnershipVouchersRequest, pb.GetOwnershipVouchersResponse
            )
            try:
                answer = await call(
                    pb.GetOwnershipVouchersRequest(
                        component=[pb.Component(ien="9", serial_number=each) for each in SERIALS],
                        cert_id=cert_id,
                        lifetime=write_instant(NOW + timedelta(days=1)),
                    ),
                    metadata=[("authorization", f"Bearer {token}")],
                )
                assert len(answer.ownership_vouchers) == 10
            finally:
                end_channel(channel)
        return log.read_text()

    said = asyncio.run(use())
    assert "stopped" in said
    assert token not in said
    assert len(result(capsys, "voucher", "list")) == 10
