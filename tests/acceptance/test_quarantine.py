"""Leads in quarantine: updates, releases and rejections, from the changeset to the service and the records."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions, parse_script
from tests.workspace import Workspace

PATH = "/restapi/v1.3/quarantine/process"
MIXED = """\
- quarantined: "123"
  update: {postcode: TN25 6QD}
  action: release
- quarantined: "124"
  action: reject
- lead: "125"
  update: {postcode: TN25 6QE}
  trigger: [northwind]
"""


def fault(workspace: Workspace, trouble: dict[str, Any], match: dict[str, Any] | None = None) -> None:
    rule = {"match": match or {}, "fault": trouble}
    workspace.sandbox.set_faults(parse_script(json.dumps({"rules": [rule]}).encode()))


def test_the_requests_are_the_documented_ones(workspace: Workspace) -> None:
    workspace.changeset("decide", MIXED)
    view = workspace.plan()
    assert view["by_kind"] == {
        "update": 2, "reprocess": 0, "trigger": 1, "financials": 0,
        "return": 0, "release": 1, "reject": 1,
    }  # fmt: skip
    assert (view["irreversible"], view["leads"]) == (3, 3)
    result = workspace.apply()
    assert result["counts"]["applied"] == 5
    assert (result["queued"], result["exit"]) == (2, 0)
    sent = [(line["method"], line["path"], line["body"]) for line in workspace.requests]
    assert sorted(sent) == sorted(
        [
            ("PUT", "/restapi/v1.3/leads", '{"leads":[{"quarantineId":"123","update":{"postcode":"TN25 6QD"}}]}'),
            (
                "PUT",
                "/restapi/v1.3/leads",
                '{"leads":[{"id":"125","triggerDeliveryId":"1053","update":{"postcode":"TN25 6QE"}}]}',
            ),
            ("POST", PATH, '{"quarantineId":123,"action":"process"}'),
            ("POST", PATH, '{"quarantineId":124,"action":"reject"}'),
        ]
    )
    assert all(dict(line["headers"])["X_KEY"] == workspace.api_key for line in workspace.requests)
    assert [(e["effect"], e["lead"]) for e in workspace.effects if e["lead"] == "q123"] == [
        ("update", "q123"),
        ("release", "q123"),
    ]


def test_queued_is_said_in_every_record_and_the_same_plan_sends_nothing_more(workspace: Workspace) -> None:
    workspace.changeset("decide", MIXED)
    workspace.plan()
    said = workspace.run("apply", "release.plan", "--junit", "junit.xml")
    assert "of these queued" in said.out
    cases = ElementTree.parse(workspace.root / "junit.xml").findall(".//testcase")
    names = {(case.get("classname"), re.sub(r"[0-9a-f]{12}", "ID", case.get("name") or "")) for case in cases}
    assert names == {
        ("decide", "#1: update lead quarantined:123 (ID)"),
        ("decide", "#1: release lead quarantined:123 (ID), queued"),
        ("decide", "#2: reject lead quarantined:124 (ID), queued"),
        ("decide", "#3: update lead 125 (ID)"),
        ("decide", "#3: trigger lead 125 (ID)"),
    }
    row = workspace.run("history", "--lead", "quarantined:124", "--format", "json").json
    told = {name: row[name] for name in ("lead", "kind", "outcome", "message", "note")}
    assert told == {
        "lead": "quarantined:124",
        "kind": "reject",
        "outcome": "applied",
        "message": "Queued for processing",
        "note": "queued",
    }
    other = workspace.run("history", "--lead", "123", "--format", "json").out
    assert '"release"' not in other
    before = len(workspace.requests)
    assert workspace.apply()["counts"]["already_applied"] == 5
    assert workspace.plan()["operations"]["already_applied"] == 5
    assert len(workspace.requests) == before


def test_a_decision_is_made_once_whichever_it_was(workspace: Workspace) -> None:
    workspace.changeset("first", '- quarantined: "7"\n  action: release')
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    for name, action, extra in (("second", "release", ""), ("third", "reject", "")):
        workspace.changeset(name, f'- quarantined: "7"\n  action: {action}{extra}')
        view = workspace.plan("--changeset", name)
        assert view["operations"]["blocked"] == 1
        assert "a release was already done for this lead by changeset first" in view["blocked"][0]["reason"]
    workspace.changeset("first", '- quarantined: "7"\n  action: reject')
    view = workspace.plan("--changeset", "first")
    assert "a release was already done" in view["blocked"][0]["reason"], "its own changeset turned round"
    workspace.changeset(
        "first", '- quarantined: "7"\n  action: release\n- quarantined: "7"\n  action: reject\n  rerun: 2'
    )
    view = workspace.plan("--changeset", "first")
    assert view["by_kind"]["reject"] == 1
    assert view["operations"]["already_applied"] == 1
    assert any("done before" in warning for warning in view["warnings"])
    workspace.apply()
    assert [body["action"] for body in workspace.bodies()] == ["process", "reject"]


def test_release_and_reject_of_one_lead_is_a_conflict(workspace: Workspace) -> None:
    path = workspace.changeset("both", '- quarantined: "7"\n  action: release\n- quarantined: "7"\n  action: reject')
    ended = workspace.run("validate", str(path), "--format", "json")
    assert (ended.code, [found["code"] for found in ended.json["diagnostics"]]) == (1, ["SE409"])
    workspace.changeset("both", '- quarantined: "7"\n  action: release\n- quarantined: "7"\n  action: release')
    ended = workspace.run("validate", str(path), "--format", "json")
    assert [found["code"] for found in ended.json["diagnostics"]] == ["SE403"]
    workspace.changeset("both", '- quarantined: "7"\n  action: release')
    workspace.changeset("other", '- quarantined: "7"\n  action: reject')
    ended = workspace.run("plan", "changesets", "--format", "json")
    assert (ended.code, ended.json["diagnostics"][0]["code"]) == (1, "SE409")
    assert "changesets/both.yaml:6" in ended.json["diagnostics"][0]["message"]
    workspace.changeset("other", '- quarantined: "7"\n  action: release')
    assert workspace.plan()["operations"]["blocked"] == 1
    assert not workspace.requests


def test_a_lost_answer_leaves_a_decision_in_doubt_which_holds_the_other(workspace: Workspace) -> None:
    fault(workspace, {"effect": "all", "answer": "reset"}, match={"path": PATH})
    workspace.changeset("first", '- quarantined: "7"\n  update: {c1: a}\n  action: release')
    workspace.plan()
    result = workspace.apply()
    assert (result["exit"], result["counts"]) == (
        5,
        {"applied": 1, "rejected": 0, "in_doubt": 1, "already_applied": 0, "not_sent": 0},
    )
    assert result["in_doubt"][0]["lead"] == "quarantined:7"
    assert workspace.apply()["exit"] == 5
    assert workspace.times("release", "q7") == 1
    workspace.changeset("second", '- quarantined: "7"\n  action: reject')
    assert "is in doubt" in workspace.plan("--changeset", "second", out="b.plan")["blocked"][0]["reason"]
    workspace.changeset("third", '- quarantined: "7"\n  update: {c2: b}')
    assert workspace.plan("--changeset", "third", out="c.plan")["operations"]["to_send"] == 1
    # The lead with the same number is another one: nothing holds it.
    workspace.changeset("fourth", '- lead: "7"\n  trigger: [northwind]')
    assert workspace.plan("--changeset", "fourth", out="d.plan")["operations"]["to_send"] == 1
    doubt = result["in_doubt"][0]["operation"]
    resolved = workspace.run("resolve", doubt, "--as", "applied", "--by", "ann", "--note", "seen in the queue")
    assert resolved.code == 0, resolved.err
    assert workspace.apply()["counts"]["already_applied"] == 2
    assert workspace.times("release", "q7") == 1


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ('quarantined: "1"\n  trigger: ["1053"]', ["SE246"]),
        ('quarantined: "1"\n  financials: {payout: 1}', ["SE246"]),
        ('quarantined: "1"\n  action: reprocess', ["SE246"]),
        ('lead: "1"\n  action: release', ["SE246"]),
        ('leads: ["1", "2"]\n  action: reject', ["SE246"]),
        ('quarantined: "1"\n  lead: "1"\n  action: reject', ["SE241"]),
        ('quarantined: "01"\n  action: reject', ["SE231"]),
        ('quarantined: ["1", "2"]\n  action: reject', ["SE203"]),
        ('lead: "quarantined:1"\n  update: {c1: a}', ["SE231"]),
        ('quarantined: "1"', ["SE242"]),
        ('quarantined: "1"\n  update: {c1: a}\n  rerun: 2', ["SE243"]),
        ('quarantined: "1"\n  action: releese', ["SE204"]),
        ('quarantined: "1"\n  action: release\n  trigger: ["1053"]', ["SE246"]),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_with_its_place(workspace: Workspace, change: str, codes: list[str]) -> None:
    path = workspace.changeset("wrong", f"- {change}")
    ended = workspace.run("validate", str(path), "--format", "json")
    found = ended.json["diagnostics"]
    assert ended.code == 1
    assert set(codes) <= {each["code"] for each in found}
    assert all(each["line"] >= 6 and each["column"] and each["hint"] for each in found if each["code"] in codes)


def test_rows_conditions_expectations_and_left_out_fields(workspace: Workspace) -> None:
    workspace.write("data/held.csv", "qid,verdict,postcode\n11,good,TN25 6QD\n12,bad,\n13,later,X\n14,good,\n")
    workspace.changeset(
        "from-rows",
        """\
