"""The policy's second look, when applying: a plan file that somebody wrote by hand gains nothing by it.

The file's sums say that it is whole, not that it came from planning. So its counts, on which limits and the need for
approval rest, are made again from its lines, and every line still to be sent is judged again.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from operator import lt

import msgspec

from syncengine.core.errors import AlteredPlan, PlanBlocked, Problem
from syncengine.core.history import LeadHistory
from syncengine.core.operations import Irreversible, Kind, kind_of, spec_of
from syncengine.core.plan import Counts, PlannedOperation, PlanSummary, State
from syncengine.core.repeats import forbidden_repeat, thing_of
from syncengine.core.settings import Account, Policy
from syncengine.core.values import LeadId, are_service_ids, is_quarantined, is_service_id, number_of
from syncengine.findings.fold import FindingsFold, facts_by_change
from syncengine.planning.findings_policy import FindingsPolicy
from syncengine.planning.policy import PolicyJudge, approval_rule
from syncengine.planning.tally import OperationCounter

_SHOWN = 5
_LARGEST = 1 << 64
_AT_ONCE = 100_000


class Distinct:
    """How many different numbers (below 2 to the 64th) there are, in eight bytes for each that is added."""

    def __init__(self) -> None:
        self._numbers = array("Q")
        self._last = -1
        self._rising = True

    def add(self, numbers: Sequence[int]) -> None:
        """Some more of them."""
        self._rising = self._rising and all(map(lt, (self._last, *numbers), numbers))
        self._last = numbers[-1]
        self._numbers.extend(numbers)

    def count(self) -> int:
        """Different ones among all of them. A set of a million numbers takes ten times the memory of the numbers."""
        if self._rising:
            return len(self._numbers)
        parts = 1 + len(self._numbers) // _AT_ONCE
        return sum(len({number for number in self._numbers if number % parts == part}) for part in range(parts))


class SecondLook:
    """Sees every line of a plan, in order, then says whether it may be applied."""

    def __init__(self, summary: PlanSummary, policy: Policy, account: Account) -> None:
        changesets = tuple(changeset.id for changeset in summary.changesets)
        self._summary = summary
        self._policy = policy
        self._judge = PolicyJudge(policy, account, changesets)
        self._tally = OperationCounter()
        self._leads = Distinct()
        self._quarantined = Distinct()
        self._found: list[Problem] = []
        self._more = 0
        self._findings = FindingsPolicy(policy)
        self._fold = FindingsFold() if self._findings.blocks else None
        self.needs_approval = approval_rule(policy, summary.counts, account, changesets) is not None

    def see(self, planned: PlannedOperation) -> None:
        """Count one line."""
        self._tally.add(planned, new_lead=False)
        if self._fold is not None:
            self._fold.see(planned)
        if planned.state is State.TO_SEND:
            lead = planned.operation.lead
            quarantined = is_quarantined(lead)
            counted = self._quarantined if quarantined else self._leads
            counted.add((_number(number_of(lead), lead),))
            if spec_of(planned.operation).leads not in ("any", "quarantined" if quarantined else "lead"):
                raise _altered(f"there is no {kind_of(planned.operation)} of lead {lead}")

    def concerns(self, kind: Kind) -> bool:
        """Whether operations of this kind have to be judged one by one."""
        return self._fold is not None or self._judge.concerns(kind)

    def see_updates(self, leads: Sequence[LeadId], entries: Sequence[int]) -> bool:
        """`see` for updates that are all to be sent, in order; False, and nothing is seen, where one is not of a lead
        with a plain number."""
        if not are_service_ids(leads):
            return False
        self._tally.add_updates(entries)
        self._leads.add(tuple(map(int, leads)))
        return True

    def judge(self, planned: PlannedOperation, history: LeadHistory) -> None:
        """Judge one line that is still to be sent, with its lead's records."""
        for reason in (
            self._judge.look(planned),
            self._judge.look_again(planned, self._summary.counts),
            self._repeat(planned, history),
        ):
            if reason is None:
                continue
            if len(self._found) >= _SHOWN:
                self._more += 1
                continue
            operation, origin = planned.operation, planned.origin
            what = f"{kind_of(operation).value} of lead {operation.lead}: {reason}"
            self._found.append(Problem(code="SE631", message=what, file=origin.file, line=origin.line, row=origin.row))

    def _repeat(self, planned: PlannedOperation, history: LeadHistory) -> str | None:
        operation = planned.operation
        if not history.attempts or not isinstance(operation, Irreversible):
            return None
        thing = thing_of(operation, identity=planned.id, changeset=planned.changeset, policy=self._policy)
        return forbidden_repeat(thing, history)

    def check_counts(self) -> None:
        """Raise AlteredPlan where the footer counts something else than the lines hold."""
        stated = msgspec.structs.replace(self._summary.counts, skipped_fields=0)
        counted = msgspec.structs.replace(self._tally.counts(), leads=self._leads.count() + self._quarantined.count())
        if stated != counted:
            names = [n for n in Counts.__struct_fields__ if getattr(stated, n) != getattr(counted, n)]
            raise _altered(f"its footer does not count what its lines hold ({', '.join(names)})")

    def refuse(self) -> None:
        """Raise PlanBlocked where a rule forbids what is still to be sent."""
        whole = [blocker.reason for blocker in self._judge.findings(self._summary.counts)]
        if self._fold is not None:
            found = (*self._fold.finish(facts_by_change(self._summary.changes))["lines"], *self._summary.covered)
            whole += self._findings.reasons(found)
        if not whole and not self._found:
            return
        first = whole[0] if whole else self._found[0].message
        others = len(whole) + len(self._found) + self._more - 1
        raise PlanBlocked(
            f"the policy forbids this plan: {first}{f' and {others} more' if others else ''}",
            hint="mend the changeset or the policy, then plan again",
            code="SE631",
            problems=self._found,
        )


def _number(text: str, lead: str) -> int:
    number = int(text) if is_service_id(text) else _LARGEST
    if number >= _LARGEST:
        raise _altered(f"{lead[:30]!r} is no lead")
    return number


def _altered(why: str) -> AlteredPlan:
    return AlteredPlan(
        f"the plan is not one that was planned: {why}",
        hint="make the plan again with 'syncengine plan'; its approvals do not carry over",
    )
