"""The report of a suite as one HTML page that can be handed to a vendor.

The page needs nothing but itself: no script, no font, no style from elsewhere. Everything a
stranger has said is escaped. The bytes of what was sent lie in files beside it
(``evidence_files``).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Final
from urllib.parse import quote

from bootz.conformance.verdict import JudgedCase, Judgement, SentMessage, Tried, tally

_SHOWN_BYTES: Final = 256
"""Bytes of a message that are shown in the page, of a case that did not pass."""

_LINE: Final = 16
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")

_NOT_JUDGED: Final = (
    "A case that is <em>not judged</em> proves nothing: the well-behaved device beside the hostile "
    "one was not served either, or the call is not offered."
)

_STYLE: Final = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .25em .6em;
vertical-align: top; border-bottom: 1px solid #ddd } th { white-space: nowrap; width: 9em }
pre { overflow-x: auto; background: #f5f5f5; padding: .5em; font-size: 12px; margin: .3em 0 }
details { border: 1px solid #ccc; margin: .3em 0; padding: .3em .8em } summary { cursor: pointer }
.passed { color: #176117 } .failed { color: #a10000; font-weight: bold }
.not-judged { color: #6b5200 } code { overflow-wrap: anywhere }
"""


def evidence_files(subjects: Sequence[Tried], folder: str) -> dict[str, bytes]:
    """Return the files of a report, by their paths from the page: one for each message sent."""
    files = {}
    for number, subject in enumerate(subjects):
        for case in subject.cases:
            for index, message in enumerate(case.sent):
                files[_path(folder, subjects, number, case, index)] = message.data
    return files


def html_report(
    title: str, subjects: Sequence[Tried], *, folder: str, at: datetime, program: str
) -> bytes:
    """Return the page.

    Args:
        title: of the suite.
        subjects: what was tried: one, or two to compare.
        folder: where ``evidence_files`` are, from the page.
        at: when.
        program: name and version of what played the cases.
    """
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>Played {escape(at.isoformat(timespec='seconds'))} by {escape(program)}.</p>",
        "<table><tr><th>tried</th><td>result</td></tr>",
        *(
            f"<tr><th>{escape(each.name)}</th><td>{escape(tally(each.cases))}</td></tr>"
            for each in subjects
        ),
        "</table>",
        f"<p>{_NOT_JUDGED}</p>",
    ]
    by_name = [{(case.group, case.name): case for case in each.cases} for each in subjects]
    for judgement in (Judgement.FAILED, Judgement.NOT_JUDGED, Judgement.PASSED):
        body += _section(judgement, subjects, by_name, folder)
    head = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
    )
    return "\n".join([head, *body, "</body></html>\n"]).encode("utf-8", "replace")


_Cases = Mapping[tuple[str, str], JudgedCase]


def _section(
    judgement: Judgement, subjects: Sequence[Tried], by_name: Sequence[_Cases], folder: str
) -> list[str]:
    """Return the cases whose worst judgement is this one."""
    shown = [key for key in by_name[0] if _worst(key, by_name) is judgement]
    lines = [f"<h2>{escape(judgement.value.capitalize())}: {len(shown)}</h2>"]
    for key in shown:
        group, name = key
        words = ", ".join(_told(cases[key].judgement) for cases in by_name if key in cases)
        lines.append(
            f"<details><summary><code>{escape(f'{group}/{name}')}</code>: {words}</summary>"
        )
        lines += _case(key, subjects, by_name, folder, shown=judgement is not Judgement.PASSED)
        lines.append("</details>")
    return lines


def _worst(key: tuple[str, str], by_name: Sequence[_Cases]) -> Judgement:
    found = [cases[key].judgement for cases in by_name if key in cases]
    for judgement in (Judgement.FAILED, Judgement.NOT_JUDGED):
        if judgement in found:
            return judgement
    return Judgement.PASSED


def _case(
    key: tuple[str, str],
    subjects: Sequence[Tried],
    by_name: Sequence[_Cases],
    folder: str,
    *,
    shown: bool,
) -> Iterator[str]:
    first = by_name[0][key]
    yield "<table>"
    yield _row("claim", escape(first.claim))
    if (source := first.source) is not None:
        url = escape(source.url, quote=True)
        link = f'<a href="{url}">{escape(source.document)}</a>' if source.url else ""
        yield _row("specification", f"{escape(source.says)} ({link or escape(source.document)})")
    yield _row("expected", escape(first.expected))
    for number, (subject, cases) in enumerate(zip(subjects, by_name, strict=True)):
        if (case := cases.get(key)) is None:
            continue
        told = f" ({escape(subject.name)})" if len(subjects) > 1 else ""
        sent = "".join(
            _message(_path(folder, subjects, number, case, index), message, shown=shown)
            for index, message in enumerate(case.sent)
        )
        yield _row(f"sent{told}", sent or "nothing")
        yield _row(f"came{told}", escape(case.came))
        verdict = _told(case.judgement)
        words = [escape(each) for each in (case.why, case.notes) if each]
        yield _row(f"verdict{told}", ": ".join([verdict, "; ".join(words)]) if words else verdict)
    yield "</table>"


def _row(head: str, content: str) -> str:
    return f"<tr><th>{head}</th><td>{content}</td></tr>"


def _message(path: str, message: SentMessage, *, shown: bool) -> str:
    cut = f", the first {len(message.data)} are kept" if message.cut_from else ""
    told = f"{escape(message.where)}: {message.size} bytes{cut}"
    line = f'<div>{told}, <a href="{escape(quote(path), quote=True)}">{escape(path)}</a></div>'
    return line + (f"<pre>{escape(_dump(message.data))}</pre>" if shown else "")


def _dump(data: bytes) -> str:
    """Return the beginning of a message, as a hex dump."""
    lines = []
    for start in range(0, min(len(data), _SHOWN_BYTES), _LINE):
        part = data[start : start + _LINE]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:04x}  {part.hex(' '):<{3 * _LINE}} {text}")
    if len(data) > _SHOWN_BYTES:
        lines.append("...")
    return "\n".join(lines)


def _told(judgement: Judgement) -> str:
    word = judgement.value
    return f'<span class="{word.replace(" ", "-")}">{escape(word)}</span>'


def _path(folder: str, subjects: Sequence[Tried], number: int, case: JudgedCase, index: int) -> str:
    """Return where the bytes of a message lie, from the page."""
    which = f"{number + 1}." if len(subjects) > 1 else ""
    name = _UNSAFE.sub("_", f"{case.group}.{case.name}".replace("/", "."))
    return f"{folder}/{which}{name}.{index + 1}.bin"
