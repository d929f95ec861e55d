"""Writes the reports of a run: JUnit XML, and a page with the bytes of what was sent beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bootz import __version__
from bootz.conformance.html import evidence_files, html_report
from bootz.conformance.junit import junit_comparison, junit_report
from bootz.conformance.verdict import Tried
from bootz.errors import Unavailable
from bootz.keystore.files import atomic_write


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where reports go; None for a report that is not wanted."""

    junit: Path | None = None
    html: Path | None = None

    def write(self, title: str, subjects: Sequence[Tried], *, at: datetime) -> None:
        """Write the reports that are wanted; ``at`` is when the cases were played.

        Raises:
            Unavailable: a file cannot be written.
        """
        if self.junit is not None:
            atomic_write(self.junit, _junit(title, subjects))
        if self.html is None:
            return
        name = f"{self.html.stem}-sent"
        _write_evidence(self.html.parent / name, evidence_files(subjects, name))
        page = html_report(title, subjects, folder=name, at=at, program=f"bootz {__version__}")
        atomic_write(self.html, page)


def _junit(title: str, subjects: Sequence[Tried]) -> bytes:
    if len(subjects) > 1:
        return junit_comparison(title, subjects)
    return junit_report(title, subjects[0].cases, target=subjects[0].name)


def _write_evidence(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the messages, in place of those of an earlier run."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.bin"):
            old.unlink()
        for path, data in files.items():
            (folder.parent / path).write_bytes(data)
    except OSError as error:
        raise Unavailable(
            "file-unwritable", str(error.strerror or error), where=str(folder)
        ) from error
