"""What workers log and export: every shard that they took up, under the one run's id."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.bench import Bench
from tests.distributed.crew import PATIENCE, submit
from tests.postgres_server import PostgresServer, postgres_server
from tests.telemetry.collector import Collector

__all__ = ["postgres_server"]


@pytest.fixture
def bench(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Bench]:
    with Bench(tmp_path / "bench", ledger_url=postgres_server.new_database()) as made:
        made.found()
        yield made


def test_the_shards_of_a_run_are_spans_and_lines_with_its_id(
    bench: Bench, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = [{"lead": str(lead), "update": {"postcode": "TN25 6QD"}} for lead in range(5000, 5030)]
    bench.configure(limits={"concurrency": 2, "leads_per_request": 5})
    bench.changeset("first", *changes)
    bench.plan()
    run = submit(bench)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    ended = bench.process("worker", "--drain", "--log-format", "json", timeout=PATIENCE)
    assert ended.code == 0
    lines = [json.loads(line) for line in ended.err.splitlines()]
    settled = [each for line in lines if line["event"] == "settled" for each in line["operations"]]
    assert len(settled) == len(set(settled)) == 30
    assert {line["run"] for line in lines if line["event"] in ("run began", "settled", "run ended")} == {run}
    shards = collector.named("syncengine run")
    assert shards
    assert {span.attributes["syncengine.run"] for span in shards} == {run}
    assert sum(span.attributes["syncengine.applied"] for span in shards) == 30
    requests = collector.named("PUT leads")
    assert {span.parent for span in requests} <= {span.id for span in shards}
    assert {each for span in requests for each in span.attributes["syncengine.operation_ids"]} == set(settled)
    assert sum(point.value for point in collector.points_of("syncengine.operations")) == 30
    told = b"".join(collector.bodies) + ended.err.encode()
    assert b"TN25 6QD" not in told
    assert b"5007" not in told
