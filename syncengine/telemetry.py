"""Exports runs as OpenTelemetry traces and metrics. The only module that imports opentelemetry, and only where an
endpoint is configured.

It exports ids, counts, durations and the product's own texts; events hold nothing else. Telemetry never changes a run:
an error here is reported as one warning.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, assert_never

from syncengine.core.events import (
    OperationsSettled,
    PlanLooked,
    RequestAnswered,
    RequestLeft,
    RunBegan,
    RunEnded,
    RunEvent,
    RunStopped,
    SentAgain,
)
from syncengine.core.outcomes import Outcome
from syncengine.core.ports import Listener

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
_WANTED_PROTOCOL = "http/protobuf"
_NAME = "syncengine"


@contextmanager
def telemetry(
    environ: Mapping[str, str], *, version: str, warn: Callable[[str], None]
) -> Iterator[Callable[[], Listener] | None]:
    """Creates exporting listeners, one for each run or shard; None where the OTEL_ variables configure no export.

    Leaving the context flushes pending data. `environ` decides whether to export; the exporter reads the rest of its
    variables from the process.
    """
    signals = {signal: _wanted(environ, signal, warn) for signal in ("TRACES", "METRICS")}
    if not any(signals.values()):
        yield None
        return
    with _one_warning(warn):
        exporting = _set_up(version, warn, traces=signals["TRACES"], metrics=signals["METRICS"])
        if exporting is None:
            yield None
            return
        try:
            parent = environ.get("TRACEPARENT", "")
            yield lambda: _Guarded(RunTelemetry(exporting.tracer, exporting.instruments, parent), warn)
        finally:
            exporting.close()


def _set_up(version: str, warn: Callable[[str], None], *, traces: bool, metrics: bool) -> _Exporting | None:
    try:
        return _Exporting(version, traces=traces, metrics=metrics)
    except ImportError:
        warn("an OTEL_ endpoint is set, but the extra is not installed: pip install 'leadbyte-syncengine[telemetry]'")
    except Exception as error:  # noqa: BLE001 - a telemetry failure must not stop a run; the text may quote an address
        warn(f"telemetry could not be set up ({type(error).__name__}): look at the OTEL_ variables; going on without")
    return None


def _wanted(environ: Mapping[str, str], signal: str, warn: Callable[[str], None]) -> bool:
    """Whether this signal has a destination, by the variables of the OpenTelemetry specification."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if not (environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT") or environ.get(_ENDPOINT)):
        return False
    exporters = {name.strip() for name in environ.get(f"OTEL_{signal}_EXPORTER", "otlp").split(",")}
    if "otlp" not in exporters:
        return False
    protocol = environ.get(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL") or environ.get(_PROTOCOL) or _WANTED_PROTOCOL
    if protocol != _WANTED_PROTOCOL:
        warn(f"{signal.lower()} are not exported: of the OTLP protocols only {_WANTED_PROTOCOL} is supported")
        return False
    return True


class _Exporting:
    """Providers of this export only: the process-wide ones belong to the embedding application."""

    def __init__(self, version: str, *, traces: bool, metrics: bool) -> None:
        from opentelemetry.metrics import NoOpMeterProvider
        from opentelemetry.trace import NoOpTracerProvider

        resource = _resource(version)
        self._tracing = _tracing(resource) if traces else None
        self._metering = _metering(resource) if metrics else None
        self.tracer: Tracer = (self._tracing or NoOpTracerProvider()).get_tracer(_NAME, version)
        self.instruments = Instruments((self._metering or NoOpMeterProvider()).get_meter(_NAME, version))

    def close(self) -> None:
        """Flush pending data, each signal within the exporter's own timeout."""
        for provider in (self._tracing, self._metering):
            if provider is not None:
                with suppress(Exception):
                    provider.shutdown()


def _resource(version: str) -> Resource:
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource

    named = OTELResourceDetector().detect().attributes.get(SERVICE_NAME)
    return Resource.create({SERVICE_NAME: named or _NAME, SERVICE_VERSION: version})


def _tracing(resource: Resource) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _metering(resource: Resource) -> MeterProvider:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    return MeterProvider(metric_readers=[reader], resource=resource, shutdown_on_exit=False)


class Instruments:
    """The metrics that docs/telemetry.md describes."""

    def __init__(self, meter: Meter) -> None:
        self.operations = meter.create_counter(
            "syncengine.operations", unit="{operation}", description="Operations by their outcome in a run."
        )
        self.duration = meter.create_histogram(
            "syncengine.request.duration", unit="s", description="From handing a request over to its answer."
        )
        self.again = meter.create_counter(
            "syncengine.requests.again", unit="{request}", description="Requests that were made of what is sent again."
        )
        self.doubts = meter.create_gauge(
            "syncengine.operations.in_doubt", unit="{operation}",
            description="Operations of the applied plan whose outcome is not known, when the run ended.",
        )  # fmt: skip
        self.runs = meter.create_counter("syncengine.runs", unit="{run}", description="Runs by their exit code.")


class RunTelemetry:
    """A listener for one run: a span for it, one for each request inside it, and metrics."""

    def __init__(self, tracer: Tracer, instruments: Instruments, parent: str = "") -> None:
        self._tracer = tracer
        self._parent = parent
        self._count = instruments
        self._run: Span | None = None
        self._requests: dict[int, Span] = {}
        self._calls: dict[int, str] = {}
        self._account: dict[str, str | int] = {}

    def note(self, text: str) -> None:
        """Ignored: notes are for people."""

    def tell(self, event: RunEvent) -> None:
        """Start and end spans, and update metrics."""
        match event:
            case PlanLooked():
                pass
            case RunBegan():
                self._begin(event)
            case RequestLeft():
                self._leave(event)
            case RequestAnswered():
                self._answer(event)
            case SentAgain():
                self._send_again(event)
            case OperationsSettled(outcome, operations):
                word = "in_doubt" if outcome is Outcome.UNKNOWN else outcome.value
                self._count.operations.add(len(operations), self._account | {"syncengine.outcome": word})
            case RunStopped(cause):
                if self._run is not None:
                    self._run.set_attribute("syncengine.stopped", cause)
            case RunEnded():
                self._end(event)
            case _:
                assert_never(event)

    def _send_again(self, event: SentAgain) -> None:
        self._count.again.add(1, self._account)
        if self._run is not None:
            self._run.add_event("sent again", {"syncengine.request": event.request, "syncengine.wait": event.wait})

    def _begin(self, event: RunBegan) -> None:
        self._account = {"syncengine.account": event.account}
        self._run = self._tracer.start_span(
            "syncengine run",
            context=_context(self._parent),
            attributes={
                "syncengine.run": event.run,
                "syncengine.plan": event.plan,
                "syncengine.changesets": event.changesets,
                "syncengine.to_send": event.operations,
                **self._account,
            },
        )

    def _leave(self, event: RequestLeft) -> None:
        from opentelemetry.trace import SpanKind, set_span_in_context

        self._calls[event.request] = event.call
        self._requests[event.request] = self._tracer.start_span(
            f"PUT {event.call}",
            context=None if self._run is None else set_span_in_context(self._run),
            kind=SpanKind.CLIENT,
            attributes={
                "syncengine.request": event.request,
                "syncengine.entries": event.entries,
                "syncengine.tries": event.tries,
                "syncengine.operation_ids": event.operations,
                **self._account,
            },
        )

    def _answer(self, event: RequestAnswered) -> None:
        told: dict[str, str | int] = {
            "syncengine.call": self._calls.pop(event.request, ""),
            "syncengine.verdict": event.verdict,
            "http.response.status_code": event.status,
        }
        self._count.duration.record(event.seconds, self._account | told)
        span = self._requests.pop(event.request, None)
        if span is None:
            return
        for name in ("applied", "rejected", "unknown", "not_sent"):
            span.set_attribute(f"syncengine.{name}", getattr(event, name))
        for key, value in told.items():
            span.set_attribute(key, value)
        if event.verdict != "elements" or event.unknown or event.rejected:
            _failed(span)
        span.end()

    def _end(self, event: RunEnded) -> None:
        self._count.doubts.set(event.counts.in_doubt, self._account)
        self._count.runs.add(1, self._account | {"syncengine.exit": event.exit})
        for span in self._requests.values():
            _failed(span)
            span.end()
        self._requests.clear()
        if self._run is None:
            return
        for name in ("applied", "rejected", "in_doubt", "already_applied", "not_sent"):
            self._run.set_attribute(f"syncengine.{name}", getattr(event.counts, name))
        self._run.set_attribute("syncengine.requests", event.requests)
        self._run.set_attribute("syncengine.exit", event.exit)
        if event.exit:
            _failed(self._run)
        self._run.end()
        self._run = None


def _failed(span: Span) -> None:
    """Mark the span as failed, without a description: the texts belong in the ledger only."""
    from opentelemetry.trace import Status, StatusCode

    span.set_status(Status(StatusCode.ERROR))


def _context(parent: str) -> Context | None:
    """The parent context from a CI job's TRACEPARENT, where it is set."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None


class _Guarded:
    """Shields the run from errors of telemetry: after the first one it ignores all events."""

    def __init__(self, inner: Listener, warn: Callable[[str], None]) -> None:
        self._inner: Listener | None = inner
        self._warn = warn

    def note(self, text: str) -> None:
        """Ignored: notes are for people."""

    def tell(self, event: RunEvent) -> None:
        """Forward the event unless an error occurred."""
        if self._inner is None:
            return
        try:
            self._inner.tell(event)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on
            self._inner = None
            self._warn(f"telemetry failed ({type(error).__name__}) and is off for the rest of this run")


class _Heard(logging.Handler):
    """Records that the exporter logged an error. Its text may quote an address with a password, and is not shown."""

    complained = False

    def emit(self, record: logging.LogRecord) -> None:
        """Record that it happened, without the text."""
        self.complained = self.complained or record.levelno >= logging.ERROR


@contextmanager
def _one_warning(warn: Callable[[str], None]) -> Iterator[None]:
    """Report the exporter's errors, one per batch and from its own threads, as one warning at the end."""
    logger, handler = logging.getLogger("opentelemetry"), _Heard(logging.WARNING)
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
        if handler.complained:
            warn(
                "telemetry could not be exported, or not all of it: is the collector named in the OTEL_ variables "
                "reachable? The run is not affected"
            )
