"""Pinned domain certificates that their issuer has revoked, where a manufacturer asks for that."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from grpclib.const import Status
from masa.world import (
    ACME,
    IEN,
    NOW,
    Client,
    World,
    at,
    fill,
    make_folder,
    serving,
    with_client,
)
from pki import Pair, make_pair

from bootz.masa.folder import open_masa
from bootz.wire.ovgs import messages as pb

CA = make_pair("corporate CA", ca=True)
DOMAIN = make_pair("domain", CA, ca=True)
OTHER = make_pair("other", CA)
IMPOSTOR = make_pair("corporate CA", ca=True)
DAY = timedelta(days=1)


def crl(
    *revoked: Pair,
    signer: Pair = CA,
    begin: datetime = NOW - DAY,
    end: datetime = NOW + DAY,
) -> bytes:
    builder = x509.CertificateRevocationListBuilder()
    builder = builder.issuer_name(CA.certificate.subject).last_update(begin).next_update(end)
    for pair in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(pair.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(NOW - DAY).build())
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def world_with(tmp_path: Path, files: dict[str, bytes]) -> World:
    folder = make_folder(tmp_path)
    config = folder / "masa.yaml"
    config.write_text(config.read_text() + "revocation_lists: crls\n")
    (folder / "crls").mkdir()
    for name, data in files.items():
        (folder / "crls" / name).write_bytes(data)
    world = fill(open_masa(folder, clock=lambda: NOW))
    with world.folder.records() as records:
        world.certs["corporate"] = records.add_certificate(
            ACME, DOMAIN.der, revocation_checks=False, expires_at=NOW + DAY
        ).cert_id
    return world


def order(world: World, cert: str = "corporate") -> pb.GetOwnershipVoucherRequest:
    return pb.GetOwnershipVoucherRequest(
        component=pb.Component(ien=IEN, serial_number="S1"),
        cert_id=world.certs[cert],
        lifetime=at(0.5),
    )


ISSUER = CA.certificate.public_bytes(Encoding.PEM)


def unknown_version() -> bytes:
    """A list of a version that does not exist, which the library refuses in a way of its own."""
    der = x509.load_pem_x509_crl(crl()).public_bytes(Encoding.DER)
    return der.replace(b"\x02\x01\x01\x30", b"\x02\x01\x12\x30", 1)


def test_what_is_not_on_a_current_list_is_pinned(tmp_path: Path) -> None:
    der = x509.load_pem_x509_crl(crl(OTHER)).public_bytes(Encoding.DER)
    world = world_with(tmp_path, {"ca.pem": ISSUER, "a.crl": der, "junk.crl": b"x"})

    async def use(client: Client) -> None:
        await client.call("alice", "GetOwnershipVoucher", order(world))
        # Who signed itself is on nobody's list.
        await client.call("alice", "GetOwnershipVoucher", order(world, "acme"))

    with_client(world, use)


CASES: dict[str, tuple[Callable[[], dict[str, bytes]], str]] = {
    "revoked": (lambda: {"ca.pem": ISSUER, "a.crl": crl(DOMAIN)}, "ovgs-cert-revoked"),
    "on one of two lists": (
        lambda: {"ca.pem": ISSUER, "a.crl": crl(), "b.crl": crl(OTHER, DOMAIN)},
        "ovgs-cert-revoked",
    ),
    "no list": (lambda: {"ca.pem": ISSUER}, "ovgs-revocation-unknown"),
    "no issuer": (lambda: {"a.crl": crl()}, "ovgs-revocation-unknown"),
    "an old list": (
        lambda: {"ca.pem": ISSUER, "a.crl": crl(begin=NOW - 2 * DAY, end=NOW)},
        "ovgs-revocation-unknown",
    ),
    "a list to come": (
        lambda: {"ca.pem": ISSUER, "a.crl": crl(begin=NOW + DAY / 2)},
        "ovgs-revocation-unknown",
    ),
    "a list of an impostor": (
        lambda: {
            "ca.pem": ISSUER + IMPOSTOR.certificate.public_bytes(Encoding.PEM),
            "a.crl": crl(signer=IMPOSTOR),
        },
        "ovgs-revocation-unknown",
    ),
    "an unknown version": (
        lambda: {"ca.pem": ISSUER, "a.crl": unknown_version()},
        "ovgs-revocation-unknown",
    ),
    "junk": (lambda: {"ca.pem": b"x", "a.crl": b"\x30\x00"}, "ovgs-revocation-unknown"),
}


@pytest.mark.parametrize(("files", "reason"), CASES.values(), ids=CASES)
def test_what_may_be_revoked_is_not_pinned(
    tmp_path: Path, files: Callable[[], dict[str, bytes]], reason: str
) -> None:
    world = world_with(tmp_path, files())
    before = world.dump()

    async def use(client: Client) -> tuple[Status, str]:
        return await client.refused("alice", "GetOwnershipVoucher", order(world))

    found = with_client(world, use)
    assert found == (Status.FAILED_PRECONDITION, reason)
    assert world.dump() == before


def test_the_json_request_is_told_why(tmp_path: Path) -> None:
    world = world_with(tmp_path, {"ca.pem": ISSUER, "a.crl": crl(DOMAIN)})
    before = world.dump()
    wish = {
        "serial-number": "S1",
        "pinned-domain-cert": base64.b64encode(DOMAIN.der).decode(),
    }

    async def use() -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {world.tokens['alice']}"}
        async with serving(world) as (_, bound), aiohttp.ClientSession(headers=headers) as session:
            host, port = bound.http[0]
            url = f"http://{host}:{port}/voucher-requests"
            async with session.post(url, json=wish) as answer:
                return answer.status, (await answer.json())["reason"]

    try:
        assert asyncio.run(use()) == (409, "ovgs-cert-revoked")
        assert world.dump() == before
    finally:
        world.folder.close()
