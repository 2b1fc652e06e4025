"""What `apply DIR` says of all its plans, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from syncengine.core.errors import Exit
from syncengine.core.redaction import visible
from syncengine.core.results import FolderResult, RefusedPlan, WaitingPlan
from syncengine.reports.layout import Page, Piece
from syncengine.reports.machine import apply_object, problem_object
from syncengine.reports.model import ViewOptions
from syncengine.reports.text_results import apply_text
from syncengine.reports.vocabulary import clip, number, plural, short


def folder_object(result: FolderResult) -> dict[str, Any]:
    """What `apply DIR --format json` prints. `error` only where the plans were refused together."""
    return {
        **_error(result),
        "plans": [{"changeset": plan.changeset, **apply_object(plan.result)} for plan in result.plans],
        "waiting": [_waiting(plan) for plan in result.waiting],
        "refused": [msgspec.structs.asdict(plan) for plan in result.refused],
        "stopped": result.stopped,
        "pin": result.pin_line,
        "exit": int(result.exit),
    }


def _error(result: FolderResult) -> dict[str, Any]:
    refusal = result.refusal
    if refusal is None:
        return {}
    return {
        "error": {"code": refusal.code, "message": refusal.message, "hint": refusal.hint},
        **({"diagnostics": [problem_object(problem) for problem in refusal.problems]} if refusal.problems else {}),
    }


def _waiting(plan: WaitingPlan) -> dict[str, Any]:
    return {
        "changeset": plan.changeset,
        "plan": plan.plan,
        "needed": plan.needed,
        "given": list(plan.given),
        "left_out": [{"principal": principal, "reason": reason} for principal, reason in plan.left_out],
        "message": plan.message,
    }


def folder_text(result: FolderResult, folder: str, options: ViewOptions) -> Iterator[str]:
    """Each plan as `apply` shows it, then what waits and what is refused, then the whole in one line."""
    page = Page(options.columns, colour=options.colour)
    for plan in result.plans:
        yield from page.heading(f"Changeset {visible(plan.changeset)}")
        yield from apply_text(msgspec.structs.replace(plan.result, plan_path=folder), options)
    if result.waiting:
        yield from page.heading("Waiting for approvals", plural(len(result.waiting), "plan"), "warn")
        for waiting in result.waiting:
            yield from _waiting_text(page, waiting)
    if result.refused:
        yield from page.heading("x Refused", plural(len(result.refused), "plan"), "alarm")
        for refused in result.refused:
            yield from _refused_text(page, refused, together=result.refusal is not None)
    if result.refusal is not None:
        yield ""
        yield from page.line(Piece("Refused: ", "alarm"), visible(result.refusal.message), hang=2)
        yield from page.line(Piece("Next: ", "warn"), visible(result.refusal.hint), hang=2)
    yield from _end(page, result, folder)


def _waiting_text(page: Page, plan: WaitingPlan) -> Iterator[str]:
    by = f" ({', '.join(visible(principal) for principal in plan.given)})" if plan.given else ""
    yield from page.line(
        Piece(visible(plan.changeset), "key"),
        f"  plan {short(plan.plan)}  {len(plan.given)} of {plural(plan.needed, 'approval')}{by}",
        indent=2,
        hang=2,
    )
    if plan.message:
        yield from page.line(Piece(clip(visible(plan.message), 1_000), "dim"), indent=4, hang=2)


def _refused_text(page: Page, plan: RefusedPlan, *, together: bool) -> Iterator[str]:
    """The reason and what to do; where all plans were refused `together`, that is shown once at the end."""
    told = "" if together else f"  {visible(plan.message)}"
    yield from page.line(
        Piece(visible(plan.changeset), "key"), f"  plan {short(plan.plan)}  {plan.code}{told}", indent=2, hang=2
    )
    if plan.hint and not together:
        yield from page.line(Piece(visible(plan.hint), "dim"), indent=4, hang=2)


def _end(page: Page, result: FolderResult, folder: str) -> Iterator[str]:
    yield ""
    complete = sum(plan.result.exit == Exit.DONE for plan in result.plans)
    told = [
        f"{number(count)} {words}"
        for count, words in (
            (complete, "complete"),
            (len(result.plans) - complete, "not complete"),
            (len(result.waiting), "waiting for approvals"),
            (len(result.refused), "refused"),
        )
        if count
    ]
    plans = plural(len(result.plans) + len(result.waiting) + len(result.refused), "plan")
    yield from page.line(Piece(plans, "bold"), f": {', '.join(told) or 'nothing to send'}", hang=2)
    if result.stopped:
        yield from page.line(Piece("Stopped: ", "alarm"), visible(result.stopped), hang=2)
    if result.exit == Exit.WAITING:
        text = f"have the waiting plans approved (syncengine approve), then: syncengine apply {visible(folder)}"
        yield from page.line(Piece("Next: ", "warn"), text, hang=2)
    if result.pin_line:
        yield from page.line(Piece("Commit to syncengine.yaml: ", "bold"), visible(result.pin_line), hang=2)
