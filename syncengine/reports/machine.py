"""Results for programs: one JSON document each (JSON Lines for history). Amounts are decimal text, never numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from syncengine.core.errors import Problem, SyncError
from syncengine.core.finding import Finding
from syncengine.core.operations import IRREVERSIBLE, SPECS, Kind
from syncengine.core.plan import (
    Blocker,
    Counts,
    PlanHeader,
    PlannedOperation,
    PlanProgress,
    PlanSummary,
    Provenance,
    State,
)
from syncengine.core.redaction import Masker
from syncengine.core.results import Doubt, HistoryRow, OperationLine, RunResult, StatusReport, ValidateResult
from syncengine.core.values import format_money
from syncengine.reports.facts import ApprovalsSoFar, progress_words
from syncengine.reports.findings import plan_warnings, shown_value, verdict_of
from syncengine.reports.model import ViewOptions
from syncengine.reports.rows import Diff, Row, row_of

_ENCODER = msgspec.json.Encoder()


def plan_json(
    header: PlanHeader,
    provenance: Provenance,
    operations: Iterable[PlannedOperation],
    summary: PlanSummary,
    options: ViewOptions,
    *,
    file: str = "",
) -> Iterator[str]:
    """One JSON document in pieces, one line per operation where `options.lines` asks for them.

    `file` is the plan's name in its folder, where it is one of several. `operations` is read only where there are
    lines, while the pieces are taken; see schemas/plan-view.v1.schema.json.
    """
    masker = options.masker(exact=True)
    place = {"changeset": provenance.selection.each, "file": file} if file else {}
    head = _encode({**place, **plan_object(header, provenance, summary, masker, options)})
    if not options.lines:
        yield head + "\n"
        return
    yield head[:-1] + ',"lines":['
    comma = "\n"
    for planned in operations:
        if options.shows(planned):
            yield comma + _encode(operation_object(planned, masker))
            comma = ",\n"
    yield "\n]}\n"


def plan_object(
    header: PlanHeader, provenance: Provenance, summary: PlanSummary, masker: Masker, options: ViewOptions
) -> dict[str, Any]:
    """The plan as an object, without its operations one by one."""
    counts = summary.counts
    note = provenance.ledger_note
    progress = options.progress or PlanProgress.of_new(counts)
    going_on = progress_words(progress)
    return {
        **_progress(progress),
        "plan": summary.digest,
        "account": header.account,
        "host": header.host,
        "changesets": [changeset.id for changeset in summary.changesets],
        "leads": counts.leads,
        "operations": {"total": counts.total, **{state.value: getattr(counts, state.value) for state in State}},
        "by_kind": {kind.value: counts.of(kind) for kind in Kind if SPECS[kind].always_counted or counts.of(kind)},
        "irreversible": counts.irreversible,
        "money": {"payout": format_money(counts.payout), "revenue": format_money(counts.revenue)},
        "margin": format_money(counts.margins.new),
        "moved": _moved(counts),
        "skipped_fields": counts.skipped_fields,
        "verdict": verdict_of(summary),
        "findings": [finding_object(finding, masker) for finding in summary.findings],
        "approvals": _approvals(options.approvals),
        "partial": header.partial,
        **_shown(options, counts),
        "blocked": [_blocker(blocker) for blocker in summary.blocked],
        "warnings": [*filter(None, (going_on,)), *plan_warnings(provenance, summary)],
        "created": provenance.created,
        "tool": provenance.tool,
        "made_from": {
            "commit": provenance.made_from.commit or None,
            "branch": provenance.made_from.branch or None,
            "differ": list(provenance.made_from.differ),
            "differing": provenance.made_from.differing,
        },
        "ledger": {"id": provenance.ledger_id, "position": provenance.ledger_position, "note": note},
    }


def plans_json(documents: Iterable[str], warnings: Sequence[str], exit_code: int) -> Iterator[str]:
    """Several plans as one JSON document, in pieces. `documents` are the plans' own ones with commas between them, in
    pieces of any length."""
    yield '{"plans":[\n'
    yield from documents
    yield '],\n"warnings":' + _ENCODER.encode(_clean(list(warnings))).decode() + f',"exit":{exit_code}}}\n'


def _progress(progress: PlanProgress) -> dict[str, Any]:
    """`progress` is null where the plan was never applied."""
    return {
        "progress": progress_words(progress) or None,
        "settled": progress.settled,
        "left": progress.left,
        "money_left": {"payout": format_money(progress.payout), "revenue": format_money(progress.revenue)},
    }


def _approvals(approvals: ApprovalsSoFar | None) -> dict[str, Any]:
    """`needed` is null where no configuration says."""
    if approvals is None:
        return {"needed": None, "given": [], "left_out": []}
    left_out = [{"principal": out.principal, "reason": out.reason} for out in approvals.left_out]
    return {"needed": approvals.needed, "given": list(approvals.given), "left_out": left_out}


def _shown(options: ViewOptions, counts: Counts) -> dict[str, Any]:
    """Of a view of a part: how many operations it lists."""
    return {} if options.part is None else {"shown": {"operations": options.part.count, "of": counts.total}}


def _moved(counts: Counts) -> dict[str, Any]:
    moved = {"payout": counts.payouts, "revenue": counts.revenues, "margin": counts.margins}
    return {
        name: {
            "known": sums.known,
            "unknown": sums.unknown,
            "before": format_money(sums.old),
            "after": format_money(sums.known_new),
        }
        for name, sums in moved.items()
    }


def _blocker(blocker: Blocker) -> dict[str, Any]:
    return {
        "operation": blocker.operation,
        "lead": blocker.lead,
        "kind": blocker.kind,
        "reason": blocker.reason,
    }


def finding_object(finding: Finding, masker: Masker) -> dict[str, Any]:
    """One finding as JSON: values as the view may show them."""
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "changeset": finding.changeset,
        "change": finding.change,
        "count": finding.count,
        "leads": list(finding.leads),
        "evidence": [
            {
                "operation": evidence.operation,
                "lead": evidence.lead,
                "field": evidence.field,
                "before": shown_value(evidence.field, evidence.before, masker),
                "after": shown_value(evidence.field, evidence.after, masker),
                "file": evidence.file,
                "line": evidence.line,
                "row": evidence.row,
            }
            for evidence in finding.evidence
        ],
    }


def line_object(row: Row) -> dict[str, Any]:
    """One operation as JSON: values as the view may show them."""
    return {
        "operation": row.id,
        "changeset": row.changeset,
        "change": row.change,
        "lead": row.lead,
        "kind": row.kind.value,
        "irreversible": row.kind in IRREVERSIBLE,
        "state": row.state.value,
        "source": row.source,
        "detail": row.what,
        "values": [_diff(diff, sent=diff.sent and row.state is State.TO_SEND) for diff in row.diffs],
        "reason": row.reason,
        "done_before": list(row.done),
    }


def _diff(diff: Diff, *, sent: bool) -> dict[str, Any]:
    return {
        "name": diff.name,
        "before": diff.before,
        "after": diff.after,
        "origin": diff.origin,
        "sent": sent,
    }


def operation_object(planned: PlannedOperation, masker: Masker) -> dict[str, Any]:
    """One planned operation as an item of a plan's `lines`."""
    return line_object(row_of(planned, masker))


