"""`status --evidence` reads doubtful leads for the person who resolves them, and decides nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.crash.bench import Bench

READS = {"reads": {"leads": True}, "fields": {"public": ["c1"]}}


def doubtful(bench: Bench, **account: Any) -> None:
    """Two triggers of one lead and one of another: done, and never answered."""
    bench.configure(limits={"attempts": 1}, **account)
    bench.send("before", {"lead": "11", "update": {"c1": "first", "email": "ann@example.com"}})
    bench.faults({"fault": {"effect": "all", "answer": "close"}})
    bench.send("sold", {"lead": "11", "trigger": ["1053", "1054"]}, {"lead": "12", "trigger": ["1053"]})
    bench.faults()


def evidence(bench: Bench, *words: str) -> Any:
    ended = bench.cli("status", "--evidence", "--format", "json", *words)
    assert ended.code == 0, ended
    return ended.json


def test_evidence_shows_masked_values_and_history_since_the_attempt(bench: Bench) -> None:
    doubtful(bench, **READS)
    before, asked = bench.status(), len(bench.requests)
    found = evidence(bench)
    leads = {doubt["lead"] for doubt in found["in_doubt"]}
    assert leads == {"11", "12"}
    assert len(bench.requests) - asked == len(leads), "each lead is read once"
    first = next(doubt for doubt in found["in_doubt"] if doubt["lead"] == "11")
    assert first["evidence"]["values"]["c1"] == "first"
    assert first["evidence"]["values"]["email"] == "a••••••••••••om"
    events = [event["event"] for event in first["evidence"]["history"]]
    assert "Delivery 1053 triggered" in events
    assert not any(event.startswith("Updated") for event in events), "older than the attempt"
    assert {key: value for key, value in found.items() if key != "in_doubt"} == {
        key: value for key, value in before.items() if key != "in_doubt"
    }
    assert all("evidence" not in doubt for doubt in before["in_doubt"])
    assert bench.status() == before, "people resolve"
    text = bench.cli("status", "--evidence").out
    assert "since: " in text
    assert "Delivery 1053 triggered" in text
    assert "ann@example.com" not in text + json.dumps(found)


def test_an_account_without_reads_is_said_and_changes_nothing(bench: Bench) -> None:
    doubtful(bench)
    asked = len(bench.requests)
    found = evidence(bench)
    assert [doubt["evidence"] for doubt in found["in_doubt"]] == [None] * len(found["in_doubt"])
    assert any("does not allow reading leads" in warning for warning in found["warnings"])
    assert len(bench.requests) == asked


def test_a_lead_that_cannot_be_read_is_said(bench: Bench) -> None:
    doubtful(bench, **READS)
    bench.faults({"fault": {"effect": "none", "answer": {"status": 500}}})
    found = evidence(bench)
    assert all(doubt["evidence"] is None for doubt in found["in_doubt"])
    assert sum("no evidence for lead 1" in warning for warning in found["warnings"]) == 2
    (bench.folder / "api.key").unlink()
    assert any("no evidence: " in warning for warning in evidence(bench)["warnings"])


def test_evidence_and_run_are_not_for_each_other(bench: Bench, tmp_path: Path) -> None:
    ended = bench.cli("status", "--evidence", "--run", "x", "--format", "json")
    assert (ended.code, ended.json["error"]["code"]) == (1, "SE901")
