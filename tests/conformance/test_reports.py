"""The reports that are handed on: whole, and safe whatever a server has said."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

from bootz.conformance.report_files import ReportFiles
from bootz.conformance.verdict import JudgedCase, Judgement, SentMessage, SpecSource, Tried

EVIL = "<script>alert(1)</script>\"'&\x00\ud800"
SOURCE = SpecSource(f"says {EVIL}", f"document {EVIL}", 'https://example.net/?a=1&b="><script>')
AT = datetime(2026, 11, 28, tzinfo=UTC)


def _case(judgement: Judgement, name: str = f"a/../../{EVIL}") -> JudgedCase:
    return JudgedCase(
        f"group {EVIL}",
        name,
        judgement,
        1.0,
        claim=f"claim {EVIL}",
        expected=EVIL,
        came=f"came {EVIL}",
        why=f"why {EVIL}",
        notes=f"notes {EVIL}",
        sent=(SentMessage(f"/path{EVIL}", bytes(range(256)) * 2), SentMessage("/b", b"", 9)),
        source=SOURCE,
    )


class Page(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            assert name != "src"
            if name == "href":
                self.links.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_holds_whatever_a_server_says(tmp_path: Path) -> None:
    cases = [_case(judgement, f"{judgement.value} {EVIL}") for judgement in Judgement]
    files = ReportFiles(tmp_path / "r.xml", tmp_path / "r.html")
    files.write(f"suite {EVIL}", [Tried(f"host {EVIL}", cases)], at=AT)
    raw = (tmp_path / "r.html").read_text()
    page = Page()
    page.feed(raw)
    assert "script" not in page.tags
    assert "default-src 'none'" in raw
    for word in ("claim", "came", "why", "notes", "says", "document", "suite", "host"):
        assert f"{word} <script>alert(1)</script>" in page.text
    # Each link is the source, or a file that lies beside the page.
    beside = [link for link in page.links if not link.startswith("https://example.net/")]
    assert len(beside) == 6
    for link in beside:
        assert (tmp_path / unquote(link)).parent == tmp_path / "r-sent"
        assert (tmp_path / unquote(link)).is_file()
    assert (tmp_path / unquote(beside[0])).read_bytes() == bytes(range(256)) * 2
    suite = ElementTree.parse(tmp_path / "r.xml").getroot()
    assert [suite.attrib[each] for each in ("tests", "failures", "skipped")] == ["3", "1", "1"]


def test_bytes_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    files = ReportFiles(html=tmp_path / "r.html")
    files.write("suite", [Tried("a", [_case(Judgement.PASSED, "old")])], at=AT)
    files.write("suite", [Tried("a", [_case(Judgement.PASSED, "new")])], at=AT)
    names = {path.name for path in (tmp_path / "r-sent").iterdir()}
    assert names
    assert all(".new." in name for name in names)


def test_two_subjects_share_a_page_and_have_bytes_of_their_own(tmp_path: Path) -> None:
    files = ReportFiles(tmp_path / "r.xml", tmp_path / "r.html")
    subjects = [
        Tried("first", [_case(Judgement.PASSED, "x")]),
        Tried("second", [_case(Judgement.FAILED, "x")]),
    ]
    files.write("suite", subjects, at=AT)
    assert len(list((tmp_path / "r-sent").iterdir())) == 4
    assert "Failed: 1" in (tmp_path / "r.html").read_text()
    suites = ElementTree.parse(tmp_path / "r.xml").getroot()
    assert [suite.attrib["hostname"] for suite in suites] == ["first", "second"]
