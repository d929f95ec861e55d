"""Every source that code and pages cite can be opened; and the check that says so can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.check_sources import ROOT, Library, Text, check, faults, python_texts, slug


def test_every_source_resolves() -> None:
    assert check(ROOT) == []


PAGE = """# On the wire

## Calls & answers

1. The first.
2. The second.

## Calls & answers
"""

SOURCES = """# Public documents

| number | title | sections |
|---|---|---|
| RFC 768 | User Datagram Protocol | (no sections) |
| RFC 8366 | A Voucher Artifact | 5 Voucher Artifact; 5.3 YANG Module |

## OpenConfig

| repository | files | where |
|---|---|---|
| openconfig/bootz | `README.md`, `proto/bootz.proto` | https://github.com/openconfig/bootz |

## Others

| document | where |
|---|---|
| ITU-T X.690 | https://www.itu.int/rec/T-REC-X.690 |
| Linux manual pages: `packet(7)` | https://man7.org/ |
"""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A small repository: two pages, the workflow, one message."""
    files = {
        "docs/protocol/wire.md": PAGE,
        "docs/protocol/sources.md": SOURCES,
        "docs/protocol/workflow.md": "| **W1** | power on |\n| **W2** | DHCP |\n",
        "docs/dialects.md": "# Dialects\n",
        "src/bootz/wire/schema/bootz.proto": "message Identity { string idevid_cert = 1; }\n",
    }
    for name, words in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words)
    return Library(tmp_path)


def told(words: str, library: Library, file: str = "src/bootz/model/chassis.py") -> list[str]:
    return list(faults(Text(Path(file), 10, words), library))


@pytest.mark.parametrize(
    "words",
    [
        "Source: docs/protocol/wire.md.",
        "Source: docs/protocol/wire.md#calls--answers (1, 2); docs/dialects.md.",
        "Source: docs/protocol/wire.md#calls--answers, steps 1 to 2.",
        "Source: docs/protocol/wire.md#calls--answers-1.",
        "Source:\n    docs/protocol/wire.md; RFC 768.",
        "Source: RFC 8366 section 5.3; RFC 8366 sections 5 and\n    5.3 (leaves). More words.",
        "Source: Bootz ``Identity.idevid_cert``; openconfig/bootz ``proto/bootz.proto``.",
        "Source: openconfig/bootz ``README.md``; ITU-T X.690; packet(7).",
        "What RFC 8366 says, in W1 and docs/protocol/workflow.md W2.",
        "An S or a W1x, and a voucher (RFC 8366 section 5).",
        "The schema is src/bootz/wire/schema/bootz.proto, or wire/schema/bootz.proto.",
    ],
)
def test_a_right_citation_is_taken(library: Library, words: str) -> None:
    assert told(words, library) == []


WRONG = [
    ("Source: wire.md section 4.", "no file wire.md"),
    ("A comment on operator.md O40.", "no file operator.md"),
    ("Source: docs/protocol/pki.md.", "no file docs/protocol/pki.md"),
    ("Source: docs/protocol/wire.md#streams.", "no section #streams"),
    ("Source: docs/protocol/wire.md#calls--answers (1, 3).", "no point 3"),
    ("Source: docs/protocol/wire.md#calls--answers, steps 1 to 3.", "no point 3"),
    ("Source: docs/protocol/workflow.md W3.", "W3 is no step"),
    ("The loop without DHCP (N4).", "N4 is no step"),
    ("Source: RFC 8366.", "with its section"),
    ("Source: RFC 8366 section 5.9.", "section 5.9 is not"),
    ("Source: RFC 8366 sections 5 and 55.", "section 55 is not"),
    ("As RFC 8366, 5.3 has it.", 'write "RFC 8366 section X"'),
    ("As RFC 8366 s.5 has it.", 'write "RFC 8366 section X"'),
    ("As RFC 9999 has it.", "RFC 9999 is not in"),
    ("Source: Bootz message ``Nobody``.", "not in the schema"),
    ("Source: openconfig/bootz ``proto/other.proto``.", "not among the files"),
    ("Source: openconfig/other ``proto/bootz.proto``.", "not among the files"),
    ("Source: packet(8).", "not among the manual pages"),
    ("See ``server/keys.py``.", "no file server/keys.py"),
    ("See src/bootz/wire/schema/other.proto.", "no file src/bootz/wire/schema/other.proto"),
    ("Source: what everyone knows.", "neither a page"),
    ("Source: docs/dialects.md; a mail of last year.", "neither a page"),
]


@pytest.mark.parametrize(("words", "fault"), WRONG, ids=[words for words, _ in WRONG])
def test_a_wrong_citation_is_told(library: Library, words: str, fault: str) -> None:
    assert fault in "\n".join(told(words, library))


def test_pages_cite_beside_themselves_and_by_section(library: Library) -> None:
    page = "docs/protocol/workflow.md"
    assert told("See [it](wire.md#calls--answers) and [that](../dialects.md).", library, page) == []
    (line,) = told("Text.\n\nSee [it](../wire.md).", library, page)
    assert line.startswith(f"{page}:12: there is no file ../wire.md")
    (line,) = told("[it](wire.md#nowhere)", library, page)
    assert line.endswith("has no section #nowhere")
    assert told("https://example.net/a/other.md", library, page) == []


def test_docstrings_comments_and_texts_that_name_a_page_are_read() -> None:
    code = '"""One."""\n\nX = 1\n"""Two."""\n# Three,\n# and more.\nY = "see docs/four.md"\n'
    found = {(each.line, each.words) for each in python_texts(Path("a.py"), code)}
    assert found == {(1, "One."), (4, "Two."), (5, "Three,\nand more."), (7, "see docs/four.md")}


def test_anchors_are_those_of_github() -> None:
    assert slug("TPM 2.0: the server's checks") == "tpm-20-the-servers-checks"
    assert slug("`idevid-issuer` and [links](a.md)") == "idevid-issuer-and-links"
