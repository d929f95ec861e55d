"""The cases of the acceptance plan: what the server gives, and what must follow.

Source: docs/protocol/workflow.md#acceptance. A case with several forms has a row for each, named
``bootz-3.3/serial``; bootz-6.N.M is case N.M over ``BootstrapStream``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from fnmatch import fnmatchcase
from typing import Final

from bootz.errors import ConfigError
from bootz.model.identity import IdentityKind


class Given(Enum):
    """What the server gives, beside an answer that is right in everything else."""

    GOOD = "a valid configuration, no image"
    IMAGE = "another version of the software"
    CERTZ_BUNDLE = "a certz trust bundle"
    INSECURE = "an unsigned answer"
    NO_CONFIGURATION = "no boot configuration"
    BAD_OPENCONFIG = "an OpenConfig configuration that is not JSON"
    BAD_VENDOR_CONFIG = "an invalid vendor configuration"
    NOT_AN_IMAGE = "a file that is not an image, with its right digest"
    IMAGE_UNREACHABLE = "an image URL where no server listens"
    IMAGE_NOT_FOUND = "an image URL without an image"
    IMAGE_CHECKSUM = "an image with a different digest"
    VOUCHER_MALFORMED = "a malformed voucher"
    VOUCHER_MISSING = "no voucher, although the request has a nonce"
    VOUCHER_SIGNER = "a voucher of another manufacturer"
    VOUCHER_SERIAL = "a voucher for another serial number"
    SIGNATURE = "a signature over other data"
    NONCE = "an answer with another nonce"
    CERTZ_POLICY = "a certz authentication policy that is empty"
    AUTHZ_POLICY = "an authz policy that is not JSON"
    REFUSED = "a refusal instead of an answer"
    UNREACHABLE = "nothing: no server listens"
    CHALLENGE = "a challenge whose answer is rejected"
    OTHER_SERIAL = "a record with another serial number"
    NO_AIK_DIGEST = "a refusal, as if aik_pub_digest were missing"


class ConsoleUse(Enum):
    """What is typed at the console, for the cases without DHCP."""

    NONE = ""
    INITIATE = "initiate"
    RESET = "reset"
    TERMINATE = "terminate"


OK: Final = (
    "BOOTZ_SENT",
    "BOOTZ_RECEIVED",
    "BOOTZ_CONFIGURATION_APPLIED",
    "BOOTZ_OK",
)
UPGRADED: Final = (
    *OK[:2],
    "BOOTZ_OS_UPGRADE_IN_PROGRESS",
    "BOOTZ_OS_UPGRADE_COMPLETE",
    *OK[2:],
)
_OV_INVALID: Final = (*OK[:2], "BOOTZ_OV_INVALID")
_BAD_IMAGE: Final = (*OK[:2], "BOOTZ_OS_INVALID_IMAGE")
_BAD_IMAGE_SEEN_LATE: Final = (
    *OK[:2],
    "BOOTZ_OS_UPGRADE_IN_PROGRESS",
    "BOOTZ_OS_INVALID_IMAGE",
)
_BAD_CONFIGURATION: Final = (*OK[:2], "BOOTZ_CONFIGURATION_INVALID")
_SENT: Final = (OK[:1],)
_NOTHING: Final[tuple[tuple[str, ...], ...]] = ((), OK[:1])


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Args:
        id: of the plan; stable, chosen by on the command line.
        title: for a person.
        given: what the server gives first.
        attempts: the sequences of statuses that an attempt may show, the plan's
            contradictions included.
        works: the device works after it; else it must recover with a good answer.
        verified: it got as far as data that are verified, so that the checksum is theirs.
        flow: unary, stream or stream-v1.
        identity: what proves the device.
        console: how it is started.
    """

    id: str
    title: str
    given: Given
    attempts: tuple[tuple[str, ...], ...] = (OK,)
    works: bool = True
    verified: bool = True
    flow: str = "unary"
    identity: IdentityKind = IdentityKind.IDEVID
    console: ConsoleUse = ConsoleUse.NONE

    @property
    def counted(self) -> bool:
        """Whether each failed attempt shows in the statuses, and so can be counted there."""
        return all(attempt[2:] for attempt in self.attempts)

    @property
    def onboarded(self) -> bool:
        """Whether the device has a configuration beforehand, which it must not lose."""
        return self.console is not ConsoleUse.NONE and not self.works


def _fails(
    name: str,
    title: str,
    given: Given,
    *attempts: tuple[str, ...],
    verified: bool = True,
) -> Case:
    return Case(name, title, given, attempts, works=False, verified=verified)


