"""A refusal is final: every order of the calls of every session, honest and forged."""

from __future__ import annotations

import ast
import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from device.test_session import CURRENT, FORGED, session
from device.world import Manner
from device.world import World as Lab
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol.orders import Call, Order
from stream_world import spki, tpm_key
from vectors import tpm as vector
from world import Device, manufacturer, report, request

import bootz
from bootz.errors import BootzError
from bootz.model.artifacts import StoredVouchers
from bootz.model.bootstrap import BootstrapRequest, ReportedStatus, StatusReport
from bootz.model.challenge import (
    HPKE_SUITE,
    EkAnswer,
    SignatureAnswer,
    TransportKey,
)
from bootz.model.chassis import Chassis, ControlCard, ProvenChassis
from bootz.model.identity import Identity, IdentityKind, TpmRecord
from bootz.protocol.challenges import FRESH_BYTES
from bootz.protocol.idevid import ClaimedCertificate, TlsCertificate
from bootz.protocol.proof import CertificateProof, ChallengeProof, prove
from bootz.protocol.reports import ReportSession, StreamReportSession
from bootz.protocol.server import BootstrapSession
from bootz.protocol.stream_session import StreamSession
from bootz.trust.certificates import pem_from_der
from bootz.trust.signature import sign_with
from bootz.trust.vendor import Vendor
from bootz.wire.flows import STREAM, STREAM_V1, StreamFlow
from bootz.wire.transport_key import encode_transport_key

NOW = datetime.now(UTC)
MUCH_LATER = NOW + timedelta(days=30)
ACME, BETA, GAMMA = manufacturer("Acme"), manufacturer("Beta"), manufacturer("Gamma")
OWN, OTHER = ACME.device("FX1"), ACME.device("FX2")
STRANGER = BETA.device("FX1")
KNOWN = Chassis(1, "Acme", "FX1", (ControlCard("FX1"),))
ANOTHER = Chassis(2, "Acme", "FX2", (ControlCard("FX2"),))
VENDORS = [Vendor(maker.name, (), "", maker.anchors, maker.anchors) for maker in (ACME, BETA)]


def tls(device: Device) -> TlsCertificate:
    return TlsCertificate(device.certificate, device.chain)


def wrong(step: str, reason: str) -> dict[str, str]:
    return {step: reason}


# -- the owner's unary request ------------------------------------------------------------------


def claim(
    device: Device | None = OWN,
    asked: BootstrapRequest | None = None,
    refused: dict[str, str] | None = None,
) -> Call:
    certificate = None if device is None else tls(device)
    return Call("claim", lambda s: s.claim(asked or request(), certificate), refused or {})


def resolve(*records: Chassis, refused: dict[str, str] | None = None) -> Call:
    return Call(
        "resolve", lambda s: s.resolve(records or (KNOWN,), VENDORS, now=NOW), refused or {}
    )


SELECT = Call("select", lambda s: s.select())
PLAN = Call("plan_vouchers", lambda s: s.plan_vouchers(StoredVouchers({"fx1": b"voucher"})))
NO_VOUCHER = Call(
    "plan_vouchers",
    lambda s: s.plan_vouchers(StoredVouchers({})),
    wrong("plan_vouchers", "voucher-missing"),
)
UNKNOWN = resolve(ANOTHER, refused=wrong("resolve", "chassis-unknown"))
AMBIGUOUS = resolve(KNOWN, replace(KNOWN, key=3), refused=wrong("resolve", "chassis-ambiguous"))
CONTRADICTING = request(cards=["FX1"], chassis_serial="FX9")

