"""A refusal for lack of approvals names what moved since the last plan of the changeset that the ledger knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncengine.core.errors import NotApproved
from syncengine.planning import open_plan
from syncengine.planning.approvals import Keygen, add_approval, approval_path, signed_text

from .repository import Repository, public

POLICY = "approvals: {required: 1, allowed_signers: .syncengine/allowed_signers}\n"
SHEET = """\
- for_each: rows
  lead: "{{ row.lead }}"
  update: {c1: "{{ row.c1 }}"}
"""


@pytest.fixture
def applied(repository: Repository) -> Repository:
    """A changeset over a sheet that was approved by anna and applied."""
    repository.write(POLICY)
    (repository.folder / "rows.csv").write_text("lead,c1\n101,a\n102,a\n")
    text = repository.changeset(SHEET).read_text().replace("changes:", "sources: {rows: {file: rows.csv}}\nchanges:")
    (repository.folder / "release-one.yaml").write_text(text)
    repository.signers(f"anna@example.com {public(repository.key('anna'))}")
    repository.commit()
    plan = repository.plan()
    approve(repository, plan)
    assert repository.apply(plan).exit == 0
    return repository


def approve(repository: Repository, plan: Path) -> None:
    with open_plan(plan) as saved:
        message = signed_text(saved.summary.digest)
    signer = Keygen(repository.project.environ)
    assert add_approval(
        approval_path(plan), signer.sign(message, key=repository.keys / "anna", namespace="syncengine-plan")
    )


def refused(repository: Repository, plan: Path) -> NotApproved:
    with pytest.raises(NotApproved) as caught:
        repository.apply(plan)
    return caught.value


def test_a_changed_source_is_named(applied: Repository) -> None:
    (applied.folder / "rows.csv").write_text("lead,c1\n101,b\n102,a\n")
    applied.commit()
    message = refused(applied, applied.plan(out="second.plan")).message
    assert "since the last plan of release-one on record" in message
    assert message.endswith("these moved: source rows of release-one, ledger facts (leads 101, 102)")


def test_policy_and_signers_are_named(applied: Repository) -> None:
    (applied.folder / "rows.csv").write_text("lead,c1\n101,b\n102,a\n")
    applied.write(f"{POLICY}max_payout: 900\n", name="unused")
    applied.signers(f"ben@example.com {public(applied.key('ben'))}")
    (applied.folder / "unused.yaml").unlink()
    applied.commit()
    message = refused(applied, applied.plan(out="second.plan")).message
    assert "these moved: policy, signers, source rows of release-one" in message


def test_an_old_approval_is_told_with_what_moved(applied: Repository) -> None:
    (applied.folder / "rows.csv").write_text("lead,c1\n101,b\n102,a\n")
    applied.commit()
    second = applied.plan(out="second.plan")
    approval_path(second).write_bytes(approval_path(applied.folder / "release.plan").read_bytes())
    error = refused(applied, second)
    assert [problem.code for problem in error.problems] == ["SE648"]
    assert "source rows of release-one" in error.message


def test_a_first_plan_has_nothing_to_compare_with(repository: Repository) -> None:
    repository.write(POLICY)
    repository.signers(f"anna@example.com {public(repository.key('anna'))}")
    repository.commit()
    assert "on record" not in refused(repository, repository.plan()).message
