"""What apply, status and history say on a terminal. Colour only repeats what words and symbols say.

Problems in files look the same everywhere: syncengine.documents.diagnostics renders them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from syncengine.core.errors import Exit
from syncengine.core.redaction import visible
from syncengine.core.results import (
    Doubt,
    DoubtEvidence,
    HistoryRow,
    OperationLine,
    RunResult,
    SharedRun,
    StatusReport,
    UnfinishedPlan,
)
from syncengine.reports.layout import Page, Piece, Style, cells, cut
from syncengine.reports.model import ViewOptions
from syncengine.reports.vocabulary import clip, number, plural, short

LISTED = 20
"""How many operations of one kind of trouble are listed before the rest is counted."""

_OUTCOME: dict[str, tuple[str, Style]] = {
    "applied": ("ok", "good"),
    "rejected": ("x ", "alarm"),
    "in_doubt": ("??", "alarm"),
    "not_sent": ("- ", "dim"),
}


def _page(options: ViewOptions) -> Page:
    return Page(options.columns, colour=options.colour)


# apply


def apply_text(result: RunResult, options: ViewOptions) -> Iterator[str]:
    """What a run did: its counts, then everything that did not go well, then what to do next."""
    page = _page(options)
    counts = result.counts
    title = f"Run {visible(result.run)}" if result.run else "No run was needed"
    yield from page.line(Piece(title, "bold"), Piece(f"  plan {short(result.plan)}", "dim"), hang=2)
    yield from _counts(page, result)
    if result.claimed:
        yield from page.line(Piece("approved, as claimed by CI: ", "warn"), visible(result.claimed), indent=2, hang=2)
    requests = plural(result.requests, "request")
    yield from page.line(Piece(f"{requests}, {plural(counts.total, 'operation')} in the plan", "dim"), indent=2)
    yield from _trouble(page, "?? In doubt", result.in_doubt, counts.in_doubt, "alarm")
    yield from _trouble(page, "?? Answered, but not recorded", result.unrecorded, len(result.unrecorded), "alarm")
    yield from _trouble(page, "x Rejected", result.rejected, counts.rejected, "alarm")
    yield from _kept_back(page, result)
    for warning in result.warnings:
        yield from page.line(Piece("! ", "warn"), clip(visible(warning), 400), hang=2)
    if result.stopped:
        yield ""
        yield from page.line(Piece("Stopped: ", "alarm"), visible(result.stopped), hang=2)
    yield from _next(page, result)


def _counts(page: Page, result: RunResult) -> Iterator[str]:
    counts = result.counts
    told: list[tuple[str, int, Style]] = [
        ("ok applied", counts.applied, "good"),
        ("x  rejected", counts.rejected, "alarm"),
        ("?? in doubt", counts.in_doubt, "alarm"),
        ("=  already applied", counts.already_applied, "plain"),
        ("-  not sent", counts.not_sent, "warn"),
    ]
    width = max(len(number(count)) for _, count, _ in told)
    for label, count, style in told:
        if count or label == "ok applied":
            yield from page.line(Piece(f"{label:<19}{number(count):>{width}}", style if count else "dim"), indent=2)
        if label == "ok applied" and result.queued:
            text = f"   {'of these queued':<16}{number(result.queued):>{width}}"
            yield from page.line(Piece(text, "warn"), Piece("  the service carries them out later", "dim"),
                                 indent=2, hang=2)  # fmt: skip


def _trouble(page: Page, title: str, lines: Sequence[OperationLine], total: int, style: Style) -> Iterator[str]:
    if not lines:
        return
    yield from page.heading(title, plural(total, "operation"), style)
    for line in lines[:LISTED]:
        yield from page.line(
            Piece(short(line.operation), "key"),
            f"  {visible(line.kind)} lead {visible(line.lead)}",
            f"  {clip(visible(line.message), 300)}" if line.message else "",
            indent=2,
            hang=2,
        )
    if total > LISTED:
        yield from page.line(
            Piece(f"… and {number(total - LISTED)} more: syncengine history has them", "dim"), indent=2
        )


def _kept_back(page: Page, result: RunResult) -> Iterator[str]:
    if not result.counts.not_sent:
        return
    yield from page.heading("- Not sent", plural(result.counts.not_sent, "operation"), "warn")
    ordered = sorted(result.not_sent_reasons.items(), key=lambda item: -item[1])
    for reason, count in ordered[:LISTED]:
        yield from page.line(f"{number(count)}  {clip(visible(reason), 300)}", indent=2, hang=2)


def _next(page: Page, result: RunResult) -> Iterator[str]:
    yield ""
    step = _next_step(result)
    if step:
        yield from page.line(*step, hang=2)
    if result.pin_line:
        yield from page.line(Piece("Commit to syncengine.yaml: ", "bold"), visible(result.pin_line), hang=2)


def _next_step(result: RunResult) -> tuple[Piece | str, ...]:
    counts = result.counts
    if counts.in_doubt:
        first = short(result.in_doubt[0].operation) if result.in_doubt else "OPERATION"
        text = (
            f"It is not known whether {plural(counts.in_doubt, 'operation')} took effect. "
            f"Look at the leads in LeadByte, then: "
            f'syncengine resolve {first} --as applied|not-applied --by NAME --note "what you saw"'
        )
        return Piece("Next: ", "alarm"), text
    path = visible(result.plan_path) or "PLAN"
    if result.unrecorded:
        text = (
            f"The ledger takes {plural(len(result.unrecorded), 'operation')} for doubts. Repair it, then see: "
            f"syncengine status. Updates and financials are sent again by: syncengine apply {path}"
        )
        return Piece("Next: ", "alarm"), text
    if counts.rejected:
        rows = f"; the rows of sources: syncengine rejects {result.run} --out FILE" if result.run else ""
        return Piece("Next: ", "warn"), f"fix what was rejected and plan again{rows}"
    if counts.not_sent:
        return Piece("Next: ", "warn"), f"go on with: syncengine apply {path}"
    if result.exit == Exit.DONE:
        return (Piece("Done: everything in this plan is applied.", "good"),)
    return ()


# status


def status_text(report: StatusReport, options: ViewOptions) -> Iterator[str]:
    """What is unresolved: doubts first, then unfinished plans, then the counts."""
    page = _page(options)
    name = visible(report.ledger_id) if report.ledger_id else "none yet"
    yield from page.line(Piece("Ledger ", "bold"), Piece(name, "key"), Piece(f"  {visible(report.ledger_url)}", "dim"))
    for warning in report.warnings:
        yield from page.line(Piece("! ", "warn"), visible(warning), hang=2)
    yield from _doubts(page, report)
    for contradiction in report.contradictions:
        yield from page.line(Piece("x  Contradiction: ", "alarm"), visible(contradiction), hang=3)
    if report.unfinished_plans:
        yield from page.heading("Unfinished plans", plural(len(report.unfinished_plans), "plan"), "warn")
        for plan in report.unfinished_plans:
            yield from _unfinished(page, plan)
    yield from _submitted(page, report)
    yield from _on_record(page, report)
    if not any((report.in_doubt, report.unfinished_plans, report.contradictions, report.shared_runs)):
        yield ""
        yield from page.line(Piece("Nothing is unresolved.", "good"))


def _on_record(page: Page, report: StatusReport) -> Iterator[str]:
    counts = msgspec.structs.asdict(report.counts)
    if not any(counts.values()):
        return
    yield from page.heading("On record")
    for word, count in counts.items():
        yield from page.line(f"{visible(word).replace('_', ' '):<18}{number(count):>12}", indent=2)


def _doubts(page: Page, report: StatusReport) -> Iterator[str]:
    lines, evidence = report.in_doubt, report.evidence or {}
    if not lines:
        return
    in_flight = sum(line.in_flight for line in lines)
    advice = f"; {number(in_flight)} in flight: wait for their run" if in_flight else ""
    advice += "; resolve them" if not in_flight else "; resolve the others" if in_flight < len(lines) else ""
    yield from page.heading("?? In doubt", f"{plural(len(lines), 'operation')}{advice}", "alarm")
    for line in lines[:LISTED]:
        yield from _doubt(page, line)
        if line.operation in evidence:
            yield from _evidence(page, evidence[line.operation])
    if len(lines) > LISTED:
        more = f"… and {number(len(lines) - LISTED)} more; --format json has them"
        yield from page.line(Piece(more, "dim"), indent=2)


def _doubt(page: Page, line: Doubt) -> Iterator[str]:
    what = f"{visible(line.kind)} {visible(line.delivery)}".strip()
    yield from page.line(
        Piece(short(line.operation), "key"),
        f"  {what} lead {visible(line.lead)}  {visible(line.changeset)}",
        Piece(f"  run {visible(line.run)} since {visible(line.since[:19])}", "dim"),
        f"  {clip(visible(line.message), 300)}" if line.message else "",
        indent=2,
        hang=2,
    )


def _evidence(page: Page, found: DoubtEvidence) -> Iterator[str]:
    values = ", ".join(f"{visible(name)} {clip(value, 100)}" for name, value in found.values.items())
    yield from page.line(Piece("now: ", "bold"), values or "no values", indent=4, hang=2)
    if not found.history:
        yield from page.line(Piece("since: ", "bold"), "nothing in its history", indent=4, hang=2)
    for event in found.history:
        said = f"{visible(event.at)}  {clip(visible(event.event), 300)}"
        yield from page.line(Piece("since: ", "bold"), said, indent=4, hang=2)


def _unfinished(page: Page, plan: UnfinishedPlan) -> Iterator[str]:
    left = "" if plan.open is None else f"  {plural(plan.open, 'operation')} open"
    yield from page.line(
        Piece(short(plan.plan), "key"),
        f"  {visible(plan.path)}{left}",
        Piece("  running now" if plan.live else "", "good"),
        Piece(f"  {', '.join(map(visible, plan.changesets[:5]))}", "dim"),
        Piece(f"  run {visible(plan.run)}", "dim"),
        Piece(f" began {visible(plan.started[:19])}" if plan.started else "", "dim"),
        Piece(f"  stopped: {visible(plan.stopped)}", "warn") if plan.stopped else "",
        indent=2,
        hang=2,
    )


def _submitted(page: Page, report: StatusReport) -> Iterator[str]:
    """Runs that workers carry out, and the workers."""
    if report.shared_runs:
        yield from page.heading("Submitted runs", plural(len(report.shared_runs), "run"))
    for run in report.shared_runs:
        yield from _shared_run(page, run)
    if report.workers:
        yield from page.heading("Workers", plural(len(report.workers), "process", "processes"))
    for worker in report.workers:
        yield from page.line(
            Piece(f"{visible(worker.machine)} process {worker.pid}", "key"),
            f"  {', '.join(map(visible, worker.accounts))}  {plural(len(worker.shards), 'shard')}",
            f"  {worker.requests_per_second:.1f} requests/s, {worker.entries_per_second:.1f} entries/s",
            "" if worker.alive else Piece(f"  silent for {worker.silent:.0f} s", "warn"),
            Piece(f"  {visible(worker.tool)}", "dim"),
            indent=2,
            hang=2,
        )


def _shared_run(page: Page, run: SharedRun) -> Iterator[str]:
    shards = ", ".join(f"{count} {state}" for state, count in run.shards.items() if count)
    wave = f"  wave {run.wave} of {run.waves}" if run.waves > 1 else ""
    yield from page.line(
        Piece(visible(run.run), "key"),
        f"  account {visible(run.account)}  shards: {shards}{wave}",
        f"  {run.requests_per_second:.1f} requests/s, {run.entries_per_second:.1f} entries/s",
        "" if run.workers else Piece("  no worker serves it", "warn"),
        Piece(f"  stopping: {visible(run.stopping)}", "alarm") if run.stopping else "",
        indent=2,
        hang=2,
    )


# history


def history_text(rows: Iterable[HistoryRow], options: ViewOptions) -> Iterator[str]:
    """A table, one line per operation, its message below where there is one. Rows are shown as they come."""
    page = _page(options)
    heads = ["operation", "kind", "ok", "lead", "sent", "at (UTC)", "changeset"]
    yield from page.line(Piece(_columns(heads, page.width), "bold"))
    count = 0
    for row in rows:
        count += 1
        mark, style = _OUTCOME.get(row.outcome, ("? ", "warn"))
        row_cells = [row.operation, row.kind, mark, row.lead, str(row.attempts), row.at[:19], row.changeset]
        yield _columns([visible(cell) for cell in row_cells], page.width)
        if row.outcome != "applied" or row.note:
            said = [row.outcome.replace("_", " "), row.message, row.note]
            text = ": ".join(clip(visible(part), 300) for part in said if part)
            yield from page.line(Piece(text, style), indent=14, hang=2)
    if not count:
        yield "Nothing on record matches."


def _columns(row: Sequence[str], width: int) -> str:
    operation, kind, mark, lead, sent, at, changeset = row
    if width < 80:
        line = f"{operation[:8]:<8}  {kind:<10}  {mark:<2}  {lead:<10}  {at[:10]:<10}"
    else:
        line = f"{operation[:12]:<12}  {kind:<10}  {mark:<2}  {lead:<10}  {sent:>4}  {at:<19}"
    return cut(f"{line}  {cut(changeset, max(4, width - cells(line) - 2))}", width)
