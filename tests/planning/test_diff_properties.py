"""Declared items against histories of any kind, as a state machine that plans, sends, observes and resolves."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from syncengine.core.changes import Item, Origin
from syncengine.core.history import Attempt, LeadHistory, RecordedAnswer, Resolution, Standing
from syncengine.core.operations import Financials, Kind, Operation, Reprocess, Trigger, Update, kind_of, values_of
from syncengine.core.outcomes import Outcome
from syncengine.core.plan import Before, PlannedOperation, State
from syncengine.core.settings import Policy
from syncengine.core.values import BuyerId, Cents, ChangesetId, DeliveryId, LeadId, RunId
from syncengine.planning.diff import Differ, Generation

LEAD = LeadId("7")
FIELDS = ("postcode", "c1", "c2")
VALUES = ("a", "b", "c")

declared = st.one_of(
    st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(VALUES), min_size=1).map(lambda f: Update(LEAD, f)),
    st.builds(
        Financials,
        st.just(LEAD),
        payout=st.sampled_from([Cents(100), Cents(200)]),
        revenue=st.sampled_from([None, Cents(300), Cents(400)]),
        buyer=st.sampled_from([None, BuyerId("33"), BuyerId("41")]),
    ),
    st.builds(Trigger, st.just(LEAD), st.sampled_from([DeliveryId("1"), DeliveryId("2")]), st.integers(1, 2)),
    st.builds(Reprocess, st.just(LEAD), st.integers(1, 2)),
)
outcomes = st.sampled_from([Outcome.APPLIED, Outcome.REJECTED, Outcome.NOT_SENT, Outcome.UNKNOWN, None])
changesets = st.sampled_from([ChangesetId("one"), ChangesetId("two")])


class PlainValues:
    """Values kept as they are. Not `direct`, they are never recognised at once: the long way must say the same."""

    def __init__(self, *, direct: bool) -> None:
        self.direct = direct

    def stored(self, kind: Kind, lead: LeadId, values: Mapping[str, str]) -> dict[str, str]:
        return {name: f"={value}" for name, value in values.items()} if self.direct else {}

    def matches(self, stored: str, kind: Kind, lead: LeadId, name: str, value: str) -> bool:
        return stored == f"={value}"


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.attempts: list[Attempt] = []
        self.seen: dict[tuple[Kind, str], str] | None = None

    @property
    def history(self) -> LeadHistory:
        return LeadHistory(self.attempts)

    def observed(self, lead: LeadId, kind: Kind, name: str, history: LeadHistory) -> Before | None:
        value = (self.seen or {}).get((kind, name))
        return None if value is None else Before(origin="observed", value=value, by="now")

    def compare(self, changeset: ChangesetId, operation: Operation) -> PlannedOperation | Generation:
        item = Item(changeset=changeset, change="#1", lead=LEAD, origin=Origin("x.yaml", 1), operations=(operation,))
        planned, slowly = (
            Differ(
                account="acme",
                policy=Policy(),
                values=PlainValues(direct=direct),
                observed=self.observed if self.seen is not None else None,
            ).compare(item, self.history, 1)
            for direct in (True, False)
        )
        assert planned == slowly
        return planned[0]

    @rule(changeset=changesets, operation=declared, outcome=outcomes)
    def plan_and_send(self, changeset: ChangesetId, operation: Operation, outcome: Outcome | None) -> None:
        planned = self.compare(changeset, operation)
        if isinstance(planned, Generation):
            return
        self.check(planned, operation)
        if planned.state is not State.TO_SEND:
            return
        number = len(self.attempts) + 1
        values = values_of(operation)
        self.attempts.append(
            Attempt(
                number=number,
                operation=planned.id,
                changeset=changeset,
                lead=LEAD,
                kind=kind_of(operation),
                run=RunId(f"run{number}"),
                plan=f"plan{number}",
                delivery=operation.delivery if isinstance(operation, Trigger) else "",
                generation=operation.generation if isinstance(operation, Trigger | Reprocess) else 1,
                values={name: f"={values[name]}" for name in planned.send},
                at=f"2026-01-01T00:00:{number % 60:02d}.000000Z",
                answer=None if outcome is None else RecordedAnswer(outcome=outcome, at="2026-01-01T00:01:00.000000Z"),
            )
        )
        if outcome is Outcome.APPLIED:
            again = self.compare(changeset, operation)
            assert isinstance(again, PlannedOperation)
            # What was seen in place was left out of the sending, so it is seen again rather than applied.
            left_out = set(values) - set(planned.send)
            assert again.state is State.ALREADY_APPLIED or (left_out and again.state is State.UNCHANGED)

    @rule(
        values=st.dictionaries(
            st.one_of(
                st.tuples(st.just(Kind.UPDATE), st.sampled_from(FIELDS)),
                st.tuples(st.just(Kind.FINANCIALS), st.sampled_from(("payout", "revenue", "buyer"))),
            ),
            st.sampled_from((*VALUES, "1.00", "3.00", "33")),
        )
    )
    def observe(self, values: dict[tuple[Kind, str], str]) -> None:
        self.seen = values

    @rule()
    def look_away(self) -> None:
        self.seen = None

    @rule(applied=st.booleans())
    def resolve(self, *, applied: bool) -> None:
        for index, attempt in enumerate(self.attempts):
            if attempt.standing is Standing.UNKNOWN:
                word = Resolution(applied=applied, by="ann", note="looked", at="2026-01-02T00:00:00.000000Z")
                self.attempts[index] = Attempt(
                    **{name: getattr(attempt, name) for name in Attempt.__struct_fields__ if name != "resolution"},
                    resolution=word,
                )
                return

    def check(self, planned: PlannedOperation, operation: Operation) -> None:
        names = list(values_of(operation))
        sent = list(planned.send)
        assert sent == [name for name in names if name in sent]
        assert (planned.state is State.TO_SEND and bool(names)) == bool(sent)
        seen = {name: (self.seen or {}).get((kind_of(operation), name)) for name in names}
        equal = {name for name in names if seen[name] == values_of(operation)[name]}
        if isinstance(operation, Update):
            assert equal.isdisjoint(sent)
        if isinstance(operation, Financials) and sent:
            due = set(sent) - equal
            assert due, "something that was not seen in place must be the reason to send"
            assert ("buyer" in names) == ("buyer" in sent)
            assert "buyer" not in due or sent == names or self.attempts
        if planned.state is State.UNCHANGED:
            assert equal

    @invariant()
    def nothing_irreversible_was_applied_twice_in_one_generation(self) -> None:
        done = [
            (attempt.kind, attempt.delivery, attempt.generation)
            for attempt in self.attempts
            if attempt.kind in (Kind.TRIGGER, Kind.REPROCESS)
            and attempt.standing in (Standing.APPLIED, Standing.UNKNOWN)
        ]
        assert len(done) == len(set(done))


Histories.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


class TestHistories(Histories.TestCase):  # type: ignore[misc]  # made by hypothesis
    pass


@pytest.mark.parametrize("kind", [Kind.UPDATE, Kind.FINANCIALS])
def test_an_unknown_observation_gives_way_to_the_ledger(kind: Kind) -> None:
    machine = Histories()
    operation: Operation = (
        Update(LEAD, {"postcode": "a"}) if kind is Kind.UPDATE else Financials(LEAD, payout=Cents(100))
    )
    machine.plan_and_send(ChangesetId("one"), operation, Outcome.APPLIED)
    name = next(iter(values_of(operation)))
    other = Update(LEAD, {"postcode": "b"}) if kind is Kind.UPDATE else Financials(LEAD, payout=Cents(200))
    differ = Differ(
        account="acme",
        policy=Policy(),
        values=PlainValues(direct=True),
        observed=lambda *_: Before(origin="unknown", note="not readable"),
    )
    item = Item(changeset=ChangesetId("two"), change="#1", lead=LEAD, origin=Origin("x.yaml", 1), operations=(other,))
    (planned,) = differ.compare(item, machine.history, 1)
    assert isinstance(planned, PlannedOperation)
    assert planned.before[name].origin == "ledger"
    assert planned.before[name].by == "one"
