"""Any sequence of crash, resume, reject, lose and resolve keeps what the ledger promises."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from syncengine.core.errors import LeaseLost
from syncengine.core.history import LeadHistory, Standing, settled_as
from syncengine.core.operations import IRREVERSIBLE
from syncengine.core.outcomes import LeadEntry, Outcome, Ruling
from syncengine.core.ports import Lease, OutgoingRequest
from syncengine.core.results import Totals
from syncengine.core.values import OperationId, RunId
from syncengine.ledger import Ledger
from tests.ledger.building import ACCOUNT, Home, answered, entry, financials, history_of, part, start, trigger, update
from tests.postgres_server import PostgresServer

LEADS = (1, 2, 3)
SHAPES = (
    lambda lead: entry(update(lead)),
    lambda lead: entry(trigger(lead)),
    lambda lead: entry(update(lead), trigger(lead, "1054")),
    lambda lead: entry(financials(lead)),
)
RULINGS = [Ruling(outcome, f"it was {outcome}") for outcome in Outcome]


def guard(sent: LeadEntry, history: LeadHistory) -> dict[OperationId, str]:
    """What every applier does: an irreversible operation that was applied or is in doubt is never sent again."""
    stopped = {}
    for one in sent.parts:
        for attempt in history.of_operation(one.id):
            if attempt.kind in IRREVERSIBLE and attempt.standing not in (Standing.REJECTED, Standing.NOT_SENT):
                stopped[one.id] = "it may have happened"
    return stopped


class Machine(RuleBasedStateMachine):
    """A runner that crashes and comes back, a service that does what it likes, and a person who resolves.

    `effects` counts, per irreversible operation, how often the service may have done it.
    """

    server: PostgresServer | None = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        url = self.server.new_database() if self.server else "sqlite:///.syncengine/ledger.db"
        self.home = Home(Path(self.folder.name), url)
        self.ledger: Ledger = self.home.create()
        self.stack = contextlib.ExitStack()
        self.lease: Lease | None = None
        self.run: RunId | None = None
        self.waiting: dict[int, tuple[Ledger, Lease, RunId, LeadEntry]] = {}
        self.late: dict[int, tuple[Ledger, Lease, RunId, LeadEntry]] = {}
        self.effects: Counter[str] = Counter()

    @initialize()
    def begin_first(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.lease = self.stack.enter_context(self.ledger.lease(ACCOUNT, wait=5))
        self.run = self.ledger.begin(self.lease, start())

    @rule(lead=st.sampled_from(LEADS), shape=st.sampled_from(SHAPES))
    def send(self, lead: int, shape: object) -> None:
        assert callable(shape)
        assert self.lease is not None
        assert self.run is not None
        sent: LeadEntry = shape(lead)
        if any(other.lead == sent.lead for _, _, _, other in self.waiting.values()):
            return
        committed = self.ledger.commit(self.lease, self.run, [OutgoingRequest((sent,))], [], guard)
        parts = tuple(one for one in sent.parts if one.id not in committed.stopped)
        if committed.requests[0] is None:
            assert not parts
            return
        left = LeadEntry(sent.lead, sent.number, parts)
        self.waiting[committed.requests[0]] = (self.ledger, self.lease, self.run, left)
        for one in parts:
            self.effects[one.id] += 1

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(sorted(self.waiting)))
        ledger, lease, run, sent = self.waiting.pop(request)
        ledger.commit(lease, run, [], [answered(request, self._rulings(data, sent))], guard)

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def answer_late(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(sorted(self.late)))
        ledger, lease, run, sent = self.late.pop(request)
        rulings = self._rulings(data, sent)
        with pytest.raises(LeaseLost):
            ledger.commit(lease, run, [], [answered(request, rulings)], guard)

    def _rulings(self, data: st.DataObject, sent: LeadEntry) -> list[Ruling]:
        rulings = [data.draw(st.sampled_from(RULINGS)) for _ in sent.parts]
        for one, ruling in zip(sent.parts, rulings, strict=True):
            if ruling.outcome in (Outcome.REJECTED, Outcome.NOT_SENT):
                self.effects[one.id] -= 1
        return rulings

    @rule(heard=st.booleans())
    def crash_and_come_back(self, heard: bool) -> None:
        """The process vanishes; with `heard` it was only cut off, and its answers come in later."""
        self.stack.close()
        if heard:
            self.late.update(self.waiting)
        self.waiting = {}
        self.ledger = self.home.open()
        self._begin()

    @rule(applied=st.booleans(), data=st.data())
    def resolve(self, applied: bool, data: st.DataObject) -> None:
        assert self.lease is not None
        doubts = [doubt for doubt in self.ledger.doubts() if not doubt.in_flight]
        if not doubts:
            return
        doubt = data.draw(st.sampled_from(doubts))
        # A person who says that nothing happened is right here; a wrong word is the person's, not the ledger's.
        late = {request for request in self.late if any(number // 65536 == request for number in doubt.attempts)}
        if not applied and late:
            return
        self.ledger.end(self.run or RunId(""), exit_code=5, stopped="")
        if self.waiting:
            self.waiting = {}
        self.ledger.resolve(self.lease, doubt.attempts, applied=applied, by="ann", note="")
        if not applied:
            self.effects[doubt.operation] = 0
        self.run = self.ledger.begin(self.lease, start())

    @invariant()
    def nothing_irreversible_happens_twice(self) -> None:
        triggers = {part(shape(lead).parts[-1].operation).id for lead in LEADS for shape in SHAPES[1:3]}
        assert all(self.effects[operation] <= 1 for operation in triggers)

    @invariant()
    def counts_and_chains_are_right(self) -> None:
        assert list(self.ledger.check()) == []
        standings = [
            settled_as(history.of_operation(operation))
            for lead in LEADS
            for history in [history_of(self.ledger, lead)]
            for operation in dict.fromkeys(attempt.operation for attempt in history.attempts)
        ]
        totals = self.ledger.totals()
        assert totals == Totals(
            applied=standings.count(Standing.APPLIED),
            rejected=standings.count(Standing.REJECTED),
            in_doubt=standings.count(Standing.UNKNOWN) + standings.count(Standing.IN_FLIGHT),
            not_sent=standings.count(None),
        )

    def teardown(self) -> None:
        self.stack.close()
        self.home.close()
        self.folder.cleanup()


def test_the_outcome_machine_on_sqlite() -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_the_outcome_machine_on_postgres(postgres_server: PostgresServer) -> None:
    class OnServer(Machine):
        server = postgres_server

    run_state_machine_as_test(
        OnServer,
        settings=settings(
            max_examples=5,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # Each step waits for a server: what fails here is made small on SQLite.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )
