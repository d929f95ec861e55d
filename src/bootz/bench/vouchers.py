"""What a voucher costs: issued in batches by ``bootz masa serve``, and the bare signature.

The service is its own process, called over gRPC and TLS as an owner's server calls it; everything
that it does for a voucher is in the number: token, permissions, signature, the log of issues on
the disk.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID
from grpclib.client import Channel

from bootz.bench.serving import ServerProcess, serving_masa
from bootz.errors import OptionError, Unavailable
from bootz.keystore.files import (
    KeyKind,
    generate_key,
    load_certificates,
    load_private_key,
    random_serial,
)
from bootz.masa.folder import make_masa, open_masa
from bootz.masa.keys import VOUCHER_SIGNER
from bootz.masa.ledger.nouns import AccountType, Component, ComponentName, Role, User
from bootz.transport.calling import CallReasons, call_unary, client_context, end_channel
from bootz.transport.codec import BytesCodec
from bootz.trust.issuing import issue_root
from bootz.trust.signature import sign_with
from bootz.wire.ovgs import messages as pb
from bootz.wire.ovgs import method_path, write_instant

MAX_VOUCHERS: Final = 1_000_000
MAX_BATCH: Final = 1000
"""What the service takes in one call."""

_IEN: Final = "9"
_SOLD: Final = 1000
"""Serial numbers on record; more vouchers are asked for the same ones again."""
_SIGNED_BYTES: Final = 150
"""About as many as the signed attributes of a voucher have."""
_SIGNATURES: Final = 2000
_CALL_S: Final = 60.0
_FAILED: Final = "bench-server-failed"
_REASONS: Final = CallReasons(_FAILED, _FAILED, _FAILED, _FAILED, _FAILED)

OnProgress = Callable[[int], None]
"""Told how many vouchers there are."""


@dataclass(frozen=True, slots=True)
class VoucherBench:
    """What was measured. Milliseconds of CPU, bytes of the service's memory.

    ``resident_early`` is after a tenth of the vouchers, ``resident`` at the end.
    """

    vouchers: int
    batch: int
    per_second: float
    cpu_ms: float
    signature_ms: float
    resident_early: int
    resident: int
    resident_peak: int


def measure_vouchers(
    folder: Path, *, vouchers: int, batch: int, kind: KeyKind, on_progress: OnProgress
) -> VoucherBench:
    """Make a MASA in an empty folder, have it issue, and return what that cost.

    Raises:
        OptionError: ``bench-plan-invalid``: a number is out of range.
        BootzError: the service does not serve, or a voucher was not issued.
    """
    for name, value, most in (
        ("--vouchers", vouchers, MAX_VOUCHERS),
        ("--batch", batch, MAX_BATCH),
    ):
        if not 0 < value <= most:
            raise OptionError(
                "bench-plan-invalid",
                "out of range",
                where=name,
                expected=f"1 to {most}",
                seen=str(value),
            )
    token, cert_id = _found(folder, kind)
    with serving_masa(folder) as server:
        return asyncio.run(_issue(folder, server, token, cert_id, vouchers, batch, on_progress))


async def _issue(
    folder: Path,
    server: ServerProcess,
    token: str,
    cert_id: str,
    vouchers: int,
    batch: int,
    on_progress: OnProgress,
) -> VoucherBench:
    roots = load_certificates(folder / "keys" / "root.pem")
    channel = Channel(*server.address, ssl=client_context(roots), codec=BytesCodec())
    lifetime = write_instant(datetime.now(UTC) + timedelta(days=1))

    async def issue(first: int, count: int) -> None:
        request = pb.GetOwnershipVouchersRequest(
            component=[
                pb.Component(ien=_IEN, serial_number=_serial((first + each) % _SOLD))
                for each in range(count)
            ],
            cert_id=cert_id,
            lifetime=lifetime,
        )
        answer = await call_unary(
            channel,
            method_path("GetOwnershipVouchers"),
            request.SerializeToString(),
            metadata=[("authorization", f"Bearer {token}")],
            seconds=_CALL_S,
            max_bytes=4 << 20,
            reasons=_REASONS,
            where="OVGS",
        )
        issued = pb.GetOwnershipVouchersResponse.FromString(answer).ownership_vouchers
        if len(issued) != count or not all(each.voucher_cms for each in issued):
            raise Unavailable(_FAILED, "a voucher is missing", where="OVGS")

    try:
        # Not counted: connections and caches come about.
        await issue(0, batch)
        before, begin = server.usage(), time.perf_counter()
        early = None
        for first in range(0, vouchers, batch):
            await issue(first, min(batch, vouchers - first))
            done = min(first + batch, vouchers)
            on_progress(done)
            if early is None and done * 10 >= vouchers:
                early = server.usage()
        elapsed, after = time.perf_counter() - begin, server.usage()
    finally:
        end_channel(channel)
    return VoucherBench(
        vouchers=vouchers,
        batch=batch,
        per_second=vouchers / elapsed,
        cpu_ms=(after.cpu - before.cpu) * 1000 / vouchers,
        signature_ms=_signature_ms(folder),
        resident_early=(early or after).resident,
        resident=after.resident,
        resident_peak=after.resident_peak,
    )


def _signature_ms(folder: Path) -> float:
    """Return the CPU milliseconds of one bare signature with the key that signed the vouchers."""
    sign = sign_with(load_private_key(folder / f"{VOUCHER_SIGNER}.key"))
    data = bytes(_SIGNED_BYTES)
    begin = time.process_time()
    for _ in range(_SIGNATURES):
        sign(data)
    return (time.process_time() - begin) * 1000 / _SIGNATURES


def _found(folder: Path, kind: KeyKind) -> tuple[str, str]:
    """Make a MASA with one customer; return its token and the id of its certificate."""
    now = datetime.now(UTC)
    make_masa(folder, name="Bench", iens=[_IEN], hosts=["127.0.0.1"], kind=kind, now=now)
    opened = open_masa(folder, clock=lambda: now)
    user = User("owner", AccountType.SERVICE_ACCOUNT, "org-owner")
    try:
        with opened.records() as records:
            org_id = records.add_org("owner")
            records.add_user(user)
            records.add_role(user, org_id, Role.REQUESTOR)
            _, token = records.add_token(user)
            for number in range(_SOLD):
                records.add_component(Component(ComponentName(_IEN, _serial(number)), org_id))
            expires_at = now + timedelta(days=300)
            made = records.add_certificate(
                org_id,
                _domain_certificate(now, expires_at),
                revocation_checks=False,
                expires_at=expires_at,
            )
    finally:
        opened.close()
    return token, made.cert_id


def _domain_certificate(now: datetime, end: datetime) -> bytes:
    """Return a pinned domain certificate of the common size: RSA-2048."""
    key = generate_key(KeyKind.RSA_2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "owner domain")])
    return issue_root(
        name,
        key,
        serial_number=random_serial(),
        not_before=now - timedelta(days=1),
        not_after=end + timedelta(days=1),
    )


def _serial(number: int) -> str:
    return f"BENCH{number:06}"
