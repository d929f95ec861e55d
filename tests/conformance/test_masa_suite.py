"""The suite for voucher services: our own passes; an empty and a flawed one do not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from masa.world import ACME, BETA, IEN, OPENED, World, make_folder, user

from bootz.cli.main import run as bootz
from bootz.masa.app import Masa
from bootz.masa.folder import MasaFolder, open_masa
from bootz.masa.grpc import ovgs_methods
from bootz.masa.ledger import components, vouchers
from bootz.masa.ledger.access import Access
from bootz.masa.ledger.errors import LedgerError
from bootz.masa.ledger.nouns import Component, ComponentName, Requester, Role
from bootz.masa.service import MasaService
from bootz.transport.grpc.call import Call
from bootz.transport.limits import ListenerLimits
from bootz.transport.listener import GrpcListener
from bootz.transport.status import EndCall, Status
from bootz.wire.ovgs import method_path

SERIALS = ("S1", "s2", "S3", "S4")
OWN = ("admin", "group-admin", "assigner", "requestor", "outsider", "support")
OTHER = ("foreign-admin", "foreign")

Row = dict[str, Any]


@dataclass
class Service:
    """A MASA's folder with two customers and the accounts that the suite wants."""

    folder: MasaFolder
    words: list[str]


def make_service(path: Path) -> Service:
    # The suite compares with its own clock, and a whole run of the tests lasts minutes.
    folder = open_masa(make_folder(path), clock=lambda: datetime.now(UTC))
    OPENED.append(folder)
    words = ["--org", ACME, "--ien", IEN, "--foreign-org", BETA]
    for serial in SERIALS:
        words += ["--serial", serial.upper()]
    words += ["--voucher-anchor", str(folder.path / "keys" / "root.pem")]
    with folder.records() as records:
        records.add_org("acme")
        records.add_org("beta")
        for name in (*OWN, *OTHER):
            account = user(name, BETA if name in OTHER else ACME)
            records.add_user(account, support=name == "support")
            if name.endswith("admin") and name != "group-admin":
                records.add_role(account, account.org_id, Role.ADMIN)
            token = path / name
            token.write_text(records.add_token(account)[1] + "\n")
            words += [f"--{name}", f"{name}={token}"]
        for serial in SERIALS:
            records.add_component(Component(ComponentName(IEN, serial), ACME))
    return Service(folder, words)


def judge(
    service: Service, *words: str, capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[Row]]:
    """Serve it, and let the suite judge it; return the exit code and the rows."""

    async def story() -> int:
        masa = Masa(service.folder.make_service(), limits=ListenerLimits(), tls=None, cookies=False)
        bound = await masa.start([("127.0.0.1", 0)], [("127.0.0.1", 0)])
        target = ["--target", f"127.0.0.1:{bound.grpc[0][1]}", "--plaintext"]
        try:
            return await asyncio.to_thread(suite, *target, *service.words, *words)
        finally:
            await masa.drain(1)

    return asyncio.run(story()), printed(capsys)


def suite(*words: str) -> int:
    return bootz(["conformance", "masa", "--output", "json", *words])


def printed(capsys: pytest.CaptureFixture[str]) -> list[Row]:
    rows = json.loads(capsys.readouterr().out)
    assert isinstance(rows, list)
    return rows


def cases(*patterns: str) -> list[str]:
    return [word for pattern in patterns for word in ("--case", pattern)]


def stored(service: Service) -> dict[str, list[tuple[object, ...]]]:
    """Return all that is stored but the log of issues, which only grows."""
    return {
        name: rows for name, rows in World(service.folder).dump().items() if "issue" not in name
    }


def results(rows: list[Row]) -> dict[str, str]:
    return {row["case"]: row["result"] for row in rows}


