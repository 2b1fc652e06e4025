"""What blocks a plan, folded by rule: a thousand operations over one limit are one line."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from syncengine.core.plan import Blocker, PlanSummary
from syncengine.core.redaction import visible

_RULE = re.compile(r"(?:findings: )?([a-z]+(?:[_-][a-z]+)*): ")
"""How reasons of the policy begin: with the key of its rule."""
_PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\S*\d\S*")
"""What differs between operations that are blocked for one reason: quoted values, ids and numbers."""


class BlockingRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. `rule` is its key in the policy, "" where an operation is blocked by what was planned or recorded."""

    rule: str
    reason: str
    """Of the first."""
    count: int
    kind: str = ""
    lead: str = ""
    operation: str = ""


def blocking_rules(summary: PlanSummary) -> tuple[BlockingRule, ...]:
    """The rules in order of their first finding."""
    blocked = summary.blocked
    listed = sum(blocker.operation is not None for blocker in blocked)
    if summary.counts.blocked > listed > 0:
        # The last entry says only how many more there are.
        blocked = blocked[:-1]
    found: dict[str, list[Blocker]] = {}
    for blocker in blocked:
        match = _RULE.match(blocker.reason)
        key = match[1] if match is not None else "\0" + _PARTICULAR.sub("", blocker.reason)
        found.setdefault(key, []).append(blocker)
    return tuple(_folded(key, blockers) for key, blockers in found.items())


def _folded(key: str, blockers: Sequence[Blocker]) -> BlockingRule:
    first = blockers[0]
    rule = "" if key.startswith("\0") else key
    return BlockingRule(
        rule=rule,
        reason=visible(first.reason.removeprefix("findings: ").removeprefix(f"{rule}: ")),
        count=len(blockers),
        kind=visible(first.kind or ""),
        lead=visible(first.lead or ""),
        operation=visible(first.operation or ""),
    )
