"""Operations with all their attempts, selected by lead, run, changeset or id and streamed page by page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set

import msgspec

from syncengine.core.history import Attempt, LeadHistory, Standing, settled_as
from syncengine.core.ports import OperationOutcome, OperationRecord
from syncengine.core.results import UnfinishedPlan
from syncengine.core.values import LeadId, PlanDigest, RunId
from syncengine.ledger.engine import Engine, Row
from syncengine.ledger.rows import SPAN, BegunRow, Live
from syncengine.ledger.status_counts import by_operation
from syncengine.ledger.view import Reader

PAGE = 1_000
REQUESTS_A_PAGE = 2
"""Of the first page; later ones hold as many as make a page of PAGE operations."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Filter for operations: all given conditions must hold."""

    account: str | None
    lead: LeadId | None
    changeset: str | None
    run: RunId | None
    operation: str


def operations_of(histories: Mapping[LeadId, LeadHistory]) -> Iterator[list[Attempt]]:
    """Attempts of each operation of these leads, oldest first."""
    for history in histories.values():
        yield from by_operation(history).values()


def stream(reader: Reader, choice: Choice) -> Iterator[OperationRecord]:
    """The selected operations by their first attempt (within the run, where one is given), oldest first."""
    if choice.lead is not None:
        yield from _of_lead(reader, choice, choice.lead)
        return
    live = reader.live_runs()
    for page in _pages(reader.engine, choice):
        yield from _of_page(reader, choice, page, live)


def _of_lead(reader: Reader, choice: Choice, lead: LeadId) -> Iterator[OperationRecord]:
    accounts = [choice.account] if choice.account is not None else sorted(reader.hosts())
    for account in accounts:
        for history in reader.histories(account, [lead]).values():
            for attempts in by_operation(history).values():
                within = choice.run is None or any(attempt.run == choice.run for attempt in attempts)
                if within and _is_chosen(choice, account, attempts[0]):
                    yield _record(account, attempts, forgotten=history.forgotten)


def _pages(engine: Engine, choice: Choice) -> Iterator[list[Row]]:
    """Rows of number, account, lead, operation. Each page is a separate read, so no transaction stays open between
    pages."""
    after, requests = -1, REQUESTS_A_PAGE
    while True:
        page = engine.read(lambda after=after, requests=requests: _page(engine, choice, after, requests))  # type: ignore[misc]  # default arguments
        if not page:
            return
        yield page
        if choice.run is None and len(page) < PAGE:
            # Looking for more would read all attempts again, where no index helps.
            return
        after = page[-1][0]
        # A request may hold one operation or a thousand.
        requests = max(1, min(PAGE, requests * PAGE // len(page)))


def _page(engine: Engine, choice: Choice, after: int, requests: int) -> list[Row]:
    if choice.run is not None:
        following = (after + SPAN) // SPAN
        return engine.rows("page_of_run", run=choice.run, request=following, requests=requests)
    if choice.operation:
        low, high = choice.operation, choice.operation + "g"
        return engine.rows("page_of_operation", after=after, low=low, high=high, count=PAGE)
    if choice.changeset is not None:
        return engine.rows("page_of_changeset", after=after, changeset=choice.changeset, count=PAGE)
    return engine.rows("page_of_attempts", after=after, count=PAGE)


def _of_page(reader: Reader, choice: Choice, page: Sequence[Row], live: Live) -> Iterator[OperationRecord]:
    leads: dict[str, dict[LeadId, None]] = {}
    for _, account, lead, _ in page:
        leads.setdefault(account, {})[LeadId(lead)] = None
    known = {account: reader.snapshot(account, list(wanted), live) for account, wanted in leads.items()}
    grouped: dict[tuple[str, str], dict[str, list[Attempt]]] = {}
    for number, account, lead, operation in page:
        history = known[account][lead]
        attempts: Sequence[Attempt] = history.attempts
        # Most leads have one attempt; grouping those would take a tenth of the time.
        if len(attempts) > 1:
            operations = grouped.get((account, lead))
            if operations is None:
                operations = grouped[account, lead] = by_operation(history)
            attempts = operations[operation]
        within = attempts if choice.run is None else [attempt for attempt in attempts if attempt.run == choice.run]
        if within[0].number == number and _is_chosen(choice, account, attempts[0]):
            yield _record(account, attempts, forgotten=history.forgotten)


def _is_chosen(choice: Choice, account: str, head: Attempt) -> bool:
    """All conditions but the run."""
    return (
        choice.account in (None, account)
        and choice.changeset in (None, head.changeset)
        and head.operation.startswith(choice.operation)
    )


def _record(account: str, attempts: Sequence[Attempt], *, forgotten: bool) -> OperationRecord:
    head = attempts[0]
    return OperationRecord(
        account=account,
        operation=head.operation,
        changeset=head.changeset,
        lead=head.lead,
        kind=head.kind,
        delivery=head.delivery,
        generation=head.generation,
        outcome=outcome_of(attempts),
        attempts=tuple(attempts),
        forgotten=forgotten,
    )


def outcome_of(attempts: Sequence[Attempt]) -> OperationOutcome:
    """Outcome of an operation after all its attempts, as history prints it."""
    match settled_as(attempts):
        case Standing.APPLIED:
            return "applied"
        case Standing.REJECTED:
            return "rejected"
        case Standing.UNKNOWN | Standing.IN_FLIGHT:
            return "in_doubt"
        case None | Standing.NOT_SENT:
            return "not_sent"


_NONE: Set[frozenset[str]] = frozenset()


def open_plans(plans: Iterable[tuple[Sequence[BegunRow], int]], live: Collection[str] = ()) -> list[UnfinishedPlan]:
    """The unsettled ones of these plans, newest first, each with its runs and how much of it is settled.

    `live` are the runs in progress.

    A plan is left out if a later plan of all of the same changesets was settled in full: there is
    nothing left to continue.
    """
    found: list[UnfinishedPlan] = []
    # Look up by changeset: a ledger holds thousands of plans.
    settled_later: dict[tuple[str, str], set[frozenset[str]]] = {}
    for runs, settled in plans:
        account = runs[0].account
        changesets = frozenset(runs[0].changeset_ids)
        if settled >= runs[-1].total:
            # A part says nothing of the rest.
            for changeset in () if runs[0].is_partial else changesets:
                settled_later.setdefault((account, changeset), set()).add(changesets)
            continue
        later = min((settled_later.get((account, each), _NONE) for each in changesets), key=len, default=_NONE)
        if not any(changesets <= ids for ids in later):
            found.append(_open_plan(runs, settled, live))
    return found


def why_stopped(ended: str | None, stopped: str | None, *, live: bool) -> str:
    """The sentence that ended a run early; empty where it ran to its end, or is in progress."""
    return KILLED if ended is None and not live else stopped or ""


KILLED = "its process ended before the run did: it was killed, or the ledger could not be written"


def _open_plan(runs: Sequence[BegunRow], settled: int, live: Collection[str]) -> UnfinishedPlan:
    """Status of an unsettled plan from its runs, newest first."""
    newest = runs[0]
    running = newest.id in live or newest.is_shared_and_open
    return UnfinishedPlan(
        plan=PlanDigest(newest.plan),
        path=newest.plan_path,
        run=RunId(newest.id),
        account=newest.account,
        changesets=newest.changeset_ids,
        started=newest.started,
        open=runs[-1].total - settled,
        live=running,
        stopped=why_stopped(newest.ended, newest.stopped, live=running),
    )
