"""Test results for people and for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as Xml

from ivr.scenario.runner import FileResult, TestResult


def as_text(results: Iterable[FileResult], verbose: bool = False) -> str:
    """One line a test; a failure with its places and the call's transcript. `verbose`: every transcript."""
    lines: list[str] = []
    for file in results:
        lines.extend(map(str, file.problems))
        for result in file.results:
            lines.append(f"{'ok    ' if result.passed else 'FAILED'} {file.flow}: {result.name}")
            lines.extend(f"  {failure}" for failure in result.failures)
            if verbose or not result.passed:
                lines.extend(f"  {line}" for line in result.transcript.splitlines())
    return "\n".join(lines)


def as_junit(results: Sequence[FileResult]) -> str:
    """JUnit XML, as CI systems read it."""
    root = Xml.Element("testsuites", name="flows")
    for file in results:
        errors = file.problems.errors
        suite = Xml.SubElement(
            root,
            "testsuite",
            name=file.file,
            tests=str(len(file.results) + bool(errors)),
            failures=str(sum(not result.passed for result in file.results)),
            errors=str(int(bool(errors))),
        )
        if errors:
            case = Xml.SubElement(suite, "testcase", classname=file.file, name="the file can be read")
            error = Xml.SubElement(case, "error", message=_clean(str(errors[0])))
            error.text = _clean("\n".join(map(str, errors)))
        for result in file.results:
            _case(suite, file, result)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: Xml.Element, file: FileResult, result: TestResult) -> None:
    case = Xml.SubElement(
        suite,
        "testcase",
        classname=file.flow,
        name=_clean(result.name),
        file=file.file,
        line=str(result.place.line),
        time=f"{result.took_s:.1f}",
    )
    if not result.passed:
        failure = Xml.SubElement(case, "failure", message=_clean(str(result.failures[0])))
        failure.text = _clean("\n".join([*map(str, result.failures), "", result.transcript]))


def _clean(text: str) -> str:
    """XML 1.0 has no control characters."""
    return "".join(sign for sign in text if sign in "\t\n" or sign >= " ")
