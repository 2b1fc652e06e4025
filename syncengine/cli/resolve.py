"""`syncengine resolve`: records what a person found out about operations in doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from syncengine.cli.command import Command, Invocation, format_option, identity_option

if TYPE_CHECKING:
    from syncengine.core.results import Doubt
    from syncengine.project import Project

_SHORTEST = 8
_YOUNG = 15 * 60
"""Seconds within which the service may still be at work on a request."""


@click.command(
    cls=Command,
    examples=(
        "syncengine status    # lists what can be resolved",
        "syncengine resolve OPERATION --as applied --by ann --note 'seen at the buyer'",
    ),
)
@click.argument("operations", nargs=-1, metavar="OPERATION...")
@click.option("--run", metavar="RUN", help="All operations in doubt that this run attempted last.")
@click.option("--as", "verdict", type=click.Choice(("applied", "not-applied")), help="Outcome to record.")
@click.option("--baseline", type=click.Path(path_type=Path), metavar="PLAN",
              help="Instead of --as: record the operations of this plan as applied outside syncengine.")  # fmt: skip
@click.option("--by", required=True, metavar="NAME", help="Name to record.")
@click.option("--note", required=True, metavar="TEXT", help="Evidence for the outcome.")
@click.option("--lock-timeout", type=click.FloatRange(min=0), default=0, metavar="SECONDS", show_default=True,
              help="Time to wait for a run on the account to end.")  # fmt: skip
@identity_option
@format_option("text", "json")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    operations: tuple[str, ...],
    run: str | None,
    verdict: str | None,
    baseline: Path | None,
    by: str,
    note: str,
    lock_timeout: float,
    format_: str,
) -> None:
    """Record the outcome of operations in doubt, with a name and the evidence.

    OPERATION is an operation id, or a unique prefix of at least 8 characters. After `not-applied`, the plan that sent
    the operation may send it again. With --baseline, the operations of a plan count as applied although syncengine did
    not send them. Nothing is sent.
    """
    from syncengine.core.errors import InputError

    _check_arguments(operations, run, verdict, baseline, (by, note))
    project = invocation.project()
    resolution = _Resolution(applied=verdict == "applied", by=by.strip(), note=note.strip(), wait=lock_timeout)
    if baseline is not None:
        _record_baseline(invocation, project, baseline, resolution, format_)
        return
    if verdict is None or bool(operations) == (run is not None):
        raise InputError(
            "name operations, or a run with --run, and say --as applied or --as not-applied",
            code="SE901",
            hint="'syncengine status' lists what can be resolved",
        )
    resolved = _record(invocation, project, partial(_chosen, operations=operations, run=run), resolution)
    if format_ == "json":
        invocation.output.json({"resolved": [doubt.operation for doubt in resolved], "as": verdict})
        return
    for doubt in resolved:
        invocation.output.result(f"{doubt.operation}  lead {doubt.lead}  {doubt.kind.value}: {verdict}")


def _check_arguments(
    operations: tuple[str, ...], run: str | None, verdict: str | None, baseline: Path | None, texts: tuple[str, str]
) -> None:
    from syncengine.core.errors import InputError
    from syncengine.core.text import is_blank

    if any(map(is_blank, texts)):
        raise InputError("--by and --note must say something", code="SE901", hint="who looked, and where")
    if baseline is not None and (operations or run or verdict):
        raise InputError("--baseline cannot be combined", code="SE901", hint="leave out operations, --run and --as")


def _record_baseline(
    invocation: Invocation, project: Project, plan: Path, resolution: _Resolution, format_: str
) -> None:
    from syncengine.api import record_baseline

    count = record_baseline(
        plan,
        project,
        by=resolution.by,
        note=resolution.note,
        lock_timeout=resolution.wait,
        identities=invocation.identities(),
    )
    if format_ == "json":
        invocation.output.json({"baseline": str(plan), "recorded": count})
    else:
        invocation.output.result(f"{count} operations of {plan} are on record as done; nothing was sent")


class _Resolution(NamedTuple):
    """What a person found out, and how long to wait for the lease."""

    applied: bool
    by: str
    note: str
    wait: float


def _record(
    invocation: Invocation,
    project: Project,
    chosen: Callable[[Sequence[Doubt]], list[Doubt]],
    resolution: _Resolution,
) -> list[Doubt]:
    """Resolve the chosen doubts account by account, each under its lease."""
    resolved: list[Doubt] = []
    outcome = "applied" if resolution.applied else "not-applied"
    with project.ledger() as ledger:
        for account in sorted({doubt.account for doubt in chosen(ledger.doubts())}):
            with ledger.lease(account, wait=resolution.wait) as lease:
                # Asked again under the lease: what was in flight a moment ago is answered, or in doubt, by now.
                doubts = [doubt for doubt in chosen(ledger.doubts()) if doubt.account == account]
                numbers = [number for doubt in doubts for number in doubt.attempts]
                _warn_young(invocation, doubts, project.clock.now())
                ledger.resolve(lease, numbers, applied=resolution.applied, by=resolution.by, note=resolution.note)
                resolved.extend(doubts)
                operations: list[str] = [doubt.operation for doubt in doubts]
                invocation.log.info("resolved", account=account, outcome=outcome, operations=operations)
    return resolved


def _chosen(doubts: Sequence[Doubt], operations: tuple[str, ...], run: str | None) -> list[Doubt]:
    """The doubts that the command line names; raises InputError for what is not in doubt or fits several."""
    from syncengine.core.errors import InputError

    if run is not None:
        chosen = [doubt for doubt in doubts if doubt.run == run]
        if not chosen:
            raise InputError(f"nothing of run {run} is in doubt", code="SE904", hint="'syncengine status' lists doubts")
        return chosen
    found = [_fitting(doubts, text) for text in operations]
    return list({doubt.operation: doubt for doubt in found}.values())


def _fitting(doubts: Sequence[Doubt], text: str) -> Doubt:
    from syncengine.core.errors import InputError

    matching = {doubt.operation: doubt for doubt in doubts if _fits(doubt.operation, text)}
    if len(matching) > 1:
        raise InputError(f"{text} fits {len(matching)} operations in doubt", code="SE904", hint="give more of the id")
    if not matching:
        raise InputError(
            f"operation {text} is not in doubt",
            code="SE904",
            hint="'syncengine status' lists what is; ids may be shortened to 8 characters",
        )
    return next(iter(matching.values()))


def _fits(operation: str, text: str) -> bool:
    return operation == text or (len(text) >= _SHORTEST and operation.startswith(text))


def _warn_young(invocation: Invocation, doubts: Sequence[Doubt], now: str) -> None:
    from syncengine.reports.vocabulary import plural

    for doubt in doubts:
        age = (datetime.fromisoformat(now) - datetime.fromisoformat(doubt.last)).total_seconds()
        if age < _YOUNG:
            ago = "less than a minute" if age < 60 else plural(int(age // 60), "minute")
            invocation.output.warning(
                f"operation {doubt.operation} was sent {ago} ago: the service may still work on it"
            )
