"""What every ledger promises, over real SQLite and real PostgreSQL alike."""

from __future__ import annotations

import json
import re

import pytest

from syncengine.core.errors import InputError, LeaseHeld, LeaseLost, WrongLedger
from syncengine.core.history import LeadHistory, Standing
from syncengine.core.operations import Kind
from syncengine.core.outcomes import LeadEntry, Outcome, Ruling
from syncengine.core.ports import NameRecord, OutgoingRequest
from syncengine.core.results import Totals
from syncengine.core.values import LeadId, PlanDigest
from syncengine.ledger import Ledger
from tests.ledger.building import (
    ACCOUNT,
    APPLIED,
    NOT_SENT,
    REJECTED,
    UNKNOWN,
    Home,
    allow,
    answered,
    entry,
    financials,
    history_of,
    intend,
    part,
    reprocess,
    run_once,
    send,
    settle,
    start,
    trigger,
    update,
)


def test_a_new_ledger_has_an_id_a_position_and_its_key(ledger: Ledger) -> None:
    identity = ledger.identity()
    assert re.fullmatch("L[0-9a-f]{20}", identity.id)
    assert identity.key == "right"
    assert identity.position > 0
    assert list(ledger.check()) == []


def test_what_is_not_there_is_not_made_by_reading(home: Home) -> None:
    assert home.view() is None
    with pytest.raises(WrongLedger, match="there is no ledger"):
        home.open()
    assert home.view() is None


def test_creating_twice_is_refused_and_changes_nothing(home: Home) -> None:
    first = home.create().identity()
    with pytest.raises(WrongLedger, match=r"exists already|holds a ledger already"):
        home.create()
    assert home.open().identity() == first


def test_a_run_remembers_how_it_began_and_ended(ledger: Ledger) -> None:
    names = [NameRecord(changeset="repair", kind="delivery", name="buyer-a", target="1053")]
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start("p1", 3, names=names))
        (alive,) = ledger.runs(ACCOUNT)
        assert (alive.run, alive.live, alive.exit, alive.total) == (run, True, None, 3)
        ledger.end(run, exit_code=4, stopped="too many rejections")
    (record,) = ledger.runs(plan=PlanDigest("p1"))
    assert (record.live, record.exit, record.stopped) == (False, 4, "too many rejections")
    assert (record.changesets, record.plan_path, record.policy_digest) == (("repair",), "p1.plan", "policy")
    assert ledger.hosts() == {ACCOUNT: "acme.leadbyte.co.uk"}
    assert ledger.names(ACCOUNT) == {("repair", "delivery", "buyer-a"): "1053"}
    assert ledger.changesets_of(ACCOUNT) == frozenset()


def test_the_first_meaning_of_a_name_stays(ledger: Ledger) -> None:
    for target in ("1053", "2000"):
        with ledger.lease(ACCOUNT, wait=0) as lease:
            names = [NameRecord(changeset="repair", kind="delivery", name="buyer-a", target=target)]
            ledger.end(ledger.begin(lease, start(names=names)), exit_code=0, stopped="")
    assert ledger.names(ACCOUNT) == {("repair", "delivery", "buyer-a"): "1053"}


def test_runs_come_newest_first(ledger: Ledger) -> None:
    runs = [run_once(ledger, entry(update(1)), APPLIED, plan=plan) for plan in ("p1", "p2", "p1")]
    assert [run.run for run in ledger.runs()] == runs[::-1]
    assert [run.run for run in ledger.runs(plan=PlanDigest("p1"))] == [runs[2], runs[0]]
    assert ledger.runs("other") == []


def test_an_intent_is_an_attempt_in_flight_until_it_is_answered(ledger: Ledger) -> None:
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start())
        request = intend(ledger, lease, run, entry(update(1), trigger(1)))
        standings = [attempt.standing for attempt in history_of(ledger, 1).attempts]
        assert standings == [Standing.IN_FLIGHT, Standing.IN_FLIGHT]
        settle(ledger, lease, run, answered(request, [APPLIED, REJECTED]))
        first, second = history_of(ledger, 1).attempts
    assert (first.kind, first.standing, second.kind, second.standing, second.delivery) == (
        Kind.UPDATE,
        Standing.APPLIED,
        Kind.TRIGGER,
        Standing.REJECTED,
        "1053",
    )
    assert (first.run, first.plan, first.changeset) == (run, "p1", "repair")
    assert first.answer is not None
    assert first.answer.message == "Lead updated"
    assert second.answer is not None
    assert second.answer.message == "Invalid lead"
    assert ledger.changesets_of(ACCOUNT) == {"repair"}


