"""A remembered verdict counts for the same question alone, and for as long as it would be given."""

from __future__ import annotations

import pytest
from trust.world import DAY, NOW, at, authority, constraints, curve_key, forge, rsa_key, usage

from bootz.trust.certificates import AnchorSet, CertificateError
from bootz.trust.remembered import VouchedChains

ROOT = authority()
OTHER = authority("other")
BETWEEN = authority("between", issuer=ROOT)
LEAF = forge("leaf", curve_key(5), ROOT, start=at(NOW - DAY), end=at(NOW + DAY))
BELOW = forge("below", curve_key(5), BETWEEN)
LEGACY = forge("late", curve_key(5), ROOT, end=at(NOW + DAY, generalized=True))


def trusting(*roots: bytes, legacy: bool = False) -> AnchorSet:
    return AnchorSet.from_der(roots, legacy=legacy)


@pytest.fixture
def chains() -> VouchedChains:
    """A memory that has verified the leaf."""
    chains = VouchedChains("test")
    assert chains.verify(LEAF.der, (), trusting(ROOT.der), now=NOW) == ()
    return chains


def test_the_same_question_is_kept_once(chains: VouchedChains) -> None:
    for moment in (NOW, NOW + DAY / 2, NOW - DAY / 2):
        assert chains.verify(LEAF.der, (), trusting(ROOT.der), now=moment) == ()
    assert len(chains) == 1


@pytest.mark.parametrize("moment", [NOW + DAY * 1.01, NOW - DAY * 1.01])
def test_no_verdict_outlives_the_certificates(chains: VouchedChains, moment: object) -> None:
    with pytest.raises(CertificateError):
        chains.verify(LEAF.der, (), trusting(ROOT.der), now=moment)  # type: ignore[arg-type]


def test_an_issuer_that_ends_first_ends_the_verdict() -> None:
    chains = VouchedChains("test")
    short = forge(
        "short",
        rsa_key(),
        ROOT,
        extensions=(constraints(), usage(certify=True)),
        end=at(NOW + DAY),
    )
    leaf = forge("leaf", curve_key(5), short, end=at(NOW + 9 * DAY))
    assert chains.verify(leaf.der, (short.der,), trusting(ROOT.der), now=NOW) == ()
    with pytest.raises(CertificateError):
        chains.verify(leaf.der, (short.der,), trusting(ROOT.der), now=NOW + 2 * DAY)


def test_other_anchors_are_another_question(chains: VouchedChains) -> None:
    with pytest.raises(CertificateError):
        chains.verify(LEAF.der, (), trusting(OTHER.der), now=NOW)


def test_another_leaf_is_another_question(chains: VouchedChains) -> None:
    forged = LEAF.der[:-1] + bytes((LEAF.der[-1] ^ 1,))
    with pytest.raises(CertificateError):
        chains.verify(forged, (), trusting(ROOT.der), now=NOW)


def test_the_intermediates_are_part_of_the_question() -> None:
    chains = VouchedChains("test")
    assert chains.verify(BELOW.der, (BETWEEN.der,), trusting(ROOT.der), now=NOW) == ()
    with pytest.raises(CertificateError):
        chains.verify(BELOW.der, (), trusting(ROOT.der), now=NOW)


def test_leaf_and_intermediates_cannot_be_cut_otherwise() -> None:
    """Were the parts only put together, a leaf and its issuer could change places with them."""
    chains = VouchedChains("test")
    assert chains.verify(BELOW.der, (BETWEEN.der,), trusting(ROOT.der), now=NOW) == ()
    with pytest.raises(CertificateError):
        chains.verify(BELOW.der + BETWEEN.der, (), trusting(ROOT.der), now=NOW)


def test_what_legacy_tolerates_is_not_taken_without_it() -> None:
    chains = VouchedChains("test")
    first = chains.verify(LEGACY.der, (), trusting(ROOT.der, legacy=True), now=NOW)
    assert first
    assert chains.verify(LEGACY.der, (), trusting(ROOT.der, legacy=True), now=NOW) == first
    with pytest.raises(CertificateError):
        chains.verify(LEGACY.der, (), trusting(ROOT.der), now=NOW)


def test_refusals_are_not_kept() -> None:
    chains = VouchedChains("test")
    with pytest.raises(CertificateError):
        chains.verify(LEAF.der, (), trusting(OTHER.der), now=NOW)
    assert len(chains) == 0


def test_what_is_kept_is_bounded() -> None:
    chains = VouchedChains("test", kept=4)
    for number in range(1, 8):
        leaf = forge("leaf", curve_key(5), ROOT, serial=number)
        chains.verify(leaf.der, (), trusting(ROOT.der), now=NOW)
    assert len(chains) <= 4
