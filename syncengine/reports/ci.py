"""Results for continuous integration: GitHub annotations, SARIF 2.1.0, JUnit XML; and history as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import msgspec

from syncengine.core.codes import CODES
from syncengine.core.errors import Problem, Severity
from syncengine.core.finding import Finding
from syncengine.core.log_commands import broken
from syncengine.core.operations import QUEUED
from syncengine.core.redaction import visible
from syncengine.core.results import HistoryRow, OperationLine, RunResult, ValidateResult
from syncengine.reports.vocabulary import plural

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

CASES = 5_000
"""The most test cases of applied operations in one JUnit file; beyond it changes are counted as one case each."""


# GitHub annotations


def github_annotations(problems: Iterable[Problem]) -> Iterator[str]:
    """One workflow command per problem, which GitHub shows beside the line."""
    words: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}
    for problem in problems:
        places = {"file": problem.file, "line": problem.line, "col": problem.column, "title": problem.code}
        told = ",".join(f"{name}={_property(visible(str(value)))}" for name, value in places.items() if value)
        yield f"::{words[problem.severity]} {told}::{_data(_message(problem))}"


def finding_problems(findings: Iterable[Finding]) -> tuple[Problem, ...]:
    """Findings that have a place, as annotations and SARIF show problems; the rule stands where a code would."""
    levels: dict[str, Severity] = {"high": "error", "medium": "warning", "info": "note"}
    return tuple(
        Problem(
            code=finding.rule,
            severity=levels[finding.severity],
            message=finding.message,
            file=place.file,
            line=place.line,
            column=0,
        )
        for finding in findings
        if (place := next((each for each in finding.evidence if each.file and each.line), None)) is not None
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _message(problem: Problem) -> str:
    row = f"row {problem.row}: " if problem.row is not None else ""
    hint = f"\n{visible(problem.hint)}" if problem.hint else ""
    return f"{row}{visible(problem.message)}{hint}"


# SARIF


def sarif(result: ValidateResult, *, version: str) -> str:
    """A SARIF 2.1.0 log of what `validate` found; files are relative to the repository."""
    codes = sorted({problem.code for problem in result.problems})
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "syncengine",
                "version": version,
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, codes.index(problem.code)) for problem in result.problems],
    }
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2).decode() + "\n"


def _rule(code: str) -> dict[str, Any]:
    return {"id": code, "shortDescription": {"text": CODES.get(code, "A problem that syncengine found.")}}


def _result(problem: Problem, rule: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": _message(problem)},
    }
    if problem.file:
        path = problem.file.encode("utf-8", "replace").decode()
        place: dict[str, Any] = {"artifactLocation": {"uri": quote(path)}}
        if problem.line > 0:
            column = {"startColumn": problem.column} if problem.column > 0 else {}
            place["region"] = {"startLine": problem.line, **column}
        found["locations"] = [{"physicalLocation": place}]
    return found


# JUnit


def junit(result: RunResult) -> str:
    """JUnit XML of one run: rejected operations are failures, doubts are errors, what was not sent is skipped."""
    suite = ElementTree.Element("testsuite", name=f"syncengine apply {result.run or result.plan[:12]}")
    for line in result.in_doubt:
        _verdict(_case(suite, line), "error", "in doubt", line.message)
    for line in result.rejected:
        _verdict(_case(suite, line), "failure", "rejected", line.message)
    _not_sent(suite, result)
    _applied(suite, result)
    if result.stopped:
        _verdict(_named(suite, "run", "the run went to its end"), "error", "stopped", result.stopped)
    tests = suite.findall("testcase")
    suite.set("tests", str(len(tests)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in tests)))
    suite.set("time", "0")
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    # A job may print the file.
    return broken(ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n", "html")


def _not_sent(suite: ElementTree.Element, result: RunResult) -> None:
    for line in result.not_sent[:CASES]:
        _verdict(_case(suite, line), "skipped", "not sent", line.message)
    if len(result.not_sent) == result.counts.not_sent <= CASES:
        return
    reasons = result.not_sent_reasons or {"not sent": result.counts.not_sent}
    for reason, count in reasons.items() if not result.not_sent else [("more", result.counts.not_sent - CASES)]:
        _verdict(_named(suite, "not sent", plural(count, "operation")), "skipped", "not sent", reason)


def _applied(suite: ElementTree.Element, result: RunResult) -> None:
    if len(result.applied) == result.counts.applied <= CASES:
        for line in result.applied:
            _case(suite, line, ", queued" if line.kind in QUEUED else "")
        return
    for tally in result.tallies:
        done = "queued" if tally.kind in QUEUED else "applied"
        told = f"{plural(tally.applied, tally.kind + ' operation')} {done}"
        _named(suite, tally.changeset, f"{tally.change}: {told}" if tally.change else told)
    if not result.tallies and result.counts.applied:
        _named(suite, "applied", f"{plural(result.counts.applied, 'operation')} applied")


def _case(suite: ElementTree.Element, line: OperationLine, note: str = "") -> ElementTree.Element:
    change = f"{line.change}: " if line.change else ""
    what = f"{line.kind} lead {line.lead}"
    return _named(suite, line.changeset or "operation", f"{change}{what} ({line.operation[:12]}){note}")


def _named(suite: ElementTree.Element, class_name: str, name: str) -> ElementTree.Element:
    attributes = {"classname": _xml(class_name), "name": _xml(name), "time": "0"}
    return ElementTree.SubElement(suite, "testcase", attributes)


def _verdict(case: ElementTree.Element, tag: str, kind: str, message: str) -> None:
    attributes = {"message": _xml(message or kind)}
    if tag != "skipped":
        attributes["type"] = kind
    ElementTree.SubElement(case, tag, attributes).text = None if tag == "skipped" else _xml(message or kind)


def _xml(text: str) -> str:
    # `visible` leaves nothing that XML 1.0 forbids, except non-characters, which are not printable either.
    return visible(text)


# CSV

# Spreadsheets ignore blanks, and some quotes, before a formula, and read wide and small signs like their plain forms.
# Those of many countries begin a cell at a semicolon, whatever quotes stand around it.
_FORMULA = re.compile(r'(?:^|(?<=;))(?=[ "]*[=+@|%\-＝＋＠｜％－﹦﹢﹫﹪﹣])')

HISTORY_COLUMNS = ("operation", "changeset", "lead", "kind", "outcome", "attempts", "run", "at", "message", "note")


def history_csv(rows: Iterable[HistoryRow]) -> Iterator[str]:
    """History as CSV with a header, line by line; cells that a spreadsheet would run as formulas are defused."""
    yield _csv_line(HISTORY_COLUMNS)
    for row in rows:
        yield _csv_line([_cell(getattr(row, column)) for column in HISTORY_COLUMNS])


def _csv_line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def _cell(value: object) -> str:
    return _FORMULA.sub("'", visible(str(value)))
