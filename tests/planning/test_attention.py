"""What a reviewer must see first, found in a plan of 500 leads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.core.changes import Origin
from syncengine.core.operations import Financials, Trigger, Update
from syncengine.core.plan import PlannedOperation, State
from syncengine.core.values import BuyerId, Cents, ChangesetId, DeliveryId, LeadId, OperationId, format_money
from syncengine.planning.attention import FieldNames
from syncengine.planning.spelling import distance, near
from syncengine.planning.unusual import DISTINCT, UnusualAmounts, UnusualTargets
from syncengine.planning.watching import LINES
from syncengine.sandbox import Sandbox, SandboxOptions
from tests.workspace import Workspace

POLICY = """\
policy:
  max_payout: {limit}
"""

PLANTED = """\
- id: uplift
  for_each: rows
  lead: "{{ row.lead }}"
  financials: {payout: "{{ row.payout }}", revenue: 120.00, buyer: "{{ row.buyer }}"}
- id: names
  for_each: rows
  lead: "{{ row.lead }}"
  update: {postcode: "{{ row.postcode }}"}
- id: resale
  for_each: rows
  when: row.resale == 'yes'
  lead: "{{ row.lead }}"
  trigger: [northwind]
- id: nobody
  for_each: rows
  when: row.resale == 'maybe'
  lead: "{{ row.lead }}"
  action: reprocess
- id: slip
  lead: "700001"
  update: {postcdoe: X}
- id: twice
  leads: ["1007", "800001"]
  update: {c1: Google}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", any_lead=True)).start() as sandbox:
        yield Workspace(tmp_path / "repository", sandbox)


def policy(workspace: Workspace, limit: str) -> None:
    path = workspace.root / "syncengine.yaml"
    path.write_text(path.read_text().partition("policy:")[0] + POLICY.format(limit=limit))


def rows() -> str:
    lines = ["lead,payout,buyer,postcode,resale"]
    for number in range(500):
        payout = "800.00" if number == 41 else "80.00"
        buyer = "41" if number == 77 else "33"
        lines.append(f"{1000 + number},{payout},{buyer},P{number},{'yes' if number in (3, 4) else ''}")
    return "\n".join(lines) + "\n"


def test_every_planted_mistake_stands_within_the_first_40_lines(workspace: Workspace) -> None:
    policy(workspace, "500.00")
    workspace.changeset("earlier", '- lead: "1003"\n  trigger: ["1053"]\n')
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    (workspace.root / "changesets/earlier.yaml").unlink()
    policy(workspace, "5000.00")  # loosened in the same commit
    workspace.write("changesets/rows.csv", rows())
    workspace.changeset("planted", PLANTED, head="sources:\n  rows: {file: rows.csv}\n")

    ended = workspace.run("plan", "changesets", "--out", "release.plan", COLUMNS="80")
    assert ended.code == 3, ended.err
    head = "\n".join(ended.out.splitlines()[:40])
    flat = re.sub(r"\s+", " ", head)
    assert "buyer 41 stands in 1 of 500 leads (0.2 %) in change uplift of planted: lead 1077" in flat
    assert "1 payout is over 5 times or under a fifth of the median 80.00 of 500 in change uplift" in flat
    assert "800.00 (10.0 times), lead 1041, changesets/planted.yaml:8 row 42" in flat
    assert "1 lead stands in change uplift of planted and in change twice of planted: lead 1007" in flat
    assert "delivery 1053 was done before for 1 lead of change resale of planted, now blocked: lead 1003" in flat
    assert "none of the 500 rows of changesets/rows.csv meets 'when': change nobody does nothing" in flat
    assert "field 'postcdoe' is used in one change only and looks like 'postcode'" in flat
    assert "the policy or its signers are not those of the account's last run" in flat

    found = workspace.run("show", "release.plan", "--format", "json").json
    assert sum("buyer 41" in text for text in found["warnings"]) == 1
    assert "the policy or its signers" in found["warnings"][0]


def test_a_clean_plan_has_nothing_to_look_at(workspace: Workspace) -> None:
    workspace.changeset("fine", '- leads: ["1", "2"]\n  update: {c1: a, c2: b, firstname: x, lastname: y}\n')
    assert [text for text in workspace.plan()["warnings"] if "no ledger" not in text] == []


def test_what_the_files_no_longer_declare(workspace: Workspace) -> None:
    workspace.changeset("one", '- leads: ["1", "2"]\n  update: {c1: a, c2: b}\n- lead: "3"\n  trigger: ["1053"]\n')
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    workspace.changeset("one", '- lead: "1"\n  update: {c1: a}\n- lead: "3"\n  trigger: ["1053"]\n  rerun: 2\n')
    found = workspace.plan()
    (note,) = [text for text in found["warnings"] if "no longer declares" in text]
    assert note.startswith("changeset one: 2 operations are on record that its file no longer declares")
    assert "(c2)" in note


