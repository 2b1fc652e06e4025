"""Annotations, SARIF, JUnit and CSV survive whatever text they carry."""

from __future__ import annotations

import csv
import io
import json
import re
from urllib.parse import unquote
from xml.etree import ElementTree

import msgspec
import pytest

from syncengine.core.errors import Problem
from syncengine.core.redaction import visible
from syncengine.core.results import ChangeTally, OperationLine, RunCounts, RunResult, ValidateResult
from syncengine.core.values import LeadId, OperationId
from syncengine.reports.annotations import github_annotations
from syncengine.reports.csv import history_csv
from syncengine.reports.junit import CASES, junit
from syncengine.reports.sarif import sarif
from tests.reports.samples import HOSTILE
from tests.reports.test_machine import RESULT, ROW


def test_annotations_escape_what_the_runner_would_read_as_syntax() -> None:
    problem = Problem(
        code="SE201",
        message="100% wrong\nsecond line::error::x",
        file="specs/a,b:c%.yaml",
        line=3,
        column=5,
        hint="try this\r",
    )
    (line,) = github_annotations([problem])
    assert line == (
        "::error file=specs/a%2Cb%3Ac%25.yaml,line=3,col=5,title=SE201::100%25 wrong␊second line::error::x%0Atry this␍"
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_starts_a_second_command(text: str) -> None:
    problem = Problem(code="SE300", message=text, file=text, hint=text, severity="note")
    (line,) = github_annotations([problem])
    assert len(line.splitlines()) == 1
    said = re.fullmatch(r"::notice file=([^:,]+),title=SE300::([^\r\n]*)", line)
    assert said
    # As the runner reads it.
    place, message = (unquote(part) for part in said.groups())
    assert place == visible(text)
    assert message == f"{visible(text)}\n{visible(text)}"


def test_a_finding_without_a_place_names_only_its_code() -> None:
    assert list(github_annotations([Problem(code="SE900", message="x", severity="warning")])) == [
        "::warning title=SE900::x"
    ]


def test_sarif_says_where_and_what_in_the_words_of_the_standard() -> None:
    problems = (
        Problem(code="SE201", message="unknown key", file="specs/ä b.yaml", line=3, column=5, hint="lead?"),
        Problem(code="SE310", message="empty", file="data/x.csv", row=7, severity="warning"),
        Problem(code="SE201", message="no place", severity="note"),
    )
    log = json.loads(sarif(ValidateResult(changesets=1, problems=problems), version="1.2.3"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["SE201", "SE310"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [p.code for p in problems]
    assert [result["level"] for result in run["results"]] == ["error", "warning", "note"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert unquote(place["artifactLocation"]["uri"]) == "specs/ä b.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 5}
    assert "region" not in run["results"][1]["locations"][0]["physicalLocation"]
    assert "locations" not in run["results"][2]
    assert run["results"][1]["message"]["text"] == "row 7: empty"


@pytest.mark.parametrize("text", HOSTILE)
def test_sarif_stays_json_with_hostile_text(text: str) -> None:
    log = sarif(ValidateResult(changesets=1, problems=(Problem(code="SE1", message=text, file=text),)), version="1")
    (result,) = json.loads(log)["runs"][0]["results"]
    assert result["ruleId"] == "SE1"
    assert result["message"]["text"] == visible(text)
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", uri)
    assert unquote(uri) == text.encode("utf-8", "replace").decode()


def lines(count: int) -> tuple[OperationLine, ...]:
    return tuple(
        OperationLine(operation=OperationId(f"1{n:039d}"), lead=LeadId(str(n + 1)), kind="update", changeset="repair")
        for n in range(count)
    )


def suite(result: RunResult) -> ElementTree.Element:
    found = ElementTree.fromstring(junit(result)).find("testsuite")
    assert found is not None
    return found


def test_junit_has_one_case_per_operation_and_counts_that_fit() -> None:
    result = RunResult(
        run=RESULT.run,
        plan=RESULT.plan,
        counts=RunCounts(applied=3, rejected=1, in_doubt=1, not_sent=2),
        requests=1,
        applied=lines(3),
        rejected=RESULT.rejected,
        in_doubt=RESULT.in_doubt,
        not_sent=lines(2),
    )
    found = suite(result)
    assert (found.get("tests"), found.get("failures"), found.get("errors"), found.get("skipped")) == (
        "7",
        "1",
        "1",
        "2",
    )
    assert found.find("testcase/failure").get("message") == "timed out"  # type: ignore[union-attr]


def test_junit_counts_by_change_where_a_run_is_big() -> None:
    many = CASES + 1
    tallies = (ChangeTally(changeset="repair", change="#1", kind="update", applied=many),)
    result = msgspec.structs.replace(
        RESULT,
        counts=RunCounts(applied=many),
        applied=lines(many),
        tallies=tallies,
        rejected=(),
        in_doubt=(),
        stopped="",
    )
    found = suite(result)
    assert [case.get("name") for case in found.findall("testcase")] == ["#1: 5,001 update operations applied"]


def test_junit_counts_by_changeset_where_changes_are_not_told_apart() -> None:
    tallies = (ChangeTally(changeset="repair", change="", kind="update", applied=2),)
    found = suite(msgspec.structs.replace(RESULT, counts=RunCounts(applied=2), applied=(), tallies=tallies))
    assert "2 update operations applied" in [case.get("name") for case in found.findall("testcase")]


def test_junit_tells_reasons_and_a_stop_without_a_list_of_operations() -> None:
    found = suite(RESULT)
    skipped = [case.find("skipped").get("message") for case in found.findall("testcase[skipped]")]  # type: ignore[union-attr]
    assert skipped == ["waits behind a doubt"]
    errors = [case.find("error").text for case in found.findall("testcase[error]")]  # type: ignore[union-attr]
    assert errors == ["timed out", RESULT.stopped]


@pytest.mark.parametrize("text", HOSTILE)
def test_junit_stays_xml_with_hostile_text(text: str) -> None:
    line = OperationLine(operation=OperationId("1" * 40), lead=LeadId("1"), kind="update", message=text, changeset=text)
    found = suite(msgspec.structs.replace(RESULT, rejected=(line,), stopped=text, not_sent_reasons={text: 4}))
    assert found.get("failures") == "1"
    assert {each.tag for each in found.iter()} <= {"testsuite", "testcase", "failure", "error", "skipped"}
    (failure,) = found.iter("failure")
    assert failure.get("message") == failure.text == visible(text)
    assert visible(text) in {each.get("message") for each in found.iter("error")}


@pytest.mark.parametrize("text", HOSTILE)
def test_csv_keeps_one_row_per_operation(text: str) -> None:
    rows = list(
        csv.reader(io.StringIO("".join(history_csv([msgspec.structs.replace(ROW, message=text, note=text)] * 2))))
    )
    assert [len(row) for row in rows] == [10, 10, 10]
    assert rows[1][0] == ROW.operation
