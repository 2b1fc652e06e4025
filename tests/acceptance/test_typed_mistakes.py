"""What people type out of habit comes back as the line to write instead, at the place where it was typed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from syncengine.documents.policy_settings import OPERATION_NAMES
from tests.workspace import Workspace

HEAD = "sources: {rows: {file: ../data/rows.csv}}\n"
ROWS = "lead_id,a,b,n,First Name,First-Name\n2932683,x,y,5,Ann,Bo\n"


def diagnostics(workspace: Workspace, change: str) -> list[Any]:
    workspace.write("data/rows.csv", ROWS)
    change = '- for_each: rows\n  lead: "{{ row.lead_id }}"\n' + change
    workspace.changeset("typed", change, head=HEAD)
    ended = workspace.run("validate", "changesets", "--format", "json")
    assert (ended.code == 1) == bool(ended.json["diagnostics"])
    assert workspace.run("plan", "changesets", "--out", "it.plan").code in ((1,) if ended.code else (0, 2))
    return list(ended.json["diagnostics"])


@pytest.mark.parametrize(
    ("typed", "at", "instead"),
    [
        ("row.a = 'x'", "=", "row.a == 'x'"),
        ("row.a='x'", "=", "row.a=='x'"),
        ("row.a === 'x'", "===", "row.a == 'x'"),
        ("row.a !== 'x'", "!==", "row.a != 'x'"),
        ("row.a <> 'x'", "<>", "row.a != 'x'"),
        ("row.a ! = 'x'", "! =", "row.a != 'x'"),
        ("row.n | number => 5", "=>", "row.n | number >= 5"),
        ("row.n | number =< 5", "=<", "row.n | number <= 5"),
        ("row.a == 'x' && row.b == 'y'", "&&", "row.a == 'x' and row.b == 'y'"),
        ("row.a=='x'&&row.b=='y'", "&&", "row.a=='x' and row.b=='y'"),
        ("row.a == 'x' & row.b == 'y'", "&", "row.a == 'x' and row.b == 'y'"),
        ("row.a == 'x' || row.b == 'y'", "||", "row.a == 'x' or row.b == 'y'"),
        ("row.a == 'x' AND row.b == 'y'", "AND", "row.a == 'x' and row.b == 'y'"),
        ("row.a == 'x' Or row.b == 'y'", "Or", "row.a == 'x' or row.b == 'y'"),
        ("NOT row.a == 'x'", "NOT", "not row.a == 'x'"),
        ("NOT (row.a == 'x')", "NOT", "not (row.a == 'x')"),
        ("row.a IN ['x']", "IN", "row.a in ['x']"),
        ("row.a IS DEFINED", "IS", None),
        ("!(row.a == 'x')", "!", "not (row.a == 'x')"),
        ("row.b == 'y' and !(row.a == 'x')", "!", "row.b == 'y' and not (row.a == 'x')"),
        ("!row.a", "!", "not row.a"),
        ("row.a == \u2018x\u2019", "\u2018", "row.a == 'x'"),
        ("row.a == \u201cx\u201d", "\u201c", "row.a == 'x'"),
        ("row.a == \u201ex\u201c", "\u201e", "row.a == 'x'"),
        ("row.a == \xabx\xbb", "\xab", "row.a == 'x'"),
        ("row.a == \u201ax\u2018", "\u201a", "row.a == 'x'"),
        ("row.a == 'x\u2019", "'", "row.a == 'x'"),
        ("row.a == \u2019x'", "\u2019", "row.a == 'x'"),
        ("row.a == 'x\u2019 or row.b == \u2019y'", "'", "row.a == 'x' or row.b == 'y'"),
        ("row.a == `x`", "`", "row.a == 'x'"),
        ("row.a == 'x", "'", "row.a == 'x'"),
        ('row.a == "x', '"', "row.a == 'x'"),
        ("row.a == 'O'Brien'", "'", 'row.a == "O\'Brien"'),
        ("row.First Name == 'Ann'", "row", "row['First Name'] == 'Ann'"),
        ("row.First-Name == 'Ann'", "row", "row['First-Name'] == 'Ann'"),
        ("row.b == 'y' and row.First Name == 'Ann'", "row.First", "row.b == 'y' and row['First Name'] == 'Ann'"),
        ("row[First Name] == 'Ann'", "row", "row['First Name'] == 'Ann'"),
        ("row.`First Name` == 'Ann'", ".`", "row['First Name'] == 'Ann'"),
        ("row.1st == 'Ann'", "row", "row['1st'] == 'Ann'"),
        ("row.a.b == 'x'", "row.a.b", None),
        ("row.a == null", "==", "row.a is blank"),
        ("row.a != NULL", "!=", "row.a is not blank"),
        ("row.a == None", "==", "row.a is blank"),
        ("row.a != none", "!=", "row.a is not blank"),
        ("none == row.a", "none", "row.a is blank"),
        ("row.a IS NULL", "IS", "row.a is blank"),
        ("row.a is not null", "is", "row.a is not blank"),
        ("row.a == approved", "approved", "row.a == 'approved'"),
        ("row.a == TRUE", "TRUE", "row.a == 'TRUE'"),
        ("row.a is true", "true", "row.a == 'TRUE'"),
        ("row.a in [x, y]", "x, y]", "row.a in ['x', 'y']"),
        ("row.a in approved", "approved", "row.a in ['approved']"),
        ("row.a contains 'x'", "contains", "row.a is containing('x')"),
        ("row.a LIKE '%x%'", "LIKE", "row.a is containing('x')"),
        ("row.a equals 'x'", "equals", "row.a == 'x'"),
        ("row.a == 'x';", ";", "row.a == 'x'"),
        ("row.a == 'x' ? true : false", "?", None),
        ("row.a == \u200b'x'", "\u200b", "row.a == 'x'"),
        ("if row.a == 'x'", "if", "row.a == 'x'"),
        ("row.a == {{ row.b }}", "{{", "row.a == row.b"),
        ("row.a is 'x'", "is", "row.a == 'x'"),
        ("row.a is not 'x'", "is", "row.a != 'x'"),
        ("row.a is empty", "is", "row.a is blank"),
        ("row.a IS NOT EMPTY", "IS", "row.a is not blank"),
        ("row.a \u2260 'x'", "\u2260", "row.a != 'x'"),
        ("row.n | number \u2265 5", "\u2265", "row.n | number >= 5"),
        ("$row.a == 'x'", "$", "row.a == 'x'"),
        ("row.a.lower() == 'x'", ".lower", "row.a | lower == 'x'"),
        ("row.a.strip().upper() == 'X'", ".strip", "row.a | trim | upper == 'X'"),
        ("row.a == 'x' and", "and", "what belongs behind 'and' is missing"),
        ("row.a ==", "==", "what belongs behind '==' is missing"),
        ("TRUE", "TRUE", "write true"),
        ("row.a = 'x' AND row.First Name <> \u201cy\u201d", "=", "row.a == 'x' and row['First Name'] != 'y'"),
    ],
)
def test_a_condition_comes_back_as_it_is_written(
    workspace: Workspace, typed: str, at: str, instead: str | None
) -> None:
    for when, shift in ((json.dumps(typed, ensure_ascii=False), 1), ("|-\n    " + typed, 0)):
        (problem,) = diagnostics(workspace, f"  update: {{c1: x}}\n  when: {when}\n")
        assert problem["hint"]
        assert instead is None or instead in problem["hint"]
        before = typed[: typed.index(at)]
        written = json.dumps(before, ensure_ascii=False)[1:-1] if shift else before
        start = 11 if shift else 7
        if instead is None or at == "true":
            continue
        assert problem["column"] == start + shift + len(written), problem


@pytest.mark.parametrize(
    ("typed", "at", "instead"),
    [
        ("{{ 'a' if row.a = 'x' else 'b' }}", "= ", "{{ 'a' if row.a == 'x' else 'b' }}"),
        ("{{ row.First Name | upper }}", "row", "{{ row['First Name'] | upper }}"),
        ("Dear {{ row.a }} {{ row.First Name }}", "row.First", "Dear {{ row.a }} {{ row['First Name'] }}"),
        ("{{ 'a' IF row.a == 'x' ELSE 'b' }}", "IF", "{{ 'a' if row.a == 'x' else 'b' }}"),
        ("{{ 'a' if row.a == \u2018x\u2019 else 'b' }}", "\u2018", "{{ 'a' if row.a == 'x' else 'b' }}"),
        ("{{ row.a | replace(\u201cx\u201d, \u201cy\u201d) }}", "\u201c", "{{ row.a | replace('x', 'y') }}"),
    ],
)
def test_a_value_comes_back_as_it_is_written(workspace: Workspace, typed: str, at: str, instead: str) -> None:
    (problem,) = diagnostics(workspace, f"  update:\n    c1: |-\n      {typed}\n")
    assert problem["hint"] == f"write {instead}"
    assert problem["column"] == 9 + typed.index(at)


def test_a_condition_in_braces_comes_back_without_them(workspace: Workspace) -> None:
    (problem,) = diagnostics(workspace, "  update: {c1: x}\n  when: \"{{ row.a == 'x' }}\"\n")
    assert problem["hint"] == "write when: row.a == 'x'"


@pytest.mark.parametrize(
    "expression",
    [
        "row.a == 'x' and row['First Name'] == 'Ann'",
        "row['First-Name'] == 'Bo'",
        'row.a != "O\u2019Brien"',
        "row.a != 'a = b && c <> d || !e AND `f` \u201cg\u201d'",
        'row.a != "it\'s"',
        "row.a != 'null' and row.b != 'IS NULL'",
        "row.n | number - 1 == 4",
        "row.b | date(['%Y', 'y'], to='%Y') == 'y' or row.a == 'x'",
    ],
)
def test_nothing_that_works_is_questioned(workspace: Workspace, expression: str) -> None:
    found = diagnostics(workspace, f"  update: {{c1: x}}\n  when: |-\n    {expression}\n")
    assert found == [] or "date" in expression
    if found == []:
        workspace.plan()
        assert len(workspace.operations()) == 1


@pytest.mark.parametrize(
    ("rule", "instead"),
    [
        ("op.kind = 'trigger'", "op.kind == 'trigger'"),
        ("op.kind == 'trigger' && plan.trigger > 5", "op.kind == 'trigger' and plan.trigger > 5"),
        ("op.kind == \u2018trigger\u2019", "op.kind == 'trigger'"),
        ("op.payout == null", "op.payout is none"),
        ("op.buyer is empty", "op.buyer is blank"),
    ],
)
def test_rules_of_a_policy_come_back_too(workspace: Workspace, rule: str, instead: str) -> None:
    workspace.changeset("typed", '- lead: "2932682"\n  update: {c1: x}')
    text = (workspace.root / "syncengine.yaml").read_text(encoding="utf-8")
    workspace.write("syncengine.yaml", text + f'policy:\n  deny: [{{when: "{rule}", message: Ask first}}]\n')
    ended = workspace.run("validate", "changesets")
    assert ended.code == 1
    assert f"write {instead}" in ended.out + ended.err


@pytest.mark.parametrize(
    ("rule", "place", "hint"),
    [
        ("op.payot > 200", "op has no 'payot'", "did you mean 'payout'?"),
        ("op['payot'] == '1'", "op has no 'payot'", "did you mean 'payout'?"),
        ("(op.Payout or 0) > 200", "op has no 'Payout'", "did you mean 'payout'?"),
        ("plan.triggers > 5", "plan has no 'triggers'", "did you mean 'trigger'?"),
        ("op.kind == 'update' and plan.lead > 5", "plan has no 'lead'", "did you mean 'leads'?"),
        ("op.payout or 0", "'or' takes true or false, and 0 is a number", "(op.payout or 0) > 200"),
        ("op.buyer in 'a'", "'in' needs a list", "op.buyer is containing('a')"),
    ],
)
def test_a_rule_that_would_never_hold_is_refused(workspace: Workspace, rule: str, place: str, hint: str) -> None:
    workspace.changeset("typed", '- lead: "2932682"\n  update: {c1: x}')
    text = (workspace.root / "syncengine.yaml").read_text(encoding="utf-8")
    workspace.write("syncengine.yaml", text + f'policy:\n  deny: [{{when: "{rule}", message: Ask first}}]\n')
    ended = workspace.run("validate", "changesets")
    assert ended.code == 1
    assert place in ended.out + ended.err
    assert hint in ended.out + ended.err
    assert "row." not in ended.out + ended.err


def test_rules_about_every_name_of_a_policy_are_accepted(workspace: Workspace) -> None:
    workspace.changeset("typed", '- lead: "2932682"\n  update: {c1: x}')
    text = (workspace.root / "syncengine.yaml").read_text(encoding="utf-8")
    rules = [f"{name}.{key} is none and false" for name, keys in OPERATION_NAMES.items() for key in sorted(keys)]
    rules += ["op.fields.postcode == 'x'", "op.before['c 1'] == 'x'", "(op.payout or 0) > 200", "'c2' in op.fields"]
    listed = "".join(f'    - {{when: "{rule}", message: m}}\n' for rule in rules)
    workspace.write("syncengine.yaml", text + "policy:\n  deny:\n" + listed)
    workspace.plan()
    assert [line["state"] for line in workspace.operations()] == ["to_send"]
