#!/usr/bin/env python3
"""Show that `bootz conformance server` finds what it is for: remove each check of our own server.

Each mutant of tools/server_mutants.toml is applied to a copy of src/bootz; the copy serves a new
site, and the suite of this checkout plays the mutant's cases against it. A mutant of which no case
fails has survived. The sound server is played first, with all those cases, and must pass them.

    tools/mutants.py                      all mutants; exit code 1 if one survives
    tools/mutants.py --only NAME ...      some of them
    tools/mutants.py --write              all, and put the table into docs/conformance.md
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bootz.conformance.server.catalogue import all_cases
from bootz.conformance.server.material import Material, make_material
from bootz.conformance.server.player import Player
from bootz.conformance.server.site_record import on_record
from bootz.conformance.server.suite import CaseChoice, ServerRun, ServerVerdict, chosen
from bootz.conformance.verdict import Judgement
from bootz.device.grpc_client import Timeouts
from bootz.errors import BootzError
from bootz.processes import run_command, service
from bootz.server.site import open_site
from bootz.wire.uri import parse_bootz_uri

ROOT: Final = Path(__file__).resolve().parents[1]
MUTANTS: Final = ROOT / "tools" / "server_mutants.toml"
PAGE: Final = ROOT / "docs" / "conformance.md"
_BEGIN: Final = "<!-- mutants: written by tools/mutants.py -->\n"
_END: Final = "<!-- end of mutants -->\n"
_SHOWN: Final = 3
_SECONDS: Final = 30.0
_LISTENS: Final = ("--listen", "--image-http", "--image-https")


@dataclass(frozen=True)
class Edit:
    """A text of a file (below src/bootz) that occurs there once, and what takes its place."""

    file: str
    old: str
    new: str

    def apply(self, source: Path) -> None:
        """Edit the file of a copy of the source.

        Raises:
            ValueError: the text does not occur once, or what comes out is not Python.
        """
        path = source / self.file
        text = path.read_text()
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file}: occurs {text.count(self.old)} times: {self.old}")
        changed = text.replace(self.old, self.new)
        ast.parse(changed, self.file)
        path.write_text(changed)


@dataclass(frozen=True)
class Mutant:
    """One check that is removed, and the cases that look for it."""

    name: str
    check: str
    cases: tuple[str, ...]
    edits: tuple[Edit, ...]

    @contextmanager
    def applied(self, source: Path) -> Iterator[None]:
        """Have the mutant in a copy of the source.

        Raises:
            ValueError: an edit does not apply.
        """
        kept = {edit.file: (source / edit.file).read_bytes() for edit in self.edits}
        try:
            for edit in self.edits:
                edit.apply(source)
            yield
        finally:
            for file, data in kept.items():
                (source / file).write_bytes(data)


@dataclass(frozen=True)
class Trial:
    """A mutant and what was found: the names of the cases that failed, of so many that were played.

    ``broken`` says why the mutant did not even serve.
    """

    mutant: Mutant
    caught: tuple[str, ...]
    played: int
    broken: str = ""


def read_mutants() -> tuple[Mutant, ...]:
    """Return the mutants of the list."""
    document = tomllib.loads(MUTANTS.read_text())
    return tuple(
        Mutant(
            row["name"],
            row["check"],
            tuple(row["cases"]),
            tuple(Edit(**edit) for edit in row["edit"]),
        )
        for row in document["mutant"]
    )


class Ground:
    """A copy of the source, and a site with the devices of the suite on record."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.source = folder / "src" / "bootz"
        self._site = folder / "site"

    @contextmanager
    def ready(self) -> Iterator[Material]:
        """Make everything, and have the devices on record."""
        shutil.copytree(
            ROOT / "src" / "bootz", self.source, ignore=shutil.ignore_patterns("__pycache__")
        )
        asyncio.run(run_command("init", self._site))
        site = open_site(self._site)
        material = make_material(
            self._folder / "material", site.pinned_domain_cert(), "CMUTANT", _now
        )
        with on_record(site, material):
            yield material

    def play(self, material: Material, patterns: Sequence[str]) -> list[ServerVerdict]:
        """Serve the site with the copy, and play cases against it.

        Raises:
            BootzError: it does not serve.
        """
        return asyncio.run(self._play(material, patterns))

    async def _play(self, material: Material, patterns: Sequence[str]) -> list[ServerVerdict]:
        cases = all_cases()
        listens = [word for name in _LISTENS for word in (name, "127.0.0.1:0")]
        # Only the server: this process has loaded its own source already.
        os.environ["PYTHONPATH"] = str(self.source.parent)
        words = ("--site", str(self._site), "serve", "--no-door", *listens)
        async with service(*words, log=self._folder / "serve.log") as event:
            (address,) = _addresses(event["bound"])
            uri = parse_bootz_uri(f"bootz://{address}")
            player = Player(uri, material, Timeouts(10, _SECONDS))
            run = ServerRun(player, cases, exact=True, seconds=_SECONDS)
            choice = CaseChoice(patterns, slow=True)
            return [await run.judge(case) for case in chosen(cases, choice)]