- for_each: held
  when: row.verdict == 'good'
  quarantined: "{{ row.qid }}"
  update: {postcode: "{{ row.postcode }}", c1: "q {{ lead }}"}
  skip_empty: true
  action: release
- for_each: held
  when: row.verdict == 'bad'
  quarantined: "{{ row.qid }}"
  action: reject
""",
        head="sources:\n  held: {file: ../data/held.csv}\n",
    )
    view = workspace.plan()
    assert view["by_kind"]["release"] == 2
    assert workspace.apply()["exit"] == 0
    fields = {e["lead"]: e["fields"] for e in workspace.effects if e["effect"] == "update"}
    assert fields == {"q11": {"postcode": "TN25 6QD", "c1": "q 11"}, "q14": {"c1": "q 14"}}
    workspace.changeset("later", '- quarantined: "11"\n  expect: {postcode: M1 1AE}\n  update: {c2: z}')
    view = workspace.plan("--changeset", "later")
    assert "expect: postcode" in view["blocked"][0]["reason"]
    workspace.write("seen.csv", "lead,observed_at,postcode\nquarantined:11,2099-01-01T00:00:00Z,M1 1AE\n")
    assert workspace.plan("--changeset", "later", "--observed", "seen.csv")["operations"]["to_send"] == 1


def test_revert_lists_decisions_and_restores_fields_by_quarantine_id(workspace: Workspace) -> None:
    workspace.write("seen.csv", "lead,observed_at,c1\nquarantined:7,2020-01-01T00:00:00Z,before\n")
    workspace.changeset("decide", '- quarantined: "7"\n  update: {c1: after}\n- quarantined: "8"\n  action: release')
    workspace.plan("--observed", "seen.csv")
    assert workspace.apply()["exit"] == 0
    ended = workspace.run("revert", "release.plan", "--out", "changesets/back.yaml")
    assert ended.code == 0, ended.err
    assert "quarantined:8" in ended.out + ended.err
    text = (workspace.root / "changesets/back.yaml").read_text(encoding="utf-8")
    assert 'quarantined: "7"' in text
    name = text.split("\nchangeset: ")[1].split()[0]
    assert workspace.plan("--changeset", name)["leads"] == 1
    workspace.apply()
    assert [e["fields"] for e in workspace.effects if e["effect"] == "update"] == [{"c1": "after"}, {"c1": "before"}]


def test_one_erased_is_not_the_other(workspace: Workspace) -> None:
    workspace.changeset("both", '- quarantined: "7"\n  update: {c1: a}\n- lead: "7"\n  update: {c1: a}')
    workspace.plan()
    workspace.apply()
    assert workspace.run("ledger", "forget", "quarantined:7", "--by", "ann").code == 0
    workspace.changeset("again", '- quarantined: "7"\n  update: {c1: b}\n- lead: "7"\n  update: {c1: b}')
    view = workspace.plan("--changeset", "again")
    assert [found["lead"] for found in view["blocked"]] == ["quarantined:7"]
    assert view["operations"]["to_send"] == 1
    assert workspace.run("ledger", "forget", "q7", "--by", "ann").code == 1
    assert workspace.run("ledger", "check").code == 0


def test_the_policy_counts_and_judges_decisions(workspace: Workspace) -> None:
    workspace.changeset("decide", '- quarantined: "7"\n  action: release\n- quarantined: "8"\n  action: reject')
    plain = (workspace.root / "syncengine.yaml").read_text(encoding="utf-8")
    workspace.write("syncengine.yaml", plain + "policy: {max_irreversible: 1}\n")
    assert "2 irreversible operations" in workspace.plan()["blocked"][0]["reason"]
    deny = "policy:\n  deny: [{when: \"op.kind == 'reject' and plan.reject > 0\", message: Ask first}]\n"
    workspace.write("syncengine.yaml", plain + deny)
    view = workspace.plan()
    assert [(found["lead"], found["kind"]) for found in view["blocked"]] == [("quarantined:8", "reject")]


def test_the_key_may_lack_the_permission(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox")).start() as sandbox:
        workspace = Workspace(tmp_path / "repository", sandbox)
        fault(workspace, {"effect": "none", "answer": {"status": 403, "body": "error"}})
        workspace.changeset("decide", '- quarantined: "123"\n  action: release')
        workspace.plan()
        result = workspace.apply()
        assert result["exit"] == 4
        assert "Quarantine > Process" in result["stopped"]


def test_many_leads_in_and_out_of_quarantine_share_no_request(workspace: Workspace) -> None:
    changes = [
        f'- {"quarantined" if number % 3 == 0 else "lead"}: "{1000 + number}"\n  update: {{c1: v{number}}}'
        for number in range(120)
    ]
    workspace.changeset("many", "\n".join(changes))
    workspace.plan()
    assert workspace.apply()["counts"]["applied"] == 120
    kinds = [{next(iter(entry)) for entry in body["leads"]} for body in workspace.bodies()]
    assert all(kind in ({"id"}, {"quarantineId"}) for kind in kinds)
    done = {effect["lead"]: effect["fields"]["c1"] for effect in workspace.effects}
    assert done == {f"{'q' if n % 3 == 0 else ''}{1000 + n}": f"v{n}" for n in range(120)}
    assert len(kinds) == 3, "80 leads in two requests of at most 50, 40 quarantined ones in another"


def test_a_quarantined_lead_between_long_runs_of_updates(workspace: Workspace) -> None:
    changes = [f'- {"quarantined" if n == 49 else "lead"}: "{1000 + n}"\n  update: {{c1: v{n}}}' for n in range(120)]
    workspace.changeset("long", "\n".join(changes))
    workspace.plan()
    result = workspace.apply()
    assert (result["counts"]["applied"], result["requests"]) == (120, 4)