def test_a_field_that_the_lead_schema_does_not_know(workspace: Workspace) -> None:
    workspace.write("lead.json", '{"type": "object", "properties": {"postcode": {"type": "string"}}}')
    path = workspace.root / "syncengine.yaml"
    path.write_text(path.read_text().replace("    buyers:", "    lead_schema: lead.json\n    buyers:"))
    workspace.changeset("one", '- lead: "1"\n  update: {postcod: a}\n- lead: "2"\n  update: {region: b}\n')
    told = [text for text in workspace.plan()["warnings"] if text.startswith("field")]
    assert told[0].startswith("field 'postcod' is used in one change only and looks like 'postcode'")
    assert told[1].startswith("field 'region' is unknown to the account's lead schema")


def planned(
    operation: Financials | Trigger | Update, row: int, *, change: str = "c", state: State = State.TO_SEND
) -> PlannedOperation:
    return PlannedOperation(
        id=OperationId("1" * 40),
        changeset=ChangesetId("set"),
        change=change,
        entry=row,
        operation=operation,
        origin=Origin("s.yaml", 4, row),
        state=state,
        send=("payout",) if isinstance(operation, Financials) else (),
    )


def paying(amounts: list[int]) -> UnusualAmounts:
    watcher = UnusualAmounts()
    for row, amount in enumerate(amounts, 1):
        watcher.see(planned(Financials(LeadId(str(row)), payout=Cents(amount)), row))
    return watcher


@given(st.lists(st.integers(1, 2000), min_size=1, max_size=60))
def test_amounts_are_judged_by_the_exact_median(amounts: list[int]) -> None:
    ordered, count = sorted(amounts), len(amounts)
    twice = ordered[(count - 1) // 2] + ordered[count // 2]
    far = [amount for amount in amounts if 2 * amount > 5 * twice or 10 * amount < twice]
    told = paying(amounts).warnings()
    if count < 10 or not far:
        assert told == ()
    else:
        assert told[0].startswith(f"{len(far)} payout")
        assert f"{format_money(twice // 2)} of {count}" in told[0]


def test_more_amounts_than_are_told_apart_are_still_judged() -> None:
    amounts = [*range(100_000, 100_000 + 2 * DISTINCT), 10_000_000]
    (told,) = paying(amounts).warnings()
    assert told.startswith("1 payout is")
    assert "100000.00" in told


def test_rare_deliveries_count_leads_not_triggers() -> None:
    watcher = UnusualTargets()
    for row in range(1, 101):
        for delivery in ["1", "2", *(["3"] if row == 9 else [])]:
            watcher.see(planned(Trigger(LeadId(str(row)), DeliveryId(delivery)), row))
    (told,) = watcher.warnings()
    assert told.startswith("delivery 3 stands in 1 of 100 leads (1.0 %) in change c of set: lead 9, s.yaml:4 row 9")


def test_changes_are_judged_apart_and_lines_are_limited() -> None:
    watcher = UnusualTargets()
    row = 0
    for change in range(20):
        for number in range(60):
            row += 1
            buyer = BuyerId("9" if number == 30 else "1")
            operation = Financials(LeadId(str(row)), payout=Cents(1), buyer=buyer)
            watcher.see(planned(operation, row, change=f"c{change}"))
    told = watcher.warnings()
    assert len(told) <= LINES + 2
    assert "more" in told[-1]


def test_what_is_not_to_be_sent_is_not_looked_at() -> None:
    watcher = FieldNames(None)
    fields = {"postcode": "x", "postcdoe": "x"}
    watcher.see(planned(Update(LeadId("1"), fields), 1, state=State.ALREADY_APPLIED))
    assert watcher.warnings() == ()
    watcher.see(planned(Update(LeadId("2"), fields), 2))
    (told,) = watcher.warnings()
    assert "'postcdoe'" in told


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("postcode", "postcdoe", True),
        ("postcode", "postcd", True),
        ("dob", "dbo", True),
        ("firstname", "lastname", False),
        ("c1", "c2", False),
        ("street1", "street2", False),
        ("c1", "id", False),
        ("email", "emial2", True),
    ],
)
def test_which_names_are_near(one: str, other: str, expected: bool) -> None:
    assert near(one, other) is near(other, one) is expected


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_distance_is_symmetric_and_zero_only_for_equals(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert distance(one, other) >= abs(len(one) - len(other))
