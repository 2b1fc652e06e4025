"""Loads leads' histories from the tables. Data shared by all attempts of a request is read once per request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from syncengine.core.errors import LedgerDamaged
from syncengine.core.history import Attempt, LeadHistory, RecordedAnswer, Resolution
from syncengine.core.operations import Kind
from syncengine.core.outcomes import Outcome
from syncengine.core.values import LeadId, RunId
from syncengine.ledger.engine import Ask, Engine, Row
from syncengine.ledger.rows import SPAN, Live, decode_values, own_message, shared_message

_KINDS = {kind.value: kind for kind in Kind}
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}

PlansOf = Callable[[set[str]], dict[str, str]]
"""Maps runs to the plans that they executed."""


class _Sending(msgspec.Struct, frozen=True):
    """One request: its run, and the answer shared by every attempt that has none of its own."""

    run: RunId
    plan: str
    at: str
    live: bool
    answer: RecordedAnswer | None
    answered: str


class _Words(msgspec.Struct, frozen=True):
    """Rows about these attempts from tables other than the attempts' own."""

    sendings: dict[int, _Sending]
    own: dict[int, tuple[str, str]]
    resolutions: dict[int, Resolution]
    rekeyed: int
    """The last attempt whose digests were made with a replaced key and can no longer be compared."""
    erased: frozenset[str]


def history_asks(account: str, leads: list[LeadId]) -> list[Ask]:
    """Statements whose rows `histories_from` takes."""
    parameters = {"account": account, "leads": leads}
    return [("histories", parameters), ("erased_among", parameters)]


def load_histories(
    engine: Engine, account: str, leads: list[LeadId], plans_of: PlansOf, live: Live
) -> dict[LeadId, LeadHistory]:
    """Histories of these leads; a lead without any is left out. Call it inside a read or write."""
    return histories_from(engine, engine.rows_each(history_asks(account, leads)), plans_of, live)


def histories_from(
    engine: Engine, answers: Sequence[list[Row]], plans_of: PlansOf, live: Live
) -> dict[LeadId, LeadHistory]:
    """Histories from the rows of `history_asks`. Call it inside the read or write that asked."""
    rows, forgotten = answers
    erased = frozenset(lead for (lead,) in forgotten)
    found: dict[LeadId, list[Attempt]] = {lead: [] for lead in erased}
    if rows:
        for attempt in _attempts(rows, _words(engine, rows, plans_of, live, erased)):
            known = found.get(attempt.lead)
            if known is None:
                found[attempt.lead] = [attempt]
            else:
                known.append(attempt)
    return {lead: _history(attempts, forgotten=lead in erased) for lead, attempts in found.items()}


def _history(attempts: list[Attempt], *, forgotten: bool) -> LeadHistory:
    if len(attempts) > 1:
        attempts.sort(key=lambda attempt: attempt.number)
    return LeadHistory(attempts, forgotten=forgotten)


def _words(engine: Engine, rows: Sequence[Row], plans_of: PlansOf, live: Live, erased: frozenset[str]) -> _Words:
    numbers = [row[1] for row in rows]
    sent, rekeyed, own, resolved = engine.rows_each(
        [
            ("sendings", {"requests": sorted({number // SPAN for number in numbers})}),
            ("get_meta", {"name": "rekeyed"}),
            ("own_outcomes", {"numbers": numbers}),
            ("resolutions_of", {"numbers": numbers}),
        ]
    )
    plans = plans_of({row[1] for row in sent})
    return _Words(
        sendings={row[0]: _sending(row, plans, live) for row in sent},
        own={number: (outcome, said) for number, outcome, said in own},
        resolutions={
            number: Resolution(applied=bool(applied), by=by, note=note, at=at)
            for number, applied, by, at, note, *_ in resolved
        },
        rekeyed=int(rekeyed[0][0]) if rekeyed else 0,
        erased=erased,
    )


def _sending(row: Row, plans: dict[str, str], live: Live) -> _Sending:
    _, run, epoch, at, outcome, said, answered = row
    answer = None
    if outcome is not None:
        answer = RecordedAnswer(outcome=_OUTCOMES[outcome], message=shared_message(said), at=answered)
    return _Sending(run, plans[run], at, (run, epoch) in live, answer, answered or "")


def _attempts(rows: Sequence[Row], words: _Words) -> Iterator[Attempt]:
    sendings, own, resolutions, erased = words.sendings, words.own, words.resolutions, words.erased
    for lead, number, operation, changeset, kind, delivery, generation, vals in rows:
        sending = sendings.get(number // SPAN)
        if sending is None:
            raise LedgerDamaged(f"attempt {number} of lead {lead}", "the request that it belongs to is gone")
        answer = sending.answer
        if number in own:
            outcome, said = own[number]
            answer = RecordedAnswer(outcome=_OUTCOMES[outcome], message=own_message(said), at=sending.answered)
        elif answer is not None and lead in erased:
            answer = RecordedAnswer(outcome=answer.outcome, at=answer.at)
        yield Attempt(
            number=number,
            operation=operation,
            changeset=changeset,
            lead=lead,
            kind=_KINDS[kind],
            run=sending.run,
            plan=sending.plan,
            delivery=delivery,
            generation=generation,
            values=decode_values(vals) if vals else {},
            at=sending.at,
            answer=answer,
            resolution=resolutions.get(number),
            live=sending.live,
            comparable=number > words.rekeyed,
        )
