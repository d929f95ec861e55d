"""The inventory as lists show it: plain SQL that every engine reads, without SQLAlchemy.

A list is asked for by hand, again and again, and by the shell at every press of Tab. Loading
what changes need would cost more than all else that it does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from bootz.model.kinds import BootMode, Release
from bootz.server.operations.chassis_state import AttemptFacts, ChassisFacts, ClaimFacts
from bootz.server.store.attempt_states import AttemptState
from bootz.sql.times import from_optional_text, from_text

Execute = Callable[[str, Mapping[str, object]], Iterable[Sequence[Any]]]
"""Runs a statement with named parameters (``:name``) and returns its rows."""

# Strangers are few (the journal bounds them), so their rows are gone through once, not once for
# each chassis. Every row of a stranger has a key of its refusal, and only such rows have.
_CLAIMS_OF: Final = """
WITH latest_claim AS (
    SELECT serial.chassis_id, MAX(claimed.id) AS attempt_id
    FROM attempt AS claimed JOIN serial ON serial.serial_folded = claimed.serial_folded
    WHERE claimed.refusal_key IS NOT NULL{chosen}
    GROUP BY serial.chassis_id
)"""
_CLAIMS: Final = _CLAIMS_OF.format(chosen="")
_FACTS: Final = """
    chassis.hold_since, chassis.hold_note,
    attempt.state, claim.updated_at,
    attempt.number, attempt.reason, attempt.detail, attempt.started_at, attempt.updated_at,
    attempt.downloads, attempt.image_position, attempt.image_size,
    claim.reason, claim.detail
"""
_CHASSIS: Final = f"""
SELECT chassis.id, vendor.name, chassis.serial, chassis.part_number, chassis.hostname,
    (SELECT COUNT(*) FROM card WHERE card.chassis_id = chassis.id),
    chassis.boot_mode, chassis.release, profile.name, label.key, label.value, {_FACTS}
FROM chassis
    JOIN vendor ON vendor.id = chassis.vendor_id
    LEFT JOIN profile ON profile.id = chassis.profile_id
    LEFT JOIN attempt ON attempt.id =
        (SELECT MAX(newest.id) FROM attempt AS newest WHERE newest.chassis_id = chassis.id)
    LEFT JOIN latest_claim ON latest_claim.chassis_id = chassis.id
    LEFT JOIN attempt AS claim ON claim.id = latest_claim.attempt_id
    LEFT JOIN chassis_label AS label ON label.chassis_id = chassis.id
WHERE (:vendor = 0 OR chassis.vendor_id = :vendor)
    AND (:profile = 0 OR chassis.profile_id = :profile
        OR (:profile = -1 AND chassis.profile_id IS NULL))
"""  # noqa: S608 (of constants)
_NEWEST: Final = """
    SELECT chassis_id, MAX(id) AS attempt_id FROM attempt
    WHERE chassis_id IS NOT NULL GROUP BY chassis_id
"""
_UNFINISHED: Final = f"""{_CLAIMS}, newest AS ({_NEWEST}), unfinished AS (
    SELECT newest.chassis_id, newest.attempt_id
    FROM newest JOIN attempt ON attempt.id = newest.attempt_id
    WHERE attempt.state <> '{AttemptState.SUCCESS.value}'
    UNION ALL
    SELECT waiting.chassis_id, CAST(NULL AS BIGINT) FROM (
        SELECT chassis_id FROM latest_claim
        UNION SELECT id FROM chassis WHERE hold_since IS NOT NULL
    ) AS waiting
    WHERE NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.chassis_id = waiting.chassis_id)
)
SELECT chassis.id, vendor.name, {_FACTS}
FROM unfinished
    JOIN chassis ON chassis.id = unfinished.chassis_id
    JOIN vendor ON vendor.id = chassis.vendor_id
    LEFT JOIN attempt ON attempt.id = unfinished.attempt_id
    LEFT JOIN latest_claim ON latest_claim.chassis_id = unfinished.chassis_id
    LEFT JOIN attempt AS claim ON claim.id = latest_claim.attempt_id
