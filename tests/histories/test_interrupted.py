"""A plan whose run was interrupted is worked out again without its file: the same digest, and nothing sent twice."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from resource import RLIMIT_FSIZE, setrlimit
from typing import Any

import pytest

from tests.crash.bench import Bench, Ended
from tests.postgres_server import PostgresServer

ONE_EACH = {"leads_per_request": 1, "irreversible_per_request": 1}
LOST: dict[str, Any] = {"effect": "all", "answer": "reset"}
REFUSED_KEY: dict[str, Any] = {"effect": "none", "answer": {"status": 401, "body": "error", "message": "not allowed"}}
LEADS = [str(lead) for lead in range(11, 17)]
MONEY = {"lead": "21", "financials": {"payout": "80.00", "revenue": "120.00", "buyer": "33"}}


@pytest.fixture(params=["sqlite", "postgres"])
def any_bench(tmp_path: Path, postgres_server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[Bench]:
    url = {"ledger_url": postgres_server.new_database()} if request.param == "postgres" else {}
    with Bench(tmp_path, **url) as made:
        made.found()
        yield made


def triggers(*leads: str) -> list[dict[str, Any]]:
    return [{"lead": lead, "update": {"c1": "a"}, "trigger": ["1053"]} for lead in leads]


def updates(*leads: str, value: str = "a", field: str = "c1") -> list[dict[str, Any]]:
    return [{"lead": lead, "update": {field: value}} for lead in leads]


def planned(bench: Bench, *words: str) -> Any:
    """Plan anew, as a fresh runner does: without the earlier file."""
    (bench.folder / "release.plan").unlink(missing_ok=True)
    ended = bench.cli(
        "plan", bench.folder / "specs", "--out", bench.folder / "release.plan", "--format", "json", *words
    )
    assert ended.out, ended.err
    return ended.json


def interrupted(bench: Bench, *changes: dict[str, Any], fault: dict[str, Any] = REFUSED_KEY, nth: int = 3) -> str:
    """Apply a plan of these changes whose nth request meets a fault; its digest."""
    bench.changeset("one", *changes)
    digest = str(planned(bench)["plan"])
    bench.faults({"match": {"nth": nth}, "fault": fault})
    assert bench.apply().code in (4, 5)
    bench.faults()
    return digest


def assert_new(bench: Bench, digest: str, why: str, *words: str) -> Any:
    """Planning again gives another plan, and the first thing to look at says why."""
    view = planned(bench, *words)
    assert view["plan"] != digest
    assert view["progress"] is None
    (told,) = [each["message"] for each in view["findings"] if each["rule"] == "unfinished-plan"]
    assert why in told, told
    assert told in view["warnings"]
    return view


# Interrupted for real


def _end_of(bench: Bench, how: str) -> Ended:
    pid_file = bench.folder / "pid"
    rules: dict[str, list[dict[str, Any]]] = {
        "kill": [{"signal": {"send": "KILL", "at": "after_effect", "pid_file": str(pid_file)}}],
        "term": [{"signal": {"send": "TERM", "at": "received", "pid_file": str(pid_file)}}],
        "deadline": [{"delay_after": 3}],
    }
    bench.faults(*({"match": {"nth": 4}, "fault": fault} for fault in rules[how]))
    limit = ["--deadline", "2"] if how == "deadline" else []
    process = bench.start("apply", "release.plan", *limit)
    pid_file.write_text(str(process.pid))
    code = process.wait(60)
    bench.faults()
    if how == "kill" and bench.ledger_url.startswith("postgres"):
        # Elsewhere the lease dies with its process; here it would be waited for.
        assert bench.cli("ledger", "release", "--account", "acme", "--by", "ann", "--note", "killed").code == 0
    return Ended(code, "", "")


@pytest.mark.parametrize("how", ["kill", "term", "deadline"])
def test_an_interrupted_run_goes_on_without_the_plans_file(any_bench: Bench, how: str) -> None:
    bench = any_bench
    bench.configure(limits=ONE_EACH)
    bench.changeset("one", *triggers(*LEADS), MONEY)
    digest = planned(bench)["plan"]
    assert _end_of(bench, how).code == {"kill": -9, "term": 130, "deadline": 4}[how]
    before = bench.done()
    view = planned(bench)
    assert (view["plan"], view["progress"] is None) == (digest, False)
    assert view["settled"] + view["left"] == view["operations"]["total"] == 13
    assert view["progress"].startswith(f"{view['settled']} of 13 settled, {view['left']} left")
    assert view["money_left"] == {"payout": "80.00", "revenue": "120.00"}
    assert view["warnings"][0] == view["progress"]
    assert not [each for each in view["findings"] if each["rule"] == "unfinished-plan"]
    ended = bench.apply()
    done = bench.done()
    assert all(count == 1 for what, count in done.items() if not what.startswith("update")), done
    doubts = ended.json["counts"]["in_doubt"]
    assert (ended.code, doubts) == ((5, 1) if how == "kill" else (0, 0))
    assert done.keys() >= before.keys()
    assert done["financials 21"] == 1
    if how != "kill":
        assert ended.json["counts"]["already_applied"] == view["settled"]
        assert done == dict.fromkeys(done, 1)


def test_a_run_that_a_full_disk_ended_goes_on(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    leads = [str(lead) for lead in range(11, 51)]
    bench.changeset("one", *triggers(*leads))
    digest = planned(bench)["plan"]
    size = max(path.stat().st_size for path in (bench.folder / ".syncengine").iterdir()) + 200_000
    full = bench.process("apply", "release.plan", preexec_fn=lambda: setrlimit(RLIMIT_FSIZE, (size, size)))
    assert full.code in (4, 5), full
    assert 0 < len(bench.done()) < 80
    view = planned(bench)
    assert (view["plan"], view["progress"] is None) == (digest, False)
    ended = bench.apply()
    assert ended.code in (0, 5), ended
    assert all(count == 1 for what, count in bench.done().items() if what.startswith("trigger"))
    assert len(bench.done()) >= 79


def test_every_view_says_first_what_is_left_and_so_does_show_of_the_first_file(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    digest = interrupted(bench, *updates(*LEADS), MONEY)
    first = bench.folder / "first.plan"
    bench.cli("plan", bench.folder / "specs", "--out", first)
    words = "2 of 7 settled, 5 left; money left to send: payout 80.00 and revenue 120.00"
    for command in (["plan", bench.folder / "specs"], ["show", first]):
        for format_ in ("text", "markdown", "html", "json"):
            ended = bench.cli(*command, "--format", format_)
            assert ended.code == 0, ended
            text = ended.out[ended.out.find("<main>") :] if format_ == "html" else ended.out
            place = " ".join(text.split()).find(words)
            assert 0 <= place < {"text": 1, "markdown": 3, "html": 100, "json": 40}[format_], (format_, text[:300])
        assert bench.cli(*command, "--format", "json").json["plan"] == digest


def test_a_plan_is_worked_out_again_as_often_as_it_is_interrupted(any_bench: Bench) -> None:
    bench = any_bench
    bench.configure(limits=ONE_EACH)
    digest = interrupted(bench, *triggers(*LEADS), nth=2)
    for nth in (2, 2):
        assert planned(bench)["plan"] == digest
        bench.faults({"match": {"nth": nth}, "fault": REFUSED_KEY})
        assert bench.apply().code == 4
        bench.faults()
    assert planned(bench)["plan"] == digest
    assert bench.apply().code == 0
    assert bench.done() == {f"{what}": 1 for lead in LEADS for what in (f"update {lead}", f"trigger {lead} 1053")}
    view = planned(bench)
    assert (view["plan"] == digest, view["operations"]["already_applied"]) == (False, 12)


def test_a_change_on_record_before_the_plan_is_in_it_as_it_was(bench: Bench) -> None:
    """Values before, facts and reasons come from the records up to the plan's position."""
    bench.configure(limits=ONE_EACH, ledger={"values": "plain"})
    assert bench.send("zero", *updates("12", "13", value="old"), MONEY).code == 0
    (bench.folder / "specs" / "zero.yaml").unlink()
    assert bench.send("one", *updates("11", "12")).code == 0
    money = {"lead": "21", "financials": {"payout": "90.00", "revenue": "130.00"}}
    digest = interrupted(bench, *updates(*LEADS, value="new"), money)
    assert planned(bench)["plan"] == digest
    assert bench.apply().code == 0


