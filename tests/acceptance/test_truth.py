"""Text, numbers, lists and missing values are never true or false, wherever an expression can stand."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.workspace import Workspace

HEAD = (
    "vars: {allowed: 'approved,returned', sold: [approved], names: {a: b}}\nsources: {rows: {file: ../data/rows.csv}}\n"
)
ROWS = """\
lead_id,optin,do_not_call,status,country,payout,pad
2932683,FALSE,FALSE,approved,UK,12.50,\u200b
2932684,no,no,rejected,UK,0,\xa0
2932685,0,TRUE,returned,FR,9,x
"""


def diagnostics(workspace: Workspace, change: str, rows: str = ROWS) -> list[Any]:
    """What `validate` says of one change over the rows; where it is an error, nothing is planned or sent."""
    workspace.write("data/rows.csv", rows)
    workspace.changeset("truth", "- for_each: rows\n" + change, head=HEAD)
    ended = workspace.run("validate", "changesets", "--format", "json")
    if ended.code:
        assert workspace.run("plan", "changesets", "--out", "it.plan").code == 1
        assert not (workspace.root / "it.plan").exists()
    assert workspace.requests == []
    return list(ended.json["diagnostics"])


def when(expression: str) -> str:
    return f'  lead: "{{{{ row.lead_id }}}}"\n  update: {{c1: x}}\n  when: |-\n    {expression}\n'


def value(template: str) -> str:
    return f'  lead: "{{{{ row.lead_id }}}}"\n  update:\n    c1: |-\n      {template}\n'


def taken(workspace: Workspace, expression: str) -> list[str]:
    assert diagnostics(workspace, when(expression)) == []
    workspace.plan()
    return [line["operation"]["lead"][-1] for line in workspace.operations()]


@pytest.mark.parametrize(
    "change",
    [
        value("{{ 'yes' if row.optin else 'no' }}"),
        value("{{ 'yes' if row.optin | trim else 'no' }}"),
        value("{{ 'yes' if row.optin | default('x') else 'no' }}"),
        value("{{ 'yes' if not row.optin else 'no' }}"),
        value("{{ ('yes' if row.optin else 'no') | upper }}"),
        value("{{ 'x' | replace('x', 'yes' if row.optin else 'no') }}"),
        value("{{ ['a' if row.optin else 'b'] | join }}"),
        value("{{ 'a' ~ ('b' if row.optin else 'c') }}"),
        value("{{ 'a' if 'b' == ('b' if row.optin else 'c') else 'd' }}"),
        value("{{ 'a' if row.status in ['b' if row.optin else 'c'] else 'd' }}"),
        value("{{ 'a' if vars.sold else 'b' }}"),
        value("{{ 'a' if vars.names else 'b' }}"),
        value("{{ 'a' if vars else 'b' }}"),
        value("{{ 'a' if row else 'b' }}"),
        value("{{ 'a' if row.payout | number else 'b' }}"),
        value("{{ 'a' if row.payout | number - 1 else 'b' }}"),
        value("{{ 'a' if lead else 'b' }}"),
        value("{{ 'a' if row.optin | lookup(vars.names, 'x') else 'b' }}"),
        value("{{ 'a' if (row.optin if row.status == 'approved' else false) else 'b' }}"),
        value("{{ 'a' if (row.status == 'approved' if row.optin else false) else 'b' }}"),
        value("{{ 'a' if row.optin == true else 'b' }}"),
        value("{{ 'a' if row.optin != false else 'b' }}"),
        value("{{ 'a' if true == row.optin == 'TRUE' else 'b' }}"),
        value("{{ 'a' if row.optin in [true] else 'b' }}"),
        value("{{ 'a' if row.optin in [1] else 'b' }}"),
        value("{{ 'a' if row.optin == ['TRUE'] else 'b' }}"),
        value("{{ 'a' if row.status is defined and row.optin else 'b' }}"),
        when("not row.do_not_call"),
        when("not not row.do_not_call"),
        when("row.optin"),
        when("row.optin | upper"),
        when("(row.optin)"),
        when("row.status == 'approved' and row.optin"),
        when("row.optin and row.status == 'approved'"),
        when("row.status == 'x' or row.optin"),
        when("row.optin or row.do_not_call"),
        when("not (row.status == 'x' or row.optin)"),
        when("(row.status == 'approved' if row.country == 'UK' else row.optin)"),
        when("row.country == 'UK' and (row.status == 'x' or (not row.optin))"),
        when("row.payout | number"),
        when("vars.sold"),
        when("vars.allowed"),
        when("row.status in row.country"),
        when("row.status in vars.allowed"),
        when("row.status not in vars.allowed"),
        when("row.status in vars.names"),
        when("row.status in (vars.allowed)"),
        when("row.status in row"),
        when("row.status in row.payout | number"),
        when("row.status in 'approved' ~ 'returned'"),
        "  lead: \"{{ '2932683' if row.optin else '2932684' }}\"\n  update: {c1: x}\n",
        "  lead: \"{{ row.lead_id }}\"\n  trigger: [\"{{ '1053' if row.optin else '1054' }}\"]\n",
        "  lead: \"{{ row.lead_id }}\"\n  financials: {payout: \"{{ '1' if row.optin else '2' }}\"}\n",
        "  lead: \"{{ row.lead_id }}\"\n  financials: {payout: '1', buyer: \"{{ '33' if row.optin else '34' }}\"}\n",
        "  lead: \"{{ row.lead_id }}\"\n  update: {c1: x}\n  expect: {c2: \"{{ 'a' if row.optin else 'b' }}\"}\n",
        "  lead: \"{{ row.lead_id }}\"\n  skip_empty: true\n  update: {c1: \"{{ 'a' if row.optin else '' }}\"}\n",
    ],
)
def test_values_are_never_truth_values(workspace: Workspace, change: str) -> None:
    found = diagnostics(workspace, change)
    assert found
    for problem in found:
        assert problem["code"] == "SE304"
        assert problem["hint"]
        assert not re.search(r"FALSE|12\.50", problem["message"]), "values are masked"


@pytest.mark.parametrize(
    ("change", "column", "hint"),
    [
        (value("{{ row.status or 'none' }}"), 26, "row.status | default('none')"),
        (value("{{ 'a' if 'b' else 'c' }}"), 19, "row.status == 'b'"),
        (value("{{ 'a' if 1 else 'c' }}"), 19, "== 1"),
        (value("{{ 'a' if -1.5 else 'c' }}"), 20, "== 1.5"),
        (value("{{ 'a' if ['x'] else 'c' }}"), 19, " in ["),
        (value("{{ 'a' if none else 'c' }}"), 19, "write true or false"),
        (value("{{ 'a' if row.status in ['x' or 'y'] else 'c' }}"), 34, "row.status in ['x', 'y']"),
        (when("row.status == 'approved' or 'returned'"), 35, "row.status in ['approved', 'returned']"),
        (when('row.status == "approved" or "approved"'), 35, "row.status in ['approved', 'approved']"),
        (when("row.status != 'a' and 'b' and 'c'"), 29, "row.status not in ['a', 'b', 'c']"),
        (when("(row.status == 'a' or 'b') and row.country == 'UK'"), 29, "row.status in ['a', 'b']"),
        (when("row.status == ('a' or 'b')"), 22, "row.status in ['a', 'b']"),
        (when("row.country == 'XX' and (row.status == 'a' or 'b')"), 53, "row.status in ['a', 'b']"),
        (when("not 'x'"), 11, "== 'x'"),
        (when("'approved'"), 7, "row.status == 'approved'"),
        (when("['approved']"), 7, "row.status in ['approved', 'returned']"),
        (when("row.country == 'XX' and 1"), 31, "== 1"),
        (when("'x' if row.status == 'a' else 'b'"), 7, "== 'x'"),
        (when("row.status in ('approved')"), 22, "write a list: row.status in ['approved']"),
        (when("row.status in 'approved,returned'"), 21, "row.status in ['approved', 'returned']"),
        (when("row.status not in ('approved')"), 26, "row.status not in ['approved']"),
        (when("row.country == 'XX' and row.status in ''"), 45, "row.status in ['approved']"),
        (when("'prov' in 'approved'"), 17, "row.status in ['approved', 'returned']"),
        (when("row.status in 5"), 21, "['approved', 'returned']"),
        (when("row.country == 'XX' and row.status in none"), 45, "['approved', 'returned']"),
    ],
)
def test_literals_are_refused_without_any_row(workspace: Workspace, change: str, column: int, hint: str) -> None:
    (problem,) = diagnostics(workspace, change, rows=ROWS.splitlines()[0] + "\n" + ROWS.splitlines()[1] + "\n")
    assert problem["code"] == "SE304"
    assert "row 1" not in problem["message"], "it is found in what was written, not in a row"
    assert hint in problem["hint"]
    assert (problem["line"], problem["column"]) == (12, column)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("row.status == 'approved' and row.country != 'FR'", "3"),
        ("row.status == 'approved' or row.country == 'FR'", "35"),
        ("not (row.status == 'approved')", "45"),
        ("not row.status == 'approved'", "45"),
        ("not row.status in ['approved', 'rejected']", "5"),
        ("row.status in ['approved', 'returned']", "35"),
        ("row.status in ('approved', 'returned')", "35"),
        ("row.status in ('approved',)", "3"),
        ("row.status in vars.sold", "3"),
        ("row.status not in vars.sold", "45"),
        ("row.status in [row.status, vars.allowed]", "345"),
        ("row.status in [vars.allowed | replace(',returned', '')]", "3"),
        ("'approved' in [row.status, row.country]", "3"),
        ("row.status in []", ""),
        ("row.pad is blank", "34"),
        ("row.pad is not blank", "5"),
        ("not row.pad is blank and row.country == 'FR'", "5"),
        ("row.status is containing('app')", "3"),
        ("row.status is containing 'app'", "3"),
        ("row.status is not containing('app')", "45"),
        ("row.status is containing(row.country | lower)", ""),
        ("row.status is defined", "345"),
        ("row.status is not undefined and row.country == 'UK'", "34"),
        ("row.payout | number > 0", "35"),
        ("1 < row.payout | number <= 9", "5"),
        ("row.payout | number in [0, 9]", "45"),
        ("row.payout | number + 1 == 1", "4"),
        ("'a' < row.status < 'b'", "3"),
        ("row.status == 'approved' if row.country == 'UK' else true", "35"),
        ("(row.status == 'approved') == (row.country == 'UK')", "35"),
        ("true", "345"),
        ("row.status == 'approved' or row.country == 'UK' or row.optin", None),
        ("row.status != 'x' or row.optin", "345"),
        ("row.status == 'x' and row.optin", ""),
    ],
)
def test_comparisons_still_work(workspace: Workspace, expression: str, expected: str | None) -> None:
    """The last ones hold a text that is never reached: an operand is judged when it is evaluated."""
    if expected is None:
        assert [(found["code"], found["row"]) for found in diagnostics(workspace, when(expression))] == [("SE304", 3)]
        return
    found = diagnostics(workspace, when(expression))
    assert [problem for problem in found if problem["severity"] == "error"] == []
    workspace.plan()
    assert "".join(line["operation"]["lead"][-1] for line in workspace.operations()) == expected


def test_consent_is_sent_as_it_was_meant(workspace: Workspace) -> None:
    change = value("{{ 'yes' if row.optin == 'TRUE' else 'no' }}")
    assert diagnostics(workspace, change) == []
    workspace.plan()
    assert {line["operation"]["fields"]["c1"] for line in workspace.operations()} == {"no"}


def test_a_missing_cell_is_never_true_or_none(workspace: Workspace) -> None:
    workspace.write("data/rows.jsonl", '{"lead_id": "2932683", "note": null}\n{"lead_id": "2932684", "note": "x"}\n')
    head = "sources: {rows: {file: ../data/rows.jsonl}}\n"
    for expression in ("not row.note", "row.note is none", "not row.note is none", "row.note is blank"):
        workspace.changeset("truth", "- for_each: rows\n" + when(expression), head=head)
        ended = workspace.run("validate", "changesets", "--format", "json")
        assert ended.json["diagnostics"][0]["code"] == "SE304", expression
    workspace.changeset("truth", "- for_each: rows\n" + when("row.note is undefined or row.note is blank"), head=head)
    workspace.plan()
    assert len(workspace.operations()) == 1


def test_an_if_without_else_says_what_is_missing(workspace: Workspace) -> None:
    found = diagnostics(workspace, value("{{ 'yes' if row.status == 'approved' }}"))
    assert [(problem["code"], problem["row"]) for problem in found] == [("SE304", 2)]
    assert "else" in found[0]["message"]
    assert "else" in found[0]["hint"]


@pytest.mark.parametrize(
    "rule", ["plan.trigger", "not plan.trigger", "op.delivery", "op.kind == 'trigger' or 'update'"]
)
def test_rules_of_a_policy_are_comparisons_too(workspace: Workspace, rule: str) -> None:
    workspace.write("data/rows.csv", ROWS)
    workspace.changeset("truth", '- lead: "2932682"\n  trigger: [northwind]', head=HEAD)
    text = (workspace.root / "syncengine.yaml").read_text(encoding="utf-8")
    workspace.write("syncengine.yaml", text + f'policy:\n  deny: [{{when: "{rule}", message: Ask first}}]\n')
    ended = workspace.run("plan", "changesets", "--out", "it.plan")
    assert ended.code in (1, 3), ended.out
    assert "true or false" in " ".join((ended.out + ended.err).split())