"""  # noqa: S608 (of constants)
_FINISHED: Final = f"""
SELECT chassis.id, vendor.name
FROM ({_NEWEST}) AS newest
    JOIN attempt ON attempt.id = newest.attempt_id
    JOIN chassis ON chassis.id = newest.chassis_id
    JOIN vendor ON vendor.id = chassis.vendor_id
WHERE attempt.state = '{AttemptState.SUCCESS.value}'
"""  # noqa: S608 (of constants)
_CLAIMED: Final = f"{_CLAIMS} SELECT chassis_id FROM latest_claim"  # noqa: S608 (of constants)
_TOTALS: Final = """
SELECT vendor.name, COUNT(chassis.id),
    SUM(CASE WHEN chassis.boot_mode <> :secure THEN 1 ELSE 0 END),
    SUM(CASE WHEN chassis.skip_idevid_serial_check THEN 1 ELSE 0 END)
FROM vendor LEFT JOIN chassis ON chassis.vendor_id = vendor.id
GROUP BY vendor.name
"""
_LABELLED: Final = """
    AND EXISTS (SELECT 1 FROM chassis_label AS wanted WHERE wanted.chassis_id = chassis.id
        AND wanted.key = :key{number} AND (:any{number} = 1 OR wanted.value = :value{number}))
"""

_NAMES: Final = {
    "vendor": "SELECT name FROM vendor ORDER BY name",
    "profile": "SELECT name FROM profile ORDER BY name",
    "image": "SELECT name, version FROM image ORDER BY name, version",
    "serial": """