def test_numbers_grow_and_requests_come_in_order(ledger: Ledger) -> None:
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start())
        outgoing = [OutgoingRequest((entry(update(lead)), entry(update(lead + 10)))) for lead in range(1, 4)]
        requests = ledger.commit(lease, run, outgoing, [], allow).requests
        assert list(requests) == sorted(request for request in requests if request is not None)
        histories = ledger.histories(ACCOUNT, [LeadId(str(lead)) for lead in (1, 11, 2, 12, 3, 13)])
    numbers = [histories[LeadId(str(lead))].attempts[0].number for lead in (1, 11, 2, 12, 3, 13)]
    assert numbers == sorted(set(numbers))


def test_an_intent_of_a_dead_run_is_a_doubt_at_once(ledger: Ledger) -> None:
    run = run_once(ledger, entry(update(1), trigger(1)))
    assert [attempt.standing for attempt in history_of(ledger, 1).attempts] == [Standing.UNKNOWN] * 2
    doubts = ledger.doubts()
    assert {doubt.kind for doubt in doubts} == {Kind.UPDATE, Kind.TRIGGER}
    assert {doubt.run for doubt in doubts} == {run}
    assert not any(doubt.in_flight for doubt in doubts)
    assert ledger.totals() == Totals(in_doubt=2)
    assert list(ledger.check()) == []


def test_what_recheck_stops_is_not_recorded(ledger: Ledger) -> None:
    asked: list[tuple[str, int]] = []

    def recheck(sent: LeadEntry, history: LeadHistory) -> dict[str, str]:
        asked.append((sent.lead, len(history.attempts)))
        return {one.id: "held" for one in sent.parts if one.operation == trigger(2)}

    run_once(ledger, entry(reprocess(2)), APPLIED)
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start())
        outgoing = [
            OutgoingRequest((entry(update(1)), entry(update(2), trigger(2)))),
            OutgoingRequest((entry(trigger(2)),)),
            OutgoingRequest((entry(financials(3)),)),
        ]
        committed = ledger.commit(lease, run, outgoing, [], recheck)  # type: ignore[arg-type]  # ids are text
        assert asked == [("2", 1), ("2", 1), ("3", 0)]
        assert committed.stopped == {part(trigger(2)).id: "held"}
        assert [request is None for request in committed.requests] == [False, True, False]
        assert committed.requests[0] is not None
        settle(ledger, lease, run, answered(committed.requests[0], APPLIED, APPLIED))
    assert [attempt.kind for attempt in history_of(ledger, 2).attempts] == [Kind.REPROCESS, Kind.UPDATE]


def test_recheck_sees_the_answers_of_the_same_commit(ledger: Ledger) -> None:
    seen: list[Standing] = []

    def recheck(_sent: LeadEntry, history: LeadHistory) -> dict[str, str]:
        seen.extend(attempt.standing for attempt in history.attempts)
        return {}

    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start())
        request = intend(ledger, lease, run, entry(trigger(1)))
        ledger.commit(
            lease,
            run,
            [OutgoingRequest((entry(financials(1)),))],
            [answered(request, UNKNOWN)],
            recheck,  # type: ignore[arg-type]  # ids are text
        )
    assert seen == [Standing.UNKNOWN]


def test_a_cancelled_run_commits_no_more_intents(ledger: Ledger, home: Home) -> None:
    other = home.open()
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start())
        request = intend(ledger, lease, run, entry(update(1)))
        other.cancel(run, by="ann")
        sent = entry(update(2))
        committed = ledger.commit(lease, run, [OutgoingRequest((sent,))], [answered(request, APPLIED)], allow)
        assert committed.cancelled
        assert committed.requests == (None,)
        assert list(committed.stopped) == [sent.parts[0].id]
        ledger.end(run, exit_code=4, stopped="cancelled")
    assert history_of(ledger, 2).attempts == ()
    assert history_of(ledger, 1).attempts[0].standing is Standing.APPLIED
    assert ledger.runs()[0].cancelled
    with pytest.raises(InputError, match="has ended"):
        ledger.cancel(run, by="ann")
    assert list(ledger.check()) == []


