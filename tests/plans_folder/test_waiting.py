"""A plan without the approvals that it needs waits; the others are sent, and main is not red."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.approvals.repository import git, make_key, public
from tests.crash.bench import Bench, Ended
from tests.plans_folder.team import apply_folder, counts, declare, triggers, update, updates

ANNA, BOB = "anna@example.com", "bob@example.com"


class Signers:
    """People with keys; `allow` lists some of them, and `rule` is a policy that asks for approvals of triggers."""

    def __init__(self, bench: Bench, keys: Path) -> None:
        self.bench = bench
        keys.mkdir()
        self.keys = {name: make_key(keys, name.partition("@")[0]) for name in (ANNA, BOB)}
        self.allow(ANNA, BOB)

    def allow(self, *names: str) -> None:
        lines = [f"{name} {public(self.keys[name])}\n" for name in names]
        (self.bench.folder / "signers").write_text("".join(lines))

    @staticmethod
    def rule(required: int = 1, **more: Any) -> dict[str, Any]:
        settings = {"when": "plan.trigger > 0", "allowed_signers": "signers", "author_may_approve": True, **more}
        return {"approvals": {"required": required, **settings}}

    def sign(self, name: str, changeset: str) -> Ended:
        return self.bench.cli("approve", self.bench.folder / f"plans/{changeset}.plan", "--key", self.keys[name])


@pytest.fixture
def signers(bench: Bench, tmp_path: Path) -> Signers:
    return Signers(bench, tmp_path / "keys")


def waiting(ended: Ended) -> list[str]:
    return [each["changeset"] for each in ended.json["waiting"]]


def test_one_waits_and_the_others_are_sent(bench: Bench, signers: Signers) -> None:
    bench.configure(policy=signers.rule(2))
    declare(bench, a_first=updates(1, 2), b_second=triggers(11, 2), c_third=updates(21, 1))
    assert signers.sign(ANNA, "b-second").code == 0
    ended = apply_folder(bench)
    assert (ended.code, ended.json["exit"]) == (6, 6)
    assert counts(ended) == {"a-first": {"applied": 2}, "c-third": {"applied": 1}}
    (plan,) = ended.json["waiting"]
    assert plan["changeset"] == "b-second"
    assert plan["plan"] == bench.cli("show", bench.folder / "plans/b-second.plan", "--format", "json").json["plan"]
    assert (plan["needed"], plan["given"], plan["left_out"]) == (2, [ANNA], [])
    assert ended.json["refused"] == []
    # Once it is approved, the same command finishes.
    assert signers.sign(BOB, "b-second").code == 0
    again = apply_folder(bench)
    assert again.code == 0
    assert counts(again)["b-second"] == {"applied": 2}
    assert bench.done().total() == 5


def test_where_everything_waits_nothing_is_sent_and_no_window_is_asked(bench: Bench, signers: Signers) -> None:
    closed = {"budgets": [{"per": "day", "max_leads": 0}]}
    bench.configure(policy=signers.rule() | closed)
    declare(bench, a_first=triggers(1, 1), b_second=triggers(11, 1))
    ended = apply_folder(bench)
    assert ended.code == 6
    assert waiting(ended) == ["a-first", "b-second"]
    assert ended.json["plans"] == []
    assert bench.requests == []
    assert bench.history() == []


def test_a_signature_that_does_not_count_is_named(bench: Bench, signers: Signers) -> None:
    bench.configure(policy=signers.rule())
    declare(bench, a_first=triggers(1, 1))
    assert signers.sign(BOB, "a-first").code == 0
    signers.allow(ANNA)
    # The signers are a part of the policy: plan again, and the old signature is of another plan.
    signature = (bench.folder / "plans/a-first.plan.approval").read_text()
    declare(bench, a_first=triggers(1, 1))
    (bench.folder / "plans/a-first.plan.approval").write_text(signature)
    ended = apply_folder(bench)
    assert ended.code == 6
    (plan,) = ended.json["waiting"]
    (left_out,) = plan["left_out"]
    assert left_out.keys() == {"principal", "reason"}
    assert left_out["reason"]


def test_an_author_is_left_out_by_name(bench: Bench, signers: Signers) -> None:
    bench.configure(policy=signers.rule(author_may_approve=False))
    for name in ("a-first", "b-second"):
        bench.changeset(name, *triggers(11 if name == "a-first" else 21, 1))
    (bench.folder / ".gitignore").write_text("sandbox/\nplans/\nkeys/\n.syncengine/\napi.key\n")
    git(bench.folder, "init", "-q")
    git(bench.folder, "add", "specs/b-second.yaml", ".gitignore", "signers", "syncengine.yaml", email="x@example.com")
    git(bench.folder, "commit", "-qm", "one", email="x@example.com")
    git(bench.folder, "add", "specs/a-first.yaml", email=ANNA)
    git(bench.folder, "commit", "-qm", "two", email=ANNA)
    declare(bench, a_first=triggers(11, 1), b_second=triggers(21, 1))
    path = bench.folder / "plans/a-first.plan"
    digest = bench.cli("show", path, "--format", "json").json["plan"]
    sign_outside(signers.keys[ANNA], path, digest)
    assert signers.sign(ANNA, "b-second").code == 0
    ended = apply_folder(bench)
    assert ended.code == 6, ended
    assert counts(ended) == {"b-second": {"applied": 1}}
    (plan,) = ended.json["waiting"]
    assert (plan["changeset"], plan["given"]) == ("a-first", [])
    (left_out,) = plan["left_out"]
    assert left_out["principal"] == ANNA
    assert ANNA in left_out["reason"]


def test_one_approval_file_can_be_named_for_one_of_the_plans(bench: Bench, signers: Signers) -> None:
    bench.configure(policy=signers.rule())
    folder = declare(bench, a_first=triggers(1, 1), b_second=triggers(11, 1))
    assert signers.sign(ANNA, "a-first").code == 0
    moved = (folder / "a-first.plan.approval").rename(bench.folder / "moved.approval")
    ended = apply_folder(bench, "--approval", str(moved))
    assert ended.code == 6
    assert counts(ended) == {"a-first": {"applied": 1}}
    assert waiting(ended) == ["b-second"]


def test_refused_waiting_and_sent_is_incomplete(bench: Bench, signers: Signers) -> None:
    bench.configure(policy=signers.rule() | {"denied_fields": ["c2"]})
    declare(bench, a_first=triggers(1, 1), b_second=[update("x", field="c2", lead="21")], c_third=updates(31, 1))
    ended = apply_folder(bench)
    assert (ended.code, waiting(ended)) == (4, ["a-first"])


def test_refused_and_waiting_is_refused(bench: Bench, signers: Signers) -> None:
    bench.configure(policy=signers.rule() | {"denied_fields": ["c2"]})
    declare(bench, a_first=triggers(1, 1), b_second=[update("x", field="c2", lead="21")])
    ended = apply_folder(bench)
    assert (ended.code, waiting(ended)) == (3, ["a-first"])
    assert bench.requests == []


def test_a_blocked_plan_does_not_wait(bench: Bench, signers: Signers) -> None:
    bench.configure(policy=signers.rule() | {"allowed_deliveries": ["1054"]})
    declare(bench, a_first=triggers(1, 1))
    ended = apply_folder(bench)
    assert (ended.code, waiting(ended)) == (3, [])
    assert [each["code"] for each in ended.json["refused"]] == ["SE630"]


def test_what_was_resolved_as_not_applied_is_refused_and_does_not_wait(bench: Bench, signers: Signers) -> None:
    bench.configure(policy=signers.rule())
    declare(bench, a_first=triggers(1, 1))
    assert signers.sign(ANNA, "a-first").code == 0
    bench.faults({"match": {"nth": 1}, "fault": {"effect": "none", "answer": "reset"}})
    assert apply_folder(bench).code == 5
    assert bench.resolve("not-applied", bench.status()["in_doubt"][0]["operation"]).code == 0
    ended = apply_folder(bench)
    assert (ended.code, [each["code"] for each in ended.json["refused"]]) == (3, ["SE638"])


def test_refusal_to_send_again_names_only_the_lead_that_was_resolved(bench: Bench, signers: Signers) -> None:
    bench.configure(policy=signers.rule())
    declare(bench, a_first=triggers(1, 4))
    assert signers.sign(ANNA, "a-first").code == 0
    bench.faults({"match": {"nth": 1}, "fault": {"effect": "none", "answer": "reset"}})
    assert apply_folder(bench).code == 5
    _, doubt, *others = bench.status()["in_doubt"]
    assert len(others) == 2
    assert bench.resolve("not-applied", doubt["operation"]).code == 0
    (refused,) = apply_folder(bench).json["refused"]
    assert refused["code"] == "SE638"
    assert refused["message"].endswith(f"these moved: ledger facts (lead {doubt['lead']})"), refused


def test_a_plan_that_was_applied_needs_no_approval_any_more(bench: Bench, signers: Signers) -> None:
    bench.configure(policy=signers.rule())
    folder = declare(bench, a_first=triggers(1, 1))
    assert signers.sign(ANNA, "a-first").code == 0
    assert apply_folder(bench).code == 0
    (folder / "a-first.plan.approval").unlink()
    ended = apply_folder(bench)
    assert (ended.code, counts(ended)) == (0, {"a-first": {"already_applied": 1}})


def test_a_single_plan_without_its_approvals_is_refused(bench: Bench, signers: Signers) -> None:
    bench.configure(policy=signers.rule())
    declare(bench, a_first=triggers(1, 1))
    ended = bench.apply("plans/a-first.plan")
    assert (ended.code, ended.json["error"]["code"]) == (3, "SE640")


def test_what_moved_since_the_approved_plan_is_told(bench: Bench, signers: Signers) -> None:
    bench.configure(policy=signers.rule())
    declare(bench, a_first=triggers(1, 1))
    assert signers.sign(ANNA, "a-first").code == 0
    assert apply_folder(bench).code == 0
    declare(bench, a_first=triggers(1, 2))
    ended = apply_folder(bench)
    assert ended.code == 6
    (plan,) = ended.json["waiting"]
    assert "since the last plan of a-first on record" in plan["message"]
    assert "since the last plan of a-first on record" in " ".join(
        bench.cli("apply", bench.folder / "plans").out.split()
    )


def test_the_text_says_how_to_go_on(bench: Bench, signers: Signers) -> None:
    bench.configure(policy=signers.rule())
    folder = declare(bench, a_first=triggers(1, 1))
    ended = bench.cli("apply", folder)
    assert ended.code == 6
    told = " ".join(ended.out.split())
    assert "Waiting for approvals 1 plan" in told
    assert "0 of 1 approval" in told
    assert "1 plan: 1 waiting for approvals" in told
    assert "syncengine approve" in told


def sign_outside(key: Path, plan: Path, digest: str) -> None:
    """What `ssh-keygen -Y sign` makes: `approve` refuses to sign for an author."""
    done = subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "syncengine-plan"],
        input=f"{digest}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    plan.with_name(f"{plan.name}.approval").write_text(done.stdout)
