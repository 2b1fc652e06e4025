"""`plan --each DIR`: one plan for each changeset, and plans.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from syncengine.planning.plans_file import read_plans_file
from tests.workspace import Workspace

UPDATE = '- lead: "{lead}"\n  update: {{{field}: "{value}"}}\n'
TRIGGER = '- lead: "101"\n  trigger: [northwind]\n'


def update(workspace: Workspace, name: str, lead: str = "101", value: str = "N1 1AA", field: str = "postcode") -> None:
    workspace.changeset(name, UPDATE.format(lead=lead, field=field, value=value))


def each(workspace: Workspace, *args: str, exit_code: int = 0) -> Any:
    """Plan changesets/ into plans/ and give the JSON result."""
    ended = workspace.run("plan", "changesets", "--each", "plans", "--format", "json", *args)
    assert ended.code == exit_code, ended.err + ended.out
    return ended.json


def listed(workspace: Workspace) -> Any:
    return json.loads((workspace.root / "plans" / "plans.json").read_text(encoding="utf-8"))


def names(workspace: Workspace) -> list[str]:
    return sorted(path.name for path in (workspace.root / "plans").iterdir())


def test_each_changeset_gets_a_plan_of_its_own(workspace: Workspace) -> None:
    update(workspace, "first")
    update(workspace, "second", lead="102")
    result = each(workspace)
    assert names(workspace) == ["first.plan", "plans.json", "second.plan"]
    assert (result["warnings"], result["exit"]) == ([], 0)
    assert [(plan["changeset"], plan["file"]) for plan in result["plans"]] == [
        ("first", "first.plan"),
        ("second", "second.plan"),
    ]
    found = listed(workspace)
    assert list(found) == ["account", "plans", "warnings"]
    assert found["account"] == "acme"
    for plan, entry in zip(result["plans"], found["plans"], strict=True):
        assert entry["plan"] == plan["plan"]
        assert entry["operations"] == plan["operations"]
        assert (entry["settled"], entry["left"]) == (0, 1)
        assert f"changeset:{plan['changeset']}" in entry["parts"]
        assert [line["changeset"] for line in plan["lines"]] == [plan["changeset"]]
    assert (workspace.root / "plans" / "first.plan").stat().st_mode & 0o777 == 0o600


def test_a_plan_has_the_digest_of_a_plan_of_its_changeset_alone(workspace: Workspace) -> None:
    update(workspace, "first")
    update(workspace, "second")
    update(workspace, "third", value="N1 1AB")
    digests = {plan["changeset"]: plan["plan"] for plan in each(workspace)["plans"]}
    for name, digest in digests.items():
        alone = workspace.run("plan", f"changesets/{name}.yaml", "--format", "json").json
        assert alone["plan"] == digest


def test_what_is_settled_gets_no_plan(workspace: Workspace) -> None:
    update(workspace, "first")
    update(workspace, "second", lead="102")
    each(workspace)
    assert workspace.run("apply", "plans/first.plan").code == 0
    assert [plan["changeset"] for plan in each(workspace)["plans"]] == ["second"]
    assert names(workspace) == ["plans.json", "second.plan"]
    assert workspace.run("apply", "plans/second.plan").code == 0
    result = each(workspace)
    assert result == {"plans": [], "warnings": [], "exit": 0}
    assert listed(workspace) == {"account": "acme", "plans": [], "warnings": []}


def test_a_changeset_that_the_ledger_does_not_know_and_that_has_nothing_to_send_is_named(workspace: Workspace) -> None:
    workspace.write("data/rows.csv", "lead,postcode,go\n101,N1 1AA,no\n")
    workspace.changeset(
        "idle",
        "- for_each: rows\n  lead: \"{{ row.lead }}\"\n  when: row.go == 'yes'\n"
        '  update: {postcode: "{{ row.postcode }}"}\n',
        head="sources: {rows: {file: ../data/rows.csv}}\n",
    )
    update(workspace, "busy")
    result = each(workspace)
    assert [plan["changeset"] for plan in result["plans"]] == ["busy"]
    assert any("idle" in warning for warning in result["warnings"])
    assert listed(workspace)["warnings"] == result["warnings"]


def test_a_blocked_plan_is_written_and_the_exit_code_is_3(workspace: Workspace) -> None:
    workspace.changeset("sold", TRIGGER)
    each(workspace)
    assert workspace.run("apply", "plans/sold.plan").code == 0
    update(workspace, "first")
    workspace.changeset("again", TRIGGER)
    result = each(workspace, exit_code=3)
    assert (result["exit"], [plan["verdict"] for plan in result["plans"]]) == (3, ["blocked", "clear"])
    assert names(workspace) == ["again.plan", "first.plan", "plans.json"]
    assert each(workspace, "--detailed-exitcode", "--changeset", "first", exit_code=2)["exit"] == 2


def test_only_its_own_plans_are_removed(workspace: Workspace) -> None:
    update(workspace, "first")
    update(workspace, "gone", lead="102")
    each(workspace)
    folder = workspace.root / "plans"
    (workspace.root / "changesets" / "gone.yaml").unlink()
    for foreign in ("foreign.plan", "first.plan.approval", "notes.txt", "page.plan.html"):
        (folder / foreign).write_text("kept", encoding="utf-8")
    (folder / "copy.plan").write_bytes((folder / "first.plan").read_bytes())
    (folder / "link.plan").symlink_to("first.plan")
    each(workspace)
    assert names(workspace) == [
        "copy.plan", "first.plan", "first.plan.approval", "foreign.plan", "link.plan", "notes.txt", "page.plan.html",
        "plans.json",
    ]  # fmt: skip


def test_a_foreign_file_is_never_replaced(workspace: Workspace) -> None:
    update(workspace, "first")
    workspace.plan(out="plan.plan")
    folder = workspace.root / "plans"
    folder.mkdir()
    (folder / "first.plan").write_bytes((workspace.root / "plan.plan").read_bytes())
    ended = workspace.run("plan", "changesets", "--each", "plans")
    assert (ended.code, "SE141" in ended.err) == (1, True)
    assert names(workspace) == ["first.plan"]


def test_a_damaged_plan_of_its_own_is_removed(workspace: Workspace) -> None:
    update(workspace, "first")
    each(workspace)
    path = workspace.root / "plans" / "first.plan"
    path.write_bytes(path.read_bytes()[:-40])
    assert len(each(workspace)["plans"]) == 1


@pytest.mark.parametrize("wrong", ["syntax", "row", "config"])
def test_a_failing_run_leaves_no_plan(workspace: Workspace, wrong: str) -> None:
    update(workspace, "first")
    each(workspace)
    update(workspace, "second", lead="102", value="{{ vars.none }}" if wrong == "row" else "N1 1AA")
    if wrong == "syntax":
        workspace.write("changesets/third.yaml", "version: [\n")
    if wrong == "config":
        workspace.write("syncengine.yaml", "version: [\n")
    ended = workspace.run("plan", "changesets", "--each", "plans", "--format", "json")
    assert ended.code == 1
    assert ended.json["exit"] == 1
    assert names(workspace) == []


def test_problems_of_all_changesets_are_told_together(workspace: Workspace) -> None:
    workspace.write("data/rows.csv", "lead\nx\n")
    for name in ("first", "second"):
        workspace.changeset(
            name,
            '- for_each: rows\n  lead: "{{ row.lead }}"\n  update: {postcode: "N1 1AA"}\n',
            head="sources: {rows: {file: ../data/rows.csv}}\n",
        )
    result = each(workspace, exit_code=1)
    assert {problem["file"] for problem in result["diagnostics"]} == {"changesets/first.yaml", "changesets/second.yaml"}


@pytest.mark.parametrize(
    "options", [("--out", "x.plan"), ("--lead", "101"), ("--change", "#1"), ("--limit", "1")], ids=lambda each: each[0]
)
def test_it_cannot_be_combined_with_a_part(workspace: Workspace, options: tuple[str, ...]) -> None:
    update(workspace, "first")
    ended = workspace.run("plan", "changesets", "--each", "plans", *options)
    assert (ended.code, "SE901" in ended.err) == (1, True)
    assert not (workspace.root / "plans").exists()


def test_variables_reach_the_changesets_that_declare_them(workspace: Workspace) -> None:
    workspace.changeset("first", '- lead: "101"\n  update: {postcode: "{{ vars.code }}"}\n', head="vars: {code: A1}\n")
    update(workspace, "second", lead="102")
    result = each(workspace, "--var", "code=B2", "--show-values")
    assert result["plans"][0]["lines"][0]["values"][0]["after"] == "B2"


def test_every_view_shows_each_plan_under_its_changeset(workspace: Workspace) -> None:
    update(workspace, "first")
    update(workspace, "second", lead="102")
    text = workspace.run("plan", "changesets", "--each", "plans").out
    assert text.index("changeset first") < text.index("changeset second") < text.index("2 plans, 2 operations left")
    markdown = workspace.run("plan", "changesets", "--each", "plans", "--format", "markdown").out
    assert markdown.index("# `first`") < markdown.index("# `second`")
    page = workspace.run("plan", "changesets", "--each", "plans", "--format", "html").out
    assert 'href="first.plan.html"' in page
    assert names(workspace) == ["first.plan", "first.plan.html", "plans.json", "second.plan", "second.plan.html"]
    assert "<!DOCTYPE html>" in (workspace.root / "plans" / "first.plan.html").read_text(encoding="utf-8")
    assert json.loads(workspace.run("plan", "changesets", "--each", "plans", "--format", "sarif").out)["runs"]
    assert names(workspace) == ["first.plan", "plans.json", "second.plan"]


def test_a_result_of_any_length_is_one_json_document(workspace: Workspace) -> None:
    count = 150
    for lead in range(101, 101 + count):
        update(workspace, f"change-{lead}", lead=str(lead))
    ended = workspace.run("plan", "changesets", "--each", "plans", "--format", "json")
    assert len(ended.out) > 3 << 16, "read back in several blocks"
    assert [plan["changeset"] for plan in ended.json["plans"]] == [f"change-{lead}" for lead in range(101, 101 + count)]


@pytest.mark.parametrize(("count", "changes"), [(40, 20), (8, 400), (180, 1)])
def test_the_markdown_of_many_plans_is_one_comment(workspace: Workspace, count: int, changes: int) -> None:
    for number in range(count):
        body = "".join(
            UPDATE.format(lead=100 + changes * number + each, field=f"field-{each}", value="a")
            for each in range(changes)
        )
        workspace.changeset(f"change-{number:03}", body)
    ended = workspace.run("plan", "changesets", "--each", "plans", "--format", "markdown")
    assert ended.code == 0, ended.err
    assert 40_000 < len(ended.out) <= 60_000
    shown = ended.out.count("# `change-")
    assert "`syncengine show plans/change-000.plan`" in ended.out
    assert f"{count - shown} more plans" in ended.out or shown == count
    assert ended.out.count("<details>") == ended.out.count("</details>")
    assert f"**{count} plans, " in ended.out


def test_the_list_can_be_read_back(workspace: Workspace) -> None:
    update(workspace, "first")
    result = each(workspace)
    found = read_plans_file(Path(workspace.root / "plans" / "plans.json"))
    assert [plan.plan for plan in found.plans] == [plan["plan"] for plan in result["plans"]]


def test_a_fault_of_the_export_is_told_once(workspace: Workspace) -> None:
    update(workspace, "first")
    update(workspace, "second", lead="102")
    export = workspace.write("export.csv", "lead,postcode\n101,N1 1AA\n")
    ended = workspace.run("plan", "changesets", "--each", "plans", "--observed", str(export), "--format", "json")
    assert ended.code == 1, ended.out
    alone = workspace.run("plan", "changesets", "--observed", str(export), "--format", "json")
    assert ended.json["error"] == alone.json["error"]
    assert ended.json["diagnostics"] == alone.json["diagnostics"]


def test_the_ledger_is_opened_once_for_all_plans(workspace: Workspace) -> None:
    """Opening it checks all of its file, which takes seconds where a million operations are on record."""
    update(workspace, "sent")
    workspace.plan()
    workspace.apply()
    for name, lead in (("first", "102"), ("second", "103"), ("third", "104")):
        update(workspace, name, lead=lead)
    opened: list[str] = []
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "sqlite3.connect" else None)
    assert len(each(workspace)["plans"]) == 3
    assert sum("ledger.db" in name for name in opened) == 1
