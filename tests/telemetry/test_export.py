"""OpenTelemetry, judged by what arrives at a collector."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from syncengine.sandbox.faults_file import parse_script
from tests.cli.console import environment
from tests.telemetry.collector import Collector
from tests.workspace import Workspace

SECRETS = ("TN25 6QD", "Ermintrude", "8123.45", "TN25", "9123.55")
CHANGES = """
- lead: "101"
  update: {postcode: TN25 6QD}
  trigger: ["1053"]
- lead: "102"
  update: {firstname: Ermintrude}
- lead: "103"
  financials: {payout: 8123.45, revenue: 9123.55}
"""


def trouble(workspace: Workspace, *rules: dict[str, object]) -> None:
    workspace.sandbox.set_faults(parse_script(json.dumps({"rules": list(rules)}).encode()))


@pytest.fixture
def planned(workspace: Workspace) -> Workspace:
    workspace.changeset("repair", CHANGES)
    workspace.plan()
    return workspace


def test_a_run_is_one_trace_with_a_span_for_each_request(planned: Workspace, collector: Collector) -> None:
    ended = planned.run("apply", "release.plan", "--format", "json", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    result = ended.json
    assert ended.code == 0
    assert "warning" not in ended.err
    (run,) = collector.named("syncengine run")
    assert run.attributes | {"syncengine.exit": 0} == run.attributes
    assert run.attributes["syncengine.run"] == result["run"]
    assert run.attributes["syncengine.plan"] == result["plan"]
    assert run.attributes["syncengine.account"] == "acme"
    assert run.attributes["syncengine.changesets"] == ["repair"]
    assert (run.attributes["syncengine.to_send"], run.attributes["syncengine.applied"]) == (4, 4)
    assert not run.failed
    requests = [span for span in collector.spans if span is not run]
    assert sorted(span.name for span in requests) == ["PUT leadfinancials", "PUT leads"]
    assert {(span.parent, span.trace) for span in requests} == {(run.id, run.trace)}
    assert {span.attributes["http.response.status_code"] for span in requests} == {200}
    assert sum(span.attributes["syncengine.applied"] for span in requests) == 4
    assert all(0 <= span.seconds <= run.seconds for span in requests)
    told = {each for span in requests for each in span.attributes["syncengine.operation_ids"]}
    assert told == {line["id"] for line in planned.operations()}
    assert {resource["service.name"] for resource in collector.resources} == {"syncengine"}


def test_metrics_count_operations_by_outcome_requests_and_doubts(planned: Workspace, collector: Collector) -> None:
    trouble(planned, {"match": {"nth": 1}, "fault": {"answer": {"status": 500}, "effect": "none"}})
    ended = planned.run("apply", "release.plan", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert ended.code == 5
    outcomes = {
        point.attributes["syncengine.outcome"]: point.value for point in collector.points_of("syncengine.operations")
    }
    assert outcomes == {"applied": 3, "in_doubt": 1}
    durations = collector.points_of("syncengine.request.duration")
    assert sum(point.count for point in durations) == 3
    assert {
        (point.attributes["syncengine.call"], point.attributes["http.response.status_code"]) for point in durations
    } == {("leads", 500), ("leads", 200), ("leadfinancials", 200)}
    assert all(point.value >= 0 for point in durations)
    assert [point.value for point in collector.points_of("syncengine.requests.again")] == [1]
    assert [point.value for point in collector.points_of("syncengine.operations.in_doubt")] == [1]
    assert [point.attributes["syncengine.exit"] for point in collector.points_of("syncengine.runs")] == [5]
    (run,) = collector.named("syncengine run")
    assert run.failed
    assert run.events == ["sent again"]


def test_why_a_run_stopped(planned: Workspace, collector: Collector) -> None:
    trouble(planned, {"fault": {"answer": {"status": 403}, "effect": "none"}})
    assert planned.run("apply", "release.plan", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url).code == 4
    (run,) = collector.named("syncengine run")
    assert run.attributes["syncengine.stopped"] == "key refused"


def test_no_value_no_lead_and_no_key_is_exported(planned: Workspace, collector: Collector) -> None:
    trouble(
        planned,
        {"match": {"lead": "102"}, "fault": {"reject": {"message": "Ermintrude of TN25 6QD is not welcome"}}},
    )
    assert planned.run("apply", "release.plan", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url).code == 4
    everything = b"".join(collector.bodies)
    assert b"syncengine.plan" in everything
    for secret in (*SECRETS, planned.api_key, "welcome"):
        assert secret.encode() not in everything
    assert b"Authorization" not in everything
    values = [value for span in collector.spans for value in span.attributes.values()]
    assert not {"101", "102", "103"} & {str(value) for value in values}


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_SERVICE_NAME": "x"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "URL", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "URL", "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
    ],
)
def test_it_is_off_unless_an_endpoint_is_set(
    planned: Workspace, collector: Collector, variables: dict[str, str]
) -> None:
    env = {name: value.replace("URL", collector.url) for name, value in variables.items()}
    assert planned.run("apply", "release.plan", **env).code == 0
    assert collector.bodies == []


def test_one_signal_alone(planned: Workspace, collector: Collector) -> None:
    endpoint = f"{collector.url}/v1/traces"
    assert planned.run("apply", "release.plan", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=endpoint).code == 0
    assert collector.spans
    assert not collector.points


def test_the_environment_names_the_service_and_the_parent(planned: Workspace, collector: Collector) -> None:
    planned.run(
        "apply",
        "release.plan",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_SERVICE_NAME="leads-nightly",
        OTEL_EXPORTER_OTLP_HEADERS="x-tenant=blue",
        TRACEPARENT="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    (run,) = collector.named("syncengine run")
    assert (run.trace.hex(), run.parent.hex()) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    assert {resource["service.name"] for resource in collector.resources} == {"leads-nightly"}
    assert {headers["x-tenant"] for headers in collector.headers} == {"blue"}


def test_nothing_but_apply_exports_and_the_service_gets_no_trace_header(
    planned: Workspace, collector: Collector
) -> None:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    for words in (("validate", "changesets"), ("plan", "changesets", "--offline"), ("plan", "changesets"), ("status",)):
        assert planned.run(*words, **env).code == 0
    assert collector.bodies == []
    assert planned.run("apply", "release.plan", **env).code == 0
    assert collector.bodies
    for request in planned.requests:
        assert not {name.lower() for name, _ in request["headers"]} & {"traceparent", "tracestate", "baggage"}


def test_a_collector_that_refuses_or_is_away_costs_a_warning_and_nothing_else(
    planned: Workspace, collector: Collector
) -> None:
    collector.answer = 400
    ended = planned.run("apply", "release.plan", "--log-format", "json", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert ended.code == 0
    lines = [json.loads(line) for line in ended.err.splitlines()]
    warnings = [line["message"] for line in lines if line["level"] == "warning"]
    assert len([each for each in warnings if "telemetry" in each]) == 1
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = f"http://user:s3cret@127.0.0.1:{nobody.getsockname()[1]}"
        planned.changeset("repair", CHANGES.replace("TN25 6QD", "TN25 6QE"))
        planned.plan()
        ended = planned.run("apply", "release.plan", OTEL_EXPORTER_OTLP_ENDPOINT=away, OTEL_EXPORTER_OTLP_TIMEOUT="1")
    assert ended.code == 0
    assert ended.err.count("telemetry could not be exported") == 1
    assert "s3cret" not in ended.err + ended.out


def test_a_variable_that_cannot_be_read_is_not_repeated(planned: Workspace, collector: Collector) -> None:
    """It may hold a secret; the exporter's own complaint would quote it."""
    ended = planned.process(
        "apply",
        "release.plan",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_EXPORTER_OTLP_HEADERS="authorization: Bearer s3cret",
        OTEL_RESOURCE_ATTRIBUTES="s3cret",
        OTEL_EXPORTER_OTLP_TIMEOUT="s3cret",
    )
    assert ended.code == 0
    assert "s3cret" not in ended.err + ended.out


def test_another_protocol_is_named(planned: Workspace, collector: Collector) -> None:
    ended = planned.run(
        "apply", "release.plan", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc"
    )
    assert (ended.code, collector.bodies) == (0, [])
    assert "only http/protobuf is supported" in ended.err


WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
from syncengine.__main__ import main
main()
"""


def test_without_the_extra_a_warning_says_what_to_install(planned: Workspace, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "apply", "release.plan"],
        cwd=planned.root,
        env=environment(LEADBYTE_API_KEY=planned.api_key, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "pip install 'leadbyte-syncengine[telemetry]'" in done.stderr


def test_it_is_imported_only_where_it_is_used(planned: Workspace) -> None:
    code = (
        "import sys; from syncengine.cli.main import run; code = run(['apply', 'release.plan']); "
        "sys.exit(code or any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=planned.root,
        env=kept | {"LEADBYTE_API_KEY": planned.api_key},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
