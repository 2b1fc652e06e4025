"""Windows, budgets and the policy's second look, through plan and apply against a sandbox."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncengine.api import Project, apply, load, plan
from syncengine.applying.budgets import period
from syncengine.clock import SystemClock
from syncengine.core.errors import AlteredPlan, PlanBlocked, Refusal
from syncengine.core.plan import PlannedOperation
from syncengine.core.settings import Budget
from syncengine.planning import open_plan
from syncengine.planning.tally import OperationCounter
from syncengine.sandbox import Fault, FaultRule, Match, Script
from tests.approvals.repository import Repository
from tests.cli.console import run


class Wall(SystemClock):
    """A clock on the wall that is set by hand, or moves on whenever somebody looks."""

    def __init__(self, now: str, *, later: str = "", looks: int = 0) -> None:
        self.time = now
        self._later = later
        self._looks = looks

    def now(self) -> str:
        if self._later:
            self._looks -= 1
            if self._looks < 0:
                self.time = self._later
        return f"{self.time}:00.000000Z"


def at(repository: Repository, clock: Wall) -> Project:
    return msgspec.structs.replace(repository.project, clock=clock)


def made(repository: Repository, project: Project, *names: str) -> Path:
    target = repository.folder / "release.plan"
    files = [repository.folder / f"{name}.yaml" for name in names or ("release-one",)]
    plan(load(files, project), project, out=target)
    return target


WINDOWS = 'windows: [{days: [mon, tue, wed, thu, fri], from: "09:00", to: "17:00", time_zone: Europe/London}]\n'


def test_outside_its_window_a_plan_is_made_and_not_applied(repository: Repository) -> None:
    repository.write(WINDOWS)
    saturday = at(repository, Wall("2026-11-21T12:00"))
    target = made(repository, saturday)
    with open_plan(target) as saved:
        assert saved.summary.blocked == ()
        assert saved.summary.notes == (
            "may be applied Mon-Fri 09:00-17:00 Europe/London; "
            "the next window opens Mon 2026-11-23 09:00 Europe/London",
        )
    with pytest.raises(Refusal) as caught:
        apply(target, saturday)
    assert caught.value.exit == 3
    assert "the next window opens Mon 2026-11-23 09:00 Europe/London" in caught.value.message
    assert repository.effects == 0
    assert apply(target, at(repository, Wall("2026-11-23T09:00"))).exit == 0


def test_the_moment_takes_no_part_in_the_digest(repository: Repository) -> None:
    repository.write(WINDOWS)
    digests = set()
    for moment in ("2026-11-21T12:00", "2026-11-23T12:00"):
        with open_plan(made(repository, at(repository, Wall(moment)))) as saved:
            digests.add(saved.summary.digest)
    assert len(digests) == 1


def test_a_run_stops_when_its_window_closes(repository: Repository) -> None:
    changes = "".join(f'- lead: "{lead}"\n  trigger: ["1053"]\n' for lead in range(1, 61))
    repository.write(WINDOWS, changes=changes)
    target = made(repository, at(repository, Wall("2026-11-23T16:59")))
    result = apply(target, at(repository, Wall("2026-11-23T16:59", later="2026-11-23T17:00", looks=12)))
    assert result.exit == 4
    assert "outside the delivery windows" in result.stopped
    assert 0 < result.counts.applied < 60
    assert repository.effects == result.counts.applied
    assert apply(target, at(repository, Wall("2026-11-24T09:00"))).exit == 0
    assert repository.effects == 60


def budget(**rules: Any) -> str:
    inner = ", ".join(f"{name}: {value}" for name, value in {"per": "day", **rules}.items())
    return f"budgets: [{{{inner}, time_zone: Europe/London}}]\n"


def triggers(*leads: int) -> str:
    return "".join(f'- lead: "{lead}"\n  trigger: ["1053"]\n' for lead in leads)


def restated(**payouts: str) -> str:
    return "".join(
        f'- lead: "{lead[1:]}"\n  financials: {{payout: {amount}, revenue: 1.00}}\n' for lead, amount in payouts.items()
    )


MONDAY, LATE, TUESDAY = "2026-11-23T10:00", "2026-11-23T23:59", "2026-11-24T00:00"


def test_a_budget_is_used_up_to_the_last_and_the_rest_waits_for_a_new_day(repository: Repository) -> None:
    repository.write(budget(max_irreversible=3), changes=triggers(1, 2, 3, 4, 5))
    target = made(repository, at(repository, Wall(MONDAY)))
    with open_plan(target) as saved:
        assert saved.summary.blocked == ()
        assert saved.summary.notes == (
            "left this day: 3 of 3 irreversible operations (until Tue 2026-11-24 00:00 Europe/London)",
        )
    result = apply(target, at(repository, Wall(MONDAY)))
    assert (result.exit, result.counts.applied, result.counts.not_sent) == (4, 3, 2)
    assert "the budget of 3 irreversible operations per day leaves 0" in result.stopped
    with pytest.raises(Refusal) as caught:
        apply(target, at(repository, Wall(LATE)))
    assert caught.value.exit == 3
    assert "a new day begins Tue 2026-11-24 00:00 Europe/London" in caught.value.message
    assert repository.effects == 3
    assert apply(target, at(repository, Wall(TUESDAY))).exit == 0
    assert repository.effects == 5


@pytest.mark.parametrize(
    ("rules", "changes", "sent"),
    [
        ({"max_payout": "10.00"}, restated(l1="4.00", l2="6.00", l3="0.01"), 2),
        ({"max_payout": "10.00"}, restated(l1="4.00", l2="6.01", l3="0.01"), 1),
        ({"max_revenue": "2.00"}, restated(l1="4.00", l2="6.00", l3="0.01"), 2),
        ({"max_leads": "2"}, restated(l1="4.00", l2="6.00", l3="0.01"), 2),
        ({"max_leads": "2"}, '- leads: ["1", "2", "3"]\n  update: {c1: x}\n', 2),
        ({"max_leads": "3", "max_irreversible": "1"}, triggers(1, 2), 1),
        ({"max_irreversible": "1"}, '- leads: ["1", "2", "3"]\n  update: {c1: x}\n', 3),
    ],
)
def test_what_budgets_bound(repository: Repository, rules: dict[str, str], changes: str, sent: int) -> None:
    repository.write(budget(**rules), changes=changes)
    monday = at(repository, Wall(MONDAY))
    assert apply(made(repository, monday), monday).counts.applied == sent
    assert repository.effects == sent


def test_budgets_count_doubts_and_other_changesets(repository: Repository) -> None:
    repository.write(budget(max_irreversible=2), changes=triggers(1))
    monday = at(repository, Wall(MONDAY))
    target = made(repository, monday)
    repository.sandbox.set_faults(Script(rules=[FaultRule(match=Match(), fault=Fault(answer="close", effect="none"))]))
    assert apply(target, monday).exit == 5
    repository.sandbox.set_faults(Script(rules=[]))
    repository.changeset(triggers(2, 3), name="release-two")
    target = made(repository, monday, "release-two")
    with open_plan(target) as saved:
        assert "left this day: 1 of 2 irreversible operations" in " ".join(saved.summary.notes)
    assert apply(target, monday).counts.applied == 1


def test_a_new_day_in_mid_run_begins_a_new_budget(repository: Repository) -> None:
    repository.write(budget(max_irreversible=15), changes=triggers(*range(1, 31)))
    target = made(repository, at(repository, Wall(LATE)))
    result = apply(target, at(repository, Wall(LATE, later=TUESDAY, looks=8)))
    assert result.counts.applied > 15
    assert repository.effects == result.counts.applied


def test_an_operation_that_is_sent_again_counts_once(repository: Repository) -> None:
    repository.write(budget(max_payout="5.00"), changes=restated(l1="4.00"))
    monday = at(repository, Wall(MONDAY))
    repository.sandbox.set_faults(
        Script(rules=[FaultRule(match=Match(times=1), fault=Fault(answer="close", effect="all"))])
    )
    assert apply(made(repository, monday), monday).exit == 0
    with monday.view() as ledger:
        assert ledger is not None
        spent = ledger.spent("acme", "2026-11-23T00:00:00.000000Z")
        assert (spent.payout, spent.revenue, spent.irreversible, spent.leads) == (400, 100, 0, 1)
        assert ledger.spent("acme", "2026-11-24T00:00:00.000000Z").payout == 0
        assert ledger.spent("other", "2026-11-23T00:00:00.000000Z").payout == 0


@pytest.mark.parametrize(
    ("per", "zone", "now", "start", "end"),
    [
        ("day", "UTC", "2026-11-23T10:00", "2026-11-23T00:00", "2026-11-24T00:00"),
        ("day", "Europe/London", "2026-07-06T23:30", "2026-07-06T23:00", "2026-07-07T23:00"),
        ("day", "Europe/London", "2026-03-29T12:00", "2026-03-29T00:00", "2026-03-29T23:00"),
        ("day", "Europe/London", "2026-10-25T12:00", "2026-10-24T23:00", "2026-10-26T00:00"),
        ("month", "Europe/London", "2026-03-15T12:00", "2026-03-01T00:00", "2026-03-31T23:00"),
        ("month", "America/New_York", "2027-01-01T03:00", "2026-12-01T05:00", "2027-01-01T05:00"),
        # midnight is skipped in Beirut when its clocks go forward
        ("day", "Asia/Beirut", "2026-03-29T12:00", "2026-03-28T22:00", "2026-03-29T21:00"),
    ],
)
def test_periods(per: Any, zone: str, now: str, start: str, end: str) -> None:
    from datetime import datetime

    found = period(Budget(per=per, max_leads=1, time_zone=zone), datetime.fromisoformat(f"{now}:00+00:00"))
    assert [f"{moment:%Y-%m-%dT%H:%M}" for moment in found] == [start, end]


# The second look: files whose sums are right, and which no planning made.


def forge(path: Path, edit: Callable[[list[Any]], None]) -> None:
    """Change lines of a plan (header, operations, footer), then make both sums right again."""
    lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    edit(lines)
    header, footer = lines[0], lines[-1]
    encoded = [msgspec.json.encode(line) + b"\n" for line in lines[1:-1]]
    digest = hashlib.sha256(msgspec.json.encode(header["header"]) + b"\n" + b"".join(encoded))
    with open_typed(footer) as covered:
        digest.update(covered)
    footer["digest"] = digest.hexdigest()
    footer.pop("checksum")
    body = msgspec.json.encode(header) + b"\n" + b"".join(encoded)
    body += msgspec.json.encode({key: footer[key] for key in ("digest", "covered", "beside")})[:-1] + b',"checksum":"'
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode() + b'"}\n')


class open_typed:  # noqa: N801 - reads like a function
    """The covered part of a footer as the reader encodes it."""

    def __init__(self, footer: Any) -> None:
        from syncengine.planning.planfile import _Covered

        self._data = msgspec.json.encode(msgspec.convert(footer["covered"], _Covered)) + b"\n"

    def __enter__(self) -> bytes:
        return self._data

    def __exit__(self, *_: object) -> None:
        return


def test_a_forgery_that_changes_nothing_is_read(repository: Repository) -> None:
    repository.write("max_leads: 5\n", changes=triggers(1))
    target = repository.plan()
    forge(target, lambda lines: None)
    assert repository.apply(target).exit == 0


def test_lines_that_the_policy_forbids_are_refused_in_a_forged_plan(repository: Repository) -> None:
    repository.write('max_payout: 5.00\nallowed_deliveries: ["1053"]\n', changes=restated(l1="4.00") + triggers(2))
    target = repository.plan()

    def edit(lines: list[Any]) -> None:
        lines[1]["operation"]["payout"] = 900
        lines[2]["operation"]["delivery"] = "1054"
        tally = OperationCounter()
        for line in lines[1:-1]:
            tally.add(msgspec.convert(line, PlannedOperation), new_lead=True)
        lines[-1]["covered"]["counts"] = msgspec.to_builtins(tally.counts())

    forge(target, edit)
    with pytest.raises(PlanBlocked) as caught:
        repository.apply(target)
    assert "max_payout: payout 9.00 is over 5.00" in caught.value.message
    assert [problem.file for problem in caught.value.problems] == ["release-one.yaml"] * 2
    assert repository.effects == 0


@pytest.mark.parametrize("name", ["trigger", "leads", "to_send", "payout", "entries"])
def test_counts_that_the_lines_do_not_bear_out_are_refused(repository: Repository, name: str) -> None:
    repository.write("max_irreversible: 2\n", changes=triggers(1, 2))
    target = repository.plan()

    def edit(lines: list[Any]) -> None:
        lines[-1]["covered"]["counts"][name] = 7

    forge(target, edit)
    with pytest.raises(AlteredPlan, match=rf"does not count what its lines hold \({name}\)"):
        repository.apply(target)
    assert repository.effects == 0


def test_limits_of_the_whole_plan_hold_in_a_forged_plan(repository: Repository) -> None:
    repository.write("max_irreversible: 1\n", changes=triggers(1, 2))
    target = repository.plan()

    def edit(lines: list[Any]) -> None:
        lines[-1]["covered"]["blocked"] = []

    forge(target, edit)
    with pytest.raises(PlanBlocked, match="max_irreversible: 2 irreversible operations would be sent, over 1"):
        repository.apply(target)


def test_a_deny_rule_over_plan_and_operations_from_the_command_line(repository: Repository) -> None:
    rules = (
        "deny: [{when: \"op.kind == 'trigger' and plan.trigger > 1\", message: One at a time},\n"
        '       {when: "op.lead > 2", message: Broken rule}]\n'
    )
    repository.write(rules, changes=triggers(1, 2) + '- lead: "3"\n  update: {c1: x}\n')
    ended = run("plan", "release-one.yaml", "--format", "json", cwd=repository.folder)
    assert ended.code == 3
    shown = ended.json
    assert shown["operations"]["blocked"] == 3
    reasons = [finding["reason"] for finding in shown["blocked"]]
    assert all("deny: Broken rule (the rule failed, with this error: " in reason for reason in reasons)
    assert all("syncengine.yaml:9" in reason for reason in reasons)


def test_an_outside_policy_wins(repository: Repository, tmp_path: Path) -> None:
    repository.write("max_leads: 5\n", changes=triggers(1, 2))
    outside = tmp_path / "strict.yaml"
    outside.write_text("max_leads: 1\n")
    ended = run("plan", "release-one.yaml", "--policy", str(outside), "--format", "json", cwd=repository.folder)
    assert ended.code == 3
    assert "max_leads: 2 leads would be sent, over 1" in ended.json["blocked"][0]["reason"]
    assert "strict.yaml:1" in ended.json["blocked"][0]["reason"]
    assert run("plan", "release-one.yaml", cwd=repository.folder).code == 0


@pytest.mark.parametrize("lead", ["quarantined:1", "quarantined:", "quarantined:01", "q1"])
def test_what_cannot_be_done_with_a_lead_is_refused_in_a_forged_plan(repository: Repository, lead: str) -> None:
    repository.write("max_irreversible: 2\n", changes=triggers(1))
    target = repository.plan()

    def edit(lines: list[Any]) -> None:
        lines[1]["operation"]["lead"] = lead

    forge(target, edit)
    with pytest.raises(AlteredPlan):
        repository.apply(target)
    assert repository.effects == 0
