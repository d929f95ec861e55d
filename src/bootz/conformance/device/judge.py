"""Compares what a case asks for with what the server saw and the device tells; pure.

Every check is a row: passed, failed with what was expected and what was there, or skipped where
the device cannot tell. A case passes if none failed. Source: docs/protocol/workflow.md.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bootz.conformance.device.adapter import DeviceState
from bootz.conformance.device.answers import PROFILE
from bootz.conformance.device.cases import OK, Case, ConsoleUse, Given
from bootz.conformance.device.images import SeenDownload
from bootz.conformance.device.seen import Seen, SeenReport, SeenRequest
from bootz.model.bootstrap import ReportedStatus
from bootz.model.chassis import CardStatus
from bootz.model.checks import Check, Outcome
from bootz.trust.tpm.tpm12 import DIGEST_BYTES
from bootz.wire.dialects import dialect_by_name

FIRST: Final = 1
"""The phase in which the case is played."""
SECOND: Final = 2
"""The phase after it: recovery with a good answer, or a reboot."""

_BAD_IMAGES: Final = frozenset(
    {
        Given.NOT_AN_IMAGE,
        Given.IMAGE_UNREACHABLE,
        Given.IMAGE_NOT_FOUND,
        Given.IMAGE_CHECKSUM,
    }
)
_FETCHED: Final = frozenset({Given.IMAGE, Given.NOT_AN_IMAGE, Given.IMAGE_CHECKSUM})
_SPOILT: Final = frozenset(
    {Given.REFUSED, Given.CHALLENGE, Given.OTHER_SERIAL, Given.NO_AIK_DIGEST}
)
"""Where the request is refused because the script says so, not for what the device did."""


@dataclass(frozen=True, slots=True)
class Played:
    """What is there after a case: the three states, and what the server saw.

    ``after`` is the state at the end of the first phase, ``finally_`` that of the second, None
    where there was none; ``downloads`` those of the first phase.
    """

    case: Case
    dialect: str
    insecure: bool
    marker: str
    before: DeviceState
    after: DeviceState
    finally_: DeviceState | None
    seen: Seen
    downloads: Sequence[SeenDownload]
    image_version: str


def judge(played: Played) -> tuple[Check, ...]:
    """Return every check of a case, in a fixed order."""
    return (
        *_judge_requests(played),
        *_judge_downloads(played),
        *_judge_first(played),
        *_judge_reports(played),
        *_judge_no_dhcp(played),
        *_judge_second(played),
    )


def attempts(statuses: Iterable[str]) -> list[tuple[str, ...]]:
    """Divide a sequence of statuses into attempts; each begins with BOOTZ_SENT."""
    found: list[list[str]] = []
    for status in statuses:
        if status == "BOOTZ_UNSPECIFIED":
            continue
        if status == "BOOTZ_SENT" or not found:
            found.append([])
        found[-1].append(status)
    return [tuple(attempt) for attempt in found]


def _judge_requests(played: Played) -> Iterator[Check]:
    case, seen = played.case, played.seen
    yield _check("readable", not seen.broken, "every message can be read", seen.broken or "yes")
    first = [each for each in seen.requests if each.phase == FIRST]
    if case.given is Given.UNREACHABLE:
        yield _check("request", not first, "no request", f"{len(first)}")
        return
    yield _check("request", bool(first), "at least one request", f"{len(first)}")
    for each in (*first, *(other for other in seen.requests if other.phase == SECOND)):
        yield from _judge_request(played, each)
    nonces = [each.request.nonce for each in seen.requests if each.request is not None]
    if not played.insecure and len(nonces) > 1:
        yield _check(
            "fresh-nonce", len(set(nonces)) == len(nonces), "a new one in each request", "a replay"
        )


def _judge_request(played: Played, seen: SeenRequest) -> Iterator[Check]:
    wanted = f"{played.dialect} {played.case.flow}"
    told = f"{seen.dialect} {seen.flow}"
    yield _check("request-dialect", told == wanted, wanted, told)
    request = seen.request
    if request is None:
        yield Check("request-form", Outcome.FAILED, "a request", seen.refused)
        return
    if played.insecure:
        yield _check("request-nonce", request.nonce is None, "none (insecure)", "a nonce")
    else:
        yield _check("request-nonce", bool(request.nonce), "a nonce", "none")
    yield _check(
        "request-card-state",
        request.active.status is CardStatus.NOT_INITIALIZED,
        CardStatus.NOT_INITIALIZED.name,
        request.active.status.name,
    )
    if played.case.given is Given.NO_AIK_DIGEST and seen.phase == FIRST:
        digest = request.aik_pub_digest or b""
        yield _check(
            "request-aik-digest",
            len(digest) == DIGEST_BYTES,
            f"{DIGEST_BYTES} bytes",
            f"{len(digest)} bytes",
        )
    if seen.phase == FIRST and played.case.given in _SPOILT:
        yield _check("refused", bool(seen.refused) and not seen.checksum, "no data", "data")
        return
    failed = [check for check in seen.checks if check.outcome is Outcome.FAILED]
    yield _check(
        "request-proven",
        not seen.refused and not failed,
        "a request that is proven",
        "; ".join(f"{check.name}: {check.seen}" for check in failed) or seen.refused,
    )


def _judge_downloads(played: Played) -> Iterator[Check]:
    case = played.case
    served = [each.name for each in played.downloads if each.status == 200]
    if case.given in _FETCHED:
        yield _check("image-download", bool(served), "the image is fetched", "it is not")
    elif case.given is Given.IMAGE_NOT_FOUND:
        asked = [each.name for each in played.downloads if each.status == 404]
        yield _check("image-download", bool(asked), "the image is asked for", "it is not")
    else:
        yield _check("image-download", not served, "nothing is fetched", ", ".join(served))


def _judge_first(played: Played) -> Iterator[Check]:
    case, before, after = played.case, played.before, played.after
    yield from _judge_statuses(played, after, failed_only=not case.works)
    answered = _answers(played, FIRST)
    if case.verified:
        yield from _judge_checksum(after, answered)
    upgraded = case.given is Given.IMAGE
    if upgraded:
        yield _told("os-version", after.os_version, played.image_version)
        if before.os_version is not None:
            yield _check(
                "os-version-before",
                before.os_version != played.image_version,
                "a version other than the suite's",
                before.os_version,
            )
    else:
        yield _told("os-version", after.os_version, before.os_version)
    if case.onboarded:
        # What it had beforehand has the same marker, and is still there.
        yield _has_marker(before, played.marker, expected=True)
    else:
        yield _has_marker(after, played.marker, expected=case.works)
    if case.given is Given.CERTZ_BUNDLE:
        yield _profiles(played, after, before)
    elif case.given in {Given.CERTZ_POLICY, Given.GOOD}:
        yield _told("certz-profiles", _sorted(after.certz_profiles), _sorted(before.certz_profiles))


def _judge_statuses(played: Played, state: DeviceState, *, failed_only: bool) -> Iterator[Check]:
    case = played.case
    if state.statuses is None:
        yield Check("status-sequence", Outcome.SKIPPED, "", "the device does not report it")
    else:
        shown = attempts(_since(played, state))
        wanted = " or ".join(" ".join(each) or "nothing" for each in case.attempts)
        good = all(each in case.attempts for each in shown or [()])
        yield _check("status-sequence", good, wanted, " | ".join(" ".join(e) for e in shown))
    if state.error_count is None:
        yield Check("error-count", Outcome.SKIPPED, "", "the device does not report it")
    elif not failed_only:
        yield _check("error-count", state.error_count == 0, "0", str(state.error_count))
    elif case.counted and state.statuses is not None:
        count = len(attempts(_since(played, state)))
        yield _check("error-count", state.error_count == count, str(count), str(state.error_count))
    else:
        yield _check("error-count", state.error_count > 0, "at least 1", str(state.error_count))


def _since(played: Played, state: DeviceState) -> tuple[str, ...]:
    """Return the statuses that were added since the case began."""
    statuses, earlier = state.statuses or (), played.before.statuses or ()
    begun = statuses[: len(earlier)] == earlier
    return statuses[len(earlier) :] if begun else statuses


def _judge_checksum(state: DeviceState, answered: Sequence[SeenRequest]) -> Iterator[Check]:
    expected = answered[-1].checksum if answered else "an answer"
    yield _told("checksum", state.checksum and state.checksum.lower(), expected)


def _answers(played: Played, phase: int) -> list[SeenRequest]:
    return [each for each in played.seen.requests if each.phase == phase and each.checksum]


def _profiles(played: Played, after: DeviceState, before: DeviceState) -> Check:
    if after.certz_profiles is None:
        return Check("certz-profiles", Outcome.SKIPPED, "", "the device does not report it")
    new = set(after.certz_profiles) - set(before.certz_profiles or ())
    if dialect_by_name(played.dialect).certz_profiles:
        return _check("certz-profiles", PROFILE in new, f"a new {PROFILE}", ", ".join(sorted(new)))
    # Where profiles have no names on the wire, the device chooses one.
    return _check("certz-profiles", len(new) == 1, "a new one", ", ".join(sorted(new)))


def _judge_reports(played: Played) -> Iterator[Check]:
    case = played.case
    reports = [each for each in played.seen.reports if each.phase == FIRST]
    for each in reports:
        yield _check("report-accepted", not each.refused, "a valid report", each.refused)
    kinds = [each.report.status for each in reports]
    told = ", ".join(kind.name for kind in kinds) or "none"
    if case.works:
        yield from _judge_success(played, reports)
    elif not case.verified:
        # What is not verified names no anchor to report to.
        wrong = {ReportedStatus.SUCCESS, ReportedStatus.INITIATED} & set(kinds)
        yield _check("report", not wrong, "no report of progress", told)
    else:
        ended = bool(kinds) and kinds[-1] is ReportedStatus.FAILURE
        yield _check(
            "report", ended and ReportedStatus.SUCCESS not in kinds, "FAILURE at the end", told
        )
        spoken = [each for each in reports if each.report.status is ReportedStatus.FAILURE]
        yield _check(
            "report-message",
            all(each.report.message.strip() for each in spoken),
            "a message with the reason",
            "an empty one",
        )


def _judge_success(played: Played, reports: Sequence[SeenReport]) -> Iterator[Check]:
    kinds = [each.report.status for each in reports]
    told = ", ".join(kind.name for kind in kinds) or "none"
    good = (
        bool(kinds)
        and kinds[-1] is ReportedStatus.SUCCESS
        and ReportedStatus.INITIATED in kinds
        and ReportedStatus.FAILURE not in kinds
    )
    yield _check("report", good, "INITIATED, then SUCCESS", told)
    if not good:
        return
    last = reports[-1]
    if dialect_by_name(played.dialect).report_states:
        states = [state.status for state in last.report.states]
        yield _check(
            "report-states",
            bool(states) and all(each is CardStatus.INITIALIZED for each in states),
            "every card INITIALIZED",
            ", ".join(each.name for each in states),
        )
    if played.case.flow == "unary":
        asked = {each.peer for each in played.seen.requests}
        yield _check(
            "report-connection",
            last.peer not in asked,
            "a new connection, verified against the new anchor",
            "that of the request",
        )


def _judge_no_dhcp(played: Played) -> Iterator[Check]:
    case, after, last = played.case, played.after, played.finally_
    match case.console:
        case ConsoleUse.NONE:
            return
        case ConsoleUse.INITIATE if case.works:
            yield _told("no-dhcp-parameters", after.no_dhcp_uri, "")
        case ConsoleUse.INITIATE:
            if after.no_dhcp_uri is None:
                yield Check(
                    "no-dhcp-parameters", Outcome.SKIPPED, "", "the device does not report it"
                )
            else:
                yield _check("no-dhcp-parameters", bool(after.no_dhcp_uri), "kept", "gone")
            yield _told("configuration-restored", after.configuration, played.before.configuration)
        case ConsoleUse.RESET if last is not None:
            yield _told("no-dhcp-parameters", last.no_dhcp_uri, "")
            wiped = _has_marker(last, played.marker, expected=False)
            yield Check("configuration-wiped", wiped.outcome, wiped.expected, wiped.seen)
        case ConsoleUse.TERMINATE if last is not None:
            yield _told("no-dhcp-parameters", last.no_dhcp_uri, "")
            yield _told("configuration-untouched", last.configuration, played.before.configuration)


def _judge_second(played: Played) -> Iterator[Check]:
    case, last = played.case, played.finally_
    if last is None or case.console in {ConsoleUse.RESET, ConsoleUse.TERMINATE}:
        return
    asked = [each for each in played.seen.requests if each.phase == SECOND]
    if case.works:
        yield _check("reboot-quiet", not asked, "no request after a reboot", f"{len(asked)}")
        yield _told("reboot-configuration", last.configuration, played.after.configuration)
        yield _told("reboot-statuses", last.statuses, played.after.statuses)
        return
    yield _check("recovery-request", bool(asked), "another attempt", "none")
    reported = [each.report.status for each in played.seen.reports if each.phase == SECOND]
    yield _check(
        "recovery-report",
        bool(reported) and reported[-1] is ReportedStatus.SUCCESS,
        "SUCCESS",
        ", ".join(each.name for each in reported) or "none",
    )
    if last.statuses is None:
        yield Check("recovery-statuses", Outcome.SKIPPED, "", "the device does not report it")
    else:
        shown = attempts(_since(played, last))
        good = shown[-1:] == [OK] and all(each in case.attempts for each in shown[:-1])
        yield _check(
            "recovery-statuses", good, " ".join(OK), " | ".join(" ".join(each) for each in shown)
        )
    answered = _answers(played, SECOND)
    yield _told(
        "recovery-checksum",
        last.checksum and last.checksum.lower(),
        answered[-1].checksum if answered else "an answer",
    )
    marked = _has_marker(last, played.marker, expected=True)
    yield Check(f"recovery-{marked.name}", marked.outcome, marked.expected, marked.seen)


def _has_marker(state: DeviceState, marker: str, *, expected: bool) -> Check:
    name = "running-configuration"
    if state.configuration is None:
        return Check(name, Outcome.SKIPPED, "", "the device does not report it")
    applied = marker in state.configuration
    wanted = "the configuration of the answer" if expected else "nothing of the answer"
    return _check(name, applied is expected, wanted, "it" if applied else "another")


def _sorted(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(names))


def _told(name: str, seen: object, expected: object) -> Check:
    """Compare something that the device may not tell."""
    if seen is None or expected is None:
        return Check(name, Outcome.SKIPPED, "", "the device does not report it")
    return _check(name, seen == expected, _short(expected), _short(seen))


def _check(name: str, good: bool, expected: object, seen: object) -> Check:
    outcome = Outcome.PASSED if good else Outcome.FAILED
    return Check(name, outcome, _short(expected), "" if good else _short(seen))


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 400 else f"{text[:400]}…"