_UNARY: Final = (
    _fails("bootz-1.1", "configuration missing", Given.NO_CONFIGURATION, _BAD_CONFIGURATION),
    _fails(
        "bootz-1.2/openconfig",
        "configuration invalid: OpenConfig",
        Given.BAD_OPENCONFIG,
        _BAD_CONFIGURATION,
    ),
    _fails(
        "bootz-1.2/vendor",
        "configuration invalid: vendor's",
        Given.BAD_VENDOR_CONFIG,
        _BAD_CONFIGURATION,
    ),
    Case("bootz-1.3", "configuration valid; survives a reboot", Given.GOOD),
    Case("bootz-2.1", "other image version", Given.IMAGE, (UPGRADED,)),
    _fails("bootz-2.2", "invalid image", Given.NOT_AN_IMAGE, _BAD_IMAGE, _BAD_IMAGE_SEEN_LATE),
    Case("bootz-3.1", "no voucher, insecure", Given.INSECURE),
    _fails(
        "bootz-3.2/malformed",
        "voucher malformed",
        Given.VOUCHER_MALFORMED,
        _OV_INVALID,
        verified=False,
    ),
    _fails(
        "bootz-3.2/missing",
        "voucher missing in secure mode",
        Given.VOUCHER_MISSING,
        _OV_INVALID,
        verified=False,
    ),
    _fails(
        "bootz-3.3/signer",
        "voucher by a wrong signer",
        Given.VOUCHER_SIGNER,
        _OV_INVALID,
        verified=False,
    ),
    _fails(
        "bootz-3.3/serial",
        "voucher for a wrong serial number",
        Given.VOUCHER_SERIAL,
        _OV_INVALID,
        verified=False,
    ),
    _fails(
        "bootz-3.3/signature",
        "right voucher, wrong signature",
        Given.SIGNATURE,
        _OV_INVALID,
        verified=False,
    ),
    _fails(
        "bootz-3.3/nonce",
        "right voucher, replayed answer",
        Given.NONCE,
        _OV_INVALID,
        verified=False,
    ),
    Case("bootz-3.4", "voucher valid", Given.GOOD),
    Case("bootz-4.1", "no image in the answer", Given.GOOD),
    _fails("bootz-4.2", "not an image", Given.NOT_AN_IMAGE, _BAD_IMAGE, _BAD_IMAGE_SEEN_LATE),
    _fails("bootz-4.3/refused", "image URL unreachable", Given.IMAGE_UNREACHABLE, _BAD_IMAGE),
    _fails("bootz-4.3/not-found", "image not at its URL", Given.IMAGE_NOT_FOUND, _BAD_IMAGE),
    _fails("bootz-4.4", "image checksum differs", Given.IMAGE_CHECKSUM, _BAD_IMAGE),
    Case("bootz-5.1", "no gNSI artifacts", Given.GOOD),
    Case("bootz-5.2", "certz trust bundle", Given.CERTZ_BUNDLE),
    _fails(
        "bootz-5.3",
        "certz authentication policy broken",
        Given.CERTZ_POLICY,
        _BAD_CONFIGURATION,
    ),
    _fails("bootz-5.4", "authz policy broken", Given.AUTHZ_POLICY, _BAD_CONFIGURATION),
)

_STREAM: Final = tuple(
    replace(
        case,
        id=case.id.replace("bootz-", "bootz-6.", 1),
        title=f"{case.title}, over BootstrapStream",
        flow="stream",
    )
    for case in _UNARY
)

_NO_DHCP: Final = (
    Case("bootz-7.1", "without DHCP: success", Given.GOOD, console=ConsoleUse.INITIATE),
    Case(
        "bootz-7.2",
        "without DHCP: unreachable",
        Given.UNREACHABLE,
        _NOTHING,
        works=False,
        verified=False,
        console=ConsoleUse.INITIATE,
    ),
    Case(
        "bootz-7.3",
        "without DHCP: rejected",
        Given.REFUSED,
        _SENT,
        works=False,
        verified=False,
        console=ConsoleUse.INITIATE,
    ),
    Case(
        "bootz-7.4",
        "without DHCP: reset",
        Given.REFUSED,
        _SENT,
        works=False,
        verified=False,
        console=ConsoleUse.RESET,
    ),
    Case(
        "bootz-7.5",
        "without DHCP: terminate",
        Given.REFUSED,
        _SENT,
        works=False,
        verified=False,
        console=ConsoleUse.TERMINATE,
    ),
)

_PROOFS: Final = (
    (IdentityKind.IDEVID, "TPM 2.0 with IDevID"),
    (IdentityKind.TPM20_EK, "TPM 2.0 without IDevID"),
    (IdentityKind.TPM12_EK, "TPM 1.2"),
)

_STREAM_V1: Final = (
    *(
        Case(f"bootz-8.1.{number}", title, Given.GOOD, flow="stream-v1", identity=identity)
        for number, (identity, title) in enumerate(_PROOFS, 1)
    ),
    *(
        Case(
            f"bootz-8.2.{number}",
            f"{title}: the answer to the challenge is wrong",
            Given.CHALLENGE,
            _SENT,
            works=False,
            verified=False,
            flow="stream-v1",
            identity=identity,
        )
        for number, (identity, title) in enumerate(_PROOFS, 1)
    ),
    Case(
        "bootz-8.3",
        "IDevID with another serial number",
        Given.OTHER_SERIAL,
        _SENT,
        works=False,
        verified=False,
        flow="stream-v1",
    ),
    Case(
        "bootz-8.4",
        "TPM 1.2 without aik_pub_digest",
        Given.NO_AIK_DIGEST,
        _SENT,
        works=False,
        verified=False,
        flow="stream-v1",
        identity=IdentityKind.TPM12_EK,
    ),
)

CASES: Final = (*_UNARY, *_STREAM, *_NO_DHCP, *_STREAM_V1)
"""All of them, in the order in which they are played."""


def choose_cases(patterns: Sequence[str]) -> tuple[Case, ...]:
    """Return the cases that the patterns name, in the order of the plan; all without one.

    ``bootz-3`` and ``bootz-3.3`` name all below them; ``*`` stands for anything.

    Raises:
        ConfigError: ``conformance-case-unknown``: a pattern names none.
    """
    for pattern in patterns:
        if not any(_names(pattern, case) for case in CASES):
            raise ConfigError(
                "conformance-case-unknown", f"no case fits {pattern!r}", where="--case"
            )
    return tuple(
        case for case in CASES if not patterns or any(_names(pattern, case) for pattern in patterns)
    )


def _names(pattern: str, case: Case) -> bool:
    return any(fnmatchcase(case.id, pattern + tail) for tail in ("", ".*", "/*"))
