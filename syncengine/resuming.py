"""Going on with an interrupted plan without its file: the plan is worked out again, with the same digest.

A run's record keeps what its plan was made from. Read up to the plan's position, the same files and the same ledger
give the same plan, so approvals stay valid and apply goes on as with the file itself. See docs/operators.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from syncengine.applying.plan_progress import ProgressFold
from syncengine.applying.preflight import Preflight, SavedPlan
from syncengine.core.digests import OBSERVED, is_document, moved_parts, part_in_words
from syncengine.core.errors import Refusal
from syncengine.core.plan import PlanProgress, PlanSummary, Selection
from syncengine.core.ports import Clock, PlannedFrom, RunRecord
from syncengine.core.results import UnfinishedPlan
from syncengine.core.settings import Account, Policy
from syncengine.core.values import PlanDigest
from syncengine.ledger import Ledger, PastLedger
from syncengine.planning import Identities, open_plan
from syncengine.planning.build import Watcher

_REFUSED = "what is left of it was rejected or must be resolved, and a new plan sends that"


class CannotResume(Exception):
    """The interrupted plan cannot be worked out again, or must not be applied any more."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotResumed(msgspec.Struct, frozen=True, kw_only=True):
    """An unfinished plan of the same changesets, and why the plan being made does not go on with it."""

    plan: PlanDigest
    reason: str


class Interrupted(msgspec.Struct, frozen=True, kw_only=True):
    """The newest unfinished plan of the same changesets: its newest run, and what it was made from."""

    run: RunRecord
    planned: PlannedFrom

    def refused(self, reason: str) -> NotResumed:
        """The same plan, not gone on with."""
        return NotResumed(plan=self.run.plan, reason=reason)


def find_interrupted(
    ledger: Ledger,
    unfinished: Iterable[UnfinishedPlan],
    changesets: Iterable[str],
    parts: Mapping[str, str],
    selection: Selection,
) -> Interrupted | NotResumed | None:
    """The plan to go on with, as far as that is known without working it out; None where there is none.

    `unfinished` are the account's unfinished plans, newest first. `parts` are digests of inputs that are known before
    planning.
    """
    found = _newest_of(unfinished, frozenset(changesets))
    if found is None:
        return None
    runs = ledger.runs(found.account, plan=found.plan)
    planned = runs[0].planned
    if planned is None:
        return NotResumed(plan=found.plan, reason="the version that applied it did not record what it was made from")
    if selection.partial and _part(planned.selection) != _part(selection):
        return None
    reason = _over(runs) or _moved(planned, parts, selection) or _tried(ledger, runs)
    return NotResumed(plan=found.plan, reason=reason) if reason else Interrupted(run=runs[0], planned=planned)


def _newest_of(unfinished: Iterable[UnfinishedPlan], changesets: frozenset[str]) -> UnfinishedPlan | None:
    return next((plan for plan in unfinished if frozenset(plan.changesets) == changesets), None)


def _tried(ledger: Ledger, runs: Sequence[RunRecord]) -> str:
    """Why nothing is left to go on with after these runs of one plan, newest first; "" where something may be.

    This look at counts saves working out a plan of which only rejected operations are left, each time that it is
    planned.
    """
    return _REFUSED if ledger.is_tried_in_full(runs[0].plan, runs[-1].total) else ""


def _over(runs: Sequence[RunRecord]) -> str:
    """Why runs of one plan, newest first, are not to be gone on with; "" where they are."""
    newest = runs[0]
    if any(run.live for run in runs):
        return f"run {newest.run} is in progress"
    return f"run {newest.run} was cancelled" if newest.cancelled else ""


def _moved(planned: PlannedFrom, parts: Mapping[str, str], selection: Selection) -> str:
    """Which inputs differ from those that the plan was made from, in words; "" where none does."""
    if _part(planned.selection) != _part(selection):
        return "it covers another part of the changesets (--lead, --change, --limit)"
    # A comment may be all that differs in a document: whether that matters shows when the plan is worked out again.
    known = {name: digest for name, digest in planned.parts.items() if name in parts and not is_document(name)}
    return _moved_words(moved_parts(known, {name: parts[name] for name in known}))


def _part(selection: Selection) -> tuple[object, ...]:
    return selection.leads, selection.changes, selection.limit


def _moved_words(moved: Iterable[str]) -> str:
    told = ", ".join(map(part_in_words, moved))
    return f"since it was made these changed: {told}" if told else ""


class Resumption:
    """One attempt to go on with an interrupted plan. `accept` judges the plan that was worked out."""

    def __init__(
        self,
        *,
        found: Interrupted,
        ledger: Ledger,
        account: Account,
        policy: Policy,
        clock: Clock,
        identities: Identities,
        reads: bool,
    ) -> None:
        self.found = found
        self._ledger = ledger
        self._account = account
        self._policy = policy
        self._clock = clock
        self._identities = identities
        self._reads = reads
        self._fold = ProgressFold(found.run.plan, found.run.run)

    @property
    def position(self) -> int:
        """The ledger's position when the plan was made."""
        return self.found.planned.position

    @cached_property
    def records(self) -> PastLedger:
        """The account's records up to that position."""
        return self._ledger.at_position(self._account.identity, self.position)

    def accept(self, file: Path, summary: PlanSummary) -> None:
        """Raise CannotResume where the file is another plan, or one that apply would refuse or not go on with."""
        if summary.digest != self.found.run.plan:
            raise CannotResume(self._why_different(summary))
        with open_plan(file, self._identities) as plan:
            saved = SavedPlan(header=plan.header, provenance=plan.provenance, summary=plan.summary)
            preflight = Preflight(
                saved, policy=self._policy, account=self._account, ledger=self._ledger, clock=self._clock
            )
            try:
                preflight.check(plan.operations(), watch=self._fold.see)
            except Refusal as error:
                raise CannotResume(error.message) from error
        if not self._fold.resumable:
            raise CannotResume(_REFUSED)

    def _why_different(self, summary: PlanSummary) -> str:
        moved = _moved_words(moved_parts(self.found.planned.parts, summary.parts))
        if moved:
            return moved
        if self._reads:
            return "its values were read from the service, which may answer differently now"
        if summary.parts.get(OBSERVED):
            return "its observed file was dated differently (--observed-at), or records of then cannot be read any more"
        return (
            "another version made it, records came while it was made, or some were erased or belong to another key "
            "since, so it cannot be worked out again"
        )

    @property
    def progress(self) -> PlanProgress:
        """How much of the plan is settled, once it was accepted."""
        return self._fold.progress()

    def show(self, file: Path, watchers: Iterable[Watcher]) -> None:
        """Give the watchers of a planning every operation of the accepted plan."""
        seeing = [watcher.see for watcher in watchers]
        with open_plan(file, self._identities) as plan:
            for planned in plan.operations():
                for see in seeing:
                    see(planned)
