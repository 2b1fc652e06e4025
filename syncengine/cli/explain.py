"""`syncengine explain`: one operation's whole story."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncengine.cli.command import Command, Invocation, format_option, identity_option

if TYPE_CHECKING:
    from syncengine.cli.find_operation import KnownOperation, PlannedIn
    from syncengine.core.history import Attempt
    from syncengine.core.redaction import Masker


@click.command(
    cls=Command,
    examples=(
        "syncengine explain OPERATION",
        "syncengine explain OPERATION --plan release.plan    # one that was never sent, too",
    ),
)
@click.argument("operation", metavar="OPERATION")
@click.option("--plan", "plans", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
              help="Also search this saved plan; repeatable.")  # fmt: skip
@click.option("--show-values", is_flag=True, help="Show personal values instead of masks.")
@identity_option
@format_option("text", "json")
@click.pass_obj
def command(
    invocation: Invocation, *, operation: str, plans: tuple[Path, ...], show_values: bool, format_: str
) -> None:
    """Show everything known about one operation: declaration, plans, approvals, attempts, answers, resolutions.

    OPERATION is an operation id, or a unique prefix of at least 8 characters.
    """
    from syncengine.cli.change_source import declared
    from syncengine.cli.find_operation import tell
    from syncengine.core.redaction import Masker

    project = invocation.project()
    root = Path(project.settings.root)
    with project.view() as ledger:
        story = tell(operation, ledger, plans, root=root, identities=invocation.identities())
    accounts = [account for account in project.settings.accounts.values() if account.identity == story.account]
    masker = Masker([name for account in accounts for name in account.fields.public], show_values=show_values)
    lines = () if story.planned is None else declared(story.planned, root, masker)
    if format_ == "json":
        invocation.output.json(_object(story, lines, masker))
        return
    for line in _text(story, lines, masker):
        invocation.output.result(line)


def _text(story: KnownOperation, declaration: tuple[str, ...], masker: Masker) -> Iterator[str]:
    facts = story.facts()
    what = " ".join(filter(None, [facts["kind"], facts["target"] and f"of {facts['aimed_at']} {facts['target']}"]))
    again = f", rerun {facts['generation']}" if facts["generation"] != "1" else ""
    yield f"Operation {story.operation}"
    yield f"  {what} for lead {facts['lead']}{again}, account {story.account}, changeset {facts['changeset']}"
    yield f"  outcome: {_outcome(story)}"
    if story.record is not None and story.record.forgotten:
        yield "  its values were erased from the ledger"
    yield from _declaration(story, declaration)
    yield from _plans(story, masker)
    yield from _attempts(story)


def _outcome(story: KnownOperation) -> str:
    if story.record is not None:
        return story.record.outcome
    planned = story.plans[0].planned
    return f"never sent; planned as {planned.state.value}" + (f": {planned.reason}" if planned.reason else "")


def _declaration(story: KnownOperation, declaration: tuple[str, ...]) -> Iterator[str]:
    from syncengine.findings.rule import in_change, place_words

    origin, planned = story.origin, story.planned
    if origin is None or planned is None:
        yield "\nDeclared: no saved plan is at hand, so its line is not known; name the plan with --plan"
        return
    yield f"\nDeclared at {place_words(origin)}, {in_change((planned.changeset, planned.change))}"
    if not declaration:
        yield "  that file is gone, or holds no such change in this line any more"
    for line in declaration:
        yield f"  | {line}"


def _plans(story: KnownOperation, masker: Masker) -> Iterator[str]:
    if story.plans or story.missing:
        yield "\nPlans"
    for plan in story.plans:
        planned = plan.planned
        reason = f" ({planned.reason})" if planned.reason else ""
        yield f"  {plan.digest[:12]} of {plan.created[:16]}, {plan.path}: {planned.state.value}{reason}"
        for name, before, after in _values(plan, masker):
            yield f"    {name}: {before} -> {after}"
    for words in story.missing:
        yield f"  {words}"


def _values(plan: PlannedIn, masker: Masker) -> Iterator[tuple[str, str, str]]:
    """Name, before with its origin, and after, as they may be shown."""
    from syncengine.core.redaction import visible
    from syncengine.reports.rows import row_of

    for diff in row_of(plan.planned, masker).diffs:
        before = diff.before if diff.before is not None else "unknown"
        origin = f" ({visible(diff.origin)})" if diff.origin != "unknown" else ""
        yield diff.name, f"{before}{origin}", diff.after + ("" if diff.sent else " (already so, not sent)")


def _attempts(story: KnownOperation) -> Iterator[str]:
    record = story.record
    if record is None:
        yield "\nAttempts: none on record"
        return
    yield "\nAttempts"
    for attempt in record.attempts:
        run = story.runs.get(attempt.run)
        yield f"  {attempt.at[:19]}  run {attempt.run}, plan {attempt.plan[:12]}: {attempt.standing.value}"
        if run is not None and run.approvals:
            yield f"    approved by {', '.join(run.approvals)}"
        if run is not None and run.claimed:
            yield f"    approved, as claimed by CI: {run.claimed}"
        if attempt.values:
            yield f"    sent: {', '.join(attempt.values)}"
        yield from _answer(attempt)


def _answer(attempt: Attempt) -> Iterator[str]:
    from syncengine.core.repeats import contradiction_in_words

    answer, resolution = attempt.answer, attempt.resolution
    if answer is not None:
        yield f"    answer {answer.at[:19]}: {answer.outcome.value}, {answer.message or 'without a message'}"
    else:
        yield "    no answer is on record"
    if resolution is not None:
        word = "applied" if resolution.applied else "not applied"
        yield f"    resolved {resolution.at[:19]} as {word} by {resolution.by}: {resolution.note}"
    if attempt.contradicted:
        yield f"    contradiction: {contradiction_in_words(attempt)}"


def _object(story: KnownOperation, declaration: tuple[str, ...], masker: Masker) -> dict[str, Any]:
    facts, origin, planned = story.facts(), story.origin, story.planned
    return {
        "operation": story.operation,
        "account": story.account,
        "changeset": facts["changeset"],
        "lead": facts["lead"],
        "kind": facts["kind"],
        "delivery": "",
        **({facts["aimed_at"]: facts["target"]} if facts["aimed_at"] else {}),
        "generation": int(facts["generation"]),
        "outcome": None if story.record is None else story.record.outcome,
        "declared": None
        if origin is None or planned is None
        else {
            "file": origin.file,
            "line": origin.line,
            "row": origin.row,
            "change": planned.change,
            "text": list(declaration),
        },
        "plans": [_plan_object(plan, masker) for plan in story.plans],
        "missing_plans": list(story.missing),
        "attempts": [_attempt_object(story, attempt) for attempt in (story.record.attempts if story.record else ())],
    }


def _plan_object(plan: PlannedIn, masker: Masker) -> dict[str, Any]:
    return {
        "plan": plan.digest,
        "file": plan.path,
        "created": plan.created,
        "state": plan.planned.state.value,
        "reason": plan.planned.reason,
        "values": [{"name": name, "before": before, "after": after} for name, before, after in _values(plan, masker)],
    }


def _attempt_object(story: KnownOperation, attempt: Attempt) -> dict[str, Any]:
    run = story.runs.get(attempt.run)
    answer, resolution = attempt.answer, attempt.resolution
    return {
        "run": attempt.run,
        "plan": attempt.plan,
        "at": attempt.at,
        "outcome": attempt.standing.value,
        "sent": list(attempt.values),
        "approvals": list(run.approvals) if run is not None else [],
        "claimed_by_ci": "" if run is None else run.claimed,
        "answer": None
        if answer is None
        else {"at": answer.at, "outcome": answer.outcome.value, "message": answer.message},
        "resolution": None
        if resolution is None
        else {
            "at": resolution.at,
            "applied": resolution.applied,
            "by": resolution.by,
            "note": resolution.note,
        },
        "contradicted": attempt.contradicted,
    }
