"""`syncengine verify`: what a run or plan applied, read back from the service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncengine.cli.command import Command, Invocation, format_option, identity_option
from syncengine.core.errors import Exit, InputError

if TYPE_CHECKING:
    from syncengine.checking import CheckedOperation
    from syncengine.core.history import Attempt
    from syncengine.core.redaction import Masker
    from syncengine.core.values import LeadId, OperationId
    from syncengine.documents.disk_spool import DiskSpool
    from syncengine.ledger import Ledger
    from syncengine.planning import Identities

_SHOWN = 50
"""Operations of one mark that the text view lists."""


@click.command(
    cls=Command,
    examples=(
        "syncengine verify release.plan --deadline 900",
        "syncengine verify RUN",
    ),
    epilog="Exit codes: 0 no differences; 4 differences; 1 wrong input, or nothing could be read.",
)
@click.argument("subject", metavar="RUN|PLAN")
@click.option("--deadline", type=click.FloatRange(min=0), metavar="SECONDS",
              help="Stop reading after this time; unread values are reported as unreadable.")  # fmt: skip
@click.option("--polls", type=click.IntRange(0, 100), default=3, show_default=True,
              help="Number of times that differing values are read again.")  # fmt: skip
@click.option("--interval", type=click.FloatRange(0, 3600), default=10, metavar="SECONDS", show_default=True,
              help="Time between repeated reads.")  # fmt: skip
@click.option("--show-values", is_flag=True, help="Show personal values instead of masks.")
@identity_option
@format_option("text", "json")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    subject: str,
    deadline: float | None,
    polls: int,
    interval: float,
    show_values: bool,
    format_: str,
) -> int:
    """Read leads back and report every value that RUN or PLAN applied as verified, different or unreadable.

    A lead is read once the `settle` seconds of the account have passed since its last write. Needs `reads:
    {leads: true}` for the account. The command sends only reads and does not write to the ledger.
    """
    from syncengine.checking import CheckedOperation, ReadPatience, Verification
    from syncengine.cli.reading import masker, of_identity, open_ledger_view, open_reader, wait
    from syncengine.documents.disk_spool import DiskSpool

    project = invocation.project()
    with ExitStack() as stack:
        what = _VerifiedSubject(open_ledger_view(project, stack), subject, stack, invocation.identities())
        account = of_identity(project, what.identity)
        pace = ReadPatience(settle=account.limits.settle, polls=polls, interval=interval, deadline=deadline)
        reader = open_reader(invocation, project, account, stack)
        verification = Verification(what.ledger, reader, project.clock, wait, pace=pace, tell=invocation.output.note)
        kept = stack.enter_context(DiskSpool(CheckedOperation))
        counts: Counter[str] = Counter()
        readable = 0
        for checked in verification.run(what.identity, what.operations(), what.is_own):
            kept.put(checked)
            counts[checked.mark] += 1
            readable += checked.read
        report = _Report(what, account.name, kept, counts, masker(account, show_values=show_values))
        if format_ == "json":
            report.json(invocation)
        else:
            report.text(invocation)
        return _exit(invocation, counts, kept, readable)


class _VerifiedSubject:
    """The run or plan that is verified."""

    def __init__(self, ledger: Ledger, subject: str, stack: ExitStack, identities: Identities) -> None:
        from syncengine.planning import open_plan

        self.ledger = ledger
        self.run: str | None = None
        self.plan: str | None = None
        runs = [run for run in ledger.runs() if run.run == subject]
        if runs:
            self.run, self.identity = runs[0].run, runs[0].account
            return
        if not Path(subject).exists():
            raise InputError(
                f"there is no run {subject!r} on record, and no such plan file",
                code="SE904",
                hint="'syncengine history' and the result of apply name runs",
            )
        self._saved = stack.enter_context(open_plan(Path(subject), identities))
        self.plan, self.identity = self._saved.summary.digest, self._saved.header.identity
        if not ledger.runs(self.identity, plan=self._saved.summary.digest):
            raise InputError(
                f"plan {subject} was never applied with ledger {ledger.identity().id}",
                code="SE904",
                hint="verify it where it was applied, with the ledger that it was recorded in",
            )

    def operations(self) -> Iterator[tuple[OperationId, LeadId]]:
        """Those that may have been applied."""
        from syncengine.core.values import RunId

        if self.run is not None:
            for record in self.ledger.history(run=RunId(self.run)):
                yield record.operation, record.lead
        else:
            for planned in self._saved.operations():
                yield planned.id, planned.operation.lead

    def is_own(self, attempt: Attempt) -> bool:
        """Whether the run or plan made this attempt."""
        return attempt.run == self.run if self.run is not None else attempt.plan == self.plan


class _Report:
    def __init__(
        self,
        what: _VerifiedSubject,
        account: str,
        kept: DiskSpool[CheckedOperation],
        counts: Counter[str],
        masks: Masker,
    ) -> None:
        self._what = what
        self._account = account
        self._kept = kept
        self._counts = counts
        self._masks = masks

    def _numbers(self) -> dict[str, int]:
        from syncengine.checking import Mark

        return {mark.value: self._counts[mark] for mark in Mark}

    def json(self, invocation: Invocation) -> None:
        """One document, written piece by piece."""
        import json

        head = {"run": self._what.run, "plan": self._what.plan, "account": self._account, "counts": self._numbers()}
        invocation.output.piece(json.dumps(head)[:-1] + ', "operations": [', "json")
        for number, checked in enumerate(self._kept.read()):
            invocation.output.piece((", " if number else "") + json.dumps(self._object(checked)), "json")
        invocation.output.piece("]}\n", "json")

    def _object(self, checked: CheckedOperation) -> dict[str, Any]:
        return {
            "operation": checked.operation,
            "lead": checked.lead,
            "kind": checked.kind.value,
            "changeset": checked.changeset,
            "run": checked.run,
            "mark": checked.mark.value,
            "reason": checked.reason,
            "values": [
                {
                    "name": value.name,
                    "state": value.state,
                    "reason": value.reason,
                    "applied": self._shown(value.name, value.applied),
                    "now": self._shown(value.name, value.now),
                }
                for value in checked.values
            ],
        }

    def _shown(self, name: str, text: str | None) -> str | None:
        return None if text is None else self._masks.show(name, text)

    def text(self, invocation: Invocation) -> None:
        """Counts, then everything that is not as it was applied."""
        from syncengine.checking import Mark
        from syncengine.core.redaction import visible

        output, numbers = invocation.output, self._numbers()
        name = f"Run {self._what.run}" if self._what.run else f"Plan {str(self._what.plan)[:12]}"
        output.result(f"{name}, account {visible(self._account)}: {sum(numbers.values()):,} applied operations")
        for mark, count in numbers.items():
            output.result(f"  {mark:<10} {count:>10,}")
        shown: Counter[str] = Counter()
        for checked in self._kept.read():
            if checked.mark is not Mark.VERIFIED:
                shown[checked.mark] += 1
                if shown[checked.mark] <= _SHOWN:
                    output.result(self._line(checked))
        for mark, count in shown.items():
            if count > _SHOWN:
                output.result(f"... and {count - _SHOWN:,} more {mark}: --format json has them")

    def _line(self, checked: CheckedOperation) -> str:
        from syncengine.core.redaction import visible

        head = f"{checked.mark.value}  {checked.operation[:12]}  {checked.kind.value} lead {checked.lead}"
        said = []
        for value in checked.values:
            if value.state == "different":
                applied = "(kept as a digest)" if value.applied is None else self._shown(value.name, value.applied)
                said.append(f"{visible(value.name)}: applied {applied}, now {self._shown(value.name, value.now)}")
            elif value.state == "unknown":
                said.append(f"{visible(value.name)}: {visible(value.reason)}")
        return f"{head}  {'; '.join(said) or visible(checked.reason)}"


def _exit(invocation: Invocation, counts: Counter[str], kept: DiskSpool[CheckedOperation], readable: int) -> int:
    from syncengine.checking import LATE, Mark

    if not sum(counts.values()):
        invocation.output.note("nothing of it is on record as applied, so there is nothing to read back")
        return Exit.DONE
    if counts[Mark.DIFFERENT]:
        return Exit.INCOMPLETE
    asked = next((checked for checked in kept.read() if checked.asked), None)
    if asked is not None and not readable:
        hint = _TOO_SHORT if LATE in asked.reason else _UNREAD
        invocation.output.error("SE521", f"nothing could be read back: {asked.reason}", hint)
        return Exit.INPUT
    return Exit.DONE


_TOO_SHORT = "allow more time, or none at all, with --deadline; what was applied is settled for `settle` seconds first"
_UNREAD = "'syncengine doctor' tells what is wrong with the connection and the key"
