"""Applies the policy to findings: some rules block a plan, others are silenced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from syncengine.core.finding import Finding, in_order
from syncengine.core.plan import Blocker, PlannedOperation, PlanSummary
from syncengine.core.settings import Policy
from syncengine.findings.fold import FindingsFold, facts_by_change

_BLOCKERS = 20
"""Findings of one rule that are listed as blockers; the rest is counted."""


class FindingsPolicy:
    """The section `findings` of a policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    @property
    def blocks(self) -> bool:
        """Whether any rule blocks."""
        return "block" in self._policy.findings.values()

    def blockers(self, findings: Iterable[Finding]) -> tuple[Blocker, ...]:
        """Why the plan as a whole is blocked."""
        return tuple(Blocker(reason=reason) for reason in self.reasons(findings))

    def reasons(self, findings: Iterable[Finding]) -> Iterator[str]:
        """The same as texts: one for each finding of a rule that blocks, except findings of severity "info"."""
        found: dict[str, list[Finding]] = {}
        for finding in in_order(findings):
            if self._policy.findings.get(finding.rule) == "block" and finding.severity != "info":
                found.setdefault(finding.rule, []).append(finding)
        for rule, of_rule in found.items():
            for finding in of_rule[:_BLOCKERS]:
                yield f"findings: {rule}: {finding.message} ({self._where(rule)})"
            if len(of_rule) > _BLOCKERS:
                yield f"findings: {rule}: and {len(of_rule) - _BLOCKERS} more ({self._where(rule)})"

    def shown(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings in order, with those of each ignored rule as one line."""
        kept: list[Finding] = []
        ignored: dict[str, list[Finding]] = {}
        for finding in findings:
            if self._policy.findings.get(finding.rule) == "ignore":
                ignored.setdefault(finding.rule, []).append(finding)
            else:
                kept.append(finding)
        return in_order((*kept, *(self._ignored(rule, of_rule) for rule, of_rule in ignored.items())))

    def _ignored(self, rule: str, findings: Sequence[Finding]) -> Finding:
        number = "1 finding is" if len(findings) == 1 else f"{len(findings):,} findings are"
        message = f"{number} ignored by the policy ({self._where(rule)})"
        return Finding(rule=rule, severity="info", message=message, count=sum(finding.count for finding in findings))

    def _where(self, rule: str) -> str:
        return self._policy.place(self._policy.lines.get(f"findings.{rule}"))


def with_findings(summary: PlanSummary, from_lines: Sequence[Finding], policy: Policy | None) -> PlanSummary:
    """The summary with all findings, in order: those from the plan's lines, and those recorded at planning."""
    found = (*from_lines, *summary.covered, *summary.recorded)
    shown = in_order(found) if policy is None else FindingsPolicy(policy).shown(found)
    return msgspec.structs.replace(summary, findings=shown)


class SavedLines(Protocol):
    """The required parts of a saved plan: its lines and its footer's content."""

    @property
    def summary(self) -> PlanSummary: ...

    def operations(self) -> Iterator[PlannedOperation]: ...


def findings_from_lines(saved: SavedLines) -> tuple[Finding, ...]:
    """Findings computed again from a saved plan's lines. Those stored in the file are not trusted."""
    fold = FindingsFold()
    for planned in saved.operations():
        fold.see(planned)
    return fold.finish(facts_by_change(saved.summary.changes))["lines"]
