#!/usr/bin/env python3
"""Resolve every source that code and pages cite, so that a reader can open it.

A citation is one of: a page of ``docs/`` (the file, its section and its numbered points exist), an
RFC with its section, a file of an OpenConfig repository, another document or manual page (each
listed in docs/protocol/sources.md), or a Bootz message or field (in the schema). A file of code
that a text names exists, from the root or from src/bootz on. Steps of the workflow (W1, S2, N3)
are those of docs/protocol/workflow.md.

    tools/check_sources.py            exit code 1 and one line a fault: FILE:LINE: what to fix
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCES: Final = Path("docs/protocol/sources.md")
WORKFLOW: Final = Path("docs/protocol/workflow.md")

_NUMBER: Final = r"(?:[A-Z]\.)?\d+(?:\.\d+)*"
_LIST: Final = rf"{_NUMBER}(?:(?:, | and | to )(?:and )?{_NUMBER})*"

_PAGE: Final = re.compile(
    r"(?<![\w./#-])(?P<path>(?:\.\./|[\w-]+/)*[\w-]+\.md)(?P<anchor>#[\w-]*)?"
    rf"(?:,? \(?(?:steps? )?(?P<points>{_LIST})\)?)?(?!\w)"
)
_RFC: Final = re.compile(
    rf"\bRFCs? (?P<number>\d+)(?:(?: (?:sections?|appendix) (?P<sections>{_LIST}))|"
    r"(?P<bare>,? (?:s\.|§|sec\.|(?=[A-Z\d]+\.\d)))?)"
)
_FILE: Final = re.compile(
    r"(?<![\w./*{}-])(?P<path>(?:[\w-]+/)+[\w-]+\.(?:py|proto|txt|sh))(?![\w*])"
)
_ID: Final = re.compile(r"\b[WSN]\d{1,2}\b")
_SOURCE: Final = re.compile(
    r"\bSources?:\s+(?P<items>.*?)(?=\.\s+[A-Z`]|\.?\s*$|\n\s*\n)", re.DOTALL
)
_MANUAL: Final = re.compile(r"\b[a-z][\w-]*\(\d\)")
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE: Final = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_NAME: Final = re.compile(r"``([\w.]+)``")


@dataclass(frozen=True, slots=True)
class Text:
    """Words that people read: a docstring, a run of comments, a page; ``line`` is its first."""

    file: Path
    line: int
    words: str


class Library:
    """What may be cited: the pages of a repository, and the documents that it lists."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._pages: dict[Path, dict[str, str]] = {}

    def is_page(self, path: Path) -> bool:
        """Tell whether the repository has that file."""
        return (self._root / path).is_file()

    def is_file(self, name: str) -> bool:
        """Tell whether a file of code is there, or is one of a listed repository's."""
        here = self.is_page(Path(name)) or self.is_page(Path("src/bootz", name))
        return here or any(f"`{name}`" in files for files in self.repositories.values())

    def sections(self, path: Path) -> dict[str, str]:
        """Return the text below each heading of a page, by the anchor that GitHub gives it."""
        if path not in self._pages:
            found: dict[str, str] = {}
            plain = _FENCE.sub(lambda each: "\n" * each[0].count("\n"), self._read(path))
            parts = re.split(r"^(#+) +(.*)$", plain, flags=re.MULTILINE)
            open_anchors: list[tuple[int, str]] = []
            for marks, heading, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
                anchor = base = slug(heading)
                count = 0
                while anchor in found:
                    count += 1
                    anchor = f"{base}-{count}"
                open_anchors = [each for each in open_anchors if each[0] < len(marks)]
                open_anchors.append((len(marks), anchor))
                found[anchor] = ""
                for _, each in open_anchors:
                    found[each] += body
            self._pages[path] = found
        return self._pages[path]

    @cached_property
    def rfcs(self) -> dict[str, set[str]]:
        """The RFCs of the list, each with its sections."""
        rows = re.findall(r"^\| RFC (\d+) \|[^|]*\| ([^|]*) \|$", self._read(SOURCES), re.MULTILINE)
        return {
            number: set(re.findall(rf"(?:^|; )({_NUMBER})(?= )", sections))
            for number, sections in rows
        }

    @cached_property
    def documents(self) -> tuple[str, ...]:
        """The other documents of the list, by name."""
        others = self.sections(SOURCES).get("others", "")
        return tuple(re.findall(r"^\| ([^|`]+?) \|", others, re.MULTILINE))[1:]

    @cached_property
    def manuals(self) -> set[str]:
        """The manual pages of the list."""
        return set(_MANUAL.findall(self.sections(SOURCES).get("others", "")))

    @cached_property
    def repositories(self) -> dict[str, str]:
        """The repositories of the list, each with the words that name its files."""
        return dict(
            re.findall(r"^\| (openconfig/\w+) \| ([^|]*) \|", self._read(SOURCES), re.MULTILINE)
        )

    @cached_property
    def steps(self) -> set[str]:
        """The steps of the workflow."""
        return set(re.findall(r"\*\*([WSN]\d+)\*\*", self._read(WORKFLOW)))

    @cached_property
    def words_of_schema(self) -> set[str]:
        """Every name in the schema of the messages."""
        folder = self._root / "src/bootz/wire/schema"
        texts = [path.read_text() for path in sorted(folder.glob("*.proto"))]
        return {name for text in texts for name in re.findall(r"\w+", text)}

    def _read(self, path: Path) -> str:
        page = self._root / path
        return page.read_text() if page.is_file() else ""


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    plain = _LINK.sub(lambda each: each[0][1:].partition("]")[0], heading)
    return re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")


