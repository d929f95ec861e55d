"""The report of a suite as JUnit XML, for systems that collect test results."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from bootz.conformance.verdict import JudgedCase, Judgement, Tried, count


def junit_report(suite_name: str, cases: Sequence[JudgedCase], *, target: str = "") -> bytes:
    """Return the report. ``target`` names what was tried; a case not judged is ``skipped``."""
    return _written(_suite(suite_name, cases, target))


def junit_comparison(suite_name: str, subjects: Sequence[Tried]) -> bytes:
    """Return one report of several subjects, a suite for each."""
    suites = Element("testsuites", name=_printable(suite_name))
    suites.extend(_suite(suite_name, subject.cases, subject.name) for subject in subjects)
    return _written(suites)


def _suite(suite_name: str, cases: Sequence[JudgedCase], target: str) -> Element:
    broken = sum(case.broken for case in cases)
    suite = Element(
        "testsuite",
        name=_printable(suite_name),
        hostname=_printable(target),
        tests=str(len(cases)),
        failures=str(count(cases, Judgement.FAILED) - broken),
        errors=str(broken),
        skipped=str(count(cases, Judgement.NOT_JUDGED)),
        time=f"{sum(case.seconds for case in cases):.3f}",
    )
    for case in cases:
        element = SubElement(
            suite,
            "testcase",
            classname=_printable(case.group),
            name=_printable(case.name),
            time=f"{case.seconds:.3f}",
        )
        if case.judgement is not Judgement.PASSED:
            SubElement(element, _kind(case), message=_printable(case.why))
        if output := _output(case):
            SubElement(element, "system-out").text = _printable(output)
    return suite


def _written(root: Element) -> bytes:
    indent(root)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _kind(case: JudgedCase) -> str:
    if case.judgement is Judgement.NOT_JUDGED:
        return "skipped"
    return "error" if case.broken else "failure"


def _output(case: JudgedCase) -> str:
    """Return what a reader of the report needs to see the case as it was."""
    lines = [
        ("claim", case.claim),
        ("sent", ", ".join(f"{each.where} ({each.size} bytes)" for each in case.sent)),
        ("expected", case.expected),
        ("came", case.came),
    ]
    if case.source is not None:
        source = case.source
        lines.append(("specification", f"{source.says} ({source.document}, {source.url})"))
    told = [f"{word}: {text}" for word, text in lines if text]
    return "\n".join([*told, *([case.notes] if case.notes else [])])


def _printable(text: str) -> str:
    """Return a text that XML can hold, whatever a stranger said."""
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in text)