PROVE = "prove_by_certificate"
UNARY = Order(
    BootstrapSession,
    {
        "": {"claim": "claimed"},
        "claimed": {"resolve": "resolved"},
        "resolved": {PROVE: "proven"},
        "proven": {"select": "selected"},
        "selected": {"plan_vouchers": "done"},
        "done": {},
    },
    PROVE,
    [
        claim(),
        claim(None, refused=wrong("claim", "client-certificate-missing")),
        claim(OTHER, refused=wrong(PROVE, "idevid-serial-foreign")),
        claim(STRANGER, refused=wrong(PROVE, "idevid-untrusted")),
        claim(asked=request(nonce=None), refused=wrong("select", "nonce-missing")),
        claim(asked=CONTRADICTING, refused=wrong("resolve", "chassis-serial-contradicts")),
        resolve(),
        UNKNOWN,
        AMBIGUOUS,
        Call(PROVE, lambda s: s.prove_by_certificate(now=NOW)),
        Call(
            PROVE,
            lambda s: s.prove_by_certificate(now=MUCH_LATER),
            wrong(PROVE, "idevid-untrusted"),
        ),
        SELECT,
        PLAN,
        NO_VOUCHER,
    ],
)

# -- streams ------------------------------------------------------------------------------------

FRESH = bytes(range(FRESH_BYTES))
NONCE = FRESH[:32]
HMAC = vector.HMAC_ANSWER
LOW_ORDER = TransportKey(HPKE_SUITE, bytes(32), NONCE)
OTHER_SUITE = TransportKey(7, vector.seq(0x80, 32), NONCE)
OTHER_NONCE = TransportKey(HPKE_SUITE, vector.seq(0x80, 32), bytes(32))
GOOD_KEY = TransportKey(HPKE_SUITE, vector.seq(0x80, 32), NONCE)


def identity(device: Device) -> Identity:
    pem = pem_from_der([device.certificate, *device.chain]).decode()
    return Identity(IdentityKind.IDEVID, idevid_cert=pem)


def begin(who: Identity | None, refused: dict[str, str] | None = None, **asked: Any) -> Call:
    digest = asked.pop("digest", vector.AIK_DIGEST)
    opening = replace(request(**asked), identity=who, aik_pub_digest=digest)
    return Call("begin", lambda s: s.begin(opening), refused or {})


def begin_report(who: Identity | None, refused: dict[str, str] | None = None) -> Call:
    told = replace(report("FX1"), identity=who, aik_pub_digest=vector.AIK_DIGEST)
    return Call("begin_report", lambda s: s.begin_report(told), refused or {})


def judge(answer: Any, refused: dict[str, str] | None = None, at: float = 1.0) -> Call:
    return Call("judge", lambda s: s.judge(answer, at=at, now=NOW), refused or {})


def signed(device: Device, key: TransportKey) -> SignatureAnswer:
    data = encode_transport_key(key)
    return SignatureAnswer(sign_with(device.key)(data), data)


def streams(flow: StreamFlow, tpm: TpmRecord, *calls: Call, fresh: bytes = FRESH) -> Order:
    known = replace(KNOWN, cards=(ControlCard("FX1", tpm=tpm),))
    return Order(
        lambda: StreamSession(flow),
        {
            "": {"begin": "begun", "begin_report": "told"},
            "begun": {"resolve": "resolved"},
            "resolved": {"admit": "admitted"},
            "admitted": {"challenge": "challenged"},
            "challenged": {"sent": "sent"},
            "sent": {"judge": "proven"},
            "proven": {"recipient": "proven", "select": "selected"},
            "selected": {"plan_vouchers": "done"},
            "done": {},
            # What a report has opened gets no data.
            "told": {"resolve": "resolved for it"},
            "resolved for it": {"admit": "admitted for it"},
            "admitted for it": {"challenge": "challenged for it"},
            "challenged for it": {"sent": "sent for it"},
            "sent for it": {"judge": "done"},
        },
        "judge",
        [
            *calls,
            begin(None, wrong("begin", "stream-identity-missing")),
            begin_report(None, wrong("begin_report", "stream-identity-missing")),
            resolve(known),
            resolve(
                replace(known, streaming=False), refused=wrong("admit", "streaming-not-allowed")
            ),
            UNKNOWN,
            Call("admit", lambda s: s.admit()),
            Call("challenge", lambda s: s.challenge(fresh, now=NOW)),
            Call("sent", lambda s: s.sent(0.0)),
            Call("recipient", lambda s: s.recipient()),
            SELECT,
            PLAN,
            NO_VOUCHER,
        ],
    )


