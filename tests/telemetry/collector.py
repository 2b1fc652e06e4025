"""A collector: OTLP over HTTP on loopback, decoded with the protocol's own messages."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    name: str
    id: bytes
    parent: bytes
    trace: bytes
    failed: bool
    seconds: float
    attributes: dict[str, Any]
    events: list[str]


@dataclass(frozen=True)
class Point:
    metric: str
    value: float
    count: int
    attributes: dict[str, Any]


class Collector:
    """`answer` is the status that every export gets; `bodies` is everything that arrived, byte for byte."""

    def __init__(self) -> None:
        self.answer = 200
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.resources: list[dict[str, Any]] = []
        self.spans: list[Span] = []
        self.points: list[Point] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector._take(self.path, dict(self.headers), body)
                self.send_response(collector.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_request(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Collector:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def points_of(self, metric: str) -> list[Point]:
        return [point for point in self.points if point.metric == metric]

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.bodies.append(body)
        self.headers.append(headers)
        if self.answer != 200:
            return
        if path == "/v1/traces":
            traces = ExportTraceServiceRequest.FromString(body)
            for resource in traces.resource_spans:
                self.resources.append(_attributes(resource.resource.attributes))
                self.spans += [_span(span) for scope in resource.scope_spans for span in scope.spans]
        elif path == "/v1/metrics":
            metrics = ExportMetricsServiceRequest.FromString(body)
            self.points += [
                point
                for resource in metrics.resource_metrics
                for scope in resource.scope_metrics
                for metric in scope.metrics
                for point in _points(metric)
            ]
        else:
            raise AssertionError(path)


def _span(span: Any) -> Span:
    return Span(
        name=span.name,
        id=span.span_id,
        parent=span.parent_span_id,
        trace=span.trace_id,
        failed=span.status.code == 2,
        seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        attributes=_attributes(span.attributes),
        events=[event.name for event in span.events],
    )


def _points(metric: Any) -> list[Point]:
    kind = metric.WhichOneof("data")
    points = getattr(metric, kind).data_points
    return [
        Point(
            metric=metric.name,
            value=point.sum if kind == "histogram" else point.as_int or point.as_double,
            count=point.count if kind == "histogram" else 1,
            attributes=_attributes(point.attributes),
        )
        for point in points
    ]


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind)