def test_an_unknown_update_is_enough_to_go_on(bench: Bench) -> None:
    bench.configure(limits={**ONE_EACH, "attempts": 1})
    digest = interrupted(bench, *updates("11", "12"), fault=LOST, nth=2)
    view = planned(bench)
    assert (view["plan"], view["settled"], view["left"]) == (digest, 1, 1)
    assert bench.apply().code == 0


def test_a_plan_of_a_ledger_that_did_not_exist_yet(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        bench.configure(limits=ONE_EACH)
        digest = interrupted(bench, *triggers(*LEADS))
        assert planned(bench)["plan"] == digest
        assert bench.apply().code == 0
        assert set(bench.done().values()) == {1}


def test_foreign_runs_on_other_things_of_the_same_leads_do_not_matter(any_bench: Bench) -> None:
    bench = any_bench
    bench.configure(limits=ONE_EACH)
    digest = interrupted(bench, *updates(*LEADS), MONEY)
    assert bench.send("two", *updates(*LEADS, field="c2", value="b")).code == 0
    (bench.folder / "specs" / "two.yaml").unlink()
    assert planned(bench)["plan"] == digest
    assert bench.apply().code == 0


def test_foreign_runs_on_what_is_settled_do_not_matter(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    digest = interrupted(bench, *updates(*LEADS))
    assert bench.send("two", *updates("11", value="b")).code == 0
    (bench.folder / "specs" / "two.yaml").unlink()
    assert planned(bench)["plan"] == digest


def test_one_changeset_of_several_goes_on_by_itself(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("two", *updates("31", "32"))
    bench.changeset("one", *triggers(*LEADS))
    digest = planned(bench, "--changeset", "one")["plan"]
    bench.faults({"match": {"nth": 3}, "fault": REFUSED_KEY})
    assert bench.apply().code == 4
    bench.faults()
    assert planned(bench, "--changeset", "one")["plan"] == digest
    assert planned(bench)["plan"] != digest
    (bench.folder / "specs" / "two.yaml").unlink()
    assert planned(bench)["plan"] == digest


def test_a_part_goes_on_as_that_part_only(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("one", *triggers(*LEADS))
    digest = planned(bench, "--limit", "4")["plan"]
    bench.faults({"match": {"nth": 3}, "fault": REFUSED_KEY})
    assert bench.apply().code == 4
    bench.faults()
    assert planned(bench, "--limit", "4")["plan"] == digest
    assert_new(bench, digest, "another part")
    assert planned(bench, "--limit", "5")["findings"] == []
    assert planned(bench, "--limit", "4")["plan"] == digest
    bench.changeset("one", *triggers("17", *LEADS))
    assert_new(bench, digest, "changeset one", "--limit", "4")


def test_a_sealed_plan_goes_on(bench: Bench, tmp_path: Path) -> None:
    from pyrage import x25519

    identity = x25519.Identity.generate()
    (tmp_path / "identity").write_text(str(identity))
    sealed = ("--values", "sealed", "--recipient", str(identity.to_public()))
    bench.configure(limits=ONE_EACH)
    digest = interrupted(bench, *triggers(*LEADS))
    assert planned(bench, *sealed)["plan"] == digest
    (tmp_path / "identity").chmod(0o600)
    assert bench.apply("release.plan", "--identity", str(tmp_path / "identity")).code == 0


def test_the_same_observed_file_must_be_given_again(bench: Bench, tmp_path: Path) -> None:
    bench.configure(limits=ONE_EACH)
    export = tmp_path / "export.csv"
    export.write_text("lead,observed_at,c1\n" + "".join(f"{lead},2026-01-01T00:00:00Z,old\n" for lead in LEADS))
    bench.changeset("one", *updates(*LEADS))
    digest = planned(bench, "--observed", str(export))["plan"]
    bench.faults({"match": {"nth": 3}, "fault": REFUSED_KEY})
    assert bench.apply().code == 4
    bench.faults()
    assert planned(bench, "--observed", str(export))["plan"] == digest
    assert_new(bench, digest, "the observed file")
    export.write_text(export.read_text().replace("old", "odd"))
    assert_new(bench, digest, "the observed file", "--observed", str(export))


def test_each_plan_of_a_folder_goes_on_by_itself(any_bench: Bench) -> None:
    bench = any_bench
    bench.configure(limits=ONE_EACH)
    bench.changeset("two", *updates("31", "32"))
    bench.changeset("one", *triggers(*LEADS), MONEY)
    folder = bench.folder / "plans"

    def each() -> tuple[Any, Any]:
        ended = bench.cli("plan", bench.folder / "specs", "--each", folder, "--format", "json")
        assert ended.code == 0, ended
        return ended.json, json.loads((folder / "plans.json").read_text())

    before = {plan["changeset"]: plan for plan in each()[1]["plans"]}
    assert (before["one"]["settled"], before["one"]["left"]) == (0, 13)
    bench.faults({"match": {"nth": 3}, "fault": REFUSED_KEY})
    assert bench.apply("plans/one.plan").code == 4
    bench.faults()
    shown, listed = each()
    assert {plan["changeset"]: plan["plan"] for plan in listed["plans"]} == {
        name: plan["plan"] for name, plan in before.items()
    }
    assert [(plan["settled"], plan["left"]) for plan in listed["plans"]] == [(4, 9), (0, 2)]
    words = "4 of 13 settled, 9 left; money left to send: payout 80.00 and revenue 120.00"
    assert listed["warnings"][0].startswith(f"changeset one: {words}")
    assert [(plan["progress"] or "")[: len(words)] for plan in shown["plans"]] == [words, ""]
    assert bench.apply("plans").code == 0
    assert bench.done() == dict.fromkeys(bench.done(), 1)
    assert len(bench.done()) == 15
    assert each()[1]["plans"] == []


# Not gone on with


def test_what_is_left_was_rejected(any_bench: Bench) -> None:
    bench = any_bench
    bench.configure(limits=ONE_EACH)
    digest = interrupted(bench, *updates(*LEADS), fault={"reject": {"message": "No such lead"}})
    view = assert_new(bench, digest, "rejected")
    assert (view["operations"]["to_send"], view["operations"]["already_applied"]) == (1, 5)


def test_rejections_beside_what_was_never_sent_go_on(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("one", *updates(*LEADS))
    digest = planned(bench)["plan"]
    bench.faults(
        {"match": {"nth": 2}, "fault": {"reject": {"message": "No such lead"}}},
        {"match": {"nth": 4}, "fault": REFUSED_KEY},
    )
    assert bench.apply().code == 4
    bench.faults()
    view = planned(bench)
    assert (view["plan"], view["settled"], view["left"]) == (digest, 2, 4)


@contextmanager
def waiting_in_mid_run(bench: Bench) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A run of the plan that waits for the answer to its third request."""
    bench.faults({"match": {"nth": 3}, "fault": {"delay_after": 4}})
    process = bench.start("apply", "release.plan")
    try:
        while len(bench.sandbox.effects_log.read_text().splitlines()) < 3:
            pass
        yield bench.status()["unfinished_plans"][0]["run"], process
    finally:
        process.kill()
        process.wait()


def test_a_cancelled_run_is_over(any_bench: Bench) -> None:
    bench = any_bench
    bench.configure(limits=ONE_EACH)
    bench.changeset("one", *updates(*LEADS))
    digest = planned(bench)["plan"]
    with waiting_in_mid_run(bench) as (run, process):
        assert bench.cli("cancel", run, "--by", "ann").code == 0
        assert process.wait(60) == 4
    assert_new(bench, digest, f"run {run} was cancelled")


def test_a_live_run_is_left_alone(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("one", *updates(*LEADS))
    digest = planned(bench)["plan"]
    with waiting_in_mid_run(bench) as (run, _):
        assert_new(bench, digest, f"run {run} is in progress")
    assert planned(bench)["plan"] == digest


DOUBTFUL = {"required": 1, "when": "plan.irreversible > 0", "allowed_signers": "signers"}


@pytest.mark.parametrize("approvals", [False, True], ids=["free", "approved"])
def test_resolved_as_not_applied_needs_a_new_plan_where_approvals_do(bench: Bench, approvals: bool) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("one", *triggers(*LEADS))
    digest = planned(bench)["plan"]
    assert _end_of(bench, "kill").code == -9
    (doubt,) = [line["operation"] for line in bench.status()["in_doubt"] if line["kind"] == "trigger"]
    assert bench.resolve("not-applied", doubt).code == 0
    if approvals:
        (bench.folder / "signers").write_text(
            "ann@example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA" + "A" * 42 + "\n"
        )
        bench.configure(limits=ONE_EACH, policy={"approvals": DOUBTFUL})
        assert_new(bench, digest, "policy")
    else:
        assert planned(bench)["plan"] == digest


def test_resolved_as_applied_is_settled(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("one", *triggers(*LEADS))
    digest = planned(bench)["plan"]
    assert _end_of(bench, "kill").code == -9
    (doubt,) = [line["operation"] for line in bench.status()["in_doubt"] if line["kind"] == "trigger"]
    before = planned(bench)
    assert bench.resolve("applied", doubt).code == 0
    after = planned(bench)
    assert before["plan"] == after["plan"] == digest
    assert after["settled"] == before["settled"] + 1
    assert bench.apply().code == 0
    assert {count for what, count in bench.done().items() if what.startswith("trigger")} == {1}


def test_a_stale_plan_is_not_gone_on_with(any_bench: Bench) -> None:
    bench = any_bench
    bench.configure(limits=ONE_EACH)
    digest = interrupted(bench, *updates(*LEADS))
    assert bench.send("two", *updates("16", value="b")).code == 0
    (bench.folder / "specs" / "two.yaml").unlink()
    assert_new(bench, digest, "stale: lead 16: c1 was touched by run")
    assert bench.apply().code == 0


def test_an_erased_lead_makes_a_new_plan(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    digest = interrupted(bench, *updates(*LEADS))
    assert bench.cli("ledger", "forget", "16", "--by", "ann").code == 0
    assert_new(bench, digest, "lead 16 was erased")


def test_other_files_make_a_new_plan_that_names_them(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    digest = interrupted(bench, *updates(*LEADS))
    bench.changeset("one", *updates(*LEADS, "17"))
    assert_new(bench, digest, "these changed: changeset one")


def test_a_comment_that_gives_the_same_plan_does_not_matter(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    digest = interrupted(bench, *updates(*LEADS))
    file = bench.folder / "specs" / "one.yaml"
    file.write_text(file.read_text().rstrip("\n") + " # seen by Ann\n")
    assert planned(bench)["plan"] == digest
    assert bench.apply().code == 0


def test_another_source_makes_a_new_plan_that_names_it(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    rows = bench.folder / "specs" / "rows.csv"
    rows.write_text("id,c1\n" + "".join(f"{lead},a\n" for lead in LEADS))
    text = json.dumps(
        {
            "version": 1,
            "changeset": "one",
            "account": "acme",
            "sources": {"rows": {"file": "rows.csv"}},
            "changes": [{"for_each": "rows", "lead": "{{ row.id }}", "update": {"c1": "{{ row.c1 }}"}}],
        }
    )
    (bench.folder / "specs" / "one.yaml").write_text(text)
    digest = planned(bench)["plan"]
    bench.faults({"match": {"nth": 3}, "fault": REFUSED_KEY})
    assert bench.apply().code == 4
    bench.faults()
    assert planned(bench)["plan"] == digest
    rows.write_text(rows.read_text() + "17,a\n")
    assert_new(bench, digest, "these changed: source rows of one")


def test_another_policy_makes_a_new_plan_that_names_it(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    digest = interrupted(bench, *updates(*LEADS))
    bench.configure(limits=ONE_EACH, policy={"max_leads": 100})
    assert_new(bench, digest, "these changed: policy")


def test_values_read_from_the_service_make_a_new_plan(tmp_path: Path) -> None:
    leads = tmp_path / "leads.csv"
    leads.write_text("id,state,c1\n" + "".join(f"{lead},approved,old\n" for lead in LEADS))
    with Bench(tmp_path / "bench", leads=leads) as bench:
        bench.configure(limits=ONE_EACH, reads={"leads": True})
        bench.changeset("one", *updates(*LEADS))
        digest = planned(bench)["plan"]
        bench.faults({"match": {"nth": 3}, "fault": REFUSED_KEY})
        assert bench.apply().code == 4
        bench.faults()
        assert_new(bench, digest, "read from the service")


def test_a_plan_that_settled_everything_later_ends_it(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    digest = interrupted(bench, *updates("11", "12", "13"))
    bench.changeset("one", *updates("11", "12", "13", "14"))
    assert_new(bench, digest, "changeset one")
    assert bench.apply().code == 0
    view = planned(bench)
    assert view["operations"]["already_applied"] == 4
    assert view["findings"] == []
