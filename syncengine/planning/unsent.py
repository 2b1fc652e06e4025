"""What the changesets among the PATHs still have to send: for `conflict` findings, and to skip what is settled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from syncengine.core.changes import Item
from syncengine.core.errors import Problem
from syncengine.core.history import NO_HISTORY, touch_of
from syncengine.core.operations import Financials, Kind, Update, kind_of, target_of, values_of
from syncengine.core.plan import PlannedOperation, State
from syncengine.core.ports import LedgerView
from syncengine.core.settings import Account, Policy
from syncengine.core.values import LeadId
from syncengine.documents.claims import ClaimStore, LeadFilter
from syncengine.findings.conflict import UnsentClaim
from syncengine.findings.operations import OPEN
from syncengine.planning.build import BATCH, PlannableChangeset
from syncengine.planning.diff import Differ, Generation

_SETTLED = frozenset({State.ALREADY_APPLIED, State.UNCHANGED})


class UnsentOperations:
    """Reads changesets once, compares them with the ledger, and remembers on disk what of them is open.

    Nothing is observed: an operation that turns out to be done already counts as open here.
    """

    def __init__(self, store: ClaimStore, *, account: Account, policy: Policy, ledger: LedgerView | None) -> None:
        self._store = store
        self._account = account
        self._ledger = ledger
        moved: Mapping[tuple[str, str, str], str] = {} if ledger is None else ledger.names(account.identity)
        self._differ = Differ(account=account.identity, policy=policy, values=ledger, moved=moved)
        self._changesets: dict[str, None] = {}
        self._shared = LeadFilter()
        """Leads that more than one of the changesets are about: most are looked up for nothing without it."""

    def read(self, changeset: PlannableChangeset) -> bool:
        """Remember what a changeset still has to send. Returns whether it needs a plan: something of it is open or in
        doubt, or cannot be planned."""
        problems: list[Problem] = []
        needs_plan = False
        number = str(len(self._changesets))
        self._changesets[changeset.facts().id] = None
        items = changeset.items(problems.append)
        while batch := list(islice(items, BATCH)):
            histories = {} if self._ledger is None else self._ledger.histories(self._account.identity, _leads(batch))
            for item in batch:
                for compared in self._differ.compare(item, histories.get(item.lead, NO_HISTORY), 0):
                    if isinstance(compared, Generation) or compared.state not in _SETTLED:
                        needs_plan = True
                    if isinstance(compared, PlannedOperation) and compared.state in OPEN:
                        self._remember(number, compared)
        return needs_plan or any(problem.severity == "error" for problem in problems)

    def _remember(self, number: str, planned: PlannedOperation) -> None:
        operation = planned.operation
        kind = kind_of(operation).value
        if isinstance(operation, Update | Financials):
            names = planned.send or tuple(values_of(operation))
            values = values_of(operation)
            claims = {f"{number}\0{kind}\0{name}": values[name] for name in names}
        else:
            claims = {f"{number}\0{kind}\0\0{touch_of(kind_of(operation), target_of(operation))}": ""}
        known = self._store.claim_first(operation.lead, claims, planned.origin)
        if not known:
            return
        self._store.claim_more(operation.lead, claims, planned.origin)
        if any(not key.startswith(f"{number}\0") for key in known):
            self._shared.add(operation.lead)

    def of(self, lead: LeadId, *, besides: str) -> Iterator[UnsentClaim]:
        """Everything about a lead that is not of the changeset `besides`."""
        if lead not in self._shared and besides in self._changesets:
            return
        names = list(self._changesets)
        for key, claim in self._store.claims_of(lead).items():
            number, kind, name = key.split("\0", 2)
            changeset = names[int(number)]
            if changeset == besides:
                continue
            if name.startswith("\0"):
                yield UnsentClaim(changeset, Kind(kind), name[1:])
            else:
                yield UnsentClaim(changeset, Kind(kind), name, claim.value)

    def close(self) -> None:
        """Release the memory. The owner of the store closes it."""
        self._shared.close()


def _leads(batch: Iterable[Item]) -> list[LeadId]:
    return list({item.lead for item in batch})
