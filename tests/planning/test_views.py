"""What `plan` shows while it plans is what `show` reads from the file; findings about a whole plan stay few."""

from __future__ import annotations

import pytest

from tests.workspace import Workspace

_CHANGES = """\
- id: fields
  for_each: rows
  lead: "{{ row.lead }}"
  update: {postcode: "{{ row.postcode }}", c1: Google}
- id: money
  for_each: rows
  when: row.postcode != 'A 0'
  lead: "{{ row.lead }}"
  financials: {payout: "{{ row.lead }}", buyer: "33"}
- id: sale
  leads: ["1003", "1004"]
  trigger: [northwind]
"""


def _rows(workspace: Workspace, count: int, name: str = "rows") -> str:
    lines = (f"{1000 + number},A {number % 3}" for number in range(count))
    workspace.write(f"{name}.csv", "lead,postcode\n" + "\n".join(lines) + "\n")
    return f"sources:\n  rows: {{file: ../{name}.csv}}\n"


@pytest.mark.parametrize("count", [2, 900])
@pytest.mark.parametrize("view", ["text", "markdown"])
def test_the_view_of_a_plan_in_the_making_is_that_of_the_saved_one(workspace: Workspace, view: str, count: int) -> None:
    workspace.changeset("mixed", _CHANGES, head=_rows(workspace, count))
    made = workspace.run("plan", "changesets", "--out", "release.plan", "--format", view)
    assert made.code == 0, made.err
    assert made.out == workspace.run("show", "release.plan", "--format", view).out
    assert "1004" in made.out


def test_two_changesets_that_disagree_about_every_lead_are_told_so_a_hundred_times(workspace: Workspace) -> None:
    head = _rows(workspace, 300)
    for name in ("first", "second"):
        change = f'- for_each: rows\n  lead: "{{{{ row.lead }}}}"\n  update: {{c1: {name}}}\n'
        workspace.changeset(name, change, head=head)
    ended = workspace.run("plan", "changesets", "--format", "json")
    assert ended.code == 1
    codes = [found["code"] for found in ended.json["diagnostics"]]
    assert codes == ["SE402"] * 100 + ["SE490"]
    assert "200 further" in ended.json["diagnostics"][-1]["message"]
