"""Checks the policy again when applying, so that a hand-written plan file cannot bypass it.

The file's checksums show that it is complete, not that planning wrote it. The counts, on which limits and the need for
approval depend, are therefore computed again from its lines, and every line still to be sent is checked again.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from operator import lt

import msgspec

from syncengine.applying.broken_rules import BrokenRules
from syncengine.core.errors import AlteredPlan, PlanBlocked
from syncengine.core.history import LeadHistory
from syncengine.core.operations import SPECS, Irreversible, Operation, kind_of
from syncengine.core.plan import Counts, PlannedOperation, PlanSummary, State
from syncengine.core.repeats import forbidden_repeat, thing_of
from syncengine.core.settings import Account, Policy
from syncengine.core.values import are_service_ids, is_quarantined, is_service_id, number_of
from syncengine.findings.fold import FindingsFold, facts_by_change
from syncengine.planning.findings_policy import FindingsPolicy
from syncengine.planning.policy import PolicyJudge, approval_rule
from syncengine.planning.tally import OperationCounter

_LARGEST = 1 << 64
_AT_ONCE = 100_000


class Distinct:
    """Counts distinct numbers (below 2 to the 64th), in eight bytes for each that is added."""

    def __init__(self) -> None:
        self._numbers = array("Q")
        self._last = -1
        self._rising = True

    def add(self, numbers: Sequence[int]) -> None:
        """Add numbers."""
        self._rising = self._rising and all(map(lt, (self._last, *numbers), numbers))
        self._last = numbers[-1]
        self._numbers.extend(numbers)

    def count(self) -> int:
        """Number of distinct ones. A set of a million numbers takes ten times the memory of the numbers."""
        if self._rising:
            return len(self._numbers)
        parts = 1 + len(self._numbers) // _AT_ONCE
        return sum(len({number for number in self._numbers if number % parts == part}) for part in range(parts))


class LeadCounter:
    """Counts the distinct leads to which lines send something."""

    def __init__(self) -> None:
        self._leads = Distinct()
        self._quarantined = Distinct()

    def see(self, lines: Sequence[PlannedOperation]) -> None:
        """Count some more lines. Raises AlteredPlan where one names no lead, or is nothing that is done to its lead."""
        sending = [planned.operation for planned in lines if planned.state is State.TO_SEND]
        quarantined = [operation for operation in sending if is_quarantined(operation.lead)]
        if quarantined:
            sending = [operation for operation in sending if not is_quarantined(operation.lead)]
        _count(self._leads, sending, "lead")
        _count(self._quarantined, quarantined, "quarantined")

    def count(self) -> int:
        """Number of distinct leads."""
        return self._leads.count() + self._quarantined.count()


class PolicyRecheck:
    """Reads every line of a plan, in order, then decides whether it may be applied."""

    def __init__(self, summary: PlanSummary, policy: Policy, account: Account) -> None:
        changesets = tuple(changeset.id for changeset in summary.changesets)
        self._summary = summary
        self._policy = policy
        self._judge = PolicyJudge(policy, account, changesets)
        self._tally = OperationCounter()
        self._leads = LeadCounter()
        self._broken = BrokenRules("SE631")
        self._findings = FindingsPolicy(policy)
        self._fold = FindingsFold() if self._findings.blocks else None
        self.needs_approval = approval_rule(policy, summary.counts, account, changesets) is not None

    def see(self, lines: Sequence[PlannedOperation]) -> None:
        """Count some more lines, in order."""
        for planned in lines:
            self._tally.add(planned, new_lead=False)
            if self._fold is not None:
                self._fold.see(planned)
        self._leads.see(lines)

    def judge(self, planned: PlannedOperation, history: LeadHistory) -> None:
        """Check one line that is still to be sent, with its lead's records."""
        if not history.attempts and not self._judge.concerns(kind_of(planned.operation)):
            return
        for reason in (
            self._judge.look(planned),
            self._judge.look_again(planned, self._summary.counts),
            self._repeat(planned, history),
        ):
            if reason is not None:
                self._broken.add(planned, reason)

    def _repeat(self, planned: PlannedOperation, history: LeadHistory) -> str | None:
        operation = planned.operation
        if not history.attempts or not isinstance(operation, Irreversible):
            return None
        thing = thing_of(operation, identity=planned.id, changeset=planned.changeset, policy=self._policy)
        return forbidden_repeat(thing, history)

    def check_counts(self) -> None:
        """Raise AlteredPlan where the footer's counts differ from those of the lines."""
        stated = msgspec.structs.replace(self._summary.counts, skipped_fields=0)
        counted = msgspec.structs.replace(self._tally.counts(), leads=self._leads.count())
        if stated != counted:
            names = [n for n in Counts.__struct_fields__ if getattr(stated, n) != getattr(counted, n)]
            raise _altered(f"its footer does not count what its lines hold ({', '.join(names)})")

    def refuse(self) -> None:
        """Raise PlanBlocked where a rule forbids what is still to be sent."""
        whole = [blocker.reason for blocker in self._judge.findings(self._summary.counts)]
        if self._fold is not None:
            found = (*self._fold.finish(facts_by_change(self._summary.changes))["lines"], *self._summary.covered)
            whole += self._findings.reasons(found)
        broken = self._broken.in_words(whole)
        if not broken:
            return
        raise PlanBlocked(
            f"the policy forbids this plan: {broken}",
            hint="fix the changeset or the policy, then plan again",
            code="SE631",
            problems=self._broken.problems,
        )


def _count(counted: Distinct, operations: Sequence[Operation], leads: str) -> None:
    """Count the leads of operations that are all done to leads of this sort."""
    if not operations:
        return
    unfit = {spec.shape for spec in SPECS.values() if spec.leads not in ("any", leads)}
    odd = next((operation for operation in operations if operation.__class__ in unfit), None)
    if odd is not None:
        raise _altered(f"there is no {kind_of(odd)} of lead {odd.lead}")
    counted.add(_numbers([number_of(operation.lead) for operation in operations]))


def _numbers(texts: Sequence[str]) -> tuple[int, ...]:
    numbers = tuple(map(int, texts)) if are_service_ids(texts) else (_LARGEST,)
    if max(numbers) >= _LARGEST:
        odd = next(text for text in texts if not is_service_id(text) or int(text) >= _LARGEST)
        raise _altered(f"{odd[:30]!r} is no lead")
    return numbers


def _altered(why: str) -> AlteredPlan:
    return AlteredPlan(
        f"the plan is not one that was planned: {why}",
        hint="make the plan again with 'syncengine plan'; its approvals do not carry over",
    )
