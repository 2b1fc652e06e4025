"""Ledgers kept from an earlier version: every kind, outcome and verdict, resolutions, an erasure, a new key.

They were written by version 0.1.0 through its command line and are never made anew: what was recorded then is read for
good, once `ledger migrate` has brought the schema up to date. `history.jsonl` is what that version printed of the one
on SQLite.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from syncengine.core import outcomes
from syncengine.sandbox import Sandbox, SandboxOptions
from tests.postgres_server import PostgresServer
from tests.workspace import Workspace

KEPT = Path(__file__).with_name("kept")
HEADS = {"sqlite": "101-fcd335f341eddd361812cc9cb1a20758", "postgres": "105-7ca71b4aa19ab23d4af3c1ae863b1ef4"}
STATUS = {
    "sqlite": {"applied": 17, "rejected": 4, "in_doubt": 5, "not_sent": 3},
    "postgres": {"applied": 19, "rejected": 4, "in_doubt": 5, "not_sent": 3},
}


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def kept(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    """A repository whose ledger is the kept one."""
    with Sandbox(SandboxOptions(any_lead=True, state=tmp_path / "service")).start() as sandbox:
        place = Workspace(tmp_path, sandbox)
        shutil.copytree(KEPT / "changesets", tmp_path / "changesets")
        folder = tmp_path / ".syncengine"
        folder.mkdir(mode=0o700)
        if engine == "sqlite":
            shutil.copy(KEPT / "ledger.db", folder)
            shutil.copy(KEPT / "ledger.key", folder)
        else:
            server: PostgresServer = request.getfixturevalue("postgres_server")
            url = server.new_database()
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute((KEPT / "postgres.sql").read_bytes())
            shutil.copy(KEPT / "postgres.key", folder / "ledger.key")
            configuration = tmp_path / "syncengine.yaml"
            configuration.write_text(configuration.read_text() + f"ledger: {{url: {url}}}\n")
        (folder / "ledger.key").chmod(0o600)
        migrated = place.run("ledger", "migrate")
        assert migrated.code == 0, migrated.err
        yield place


def history(place: Workspace) -> list[dict[str, Any]]:
    return [json.loads(line) for line in place.run("history", "--format", "json").out.splitlines()]


def records(place: Workspace, kind: str) -> list[Any]:
    lines = [json.loads(line) for line in place.run("ledger", "export").out.splitlines()]
    return [line for line in lines if line.get("record") == kind]


def test_the_hash_chains_are_sound_up_to_the_head_that_was_noted_then(kept: Workspace, engine: str) -> None:
    ended = kept.run("ledger", "check", "--head", HEADS[engine], "--format", "json")
    assert (ended.code, ended.json["sound"], ended.json["head"]) == (0, True, HEADS[engine])


def test_status_counts_what_was_counted_then(kept: Workspace, engine: str) -> None:
    status = kept.run("status", "--format", "json").json
    assert status["counts"] == STATUS[engine]
    assert Counter(line["kind"] for line in status["in_doubt"]) == {"update": 3, "trigger": 2}
    assert not any(line["in_flight"] for line in status["in_doubt"])


def test_history_prints_what_it_printed_then(kept: Workspace, engine: str) -> None:
    printed = kept.run("history", "--format", "json").out
    if engine == "sqlite":
        assert printed == (KEPT / "history.jsonl").read_text()
    kinds = {json.loads(line)["kind"] for line in printed.splitlines()}
    assert kinds == {"update", "reprocess", "trigger", "financials", "release", "reject"}


def test_every_operation_is_explained(kept: Workspace) -> None:
    for row in history(kept):
        ended = kept.run("explain", row["operation"], "--format", "json")
        assert ended.code == 0, ended.err
        assert len(ended.json["attempts"]) == row["attempts"]


def test_planning_repeats_nothing_that_was_done_or_is_in_doubt(kept: Workspace) -> None:
    ended = kept.run("plan", "changesets/every-kind.yaml", "--format", "json")
    assert ended.code == 0, ended.err
    states = {line["kind"]: line["state"] for line in ended.json["lines"] if line["irreversible"]}
    assert states == dict.fromkeys(("trigger", "reprocess", "release", "reject"), "already_applied")
    doubt = kept.run("plan", "changesets/doubt-open.yaml", "--format", "json").json
    assert {line["kind"]: line["state"] for line in doubt["lines"]}["trigger"] == "in_doubt"


def test_new_records_continue_the_old_chains(kept: Workspace) -> None:
    changed = kept.root / "changesets" / "too-large.yaml"
    assert kept.run("plan", str(changed), "--out", "next.plan").code == 0
    assert kept.run("apply", "next.plan", "--claimed-approval", "anna, run 17").code == 0
    assert "claimed by CI: anna, run 17" in kept.run("history", "--changeset", "too-large", COLUMNS="200").out
    ended = kept.run("ledger", "check", "--format", "json")
    assert ended.json["sound"], ended.json


def test_verdicts_are_recorded_under_the_names_of_the_first_version(kept: Workspace) -> None:
    named = {verdict.recorded for verdict in outcomes.Verdict.__args__}
    assert named == {"elements", "notsent", "unread", "refused", "denied", "lost", "redirected"}
    assert {record["content"][1] for record in records(kept, "answer")} == named | {"baseline"}
