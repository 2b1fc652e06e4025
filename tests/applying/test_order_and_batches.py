"""Ordering, batching, pace and stop rules: pure parts of a run, by property."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syncengine.applying.batches import Batcher, financial_terms
from syncengine.applying.jobs import RunTerms
from syncengine.applying.pace import LocalPace
from syncengine.applying.request_queue import RequestQueue
from syncengine.applying.run_results import RunResults
from syncengine.applying.stopping import StopRules, Waves
from syncengine.core.events import RunEvent
from syncengine.core.operations import Financials, Operation, Trigger, Update
from syncengine.core.outcomes import LeadEntry, SentOperation
from syncengine.core.settings import Limits, Policy, StopRule, Wire
from syncengine.core.values import Cents, ChangesetId, DeliveryId, LeadId, OperationId


class Deaf:
    def tell(self, event: RunEvent) -> None: ...
    def note(self, text: str) -> None: ...


def entry(number: int, lead: int, shape: int) -> LeadEntry:
    """Shape 0: update; 1 to 3: update and so many triggers; 4 and 5: financials with one of two terms."""
    name = LeadId(str(lead))
    operations: list[Operation] = []
    if shape >= 4:
        operations.append(Financials(name, payout=Cents(shape)))
    else:
        operations.append(Update(name, {"c1": str(number)}))
        operations.extend(Trigger(name, DeliveryId(str(delivery))) for delivery in range(1, shape + 1))
    parts = tuple(
        SentOperation(OperationId(f"{number}-{index}"), ChangesetId("c"), operation)
        for index, operation in enumerate(operations)
    )
    return LeadEntry(name, number, parts)


entries = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 5)), max_size=60).map(
    lambda pairs: [entry(number, lead, shape) for number, (lead, shape) in enumerate(pairs, start=1)]
)
limits = st.builds(
    Limits,
    leads_per_request=st.integers(1, 5),
    irreversible_per_request=st.integers(1, 4),
    financials_per_request=st.integers(1, 3),
    concurrency=st.integers(1, 3),
)


@given(entries, limits)
def test_batches_hold_everything_once_within_the_limits(given_entries: list[LeadEntry], bounds: Limits) -> None:
    batcher = Batcher(bounds)
    requests = [request for each in given_entries for request in batcher.add(each)] + list(batcher.flush())
    assert batcher.is_empty
    assert sorted(p.number for request in requests for p in request) == [p.number for p in given_entries]
    for request in requests:
        assert len({p.is_financial for p in request}) == 1
        if request[0].is_financial:
            assert len(request) <= bounds.financials_per_request
            assert len({financial_terms(p) for p in request}) == 1
        else:
            assert len(request) <= bounds.leads_per_request
            irreversible = [p.irreversible for p in request if p.irreversible]
            assert sum(irreversible) <= bounds.irreversible_per_request or len(irreversible) == 1


@given(entries, limits, st.lists(st.integers(0, 2), max_size=40), st.randoms(use_true_random=False))
def test_each_leads_entries_leave_in_order_one_at_a_time(
    given_entries: list[LeadEntry], bounds: Limits, waves: list[int], chance: object
) -> None:
    from random import Random

    assert isinstance(chance, Random)
    terms = RunTerms(limits=bounds, wire=Wire(), policy=Policy())
    board = RunResults(Deaf())
    queue = RequestQueue(given_entries, terms=terms, waves=Waves(()), board=board, monotonic=lambda: 0.0, closed={})
    left: dict[str, list[int]] = {}
    flying: list[tuple[LeadEntry, ...]] = []
    while True:
        queue.fill()
        if queue.jobs and (not flying or chance.random() < 0.6):
            job = queue.jobs.pop(0)
            leads = [p.lead for p in job.entries]
            assert len(set(leads)) == len(leads), "a lead stands once in a request"
            assert not set(leads) & {p.lead for request in flying for p in request}, "the next entry waits"
            for p in job.entries:
                left.setdefault(p.lead, []).append(p.number)
            flying.append(job.entries)
        elif flying:
            for p in flying.pop(chance.randrange(len(flying))):
                queue.pass_on(p.lead)
        elif queue.exhausted and queue.is_empty:
            break
    assert all(entries == sorted(entries) for entries in left.values())
    assert sum(len(entries) for entries in left.values()) == len(given_entries)


@given(entries.filter(bool), limits)
def test_after_trouble_nothing_more_of_a_lead_leaves(given_entries: list[LeadEntry], bounds: Limits) -> None:
    terms = RunTerms(limits=bounds, wire=Wire(), policy=Policy())
    board = RunResults(Deaf())
    queue = RequestQueue(given_entries, terms=terms, waves=Waves(()), board=board, monotonic=lambda: 0.0, closed={})
    troubled = given_entries[0].lead
    seen = 0
    while not (queue.exhausted and queue.is_empty):
        queue.fill()
        for job in list(queue.jobs):
            queue.jobs.remove(job)
            for p in job.entries:
                seen += p.lead == troubled
                if p.lead == troubled:
                    queue.stop_lead(p.lead, "trouble")
                queue.pass_on(p.lead)
    assert seen == 1
    rest = sum(len(p.parts) for p in given_entries[1:] if p.lead == troubled)
    assert board.reasons.total() == rest


@given(st.floats(0.5, 2000), st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_the_pace_is_never_exceeded(rate: float, pauses: list[float]) -> None:
    pace = LocalPace(rate)
    now, times = 100.0, []
    for pause in pauses:
        now += pause
        now += pace.delay(now)
        pace.left(now)
        times.append(now)
    for first in range(len(times)):
        for last in range(first, len(times)):
            allowed = (times[last] - times[first] + 0.02) * rate + 1
            assert last - first + 1 <= allowed + 1e-6


def test_a_pause_that_the_service_asked_for_holds_everything() -> None:
    pace = LocalPace(1000)
    pace.hold(50.0)
    assert pace.delay(20.0) == 30.0
    assert pace.delay(51.0) == 0.0


@given(st.lists(st.booleans(), max_size=60))
def test_the_default_rule_stops_after_twenty_without_one_applied(rejections: list[bool]) -> None:
    rules = StopRules(StopRule())
    for count, rejected in enumerate(rejections, start=1):
        rules.entry(rejected=rejected)
        expected = count >= 20 and all(rejections[:count])
        assert (rules.verdict() is not None) == expected
        if expected:
            break


@given(st.lists(st.booleans(), max_size=30))
def test_five_requests_in_a_row_without_an_answer_stop_the_run(unanswered: list[bool]) -> None:
    rules = StopRules(StopRule())
    row = 0
    for silent in unanswered:
        rules.request(unanswered=silent)
        row = row + 1 if silent else 0
        assert (rules.verdict() is not None) == (row >= 5)


def test_waves_open_one_after_the_other_and_stop_after_trouble() -> None:
    waves = Waves((1, 2))
    assert waves.room() == 1
    waves.started()
    assert waves.room() == 0
    assert waves.next() is None
    assert waves.room() == 2
    waves.started()
    waves.failed()
    waves.started()
    reason = waves.next()
    assert reason is not None
    assert "waves" in reason
    assert Waves(()).room() is None