def test_one_applier_at_a_time(ledger: Ledger, home: Home) -> None:
    other = home.open()
    with (
        ledger.lease(ACCOUNT, wait=0) as lease,
        pytest.raises(LeaseHeld, match=r"being applied to by .+ on .+ \(process \d+\) since 2026"),
        other.lease(ACCOUNT, wait=0),
    ):
        pytest.fail("two leases at once")
    with other.lease(ACCOUNT, wait=0) as later, ledger.lease("another", wait=0):
        assert later.epoch == lease.epoch + 1


def test_an_old_epoch_commits_answers_and_no_intents(ledger: Ledger, home: Home) -> None:
    with ledger.lease(ACCOUNT, wait=0) as old:
        run = ledger.begin(old, start())
        request = intend(ledger, old, run, entry(update(1), trigger(1)))
    other = home.open()
    with other.lease(ACCOUNT, wait=0) as lease:
        other.begin(lease, start("p2"))
        with pytest.raises(LeaseLost):
            ledger.commit(
                old, run, [OutgoingRequest((entry(trigger(2)),))], [answered(request, [APPLIED, UNKNOWN])], allow
            )
        with pytest.raises(LeaseLost):
            old.renew()
        lease.renew()
    assert history_of(ledger, 2).attempts == ()
    assert [attempt.standing for attempt in history_of(ledger, 1).attempts] == [Standing.APPLIED, Standing.UNKNOWN]
    assert ledger.totals() == Totals(applied=1, in_doubt=1)
    assert list(ledger.check()) == []


def test_totals_follow_each_operation_from_run_to_run(ledger: Ledger) -> None:
    one, two, three = entry(update(1)), entry(update(2)), entry(trigger(3))
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start("p1", 3))
        send(ledger, lease, run, one, APPLIED)
        send(ledger, lease, run, two, NOT_SENT)
        send(ledger, lease, run, two, REJECTED)
        send(ledger, lease, run, three, UNKNOWN)
        ledger.end(run, exit_code=5, stopped="")
    assert ledger.totals() == ledger.totals(run=run) == Totals(applied=1, rejected=1, in_doubt=1)
    (plan,) = ledger.unfinished()
    assert (plan.open, plan.run) == (2, run)
    run_once(ledger, two, UNKNOWN)
    assert ledger.totals() == Totals(applied=1, in_doubt=2)
    run_once(ledger, two, REJECTED)
    assert ledger.totals() == Totals(applied=1, in_doubt=2)
    run_once(ledger, two, APPLIED)
    assert ledger.totals() == Totals(applied=2, in_doubt=1)
    run_once(ledger, one, REJECTED, plan="p2")
    assert ledger.totals() == Totals(applied=1, rejected=1, in_doubt=1)
    assert list(ledger.check()) == []


def test_a_plan_is_finished_by_a_later_one_of_all_its_changesets(ledger: Ledger) -> None:
    begun = {
        "old": ("a", "b"),
        "again": ("c",),
        "settled": ("a", "b", "c"),
        "less": ("a",),
        "other": ("a", "d"),
        "newer": ("a", "b"),
    }
    with ledger.lease(ACCOUNT, wait=0) as lease:
        for number, (plan, changesets) in enumerate(begun.items(), 1):
            run = ledger.begin(lease, start(plan, 1 if plan in ("settled", "less") else 2, changesets))
            send(ledger, lease, run, entry(update(number)), APPLIED)
            ledger.end(run, exit_code=4, stopped="")
    assert [plan.plan for plan in ledger.unfinished()] == ["newer", "other"]
    assert [plan.changesets for plan in ledger.unfinished(ACCOUNT)] == [("a", "b"), ("a", "d")]
    assert ledger.unfinished("nobody") == []
    newest = ledger.last_run(ACCOUNT)
    assert newest is not None
    assert (newest, newest.plan) == (ledger.runs()[0], "newer")
    assert ledger.last_run("nobody") is None


