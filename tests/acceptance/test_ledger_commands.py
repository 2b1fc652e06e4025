"""`syncengine ledger`: check, export, migrate, forget, release."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.workspace import Workspace

CHANGES = """\
- lead: "2932682"
  update: {postcode: TN25 6QD}
  trigger: [northwind]
- lead: "2932683"
  financials: {payout: 80, buyer: northwind}
"""


@pytest.fixture
def applied(workspace: Workspace) -> Workspace:
    workspace.changeset("first", CHANGES)
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    return workspace


def test_check_finds_nothing_in_a_sound_ledger_and_knows_an_older_head(applied: Workspace) -> None:
    first = applied.run("ledger", "check", "--format", "json")
    assert first.code == 0
    assert first.json["sound"] is True
    applied.changeset("second", '- lead: "5"\n  update: {c1: a}')
    applied.plan()
    applied.apply()
    assert applied.run("ledger", "check", "--head", first.json["head"]).code == 0
    for other in ("0" * 40, "4-" + "0" * 32):
        strange = applied.run("ledger", "check", "--head", other)
        assert strange.code == 1
        assert f"never had the head {other}:" in strange.out


def test_check_names_what_was_tampered_with(applied: Workspace) -> None:
    with closing(sqlite3.connect(applied.root / ".syncengine/ledger.db")) as database:
        database.execute("UPDATE attempts SET lead = '999' WHERE kind = 'trigger'")
        database.commit()
    ended = applied.run("ledger", "check")
    assert ended.code == 1
    assert "request" in ended.out
    assert "not sound" in ended.out


def test_export_is_json_lines_without_values(applied: Workspace) -> None:
    ended = applied.run("ledger", "export")
    assert ended.code == 0
    records = [json.loads(line) for line in ended.out.splitlines()]
    assert len(records) > 4
    assert "TN25" not in ended.out
    assert "80.00" in ended.out


def test_a_forgotten_lead_leaves_its_outcome_and_is_blocked(applied: Workspace) -> None:
    ended = applied.run("ledger", "forget", "2932683", "--by", "ann")
    assert ended.code == 0, ended.err
    assert "release.plan" in ended.out
    assert applied.run("ledger", "check").code == 0
    assert "80.00" not in applied.run("ledger", "export").out
    history = applied.run("history", "--lead", "2932683", "--format", "json").json
    assert history["outcome"] == "applied"
    applied.changeset("second", '- lead: "2932683"\n  update: {c1: a}')
    plan = applied.plan("--changeset", "second")
    assert plan["operations"]["blocked"] == 1
    assert "forgotten" in plan["blocked"][0]["reason"]


def test_forgetting_says_who_and_why_where_it_is_told(applied: Workspace) -> None:
    assert applied.run("ledger", "forget", "2932682").code == 0
    ended = applied.run("ledger", "forget", "2932683", "--by", "ann", "--note", "asked for on the phone")
    assert ended.code == 0, ended.err
    records = [json.loads(line) for line in applied.run("ledger", "export").out.splitlines()]
    erased = {record["content"][1]: record["content"][2] for record in records if record["record"] == "erasure"}
    assert erased["2932682"] not in ("", None)
    assert erased["2932683"] == "ann"
    noted = [
        record["content"] for record in records if record["record"] == "event" and "forgotten" in record["content"]
    ]
    assert [("ann" in each, "asked for on the phone" in each) for each in noted] == [(True, True)]
    assert applied.run("ledger", "check").code == 0


def test_forgetting_blocks_a_saved_plan_too(applied: Workspace) -> None:
    applied.changeset("second", '- lead: "2932683"\n  update: {c1: a}\n- lead: "7"\n  update: {c1: a}')
    applied.plan("--changeset", "second", out="saved.plan")
    assert applied.run("ledger", "forget", "2932683", "--by", "ann").code == 0
    before = len(applied.requests)
    result = applied.apply("saved.plan")
    assert result["exit"] == 3
    assert len(applied.requests) == before


def test_migrate_and_release_have_nothing_to_do(applied: Workspace) -> None:
    assert "current" in applied.run("ledger", "migrate").out
    ended = applied.run("ledger", "release", "--by", "ann", "--note", "runner is gone")
    assert ended.code == 0
    assert applied.run("ledger", "migrate", "--rekey").code == 1


def test_a_replaced_key_is_adopted_on_purpose(applied: Workspace) -> None:
    (applied.root / ".syncengine/ledger.key").unlink()
    plan = applied.plan()
    assert "key" in plan["warnings"][0]
    refused = applied.run("apply", "release.plan")
    assert refused.code == 3
    assert "--rekey" in refused.err
    ended = applied.run("ledger", "migrate", "--rekey", "--by", "ann", "--note", "the file was lost")
    assert ended.code == 0, ended.err
    plan = applied.plan()
    assert plan["by_kind"]["trigger"] == 0, "irreversible operations are unaffected"
    assert plan["by_kind"]["update"] == 1, "values cannot be compared, so updates count as never applied"
    assert applied.apply()["exit"] == 0
    assert applied.times("trigger", "2932682") == 1


def test_without_a_ledger(workspace: Workspace) -> None:
    for command in ("check", "export"):
        assert workspace.run("ledger", command).code == 1
