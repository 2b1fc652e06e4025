"""What views say besides a plan's lines: who approved, which part is shown, what targets are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

import msgspec

from syncengine.core.plan import MadeFrom, PlannedOperation, PlanProgress, PlanSummary, Provenance
from syncengine.core.redaction import visible
from syncengine.core.values import format_money
from syncengine.reports.findings import verdict_of
from syncengine.reports.vocabulary import number, plural, short

TargetNames = Mapping[tuple[str, str], str]
"""What the account calls a target, by "delivery" or "buyer" and id."""

_NAMED_FILES = 3


class LeftOut(msgspec.Struct, frozen=True):
    """A signature that does not count: whose it is, as far as that is known, and why."""

    principal: str
    reason: str


class ApprovalsSoFar(msgspec.Struct, frozen=True, kw_only=True):
    """How many people must approve the plan, and who did."""

    needed: int = 0
    given: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


class ShownPart(msgspec.Struct, frozen=True, kw_only=True):
    """The operations that a view is restricted to: `count` of them. None: of every lead, or of every change."""

    leads: frozenset[str] | None
    changes: frozenset[str] | None
    count: int = 0

    def holds(self, planned: PlannedOperation) -> bool:
        """Whether the view lists this operation."""
        return (self.leads is None or planned.operation.lead in self.leads) and (
            self.changes is None or planned.change in self.changes
        )


def with_name(what: str, target: str, names: TargetNames) -> str:
    """ "1053 northwind"; the id alone where it has no name."""
    name = names.get((what, target), "")
    return f"{visible(target)} {visible(name)}" if name and name != target else visible(target)


def target_words(what: str, target: str, names: TargetNames) -> str:
    """ "delivery 1053 northwind"."""
    return f"{what} {with_name(what, target, names)}"


def names_in(planned: PlannedOperation) -> Mapping[tuple[str, str], str]:
    """The names that a line itself gives to its targets."""
    return {(use.kind, str(use.target)): use.name for use in planned.names}


def headline(summary: PlanSummary, rules: int, part: ShownPart | None = None) -> str:
    """The verdict in words. `rules` block the plan. A view of a part says what the digest covers."""
    total = summary.counts.total
    shown = (
        ""
        if part is None
        else f" · shows {number(part.count)} of {plural(total, 'operation')}; the digest covers {number(total)}"
    )
    match verdict_of(summary):
        case "blocked":
            by = f" by {plural(rules, 'rule')}" if rules else ""
            return f"BLOCKED{by}{shown}"
        case "nothing":
            return f"Nothing to send{shown}"
        case "attention":
            told = sum(finding.severity != "info" for finding in summary.findings)
            return f"{plural(told, 'thing')} to look at{shown}"
        case _:
            return f"Nothing stands out{shown}"


def partial_words(provenance: Provenance, *, partial: bool) -> str:
    """That a plan is one of a part of its changesets, and of which; "" where it is whole."""
    if not partial:
        return ""
    selection = provenance.selection
    asked = [
        *(f"--lead {visible(lead)}" for lead in selection.leads[:_NAMED_FILES]),
        *(f"and {number(more)} more leads" for more in (len(selection.leads) - _NAMED_FILES,) if more > 0),
        *(f"--change {visible(change)}" for change in selection.changes),
        *([] if selection.limit is None else [f"--limit {selection.limit}"]),
    ]
    told = f" ({', '.join(asked)})" if asked else ""
    return f"Partial plan{told}: the rest of its changesets is not planned here"


def progress_words(progress: PlanProgress | None) -> str:
    """How much of a plan that was applied before is settled; "" of a new one. Every view says it first."""
    if progress is None or progress.run is None:
        return ""
    total = progress.settled + progress.left
    told = f"{number(progress.settled)} of {number(total)} settled, {number(progress.left)} left"
    if progress.in_doubt:
        told += f" ({number(progress.in_doubt)} of them in doubt)"
    money = f"payout {format_money(progress.payout)} and revenue {format_money(progress.revenue)}"
    return f"{told}; money left to send: {money}; last applied in run {visible(progress.run)}"


def approval_words(approvals: ApprovalsSoFar | None) -> str:
    """How many approvals are needed and given, and by whom; "" where no configuration says."""
    if approvals is None:
        return ""
    given = ", ".join(map(visible, approvals.given))
    if not approvals.needed:
        told = "none needed"
    else:
        told = f"{number(len(approvals.given))} of {number(approvals.needed)} given"
        told += f": {given}" if given else ""
    left = _left_out_words(approvals.left_out)
    return f"{told}; not counted: {left}" if left else told


def _left_out_words(left_out: Sequence[LeftOut]) -> str:
    """The first signatures that do not count. A reason that several have in a row is said once, after the last."""
    named = left_out[:_NAMED_FILES]
    words = [
        visible(out.principal) + ("" if then is not None and then.reason == out.reason else f" ({visible(out.reason)})")
        for out, then in zip_longest(named, named[1:])
    ]
    if len(left_out) > _NAMED_FILES:
        words.append(f"{number(len(left_out) - _NAMED_FILES)} more")
    return ", ".join(words)


def origin_words(made_from: MadeFrom) -> str:
    """The commit and branch that a plan was made from, and which files differ; "" where git could not tell."""
    if not made_from.commit:
        return ""
    branch = f" on branch {visible(made_from.branch)}" if made_from.branch else ""
    told = f"commit {visible(short(made_from.commit))}{branch}"
    if not made_from.differing:
        return f"{told}; files as committed"
    files = ", ".join(visible(file) for file in made_from.differ[:_NAMED_FILES])
    more = made_from.differing - min(len(made_from.differ), _NAMED_FILES)
    verb = "differs" if made_from.differing == 1 else "differ"
    return f"{told}; {plural(made_from.differing, 'file')} {verb} from it: {files}" + (
        f" and {number(more)} more" if more > 0 else ""
    )
