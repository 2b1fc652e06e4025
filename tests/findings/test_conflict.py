"""The rule `conflict`: other changesets among the PATHs that are not sent yet."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace import Workspace


def each(workspace: Workspace, *args: str) -> dict[str, list[dict[str, Any]]]:
    """`conflict` findings by changeset."""
    ended = workspace.run("plan", "changesets", "--each", "plans", "--format", "json", *args)
    assert ended.code == 0, ended.err + ended.out
    return {
        plan["changeset"]: [finding for finding in plan["findings"] if finding["rule"] == "conflict"]
        for plan in ended.json["plans"]
    }


def sheet(workspace: Workspace, name: str, payout: str, leads: range) -> None:
    workspace.write(f"data/{name}.csv", "lead,payout\n" + "".join(f"{lead},{payout}\n" for lead in leads))
    workspace.changeset(
        name,
        '- for_each: rows\n  lead: "{{ row.lead }}"\n  financials: {payout: "{{ row.payout }}"}\n',
        head=f"sources: {{rows: {{file: ../data/{name}.csv}}}}\n",
    )


def test_another_value_for_the_same_amount_is_told_in_both_plans(workspace: Workspace) -> None:
    sheet(workspace, "first", "70.00", range(101, 113))
    sheet(workspace, "second", "71.00", range(110, 121))
    found = each(workspace)
    (first,), (second,) = found["first"], found["second"]
    assert (first["severity"], first["count"], first["leads"]) == ("high", 3, ["110", "111", "112"])
    assert "changeset second" in first["message"]
    assert "payout" in first["message"]
    assert (first["changeset"], first["change"]) == ("first", "#1")
    assert first["evidence"][0]["file"] == "data/first.csv"
    assert (first["evidence"][0]["line"], first["evidence"][0]["after"]) == (11, "70.00")
    assert (second["count"], "changeset first" in second["message"]) == (3, True)


def test_the_same_value_is_no_conflict(workspace: Workspace) -> None:
    sheet(workspace, "first", "70.00", range(101, 105))
    sheet(workspace, "second", "70.00", range(101, 105))
    assert each(workspace) == {"first": [], "second": []}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("trigger: [northwind]", "the trigger of delivery 1053"),
        ("action: reprocess", "the reprocess"),
        ("return: {buyer: northwind, reason: DNCC}", "the return"),
    ],
)
def test_the_same_irreversible_operation_is_told(workspace: Workspace, change: str, words: str) -> None:
    for name in ("first", "second"):
        workspace.changeset(name, f'- lead: "101"\n  {change}\n')
    workspace.changeset("third", '- lead: "102"\n  trigger: [northwind]\n')
    found = each(workspace)
    assert [len(found[name]) for name in ("first", "second", "third")] == [1, 1, 0]
    assert words in found["first"][0]["message"]
    assert found["first"][0]["leads"] == ["101"]


def test_other_deliveries_and_fields_are_no_conflict(workspace: Workspace) -> None:
    workspace.changeset("first", '- lead: "101"\n  trigger: [northwind]\n')
    workspace.changeset("second", '- lead: "101"\n  trigger: [contoso]\n')
    workspace.changeset("third", '- lead: "101"\n  update: {postcode: A1}\n')
    workspace.changeset("fourth", '- lead: "101"\n  update: {street: A2}\n')
    assert not any(each(workspace).values())


def test_what_was_sent_is_no_conflict(workspace: Workspace) -> None:
    workspace.changeset("first", '- lead: "101"\n  update: {postcode: A1}\n')
    each(workspace)
    assert workspace.run("apply", "plans/first.plan").code == 0
    workspace.changeset("second", '- lead: "101"\n  update: {postcode: A2}\n')
    assert each(workspace) == {"second": []}


def test_other_changesets_change_no_digest_and_no_state(workspace: Workspace) -> None:
    workspace.changeset("first", '- lead: "101"\n  trigger: [northwind]\n  update: {postcode: A1}\n')
    alone = workspace.run("plan", "changesets", "--format", "json").json
    workspace.changeset("second", '- lead: "101"\n  trigger: [northwind]\n  update: {postcode: A2}\n')
    ended = workspace.run("plan", "changesets", "--each", "plans", "--format", "json").json
    first = next(plan for plan in ended["plans"] if plan["changeset"] == "first")
    assert (first["plan"], first["operations"]) == (alone["plan"], alone["operations"])
    assert first["verdict"] == "attention"


@pytest.mark.parametrize("each_option", [(), ("--each", "plans")])
def test_changesets_that_are_not_chosen_are_looked_at_too(workspace: Workspace, each_option: tuple[str, ...]) -> None:
    workspace.changeset("first", '- lead: "101"\n  trigger: [northwind]\n')
    workspace.changeset("second", '- lead: "101"\n  trigger: [northwind]\n')
    ended = workspace.run("plan", "changesets", "--changeset", "first", "--format", "json", *each_option).json
    plan = ended["plans"][0] if each_option else ended
    assert [finding["rule"] for finding in plan["findings"]] == ["conflict"]
    saved = "plans/first.plan" if each_option else ""
    if saved:
        shown = workspace.run("show", saved, "--format", "json").json
        assert [finding["rule"] for finding in shown["findings"]] == ["conflict"]


def test_faults_in_a_changeset_that_is_not_chosen_do_not_matter(workspace: Workspace) -> None:
    workspace.write("data/rows.csv", "lead\nx\n101\n")
    workspace.changeset(
        "faulty",
        '- for_each: rows\n  lead: "{{ row.lead }}"\n  update: {postcode: "N1 1AA"}\n',
        head="sources: {rows: {file: ../data/rows.csv}}\n",
    )
    workspace.changeset("first", '- lead: "101"\n  update: {postcode: A1}\n')
    ended = workspace.run("plan", "changesets", "--changeset", "first", "--format", "json")
    assert ended.code == 0
    assert [finding["count"] for finding in ended.json["findings"]] == [1]


def test_the_policy_may_silence_but_not_block_it(workspace: Workspace) -> None:
    for name in ("first", "second"):
        workspace.changeset(name, '- lead: "101"\n  trigger: [northwind]\n')
    configuration = (workspace.root / "syncengine.yaml").read_text(encoding="utf-8")
    workspace.write("syncengine.yaml", f"{configuration}policy:\n  findings: {{conflict: ignore}}\n")
    found = each(workspace)
    assert [finding["severity"] for finding in found["first"]] == ["info"]
    workspace.write("syncengine.yaml", f"{configuration}policy:\n  findings: {{conflict: block}}\n")
    assert "SE560" in workspace.run("plan", "changesets").err
