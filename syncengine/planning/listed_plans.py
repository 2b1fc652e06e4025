"""A folder of plans: plans.json and exactly the plans that it lists. Any other file that ends in .plan is a fault.

Plans are opened one after the other, so that a folder of thousands needs one file descriptor. Each opening compares the
digest again: a file that was exchanged since is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from syncengine.core.errors import AlteredPlan, InputError, Problem, Refusal
from syncengine.core.values import ChangesetId, PlanDigest
from syncengine.planning.planfile import PlanFile, open_plan
from syncengine.planning.plans_file import NAME, ListedPlan, read_plans_file
from syncengine.planning.sealed_plans import Identities, SealedPlan

_AGAIN = "plan again with 'syncengine plan PATH... --each {folder}', which removes what it wrote before"


class FolderPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One plan that a folder's plans.json lists."""

    changeset: ChangesetId
    digest: PlanDigest
    account: str
    path: Path

    @contextmanager
    def open(self, identities: Identities) -> Iterator[PlanFile]:
        """The verified plan. Raises AlteredPlan where it is missing, or is not the plan that plans.json lists."""
        if self.path.is_symlink():
            raise self._unlike(f"{self.path} is a symbolic link to a file elsewhere")
        try:
            saved = open_plan(self.path, identities)
        except SealedPlan:
            raise
        except InputError as error:
            raise self._unlike(error.message) from error
        with saved:
            if fault := self._fault(saved):
                raise self._unlike(f"{self.path}: {fault}")
            yield saved

    def _fault(self, saved: PlanFile) -> str:
        """Why this is not the plan that plans.json lists; "" where it is."""
        changesets = [changeset.id for changeset in saved.summary.changesets]
        if saved.summary.digest != self.digest:
            return f"plan {saved.summary.digest[:12]}, and {NAME} lists plan {self.digest[:12]}"
        if saved.header.account != self.account:
            return f"a plan for account {saved.header.account}, and {NAME} is for account {self.account}"
        if changesets != [self.changeset]:
            return f"a plan of {', '.join(changesets) or 'no changeset'}, and {NAME} lists changeset {self.changeset}"
        return ""

    def _unlike(self, message: str) -> AlteredPlan:
        return AlteredPlan(message, code="SE671", hint=_AGAIN.format(folder=self.path.parent))


def is_plan_name(name: str) -> bool:
    """Whether a file of this name counts as a plan of its folder."""
    return name.endswith(".plan")


def read_folder(folder: Path, identities: Identities) -> tuple[FolderPlan, ...]:
    """The plans of a folder, in the order of their changesets' ids, all of them verified.

    Raises Refusal with every fault where the folder does not hold exactly what its plans.json lists, and InputError
    where the folder cannot be read or a plan is sealed for others.
    """
    names = _names_in(folder)
    if NAME not in names:
        raise Refusal(
            f"{folder} has no {NAME}, so nothing says which plans belong together",
            code="SE670",
            hint=f"'syncengine plan PATH... --each {folder}' writes it with the plans; a single plan is applied by its "
            "file's name",
        )
    try:
        content = read_plans_file(folder / NAME)
    except InputError as error:
        raise Refusal(error.message, code="SE671", hint=_AGAIN.format(folder=folder)) from error
    plans = tuple(_folder_plan(folder, content.account, each) for each in content.plans)
    faults = [*_foreign(folder, names, plans), *_unlike(plans, identities)]
    if faults:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise Refusal(
            f"{folder} does not hold exactly the plans that its {NAME} lists: {faults[0].message}{more}",
            code="SE671",
            hint=_AGAIN.format(folder=folder),
            problems=faults,
        )
    return plans


def _folder_plan(folder: Path, account: str, listed: ListedPlan) -> FolderPlan:
    return FolderPlan(changeset=listed.changeset, digest=listed.plan, account=account, path=folder / listed.file)


def _names_in(folder: Path) -> frozenset[str]:
    try:
        return frozenset(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise InputError(
            f"cannot read the folder {folder}: {error.strerror}",
            code="SE902",
            hint="name the folder that 'syncengine plan --each' wrote",
        ) from error


def _foreign(folder: Path, names: frozenset[str], plans: Sequence[FolderPlan]) -> Iterator[Problem]:
    listed = {plan.path.name for plan in plans}
    for name in sorted(names - listed):
        if is_plan_name(name):
            message = f"{folder / name} is not listed"
            hint = f"remove it, or apply it by its name: syncengine apply {folder / name}"
            yield Problem(code="SE671", message=message, file=str(folder / name), hint=hint)


def _unlike(plans: Sequence[FolderPlan], identities: Identities) -> Iterator[Problem]:
    for plan in plans:
        try:
            with plan.open(identities):
                continue
        except Refusal as error:
            yield Problem(code=error.code, message=error.message, file=str(plan.path), hint=error.hint)
