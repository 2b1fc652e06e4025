"""Compares the plans that `plan --expect` makes with those that were expected, and names what moved."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from syncengine.core.digests import moved_parts, part_in_words, parts_about
from syncengine.core.errors import Problem, Refusal
from syncengine.core.plan import PlanSummary
from syncengine.core.settings import Account
from syncengine.core.values import ChangesetId, PlanDigest
from syncengine.ledger import Ledger
from syncengine.moved_inputs import EarlierPlan, moved_in_words
from syncengine.planning import Identities, open_plan
from syncengine.planning.expectation import ExpectedPlans

_NAMED = 5
"""Changesets that the message names; the problems list all."""
_AGAIN = "plan again without --expect, and have the new plan reviewed"


class ExpectedPlan:
    """The one plan that is expected. `saved` is a plan that was there before, to tell what moved since."""

    def __init__(self, digest: PlanDigest, saved: Path | None, identities: Identities | None) -> None:
        self._digest = digest
        self._identities = identities
        self._earlier = None if saved is None else _saved(saved, digest, identities)

    def check(self, file: Path, summary: PlanSummary, ledger: Ledger | None) -> None:
        """Raise Refusal where the new plan in `file` is another one."""
        if summary.digest == self._digest:
            return
        with open_plan(file, self._identities) as plan:
            earlier = self._earlier or _recorded(self._digest, plan.header.identity, ledger)
            if earlier is None:
                words = "what moved cannot be told, as neither --out nor the ledger holds the expected plan"
            else:
                words = f"since then these moved: {moved_in_words(earlier, plan, ledger)}"
        raise Refusal(
            f"plan {self._digest[:12]} was expected, and this is plan {summary.digest[:12]}; {words}",
            code="SE143",
            hint=_AGAIN,
        )


def _saved(path: Path, digest: PlanDigest, identities: Identities | None) -> EarlierPlan | None:
    from syncengine.core.errors import SyncError

    try:
        with open_plan(path, identities) as plan:
            if plan.summary.digest == digest:
                return EarlierPlan(parts=plan.summary.parts, position=plan.provenance.ledger_position)
    except SyncError:
        # It only explains a difference, and is replaced.
        pass
    return None


def _recorded(digest: PlanDigest, account: str, ledger: Ledger | None) -> EarlierPlan | None:
    """The expected plan as a run of it recorded it."""
    for run in () if ledger is None else ledger.runs(account, plan=digest):
        if run.planned is not None:
            return EarlierPlan(parts=run.planned.parts, position=run.planned.position)
    return None


class PlansComparison:
    """Takes the plans of `--each` one by one, then refuses them together where they are not the expected ones."""

    def __init__(self, expected: ExpectedPlans, ledger: Ledger | None, identities: Identities | None) -> None:
        self._expected = expected
        self._ledger = ledger
        self._identities = identities
        self._met: set[str] = set()
        self._differences: list[tuple[str, Problem]] = []

    def planned(self, changeset: ChangesetId, file: str, path: Path, summary: PlanSummary) -> None:
        """A plan that was made; `file` is the changeset's."""
        self._met.add(changeset)
        expected = self._expected.plans.get(changeset)
        if expected is None:
            self._differ(changeset, file, "is new: no plan of it was expected")
        elif expected.plan != summary.digest:
            earlier = EarlierPlan(parts=expected.parts, position=self._expected.positions.get(changeset))
            with open_plan(path, self._identities) as plan:
                words = moved_in_words(earlier, plan, self._ledger)
            digests = f"plan {summary.digest[:12]} instead of {expected.plan[:12]}"
            self._differ(changeset, file, f"has {digests}; since then these moved: {words}")

    def settled(self, changeset: ChangesetId, file: str, parts: Mapping[str, str], *, known: bool) -> None:
        """A changeset that needs no plan. `known`: the ledger has records of it."""
        self._met.add(changeset)
        expected = self._expected.plans.get(changeset)
        if expected is None:
            return
        moved = moved_parts(parts_about(expected.parts, (changeset,)), parts)
        if moved:
            words = ", ".join(map(part_in_words, moved))
            self._differ(changeset, file, f"has no plan any more; since then these moved: {words}")
        elif not known:
            self._differ(changeset, file, "has nothing to send any more, although nothing of it was applied")

    def finish(self, account: Account) -> None:
        """Raise Refusal with every difference."""
        if self._expected.account != account.name:
            self._differ(
                "", "", f"the expected plans are for account {self._expected.account}, and these for {account.name}"
            )
        missing = self._expected.plans.keys() - self._met
        for name in sorted(missing - self._applied_since(account, missing)):
            self._differ(name, "", "is missing: a plan of it was expected, and it is not among the changesets")
        if not self._differences:
            return
        told = [f"changeset {name} {each.message}" if name else each.message for name, each in self._differences]
        more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
        raise Refusal(
            f"the plans are not the expected ones: {'; '.join(told[:_NAMED])}{more}",
            code="SE143",
            hint=_AGAIN,
            problems=[each for _, each in self._differences] if len(told) > _NAMED else (),
        )

    def _applied_since(self, account: Account, changesets: Collection[str]) -> frozenset[str]:
        """Those of these changesets whose expected plan was applied in full: their files are not needed any more."""
        if self._ledger is None or not changesets:
            return frozenset()
        ledger, identity = self._ledger, account.identity
        unfinished = {plan.plan for plan in ledger.unfinished(identity)}
        expected = {name: self._expected.plans[name].plan for name in changesets}
        return frozenset(
            name for name, plan in expected.items() if plan not in unfinished and ledger.runs(identity, plan=plan)
        )

    def _differ(self, changeset: str, file: str, message: str) -> None:
        self._differences.append((changeset, Problem(code="SE143", message=message, file=file)))
