"""Read access to the ledger: identity, histories, runs. LedgerView describes the guarantees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from syncengine.core.errors import LedgerDamaged
from syncengine.core.history import LeadHistory
from syncengine.core.operations import Kind
from syncengine.core.ports import LedgerIdentity, RunRecord, Spent
from syncengine.core.values import LeadId, PlanDigest, RunId
from syncengine.ledger.engine import Engine, Leases, Row, first
from syncengine.ledger.histories import load_histories
from syncengine.ledger.key import ValueForms
from syncengine.ledger.rows import SHARED, Live, RunRow, run_rows, spent_amount
from syncengine.ledger.usage import AccountUsage

BATCH = 1_000


class Reader:
    """A LedgerView over any engine."""

    def __init__(self, engine: Engine, leases: Leases, forms: ValueForms) -> None:
        self.engine = engine
        self._leases = leases
        self._forms = forms
        self._plans: dict[str, str] = {}
        self._id = self._meta("id")

    def _meta(self, name: str) -> str:
        return self._required(self.engine.look("get_meta", name=name), name)

    def _required(self, rows: list[Row], name: str) -> str:
        if not rows:
            raise LedgerDamaged(self.engine.url, f"it lacks its {name}")
        return str(rows[0][0])

    def require_sound(self) -> None:
        """Raise LedgerDamaged where the database's structure is inconsistent or rows differ from their covering
        indexes.

        Called before anything is sent: a damaged index hides rows, and the hidden operations would be sent again.
        Checksums in each row would not detect that: see docs/decisions/0011-damage-is-found-by-twins.md.
        """
        found = self.engine.damage(1) or self.engine.read(self._lost_records)
        if found:
            raise LedgerDamaged(self.engine.url, found[0])

    def _lost_records(self) -> list[str]:
        if self.engine.dialect == "postgres":
            return []
        # Each record is one step of its lane and one position, so a moved or missing last row shows here.
        steps = sum(row[7] for row in self.engine.rows("get_lanes"))
        last = self.engine.rows("last_position")[0][0]
        return [] if steps == last else [f"its accounts hold {steps} records, but the last position is {last}"]

    def identity(self) -> LedgerIdentity:
        """Id and position."""
        last, check, started = self.engine.read(
            lambda: self.engine.rows_each(
                [("last_position", {}), ("get_meta", {"name": "key_check"}), ("get_meta", {"name": "generation"})]
            )
        )
        position = last[0][0]
        state = self._forms.state(self._id, self._required(check, "key_check"))
        return LedgerIdentity(
            id=self._id,
            position=position,
            url=self.engine.url,
            key=state,
            generation=int(started[0][0]) if started else 0,
            highest=max(position, self.engine.highest_position(self._id)),
        )

    def store(self, kind: Kind, lead: LeadId, name: str, value: str) -> str:
        """The stored form of a value."""
        return self._forms.store(kind, lead, name, value)

    def stored(self, kind: Kind, lead: LeadId, values: Mapping[str, str]) -> dict[str, str]:
        """The stored forms of values, by name."""
        return self._forms.stored(kind, lead, values)

    def matches(self, stored: str, kind: Kind, lead: LeadId, name: str, value: str) -> bool:  # noqa: ARG002
        """Whether a stored form represents `value`."""
        return self._forms.matches(stored, lead, name, value)

    def histories(self, account: str, leads: Sequence[LeadId]) -> Mapping[LeadId, LeadHistory]:
        """Histories of these leads; a lead without any is left out."""
        if len(leads) > BATCH:
            raise ValueError(f"at most {BATCH} leads a batch, not {len(leads)}")
        # Read before the snapshot: a run that ends in between then counts as live, which is the safe side.
        return self.snapshot(account, leads, self.live_runs())

    def snapshot(self, account: str, leads: Sequence[LeadId], live: Live) -> dict[LeadId, LeadHistory]:
        """Histories of any number of leads; `live` names the live runs, with the epochs of their leases."""

        def work() -> dict[LeadId, LeadHistory]:
            found: dict[LeadId, LeadHistory] = {}
            for start in range(0, len(leads), BATCH):
                batch = list(leads[start : start + BATCH])
                found.update(load_histories(self.engine, account, batch, self._plans_of, live))
            return found

        return self.engine.read(work)

    def _plans_of(self, runs: set[str]) -> dict[str, str]:
        """Plans by run, including these runs."""
        unknown = runs - self._plans.keys()
        if unknown:
            found = run_rows(self.engine.rows("runs_of", ids=sorted(unknown)))
            self._plans.update({run.id: run.plan for run in found})
        return self._plans

    def live_runs(self) -> frozenset[tuple[str, int]]:
        """Runs in progress: a living process holds their lease, and they have not ended.

        Each comes with the epoch of its lease. A run that workers share appears with each of their leases.
        """
        epochs = self._leases.live_epochs()
        if not epochs:
            return frozenset()
        runs = run_rows(self.engine.look("open_runs"))
        return frozenset(
            (run.id, epoch)
            for run in runs
            for (account, lane), epoch in epochs.items()
            if account == run.account and (run.lane == SHARED or (lane == run.lane and epoch == run.epoch))
        )

    def hosts(self) -> Mapping[str, str]:
        """Account identity to the host it was first applied on."""
        rows = self.engine.look("get_hosts")
        return {account: host for account, host in rows}  # noqa: C416  # rows are tuples of any length to mypy

    def names(self, account: str) -> Mapping[tuple[str, str, str], str]:
        """(changeset, kind, name) to the id that the name resolved to when the changeset was first applied with it."""
        rows = self.engine.look("get_names", account=account)
        return {(changeset, kind, name): target for changeset, kind, name, target in rows}

    def attempts_of(self, account: str, changeset: str) -> int:
        """How many attempts a changeset has."""
        row = first(self.engine.look("count_attempts", account=account, changeset=changeset))
        return int(row[0]) if row else 0

    def changesets_of(self, account: str) -> frozenset[str]:
        """Changesets with at least one attempt."""
        rows = self.engine.look("get_changesets", account=account)
        return frozenset(changeset for (changeset,) in rows)

    def runs(self, account: str | None = None, *, plan: PlanDigest | None = None) -> Sequence[RunRecord]:
        """Runs, newest first."""
        return self._records(lambda: self._run_rows(account, plan))

    def claims(self) -> Mapping[RunId, str]:
        """What CI said about approvals, by run, where it said anything."""
        rows = self.engine.read(lambda: self.engine.rows("get_claims"))
        return {RunId(run): claimed for run, claimed in rows}

    def last_run(self, account: str) -> RunRecord | None:
        """The newest run of an account."""
        found = self._records(lambda: run_rows(self.engine.rows("get_last_run_of_account", account=account)))
        return found[0] if found else None

    def run_row(self, run: str) -> RunRow | None:
        """The row of a run, inside a read or write."""
        return first(run_rows(self.engine.rows("get_run", run=run)))

    def _records(self, rows: Callable[[], Sequence[RunRow]]) -> list[RunRecord]:
        live = {run for run, _ in self.live_runs()}
        return [row.record(live=row.id in live or row.is_shared_and_open) for row in self.engine.read(rows)]

    def _run_rows(self, account: str | None, plan: PlanDigest | None) -> list[RunRow]:
        if plan is not None:
            rows = run_rows(self.engine.rows("get_runs_of_plan", plan=plan))
            return [row for row in rows if account is None or row.account == account]
        if account is not None:
            return run_rows(self.engine.rows("get_runs_of_account", account=account))
        return run_rows(self.engine.rows("get_runs"))

    def spent(self, account: str, since: str) -> Spent:
        """Totals of the account's intents since a moment. Erased operations count without their amounts."""

        def work() -> Spent:
            irreversible, leads = self.engine.rows("spent_counts", account=account, since=since)[0]
            values = [vals for _, _, vals in self.engine.rows("spent_values", account=account, since=since)]
            return Spent(
                irreversible=irreversible,
                leads=leads,
                payout=sum(spent_amount(vals, "payout") for vals in values),
                revenue=sum(spent_amount(vals, "revenue") for vals in values),
            )

        return self.engine.read(work)

    def usage(self, account: str) -> AccountUsage:
        """Names and amounts on record."""
        return AccountUsage(self.engine, account)

    def close(self) -> None:
        """Close the connection."""
        self.engine.close()
