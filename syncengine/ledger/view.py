"""Reading the ledger: identity, histories, runs. See LedgerView for the promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncengine.core.errors import LedgerTrouble
from syncengine.core.history import LeadHistory
from syncengine.core.operations import Kind
from syncengine.core.ports import LedgerIdentity, RunRecord
from syncengine.core.values import LeadId, PlanDigest
from syncengine.ledger.engine import Engine, Leases, first
from syncengine.ledger.key import ValueForms
from syncengine.ledger.rows import RunRow, histories, run_rows

BATCH = 1_000


class Reader:
    """A LedgerView over any engine."""

    def __init__(self, engine: Engine, leases: Leases, forms: ValueForms) -> None:
        self._engine = engine
        self._leases = leases
        self._forms = forms
        self._plans: dict[str, str] = {}
        self._id = self._meta("id")

    def _meta(self, name: str) -> str:
        row = self._engine.read(lambda: first(self._engine.rows("get_meta", name=name)))
        if row is None:
            raise LedgerTrouble(
                f"ledger {self._engine.url} lacks its {name}; it is damaged",
                hint="restore it from a backup",
            )
        return str(row[0])

    def identity(self) -> LedgerIdentity:
        """Id and position."""
        position = self._engine.read(lambda: self._engine.rows("last_position")[0][0])
        state = self._forms.state(self._id, self._meta("key_check"))
        return LedgerIdentity(id=self._id, position=position, url=self._engine.url, key=state)

    def store(self, kind: Kind, lead: LeadId, name: str, value: str) -> str:
        """The form in which a value would be stored."""
        return self._forms.store(kind, lead, name, value)

    def matches(self, stored: str, kind: Kind, lead: LeadId, name: str, value: str) -> bool:  # noqa: ARG002
        """Whether a stored form stands for `value`."""
        return self._forms.matches(stored, lead, name, value)

    def histories(self, account: str, leads: Sequence[LeadId]) -> Mapping[LeadId, LeadHistory]:
        """Histories of these leads; a lead without any is left out."""
        if len(leads) > BATCH:
            raise ValueError(f"at most {BATCH} leads a batch, not {len(leads)}")
        # Asked before the snapshot: a run that ends in between then counts as live, which only makes us more careful.
        live = self._live_runs()
        return self._engine.read(lambda: self._histories(account, leads, live))

    def _histories(self, account: str, leads: Sequence[LeadId], live: frozenset[str]) -> dict[LeadId, LeadHistory]:
        rows = self._engine.rows("histories", account=account, leads=list(leads))
        erased = self._engine.rows("erased_among", account=account, leads=list(leads))
        rekeyed = first(self._engine.rows("get_meta", name="rekeyed"))
        self._know_plans({row[8] for row in rows})
        return histories(
            rows,
            plans=self._plans,
            live=live,
            rekeyed=int(rekeyed[0]) if rekeyed else 0,
            erased=frozenset(lead for (lead,) in erased),
        )

    def _know_plans(self, runs: set[str]) -> None:
        unknown = runs - self._plans.keys()
        if unknown:
            found = run_rows(self._engine.rows("runs_of", ids=sorted(unknown)))
            self._plans.update({run.id: run.plan for run in found})

    def _live_runs(self) -> frozenset[str]:
        """Runs that are going on right now: their lease is held by a living process, and they have not ended."""
        epochs = self._leases.live_epochs()
        if not epochs:
            return frozenset()
        runs = self._engine.read(lambda: run_rows(self._engine.rows("open_runs")))
        return frozenset(run.id for run in runs if epochs.get((run.account, run.lane)) == run.epoch)

    def hosts(self) -> Mapping[str, str]:
        """Account identity to the host it was first applied on."""
        return dict(self._engine.read(lambda: self._engine.rows("get_hosts")))  # type: ignore[arg-type]  # two columns

    def names(self, account: str) -> Mapping[tuple[str, str, str], str]:
        """(changeset, kind, name) to the id that the name stood for when the changeset was first applied with it."""
        rows = self._engine.read(lambda: self._engine.rows("get_names", account=account))
        return {(changeset, kind, name): target for changeset, kind, name, target in rows}

    def changesets_of(self, account: str) -> frozenset[str]:
        """Changesets with at least one attempt."""
        rows = self._engine.read(lambda: self._engine.rows("get_changesets", account=account))
        return frozenset(changeset for (changeset,) in rows)

    def runs(self, account: str | None = None, *, plan: PlanDigest | None = None) -> Sequence[RunRecord]:
        """Runs, newest first."""
        live = self._live_runs()
        rows = self._engine.read(lambda: self._run_rows(account, plan))
        return [row.record(live=row.id in live) for row in rows]

    def _run_rows(self, account: str | None, plan: PlanDigest | None) -> list[RunRow]:
        if plan is not None:
            rows = run_rows(self._engine.rows("get_runs_of_plan", plan=plan))
            return [row for row in rows if account is None or row.account == account]
        if account is not None:
            return run_rows(self._engine.rows("get_runs_of_account", account=account))
        return run_rows(self._engine.rows("get_runs"))

    def close(self) -> None:
        """Give the connection back."""
        self._engine.close()
