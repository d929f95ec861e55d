"""What ``bootz bench`` prints in the end."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from bootz.bench.against import Comparison, Round
from bootz.bench.images import ImageCost
from bootz.bench.plan import BenchPlan, BenchResult
from bootz.bench.storm import StormResult
from bootz.cli.output import Column, Output, OutputFormat

_COLUMNS = (
    Column("inventory", right=True),
    Column("routers", right=True),
    Column("onboardings", right=True),
    Column("tls_key", "TLS KEY"),
    Column("cpu_ms", "CPU MS", right=True),
    Column("per_second", "PER SECOND", right=True),
    Column("p50_ms", "P50 MS", right=True),
    Column("p99_ms", "P99 MS", right=True),
    Column("resident_mib", "MIB", right=True),
    Column("resident_peak_mib", "PEAK MIB", right=True),
)

_ROUNDS = (
    Column("round", right=True),
    Column("other_cpu_ms", "OTHER CPU MS", right=True),
    Column("own_cpu_ms", "OWN CPU MS", right=True),
    Column("ratio", right=True),
)

_IMAGES = (
    Column("server"),
    Column("scheme"),
    Column("cpu_s_per_gib", "CPU S PER GIB", right=True),
    Column("least", right=True),
    Column("most", right=True),
    Column("of_ours", "OF OURS", right=True),
)


_OF_OUR_SITE: Final = ("inventory", "workers", "identity", "config_bytes")
"""What is not known of a server that was not started here."""


def show_results(
    output: Output, results: Sequence[BenchResult], *, of_our_site: bool = True
) -> None:
    """Print a row for each measurement; documents have more keys.

    ``of_our_site`` tells whether the site was made as planned; else what is not known of it is
    None.
    """
    unknown = {} if of_our_site else dict.fromkeys(_OF_OUR_SITE)
    output.rows(_COLUMNS, [_row(result) | unknown for result in results])


def show_comparison(output: Output, found: Comparison) -> None:
    """Print the rounds of a comparison and their spread, or all of it as a document."""
    ratios = [each.ratio for each in found.rounds]
    for what, other, own in (
        ("TLS", found.other.tls_key, found.own.tls_key),
        ("owner", found.other.owner_key, found.own.owner_key),
    ):
        if other != own:
            output.warning(
                f"unlike {what} keys: {other} of {found.other.name}, "
                f"{own} of {found.own.name}; what they cost is in the ratio"
            )
    rows = [_round(number, each) for number, each in enumerate(found.rounds, 1)]
    summary: dict[str, object] = {
        "other": found.other.name,
        "own": found.own.name,
        "other_tls_key": found.other.tls_key,
        "own_tls_key": found.own.tls_key,
        "other_owner_key": found.other.owner_key,
        "own_owner_key": found.own.owner_key,
        "other_cpu_ms": round(median(each.other for each in found.rounds), 2),
        "own_cpu_ms": round(median(each.own for each in found.rounds), 2),
        "ratio": round(found.ratio, 3),
        "ratio_min": round(min(ratios), 3),
        "ratio_max": round(max(ratios), 3),
    }
    if output.form is OutputFormat.TABLE:
        output.rows(_ROUNDS, rows)
        output.record(summary)
    else:
        output.document(_conditions(found.plan) | summary | {"rounds": rows})


def show_storm(output: Output, result: StormResult) -> None:
    """Print how a storm ended."""
    plan = result.plan
    output.record(
        {
            "routers": plan.routers,
            "workers": plan.workers,
            "addresses": 1 if result.one_address else plan.routers,
            "inventory": plan.inventory,
            "clients": plan.clients,
            "dialect": plan.dialect,
            "identity": plan.identity,
            "config_bytes": plan.config_bytes,
            "tls_key": result.tls_key,
            "owner_key": result.owner_key,
            "onboarded": result.onboarded,
            "failed": dict(sorted(result.fates.items())),
            "p50_s": round(result.p50, 2),
            "p99_s": round(result.p99, 2),
            "last_s": round(result.last, 2),
            "cpu_ms": round(result.cpu_ms, 2),
            "client_cpu_ms": round(result.client_cpu_ms, 2),
            "resident_mib": _mib(result.resident),
            "resident_peak_mib": _mib(result.resident_peak),
        }
    )


def show_images(output: Output, found: Sequence[ImageCost], *, mib: int) -> None:
    """Print what each server costs over each scheme, and how it compares with the first one.

    ``mib`` is the size of the image.
    """
    own = {each.scheme: each.middle for each in found if each.server == found[0].server}
    output.rows(
        _IMAGES,
        [
            {
                "server": each.server,
                "scheme": each.scheme,
                "mib": mib,
                "cpu_s_per_gib": round(each.middle, 3),
                "least": round(min(each.seconds), 3),
                "most": round(max(each.seconds), 3),
                "of_ours": round(each.middle / own[each.scheme], 2) if own[each.scheme] else None,
                "rounds": [round(seconds, 3) for seconds in each.seconds],
            }
            for each in found
        ],
    )


def _conditions(plan: BenchPlan) -> dict[str, object]:
    return {
        "inventory": plan.inventory,
        "routers": plan.routers,
        "onboardings": plan.onboardings,
        "clients": plan.clients,
        "concurrency": plan.concurrency,
        "workers": plan.workers,
        "dialect": plan.dialect,
        "flow": plan.flow,
        "identity": plan.identity,
        "config_bytes": plan.config_bytes,
    }


def _row(result: BenchResult) -> dict[str, object]:
    return _conditions(result.plan) | {
        "tls_key": result.tls_key,
        "owner_key": result.owner_key,
        "cpu_ms": round(result.cpu_ms, 2),
        "per_second": round(result.per_second, 1),
        "p50_ms": round(result.p50 * 1000, 1),
        "p99_ms": round(result.p99 * 1000, 1),
        "seconds": round(result.seconds, 2),
        "resident_mib": _mib(result.resident),
        "resident_peak_mib": _mib(result.resident_peak),
    }


def _round(number: int, found: Round) -> dict[str, object]:
    return {
        "round": number,
        "other_cpu_ms": round(found.other, 2),
        "own_cpu_ms": round(found.own, 2),
        "ratio": round(found.ratio, 3),
    }


def _mib(octets: int) -> float:
    return round(octets / (1 << 20), 1)
