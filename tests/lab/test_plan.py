"""The mix of routers, and the verdict on each."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from bootz.errors import ConfigError
from bootz.lab.outcome import judge, latest_states
from bootz.lab.plan import MAX_ROUTERS, by_kind, plan_routers

CHECKS = ("voucher", "owner-certificate", "signature", "nonce", "trust-anchor")
IMAGE = ("os", "2.0")


def test_eight_routers_are_two_of_each_dialect() -> None:
    routers = plan_routers(8)
    counts = Counter(router.kind.dialect for router in routers)
    assert counts == dict.fromkeys(("v0.1.0", "2023-11", "v0.3", "current"), 2)
    assert {router.kind.flow for router in routers} == {"unary", "stream", "stream-v1"}
    assert [len(router.cards) for router in routers if router.kind.modular] == [3]
    serials = [serial for router in routers for serial in router.cards]
    assert len(set(serials)) == len(serials)


def test_more_routers_bring_every_identity() -> None:
    kinds = {router.kind.identity for router in plan_routers(24)}
    assert kinds == {"idevid", "tpm20-ppk", "tpm12"}


def test_many_routers_are_batches_of_one_kind_and_none_is_lost() -> None:
    routers = plan_routers(200)
    batches = by_kind(routers)
    assert len(batches) == len({kind for kind, _ in batches})
    assert all(router.kind == kind for kind, group in batches for router in group)
    assert sorted(r.serial_number for _, group in batches for r in group) == sorted(
        router.serial_number for router in routers
    )


def test_one_dialect_can_be_chosen() -> None:
    assert {router.kind.dialect for router in plan_routers(5, ["2023-11"])} == {"2023-11"}


@pytest.mark.parametrize("count", [0, -1, MAX_ROUTERS + 1])
def test_a_count_out_of_bounds_is_refused(count: int) -> None:
    with pytest.raises(ConfigError, match="1 to"):
        plan_routers(count)


def account(**changes: object) -> dict[str, Any]:
    """What a router says of itself when all is well."""
    told = {
        "serial_number": "LAB00001",
        "status": "BOOTZ_OK",
        "attempts": 1,
        "seconds": 0.5,
        "image": {"name": "os", "version": "2.0"},
        "configuration_sha256": "ab" * 32,
        "reason": "",
        "checks": [{"name": name, "outcome": "passed"} for name in CHECKS],
    }
    return {**told, **changes}


def verdict(told: dict[str, Any] | None, recorded: str = "success") -> str:
    routers = plan_routers(1)
    accounts = {} if told is None else {"LAB00001": told}
    (outcome,) = judge(routers, accounts, {"lab-lab00001": recorded}, image=IMAGE)
    assert outcome.ok == (outcome.why == "") == outcome.record()["ok"]
    return outcome.why


def test_a_router_that_holds_in_everything_is_well() -> None:
    assert verdict(account()) == ""


def test_the_latest_attempt_is_that_of_the_chassis_whichever_card_asked() -> None:
    newest_first = [
        {"chassis": "", "serial_number": "LAB00003RP0", "state": "refused"},
        {"chassis": "lab-lab00003", "serial_number": "LAB00003RP1", "state": "success"},
        {"chassis": "lab-lab00003", "serial_number": "LAB00003RP0", "state": "answered"},
    ]
    assert latest_states(newest_first) == {"lab-lab00003": "success"}


@pytest.mark.parametrize(
    ("told", "recorded", "why"),
    [
        (None, "success", "status unknown"),
        (account(status="BOOTZ_OV_INVALID", reason="ov-expired"), "success", "ov-expired"),
        (account(image={"name": "os", "version": "1.0"}), "success", "runs image os 1.0"),
        (account(image=None), "success", "runs image"),
        (account(configuration_sha256=""), "success", "has no configuration"),
        (account(checks=[]), "success", "not verified: nonce"),
        (
            account(checks=[{"name": n, "outcome": "skipped"} for n in CHECKS]),
            "success",
            "not verified",
        ),
        (account(), "", "the server has recorded: nothing"),
        (account(), "answered", "the server has recorded: answered"),
    ],
)
def test_whatever_does_not_hold_is_named(
    told: dict[str, Any] | None, recorded: str, why: str
) -> None:
    assert why in verdict(told, recorded)