def validate_object(result: ValidateResult) -> dict[str, Any]:
    """What `validate --format json` prints."""
    return {
        "valid": result.valid,
        "changesets": result.changesets,
        "operations": result.operations,
        "leads": result.leads,
        "diagnostics": [problem_object(problem) for problem in result.problems],
        "more": dict(result.more),
    }


def problem_object(problem: Problem) -> dict[str, Any]:
    """One diagnostic. Line and column count from 1; 0 means the file as a whole. `row` is a source's data row."""
    return _chosen(problem, "code", "severity", "message", "file", "line", "column", "row", "hint")


def apply_object(result: RunResult) -> dict[str, Any]:
    """What `apply --format json` prints."""
    return {
        "run": result.run,
        "plan": result.plan,
        "counts": _object(result.counts),
        "queued": result.queued,
        "requests": result.requests,
        "rejected": [_line(line) for line in result.rejected],
        "in_doubt": [_line(line) for line in result.in_doubt],
        "unrecorded": [_chosen(line, "operation", "lead", "kind") for line in result.unrecorded],
        "not_sent_reasons": dict(result.not_sent_reasons),
        "warnings": list(result.warnings),
        "stopped": result.stopped,
        "claimed_by_ci": result.claimed,
        "pin": result.pin_line,
        "exit": int(result.exit),
    }