SELECT serial FROM chassis WHERE serial <> '' UNION SELECT serial FROM card ORDER BY 1
""",
}


class ListedChassis(NamedTuple):
    """A chassis in a list. ``vendor`` and ``profile`` are names, ``cards`` is their number.

    ``key`` is the database's; ``facts`` are what its state depends on.
    """

    key: int
    vendor: str
    serial_number: str
    part_number: str
    hostname: str
    cards: int
    boot_mode: BootMode
    release: Release | None
    profile: str | None
    facts: ChassisFacts = ChassisFacts()
    labels: Mapping[str, str] = MappingProxyType({})


NO_PROFILE: Final = -1
_FEW: Final = 64
"""Keys that are parameters of a statement."""

# Looked up, because a list has many rows.
_BOOT_MODES: Final = {each.value: each for each in BootMode}
_RELEASES: Final = {each.value: each for each in Release}
_UNSEEN: Final = ChassisFacts()
_LABEL: Final = 9
"""Where the key of a label is in a row of ``_CHASSIS``; its value follows."""


class ListChoice(NamedTuple):
    """Which chassis are listed; None does not choose.

    ``vendor`` and ``profile`` are keys of the database, as are ``keys``; ``NO_PROFILE`` chooses
    those without one. ``labels`` must all be there, with their value, or with any for None.
    """

    vendor: int | None = None
    profile: int | None = None
    labels: Mapping[str, str | None] = MappingProxyType({})
    keys: Sequence[int] | None = None


def listed_chassis(execute: Execute, choice: ListChoice = ListChoice()) -> list[ListedChassis]:  # noqa: B008
    """Return the chassis of a choice, in the order of addition: one query."""
    claims, statement = _CLAIMS, _CHASSIS
    values: dict[str, object] = {"vendor": choice.vendor or 0, "profile": choice.profile or 0}
    for number, (key, value) in enumerate(choice.labels.items()):
        statement += _LABELLED.format(number=number)
        values |= {
            f"key{number}": key,
            f"any{number}": int(value is None),
            f"value{number}": value or "",
        }
    if choice.keys is not None:
        numbers = _numbers(choice.keys, values)
        statement += f"    AND chassis.id IN ({numbers})\n"
        # Else the claims of all chassis are gone through for those of a few.
        claims = _CLAIMS_OF.format(chosen=f" AND serial.chassis_id IN ({numbers})")
    found: list[ListedChassis] = []
    labels: dict[str, str] = {}
    latest = None
    # A row for each label, or one without.
    for row in execute(f"{claims}{statement}ORDER BY chassis.id, label.key", values):
        if row[0] != latest:
            latest, labels = row[0], {}
            found.append(_listed(labels, *row))
        if row[_LABEL] is not None:
            labels[row[_LABEL]] = row[_LABEL + 1]
    return found


def _numbers(keys: Sequence[int], values: dict[str, object]) -> str:
    """Return keys as a statement lists them, and put into ``values`` what it refers to.

    Few are parameters, filled up to a power of two: the statement is the same again and again,
    and compiled once. Many are numbers of ours, so that no engine's bound on parameters is met.
    """
    if not 0 < len(keys) <= _FEW:
        return ",".join(str(int(key)) for key in keys) or "0"
    length = 1 << (len(keys) - 1).bit_length()
    named = {f"chosen{at}": keys[min(at, len(keys) - 1)] for at in range(length)}
    values |= named
    return ",".join(f":{name}" for name in named)


def unfinished_chassis(execute: Execute) -> Iterator[tuple[int, str, ChassisFacts]]:
    """Return key, vendor and facts of all chassis that were seen or are held, and are not ready.

    Those of no attempt that are not held either are only expected: no row of them is read.
    """
    for key, vendor, *known in execute(_UNFINISHED, {}):
        yield key, vendor, _facts(*known)


def finished_chassis(execute: Execute) -> Iterator[tuple[int, str]]:
    """Return key and vendor of all chassis whose latest attempt has succeeded."""
    for row in execute(_FINISHED, {}):
        yield row[0], row[1]


def claimed_chassis(execute: Execute) -> Iterator[int]:
    """Return the keys of all chassis whose serial number a call claimed and did not prove."""
    for (key,) in execute(_CLAIMED, {}):
        yield key


class VendorTotal(NamedTuple):
    """How many chassis of a vendor are on record, and how many are served without a proof."""

    vendor: str
    chassis: int
    insecure: int
    skip_serial: int


def vendor_totals(execute: Execute) -> list[VendorTotal]:
    """Return the totals of all vendors, also of those without chassis."""
    rows = execute(_TOTALS, {"secure": BootMode.SECURE.value})
    return sorted(VendorTotal(*row) for row in rows)


def _listed(
    labels: Mapping[str, str],
    key: int,
    vendor: str,
    serial: str,
    part_number: str,
    hostname: str,
    cards: int,
    boot_mode: str,
    release: str | None,
    profile: str | None,
    _label: str | None,
    _value: str | None,
    *known: Any,
) -> ListedChassis:
    hold_since, _, state, claim_at = known[:4]
    unseen = hold_since is None and state is None and claim_at is None
    return ListedChassis(
        key,
        vendor,
        serial,
        part_number,
        hostname,
        cards,
        _BOOT_MODES[boot_mode],
        None if release is None else _RELEASES[release],
        profile,
        _UNSEEN if unseen else _facts(*known),
        labels,
    )


def _facts(
    hold_since: str | None,
    hold_note: str,
    state: str | None,
    claim_at: str | None,
    *known: Any,
) -> ChassisFacts:
    attempt = claim = None
    if state is not None:
        number, reason, detail, started_at, updated_at, downloads, position, size = known[:8]
        attempt = AttemptFacts(
            number,
            AttemptState(state),
            reason,
            detail,
            from_text(started_at),
            from_text(updated_at),
            downloads,
            position,
            size,
        )
    elif claim_at is not None:
        claim = ClaimFacts(from_text(claim_at), *known[8:])
    return ChassisFacts(from_optional_text(hold_since), hold_note, attempt, claim)


def listed_names(execute: Execute, kind: str) -> Iterator[tuple[str, ...]]:
    """Return the names of all vendors, profiles, images (with version), or serial numbers.

    ``kind`` is vendor, profile, image or serial.
    """
    for row in execute(_NAMES[kind], {}):
        yield tuple(row)
