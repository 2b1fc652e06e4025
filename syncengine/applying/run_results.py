"""Final outcome of each operation of a run, and the counts that must add up to the plan's total."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from syncengine.core.events import OperationsSettled
from syncengine.core.operations import kind_of
from syncengine.core.outcomes import LeadEntry, Outcome, SentOperation
from syncengine.core.ports import Listener
from syncengine.core.results import ChangeTally, OperationLine, RunCounts
from syncengine.core.values import LeadId

LISTED = 10_000
"""Operations listed by name per outcome; the rest is counted."""

WORDS = {
    Outcome.APPLIED: "applied",
    Outcome.REJECTED: "rejected",
    Outcome.UNKNOWN: "in doubt",
    Outcome.NOT_SENT: "not sent",
}


def line_of(part: SentOperation, message: str = "") -> OperationLine:
    """An operation as the result of a run lists it."""
    operation = part.operation
    return OperationLine(
        operation=part.id,
        lead=operation.lead,
        kind=kind_of(operation).value,
        message=message,
        changeset=part.changeset,
    )


class RunResults:
    """Collects the outcomes. `troubled` holds the leads with an operation that was rejected or is in doubt."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._applied: Counter[tuple[str, str]] = Counter()
        self.rejected: list[OperationLine] = []
        self.in_doubt: list[OperationLine] = []
        self.not_sent: list[OperationLine] = []
        self.reasons: Counter[str] = Counter()
        self.troubled: dict[LeadId, Outcome] = {}
        self.warnings: list[str] = []
        self._counts: Counter[Outcome] = Counter()

    def settle(self, part: SentOperation, outcome: Outcome, message: str) -> None:
        """Set the operation's outcome in this run."""
        self._counts[outcome] += 1
        self._listener.tell(OperationsSettled(outcome, (part.id,)))
        match outcome:
            case Outcome.APPLIED:
                self._applied[(part.changeset, kind_of(part.operation).value)] += 1
            case Outcome.REJECTED:
                self.troubled[part.operation.lead] = outcome
                self._list(self.rejected, part, message)
            case Outcome.UNKNOWN:
                self.troubled[part.operation.lead] = outcome
                self._list(self.in_doubt, part, message)
            case Outcome.NOT_SENT:
                self.reasons[message] += 1
                self._list(self.not_sent, part, message)

    def settle_applied(self, parts: Sequence[SentOperation]) -> None:
        """Set all of these to applied."""
        self._counts[Outcome.APPLIED] += len(parts)
        for (changeset, shape), count in Counter([(part.changeset, type(part.operation)) for part in parts]).items():
            self._applied[changeset, str(shape.__struct_config__.tag)] += count
        self._listener.tell(OperationsSettled(Outcome.APPLIED, tuple([part.id for part in parts])))

    def leave(self, entry: LeadEntry, reason: str) -> None:
        """Record that nothing of this entry was sent."""
        for part in entry.parts:
            self.settle(part, Outcome.NOT_SENT, reason)

    def warn(self, text: str) -> None:
        """Keep a warning of the service."""
        if len(self.warnings) < LISTED and text not in self.warnings[-20:]:
            self.warnings.append(text)

    def count(self, outcome: Outcome) -> int:
        """Number of operations with this outcome."""
        return self._counts[outcome]

    def tallies(self) -> tuple[ChangeTally, ...]:
        """Applied operations by changeset and kind."""
        return tuple(
            ChangeTally(changeset=changeset, change="", kind=kind, applied=count)
            for (changeset, kind), count in sorted(self._applied.items())
        )

    def counts(self, *, total: int, already_applied: int, in_doubt_before: int) -> RunCounts:
        """Counts that add up to `total`."""
        applied = self._counts[Outcome.APPLIED]
        rejected = self._counts[Outcome.REJECTED]
        in_doubt = self._counts[Outcome.UNKNOWN] + in_doubt_before
        return RunCounts(
            applied=applied,
            rejected=rejected,
            in_doubt=in_doubt,
            already_applied=already_applied,
            not_sent=total - applied - rejected - in_doubt - already_applied,
        )

    def _list(self, lines: list[OperationLine], part: SentOperation, message: str) -> None:
        if len(lines) < LISTED:
            lines.append(line_of(part, message))
