"""The report of a suite as JUnit XML, for systems that collect test results."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

FAILURE: Final = "failure"
ERROR: Final = "error"


@dataclass(frozen=True, slots=True)
class Result:
    """One case. ``flaw`` is empty where it passed; ``kind`` is FAILURE, or ERROR where the case
    could not be played to its end; ``output`` is told in any case.
    """

    group: str
    name: str
    seconds: float
    flaw: str = ""
    kind: str = FAILURE
    output: str = ""


def junit_report(suite_name: str, results: Sequence[Result], *, target: str = "") -> bytes:
    """Return the report. ``target`` names what was tried."""
    kinds = [result.kind for result in results if result.flaw]
    suite = Element(
        "testsuite",
        name=suite_name,
        hostname=target,
        tests=str(len(results)),
        failures=str(kinds.count(FAILURE)),
        errors=str(kinds.count(ERROR)),
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for result in results:
        case = SubElement(
            suite,
            "testcase",
            classname=result.group,
            name=result.name,
            time=f"{result.seconds:.3f}",
        )
        if result.flaw:
            SubElement(case, result.kind, message=_printable(result.flaw))
        if result.output:
            SubElement(case, "system-out").text = _printable(result.output)
    indent(suite)
    written: bytes = tostring(suite, encoding="utf-8", xml_declaration=True)
    return written


def _printable(text: str) -> str:
    """Return a text that XML can hold, whatever a stranger said."""
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in text)