def _line(line: OperationLine) -> dict[str, Any]:
    return _chosen(line, "operation", "lead", "kind", "message")


def status_object(report: StatusReport) -> dict[str, Any]:
    """What `status --format json` prints."""
    return {
        "ledger": {"id": report.ledger_id, "url": report.ledger_url},
        "counts": _object(report.counts),
        "in_doubt": [{**_doubt(line), **_evidence(report, line)} for line in report.in_doubt],
        "unfinished_plans": [_object(plan) for plan in report.unfinished_plans],
        "contradictions": list(report.contradictions),
        "warnings": list(report.warnings),
        "submitted": [_object(run) for run in report.shared_runs],
        "workers": [_object(worker) for worker in report.workers],
    }


def _doubt(doubt: Doubt) -> dict[str, Any]:
    return _chosen(doubt, "operation", "lead", "kind", "changeset", "run", "since", "delivery", "message", "in_flight")


def _evidence(report: StatusReport, doubt: Doubt) -> dict[str, Any]:
    """Null for a lead that could not be read: `warnings` say why."""
    if report.evidence is None:
        return {}
    found = report.evidence.get(doubt.operation)
    return {"evidence": None if found is None else _object(found)}


def _object(value: msgspec.Struct) -> dict[str, Any]:
    """All fields of a struct that is published as it is."""
    return {name: _clean(item) for name, item in msgspec.to_builtins(value).items()}


def _chosen(value: msgspec.Struct, *names: str) -> dict[str, Any]:
    """These fields of a struct that holds more than is published."""
    return {name: getattr(value, name) for name in names}


def history_jsonl(rows: Iterable[HistoryRow]) -> Iterator[str]:
    """JSON Lines, one object per operation, each with its line end."""
    for row in rows:
        try:
            yield _ENCODER.encode(row).decode() + "\n"
        except UnicodeEncodeError:
            yield _encode(_object(row)) + "\n"


def error_object(error: SyncError) -> dict[str, Any]:
    """What any command prints with `--format json` when it fails. `diagnostics` only where there are any."""
    diagnostics = [problem_object(problem) for problem in error.problems]
    return {
        "error": {"code": error.code, "message": error.message, "hint": error.hint},
        **({"diagnostics": diagnostics} if diagnostics else {}),
        "exit": int(error.exit),
    }


def document(value: dict[str, Any]) -> str:
    """`value` as one indented JSON document with a line end."""
    return msgspec.json.format(_ENCODER.encode(_clean(value)), indent=2).decode() + "\n"


def _encode(value: dict[str, Any]) -> str:
    return _ENCODER.encode(_clean(value)).decode()


def _clean(value: Any) -> Any:
    """`value` with lone surrogates, which no JSON text can hold, replaced."""
    match value:
        case str():
            return value if value.isascii() else value.encode("utf-8", "replace").decode()
        case dict():
            return {_clean(name): _clean(item) for name, item in value.items()}
        case list() | tuple():
            return [_clean(item) for item in value]
        case _:
            return value
