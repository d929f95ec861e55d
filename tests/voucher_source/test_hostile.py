"""What a service that lies, or is broken, can bring about: a reason, and nothing in store."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.message import Message
from grpclib.const import Status
from operations.shell import Shell
from store.world import NOW, maker, owner
from voucher_source.service import FakeService

from bootz.errors import BootzError
from bootz.model.artifacts import Assertion
from bootz.server.operations.vendors import find_vendor
from bootz.server.operations.vouchers.needs import card_vouchers
from bootz.server.operations.vouchers.records import list_vouchers
from bootz.server.store.database import Database, open_database
from bootz.server.voucher_source.fetching import Fetched, FetchOutcome
from bootz.server.voucher_source.opening import Surroundings, open_fetcher
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import write_instant

PINNED = owner().der
DAY = timedelta(days=1)
GOOD = maker().voucher("FX1", PINNED, created=NOW - DAY, expires=NOW + DAY)


class Site:
    """A site whose vendor's service is a fake one without TLS."""

    def __init__(self, shell: Shell, *serials: str) -> None:
        self.shell = shell
        self.service = FakeService()
        self.service.answers["GetDomainCert"] = lambda _: pb.GetDomainCertResponse(
            certificate_der=PINNED, expiry_time=write_instant(NOW + 90 * DAY)
        )
        shell.file("token", "any-token")
        (shell.root / "token").chmod(0o600)
        for serial in serials:
            shell.ok("chassis", "add", serial, "--vendor", "Acme")

    def fetch(self) -> tuple[dict[str, Fetched], BootzError | None]:
        """Fetch for every card; return what became of each, and what ended it early."""

        async def run() -> tuple[dict[str, Fetched], BootzError | None]:
            async with self.service.serving():
                text = (
                    f"{{ovgs: '127.0.0.1:{self.service.port}', cert_id: c, token_file: token,"
                    " plaintext: true}"
                )
                file = self.shell.file("source.yaml", text)
                self.shell.ok("vendor", "set", "Acme", "--voucher-source", file)
                database = open_database(f"sqlite:///{self.shell.root}/bootz.db")
                try:
                    return await self._fetch(database)
                finally:
                    database.close()

        return asyncio.run(run())

    async def _fetch(self, database: Database) -> tuple[dict[str, Fetched], BootzError | None]:
        with database.read() as connection:
            vendor = find_vendor(connection, "Acme")
            cards = card_vouchers(connection, pinned_domain_cert=PINNED, now=NOW)
        around = Surroundings(database, self.shell.root, lambda: NOW, {})
        fetcher = open_fetcher(vendor, PINNED, around)
        assert fetcher is not None
        results: dict[str, Fetched] = {}
        try:
            async for batch in fetcher.fetch(cards, force=True):
                results.update({each.serial_number: each for each in batch})
        except BootzError as error:
            return results, error
        finally:
            fetcher.source.close()
        return results, None

    def stored(self) -> list[bytes]:
        database = open_database(f"sqlite:///{self.shell.root}/bootz.db")
        with database.read() as connection:
            found = [record.raw for record in list_vouchers(connection)]
        database.close()
        return found

    def answer(self, give: Callable[[str], bytes | Status]) -> None:
        """Answer batches: the voucher of each, or the first refusal for all."""

        def batch(request: pb.GetOwnershipVouchersRequest) -> Message | Status:
            given = [give(each.serial_number) for each in request.component]
            refusals = [each for each in given if isinstance(each, Status)]
            if refusals:
                return refusals[0]
            return pb.GetOwnershipVouchersResponse(
                ownership_vouchers=[
                    pb.GetOwnershipVoucherResponse(voucher_cms=cms)  # type: ignore[arg-type]
                    for cms in given
                ]
            )

        self.service.answers["GetOwnershipVouchers"] = batch


LIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "ov-malformed"),
    "no CMS": (b"\x30\x03\x02\x01\x00", "ov-malformed"),
    "trailing bytes": (maker().voucher("FX1", PINNED) + b"\x00", "ov-malformed"),
    "cut off": (maker().voucher("FX1", PINNED)[:-9], "ov-malformed"),
    "1 MB": (maker().voucher("FX1", PINNED) + bytes(1 << 20), "ov-malformed"),
    "other serial": (maker().voucher("FX2", PINNED), "ov-wrong-serial"),
    "other owner": (maker().voucher("FX1", owner("rival").der), "ov-pins-other"),
    "other vendor": (maker("Rogue").voucher("FX1", PINNED), "ov-untrusted-signer"),
    "expired": (maker().voucher("FX1", PINNED, expires=NOW), "ov-expired"),
    "future": (maker().voucher("FX1", PINNED, created=NOW + DAY), "ov-not-yet-valid"),
    "logged": (
        maker().voucher("FX1", PINNED, assertion=Assertion.LOGGED),
        "ov-assertion",
    ),
    "changed": (
        maker().voucher("FX1", PINNED).replace(b'"FX1"', b'"FX3"'),
        "ov-bad-signature",
    ),
}