def test_a_doubt_is_resolved_by_a_person_and_counted(ledger: Ledger) -> None:
    run = run_once(ledger, entry(update(1), trigger(1)), UNKNOWN, total=2)
    update_doubt, trigger_doubt = ledger.doubts(run=run)
    with ledger.lease(ACCOUNT, wait=0) as lease:
        ledger.resolve(lease, trigger_doubt.attempts, applied=True, by="ann", note="seen at the buyer")
        ledger.resolve(lease, update_doubt.attempts, applied=False, by="ann", note="not there")
        with pytest.raises(InputError, match="not in doubt"):
            ledger.resolve(lease, trigger_doubt.attempts, applied=False, by="bob", note="")
    changed, triggered = history_of(ledger, 1).attempts
    assert (changed.standing, triggered.standing) == (Standing.NOT_SENT, Standing.APPLIED)
    assert triggered.resolution is not None
    assert (triggered.resolution.by, triggered.resolution.note) == ("ann", "seen at the buyer")
    assert ledger.totals() == Totals(applied=1, not_sent=1)
    assert ledger.unfinished()[0].open == 1
    assert list(ledger.check()) == []


def test_a_late_answer_that_contradicts_a_resolution_is_recorded_and_shown(ledger: Ledger, home: Home) -> None:
    with ledger.lease(ACCOUNT, wait=0) as old:
        run = ledger.begin(old, start())
        request = intend(ledger, old, run, entry(trigger(1)))
    other = home.open()
    with other.lease(ACCOUNT, wait=0) as lease:
        other.resolve(lease, other.doubts()[0].attempts, applied=False, by="ann", note="")
    assert ledger.contradictions() == []
    with pytest.raises(LeaseLost):
        settle(ledger, old, run, answered(request, APPLIED))
    (contradiction,) = ledger.contradictions()
    assert contradiction.standing is Standing.APPLIED
    assert contradiction.contradicted
    assert ledger.totals() == Totals(applied=1)
    assert list(ledger.check()) == []


def test_history_is_found_by_lead_changeset_run_and_id(ledger: Ledger) -> None:
    first = run_once(ledger, entry(update(1), trigger(1)), APPLIED)
    second = run_once(ledger, entry(update(2), changeset="other-one"), UNKNOWN)
    third = run_once(ledger, entry(update(1)), REJECTED)
    assert [(row.lead, row.outcome, len(row.attempts)) for row in ledger.history()] == [
        ("1", "rejected", 2),
        ("1", "applied", 1),
        ("2", "in_doubt", 1),
    ]
    assert [row.kind for row in ledger.history(lead=LeadId("1"))] == [Kind.UPDATE, Kind.TRIGGER]
    assert [row.lead for row in ledger.history(changeset="other-one")] == ["2"]
    assert [len(list(ledger.history(run=run))) for run in (first, second, third)] == [2, 1, 1]
    wanted = part(trigger(1)).id
    assert [row.operation for row in ledger.history(operation=wanted[:8])] == [wanted]
    assert list(ledger.history(operation=wanted[:8], changeset="other-one")) == []
    assert list(ledger.history(account="nobody")) == []


def test_history_streams_over_many_pages(ledger: Ledger) -> None:
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start(total=1200))
        for base in range(0, 1200, 400):
            sent = [entry(update(lead)) for lead in range(base + 1, base + 401)]
            request = intend(ledger, lease, run, *sent)
            settle(ledger, lease, run, answered(request, *[APPLIED] * 400))
        ledger.end(run, exit_code=0, stopped="")
    leads = [row.lead for row in ledger.history()]
    assert leads == [str(lead) for lead in range(1, 1201)]
    assert [row.lead for row in ledger.history(run=run)] == leads
    assert list(ledger.check()) == []


def test_a_baseline_counts_as_applied_without_sending(ledger: Ledger) -> None:
    with ledger.lease(ACCOUNT, wait=0) as lease:
        sent = [entry(update(lead), trigger(lead)) for lead in range(1, 601)]
        run = ledger.baseline(lease, start(total=1200), sent, by="ann", note="done by hand")
    history = history_of(ledger, 600)
    assert [attempt.standing for attempt in history.attempts] == [Standing.APPLIED] * 2
    assert history.attempts[0].answer is not None
    assert "done by hand" in history.attempts[0].answer.message
    assert ledger.totals(run=run) == Totals(applied=1200)
    assert ledger.unfinished() == []


