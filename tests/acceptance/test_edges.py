"""Small things a careful user runs into: what --out may replace, and where a finding stands."""

from __future__ import annotations

import os

import pytest

from tests.workspace import Workspace

UPDATE = '- lead: "2932682"\n  update: {c1: a}'


@pytest.mark.parametrize("name", ["changesets/fine.yaml", "syncengine.yaml", "notes.txt"])
def test_a_plan_never_replaces_what_is_no_plan(name: str, workspace: Workspace) -> None:
    workspace.write("notes.txt", "mine\n")
    workspace.changeset("fine", UPDATE)
    before = (workspace.root / name).read_bytes()
    ended = workspace.run("plan", "changesets", "--out", name)
    assert ended.code == 1
    assert "is no plan" in ended.err
    assert (workspace.root / name).read_bytes() == before


def test_a_folder_is_no_name_for_a_plan(workspace: Workspace) -> None:
    workspace.changeset("fine", UPDATE)
    ended = workspace.run("plan", "changesets", "--out", "changesets")
    assert ended.code == 1
    assert "choose another --out" in ended.err


def test_a_device_is_no_place_for_a_plan(workspace: Workspace) -> None:
    workspace.changeset("fine", UPDATE)
    os.mkfifo(workspace.root / "release.plan")
    assert workspace.run("plan", "changesets", "--out", "release.plan").code == 1
    assert (workspace.root / "release.plan").is_fifo()


@pytest.mark.parametrize("name", ["release.plan", "release.out"])
def test_a_plan_replaces_a_plan(name: str, workspace: Workspace) -> None:
    workspace.changeset("fine", UPDATE)
    (workspace.root / name).touch()
    workspace.plan(out=name)
    workspace.plan(out=name)
    assert workspace.apply(name)["counts"]["applied"] == 1


def test_a_broken_plan_is_replaced(workspace: Workspace) -> None:
    workspace.changeset("fine", UPDATE)
    workspace.write("release.plan", "broken")
    workspace.plan()
    assert workspace.apply()["counts"]["applied"] == 1


def places(workspace: Workspace) -> list[tuple[str, str, int, int]]:
    found = workspace.run("plan", "changesets", "--format", "json").json["diagnostics"]
    return [(each["code"], each["file"], each["line"], each["column"]) for each in found]


def test_two_values_in_two_changesets_have_a_column(workspace: Workspace) -> None:
    workspace.changeset("one", UPDATE)
    workspace.changeset("two", UPDATE.replace("c1: a", "c1: b"))
    assert places(workspace) == [("SE402", "changesets/two.yaml", 6, 1)]


def test_a_lowered_generation_has_a_column(workspace: Workspace) -> None:
    again = '- lead: "2932682"\n  trigger: [northwind]\n  rerun: 3'
    workspace.changeset("one", again)
    workspace.plan()
    workspace.apply()
    workspace.changeset("one", again.replace("rerun: 3", "rerun: 2"))
    assert places(workspace) == [("SE407", "changesets/one.yaml", 6, 1)]


def test_a_part_of_a_text_is_explained(workspace: Workspace) -> None:
    workspace.changeset("one", '- lead: "2932682"\n  update: {c1: "{{ lead.id }}"}')
    ended = workspace.run("validate", "changesets")
    assert ended.code == 1
    assert "leave out '.id'" in ended.out


def test_every_failing_template_of_a_row_is_reported(workspace: Workspace) -> None:
    workspace.changeset(
        "one",
        """\
- for_each: rows
  lead: "{{ row.lead }}"
  update:
    c1: "{{ true }}"
    c2: "{{ row.c2 | uk_postcode }}"
    c3: "{{ row.c3 | trim }}"
""",
        head="sources: {rows: [{lead: 1, c2: nonsense, c3: ' '}]}\n",
    )
    assert [(code, line) for code, _, line, _ in places(workspace)] == [("SE304", 10), ("SE304", 11), ("SE336", 12)]


def test_rows_that_are_none_do_nothing(workspace: Workspace) -> None:
    workspace.changeset(
        "one",
        '- for_each: rows\n  lead: "{{ row.lead }}"\n  update: {c1: a}',
        head="sources: {rows: []}\n",
    )
    ended = workspace.run("validate", "changesets", "--format", "json")
    assert ended.code == 0, ended.out
    assert [each["code"] for each in ended.json["diagnostics"]] == ["SE321"]


def test_an_endless_file_name_has_a_place(workspace: Workspace) -> None:
    workspace.changeset(
        "one",
        '- for_each: rows\n  lead: "{{ row.lead }}"\n  update: {c1: a}',
        head="sources: {rows: {file: " + "a" * 5000 + "}}\n",
    )
    assert [(code, line) for code, _, line, _ in places(workspace)] == [("SE310", 5)]


def test_an_interrupted_plan_says_when_it_began(workspace: Workspace) -> None:
    workspace.changeset("one", UPDATE)
    workspace.plan()
    assert workspace.apply("release.plan", "--deadline", "0")["exit"] == 4
    (unfinished,) = workspace.run("status", "--format", "json").json["unfinished_plans"]
    assert unfinished["started"].endswith("Z")


def test_money_holds_the_sums_alone_and_left_out_fields_are_counted(workspace: Workspace) -> None:
    workspace.changeset(
        "one",
        """\
- for_each: rows
  skip_empty: true
  lead: "{{ row.lead }}"
  update: {c1: "{{ row.a }}", c2: "{{ row.b }}"}
  financials: {payout: "{{ row.a }}"}
""",
        head="sources: {rows: [{lead: 1, a: '5', b: ''}, {lead: 2, a: '', b: ''}]}\n",
    )
    found = workspace.plan()
    assert found["money"] == {"payout": "5.00", "revenue": "0.00"}
    assert found["by_kind"] == {"update": 1, "reprocess": 0, "trigger": 0, "financials": 1, "return": 0}
    assert found["skipped_fields"] == 4
