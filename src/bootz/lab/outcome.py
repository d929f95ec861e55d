"""What became of each router: its own account, beside what the server has on record; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bootz.lab.plan import PlannedRouter

_CHECKS = frozenset({"voucher", "owner-certificate", "signature", "nonce", "trust-anchor"})
"""What a router must have verified itself (docs/protocol/workflow.md W7 to W9)."""


@dataclass(frozen=True, slots=True)
class LabOutcome:
    """A row of the closing table. ``why`` is empty where everything held."""

    router: PlannedRouter
    attempts: int
    image: str
    configuration: str
    status: str
    seconds: float
    recorded: str
    why: str

    @property
    def ok(self) -> bool:
        """Whether the router is where it should be, by both accounts."""
        return not self.why

    def record(self) -> dict[str, object]:
        """Return the row with stable keys."""
        return {
            "router": self.router.hostname,
            "kind": self.router.kind.words,
            "dialect": self.router.kind.dialect,
            "flow": self.router.kind.flow,
            "identity": self.router.kind.identity,
            "serial": self.router.serial_number,
            "attempts": self.attempts,
            "image": self.image,
            "configuration_sha256": self.configuration,
            "status": self.status,
            "seconds": self.seconds,
            "server_state": self.recorded,
            "ok": self.ok,
            "why": self.why,
        }


def latest_states(attempts: Iterable[Mapping[str, object]]) -> Mapping[str, str]:
    """Return the state of each chassis's latest attempt, by its name; ``attempts`` newest first.

    Of a chassis, whichever of its cards asked: a route processor that cannot go on hands over to
    the other one. Callers of no chassis are left out: a call that was refused because the database
    was down is such a one, and may be newer than the attempt that went on.
    """
    states: dict[str, str] = {}
    for row in attempts:
        if name := str(row.get("chassis") or ""):
            states.setdefault(name, str(row.get("state")))
    return states


def judge(
    routers: Sequence[PlannedRouter],
    accounts: Mapping[str, Mapping[str, object]],
    journal: Mapping[str, str],
    *,
    image: tuple[str, str],
) -> tuple[LabOutcome, ...]:
    """Return the rows.

    Args:
        routers: who was powered on.
        accounts: what each router says of itself.
        journal: what ``latest_states`` returns of the server's record.
        image: name and version that each must run.
    """
    return tuple(
        _judge(router, accounts.get(router.serial_number, {}), journal, image) for router in routers
    )


def _judge(
    router: PlannedRouter,
    account: Mapping[str, object],
    journal: Mapping[str, str],
    image: tuple[str, str],
) -> LabOutcome:
    running = account.get("image")
    name = version = ""
    if isinstance(running, Mapping):
        name, version = str(running.get("name", "")), str(running.get("version", ""))
    status = str(account.get("status", ""))
    configuration = str(account.get("configuration_sha256", ""))
    recorded = journal.get(router.hostname, "")
    passed = _passed(account.get("checks"))
    reason = str(account.get("reason") or "")
    faults = [
        fault
        for fault, holds in (
            (reason or f"status {status or 'unknown'}", status == "BOOTZ_OK"),
            (f"not verified: {', '.join(sorted(_CHECKS - passed))}", passed >= _CHECKS),
            (f"runs image {name} {version}".strip(), (name, version) == image),
            ("has no configuration", bool(configuration)),
            (f"the server has recorded: {recorded or 'nothing'}", recorded == "success"),
        )
        if not holds
    ]
    return LabOutcome(
        router,
        int(_number(account.get("attempts"))),
        f"{name} {version}".strip(),
        configuration,
        status,
        _number(account.get("seconds")),
        recorded,
        "; ".join(faults),
    )


def _passed(checks: object) -> set[str]:
    if not isinstance(checks, list):
        return set()
    return {
        str(check.get("name"))
        for check in checks
        if isinstance(check, Mapping) and check.get("outcome") == "passed"
    }


def _number(value: object) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0