def test_values_are_digests_and_amounts_are_text(ledger: Ledger) -> None:
    run_once(ledger, entry(update(1, postcode="TN25 6QD"), financials(1)), APPLIED)
    changed, paid = history_of(ledger, 1).attempts
    stored = changed.values["postcode"]
    assert re.fullmatch("#[0-9a-f]{32}", stored)
    assert paid.values == {"payout": "=80.00"}
    lead = LeadId("1")
    assert stored == ledger.store(Kind.UPDATE, lead, "postcode", "TN25 6QD")
    assert ledger.matches(stored, Kind.UPDATE, lead, "postcode", "TN25 6QD")
    assert not ledger.matches(stored, Kind.UPDATE, lead, "postcode", "TN25 6QE")
    assert not ledger.matches(stored, Kind.UPDATE, LeadId("2"), "postcode", "TN25 6QD")
    assert ledger.matches("=80.00", Kind.FINANCIALS, lead, "payout", "80.00")


def test_plain_values_are_kept_and_match_both_forms(ledger: Ledger, home: Home) -> None:
    run_once(ledger, entry(update(1)), APPLIED)
    digest = history_of(ledger, 1).attempts[0].values["postcode"]
    plain = Home(home.root, home.pin.url, "plain").open()
    run_once(plain, entry(update(2)), Ruling(Outcome.APPLIED, "TN25 6QD is fine"))
    (attempt,) = history_of(plain, 2).attempts
    assert attempt.values == {"postcode": "=TN25 6QD"}
    assert attempt.answer is not None
    assert attempt.answer.message == "TN25 6QD is fine"
    assert plain.matches(digest, Kind.UPDATE, LeadId("1"), "postcode", "TN25 6QD")
    plain.close()


def test_messages_lose_declared_values(ledger: Ledger) -> None:
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start())
        request = intend(ledger, lease, run, entry(update(1, postcode="TN25 6QD", c1="7")), entry(update(17)))
        rulings = (
            Ruling(Outcome.REJECTED, "tn25 6qd and 7 are bad, lead 17 is not", ("7!",)),
            Ruling(Outcome.REJECTED, "bad \0 \ud800 text"),
        )
        settle(ledger, lease, run, answered(request, *rulings, message="see TN25 6QD"))
    answer = history_of(ledger, 1).attempts[0].answer
    assert answer is not None
    assert answer.message == "[postcode] and [c1] are bad, lead 17 is not (warnings: [c1]!)"
    assert "TN25" not in "\n".join(ledger.export())
    other = history_of(ledger, 17).attempts[0].answer
    assert other is not None
    assert other.message == "bad \ufffd ? text"


def test_another_key_is_told_and_refused_until_it_is_adopted(home: Home) -> None:
    ledger = home.create()
    run_once(ledger, entry(update(1), trigger(1)), APPLIED)
    key = home.root / ".syncengine" / "ledger.key"
    key.unlink()
    missing = home.open()
    assert missing.identity().key == "missing"
    assert not missing.matches(history_of(missing, 1).attempts[0].values["postcode"], Kind.UPDATE, LeadId("1"), "", "")
    key.write_text("ab" * 32)
    wrong = home.open()
    assert wrong.identity().key == "wrong"
    with wrong.lease(ACCOUNT, wait=0) as lease, pytest.raises(WrongLedger, match="ledger key"):
        wrong.begin(lease, start())
    wrong.rekey(by="ann", note="the old one is lost")
    assert wrong.identity().key == "right"
    assert [attempt.comparable for attempt in history_of(wrong, 1).attempts] == [False, False]
    run_once(wrong, entry(update(1)), APPLIED)
    assert history_of(wrong, 1).attempts[-1].comparable
    assert list(wrong.check()) == []


def test_the_pin_names_a_ledger_and_its_lowest_position(home: Home) -> None:
    ledger = home.create()
    identity = ledger.identity()
    pin = home.pin.__class__(url=home.pin.url, key_path=home.pin.key_path, id=identity.id, position=identity.position)
    assert home.open(pin).identity() == identity
    behind = home.pin.__class__(url=home.pin.url, key_path=home.pin.key_path, id=identity.id, position=1834)
    with pytest.raises(WrongLedger, match="behind the pinned 1834"):
        home.view(behind)
    other = home.pin.__class__(url=home.pin.url, key_path=home.pin.key_path, id="Lffff")
    with pytest.raises(WrongLedger, match="pins Lffff"):
        home.open(other)


