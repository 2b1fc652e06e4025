"""`ledger check` beside a run that commits all the time: what it says is about one moment, and no false alarm."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.crash.bench import Bench

LEADS = 3000
LIMITS = {"concurrency": 4, "leads_per_request": 5, "requests_per_second": 1000}


@pytest.mark.parametrize("on", ["bench", "server_bench"])
def test_a_ledger_in_use_is_sound_at_every_moment(on: str, request: pytest.FixtureRequest) -> None:
    bench: Bench = request.getfixturevalue(on)
    bench.configure(limits=LIMITS)
    bench.changeset("first", *[{"lead": str(5000 + number), "update": {"c1": "x"}} for number in range(LEADS)])
    bench.plan()
    bench.faults({"fault": {"delay_before": 0.002}})
    head = ""
    with ExitStack() as stack:
        runner = bench.start("apply", "release.plan")
        seen = set()
        stack.callback(runner.wait)
        stack.callback(runner.kill)
        while runner.poll() is None:
            words = ("--head", head) if head else ()
            checked = bench.cli("ledger", "check", "--format", "json", *words)
            assert checked.code == 0, checked
            head = checked.json["head"]
            assert head.startswith(f"{checked.json['position']}-")
            seen.add(head)
    assert runner.returncode == 0
    assert len(seen) > 3, "the checks did not meet the run"
