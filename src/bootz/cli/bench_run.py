"""What ``bootz bench`` does with its options, and what it prints while it measures."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from bootz.bench.against import compare
from bootz.bench.images import measure_images
from bootz.bench.material import read_material
from bootz.bench.measure import measure, measure_target
from bootz.bench.plan import BenchPlan, BenchResult, IdentityKey, OnProgress
from bootz.bench.profiling import profiler
from bootz.bench.storm import storm
from bootz.cli.base import Cli
from bootz.cli.bench_show import show_comparison, show_images, show_results, show_storm
from bootz.cli.output import stderr
from bootz.errors import ConfigError, PolicyError
from bootz.keystore.kinds import KeyKind

_INVENTORIES: Final = (100, 10_000, 100_000)
_COMPARED: Final = (1000,)
_MAX_ROUNDS: Final = 1000
_MAX_MIB: Final = 16 << 10

Options = dict[str, Any]


def run_bench(cli: Cli, options: Options) -> None:
    """Do what the options say, and print it.

    Raises:
        ConfigError: ``bench-plan-invalid``: options that do not go together.
        PolicyError: ``bench-too-slow``: an onboarding cost more than ``--max-cpu-ms``.
    """
    chosen = [name for name in _MODES if options[name] is not None]
    if len(chosen) > 1:
        raise _wrong(f"--{chosen[1]}", f"it does not go with --{chosen[0]}")
    for option in _OF_ONE_SERVER:
        if options[option] is not None and chosen not in ([], ["target"]):
            raise _wrong(f"--{option.replace('_', '-')}", f"it does not go with --{chosen[0]}")
    if options["profile"] is not None:
        profiler(options["profile"])
    for option, mode in _BELONGS.items():
        if options[option] and mode not in chosen:
            raise _wrong(f"--{option.replace('_', '-')}", f"it needs --{mode}")
    _MODES.get(chosen[0] if chosen else "", _alone)(cli, options)


def _alone(cli: Cli, options: Options) -> None:
    results = []
    for number, size in enumerate(options["inventories"] or _INVENTORIES):
        plan = _plan(options, inventory=size, routers=options["onboardings"])
        with _folder(options, f"{number}-{size}") as folder, _progress(str(size)) as on_progress:
            results.append(measure(plan, folder, on_progress, profile=options["profile"]))
    show_results(cli.output, results)
    _check(results, options["max_cpu_ms"])


def _against(cli: Cli, options: Options) -> None:
    rounds = options["rounds"]
    if not 1 <= rounds <= _MAX_ROUNDS:
        raise _wrong("--rounds", "out of range", f"1 to {_MAX_ROUNDS}", str(rounds))
    (size, *more) = options["inventories"] or _COMPARED
    if more:
        raise _wrong("--inventory", "one size at a time", seen=str(1 + len(more)))
    plan = _plan(options, inventory=size, routers=options["onboardings"] * rounds)
    with _folder(options, "against") as folder, _progress("against") as on_progress:
        found = compare(plan, options["against"], rounds, folder, on_progress)
    show_comparison(cli.output, found)


def _target(cli: Cli, options: Options) -> None:
    for option in ("material", "pid"):
        if options[option] is None:
            raise _wrong(f"--{option}", "it is missing, and --target needs it")
    host, _, port = options["target"].rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise _wrong("--target", "no address", "HOST:PORT", options["target"])
    material = read_material(options["material"])
    known = len(material.routers)
    plan = _plan(options, inventory=known, routers=known)
    address = (host.strip("[]"), int(port))
    with _progress("target") as on_progress:
        result = measure_target(
            plan, material, address, options["pid"], on_progress, profile=options["profile"]
        )
    show_results(cli.output, [result])
    _check([result], options["max_cpu_ms"])


def _storm(cli: Cli, options: Options) -> None:
    routers = options["storm"]
    if options["flow"] != "unary":
        raise _wrong("--flow", "the routers of a storm are unary", seen=options["flow"])
    size = max(options["inventories"] or (routers,))
    plan = _plan(options, inventory=max(size, routers), routers=routers)
    with _folder(options, "storm") as folder, _progress("storm") as on_progress:
        result = storm(plan, folder, on_progress, one_address=options["one_address"])
    show_storm(cli.output, result)


def _images(cli: Cli, options: Options) -> None:
    size, rounds = options["images"], options["rounds"]
    if not 1 <= size <= _MAX_MIB:
        raise _wrong("--images", "out of range", f"1 to {_MAX_MIB}", str(size))
    if not 1 <= rounds <= _MAX_ROUNDS:
        raise _wrong("--rounds", "out of range", f"1 to {_MAX_ROUNDS}", str(rounds))
    with _folder(options, "images") as folder, _progress("images") as on_progress:
        found = measure_images(folder, size << 20, rounds, on_progress)
    show_images(cli.output, found)


_MODES: Final[dict[str, Callable[[Cli, Options], None]]] = {
    "against": _against,
    "target": _target,
    "storm": _storm,
    "images": _images,
}
"""What is done instead of measuring this build alone, by the option that asks for it."""

_BELONGS: Final = {"material": "target", "pid": "target", "one_address": "storm"}

_OF_ONE_SERVER: Final = ("max_cpu_ms", "profile")
"""What counts where the onboardings of one server are measured."""


def _plan(options: Options, *, inventory: int, routers: int) -> BenchPlan:
    given = {
        field.name: options[field.name] for field in fields(BenchPlan) if field.name in options
    }
    kind, owner = options["tls_key"], options["owner_key"]
    return BenchPlan(
        **given
        | {
            "identity": IdentityKey(options["identity"]),
            "tls_key": None if kind is None else KeyKind(kind),
            "owner_key": None if owner is None else IdentityKey(owner),
            "inventory": inventory,
            "routers": min(options["routers"] or routers, inventory),
        }
    )


def _wrong(option: str, words: str, expected: str = "", seen: str = "") -> ConfigError:
    return ConfigError("bench-plan-invalid", words, where=option, expected=expected, seen=seen)


def _check(results: list[BenchResult], max_cpu_ms: float | None) -> None:
    for result in results:
        if max_cpu_ms is not None and result.cpu_ms > max_cpu_ms:
            raise PolicyError(
                "bench-too-slow",
                "an onboarding costs too much CPU time",
                where=f"inventory of {result.plan.inventory}",
                expected=f"at most {max_cpu_ms} ms",
                seen=f"{result.cpu_ms:.2f} ms",
            )


@contextmanager
def _folder(options: Options, name: str) -> Iterator[Path]:
    """Return the folder of one measurement; removed at exit unless it is to be kept."""
    keep: Path | None = options["keep"]
    if keep is not None:
        yield keep / name
        return
    with tempfile.TemporaryDirectory(prefix="bootz-bench-") as parent:
        yield Path(parent) / name


@contextmanager
def _progress(title: str) -> Iterator[OnProgress]:
    """A bar for each step on the terminal; nothing without a terminal."""
    if not sys.stderr.isatty():
        yield lambda _words, _done, _whole: None
        return
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr()) as bar:
        tasks = {}

        def told(words: str, done: int, whole: int) -> None:
            if words not in tasks:
                tasks[words] = bar.add_task(f"{title}: {words}", total=whole)
            bar.update(tasks[words], completed=done, total=whole)

        yield told
