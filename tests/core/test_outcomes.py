"""The table of outcomes, exhaustively: every verdict over every shape of request."""

from __future__ import annotations

import itertools

import pytest

from syncengine.core.operations import (
    Financials,
    Operation,
    Reprocess,
    Trigger,
    Update,
    is_irreversible,
    names_of,
    values_of,
)
from syncengine.core.outcomes import (
    Denied,
    Element,
    Elements,
    Judgement,
    LeadEntry,
    Lost,
    NotSent,
    Outcome,
    Redirected,
    Refusals,
    Refused,
    SentOperation,
    Unread,
    Verdict,
    judge,
)
from syncengine.core.values import Cents, ChangesetId, DeliveryId, LeadId, OperationId

A, R, U, N = Outcome.APPLIED, Outcome.REJECTED, Outcome.UNKNOWN, Outcome.NOT_SENT
CHANGESET = ChangesetId("table")


def operations(shape: str, lead: LeadId) -> list[Operation]:
    """u: update, r: reprocess, t: trigger (another delivery each time), f: financials."""
    kinds: dict[str, Operation] = {
        "u": Update(lead, {"postcode": "TN25 6QD"}),
        "r": Reprocess(lead),
        "f": Financials(lead, payout=Cents(8000)),
    }
    return [
        Trigger(lead, DeliveryId(str(1053 + place))) if letter == "t" else kinds[letter]
        for place, letter in enumerate(shape)
    ]


def request(*shapes: str) -> tuple[LeadEntry, ...]:
    """An entry for each shape, of leads 1, 2, 3 and so on."""
    entries = []
    for number, shape in enumerate(shapes, start=1):
        lead = LeadId(str(number))
        parts = tuple(
            SentOperation(OperationId(f"1-{number}-{place}"), CHANGESET, operation)
            for place, operation in enumerate(operations(shape, lead))
        )
        entries.append(LeadEntry(lead, number, parts))
    return tuple(entries)


def outcomes(judgement: Judgement) -> list[str]:
    """One text for each entry, one letter for each part: a, r, u, n."""
    letters = {A: "a", R: "r", U: "u", N: "n"}
    return ["".join(letters[ruling.outcome] for ruling in rulings) for rulings in judgement.rulings]


def again(judgement: Judgement) -> list[list[str]]:
    """For each new request its entries, as lead and kinds: "1ut"."""
    letters = {Update: "u", Reprocess: "r", Trigger: "t", Financials: "f"}
    return [
        [entry.lead + "".join(letters[type(part.operation)] for part in entry.parts) for entry in resend.entries]
        for resend in judgement.again
    ]


ONES = ["u", "r", "t", "ur", "ut", "tt", "utt", "f"]
IRREVERSIBLE_MANY = [("u", "r"), ("ut", "u"), ("t", "t"), ("utt", "u", "ur")]
REPEATABLE_MANY = [("u", "u"), ("u", "u", "u"), ("f", "f"), ("f", "f", "f", "f", "f")]
SHAPES = [(shape,) for shape in ONES] + IRREVERSIBLE_MANY + REPEATABLE_MANY
VERDICTS: list[Verdict] = [
    Elements({}),
    Elements({0: Element(True)}),
    Elements({0: Element(False)}),
    Elements({0: Element(None)}),
    NotSent("m"),
    NotSent("m", 5.0, answered=True),
    Unread("m"),
    Refused("m"),
    Denied("m"),
    Lost("m"),
    Redirected("m"),
]


@pytest.mark.parametrize("shapes", SHAPES, ids="+".join)
@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: type(verdict).__name__)
@pytest.mark.parametrize("refusals", ["parts", "whole"])
def test_what_holds_in_every_cell(verdict: Verdict, shapes: tuple[str, ...], refusals: Refusals) -> None:
    entries = request(*shapes)
    judgement = judge(verdict, entries, refusals)
    assert [len(rulings) for rulings in judgement.rulings] == [len(entry.parts) for entry in entries]
    ruled = {
        part.id: (part.operation, ruling.outcome)
        for entry, rulings in zip(entries, judgement.rulings, strict=True)
        for part, ruling in zip(entry.parts, rulings, strict=True)
    }
    resent = [part.id for resend in judgement.again for entry in resend.entries for part in entry.parts]
    assert len(resent) == len(set(resent)), "nothing is sent again twice"
    for part_id in resent:
        operation, outcome = ruled[part_id]
        assert outcome is not A, "what was applied is never sent again"
        assert outcome is N or not is_irreversible(operation), "irreversible: only what was not sent is sent again"
    assert all(resend.entries and all(entry.parts for entry in resend.entries) for resend in judgement.again)
    assert not (judgement.stop and judgement.again)
    sent = {entry.lead: entry for entry in entries}
    for entry in (entry for resend in judgement.again for entry in resend.entries):
        assert entry.number == sent[entry.lead].number
        assert all(part in sent[entry.lead].parts for part in entry.parts)
    if not isinstance(verdict, Elements):
        assert {ruling.message for rulings in judgement.rulings for ruling in rulings} == {"m"}, "on every record"
    # A split must end: what is sent again at once is less than what was sent.
    if judgement.again and not judgement.backoff:
        assert all(
            len(resend.entries) < len(entries) or sum(len(entry.parts) for entry in resend.entries) < len(ruled)
            for resend in judgement.again
        )


