"""`plan --expect`: the plan must be the very one that was seen before; what moved is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workspace import Workspace

SHEET = (
    '- for_each: rows\n  lead: "{{ row.lead }}"\n  update: {postcode: "{{ row.postcode }}"}\n'
    '- for_each: more\n  lead: "{{ row.lead }}"\n  trigger: [northwind]\n'
)
HEAD = "sources: {{rows: {{file: ../data/{name}.csv}}, more: {{file: ../data/more.csv}}}}\n"
TOUCHED = '- lead: "{lead}"\n  update: {{postcode: "{value}"}}\n'


@pytest.fixture
def repository(workspace: Workspace) -> Workspace:
    """Two changesets over sheets, with a ledger that holds nothing of their leads."""
    workspace.write("data/more.csv", "lead\n104\n")
    workspace.write("data/none.csv", "lead\n")
    for name, lead in (("uplift", "101"), ("other", "102")):
        workspace.write(f"data/{name}.csv", f"lead,postcode\n{lead},N1 1AA\n")
        workspace.changeset(
            name, SHEET if name == "uplift" else SHEET.partition("- for_each: more")[0], head=HEAD.format(name=name)
        )
    workspace.changeset("first", '- lead: "103"\n  update: {c1: x}\n')
    configuration = (workspace.root / "syncengine.yaml").read_text(encoding="utf-8")
    workspace.write("syncengine.yaml", f"{configuration}policy:\n  max_payout: 900\n")
    assert workspace.run("plan", "changesets/first.yaml", "--out", "first.plan").code == 0
    assert workspace.run("apply", "first.plan").code == 0
    return workspace


def each(workspace: Workspace, *args: str, code: int = 0) -> Any:
    ended = workspace.run("plan", "changesets", "--each", "plans", "--format", "json", *args)
    assert ended.code == code, ended.err + ended.out
    return ended.json


def touch(workspace: Workspace, lead: str, value: str = "X1 1XX") -> None:
    """Apply another changeset, from another folder, that sets the same field of a lead."""
    path = workspace.write("others/touch.yaml", "version: 1\nchangeset: touch\naccount: acme\nchanges:\n")
    body = TOUCHED.format(lead=lead, value=value)
    path.write_text(path.read_text() + "".join(f"  {line}\n" for line in body.splitlines()))
    assert workspace.run("plan", "others", "--out", "touch.plan").code == 0
    assert workspace.run("apply", "touch.plan").code == 0


def edit(file: str, old: str, new: str) -> Callable[[Workspace], None]:
    def edited(workspace: Workspace) -> None:
        path = workspace.root / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return edited


MOVES = [
    pytest.param(edit("data/uplift.csv", "N1", "N2"), "source rows of uplift", id="source"),
    pytest.param(edit("changesets/uplift.yaml", "title: uplift", "title: new"), "changeset uplift", id="changeset"),
    pytest.param(edit("syncengine.yaml", '"1053"', '"1055"'), "configuration", id="configuration"),
    pytest.param(edit("syncengine.yaml", "900", "901"), "policy", id="policy"),
    pytest.param(lambda workspace: touch(workspace, "101"), "ledger facts (lead 101)", id="ledger"),
]


@pytest.mark.parametrize(("move", "words"), MOVES)
def test_a_single_plan_names_what_moved_since_the_plan_at_out(
    repository: Workspace, move: Callable[[Workspace], None], words: str
) -> None:
    plan = ("plan", "changesets/uplift.yaml", "--out", "up.plan")
    digest = repository.run(*plan, "--format", "json").json["plan"]
    assert repository.run(*plan, "--expect", digest).code == 0
    before = (repository.root / "up.plan").read_bytes()
    move(repository)
    ended = repository.run(*plan, "--expect", digest, "--format", "json")
    assert (ended.code, ended.json["error"]["code"], ended.json["exit"]) == (3, "SE143", 3)
    assert words in ended.json["error"]["message"]
    assert (repository.root / "up.plan").read_bytes() == before
    assert not list(repository.root.glob(".*.partial"))


@pytest.mark.parametrize("folder", ["plans", "elsewhere"])
@pytest.mark.parametrize(("move", "words"), MOVES)
def test_a_folder_of_plans_names_what_moved(
    repository: Workspace, move: Callable[[Workspace], None], words: str, folder: str
) -> None:
    each(repository)
    file = repository.root / "plans" / "plans.json"
    if folder == "elsewhere":
        file = file.rename(repository.root / "expected.json")
    move(repository)
    result = each(repository, "--expect", str(file), code=3)
    assert result["error"]["code"] == "SE143"
    assert "changeset uplift" in result["error"]["message"]
    assert words in result["error"]["message"]
    assert ("changeset other" in result["error"]["message"]) is (words == "policy")
    assert list((repository.root / "plans").iterdir()) == []


def test_at_most_five_leads_are_named(repository: Workspace) -> None:
    leads = range(201, 208)
    repository.write("data/uplift.csv", "lead,postcode\n" + "".join(f"{lead},N1 1AA\n" for lead in leads))
    each(repository)
    path = repository.write("others/touch.yaml", "version: 1\nchangeset: touch\naccount: acme\nchanges:\n")
    with path.open("a") as changeset:
        changeset.writelines(f'  - lead: "{lead}"\n    update: {{postcode: X}}\n' for lead in leads)
    assert repository.run("plan", "others", "--out", "touch.plan").code == 0
    repository.run("apply", "touch.plan")
    message = each(repository, "--expect", "plans/plans.json", code=3)["error"]["message"]
    assert "leads 201, 202, 203, 204, 205 and more)" in message
    assert "206" not in message


def test_the_same_plans_are_accepted(repository: Workspace) -> None:
    plans = each(repository)["plans"]
    assert each(repository, "--expect", "plans/plans.json")["plans"] != []
    assert [plan["plan"] for plan in each(repository)["plans"]] == [plan["plan"] for plan in plans]
    assert each(repository, "--expect", "plans/plans.json", "--detailed-exitcode", code=2)["exit"] == 2


def test_a_plan_that_is_blocked_as_expected_is_accepted(repository: Workspace) -> None:
    edit("syncengine.yaml", "max_payout: 900", "deny: [{when: \"op.kind == 'update'\", message: no}]")(repository)
    result = each(repository, code=3)
    assert {plan["verdict"] for plan in result["plans"]} == {"blocked"}
    assert each(repository, "--expect", "plans/plans.json")["exit"] == 0
    digest = result["plans"][0]["plan"]
    name = result["plans"][0]["changeset"]
    assert repository.run("plan", f"changesets/{name}.yaml", "--expect", digest).code == 0


def test_new_and_missing_plans_are_refused(repository: Workspace) -> None:
    each(repository)
    repository.write("expected.json", (repository.root / "plans" / "plans.json").read_text(encoding="utf-8"))
    chosen = each(repository, "--expect", "expected.json", "--changeset", "uplift", code=3)
    assert "changeset other is missing" in chosen["error"]["message"]
    each(repository)
    repository.changeset("new", TOUCHED.format(lead="104", value="A1"))
    (repository.root / "changesets" / "other.yaml").unlink()
    message = each(repository, "--expect", "plans/plans.json", code=3)["error"]["message"]
    assert "changeset new is new" in message
    assert "changeset other is missing" in message


def test_what_was_applied_in_full_since_is_not_missing(repository: Workspace) -> None:
    each(repository)
    expected = (repository.root / "plans" / "plans.json").read_text(encoding="utf-8")
    repository.write("expected.json", expected)
    assert repository.run("apply", "plans/other.plan").code == 0
    assert [plan["changeset"] for plan in each(repository, "--expect", "expected.json")["plans"]] == ["uplift"]
    assert repository.run("apply", "plans/uplift.plan").code == 0
    assert each(repository, "--expect", "expected.json") == {"plans": [], "warnings": [], "exit": 0}
    (repository.root / "changesets" / "other.yaml").unlink()
    assert each(repository, "--expect", "expected.json") == {"plans": [], "warnings": [], "exit": 0}


def test_a_changeset_that_was_emptied_is_missing(repository: Workspace) -> None:
    each(repository)
    edit("data/other.csv", "102,N1 1AA\n", "")(repository)
    message = each(repository, "--expect", "plans/plans.json", code=3)["error"]["message"]
    assert "changeset other has no plan any more" in message
    assert "source rows of other" in message


def test_plans_of_another_account_are_refused(repository: Workspace) -> None:
    each(repository)
    path = repository.root / "plans" / "plans.json"
    path.write_text(path.read_text().replace('"account": "acme"', '"account": "other"'))
    assert "account other" in each(repository, "--expect", "plans/plans.json", code=3)["error"]["message"]


@pytest.mark.parametrize("digest", ["", "abc", "A" * 64, "plans/plans.json", "g" * 64])
def test_a_digest_that_is_none_is_wrong_input(repository: Workspace, digest: str) -> None:
    ended = repository.run("plan", "changesets", "--expect", digest, "--format", "json")
    assert (ended.code, ended.json["error"]["code"]) == (1, "SE144")


def test_a_file_that_is_none_is_wrong_input(repository: Workspace) -> None:
    each(repository)
    for expect in ("nowhere.json", "a" * 64, "syncengine.yaml"):
        result = each(repository, "--expect", expect, code=1)
        assert result["error"]["code"] == "SE144"
        assert list((repository.root / "plans").iterdir()) == []


def test_without_a_plan_at_out_the_ledger_tells_what_moved(repository: Workspace) -> None:
    plan = ("plan", "changesets/other.yaml")
    digest = repository.run(*plan, "--out", "o.plan", "--format", "json").json["plan"]
    edit("data/other.csv", "N1", "N2")(repository)
    ended = repository.run(*plan, "--expect", digest)
    assert (ended.code, "cannot be told" in ended.err) == (3, True)
    edit("data/other.csv", "N2", "N1")(repository)
    assert repository.run("apply", "o.plan").code == 0
    edit("data/other.csv", "N1", "N2")(repository)
    ended = repository.run(*plan, "--expect", digest)
    assert (ended.code, "source rows of other" in ended.err) == (3, True)


def test_the_expected_list_is_read_before_it_is_removed(repository: Workspace) -> None:
    each(repository)
    before = json.loads(Path(repository.root / "plans" / "plans.json").read_text())
    each(repository, "--expect", "plans/plans.json")
    assert json.loads(Path(repository.root / "plans" / "plans.json").read_text()) == before