CHOSEN = cases(
    "served/*/admin",
    "served/*/requestor",
    "rule/*",
    "choice/*",
    "conflict/*",
    "argument/*",
    "token/*Vouchers/*-token",
    "denied/AddSerial/*",
    "denied/AddGroupDelegatedOrg/*",
    "empty/GetOwnershipVoucher/*",
    "unknown/*Voucher*/*",
)
"""Of each kind some; all of them: `bootz conformance masa`."""


def test_our_own_passes_and_is_left_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = make_service(tmp_path)
    before = stored(service)
    junit, page = tmp_path / "junit.xml", tmp_path / "page.html"
    code, rows = judge(
        service, *CHOSEN, "--strict", "--junit", str(junit), "--html", str(page), capsys=capsys
    )
    assert {row["case"]: row["why"] for row in rows if row["result"] != "passed"} == {}
    assert code == 0
    assert len(rows) >= 120
    assert all(row["claim"] and row["source"] and row["came"] for row in rows)
    report = ElementTree.parse(junit).getroot()
    assert report.attrib["tests"] == str(len(rows))
    assert rows[0]["claim"] in page.read_text()
    assert list((tmp_path / "page-sent").iterdir())
    assert stored(service) == before


def test_a_service_without_the_interface_passes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = make_service(tmp_path)

    async def story() -> int:
        listener = GrpcListener({}, limits=ListenerLimits(), context=None)
        ((_, port),) = await listener.start([("127.0.0.1", 0)])
        target = ["--target", f"127.0.0.1:{port}", "--plaintext"]
        try:
            return await asyncio.to_thread(suite, *target, *service.words)
        finally:
            await listener.drain(0)

    assert asyncio.run(story()) == 1
    rows = printed(capsys)
    assert len(rows) > 350
    assert {row["result"] for row in rows} == {"failed", "not judged"}
    refusals = [row for row in rows if row["case"].startswith(("token/", "denied/", "empty/"))]
    assert {row["result"] for row in refusals} == {"not judged"}


