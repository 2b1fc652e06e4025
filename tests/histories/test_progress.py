"""What a run tells while it goes on: on stderr, never among the results."""

from __future__ import annotations

import re

from tests.crash.bench import Bench

LINE = re.compile(r"applying: \d+ of 50, \d+ applied, \d+ rejected, \d+ in doubt, [\d.]+/s, \d+ s left")


def test_a_run_of_seconds_tells_how_far_it_has_come_beside_its_result(bench: Bench) -> None:
    bench.configure(limits={"leads_per_request": 1, "requests_per_second": 20})
    bench.changeset("first", *({"lead": str(500 + number), "update": {"c1": "a"}} for number in range(50)))
    bench.plan()
    ended = bench.process("apply", "release.plan", "--format", "json")
    assert LINE.search(ended.err), ended
    assert ended.json["counts"]["applied"] == 50, ended
    assert "applying" not in ended.out