def read_texts(root: Path) -> Iterator[Text]:
    """Yield what cites: docstrings and comments of code, schemas, pages."""
    for folder in ("src", "tests", "tools"):
        for path in sorted((root / folder).rglob("*.py")):
            if "generated" not in path.parts:
                yield from python_texts(path.relative_to(root), path.read_text())
    for path in sorted((root / "src").rglob("*.proto")):
        yield from _runs(path.relative_to(root), path.read_text(), "//")
    for path in sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")]):
        yield Text(path.relative_to(root), 1, path.read_text())


def python_texts(file: Path, code: str) -> Iterator[Text]:
    """Yield docstrings (of names too), runs of comments and, but for tests, texts naming a page."""
    nodes = list(ast.walk(ast.parse(code)))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        names_page = file.parts[0] != "tests" and re.search(r"\bdocs/[\w/-]+\.md", node.value)
        if id(node) in docstrings or names_page:
            yield Text(file, node.lineno, node.value)
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    rows = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
    comments = "\n".join(rows.get(row, "") for row in range(1, code.count("\n") + 2))
    yield from _runs(file, comments, "#")


def _runs(file: Path, text: str, mark: str) -> Iterator[Text]:
    """Yield each run of comment lines as one text."""
    run: list[str] = []
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        stripped = line.strip()
        if stripped.startswith(mark):
            run.append(stripped.removeprefix(mark).removeprefix(" "))
        elif run:
            yield Text(file, number - len(run), "\n".join(run))
            run = []


def faults(text: Text, library: Library) -> Iterator[str]:
    """Yield what of a text does not resolve, as ``FILE:LINE: what``."""
    words = text.words
    is_page = text.file.suffix == ".md"
    if is_page:
        words = _LINK.sub(lambda each: " " * (len(each[0]) - len(each[1])) + each[1], words)
        words = re.sub(r"\S*://\S*", lambda each: " " * len(each[0]), words)
    else:
        # A citation may be broken over two lines.
        words = re.sub(r"\n[ \t]*(?=\S)", " ", words)

    def at(position: int, what: str) -> str:
        line = text.line + (words.count("\n", 0, position) if is_page else 0)
        return f"{text.file}:{line}: {what}"

    for found in _PAGE.finditer(words):
        if (
            what := _page_fault(text.file, found, library, of_repository(words, found))
        ) is not None:
            yield at(found.start(), what)
    for found in _RFC.finditer(words):
        if text.file != SOURCES and (what := _rfc_fault(found, library)) is not None:
            yield at(found.start(), what)
    for found in _FILE.finditer(words):
        if not library.is_file(found["path"]):
            yield at(found.start(), f"there is no file {found['path']}, nor src/bootz/ before it")
    if is_page:
        return
    if text.file.parts[0] == "src":
        for found in _ID.finditer(words):
            if found[0] not in library.steps:
                yield at(found.start(), f"{found[0]} is no step of {WORKFLOW}")
    for found in _SOURCE.finditer(words):
        for item in re.split(r"; ", found["items"]):
            if (what := _item_fault(item, library)) is not None:
                yield at(found.start(), f"source {item.strip()!r}: {what}")


