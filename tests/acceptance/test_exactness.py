"""What is typed is what is sent; identity and digest depend on what they should and on nothing else."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.workspace import Workspace

TYPED = {
    "postcode": "7010",
    "phone1": "07700900123",
    "c1": "yes",
    "dob": "2001-02-03",
    "c2": "1e3",
    "c3": "0x1F",
    "c4": "12:30:45",
    "c5": "1_000",
    "c6": "+447700900123",
    "c7": "off",
    "c8": "1.10",
    "c9": ".5",
}


def test_plain_scalars_leave_as_typed(workspace: Workspace) -> None:
    fields = ", ".join(f"{name}: {text}" for name, text in TYPED.items())
    workspace.changeset("typed", f'- lead: 2932682\n  update: {{{fields}, gender: "quoted  ", county: bare   }}')
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    sent = workspace.bodies()[0]["leads"][0]
    assert sent == {"id": "2932682", "update": TYPED | {"gender": "quoted  ", "county": "bare"}}


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("80", "80.00"), ("80.5", "80.50"), ("0.1", "0.10"), ("123456789012345.67", None), ("0", "0.00")],
)
def test_money_is_exact_to_the_wire(workspace: Workspace, typed: str, sent: str | None) -> None:
    workspace.changeset("money", f'- lead: "2932682"\n  financials: {{payout: {typed}}}')
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    assert f'"newPayout":{sent or typed}}}' in workspace.requests[0]["body"]
    assert workspace.effects[0]["payout"] == (sent or typed)


CHANGES = """\
- id: one
  lead: "2932682"
  update: {postcode: TN25 6QD}
  trigger: [northwind]
- lead: "2932683"
  update: {firstname: Joe}
  action: reprocess
- lead: "2932684"
  financials: {payout: 80, revenue: 120}
"""

REARRANGED = """\
# a comment
- lead: "2932684"
  financials: {revenue: 120.00, payout: 80.00}

- {lead: "2932683", action: reprocess, update: {firstname: Jim}}
- id: another
  lead: "2932682"
  trigger: ["1053"]   # the same delivery, by its id
  update: {postcode: 7010}
