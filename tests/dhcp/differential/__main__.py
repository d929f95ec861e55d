"""Checks random configurations and loads them into the real servers: `make check-dhcp`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from dhcp.differential.oracle import Outcome, Tally, generated, oracle

STREAMS = {
    "kea4": ("kea", 4),
    "kea6": ("kea", 6),
    "isc4": ("isc", 4),
    "isc6": ("isc", 6),
    "dnsmasq4": ("dnsmasq", 4),
    "dnsmasq6": ("dnsmasq", 6),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="check-dhcp", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="files of each server")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", action="append", choices=list(STREAMS), help="default: all")
    parser.add_argument("--keep", type=Path, help="a folder for the files that are judged wrongly")
    given = parser.parse_args()
    wrong = 0
    for name in given.server or STREAMS:
        wrong += stream(name, given.count, given.seed, given.keep)
    return 1 if wrong else 0


def stream(name: str, count: int, seed: int, keep: Path | None) -> int:
    form, version = STREAMS[name]
    tally: Tally = Tally()
    wrong = 0
    keas = (version,) if form == "kea" else ()
    with (
        tempfile.TemporaryDirectory(prefix="check-dhcp-") as folder,
        oracle(f"cd{os.getpid()}", Path(folder), *keas) as made,
    ):
        cases = generated(form, version, seed, made)
        for _ in range(count):
            outcome = made.compare(next(cases))
            tally[outcome.said.word, outcome.seen.verdict] += 1
            if outcome.wrong:
                wrong += 1
                tell(outcome, keep)
    print(f"{name}: {count} files, {wrong} judged wrongly")
    for (said, seen), number in sorted(tally.items()):
        print(f"  {number:6}  the check says {said:14} a router: {seen}", flush=True)
    return wrong


def tell(outcome: Outcome, keep: Path | None) -> None:
    case = outcome.case
    print(f"WRONG {case.name}: {outcome.said.word}, but a router: {outcome.seen}", flush=True)
    for finding in outcome.said.findings:
        print(f"    {finding}")
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / f"{case.name}.conf").write_text(case.text)


if __name__ == "__main__":
    sys.exit(main())
