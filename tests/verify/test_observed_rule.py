"""One rule says which observed values count, for plans and for `drift`: those younger than the last attempt."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from syncengine.core.history import Attempt, LeadHistory, RecordedAnswer, Resolution
from syncengine.core.observations import Observation
from syncengine.core.operations import Kind
from syncengine.core.outcomes import Outcome
from syncengine.core.values import ChangesetId, LeadId, OperationId, RunId
from syncengine.planning.observed import ObservedValues, Unseen
from syncengine.sandbox.faults_file import parse_script
from tests.workspace import Workspace

LEAD = LeadId("7")
BEFORE, SENT, ANSWERED, AFTER = (f"2026-11-20T10:00:0{second}.000000Z" for second in range(4))


class Seen:
    """An export of one moment."""

    label = "export.csv"

    def __init__(self, at: str) -> None:
        self._seen = Observation(at=at, by="export", values={"postcode": "M1 1AE", "payout": "8.00"})

    def get(self, lead: LeadId) -> Observation | None:
        return self._seen if lead == LEAD else None


def attempt(outcome: Outcome | None, *, live: bool = False, resolution: Resolution | None = None) -> Attempt:
    return Attempt(
        number=1,
        operation=OperationId("1" * 40),
        changeset=ChangesetId("repair"),
        lead=LEAD,
        kind=Kind.UPDATE,
        run=RunId("r"),
        plan="p",
        values={"postcode": "=TN25 6QD"},
        at=SENT,
        answer=None if outcome is None else RecordedAnswer(outcome=outcome, at=ANSWERED),
        resolution=resolution,
        live=live,
    )


NOT_APPLIED = Resolution(applied=False, by="ann", note="asked", at=AFTER)
ATTEMPTS = [
    *(attempt(outcome) for outcome in Outcome),
    attempt(None),
    attempt(None, resolution=NOT_APPLIED),
]


def counts(at: str, made: Attempt, kind: Kind = Kind.UPDATE, name: str = "postcode") -> bool:
    with ObservedValues(export=Seen(at)) as observed:
        return not isinstance(observed.of(LEAD, kind, name, LeadHistory([made])), Unseen)


@pytest.mark.parametrize("made", ATTEMPTS, ids=lambda made: str(made.standing))
def test_only_what_is_younger_than_the_last_attempt_counts_whatever_became_of_it(made: Attempt) -> None:
    heard = made.moment
    assert [counts(at, made) for at in (BEFORE, heard, AFTER)] == [False, False, True]


def test_nothing_counts_while_an_answer_may_still_come() -> None:
    assert not counts(AFTER, attempt(None, live=True))


def test_attempts_on_other_fields_and_kinds_do_not_matter() -> None:
    made = attempt(Outcome.APPLIED)
    assert counts(BEFORE, made, Kind.FINANCIALS, "payout")


def test_a_field_called_payout_is_not_compared_with_the_leads_money() -> None:
    assert not counts(AFTER, attempt(Outcome.APPLIED), Kind.UPDATE, "payout")


def test_plan_and_drift_ignore_the_same_observation(workspace: Workspace) -> None:
    changes = '- lead: "2932682"\n  update: {postcode: %s}\n'
    workspace.changeset("repair", changes % "TN25 6QD")
    workspace.plan()
    workspace.apply()
    between = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    workspace.changeset("repair", changes % "TN25 6QE")
    workspace.plan(out="next.plan")
    workspace.sandbox.set_faults(
        parse_script(json.dumps({"rules": [{"fault": {"effect": "none", "answer": {"status": 401}}}]}).encode())
    )
    assert workspace.apply("next.plan")["counts"]["not_sent"] == 1
    workspace.write("export.csv", "lead,postcode\n2932682,TN25 6QD\n")
    options = ("--observed", "export.csv", "--observed-at", between)
    planned = workspace.plan(*options, out="third.plan")
    assert any("1 observed value is not younger than what was sent" in text for text in planned["warnings"])
    (line,) = workspace.run("drift", *options, "--format", "json").json["fields"]
    assert (line["state"], line["reason"]) == (
        "unknown",
        "the export is not younger than the last write; look again later",
    )
