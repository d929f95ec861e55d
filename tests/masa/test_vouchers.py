"""What is issued is a voucher, for OpenSSL and for a router."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from grpclib.const import Status
from masa.world import (
    ACME,
    IEN,
    NOW,
    PIN,
    Client,
    World,
    fill,
    make_folder,
    new_world,
    with_client,
)
from pki import Pair, make_pair

from bootz.errors import Unavailable
from bootz.keystore.files import load_certificates
from bootz.masa.folder import open_masa
from bootz.masa.issuing import VoucherIssuer, VoucherKey
from bootz.masa.ledger.nouns import UNLIMITED, Component, ComponentName
from bootz.masa.service import MasaService
from bootz.model.artifacts import Assertion
from bootz.trust.certificates import AnchorSet, VendorCAs
from bootz.trust.voucher import RouterCard, verify_for_owner, verify_for_router, verify_voucher
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import write_instant

OPENSSL = shutil.which("openssl")


def issue(world: World, serial: str = "S2", until: datetime | None = None) -> bytes:
    async def use(client: Client) -> bytes:
        answer = await client.call(
            "alice",
            "GetOwnershipVoucher",
            pb.GetOwnershipVoucherRequest(
                component=pb.Component(ien=IEN, serial_number=serial),
                cert_id=world.certs["lab"],
                lifetime=write_instant(until or NOW + timedelta(days=1, microseconds=700_000)),
            ),
        )
        return bytes(answer.voucher_cms)

    return with_client(world, use)


def root(world: World) -> bytes:
    return load_certificates(world.folder.path / "keys" / "root.pem")[0]


def test_a_router_verifies_what_is_issued(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    cms = issue(world, "s2")
    anchors = VendorCAs(AnchorSet.from_der([root(world)]))
    accepted = frozenset({Assertion.VERIFIED})
    voucher = verify_for_router(cms, RouterCard("S2", anchors, None), accepted, now=NOW)
    assert voucher.warnings == ()
    assert voucher == verify_for_owner(
        cms, anchors, serial_number="s2", pinned_domain_cert=PIN, accepted=accepted, now=NOW
    )
    content = voucher.content
    assert content.expires_on == NOW + timedelta(days=1)
    assert content.revocation_checks is False
    assert (content.idevid_issuer, content.last_renewal_date) == (None, None)
    assert content.created_on is not None


@pytest.mark.parametrize("encoding", ["anima-json", "pkcs7-data"])
def test_openssl_verifies_and_prints_what_is_issued(tmp_path: Path, encoding: str) -> None:
    assert OPENSSL is not None, "openssl is a tool of this test"
    config = make_folder(tmp_path) / "masa.yaml"
    config.write_text(config.read_text() + f"econtent_type: {encoding}\n")
    world = fill(open_masa(config.parent, clock=lambda: NOW))
    voucher = tmp_path / "S2.vcj"
    voucher.write_bytes(issue(world))
    run = subprocess.run(
        [OPENSSL, "cms", "-verify", "-inform", "DER", "-in", str(voucher),
         "-CAfile", str(world.folder.path / "keys" / "root.pem")],
        capture_output=True,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    leaves = json.loads(run.stdout)["ietf-voucher:voucher"]
    assert leaves["serial-number"] == "S2"
    assert leaves["assertion"] == "verified"
    assert leaves["domain-cert-revocation-checks"] is False
    expected = (NOW + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert leaves["expires-on"] == expected
    assert set(leaves) == {
        "created-on", "expires-on", "assertion", "serial-number", "pinned-domain-cert",
        "domain-cert-revocation-checks",
    }  # fmt: skip


def test_the_signer_has_no_extended_key_usage(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    path = world.folder.path / "keys" / "voucher-signer.pem"
    signer = x509.load_der_x509_certificate(load_certificates(path)[0])
    usage = signer.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    with pytest.raises(x509.ExtensionNotFound):
        signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    for name in ("root", "voucher-signer", "tls"):
        assert (world.folder.path / "keys" / f"{name}.key").stat().st_mode & 0o777 == 0o600
    world.folder.close()


def test_a_certificate_without_an_end_gives_a_voucher_without_one(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    key = ec.generate_private_key(ec.SECP256R1())
    name = make_pair("endless", ca=True).certificate.subject
    from cryptography.hazmat.primitives import hashes

    endless = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(UNLIMITED)
        .add_extension(x509.BasicConstraints(True, None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    with world.folder.records() as records:
        world.certs["lab"] = records.add_certificate(
            ACME, endless, revocation_checks=True, expires_at=UNLIMITED
        ).cert_id
    cms = issue(world, until=UNLIMITED)
    content = verify_voucher(cms, VendorCAs(AnchorSet.from_der([root(world)])), now=NOW).content
    assert content.expires_on is None
    assert content.revocation_checks is True
    assert content.pinned_domain_cert == endless


def test_the_issuer_of_an_idevid_is_named_where_it_is_known(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    issuer = bytes.fromhex("30168014") + bytes(range(20))
    with world.folder.records() as records:
        records.add_component(Component(ComponentName(IEN, "S9"), ACME, idevid_issuer=issuer))
    cms = issue(world, "S9")
    content = verify_voucher(cms, VendorCAs(AnchorSet.from_der([root(world)])), now=NOW).content
    assert content.idevid_issuer == issuer


class BrokenSigner:
    """A token that was pulled out."""

    def __init__(self, pair: Pair) -> None:
        from bootz.trust.signature import scheme_for

        self.public_key = pair.key.public_key()
        self.scheme = scheme_for(self.public_key)

    async def sign(self, data: bytes) -> bytes:
        raise Unavailable("file-unreadable", "PIN 1234 in /secret/path", where="/secret/path")


def test_a_signer_that_fails_is_internal_and_says_nothing(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    pair = make_pair("signer")
    keys = {IEN: VoucherKey(BrokenSigner(pair), pair.der, ())}
    service = MasaService(
        world.folder.database,
        VoucherIssuer(keys, clock=lambda: NOW),
        rules=world.folder.rules,
        clock=lambda: NOW,
    )
    world.folder.make_service = lambda: service  # type: ignore[method-assign]
    before = world.dump()

    async def use(client: Client) -> None:
        request = pb.GetOwnershipVoucherRequest(
            component=pb.Component(ien=IEN, serial_number="S2"),
            cert_id=world.certs["lab"],
            lifetime=write_instant(NOW + timedelta(days=1)),
        )
        from grpclib.exceptions import GRPCError

        with pytest.raises(GRPCError) as caught:
            await client.call("alice", "GetOwnershipVoucher", request)
        assert caught.value.status is Status.INTERNAL
        assert "secret" not in str(caught.value)
        assert "1234" not in str(caught.value)

    with_client(world, use)
    assert world.dump() == before


def test_clients_check_the_tls_certificate_against_the_root(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    leaf, anchor = load_certificates(world.folder.path / "keys" / "tls.pem")
    certificate = x509.load_der_x509_certificate(leaf)
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(anchor))
    assert anchor == root(world)
    world.folder.close()
