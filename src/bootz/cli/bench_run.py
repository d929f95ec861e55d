"""What ``bootz bench`` does with its options, and what it prints while it measures."""

import math
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from bootz.bench.against import compare
from bootz.bench.images import measure_images
from bootz.bench.material import read_material
from bootz.bench.measure import measure, measure_target
from bootz.bench.plan import MAX_ROUTERS, BenchPlan, BenchResult, IdentityKey, OnProgress
from bootz.bench.profiling import profiler
from bootz.bench.storm import storm
from bootz.cli.base import Cli
from bootz.cli.bench_show import show_comparison, show_images, show_results, show_storm
from bootz.cli.output import stderr
from bootz.errors import OptionError, PolicyError, unwritable
from bootz.keystore.kinds import KeyKind

_INVENTORIES: Final = (100, 10_000, 100_000)
_COMPARED: Final = 1000
_MAX_ROUNDS: Final = 1000
_MAX_MIB: Final = 16 << 10
_MAX_PID: Final = 1 << 22
"""Above those that Linux gives (proc(5), pid_max)."""

Options = dict[str, Any]


def run_bench(cli: Cli, options: Options, given: frozenset[str]) -> None:
    """Do what the options say, and print it; ``given`` are those that were not left out.

    Raises:
        OptionError: ``bench-plan-invalid``: options that are out of range, or do not go together.
        PolicyError: ``bench-too-slow``: an onboarding cost more than ``--max-cpu-ms``.
    """
    chosen = [name for name in _MODES if options[name] is not None]
    if len(chosen) > 1:
        raise _wrong(f"--{chosen[1]}", f"it does not go with --{chosen[0]}")
    mode = chosen[0] if chosen else ""
    for name in options:
        if name in given and name != mode and name not in _READ[mode]:
            raise _unread(name, mode)
    _within("--max-cpu-ms", options["max_cpu_ms"], math.ulp(0.0), math.inf, "more than 0")
    if options["profile"] is not None:
        if not mode and len(options["inventories"]) != 1:
            raise _wrong("--profile", "it is of one measurement", "one --inventory")
        profiler(options["profile"])
    _MODES.get(mode, _alone)(cli, options)


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
    _within("--rounds", rounds, 1, _MAX_ROUNDS)
    size = _one_size(options, _COMPARED)
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
    _within("--pid", options["pid"], 1, _MAX_PID)
    known = len(material.routers)
    plan = _plan(options, inventory=known, routers=known)
    material = replace(material, routers=material.routers[: plan.routers])
    address = (host.strip("[]"), int(port))
    with _progress("target") as on_progress:
        result = measure_target(
            plan, material, address, options["pid"], on_progress, profile=options["profile"]
        )
    show_results(cli.output, [result], of_our_site=False)
    _check([result], options["max_cpu_ms"])


def _storm(cli: Cli, options: Options) -> None:
    routers = options["storm"]
    _within("--storm", routers, 1, MAX_ROUTERS)
    size = _one_size(options, routers)
    plan = _plan(options, inventory=max(size, routers), routers=routers)
    with _folder(options, "storm") as folder, _progress("storm") as on_progress:
        result = storm(plan, folder, on_progress, one_address=options["one_address"])
    show_storm(cli.output, result)


def _images(cli: Cli, options: Options) -> None:
    size, rounds = options["images"], options["rounds"]
    _within("--images", size, 1, _MAX_MIB)
    _within("--rounds", rounds, 1, _MAX_ROUNDS)
    with _folder(options, "images") as folder, _progress("images") as on_progress:
        found = measure_images(folder, size << 20, rounds, on_progress)
    show_images(cli.output, found, mib=size)


_MODES: Final[dict[str, Callable[[Cli, Options], None]]] = {
    "against": _against,
    "target": _target,
    "storm": _storm,
    "images": _images,
}
"""What is done instead of measuring this build alone, by the option that asks for it."""

_CLIENTS: Final = frozenset({"dialect", "clients"})
_PACE: Final = frozenset({"flow", "onboardings", "concurrency", "routers"})
_SITE: Final = frozenset(
    {"inventories", "identity", "tls_key", "owner_key", "config_bytes", "workers", "keep"}
)
_ONE_SERVER: Final = frozenset({"max_cpu_ms", "profile"})
_READ: Final[dict[str, frozenset[str]]] = {
    "": _SITE | _CLIENTS | _PACE | _ONE_SERVER,
    "against": _SITE | _CLIENTS | _PACE | {"rounds"},
    "target": _CLIENTS | _PACE | _ONE_SERVER | {"material", "pid"},
    "storm": _SITE | _CLIENTS | {"one_address"},
    "images": frozenset({"rounds", "keep"}),
}
"""Which options count beside each of ``_MODES``, and without one of them."""


def _plan(options: Options, *, inventory: int, routers: int) -> BenchPlan:
    told = {field.name: options[field.name] for field in fields(BenchPlan) if field.name in options}
    kind, owner, given = options["tls_key"], options["owner_key"], options["routers"]
    return BenchPlan(
        **told
        | {
            "identity": IdentityKey(options["identity"]),
            "tls_key": None if kind is None else KeyKind(kind),
            "owner_key": None if owner is None else IdentityKey(owner),
            "inventory": inventory,
            "routers": min(routers if given is None else given, inventory),
        }
    )


def _wrong(option: str, words: str, expected: str = "", seen: str = "") -> OptionError:
    return OptionError("bench-plan-invalid", words, where=option, expected=expected, seen=seen)


def _unread(name: str, mode: str) -> OptionError:
    """Return that an option counts for nothing with this mode, or without another one."""
    option = "--inventory" if name == "inventories" else f"--{name.replace('_', '-')}"
    if mode:
        return _wrong(option, f"it does not go with --{mode}")
    others = (f"--{other}" for other, read in _READ.items() if name in read)
    return _wrong(option, f"it needs {' or '.join(others)}")


def _within(
    option: str, value: float | None, least: float, most: float, expected: str = ""
) -> None:
    if value is not None and not least <= value <= most:
        raise _wrong(option, "out of range", expected or f"{least} to {most}", str(value))


def _one_size(options: Options, otherwise: int) -> int:
    """Return the only size of an inventory that was given, or the other one.

    Raises:
        OptionError: several were given.
    """
    sizes: tuple[int, ...] = options["inventories"]
    if len(sizes) > 1:
        raise _wrong("--inventory", "one size at a time", "one --inventory", str(len(sizes)))
    return sizes[0] if sizes else otherwise


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
    """Return the folder of one measurement; removed at exit unless it is to be kept.

    Raises:
        Unavailable: ``file-unwritable``: it cannot be made.
    """
    keep: Path | None = options["keep"]
    if keep is not None:
        folder = keep / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from error
        yield folder
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
