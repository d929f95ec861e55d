"""Chains that were verified a moment ago: a router's report need not repeat its request's work.

A verdict is found again only for the very same inputs, by the digest of each of them: purpose,
anchors (with whether forms of ``legacy`` are taken), leaf, intermediates in their order. The one
input left is the time: a verdict holds from the latest begin to the earliest end of the chain's
certificates, in which each of them is as valid as it was. Refusals are not remembered.

Source: RFC 5280 section 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bootz.trust.certificates import AnchorSet, fingerprint, load_certificate, verify_chain

KEPT: Final = 8192
"""Verdicts; some 600 bytes each."""

_Key = tuple[str | bytes, ...]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """That a chain holds from ``begin`` to ``end``; what was ``tolerated`` in its form."""

    begin: datetime = field(repr=False)
    end: datetime = field(repr=False)
    tolerated: tuple[str, ...]


class VouchedChains:
    """Verifies chains for one purpose, and remembers the last of those that held.

    Args:
        purpose: what a verdict is for; one for another purpose is another one.
        kept: how many verdicts; when half of them are new, the older half goes.
    """

    def __init__(self, purpose: str, *, kept: int = KEPT) -> None:
        self._purpose = purpose
        self._half = max(1, kept // 2)
        self._young: dict[_Key, _Verdict] = {}
        self._old: dict[_Key, _Verdict] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def verify(
        self, leaf: bytes, intermediates: Sequence[bytes], anchors: AnchorSet, *, now: datetime
    ) -> tuple[str, ...]:
        """Return what of a chain's form is tolerated, once an anchor vouches for the leaf.

        Arguments are those of ``verify_chain``.

        Raises:
            CertificateError: as ``verify_chain``.
        """
        if now.tzinfo is None:
            raise RuntimeError("a time without a time zone")
        certificates = map(fingerprint, (leaf, *intermediates))
        key: _Key = (self._purpose, anchors.digest, *certificates)
        verdict = self._young.get(key) or self._old.get(key)
        if verdict is None or not verdict.begin <= now <= verdict.end:
            found = verify_chain(leaf, intermediates, anchors, now=now)
            chain = [load_certificate(each) for each in found.chain]
            verdict = _Verdict(
                max(each.not_valid_before_utc for each in chain),
                min(each.not_valid_after_utc for each in chain),
                found.tolerated,
            )
            self._keep(key, verdict)
        return verdict.tolerated

    def _keep(self, key: _Key, verdict: _Verdict) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = verdict
