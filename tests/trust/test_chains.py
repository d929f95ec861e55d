"""The certificate zoo of path validation: one table, a verdict and a reason for every case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.x509.oid import ExtendedKeyUsageOID
from trust.world import (
    DAY,
    NOW,
    NULL,
    SHA1_RSA,
    Made,
    at,
    authority,
    constraints,
    curve_key,
    explicit_spki,
    extension,
    forge,
    name,
    names,
    openssl,
    p384,
    raw_extension,
    rsa_key,
    usage,
)

from bootz.trust.asn1 import encode, encode_integer, encode_oid, encode_sequence
from bootz.trust.certificates import (
    AnchorSet,
    CertificateError,
    fingerprint,
    idevid_serial_number,
    parse_certificates,
    pem_from_der,
    verify_chain,
)

Case = tuple[Made, list[Made], list[Made]]
"""Leaf, intermediates, anchors."""

REPORTED = Path(__file__).parents[1] / "vectors" / "reported" / "idevid"
ORG, SERIAL = "2.5.4.10", "2.5.4.5"

ROOT = authority()
UNKNOWN = raw_extension("1.3.6.1.4.1.55555.1", NULL, critical=True)
FOREVER = at(datetime(9999, 12, 31, 23, 59, 59))


def leaf(issuer: Made = ROOT, **how: object) -> Made:
    return forge("leaf", how.pop("key", curve_key(5)), issuer, **how)  # type: ignore[arg-type]


def below(issuer: Made, *others: Made) -> Case:
    return leaf(issuer), list(others), [ROOT]


def pss(salt: int) -> tuple[bytes, Callable[[bytes], bytes]]:
    sha256 = encode_sequence(encode_oid("2.16.840.1.101.3.4.2.1"), NULL)
    mask = encode_sequence(encode_oid("1.2.840.113549.1.1.8"), sha256)
    parameters = encode_sequence(
        encode(0xA0, sha256), encode(0xA1, mask), encode(0xA2, encode_integer(salt))
    )
    algorithm = encode_sequence(encode_oid("1.2.840.113549.1.1.10"), parameters)
    mgf = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
    return algorithm, lambda data: rsa_key().sign(data, mgf, hashes.SHA256())


def sha1(key: int = 0) -> tuple[bytes, Callable[[bytes], bytes]]:
    return SHA1_RSA, lambda data: rsa_key(key).sign(data, padding.PKCS1v15(), hashes.SHA1())


def sub(**how: object) -> Made:
    how.setdefault("extensions", (constraints(), usage(certify=True)))
    return forge("sub", how.pop("key", rsa_key(6)), how.pop("issuer", ROOT), **how)  # type: ignore[arg-type]


def hardware_name() -> bytes:
    value = encode_sequence(encode_oid("1.3.6.1.4.1.9.1"), encode(0x04, b"SN1"))
    other = encode(0xA0, encode_oid("1.3.6.1.5.5.7.8.4") + encode(0xA0, value))
    return raw_extension("2.5.29.17", encode_sequence(other))


def accepted() -> dict[str, Case]:
    foreign = authority("foreign", rsa_key(9))
    end_entity = forge("pdc", rsa_key(8), foreign)
    bare = forge("bare", rsa_key(8))
    middle = sub()
    no_usage = forge("sub", rsa_key(6), ROOT, extensions=(constraints(critical=False),))
    named_pss = sub(algorithm=pss(32))
    client = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    policies = x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier("1.3.6.1.4.1.9.21.1"), None)]
    )
    return {
        "no extension at all": (leaf(), [], [ROOT]),
        "P-384": (leaf(key=p384(1)), [], [ROOT]),
        "RSA-2048": (leaf(key=rsa_key(5)), [], [ROOT]),
        "no end": (leaf(end=FOREVER), [], [ROOT]),
        "keyCertSign on the leaf": (leaf(extensions=(usage(certify=True),)), [], [ROOT]),
        "CA:TRUE on the leaf": (leaf(extensions=(constraints(),)), [], [ROOT]),
        "hardware module name": (leaf(extensions=(hardware_name(),)), [], [ROOT]),
        "clientAuth": (leaf(extensions=(extension(client),)), [], [ROOT]),
        "critical policies": (leaf(extensions=(extension(policies, critical=True),)), [], [ROOT]),
        "CA without keyUsage": (leaf(no_usage), [no_usage], [ROOT]),
        "an intermediate as anchor": (leaf(middle), [], [middle]),
        "through an intermediate": below(middle, middle),
        "extra, repeated, unordered": below(middle, foreign, middle, foreign, middle),
        "an intermediate with PSS": below(named_pss, named_pss),
        "leaf = anchor, self-signed": (bare, [], [bare]),
        "leaf = anchor, of a foreign CA": (end_entity, [], [end_entity]),
        "the second of two anchors": (leaf(), [], [foreign, ROOT]),
        "SHA-1 on the anchor itself": (
            leaf(ROOT),
            [],
            [forge("root", rsa_key(), extensions=(constraints(),), algorithm=sha1())],
        ),
    }


def refused() -> dict[str, tuple[str, Case]]:
    plain, no_certs = sub(extensions=()), sub(extensions=(constraints(), usage(sign=True)))
    short = sub(extensions=(constraints(length=0), usage(certify=True)))
    deeper = authority("deeper", rsa_key(7), short)
    late, early = sub(end=at(NOW - timedelta(hours=1))), sub(start=at(NOW + DAY))
    weak_ca, edwards = sub(key=rsa_key(0, 1024)), sub(key=ed25519.Ed25519PrivateKey.generate())
    version_1 = forge("old", rsa_key(8), version=1)
    twin = authority("root", rsa_key(9))
    old_anchor = forge("root", rsa_key(), extensions=(constraints(),), end=at(NOW - DAY / 2))
    printable = forge("leaf", curve_key(5), ROOT, issuer_name=name("root", tag=0x13))
    pss_24 = sub(algorithm=pss(24))
    hashed = sub(algorithm=sha1())
    brainpool = ec.generate_private_key(ec.BrainpoolP256R1())
    general = at(NOW + DAY, generalized=True)
    marked = leaf(extensions=(UNKNOWN,))
    spelt = explicit_spki(curve_key(8))
    spelt_sub = sub(key=curve_key(8), spki=spelt)
    spelt_root = forge(
        "spelt", curve_key(8), extensions=(constraints(), usage(certify=True)), spki=spelt
    )
    marked_sub = sub(extensions=(constraints(), UNKNOWN))
    one = [ROOT]
    return {
        "foreign issuer": ("untrusted", (leaf(twin), [], one)),
        "self-signed leaf": ("untrusted", (forge("leaf", curve_key(5)), [], one)),
        "embedded root gives no trust": ("untrusted", (leaf(twin), [twin], one)),
        "missing intermediate": ("untrusted", (leaf(sub()), [], one)),
        "leaf expired": ("expired", (leaf(end=at(NOW - DAY / 2)), [], one)),
        "leaf in the future": ("not-yet-valid", (leaf(start=at(NOW + DAY / 2)), [], one)),
        "CA expired": ("expired", below(late, late)),
        "CA in the future": ("not-yet-valid", below(early, early)),
        "anchor expired": ("expired", (leaf(), [], [old_anchor])),
        "CA without basicConstraints": ("not-a-ca", below(plain, plain)),
        "CA with keyUsage lacking keyCertSign": ("not-a-ca", below(no_certs, no_certs)),
        "path length": ("path-length", (leaf(deeper), [deeper, short], one)),
        "unknown critical extension": ("critical-extension", (marked, [], one)),
        "the same on a CA": ("critical-extension", below(marked_sub, marked_sub)),
        "version 1 root": ("version", (leaf(version_1), [], [version_1])),
        "version 1 leaf": ("version", (leaf(version=1), [], one)),
        "GeneralizedTime too early": ("needs-legacy", (leaf(end=general), [], one)),
        "CA with RSA-1024": ("weak-key", below(weak_ca, weak_ca)),
        "CA with Ed25519": ("weak-signature", below(edwards, edwards)),
        "leaf with RSA-1024": ("weak-key", (leaf(key=rsa_key(1, 1024)), [], one)),
        "leaf on a Brainpool curve": ("weak-key", (leaf(key=brainpool), [], one)),
        "leaf with Ed25519": (
            "weak-key",
            (leaf(key=ed25519.Ed25519PrivateKey.generate()), [], one),
        ),
        "SHA-1 below the anchor": ("weak-signature", below(hashed, hashed)),
        "SHA-1 on the leaf": ("weak-signature", (leaf(algorithm=sha1()), [], one)),
        "PSS with another salt": ("needs-legacy", below(pss_24, pss_24)),
        "issuer in another string type": ("needs-legacy", (printable, [], one)),
        "explicit curve on the leaf": (
            "explicit-curve",
            (leaf(key=curve_key(8), spki=spelt), [], one),
        ),
        "explicit curve on a CA": ("explicit-curve", below(spelt_sub, spelt_sub)),
        "explicit curve on the anchor": ("explicit-curve", (leaf(spelt_root), [], [spelt_root])),
    }


@pytest.mark.parametrize("case", accepted().values(), ids=accepted())
def test_what_holds(case: Case) -> None:
    end, helpers, anchors = case
    chain = verify_chain(
        end.der, [each.der for each in helpers], AnchorSet.from_der(a.der for a in anchors), now=NOW
    )
    assert chain.chain[0] == end.der
    assert chain.anchor == chain.chain[-1]
    assert chain.anchor in [each.der for each in anchors]


@pytest.mark.parametrize(("reason", "case"), refused().values(), ids=refused())
def test_what_does_not(reason: str, case: Case) -> None:
    end, helpers, anchors = case
    with pytest.raises(CertificateError) as caught:
        verify_chain(
            end.der,
            [each.der for each in helpers],
            AnchorSet.from_der(each.der for each in anchors),
            now=NOW,
        )
    assert caught.value.reason == f"certificate-{reason}"


@pytest.mark.parametrize(("reason", "case"), refused().values(), ids=refused())
def test_legacy_takes_what_needs_it_and_nothing_else(reason: str, case: Case) -> None:
    end, helpers, anchors = case
    trusted = AnchorSet.from_der((each.der for each in anchors), legacy=True)
    ders = [each.der for each in helpers]
    if reason == "needs-legacy":
        found = verify_chain(end.der, ders, trusted, now=NOW)
        assert found.tolerated
        assert found.chain[0] == end.der
        # Neither the time nor a signature is taken on trust.
        with pytest.raises(CertificateError):
            verify_chain(end.der, ders, trusted, now=NOW + 9999 * DAY)
        with pytest.raises(CertificateError):
            verify_chain(end.der[:-1] + bytes((end.der[-1] ^ 1,)), ders, trusted, now=NOW)
        return
    with pytest.raises(CertificateError) as caught:
        verify_chain(end.der, ders, trusted, now=NOW)
    assert caught.value.reason == f"certificate-{reason}"


@pytest.mark.parametrize("case", accepted().values(), ids=accepted())
def test_legacy_changes_nothing_where_it_is_not_needed(case: Case) -> None:
    end, helpers, anchors = case
    trusted = AnchorSet.from_der((each.der for each in anchors), legacy=True)
    assert verify_chain(end.der, [h.der for h in helpers], trusted, now=NOW).tolerated == ()


ORGANIZATION, OTHER = names((ORG, "Example Vendor")), names((ORG, "Example Rival"))
RAW_PERMITTED, RAW_EXCLUDED = 0xA0, 0xA1


def limited(*subtrees: tuple[int, bytes]) -> Made:
    """An issuing CA with critical nameConstraints: of each tag its bases."""
    parts = [
        encode(tag, b"".join(encode_sequence(base) for each, base in subtrees if each == tag))
        for tag in dict.fromkeys(tag for tag, _ in subtrees)
    ]
    limits = raw_extension("2.5.29.30", encode_sequence(*parts), critical=True)
    return sub(extensions=(constraints(), usage(certify=True), limits))


def directory(name_: bytes) -> bytes:
    return encode(0xA4, name_)


def dns(text: str) -> bytes:
    return encode(0x82, text.encode())


VENDORS = limited((RAW_PERMITTED, directory(ORGANIZATION)))
RIVAL_OUT = limited((RAW_EXCLUDED, directory(OTHER)))
ONLY_HOSTS = limited((RAW_PERMITTED, directory(ORGANIZATION)), (RAW_PERMITTED, dns("example.com")))
MINIMUM = limited((RAW_PERMITTED, directory(ORGANIZATION) + encode(0x80, b"\x01")))
HOST = raw_extension("2.5.29.17", encode_sequence(dns("router.example.net")))


def of(issuer: Made, subject: bytes, *extensions: bytes) -> Case:
    made = forge(subject, curve_key(5), issuer, extensions=extensions)
    return made, [issuer], [ROOT]


CONSTRAINED = {
    "within": (True, of(VENDORS, names((ORG, "Example Vendor"), (SERIAL, "SN:1")))),
    "within, spelt in capitals": (
        True,
        of(VENDORS, names((ORG, "EXAMPLE  vendor"), (SERIAL, "1"))),
    ),
    "outside": (False, of(VENDORS, names((ORG, "Example Rival"), (SERIAL, "SN:1")))),
    "its attribute is not the first": (
        False,
        of(VENDORS, names((SERIAL, "1"), (ORG, "Example Vendor"))),
    ),
    "longer": (False, of(VENDORS, names((ORG, "Example Vendor II"), (SERIAL, "SN:1")))),
    "a directoryName of the SAN outside": (
        False,
        of(
            VENDORS,
            names((ORG, "Example Vendor"), (SERIAL, "SN:1")),
            raw_extension("2.5.29.17", encode_sequence(directory(OTHER))),
        ),
    ),
    "not excluded": (True, of(RIVAL_OUT, names((ORG, "Example Vendor"), (SERIAL, "SN:1")))),
    "excluded": (False, of(RIVAL_OUT, names((ORG, "Example Rival"), (SERIAL, "SN:1")))),
    "of another kind, which the leaf has": (
        False,
        of(ONLY_HOSTS, names((ORG, "Example Vendor"), (SERIAL, "SN:1")), HOST),
    ),
    "of another kind, which the leaf has not": (
        True,
        of(ONLY_HOSTS, names((ORG, "Example Vendor"), (SERIAL, "SN:1"))),
    ),
    "with a minimum": (False, of(MINIMUM, names((ORG, "Example Vendor"), (SERIAL, "SN:1")))),
}


@pytest.mark.parametrize(("good", "case"), CONSTRAINED.values(), ids=CONSTRAINED)
def test_name_constraints_of_a_directory_name(good: bool, case: Case, tmp_path: Path) -> None:
    """OpenSSL is the oracle of both verdicts."""
    end, helpers, anchors = case
    trusted = AnchorSet.from_der((each.der for each in anchors), legacy=True)
    ders = [each.der for each in helpers]
    for file, pem in (("root", [ROOT.der]), ("ca", ders), ("leaf", [end.der])):
        (tmp_path / f"{file}.pem").write_bytes(pem_from_der(pem))
    told = openssl(
        *("verify", "-attime", str(int(NOW.timestamp())), "-CAfile", "root.pem"),
        *("-untrusted", "ca.pem", "leaf.pem"),
        folder=tmp_path,
    )
    assert (told.returncode == 0) is good, told.stderr
    if good:
        assert "nameConstraints" in verify_chain(end.der, ders, trusted, now=NOW).tolerated[0]
    else:
        with pytest.raises(CertificateError) as caught:
            verify_chain(end.der, ders, trusted, now=NOW)
        assert caught.value.reason == "certificate-refused"
    strict = AnchorSet.from_der(each.der for each in anchors)
    with pytest.raises(CertificateError) as caught:
        verify_chain(end.der, ders, strict, now=NOW)
    assert caught.value.reason == f"certificate-{'needs-legacy' if good else 'refused'}"


@pytest.mark.parametrize(
    ("folder", "told"),
    [("s05-gt-notbefore", "GeneralizedTime"), ("s26-nc-dirname", "nameConstraints")],
)
def test_the_reported_identities(folder: str, told: str) -> None:
    at_now = NOW.replace(year=2027)
    leaf_der, *behind = parse_certificates((REPORTED / folder / "leaf.pem").read_bytes())
    anchors = parse_certificates((REPORTED / folder / "ca.pem").read_bytes())
    with pytest.raises(CertificateError) as caught:
        verify_chain(leaf_der, behind, AnchorSet.from_der(anchors), now=at_now)
    assert (caught.value.reason, told in str(caught.value)) == ("certificate-needs-legacy", True)
    taken = AnchorSet.from_der(anchors, legacy=True)
    found = verify_chain(leaf_der, behind, taken, now=at_now)
    assert told in "; ".join(found.tolerated)
    assert idevid_serial_number(found.leaf).startswith("SHPS")


def test_the_search_of_legacy_chains_is_bounded() -> None:
    """Sixty look-alikes, each of which could have issued the others: it ends, and refuses."""
    ring = [
        forge("ring", curve_key(9), extensions=(constraints(),), serial=number)
        for number in range(1, 60)
    ]
    root = forge("ring", curve_key(9), extensions=(constraints(), UNKNOWN), serial=99)
    end = forge("leaf", curve_key(5), ring[0], end=at(NOW + DAY, generalized=True))
    with pytest.raises(CertificateError):
        verify_chain(
            end.der,
            [each.der for each in ring],
            AnchorSet.from_der([root.der], legacy=True),
            now=NOW,
        )


def test_the_time_is_that_of_the_call_and_not_of_the_first_one() -> None:
    anchors = AnchorSet.from_der([ROOT.der])
    short = leaf(end=at(NOW + DAY))
    verify_chain(short.der, [], anchors, now=NOW)
    with pytest.raises(CertificateError) as caught:
        verify_chain(short.der, [], anchors, now=NOW + 2 * DAY)
    assert caught.value.reason == "certificate-expired"
    verify_chain(short.der, [], anchors, now=NOW)


def test_the_anchor_tells_whose_it_is() -> None:
    other = authority("other", rsa_key(9))
    anchors = AnchorSet.from_der([other.der, ROOT.der])
    chain = verify_chain(leaf().der, [], anchors, now=NOW)
    assert fingerprint(chain.anchor) == fingerprint(ROOT.der)


def test_what_is_no_certificate_among_the_intermediates_does_no_harm() -> None:
    middle = sub()
    helpers = [b"", b"\x30\x00", middle.der + b"\x00", middle.der]
    verify_chain(leaf(middle).der, helpers, AnchorSet.from_der([ROOT.der]), now=NOW)


def test_certificates_that_vouch_for_each_other_cost_little() -> None:
    ring = [
        forge("ring", rsa_key(9), extensions=(constraints(),), serial=number)
        for number in range(1, 40)
    ]
    with pytest.raises(CertificateError) as caught:
        verify_chain(
            leaf(ring[0]).der,
            [each.der for each in ring],
            AnchorSet.from_der([ROOT.der]),
            now=NOW,
        )
    assert caught.value.reason == "certificate-untrusted"


def test_an_anchor_set_is_never_empty_and_holds_certificates_only() -> None:
    with pytest.raises(CertificateError) as caught:
        AnchorSet.from_der([])
    assert caught.value.reason == "certificate-anchors-empty"
    with pytest.raises(CertificateError) as caught:
        AnchorSet.from_der([ROOT.der, b"\x30\x00"])
    assert caught.value.reason == "certificate-malformed"
    assert AnchorSet.from_der([ROOT.der, ROOT.der]).certificates == (ROOT.der,)


def test_a_time_without_zone_is_a_defect_of_the_caller() -> None:
    with pytest.raises(RuntimeError):
        verify_chain(leaf().der, [], AnchorSet.from_der([ROOT.der]), now=NOW.replace(tzinfo=None))
