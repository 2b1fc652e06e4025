"""What the plans of one command are made with besides their changesets: the ledger, the observed export, git."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from syncengine.core.host_and_ledger import check_host, key_warning, lost_records
from syncengine.core.settings import Account
from syncengine.project import Project

# Modules that only some commands need are imported in the functions below: imports take most of the time of a short
# command.
if TYPE_CHECKING:
    from syncengine.ledger import Ledger
    from syncengine.planning.authors import AskedAuthors
    from syncengine.planning.export import ObservedExport


class PlanningInputs(msgspec.Struct, frozen=True, kw_only=True):
    """Opened once for a command, however many plans it makes: opening the ledger checks all of its file, and an export
    is read completely.

    `ledger` is the one to compare with, and `note` what every view says about it first (empty: nothing). `authors` asks
    git; None where no rule excludes authors.
    """

    ledger: Ledger | None
    note: str
    export: ObservedExport | None
    authors: AskedAuthors | None


@contextmanager
def planning_inputs(
    project: Project, account: Account, *, offline: bool, observed: Path | str | None, observed_at: str | None
) -> Iterator[PlanningInputs]:
    """The inputs for plans of an account. Raises InputError with every problem of the observed file, WrongLedger where
    the ledger is not the pinned one."""
    from syncengine.planning.authors import asking_git
    from syncengine.reviewing import open_export

    with ExitStack() as stack:
        export = open_export(account, stack, observed, observed_at)
        ledger, note = _ledger_to_compare(project, account, stack, offline=offline)
        authors = asking_git(project.settings.policy.approvals, Path(project.settings.root), project.environ)
        yield PlanningInputs(ledger=ledger, note=note, export=export, authors=authors)


def _ledger_to_compare(
    project: Project, account: Account, stack: ExitStack, *, offline: bool
) -> tuple[Ledger | None, str]:
    """The ledger and the note about it."""
    pin = project.settings.ledger
    if offline and not pin.url.startswith("sqlite:"):
        return None, "planned offline: the ledger was not read, and everything counts as never applied"
    ledger = stack.enter_context(project.view())
    if ledger is None:
        return None, project.missing_ledger(account)
    ledger.require_sound()
    identity = ledger.identity()
    lost = lost_records(account, pin, identity)
    check_host(account, ledger.hosts())
    return ledger, lost or key_warning(identity)