"""


def ids(workspace: Workspace) -> set[str]:
    return {line["id"] for line in workspace.operations()}


def test_identity_ignores_names_order_comments_and_values(workspace: Workspace) -> None:
    first = workspace.changeset("steady", CHANGES)
    workspace.plan()
    before = ids(workspace)
    assert len(before) == 5
    text = workspace.changeset("steady", REARRANGED).read_text(encoding="utf-8")
    first.unlink()
    workspace.write("changesets/elsewhere/renamed.yml", text)
    workspace.limits = ", leads_per_request: 1"
    workspace.__post_init__()
    workspace.plan()
    assert ids(workspace) == before


def test_a_corrected_update_is_sent_without_the_trigger_beside_it(workspace: Workspace) -> None:
    workspace.changeset("steady", CHANGES)
    workspace.plan()
    assert workspace.apply()["counts"]["applied"] == 5
    workspace.changeset("steady", CHANGES.replace("TN25 6QD", "TN25 7QD"))
    plan = workspace.plan()
    assert plan["operations"]["to_send"] == 1
    assert plan["by_kind"] == {"update": 1, "reprocess": 0, "trigger": 0, "financials": 0, "return": 0}
    assert workspace.apply()["counts"] == {
        "applied": 1, "rejected": 0, "in_doubt": 0, "already_applied": 4, "not_sent": 0,
    }  # fmt: skip
    assert workspace.bodies()[-1] == {"leads": [{"id": "2932682", "update": {"postcode": "TN25 7QD"}}]}
    assert workspace.times("trigger", "2932682") == 1


def test_editing_one_of_three_fields_sends_that_one(workspace: Workspace) -> None:
    workspace.changeset("fields", '- lead: "2932682"\n  update: {c1: a, c2: b, c3: c}')
    workspace.plan()
    workspace.apply()
    workspace.changeset("fields", '- lead: "2932682"\n  update: {c1: a, c2: other, c3: c}')
    workspace.plan()
    workspace.apply()
    assert workspace.bodies()[-1] == {"leads": [{"id": "2932682", "update": {"c2": "other"}}]}


def test_from_a_to_b_and_back_sends_a_again(workspace: Workspace) -> None:
    for value in ("a", "b", "a"):
        workspace.changeset("there-and-back", f'- lead: "2932682"\n  update: {{c1: {value}}}')
        workspace.plan()
        assert workspace.apply()["counts"]["applied"] == 1
    assert [body["leads"][0]["update"]["c1"] for body in workspace.bodies()] == ["a", "b", "a"]


def test_a_changed_buyer_takes_all_amounts_along(workspace: Workspace) -> None:
    change = '- lead: "2932682"\n  financials: {{payout: {payout}, revenue: 120, buyer: "{buyer}"}}'
    for payout, buyer in (("80", "33"), ("90", "33"), ("90", "41")):
        workspace.changeset("buyer", change.format(payout=payout, buyer=buyer))
        workspace.plan()
        assert workspace.apply()["exit"] == 0
    first, second, third = workspace.bodies()
    assert set(first) - {"key"} == {"leads", "newPayout", "newRevenue", "BID"}
    assert {key: second[key] for key in set(second) - {"key", "leads"}} == {"newPayout": 90.0, "BID": "33"}
    assert {key: third[key] for key in set(third) - {"key", "leads"}} == {
        "newPayout": 90.0, "newRevenue": 120.0, "BID": "41",
    }  # fmt: skip


def test_the_digest_is_the_same_in_another_folder_and_process(workspace: Workspace, tmp_path: Path) -> None:
    workspace.changeset("steady", CHANGES)
    first = workspace.plan()["plan"]
    other = Workspace(tmp_path / "repository", workspace.sandbox)
    other.root = tmp_path / "another place"
    shutil.copytree(workspace.root, other.root)
    ended = other.process("plan", "changesets", "--format", "json")
    assert ended.json["plan"] == first
    assert len(first) == 64


def test_a_plan_with_one_flipped_byte_is_refused(workspace: Workspace) -> None:
    from syncengine.core.errors import AlteredPlan
    from syncengine.planning import open_plan

    workspace.changeset("steady", CHANGES)
    workspace.plan()
    whole = (workspace.root / "release.plan").read_bytes()
    altered = workspace.root / "altered.plan"
    chance = random.Random(7)
    for position in range(len(whole)):
        bit = 1 << chance.randrange(8)
        altered.write_bytes(whole[:position] + bytes([whole[position] ^ bit]) + whole[position + 1 :])
        with pytest.raises(AlteredPlan):
            open_plan(altered)
    ended = workspace.process("apply", "altered.plan")
    assert ended.code == 3
    assert "altered.plan" in ended.err
    assert workspace.requests == []


@pytest.mark.parametrize("cut", ["empty", "cut", "twice", "more"])
def test_a_plan_cut_or_joined_is_refused(workspace: Workspace, cut: str) -> None:
    workspace.changeset("steady", CHANGES)
    workspace.plan()
    whole = (workspace.root / "release.plan").read_bytes()
    bad = {"empty": b"", "cut": whole[: len(whole) // 2], "twice": whole + whole, "more": whole + b"{}\n"}[cut]
    (workspace.root / "bad.plan").write_bytes(bad)
    ended = workspace.run("apply", "bad.plan")
    assert ended.code == 3, ended.err
    assert workspace.requests == []


def test_the_plan_file_is_private(workspace: Workspace) -> None:
    workspace.changeset("steady", CHANGES)
    workspace.plan()
    assert (workspace.root / "release.plan").stat().st_mode & 0o777 == 0o600