def by_idevid(flow: StreamFlow, *answers: Call) -> Order:
    untrusted = wrong("challenge", "idevid-untrusted")
    return streams(
        flow,
        TpmRecord(),
        begin(identity(OWN)),
        begin(identity(OWN), wrong("select", "nonce-missing"), nonce=None),
        begin(identity(OTHER), wrong("challenge", "idevid-serial-foreign")),
        begin(identity(STRANGER), untrusted),
        begin(
            replace(identity(OWN), idevid_cert="no certificate"),
            wrong("begin", "certificate-malformed"),
        ),
        begin_report(identity(OWN)),
        begin_report(identity(STRANGER), untrusted),
        Call("challenge", lambda s: s.challenge(FRESH, now=MUCH_LATER), untrusted),
        judge(HMAC, wrong("judge", "challenge-kind-mismatch")),
        *answers,
    )


def by_tpm(kind: IdentityKind, *answers: Call, fresh: bytes = FRESH) -> Order:
    return streams(
        STREAM_V1,
        TpmRecord(ek=spki(tpm_key("ek"))),
        begin(Identity(kind)),
        begin_report(Identity(kind)),
        begin(Identity(IdentityKind.EK_OR_PPK), wrong("begin", "stream-identity-missing")),
        resolve(refused=wrong("challenge", "tpm-key-missing")),
        judge(signed(OWN, GOOD_KEY), wrong("judge", "challenge-kind-mismatch")),
        *answers,
        fresh=fresh,
    )


ORDERS = {
    "unary": UNARY,
    "v1-idevid": by_idevid(
        STREAM_V1,
        judge(signed(OWN, GOOD_KEY)),
        judge(signed(OTHER, GOOD_KEY), wrong("judge", "challenge-signature-invalid")),
        judge(signed(OWN, OTHER_NONCE), wrong("judge", "challenge-nonce-mismatch")),
        judge(signed(OWN, LOW_ORDER), wrong("recipient", "transport-key-invalid")),
        judge(signed(OWN, OTHER_SUITE), wrong("recipient", "transport-key-unusable")),
    ),
    "v0.6-idevid": by_idevid(
        STREAM,
        judge(SignatureAnswer(sign_with(OWN.key)(base64.b64encode(NONCE)))),
        judge(
            SignatureAnswer(sign_with(OTHER.key)(base64.b64encode(NONCE))),
            wrong("judge", "challenge-signature-invalid"),
        ),
        judge(
            SignatureAnswer(sign_with(OWN.key)(NONCE)),
            wrong("judge", "challenge-signature-invalid"),
        ),
    ),
    "v1-tpm20": by_tpm(
        IdentityKind.TPM20_EK,
        judge(HMAC),
        judge(HMAC, wrong("judge", "challenge-late"), at=10.5),
        judge(
            replace(HMAC, transport_key=encode_transport_key(LOW_ORDER)),
            wrong("judge", "tpm-transport-key-unbound"),
        ),
    ),
    "v1-tpm12": by_tpm(
        IdentityKind.TPM12_EK,
        begin(
            Identity(IdentityKind.TPM12_EK), wrong("begin", "aik-digest-malformed"), digest=b"short"
        ),
        judge(EkAnswer(vector.TPM12_HASH, vector.TRANSPORT_KEY)),
        judge(EkAnswer(bytes(32), vector.TRANSPORT_KEY), wrong("judge", "tpm-hmac-invalid")),
        fresh=vector.seq(0x20, FRESH_BYTES),
    ),
}

# -- reports ------------------------------------------------------------------------------------


def tell(
    told: StatusReport, device: Device | None = OWN, refused: dict[str, str] | None = None
) -> Call:
    certificate = None if device is None else tls(device)
    return Call("claim", lambda s: s.claim(told, certificate, names_cards=True), refused or {})


