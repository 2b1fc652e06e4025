"""A part of a plan: by lead, by change, or the first leads that have something to send."""

from __future__ import annotations

import msgspec
import pytest

from syncengine.core.plan import Selection
from syncengine.core.ports import PlannedFrom
from syncengine.ledger.operation_records import open_plans
from syncengine.ledger.rows import BegunRow
from tests.workspace import Workspace

CHANGES = """
- {id: names, for_each: rows, lead: "{{ row.lead }}", update: {firstname: "{{ row.name }}"}}
- {id: money, for_each: rows, lead: "{{ row.lead }}", financials: {payout: "80.00", revenue: "120.00"}}
- {id: resale, lead: "105", trigger: [northwind]}
"""


@pytest.fixture
def repair(workspace: Workspace) -> Workspace:
    rows = "".join(f"{101 + n},name{n}\n" for n in range(6))
    workspace.write("changesets/rows.csv", f"lead,name\n{rows}")
    workspace.changeset("repair", CHANGES, head="sources: {rows: {file: rows.csv}}\n")
    return workspace


def lines(planned: dict[str, list[dict[str, str]]]) -> list[tuple[str, str]]:
    return [(line["lead"], line["change"]) for line in planned["lines"]]


def test_a_lead_is_planned_with_all_its_operations(repair: Workspace) -> None:
    planned = repair.plan("--lead", "105", "--lead", "101")
    assert lines(planned) == [("101", "names"), ("105", "names"), ("101", "money"), ("105", "money"), ("105", "resale")]
    assert planned["partial"] is True
    assert repair.plan()["partial"] is False


def test_a_change_is_planned_alone(repair: Workspace) -> None:
    assert lines(repair.plan("--change", "resale")) == [("105", "resale")]
    assert len(lines(repair.plan("--change", "names", "--lead", "103"))) == 1


def test_a_limit_takes_the_first_leads_that_have_something_to_send(repair: Workspace) -> None:
    repair.plan("--limit", "2")
    assert {line["entry"] for line in repair.operations()} == {1, 2, 3, 4}
    applied = repair.apply()
    assert applied["counts"]["applied"] == 4, applied
    following = repair.plan("--limit", "1")
    assert lines(following) == [("103", "names"), ("103", "money")]
    whole = repair.plan()
    assert whole["operations"]["already_applied"] == 4
    assert whole["operations"]["to_send"] == 9


def test_a_part_says_so_first_in_every_view(repair: Workspace) -> None:
    for format_ in ("text", "markdown"):
        ended = repair.run("plan", "changesets", "--limit", "2", "--format", format_)
        out = " ".join(ended.out.replace("`", "").split())
        partial, verdict = out.index("--limit 2"), out.index("on 2 leads to send")
        assert partial < verdict


def test_a_part_makes_no_undeclared_finding(repair: Workspace) -> None:
    repair.plan("--limit", "2")
    repair.apply()
    repair.changeset("repair", CHANGES.splitlines()[1], head="sources: {rows: {file: rows.csv}}\n")

    def rules(*part: str) -> set[str]:
        return {finding["rule"] for finding in repair.plan(*part)["findings"]}

    assert "undeclared" in rules()
    assert "undeclared" not in rules("--lead", "103")


def begun(plan: str, selection: Selection) -> BegunRow:
    planned = PlannedFrom(position=0, parts={}, selection=selection)
    return BegunRow(
        account="acme", lane="", plan=plan, id=f"run-{plan}", changesets='["repair"]', plan_path="", total=4,
        started="", ended=None, stopped=None, planned=msgspec.json.encode(planned).decode(),
    )  # fmt: skip


def test_a_part_that_was_applied_closes_no_unfinished_plan() -> None:
    unfinished = ([begun("whole", Selection())], 2)
    part = ([begun("part", Selection(leads=("101",)))], 4)
    later = ([begun("later", Selection())], 4)
    assert [plan.plan for plan in open_plans([part, unfinished])] == ["whole"]
    assert open_plans([later, unfinished]) == []


@pytest.mark.parametrize(
    ("option", "value", "code"), [("--lead", "999", "SE130"), ("--change", "resle", "SE131"), ("--limit", "0", "SE900")]
)
def test_what_is_not_there_is_named(repair: Workspace, option: str, value: str, code: str) -> None:
    ended = repair.run("plan", "changesets", option, value, "--out", "x.plan")
    assert ended.code == 1
    assert value in ended.err
    if code != "SE900":
        assert code in ended.err
        repair.plan()
        shown = repair.run("show", "release.plan", option, value)
        assert (shown.code, code in shown.err) == (1, True)


def test_show_restricts_the_view_and_says_what_the_digest_covers(repair: Workspace) -> None:
    whole = repair.plan()
    shown = repair.run("show", "release.plan", "--lead", "105", "--format", "json").json
    assert lines(shown) == [("105", "names"), ("105", "money"), ("105", "resale")]
    assert shown["shown"] == {"operations": 3, "of": 13}
    for key in ("plan", "operations", "findings", "verdict", "irreversible"):
        assert shown[key] == whole[key]
    text = repair.run("show", "release.plan", "--limit", "1").out
    assert text.splitlines()[-1].endswith("shows 2 of 13 operations; the digest covers 13")
    assert "lead 101" in text
    assert "lead 102" not in text


@pytest.mark.parametrize("command", ["review", "approve", "apply"])
def test_what_is_signed_or_sent_is_never_a_part(repair: Workspace, command: str) -> None:
    repair.plan()
    ended = repair.run(command, "release.plan", "--lead", "105")
    assert ended.code == 1
    assert "--lead" in ended.err