@pytest.mark.parametrize("shapes", SHAPES, ids="+".join)
@pytest.mark.parametrize(("verdict", "unanswered"), [(NotSent("m"), True), (NotSent("m", 5.0, answered=True), False)])
def test_not_sent_is_sent_again_whole_for_every_kind(
    shapes: tuple[str, ...], verdict: NotSent, *, unanswered: bool
) -> None:
    entries = request(*shapes)
    judgement = judge(verdict, entries)
    assert outcomes(judgement) == ["n" * len(shape) for shape in shapes]
    assert [resend.entries for resend in judgement.again] == [entries]
    assert (judgement.backoff, judgement.retry_after) == (True, verdict.retry_after)
    assert judgement.counts_as_unanswered is unanswered


def test_a_429_without_retry_after_is_an_answer_all_the_same() -> None:
    assert not judge(NotSent("m", None, answered=True), request("u")).counts_as_unanswered


@pytest.mark.parametrize("shape", ONES)
@pytest.mark.parametrize(("success", "letter"), [(True, "a"), (False, "r")], ids=["applied", "rejected"])
def test_an_element_judges_its_lead(shape: str, letter: str, *, success: bool) -> None:
    verdict = Elements({0: Element(success, "words", ("warning",))})
    judgement = judge(verdict, request(shape))
    # With several irreversible operations nobody says which happened.
    doubtful = not success and sum(each in "rt" for each in shape) > 1
    expected = "".join("u" if doubtful and each in "rt" else letter for each in shape)
    assert outcomes(judgement) == [expected]
    assert {(ruling.message, ruling.warnings) for ruling in judgement.rulings[0]} == {("words", ("warning",))}
    assert (judgement.again, judgement.counts_as_unanswered, judgement.stop) == ((), False, "")


@pytest.mark.parametrize("shape", ONES)
@pytest.mark.parametrize(
    "verdict", [Elements({}), Elements({0: Element(None, "words")})], ids=["missing", "contradictory"]
)
def test_a_lead_without_a_clear_element_is_unknown(shape: str, verdict: Elements) -> None:
    judgement = judge(verdict, request(shape))
    assert outcomes(judgement) == ["u" * len(shape)]
    repeatable = "".join(each for each in shape if each in "uf")
    assert again(judgement) == ([[f"1{repeatable}"]] if repeatable else [])
    assert judgement.backoff
    assert not judgement.counts_as_unanswered
    assert all(ruling.message for ruling in judgement.rulings[0])


def test_each_lead_of_a_mixed_answer_is_judged_by_itself() -> None:
    verdict = Elements({0: Element(True), 1: Element(False), 2: Element(None)})
    judgement = judge(verdict, request("ut", "ut", "ut", "ut", "r"))
    assert outcomes(judgement) == ["aa", "rr", "uu", "uu", "u"]
    assert again(judgement) == [["3u", "4u"]]


@pytest.mark.parametrize("shapes", SHAPES, ids="+".join)
def test_an_unread_request_is_split_until_one_entry_is_left(shapes: tuple[str, ...]) -> None:
    judgement = judge(Unread("m"), request(*shapes))
    if len(shapes) == 1:
        assert (outcomes(judgement), again(judgement)) == (["r" * len(shapes[0])], [])
    else:
        assert outcomes(judgement) == ["n" * len(shape) for shape in shapes]
        assert len(judgement.again) == 2
        assert list(itertools.chain(*again(judgement))) == [f"{place}{s}" for place, s in enumerate(shapes, start=1)]
    assert (judgement.backoff, judgement.counts_as_unanswered, judgement.stop) == (False, False, "")


@pytest.mark.parametrize("shape", ONES)
def test_a_refusal_of_one_entry_by_an_account_whose_refusals_are_whole_rejects_all_of_it(shape: str) -> None:
    judgement = judge(Refused("m"), request(shape), "whole")
    assert (outcomes(judgement), again(judgement)) == (["r" * len(shape)], [])