def take(told: StatusReport, refused: dict[str, str] | None = None) -> Call:
    return Call("take", lambda s: s.take(told), refused or {})


NO_STATUS = report("FX1", status=ReportedStatus.UNSPECIFIED)
PROVEN = ProvenChassis(KNOWN, "FX1", "a challenge", NOW)

ORDERS |= {
    "report": Order(
        ReportSession,
        {"": {"claim": "claimed"}, "claimed": {"resolve": "done"}, "done": {}},
        "resolve",
        [
            tell(report("FX1")),
            tell(report("FX1"), None, wrong("claim", "client-certificate-missing")),
            tell(NO_STATUS, refused=wrong("claim", "report-status-unspecified")),
            tell(report(), refused=wrong("claim", "report-without-cards")),
            tell(report("FX1", "FX2"), refused=wrong("resolve", "report-card-foreign")),
            tell(report("FX1"), OTHER, wrong("resolve", "chassis-unknown")),
            tell(report("FX1"), STRANGER, wrong("resolve", "chassis-unknown")),
            tell(report("FX1"), GAMMA.device("FX1"), wrong("resolve", "idevid-untrusted")),
            resolve(),
            resolve(
                replace(ANOTHER, manufacturer="Beta"), refused=wrong("resolve", "chassis-unknown")
            ),
        ],
    ),
    "report-on-stream": Order(
        StreamReportSession,
        {"": {"take": "taken"}, "taken": {"count_for": "done"}, "done": {}},
        "",
        [
            take(report("FX1")),
            take(NO_STATUS, wrong("take", "report-status-unspecified")),
            take(report(), wrong("take", "report-without-cards")),
            take(report("FX1", "FX2"), wrong("count_for", "report-card-foreign")),
            Call("count_for", lambda s: s.count_for(PROVEN)),
        ],
    ),
}

# -- the router ---------------------------------------------------------------------------------


@cache
def lab() -> Lab:
    return Lab(Path())


def receive(sealed: Any, refused: dict[str, str] | None = None) -> Call:
    return Call("open", lambda s: s.open(sealed, CURRENT, now=NOW), refused or {})


@cache
def router() -> Order:
    forged = []
    for lie, _, reason in FORGED:
        manner = Manner()
        lie(lab(), manner)
        forged.append(receive(lab().seal("n1", CURRENT, manner), wrong("open", reason)))
    return Order(
        lambda: session(lab()),
        {"": {"request": "requested"}, "requested": {"open": "done"}, "done": {}},
        "open",
        [
            Call("request", lambda s: s.request("n1")),
            Call("request", lambda s: s.request("n0"), wrong("open", "nonce-mismatch")),
            receive(lab().seal("n1", CURRENT)),
            *forged,
        ],
    )


# -- the law ------------------------------------------------------------------------------------

SESSIONS = pytest.mark.parametrize("name", [*ORDERS, "router"])


def order(name: str) -> Order:
    return router() if name == "router" else ORDERS[name]


def walk(name: str, calls: Sequence[Call]) -> None:
    session, proven = order(name).take(calls)
    if hasattr(session, "proven"):
        assert (session.proven is not None) == proven
        if proven:
            assert session.proven.chassis.serial_number == "FX1"
            assert session.proven.proven_serial == "FX1"


@SESSIONS
@given(data=st.data())
@settings(max_examples=100)
def test_nothing_follows_a_refusal_in_any_order_of_calls(name: str, data: st.DataObject) -> None:
    walk(name, data.draw(order(name).walks()))


@SESSIONS
def test_each_refusal_at_each_stage_is_the_last_word(name: str) -> None:
    of = order(name)
    for beginning in of.beginnings():
        for call in of.calls:
            for after in of.steps:
                walk(name, [*beginning, call, of.honest(after)])


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(BootzError) as caught:
        call()
    return caught.value.reason