def test_every_record_moves_the_position_and_the_head(ledger: Ledger) -> None:
    seen = [(ledger.identity().position, ledger.head())]

    def moved() -> bool:
        seen.append((ledger.identity().position, ledger.head()))
        return seen[-1][0] > seen[-2][0] and seen[-1][1] != seen[-2][1]

    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start())
        assert moved()
        request = intend(ledger, lease, run, entry(trigger(1)))
        assert moved()
        settle(ledger, lease, run, answered(request, UNKNOWN))
        assert moved()
        ledger.end(run, exit_code=5, stopped="")
        assert moved()
        ledger.resolve(lease, ledger.doubts()[0].attempts, applied=True, by="ann", note="")
        assert moved()
        ledger.forget(lease, LeadId("1"), by="ann")
        assert moved()
    for _, head in seen:
        assert list(ledger.check(head=head)) == []
    (finding,) = ledger.check(head=f"{seen[2][0]}-{'0' * 32}")
    assert "never had the head" in finding.message


def test_a_forgotten_lead_keeps_ids_and_outcomes_and_is_blocked(ledger: Ledger) -> None:
    run_once(ledger, entry(update(1), financials(1)), Ruling(Outcome.REJECTED, "about 1"))
    run_once(ledger, entry(trigger(1)), UNKNOWN, plan="p2")
    with ledger.lease(ACCOUNT, wait=0) as lease:
        ledger.resolve(lease, ledger.doubts()[0].attempts, applied=True, by="ann", note="the buyer said so")
        forgotten = ledger.forget(lease, LeadId("1"), by="dpo")
        assert ledger.forget(lease, LeadId("1"), by="dpo").attempts == 0
        asked: list[str] = []
        run = ledger.begin(lease, start("p3"))

        def recheck(sent: LeadEntry, history: LeadHistory) -> dict[str, str]:
            asked.append(sent.lead)
            return {one.id: "forgotten" for one in sent.parts} if history.forgotten else {}

        committed = ledger.commit(lease, run, [OutgoingRequest((entry(update(1)),))], [], recheck)  # type: ignore[arg-type]  # ids are text
        ledger.end(run, exit_code=4, stopped="")
    assert asked == ["1"]
    assert committed.requests == (None,)
    assert forgotten.attempts == 3
    assert forgotten.plans == (("p1", "p1.plan"), ("p2", "p2.plan"))
    history = history_of(ledger, 1)
    assert history.forgotten
    assert [attempt.values for attempt in history.attempts] == [{"postcode": ""}, {"payout": ""}, {}]
    assert [attempt.standing for attempt in history.attempts] == [
        Standing.REJECTED,
        Standing.REJECTED,
        Standing.APPLIED,
    ]
    exported = "\n".join(ledger.export())
    for gone in ("80.00", "about 1", "the buyer said so"):
        assert gone not in exported
    assert list(ledger.check()) == []


def test_a_lead_can_be_forgotten_before_it_was_ever_sent(ledger: Ledger) -> None:
    with ledger.lease(ACCOUNT, wait=0) as lease:
        assert ledger.forget(lease, LeadId("9"), by="dpo").plans == ()
    assert history_of(ledger, 9).forgotten


def test_shared_messages_stay_for_the_other_leads(ledger: Ledger) -> None:
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start())
        request = intend(ledger, lease, run, entry(update(1)), entry(update(2)))
        settle(ledger, lease, run, answered(request, APPLIED, APPLIED))
        ledger.forget(lease, LeadId("1"), by="dpo")
    first, second = history_of(ledger, 1).attempts[0].answer, history_of(ledger, 2).attempts[0].answer
    assert first is not None
    assert second is not None
    assert (first.message, second.message) == ("", "Lead updated")


def test_export_holds_every_record_in_order(ledger: Ledger) -> None:
    run = run_once(ledger, entry(update(1)), APPLIED)
    lines = [json.loads(line) for line in ledger.export()]
    assert [line["record"] for line in lines] == ["ledger", "event", "run", "host", "request", "answer", "end"]
    assert lines[0]["id"] == ledger.identity().id
    assert "key_check" not in lines[0]
    assert lines[2]["content"][0] == run
    positions = [line["position"] for line in lines[1:]]
    assert positions == sorted(positions)


def test_releasing_what_nobody_holds_says_so(ledger: Ledger) -> None:
    assert not ledger.release(ACCOUNT, by="ann", note="")


def test_at_most_a_thousand_leads_a_batch(ledger: Ledger) -> None:
    assert ledger.histories(ACCOUNT, [LeadId(str(lead)) for lead in range(1, 1001)]) == {}
    with pytest.raises(ValueError, match="at most 1000"):
        ledger.histories(ACCOUNT, [LeadId(str(lead)) for lead in range(1, 1002)])