@pytest.mark.parametrize(("lie", "reason"), LIES.values(), ids=LIES)
def test_a_wrong_voucher_never_shadows_a_good_one(shell: Shell, lie: bytes, reason: str) -> None:
    site = Site(shell, "FX1")
    site.answer(lambda _: GOOD)
    results, ended = site.fetch()
    assert (results["FX1"].outcome, ended) == (FetchOutcome.STORED, None)
    site.answer(lambda _: lie)
    results, ended = site.fetch()
    assert results["FX1"].outcome is FetchOutcome.REFUSED
    assert results["FX1"].error is not None
    assert results["FX1"].error.reason == reason
    assert ended is None
    assert site.stored() == [GOOD]


def test_the_tpm_keys_beside_a_wrong_voucher_are_not_believed(shell: Shell) -> None:
    site = Site(shell, "FX1")
    key = maker().ca
    site.service.answers["GetOwnershipVouchers"] = lambda _: pb.GetOwnershipVouchersResponse(
        ownership_vouchers=[
            pb.GetOwnershipVoucherResponse(
                voucher_cms=maker().voucher("FX2", PINNED),
                tpm_info=pb.TpmInfo(ek_certificate=key),
            )
        ]
    )
    site.fetch()
    assert "tpm" not in shell.json("chassis", "show", "FX1")["cards"][0]


def test_junk_for_a_tpm_does_not_cost_the_voucher(shell: Shell) -> None:
    site = Site(shell, "FX1")
    site.service.answers["GetOwnershipVouchers"] = lambda _: pb.GetOwnershipVouchersResponse(
        ownership_vouchers=[
            pb.GetOwnershipVoucherResponse(voucher_cms=GOOD, public_key_der=b"junk")
        ]
    )
    results, _ = site.fetch()
    assert results["FX1"].outcome is FetchOutcome.STORED
    assert "chassis-invalid" in results["FX1"].warnings[0]
    assert site.stored() == [GOOD]


def test_bad_entries_are_found_by_halving(shell: Shell) -> None:
    serials = [f"N{number:03}" for number in range(130)]
    site = Site(shell)
    document = {"chassis": [{"vendor": "Acme", "serial_number": each} for each in serials]}
    add_all(shell, document["chassis"])
    bad = {"N000": Status.FAILED_PRECONDITION, "N077": Status.PERMISSION_DENIED}
    site.answer(lambda serial: bad.get(serial) or maker().voucher(serial, PINNED))
    results, ended = site.fetch()
    assert ended is None
    failed = {
        serial: each.error.seen
        for serial, each in results.items()
        if each.outcome is not FetchOutcome.STORED and each.error is not None
    }
    assert failed == {"N000": "FAILED_PRECONDITION", "N077": "PERMISSION_DENIED"}
    assert len(results) == 130
    assert len(site.stored()) == 128
    sizes = [len(each.component) for each in site.service.requests[1:]]
    assert sizes[0] == 100
    assert max(sizes) == 100
    # Two bad of 130: a halving down to each, not a call for every card.
    assert len(sizes) < 32


def add_all(shell: Shell, rows: list[dict[str, str]]) -> None:
    from bootz.server.operations.chassis import ChassisRecord, add_all_chassis

    database = open_database(f"sqlite:///{shell.root}/bootz.db")
    with database.write() as connection:
        add_all_chassis(
            connection, [ChassisRecord(row["vendor"], row["serial_number"]) for row in rows]
        )
    database.close()


@pytest.mark.parametrize("status", [Status.INTERNAL, Status.UNKNOWN, Status.UNAUTHENTICATED])
def test_what_no_entry_is_to_blame_for_ends_the_fetch(shell: Shell, status: Status) -> None:
    site = Site(shell, "FX1", "FX2")
    site.answer(lambda _: status)
    results, ended = site.fetch()
    assert results == {}
    assert ended is not None
    assert re.match(r"masa-(refused|token-refused)", ended.reason)
    assert site.service.calls.count("GetOwnershipVouchers") <= 2


REGISTRATIONS: dict[str, Any] = {
    "other certificate": pb.GetDomainCertResponse(
        certificate_der=owner("rival").der, expiry_time=write_instant(NOW + DAY)
    ),
    "ended": pb.GetDomainCertResponse(certificate_der=PINNED, expiry_time=write_instant(NOW)),
    "nothing": pb.GetDomainCertResponse(),
    "no instant": pb.GetDomainCertResponse(
        certificate_der=PINNED, expiry_time={"seconds": 1 << 60}
    ),
}


@pytest.mark.parametrize("answer", REGISTRATIONS.values(), ids=REGISTRATIONS)
def test_a_registration_that_does_not_fit_asks_for_nothing(shell: Shell, answer: Any) -> None:
    site = Site(shell, "FX1")
    site.service.answers["GetDomainCert"] = lambda _: answer
    results, ended = site.fetch()
    assert results == {}
    assert ended is not None
    assert ended.reason in ("masa-pins-other", "masa-answer-invalid")
    assert site.service.calls == ["GetDomainCert"]