@pytest.mark.parametrize("shape", ONES)
def test_a_refusal_of_one_entry_rejects_it(shape: str) -> None:
    judgement = judge(Refused("m"), request(shape))
    several = sum(each in "rt" for each in shape) > 1
    assert outcomes(judgement) == ["".join("u" if several and each in "rt" else "r" for each in shape)]
    assert (judgement.again, judgement.stop, judgement.counts_as_unanswered) == ((), "", False)


@pytest.mark.parametrize("shapes", REPEATABLE_MANY, ids="+".join)
def test_a_refusal_without_irreversible_operations_is_split(shapes: tuple[str, ...]) -> None:
    judgement = judge(Refused("m"), request(*shapes))
    assert outcomes(judgement) == ["r" * len(shape) for shape in shapes]
    assert list(itertools.chain(*again(judgement))) == [f"{place}{s}" for place, s in enumerate(shapes, start=1)]
    assert len(judgement.again) == 2


@pytest.mark.parametrize(
    ("shapes", "expected", "resent"),
    [
        (("u", "r"), ["r", "u"], [["1u"]]),
        (("ut", "u"), ["ru", "r"], [["1u"], ["2u"]]),
        (("t", "t"), ["u", "u"], []),
        (("utt", "u", "ur"), ["ruu", "r", "ru"], [["1u", "2u"], ["3u"]]),
    ],
)
def test_a_refusal_of_several_entries_leaves_the_irreversible_in_doubt(
    shapes: tuple[str, ...], expected: list[str], resent: list[list[str]]
) -> None:
    judgement = judge(Refused("m"), request(*shapes))
    assert (outcomes(judgement), again(judgement)) == (expected, resent)


@pytest.mark.parametrize("shapes", IRREVERSIBLE_MANY, ids="+".join)
def test_an_account_whose_refusals_are_whole_splits_them(shapes: tuple[str, ...]) -> None:
    judgement = judge(Refused("m"), request(*shapes), "whole")
    assert outcomes(judgement) == ["n" * len(shape) for shape in shapes]
    assert list(itertools.chain(*again(judgement))) == [f"{place}{s}" for place, s in enumerate(shapes, start=1)]


@pytest.mark.parametrize("shapes", SHAPES, ids="+".join)
def test_a_denial_stops_and_counts_as_not_sent(shapes: tuple[str, ...]) -> None:
    judgement = judge(Denied("no permission"), request(*shapes))
    assert outcomes(judgement) == ["n" * len(shape) for shape in shapes]
    assert (judgement.again, judgement.stop, judgement.counts_as_unanswered) == ((), "no permission", False)


@pytest.mark.parametrize("shapes", SHAPES, ids="+".join)
def test_a_lost_answer_sends_only_repeatable_parts_again(shapes: tuple[str, ...]) -> None:
    judgement = judge(Lost("m"), request(*shapes))
    assert outcomes(judgement) == ["u" * len(shape) for shape in shapes]
    kept = [(place, "".join(each for each in shape if each in "uf")) for place, shape in enumerate(shapes, start=1)]
    resent = [f"{place}{letters}" for place, letters in kept if letters]
    assert again(judgement) == ([resent] if resent else [])
    assert (judgement.backoff, judgement.counts_as_unanswered, judgement.stop) == (True, True, "")


@pytest.mark.parametrize("shapes", SHAPES, ids="+".join)
def test_a_redirect_stops_with_everything_unknown(shapes: tuple[str, ...]) -> None:
    judgement = judge(Redirected("moved"), request(*shapes))
    assert outcomes(judgement) == ["u" * len(shape) for shape in shapes]
    assert (judgement.again, judgement.stop, judgement.counts_as_unanswered) == ((), "moved", True)


def test_words_and_warnings_of_each_answer_go_on_record() -> None:
    elements = {
        0: Element(True, "done", ("late",)),
        1: Element(None, "odd", ("twice",)),
        2: Element(True, "done", ("late",)),
    }
    told = judge(Elements(elements), request("ut", "u", "u", "u")).rulings
    assert [(r.outcome, r.message, r.warnings) for rulings in told for r in rulings] == [
        (A, "done", ("late",)),
        (A, "done", ("late",)),
        (U, "odd", ("twice",)),
        (A, "done", ("late",)),
        (U, "the answer does not mention this lead", ()),
    ]


@pytest.mark.parametrize("shape", ["u", "r", "t", "f"])
def test_names_are_those_of_the_values(shape: str) -> None:
    (operation,) = operations(shape, LeadId("1"))
    assert names_of(operation) == tuple(values_of(operation))
    assert bool(names_of(operation)) is (shape in "uf")
