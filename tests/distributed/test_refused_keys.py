"""A worker whose API key the service refuses leaves the account's shards to workers with another key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.crash.bench import Bench
from tests.distributed.crew import PATIENCE, Crew, await_end, is_open, submit, until


def triggers(count: int, first: int = 5000) -> list[dict[str, Any]]:
    return [{"lead": str(first + number), "trigger": ["1053"]} for number in range(count)]


def prepared(bench: Bench, **accounts: str) -> None:
    """An account for each name, with this key, and a plan of eight triggers for each: NAME.plan."""
    limits = {"concurrency": 2, "leads_per_request": 1, "irreversible_per_request": 1}
    bench.configure(limits=limits)
    path = bench.folder / "syncengine.yaml"
    document = json.loads(path.read_text())
    settings = document["accounts"].pop("acme")
    for number, (name, key) in enumerate(accounts.items()):
        document["accounts"][name] = settings | {"api_key": f"file:{name}.key"}
        write_key(bench, name, key)
        bench.changeset(name, *triggers(8, first=5000 + 100 * number), account=name)
    path.write_text(json.dumps(document))
    for name in accounts:
        bench.plan(name, out=f"{name}.plan")


def write_key(bench: Bench, name: str, key: str) -> None:
    path = bench.folder / f"{name}.key"
    path.write_text(key)
    path.chmod(0o600)


@pytest.mark.parametrize("options", [(), ("--drain",)], ids=["serving", "draining"])
def test_a_run_that_a_worker_is_refused_stays_open_for_others(bench: Bench, options: tuple[str, ...]) -> None:
    prepared(bench, acme="wrong")
    run = submit(bench, "acme.plan")
    ended = bench.process("worker", *options, "--format", "json", "--log-format", "json", timeout=PATIENCE)
    assert (ended.code, ended.json["exit"]) == (4, 4), ended
    [refused] = ended.json["refused"]
    assert refused["account"] == "acme"
    assert "key" in refused["reason"]
    lines = [json.loads(line) for line in ended.err.splitlines()]
    assert any("takes no more of its shards" in json.dumps(line) for line in lines)
    assert is_open(bench, run)
    assert bench.effects == []
    write_key(bench, "acme", bench.sandbox.api_key)
    ended = bench.process("worker", "--drain", timeout=PATIENCE)
    assert ended.code == 0, ended
    assert await_end(bench, run)["counts"]["applied"] == 8
    assert set(bench.done().values()) == {1}


def test_a_worker_that_is_refused_one_account_goes_on_with_the_others(bench: Bench) -> None:
    prepared(bench, acme="wrong", other=bench.sandbox.api_key)
    refused, served = submit(bench, "acme.plan"), submit(bench, "other.plan")
    ended = bench.process("worker", "--drain", timeout=PATIENCE)
    assert ended.code == 4, ended
    assert "account acme: no more of its shards were taken" in ended.out
    assert await_end(bench, served)["counts"]["applied"] == 8
    assert is_open(bench, refused)


def test_a_worker_with_the_right_key_takes_over(bench: Bench) -> None:
    prepared(bench, acme="wrong")
    with Crew(bench) as crew:
        wrong = crew.start()
        until(lambda: bool(bench.status()["workers"]), "a worker")
        write_key(bench, "acme", bench.sandbox.api_key)
        crew.start()
        run = submit(bench, "acme.plan")
        assert await_end(bench, run)["counts"]["applied"] == 8
        if wrong.process.poll() is not None:
            assert wrong.wait() == 4
    assert set(bench.done().values()) == {1}


def test_a_worker_says_why_a_run_was_stopped(bench: Bench) -> None:
    prepared(bench, acme=bench.sandbox.api_key)
    bench.faults({"fault": {"reject": {}}})
    path = bench.folder / "syncengine.yaml"
    policy = {"stop_when": {"rejected_percent": 100, "after": 2}}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"policy": policy}))
    bench.plan("acme", out="acme.plan")
    run = submit(bench, "acme.plan")
    ended = bench.process("worker", "--drain", "--format", "json", timeout=PATIENCE)
    assert [stopped["run"] for stopped in ended.json["stopped"]] == [run]
    assert "stop_when.rejected_percent" in ended.json["stopped"][0]["reason"]
    assert f"run {run} of account acme is stopped" in ended.err
