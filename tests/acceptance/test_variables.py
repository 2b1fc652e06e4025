"""Lists and mappings under vars, `lookup`, and what --var may replace."""

from __future__ import annotations

import pytest

from tests.workspace import Workspace

HEAD = """\
vars:
  note: resold
  sold: [approved, returned]
  names: {approved: Sold, returned: Came back, "yes": "1"}
sources: {rows: {file: ../data/rows.csv}}
"""
ROWS = "lead_id,status\n2932683,approved\n2932684,returned\n2932685,apprved\n"


def planned(workspace: Workspace, change: str, *args: str, rows: str = ROWS) -> dict[str, str]:
    workspace.write("data/rows.csv", rows)
    workspace.changeset("variables", f'- for_each: rows\n  lead: "{{{{ row.lead_id }}}}"\n{change}', head=HEAD)
    workspace.plan(*args)
    return {line["operation"]["lead"]: line["operation"]["fields"]["c1"] for line in workspace.operations()}


def refused(workspace: Workspace, change: str, *args: str, head: str = HEAD) -> dict[str, object]:
    """The one diagnostic of `validate`; nothing can be planned either."""
    workspace.write("data/rows.csv", ROWS)
    workspace.changeset("variables", f'- for_each: rows\n  lead: "{{{{ row.lead_id }}}}"\n{change}', head=head)
    assert workspace.run("plan", "changesets", *args).code == 1
    ended = workspace.run("validate", "changesets", "--format", "json", *args)
    assert ended.code == 1
    (problem,) = ended.json["diagnostics"]
    assert workspace.requests == []
    return dict(problem)


def test_a_list_of_vars_stands_on_the_right_of_in(workspace: Workspace) -> None:
    found = planned(workspace, "  when: row.status in vars.sold\n  update: {c1: '{{ vars.note }}'}")
    assert found == {"2932683": "resold", "2932684": "resold"}


def test_lookup_maps_a_value(workspace: Workspace) -> None:
    change = "  when: row.status in vars.sold\n  update: {c1: '{{ row.status | lookup(vars.names) }}'}"
    assert planned(workspace, change) == {"2932683": "Sold", "2932684": "Came back"}


def test_lookup_gives_its_second_argument_for_what_is_unknown(workspace: Workspace) -> None:
    change = "  update: {c1: \"{{ row.status | lookup(vars.names, 'Other') }}\"}"
    assert planned(workspace, change)["2932685"] == "Other"


def test_a_value_of_a_mapping_can_be_named(workspace: Workspace) -> None:
    change = "  update: {c1: \"{{ vars.names.approved }}{{ vars.names['yes'] }}\"}"
    assert set(planned(workspace, change).values()) == {"Sold1"}


def test_lookup_of_an_unknown_value_names_its_place_and_the_nearest_key(workspace: Workspace) -> None:
    problem = refused(workspace, "  update: {c1: '{{ row.status | lookup(vars.names) }}'}")
    assert (problem["code"], problem["row"]) == ("SE304", 3)
    assert "row 3 of data/rows.csv" in str(problem["message"])
    assert "apprved" not in str(problem), "values are masked"
    assert "did you mean 'approved'?" in str(problem["hint"])


@pytest.mark.parametrize(
    "value",
    [
        "{{ vars.sold }}",
        "{{ vars.names }}",
        "{{ 'x' ~ vars.sold }}",
        "{{ vars.sold | upper }}",
        "{{ vars.names | trim }}",
        "{{ row.status | lookup(vars.sold) }}",
        "{{ row.status | lookup(vars.note) }}",
        "{{ row.status | lookup(vars.names, vars.sold) }}",
        "{{ vars.names.aproved }}",
    ],
)
def test_lists_and_mappings_never_become_text(workspace: Workspace, value: str) -> None:
    workspace.write("data/rows.csv", "lead_id,status\n2932685,other\n")
    change = f'- for_each: rows\n  lead: "2{{{{ row.lead_id }}}}"\n  update: {{c1: "{value}"}}'
    workspace.changeset("variables", change, head=HEAD)
    ended = workspace.run("validate", "changesets", "--format", "json")
    assert [problem["code"] for problem in ended.json["diagnostics"]] == ["SE304"]


@pytest.mark.parametrize(
    ("variables", "code", "line"),
    [
        ("{a: [[x]]}", "SE203", 5),
        ("{a: [{x: y}]}", "SE203", 5),
        ("{a: {x: [y]}}", "SE203", 5),
        ("{a: {x: {y: z}}}", "SE203", 5),
        ("{a: []}", "SE205", 5),
        ("{a: {}}", "SE205", 5),
        ("{a: [x, ~]}", "SE206", 5),
        ("{a: {x: }}", "SE206", 5),
        ("{a: ['{{ row.x }}']}", "SE302", 5),
        ('{a: {x: "\\0"}}', "SE235", 5),
    ],
)
def test_what_variables_cannot_hold(workspace: Workspace, variables: str, code: str, line: int) -> None:
    workspace.changeset("variables", '- lead: "2932682"\n  update: {c1: x}', head=f"vars: {variables}\n")
    ended = workspace.run("validate", "changesets", "--format", "json")
    assert [(found["code"], found["line"]) for found in ended.json["diagnostics"]] == [(code, line)]


def test_var_replaces_a_text_and_no_list_or_mapping(workspace: Workspace) -> None:
    found = planned(workspace, "  update: {c1: '{{ vars.note }}'}", "--var", "note=again")
    assert set(found.values()) == {"again"}
    for name, what in (("sold", "a list"), ("names", "a mapping")):
        problem = refused(workspace, "  update: {c1: '{{ vars.note }}'}", "--var", f"{name}=x")
        assert problem["code"] == "SE305"
        assert what in str(problem["message"])


def test_the_digest_covers_lists_and_mappings(workspace: Workspace) -> None:
    change = "  update: {c1: x}"
    digests = set()
    for old, new in (("", ""), ("returned]", "rejected]"), ("Came back", "Returned")):
        workspace.write("data/rows.csv", ROWS)
        head = HEAD.replace(old, new)
        workspace.changeset("variables", f'- for_each: rows\n  lead: "{{{{ row.lead_id }}}}"\n{change}', head=head)
        digests.add(workspace.plan()["plan"])
        assert workspace.run("show", "release.plan").code == 0
    assert len(digests) == 3