def _addresses(bound: object) -> list[str]:
    return [str(each) for each in bound] if isinstance(bound, list) else []


def _now() -> datetime:
    return datetime.now(UTC)


def try_mutants(mutants: Sequence[Mutant]) -> Iterator[Trial]:
    """Play the mutants one after the other, the sound server first.

    Raises:
        ValueError: an edit does not apply, or the sound server does not pass.
    """
    with tempfile.TemporaryDirectory(prefix="bootz-mutants-") as folder:
        ground = Ground(Path(folder))
        with ground.ready() as material:
            patterns = list(dict.fromkeys(case for mutant in mutants for case in mutant.cases))
            if flawed := _failed(ground.play(material, patterns)):
                raise ValueError(f"the sound server does not pass {', '.join(flawed)}")
            for mutant in mutants:
                with mutant.applied(ground.source):
                    yield _try(mutant, ground, material)


def _try(mutant: Mutant, ground: Ground, material: Material) -> Trial:
    try:
        verdicts = ground.play(material, mutant.cases)
    except BootzError as error:
        return Trial(mutant, (), 0, str(error))
    return Trial(mutant, _failed(verdicts), len(verdicts))


def _failed(verdicts: Sequence[ServerVerdict]) -> tuple[str, ...]:
    return tuple(each.case.name for each in verdicts if each.judgement is Judgement.FAILED)


def table(trials: Sequence[Trial]) -> str:
    """Return the table of the page."""
    rows = ["| check that is removed | found by | of the cases played |", "|---|---|---|"]
    for trial in trials:
        shown = [f"`{name}`" for name in trial.caught[:_SHOWN]]
        if (more := len(trial.caught) - _SHOWN) > 0:
            shown.append(f"and {more} more")
        found = ", ".join(shown) or "**not found**"
        rows.append(f"| {trial.mutant.check} | {found} | {len(trial.caught)} of {trial.played} |")
    return "\n".join(rows) + "\n"


def write_page(trials: Sequence[Trial]) -> None:
    """Put the table into the page, between its marks."""
    before, _, rest = PAGE.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    PAGE.write_text(before + _BEGIN + table(trials) + _END + after)


def main() -> int:
    """Try the mutants that are asked for."""
    parser = argparse.ArgumentParser(description="Remove each check of the server in turn.")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some mutants")
    parser.add_argument("--write", action="store_true", help=f"write the table of {PAGE.name}")
    words = parser.parse_args()
    mutants = read_mutants()
    if words.only and (unknown := set(words.only) - {each.name for each in mutants}):
        parser.error(f"no such mutant: {', '.join(sorted(unknown))}")
    if words.only and words.write:
        parser.error("--write needs all mutants")
    trials = []
    try:
        for trial in try_mutants([m for m in mutants if not words.only or m.name in words.only]):
            trials.append(trial)
            result = f"found by {len(trial.caught)} of {trial.played} cases"
            print(f"{trial.mutant.name}: {trial.broken or result}", flush=True)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if words.write:
        write_page(trials)
    survivors = [trial.mutant.name for trial in trials if not trial.caught]
    print(f"{len(trials) - len(survivors)} of {len(trials)} mutants found")
    if survivors:
        print(f"not found: {', '.join(survivors)}", file=sys.stderr)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
