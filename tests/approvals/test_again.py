"""After an approved run: what the same approvals still cover, and what needs new ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncengine.core.errors import NotApproved
from syncengine.planning import open_plan
from syncengine.planning.approvals import Keygen, add_approval, approval_path, signed_text
from syncengine.sandbox import Fault, FaultAnswer, FaultRule, Match, Script

from .repository import Repository, public

APPROVED = "approvals: {required: 1, allowed_signers: .syncengine/allowed_signers, author_may_approve: true}\n"
FREE = "max_leads: 10\n"


def approve(repository: Repository, path: Path) -> None:
    with open_plan(path) as saved:
        message = signed_text(saved.summary.digest)
    text = Keygen(repository.project.environ).sign(message, key=repository.keys / "anna", namespace="syncengine-plan")
    add_approval(approval_path(path), text)


def lose_answers(repository: Repository) -> None:
    """Every request is done, and its answer lost."""
    repository.sandbox.set_faults(Script(rules=[FaultRule(fault=Fault(answer="close", effect="all"))]))


def resolve(repository: Repository, *, applied: bool) -> None:
    with repository.project.ledger() as ledger, ledger.lease("acme", wait=0) as lease:
        doubts = ledger.doubts("acme")
        assert doubts
        numbers = [number for doubt in doubts for number in doubt.attempts]
        ledger.resolve(lease, numbers, applied=applied, by="op", note="looked")


@pytest.fixture
def doubtful(repository: Repository, request: pytest.FixtureRequest) -> Repository:
    """A plan of two triggers whose first run left both in doubt."""
    repository.signers(f"anna@example.com {public(repository.key('anna'))}")
    repository.write(request.param, changes='- leads: ["1", "2"]\n  trigger: ["1053"]\n')
    plan = repository.plan()
    approve(repository, plan)
    lose_answers(repository)
    assert repository.apply(plan).exit == 5
    repository.sandbox.set_faults(Script(rules=[]))
    return repository


@pytest.mark.parametrize("doubtful", [APPROVED], indirect=True)
def test_what_was_resolved_as_not_applied_needs_a_new_approved_plan(doubtful: Repository) -> None:
    before = doubtful.effects
    resolve(doubtful, applied=False)
    with pytest.raises(NotApproved) as caught:
        doubtful.apply(doubtful.folder / "release.plan")
    assert "resolved as not applied" in caught.value.message
    assert "these moved: ledger facts (leads 1, 2)" in caught.value.message
    assert "new plan" in caught.value.hint
    assert caught.value.exit == 3
    assert doubtful.effects == before
    plan = doubtful.plan()
    with pytest.raises(NotApproved, match=r"needs 1 approval and has none.*moved: ledger facts \(leads 1, 2\)"):
        doubtful.apply(plan)
    approve(doubtful, plan)
    assert doubtful.apply(plan).counts.applied == 2


@pytest.mark.parametrize("doubtful", [FREE], indirect=True)
def test_without_an_approval_rule_the_same_plan_sends_it_again(doubtful: Repository) -> None:
    resolve(doubtful, applied=False)
    assert doubtful.apply(doubtful.folder / "release.plan").counts.applied == 2


@pytest.mark.parametrize("doubtful", [APPROVED], indirect=True)
def test_resolved_as_applied_is_settled_and_asks_nobody(doubtful: Repository) -> None:
    resolve(doubtful, applied=True)
    approval_path(doubtful.folder / "release.plan").unlink()
    assert doubtful.apply(doubtful.folder / "release.plan").exit == 0


def test_approvals_stay_valid_when_an_interrupted_plan_goes_on(repository: Repository) -> None:
    repository.signers(f"anna@example.com {public(repository.key('anna'))}")
    repository.write(APPROVED, changes='- leads: ["1", "2"]\n  update: {c1: x}\n')
    plan = repository.plan()
    approve(repository, plan)
    assert repository.apply(plan, deadline=0).exit == 4
    assert repository.apply(plan).exit == 0
    assert repository.effects == 2


def test_approvals_stay_valid_without_the_interrupted_plans_file(repository: Repository) -> None:
    repository.signers(f"anna@example.com {public(repository.key('anna'))}")
    repository.write(APPROVED, changes='- leads: ["1", "2"]\n  trigger: ["1053"]\n')
    plan = repository.plan()
    approve(repository, plan)
    approval_path(plan).rename(repository.folder / "kept.approval")
    assert repository.apply(plan, deadline=0, approvals=[repository.folder / "kept.approval"]).exit == 4
    plan.unlink()
    again = repository.plan()
    assert repository.apply(again, approvals=[repository.folder / "kept.approval"]).exit == 0
    assert repository.effects == 2


def half_sent(repository: Repository, policy: str) -> str:
    """A plan of two triggers: one was sent and its answer lost, the other was never sent. Its digest."""
    repository.signers(f"anna@example.com {public(repository.key('anna'))}")
    repository.write(policy, changes='- leads: ["1", "2"]\n  trigger: ["1053"]\n')
    one_each = (
        (repository.folder / "syncengine.yaml")
        .read_text()
        .replace("requests_per_second: 1000", "requests_per_second: 1000, leads_per_request: 1")
    )
    (repository.folder / "syncengine.yaml").write_text(one_each)
    plan = repository.plan()
    approve(repository, plan)
    lost = FaultRule(fault=Fault(answer="close", effect="none"), match=Match(nth=1))
    refused = FaultRule(fault=Fault(answer=FaultAnswer(status=401, body="error"), effect="none"), match=Match(nth=2))
    repository.sandbox.set_faults(Script(rules=[lost, refused]))
    assert repository.apply(plan).exit == 5
    repository.sandbox.set_faults(Script(rules=[]))
    with open_plan(plan) as saved:
        return saved.summary.digest


@pytest.mark.parametrize(("policy", "same"), [(APPROVED, False), (FREE, True)], ids=["approved", "free"])
def test_after_a_resolution_as_not_applied_planning_again_follows_the_rule_of_apply(
    repository: Repository, policy: str, same: bool
) -> None:
    digest = half_sent(repository, policy)
    with open_plan(repository.plan()) as before:
        assert before.summary.digest == digest
    resolve(repository, applied=False)
    with open_plan(repository.plan()) as after:
        assert (after.summary.digest == digest) is same
        told = [finding.message for finding in after.summary.recorded if finding.rule == "unfinished-plan"]
    assert bool(told) is not same
    assert same or "the trigger of lead 1 was sent by this plan and resolved as not applied" in told[0]