def test_a_service_that_lets_nobody_do_a_thing_is_not_judged_by_its_refusals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has groups and components, and refuses every change of a component for everybody."""

    def refuse(access: Access, *_: object) -> None:
        access.require("org-beta", Role.SUPPORT)

    service = make_service(tmp_path)
    kept = components.add_serial
    monkeypatch.setattr(
        components,
        "add_serial",
        lambda access, name, group: (
            kept(access, name, group) if access.caller.user.username == "admin" else refuse(access)
        ),
    )
    monkeypatch.setattr(components, "remove_serial", refuse)
    chosen = cases("denied/RemoveSerial/requestor", "denied/RemoveSerial/outsider")
    code, rows = judge(service, *chosen, capsys=capsys)
    assert code == 1
    assert {row["result"] for row in rows} == {"not judged"}
    assert all("twin" in row["why"] for row in rows)


def everyone_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Access, "require", lambda *_: None)
    monkeypatch.setattr(Access, "require_component", lambda *_: None)


def any_admin_delegates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Access,
        "holds_admin_directly",
        lambda self, group: self.may(group.group_id, Role.REQUESTOR) or bool(self._roles),
    )


def any_token_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = MasaService.authenticate

    async def authenticate(self: MasaService, token: str | None) -> Requester:
        try:
            return await kept(self, token)
        except LedgerError:
            if token is None:
                raise
        return Requester(user("admin"), support=False)

    monkeypatch.setattr(MasaService, "authenticate", authenticate)


def a_voucher_outlives_its_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = vouchers._order

    def order(access: Access, component: Component, certificate: Any, *more: Any) -> Any:
        later = replace(certificate, expires_at=certificate.expires_at + timedelta(days=99))
        made = kept(access, component, later, *more)
        return replace(made, certificate=certificate)

    monkeypatch.setattr(vouchers, "_order", order)


def a_voucher_is_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = vouchers._order

    def order(access: Access, component: Component, certificate: Any, *more: Any) -> Any:
        other = replace(component, name=ComponentName(IEN, "S4"))
        return replace(kept(access, component, certificate, *more), component=other)

    monkeypatch.setattr(vouchers, "_order", order)


def a_refused_move_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, change = components.add_serial, MasaService.change

    def move(access: Access, name: ComponentName, group: str) -> None:
        if access.caller.user.username == "requestor":
            access.book.move_component(name, group)
        else:
            kept(access, name, group)

    async def changed(self: MasaService, caller: Requester, decision: Any) -> Any:
        result = await change(self, caller, decision)
        if caller.user.username == "requestor":
            raise EndCall(Status.PERMISSION_DENIED, "no")
        return result

    monkeypatch.setattr(components, "add_serial", move)
    monkeypatch.setattr(MasaService, "change", changed)


@pytest.mark.parametrize(
    ("flaw", "caught"),
    [
        (everyone_may, "denied/GetGroup/outsider"),
        (any_admin_delegates, "denied/AddGroupDelegatedOrg/group-admin"),
        (any_token_counts, "token/GetGroup/unknown-token"),
        (a_voucher_outlives_its_certificate, "argument/GetOwnershipVoucher/beyond"),
        (a_voucher_is_for_another, "served/GetOwnershipVoucher/admin"),
        (a_refused_move_is_made, "denied/AddSerial/requestor"),
    ],
)
def test_a_flaw_is_caught(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    flaw: Callable[[pytest.MonkeyPatch], None],
    caught: str,
) -> None:
    service = make_service(tmp_path)
    flaw(monkeypatch)
    code, rows = judge(service, *cases(caught, "served/GetGroup/admin"), capsys=capsys)
    assert results(rows)[caught] == "failed"
    assert results(rows)["served/GetGroup/admin"] == "passed"
    assert code == 1


def test_without_an_account_its_cases_are_not_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = make_service(tmp_path)
    at = service.words.index("--support")
    del service.words[at : at + 2]
    chosen = cases("served/GetGroup/*")
    code, rows = judge(service, *chosen, capsys=capsys)
    assert results(rows)["served/GetGroup/support"] == "not judged"
    assert code == 0
    assert judge(service, *chosen, "--strict", capsys=capsys)[0] == 1


def test_an_older_service_lacks_what_was_added_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lacking(_call: Call) -> None:
        raise EndCall(Status.UNIMPLEMENTED, "no such method")

    service = make_service(tmp_path)
    monkeypatch.setattr(
        "bootz.masa.app.ovgs_methods",
        lambda *words, **more: {
            **ovgs_methods(*words, **more),
            method_path("GetSerials"): lacking,
        },
    )
    code, rows = judge(service, *cases("*/GetSerials/*", "served/GetSerial/admin"), capsys=capsys)
    found = results(rows)
    assert found.pop("served/GetSerial/admin") == "passed"
    assert set(found.values()) == {"not judged"}
    assert code == 0


@pytest.mark.parametrize(
    "words",
    [
        ["--target", "127.0.0.1:1"],
        ["--ca", "{file}"],
        [
            "--target",
            "192.0.2.1:1",
            "--plaintext",
            "--org",
            "x",
            "--ien",
            "9",
            "--admin",
            "a={file}",
        ],
        ["--target", "127.0.0.1:1", "--org", "x", "--ien", "9", "--admin", "nothing"],
    ],
)
def test_what_does_not_fit_is_a_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("token")
    serials = [word for serial in SERIALS for word in ("--serial", serial)]
    given = [word.format(file=file) for word in words]
    assert bootz(["conformance", "masa", *given, *(serials if len(words) > 2 else [])]) == 2
    assert "Usage:" in capsys.readouterr().err


def test_cases_are_listed_and_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert suite("--list") == 0
    names = [row["case"] for row in printed(capsys)]
    assert len(names) == len(set(names)) > 350
    assert bootz(["conformance", "masa", "--list", "--case", "nothing/*"]) == 1
