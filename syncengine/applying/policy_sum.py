"""Limits on whole plans, and `deny` rules that read a plan's totals, judged for all plans of a command together.

Each plan was judged alone before. Approvals are asked of each plan alone, so they take no part here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice

from syncengine.applying.broken_rules import BrokenRules
from syncengine.applying.policy_recheck import LeadCounter
from syncengine.applying.remaining import BATCH
from syncengine.core.errors import PlanBlocked
from syncengine.core.operations import Kind, counter_of
from syncengine.core.plan import Counts, Moved, PlannedOperation
from syncengine.core.settings import Account, Policy
from syncengine.core.values import ChangesetId
from syncengine.planning.policy import PolicyJudge


class PolicySum:
    """Sees the lines of every plan where `counts_leads`, then judges them where `reads_lines`; then `refuse`."""

    def __init__(self, policy: Policy, account: Account, plans: Mapping[ChangesetId, Counts]) -> None:
        self._judge = PolicyJudge(policy, account, tuple(plans))
        self._plans = tuple(plans.values())
        self._leads = LeadCounter()
        self.reads_lines = self._judge.needs_totals
        """Whether a rule judges single operations by the plans' totals."""
        self.counts_leads = self.reads_lines or policy.max_leads is not None
        """Whether a rule asks for the number of leads; the plans may share some."""
        self._broken = BrokenRules("SE672")

    def count_leads(self, lines: Iterator[PlannedOperation]) -> None:
        """Count the leads of one plan."""
        while some := list(islice(lines, BATCH)):
            self._leads.see(some)

    def judge(self, lines: Iterable[PlannedOperation]) -> None:
        """Judge operations that are still to be sent by the totals of all plans."""
        total = self._totals
        for planned in lines:
            reason = self._judge.look_again(planned, total)
            if reason is not None:
                self._broken.add(planned, reason)

    def refuse(self) -> None:
        """Raise PlanBlocked where the plans together break a rule."""
        broken = self._broken.in_words(self._judge.exceeded_together(self._totals))
        if not broken:
            return
        raise PlanBlocked(
            f"the {len(self._plans)} plans that would be sent break the policy together: {broken}; none is sent; "
            "choose some with `plan --each --changeset ID`",
            hint="'syncengine plan PATH... --each DIR --changeset ID' (repeatable), apply DIR, then plan the others",
            code="SE672",
            problems=self._broken.problems,
        )

    @cached_property
    def _totals(self) -> Counts:
        """Sums of what limits and `plan` in an expression read: kinds, money, and distinct leads."""
        return Counts(
            leads=self._leads.count(),
            payout=sum(counts.payout for counts in self._plans),
            revenue=sum(counts.revenue for counts in self._plans),
            payouts=Moved(),
            revenues=Moved(),
            margins=Moved(),
            **{counter_of(kind): sum(counts.of(kind) for counts in self._plans) for kind in Kind},
        )