def of_repository(words: str, found: re.Match[str]) -> bool:
    """Tell whether a file is named as one of an OpenConfig repository."""
    return re.search(r"openconfig/\w+[ |`]+(?:[^|;]*`, `)?$", words[: found.start()]) is not None


def _page_fault(file: Path, found: re.Match[str], library: Library, foreign: bool) -> str | None:
    """Say what is wrong with a citation of a page, if anything."""
    if foreign:
        return None
    cited = Path(found["path"])
    beside = _normal(file.parent / cited)
    path = beside if file.suffix == ".md" and library.is_page(beside) else cited
    if not library.is_page(path):
        return f"there is no file {found['path']} in this repository"
    anchor = (found["anchor"] or "").removeprefix("#")
    if found["anchor"] is not None and anchor not in library.sections(path):
        return f"{path} has no section #{anchor}"
    if anchor and found["points"]:
        points = set(re.findall(r"^(\d+)\. ", library.sections(path)[anchor], re.MULTILINE))
        missing = [point for point in _numbers(found["points"]) if point not in points]
        if missing:
            return f"{path}#{anchor} has no point {', '.join(missing)}"
    return None


def _rfc_fault(found: re.Match[str], library: Library) -> str | None:
    """Say what is wrong with a citation of an RFC, if anything."""
    number = found["number"]
    if number not in library.rfcs:
        return f"RFC {number} is not in {SOURCES}: list it with its title"
    if found["bare"] is not None:
        return f'write "RFC {number} section X"'
    missing = [
        section
        for section in re.findall(_NUMBER, found["sections"] or "")
        if section not in library.rfcs[number]
    ]
    if missing:
        return f"RFC {number} section {', '.join(missing)} is not in {SOURCES}: list its heading"
    return None


def _item_fault(item: str, library: Library) -> str | None:
    """Say why an item of a ``Source:`` leads nowhere; what it cites is judged elsewhere."""
    if _PAGE.search(item):
        return None
    if rfc := _RFC.search(item):
        if rfc["sections"] is None and library.rfcs.get(rfc["number"]):
            return "an RFC is cited with its section"
        return None
    if item.startswith("Bootz "):
        names = [part for name in _NAME.findall(item) for part in name.split(".")]
        unknown = [name for name in names if name not in library.words_of_schema]
        if not names or unknown:
            return f"not in the schema: {', '.join(unknown) or 'no name'}"
        return None
    if repository := re.search(r"\bopenconfig/\w+", item):
        known = library.repositories.get(repository[0])
        name = re.search(r"``([\w./-]+)``", item)
        if known is None or name is None or f"`{name[1]}`" not in known:
            return f"not among the files of {SOURCES}"
        return None
    if manuals := _MANUAL.findall(item):
        missing = sorted(set(manuals) - library.manuals)
        return f"not among the manual pages of {SOURCES}" if missing else None
    if any(name in item for name in library.documents):
        return None
    return f"neither a page, an RFC section, a Bootz message nor a document of {SOURCES}"


def _numbers(points: str) -> Iterator[str]:
    """Yield the numbers of ``2 to 5, 9 and 12``, ranges spelt out."""
    for first, last in re.findall(r"(\d+)(?: to (\d+))?", points):
        for number in range(int(first), int(last or first) + 1):
            yield str(number)


def _normal(path: Path) -> Path:
    """Return a relative path without ``..``."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return Path(*parts)


def check(root: Path) -> list[str]:
    """Return every citation of a repository that does not resolve."""
    library = Library(root)
    found = (fault for text in read_texts(root) for fault in faults(text, library))
    return list(dict.fromkeys(found))


def main() -> int:
    """Print what does not resolve."""
    found = check(ROOT)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
