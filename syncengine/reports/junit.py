"""A run as JUnit XML: one test case per operation, or per change where there are too many operations."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from syncengine.core.log_commands import broken
from syncengine.core.operations import QUEUED
from syncengine.core.redaction import visible
from syncengine.core.results import ChangeTally, FolderResult, OperationLine, RunResult
from syncengine.reports.vocabulary import plural

CASES = 5_000
"""The most test cases of applied operations in one JUnit file; beyond it changes are counted as one case each."""


def junit(result: RunResult) -> str:
    """JUnit XML of one run: rejected operations are failures, doubts are errors, what was not sent is skipped."""
    return _test_suites([_run_suite(result, f"syncengine apply {result.run or result.plan[:12]}")])


def folder_junit(result: FolderResult) -> str:
    """JUnit XML with a suite for each plan; one that waits for approvals is skipped, one that is refused a failure."""
    suites = [
        _run_suite(plan.result, f"syncengine apply {plan.changeset} {plan.result.run or plan.result.plan[:12]}")
        for plan in result.plans
    ]
    if result.waiting or result.refused:
        suite = ElementTree.Element("testsuite", name="syncengine apply: plans that were not sent")
        for waiting in result.waiting:
            given = f"{len(waiting.given)} of {plural(waiting.needed, 'approval')}"
            case = _named(suite, waiting.changeset, f"plan {waiting.plan[:12]}")
            _verdict(case, "skipped", "waiting", f"waits for approvals: {given}")
        for refused in result.refused:
            case = _named(suite, refused.changeset, f"plan {refused.plan[:12]}")
            _verdict(case, "failure", "refused", f"{refused.code}: {refused.message}")
        suites.append(_counted(suite))
    return _test_suites(suites)


def _test_suites(suites: Sequence[ElementTree.Element]) -> str:
    root = ElementTree.Element("testsuites")
    root.extend(suites)
    ElementTree.indent(root)
    # A job may print the file.
    return broken(ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n", "html")


def _run_suite(result: RunResult, name: str) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=name)
    for line in result.in_doubt:
        _verdict(_case(suite, line), "error", "in doubt", line.message)
    for line in result.rejected:
        _verdict(_case(suite, line), "failure", "rejected", line.message)
    _not_sent(suite, result)
    _applied(suite, result)
    if result.stopped:
        _verdict(_named(suite, "run", "the run went to its end"), "error", "stopped", result.stopped)
    return _counted(suite)


def _counted(suite: ElementTree.Element) -> ElementTree.Element:
    tests = suite.findall("testcase")
    suite.set("tests", str(len(tests)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in tests)))
    suite.set("time", "0")
    return suite


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
    elif result.tallies:
        for tally in result.tallies:
            _named(suite, tally.changeset, _tally_words(tally))
    elif result.counts.applied:
        _named(suite, "applied", f"{plural(result.counts.applied, 'operation')} applied")


def _tally_words(tally: ChangeTally) -> str:
    done = "queued" if tally.kind in QUEUED else "applied"
    told = f"{plural(tally.applied, tally.kind + ' operation')} {done}"
    return f"{tally.change}: {told}" if tally.change else told


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