def test_after_a_contradicted_chassis_serial_no_certificate_proves() -> None:
    session = BootstrapSession()
    session.claim(CONTRADICTING, tls(OWN))
    told = refused(lambda: session.resolve((KNOWN,), VENDORS, now=NOW))
    assert told == "chassis-serial-contradicts"
    with pytest.raises(RuntimeError, match="out of order"):
        session.prove_by_certificate(now=NOW)
    assert (session.proven, session.chassis) == (None, None)


def test_after_a_stream_is_not_allowed_no_challenge_goes_out() -> None:
    session = StreamSession(STREAM_V1)
    session.begin(replace(request(), identity=identity(OWN)))
    session.resolve((replace(KNOWN, streaming=False),), VENDORS, now=NOW)
    assert refused(session.admit) == "streaming-not-allowed"
    with pytest.raises(RuntimeError, match="out of order"):
        session.challenge(FRESH, now=NOW)
    assert not session.challenged


def test_after_a_malformed_voucher_the_router_reads_nothing() -> None:
    asked = session(lab())
    asked.request("n1")
    sealed = lab().seal("n1", CURRENT)
    forged = replace(sealed, ownership_voucher=b"\x30\x03\x02\x01\x01")
    assert refused(lambda: asked.open(forged, CURRENT, now=NOW)) == "ov-malformed"
    for answer in (forged, sealed):
        with pytest.raises(RuntimeError, match="out of order"):
            asked.open(answer, CURRENT, now=NOW)


def test_after_a_refusal_a_stream_vouches_for_no_report() -> None:
    session = StreamSession(STREAM_V1)
    for call in (
        begin(identity(OWN), nonce=None),
        resolve(),
        Call("admit", lambda s: s.admit()),
        Call("challenge", lambda s: s.challenge(FRESH, now=NOW)),
        Call("sent", lambda s: s.sent(0.0)),
    ):
        call.make(session)
    with pytest.raises(RuntimeError):
        session.attested()
    session.judge(signed(OWN, GOOD_KEY), at=0.0, now=NOW)
    assert session.attested().proven_serial == "FX1"
    assert refused(session.select) == "nonce-missing"
    with pytest.raises(RuntimeError):
        session.attested()


def test_a_defect_inside_a_step_is_as_final_as_a_refusal() -> None:
    session = BootstrapSession()
    with pytest.raises(AttributeError):
        session.claim(None, tls(OWN))  # type: ignore[arg-type]
    with pytest.raises(RuntimeError):
        session.claim(request(), tls(OWN))


# -- what proves ----------------------------------------------------------------------------------


def test_a_stream_is_not_proven_by_a_certificate_alone() -> None:
    assert not hasattr(StreamSession, "prove_by_certificate")
    assert not issubclass(StreamSession, BootstrapSession)
    assert not issubclass(ClaimedCertificate, TlsCertificate)


def test_a_certificate_that_is_only_claimed_proves_nothing() -> None:
    claimed = ClaimedCertificate(OWN.certificate)
    session = BootstrapSession()
    session.claim(request(), claimed)  # type: ignore[arg-type]
    session.resolve((KNOWN,), VENDORS, now=NOW)
    with pytest.raises(RuntimeError):
        session.prove_by_certificate(now=NOW)
    assert session.proven is None


@pytest.mark.parametrize("serial", ["", "FX2"])
def test_a_proof_of_another_card_is_of_no_chassis(serial: str) -> None:
    for proof in (CertificateProof(tls(OWN), serial), ChallengeProof("EK", serial)):
        with pytest.raises(RuntimeError):
            prove(KNOWN, proof, now=NOW)


def test_one_place_makes_proven_chassis() -> None:
    root = Path(bootz.__file__).parent
    makers = [
        (path.relative_to(root).as_posix(), scope.name)
        for path in root.rglob("*.py")
        if "ProvenChassis(" in (text := path.read_text())
        for scope in ast.walk(ast.parse(text))
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef)
        for call in ast.walk(scope)
        if isinstance(call, ast.Call) and "ProvenChassis" in ast.unparse(call.func)
    ]
    assert makers == [("protocol/proof.py", "prove")]
