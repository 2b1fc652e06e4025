"""A finding: one thing that a reviewer should know about a plan, reported by one rule. See docs/findings.md."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

Severity = Literal["high", "medium", "info"]

SHOWN = 10
"""Maximum number of leads and pieces of evidence that a finding names; the rest is counted."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One operation that a finding is about. `file` and `line` locate its value where the value came from a file.

    Values are unmasked: the code that shows them masks them.
    """

    operation: str | None = None
    lead: str | None = None
    field: str | None = None
    before: str | None = None
    after: str | None = None
    file: str = ""
    line: int = 0
    row: int | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`changeset` and `change` are None where the finding concerns the whole plan or several of them."""

    rule: str
    severity: Severity
    message: str
    changeset: str | None = None
    change: str | None = None
    count: int = 0
    leads: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


Basis = Literal["lines", "covered", "recorded"]
"""The inputs of a rule: the plan's lines alone, facts recorded under the digest, or facts recorded outside it."""

RULES: dict[str, Basis] = {
    "negative-margin": "lines",
    "amount-scale": "lines",
    "amount-outlier": "lines",
    "swapped-amounts": "lines",
    "swapped-values": "lines",
    "shifted-rows": "lines",
    "done-before": "lines",
    "conflict": "recorded",
    "unknown-target": "recorded",
    "field-unknown": "covered",
    "return-with-other": "lines",
    "rare-target": "lines",
    "buyer-changed": "lines",
    "repeated-value": "lines",
    "placeholder": "lines",
    "spreadsheet-debris": "lines",
    "invisible-characters": "lines",
    "mojibake": "lines",
    "mixed-formats": "lines",
    "lead-unknown": "covered",
    "lead-range": "lines",
    "shared-lead": "lines",
    "rows-taken": "covered",
    "beside-doubt": "lines",
    "stale-observation": "recorded",
    "undeclared": "recorded",
    "last-run": "recorded",
    "unfinished-plan": "recorded",
    "moved-since": "recorded",
}
"""Every rule, in the order of the documentation. Rules over lines or covered facts may block a plan."""
_SEVERITIES: tuple[Severity, ...] = ("high", "medium", "info")


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by severity, high first, then by number of operations; ties keep the documented order of the rules."""
    order = list(RULES)
    return tuple(sorted(findings, key=lambda f: (_SEVERITIES.index(f.severity), -f.count, order.index(f.rule))))
