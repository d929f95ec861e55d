"""`make fuzz`: every harness under atheris, round after round, until there were enough inputs.

What a harness has learnt is kept in the work folder for the next round, and for the next campaign.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fuzz.corpus import CORPUS
from fuzz.harness import HERE, NAMES

TIMEOUT = 10
"""Seconds after which one input counts as a hang."""

MEMORY_MIB = 1024
LONGEST = 8192
_EXECUTED = re.compile(r"stat::number_of_executed_units: (\d+)")
_PEAK = re.compile(r"stat::peak_rss_mb: +(\d+)")
_COVERED = re.compile(r"cov: (\d+) ft: (\d+)")


@dataclass
class Tally:
    """What one harness did; ``covered`` are the edges of our own code that it reached."""

    inputs: int = 0
    seconds: float = 0
    covered: int = 0
    features: int = 0
    peak_mib: int = 0
    findings: int = 0

    def row(self, name: str) -> str:
        """Return a row of the table."""
        minutes = f"{self.seconds / 60:.1f}"
        cells = (name, f"{self.inputs:,}", minutes, self.covered, self.features, self.peak_mib)
        return "| " + " | ".join(map(str, (*cells, self.findings))) + " |"


HEAD = """| harness | inputs | minutes | edges | features | peak MiB | findings |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |"""


def play(name: str, work: Path, seconds: int, tally: Tally) -> None:
    """Run a harness for some seconds, and again after each finding until they are over."""
    learnt = work / name
    learnt.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + seconds
    while (left := int(end - time.monotonic())) > 0:
        begun = time.monotonic()
        command = [
            *(sys.executable, "-m", "fuzz.driver", name),
            f"-max_total_time={left}",
            f"-timeout={TIMEOUT}",
            f"-rss_limit_mb={MEMORY_MIB}",
            f"-max_len={LONGEST}",
            f"-artifact_prefix={work}/{name}-",
            "-print_final_stats=1",
            *(str(learnt), str(CORPUS / name)),
        ]
        done = subprocess.run(
            command, cwd=HERE.parent, capture_output=True, text=True, errors="replace", check=False
        )
        said = done.stderr + done.stdout
        tally.seconds += time.monotonic() - begun
        tally.inputs += sum(map(int, _EXECUTED.findall(said)))
        tally.peak_mib = max(tally.peak_mib, *map(int, _PEAK.findall(said)), 0)
        for covered, features in _COVERED.findall(said):
            tally.covered = max(tally.covered, int(covered))
            tally.features = max(tally.features, int(features))
        if done.returncode:
            tally.findings += 1
            (work / f"{name}.log").write_text(said)
            print(f"{name}: exit {done.returncode}, see {work}/{name}.log", file=sys.stderr)
            if not _EXECUTED.search(said):
                return


def _sum(tallies: Collection[Tally]) -> Tally:
    return Tally(
        sum(each.inputs for each in tallies),
        sum(each.seconds for each in tallies),
        sum(each.covered for each in tallies),
        sum(each.features for each in tallies),
        max(each.peak_mib for each in tallies),
        sum(each.findings for each in tallies),
    )


def main() -> None:
    """Run the campaign, print its tally, and fail where something was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=10_000_000, help="of all harnesses together")
    parser.add_argument("--seconds", type=int, default=60, help="of a harness in a round")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", action="append", choices=NAMES, default=[])
    parser.add_argument("--work", type=Path, default=Path(".venv/fuzz-work"))
    given = parser.parse_args()
    work = given.work.absolute()
    tallies = {name: Tally() for name in given.only or NAMES}
    os.nice(19)
    try:
        while sum(each.inputs for each in tallies.values()) < given.inputs:
            with ThreadPoolExecutor(given.processes) as pool:
                jobs = [
                    pool.submit(play, name, work, given.seconds, tally)
                    for name, tally in tallies.items()
                ]
            for job in jobs:
                job.result()
            if any(not each.inputs for each in tallies.values()):
                break
    finally:
        # Also of a campaign that is stopped before its end.
        whole = _sum(tallies.values())
        print(HEAD)
        for name, tally in tallies.items():
            print(tally.row(name))
        print(whole.row("all"), flush=True)
    sys.exit(1 if whole.findings or not all(each.inputs for each in tallies.values()) else 0)


if __name__ == "__main__":
    main()
