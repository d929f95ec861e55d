"""The report as JUnit XML, for systems that collect test results."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from bootz.conformance.server.suite import Verdict


def junit_report(verdicts: Sequence[Verdict], target: str) -> bytes:
    """Return the report; a case's group is all of its name but the last part."""
    suite = Element(
        "testsuite",
        name="bootz conformance server",
        hostname=target,
        tests=str(len(verdicts)),
        failures=str(sum(not verdict.passed for verdict in verdicts)),
        time=f"{sum(verdict.seconds for verdict in verdicts):.3f}",
    )
    for verdict in verdicts:
        group, _, name = verdict.case.name.rpartition("/")
        case = SubElement(
            suite, "testcase", classname=group, name=name, time=f"{verdict.seconds:.3f}"
        )
        if not verdict.passed:
            told = f"expected {verdict.case.expected}, seen {verdict.seen}"
            SubElement(case, "failure", message=_printable(told))
        elif verdict.remark:
            SubElement(case, "system-out").text = _printable(f"{verdict.remark}: {verdict.seen}")
    indent(suite)
    written: bytes = tostring(suite, encoding="utf-8", xml_declaration=True)
    return written


def _printable(text: str) -> str:
    """Return a text that XML can hold, whatever the server said."""
    return "".join(each if each.isprintable() else "?" for each in text)
