"""JSON results have the documented keys, match their published schemas and never hold an amount as a number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from syncengine.core.errors import AlteredPlan, InputError, Problem
from syncengine.core.operations import Kind
from syncengine.core.results import (
    ChangesetResult,
    Doubt,
    FolderResult,
    HistoryRow,
    OperationLine,
    RefusedCommand,
    RefusedPlan,
    RunCounts,
    RunResult,
    StatusReport,
    Totals,
    UnfinishedPlan,
    ValidateResult,
    WaitingPlan,
)
from syncengine.core.values import ChangesetId, LeadId, OperationId, PlanDigest, RunId
from syncengine.reports.folder_results import folder_object
from syncengine.reports.machine import (
    apply_object,
    document,
    error_object,
    history_jsonl,
    plan_json,
    status_object,
    validate_object,
)
from syncengine.reports.model import ViewOptions
from tests.reports.samples import (
    BLOCKED,
    DIGEST,
    HEADER,
    HOSTILE,
    HOSTILE_PROVENANCE,
    NO_LEDGER,
    WARNINGS,
    hostile_operations,
    hostile_summary,
    operations,
    summary_of,
)

SCHEMAS = Path(__file__).parents[2] / "schemas"

LINE = OperationLine(operation=OperationId("1" + "a" * 39), lead=LeadId("2932682"), kind="trigger", message="timed out")

RESULT = RunResult(
    run=RunId("run-7"),
    plan=PlanDigest(DIGEST),
    counts=RunCounts(applied=12, rejected=1, in_doubt=1, already_applied=3, not_sent=4),
    requests=9,
    rejected=(LINE,),
    in_doubt=(LINE,),
    unrecorded=(LINE,),
    not_sent_reasons={"waits behind a doubt": 4},
    stopped="five requests without a readable answer",
    pin_line='id: "01hz@1835"',
    exit=5,
)

STATUS = StatusReport(
    ledger_id="01hz",
    ledger_url="sqlite:///.syncengine/ledger.db",
    counts=Totals(applied=3, in_doubt=1),
    in_doubt=(
        Doubt(
            operation=OperationId("1" + "a" * 39),
            lead=LeadId("2932682"),
            kind=Kind.TRIGGER,
            changeset=ChangesetId("resale"),
            run=RunId("run-7"),
            since="2026-11-23T10:00:00Z",
            last="2026-11-23T10:00:00Z",
            delivery="1053",
            account="acme",
            attempts=(1,),
        ),
    ),
    unfinished_plans=(
        UnfinishedPlan(
            plan=PlanDigest(DIGEST),
            path="release.plan",
            run=RunId("run-7"),
            account="acme",
            changesets=("resale",),
            started="2026-11-23T10:00:00Z",
            open=1,
        ),
    ),
)

ROW = HistoryRow(
    operation=OperationId("1" + "a" * 39),
    changeset=ChangesetId("resale"),
    lead=LeadId("2932682"),
    kind="trigger",
    outcome="in_doubt",
    attempts=2,
    run=RunId("run-7"),
    at="2026-11-23T10:00:00Z",
    message="timed out",
)

PROBLEM = Problem(code="SE201", message="unknown key", file="specs/a.yaml", line=3, column=5, hint="did you mean lead?")


def check(name: str, value: Any) -> None:
    """Hold `value` against a published schema, which must itself be a schema."""
    schema = json.loads((SCHEMAS / f"{name}.v1.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(value, schema)


def test_a_plan_matches_its_schema_and_lists_its_operations_masked() -> None:
    summary = summary_of(operations(500), warnings=WARNINGS, blocked=BLOCKED)
    text = "".join(plan_json(HEADER, NO_LEDGER, operations(500), summary, ViewOptions()))
    found = json.loads(text)
    check("plan-view", found)
    assert found["plan"] == DIGEST
    assert found["money"].items() >= {"payout": "4000.00", "revenue": "7350.00"}.items()
    assert found["warnings"] == [NO_LEDGER.ledger_note, *WARNINGS]
    assert found["blocked"][0] == {"operation": None, "lead": None, "kind": None, "reason": BLOCKED[0].reason}
    assert found["lines"][1]["values"][0] == {
        "name": "postcode",
        "before": "X•••••",
        "after": "S•••••AA",
        "origin": "ledger: import-2026-10",
        "sent": True,
    }
    assert "SW1A" not in text


def test_lines_can_be_left_out_and_values_shown_exactly() -> None:
    summary = summary_of(operations(20))
    short = json.loads("".join(plan_json(HEADER, NO_LEDGER, operations(20), summary, ViewOptions(lines=False))))
    check("plan-view", short)
    assert "lines" not in short
    shown = json.loads("".join(plan_json(HEADER, NO_LEDGER, operations(20), summary, ViewOptions(show_values=True))))
    assert shown["lines"][1]["values"][0]["after"] == "SW1A 1AA"


def test_hostile_text_stays_one_valid_document() -> None:
    text = "".join(
        plan_json(HEADER, HOSTILE_PROVENANCE, hostile_operations(), hostile_summary(), ViewOptions(show_values=True))
    )
    found = json.loads(text)
    check("plan-view", found)
    text.encode("utf-8")
    after = [value["after"] for line in found["lines"] for value in line["values"] if value["name"] == "postcode"]
    assert after == [text.encode("utf-8", "replace").decode() for text in HOSTILE]


def test_apply_status_validate_and_history_match_their_schemas() -> None:
    apply = apply_object(RESULT)
    check("apply-result", apply)
    assert sum(apply["counts"].values()) == RESULT.counts.total == 21
    assert apply["in_doubt"] == [
        {"operation": LINE.operation, "lead": "2932682", "kind": "trigger", "message": "timed out"}
    ]
    assert apply["unrecorded"] == [{"operation": LINE.operation, "lead": "2932682", "kind": "trigger"}]
    check("status-result", status_object(STATUS))
    check("validate-result", validate_object(ValidateResult(changesets=1, problems=(PROBLEM,), more={"SE201": 7})))
    lines = list(history_jsonl([ROW, ROW]))
    assert all(line.endswith("}\n") and line.count("\n") == 1 for line in lines)
    check("history-row", json.loads(lines[0]))


def test_a_folder_of_plans_matches_its_schema() -> None:
    digest, first, second = PlanDigest(DIGEST), ChangesetId("a-first"), ChangesetId("b-second")
    refused = RefusedPlan(changeset=second, plan=digest, code="SE620", message="the plan is stale", hint="plan again")
    result = FolderResult(
        account="acme",
        plans=(ChangesetResult(changeset=first, result=RESULT),),
        waiting=(
            WaitingPlan(changeset=second, plan=digest, needed=2, given=("ann",), left_out=(("bob", "wrote it"),)),
        ),
        refused=(refused,),
        stopped="the deadline has passed",
        exit=5,
    )
    found = folder_object(result)
    check("apply-folder-result", found)
    (plan,) = found["plans"]
    check("apply-result", {name: value for name, value in plan.items() if name != "changeset"})
    assert found["waiting"][0]["left_out"] == [{"principal": "bob", "reason": "wrote it"}]
    whole = RefusedCommand(code="SE672", message="too many", hint="fewer", problems=(PROBLEM,))
    check("apply-folder-result", folder_object(FolderResult(account="acme", refused=(refused,), refusal=whole, exit=3)))


@pytest.mark.parametrize("severity", ["warning", "note"])
def test_warnings_and_notes_leave_a_changeset_valid(severity: Any) -> None:
    problem = Problem(code="SE310", message="x", severity=severity)
    assert validate_object(ValidateResult(changesets=1, problems=(problem,)))["valid"] is True
    assert validate_object(ValidateResult(changesets=1, problems=(problem, PROBLEM)))["valid"] is False


def test_an_error_names_its_code_hint_and_exit_and_its_diagnostics_where_there_are_any() -> None:
    refused = error_object(AlteredPlan("the plan was altered", hint="plan again"))
    assert refused == {"error": {"code": "SE610", "message": "the plan was altered", "hint": "plan again"}, "exit": 3}
    wrong = error_object(InputError("two problems", problems=[PROBLEM]))
    assert wrong["exit"] == 1
    assert wrong["diagnostics"][0]["line"] == 3


def test_a_document_is_indented_ends_in_one_line_end_and_survives_lone_surrogates() -> None:
    text = document({"message": "a\ud800b", "list": ["\udfff"]})
    assert json.loads(text) == {"message": "a?b", "list": ["?"]}
    assert text.endswith("}\n")
    assert text.count("\n") == 6
