"""Every rule of the policy holds against a plan written by hand, at `apply` and at `submit`.

The rules are found by walking them. A rule without an example here fails the test that asks for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from syncengine.api import Project
from syncengine.core.operations import Kind
from syncengine.core.plan import PlannedOperation
from syncengine.core.settings import Policy
from syncengine.planning import policy as compiled_policy
from syncengine.planning.policy_rules import (
    MOMENT_RULES,
    OPERATION_RULES,
    PACE_RULES,
    PLAN_RULES,
    REPEAT_RULES,
    ActiveRule,
    OperationRule,
    PlanFacts,
    Terms,
)
from tests.crash.bench import Bench
from tests.policy.forgery import claim_policy
from tests.postgres_server import PostgresServer, postgres_server

__all__ = ["postgres_server"]

NOT_RULES = {"lines", "file", "digest", "findings"}
"""`findings` holds rules of its own: tests/findings/test_policy.py has them block plans written by hand."""

REFUSING = (*(setting for rule in (*OPERATION_RULES, *PLAN_RULES) for setting in rule.settings), *REPEAT_RULES,
            *MOMENT_RULES)  # fmt: skip

LENIENT = {"allow_negative": True, "repeat_trigger": "allow", "repeat_reprocess": "allow", "repeat_return": "allow"}
REFUSALS = {(3, "SE631"): "a rule", (3, "SE604"): "a window", (3, "SE605"): "a budget", (3, "SE640"): "approvals"}

UPDATE = {"lead": "1", "update": {"c1": "x"}}
TRIGGER = {"lead": "1", "trigger": ["1053"]}
RETURN = {"lead": "1", "return": {"buyer": "33", "reason": "DNCC"}}
REPROCESS = {"lead": "1", "action": "reprocess"}
MONEY = {"lead": "1", "financials": {"payout": "9.00", "revenue": "9.00"}}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def another_day() -> str:
    """A day of the week that is not today, nor tomorrow, in any time zone."""
    return _DAYS[(datetime.now(UTC).weekday() + 3) % 7]


EXAMPLES: dict[str, tuple[Any, list[dict[str, Any]]]] = {
    "max_payout": ("8.99", [MONEY]),
    "max_revenue": ("8.99", [MONEY]),
    "allow_negative": (False, [{"lead": "1", "financials": {"payout": "-1.00"}}]),
    "max_change_percent": (50, [MONEY]),
    "require_before": (["update"], [UPDATE]),
    "allowed_fields": (["c2"], [UPDATE]),
    "denied_fields": (["c1"], [UPDATE]),
    "allowed_deliveries": (["1054"], [TRIGGER]),
    "deny": ([{"when": "op.kind == 'update' and plan.update > 0", "message": "No"}], [UPDATE]),
    "max_leads": (1, [UPDATE, {"lead": "2", "update": {"c1": "x"}}]),
    "max_irreversible": (0, [TRIGGER]),
    "max_total_payout": ("8.99", [MONEY]),
    "max_total_revenue": ("8.99", [MONEY]),
    "approvals": ({"required": 1, "allowed_signers": "signers", "author_may_approve": True}, [UPDATE]),
    "repeat_trigger": ("block", [TRIGGER]),
    "repeat_reprocess": ("block", [REPROCESS]),
    "repeat_return": ("block", [RETURN]),
    "windows": ([{"days": [another_day()], "from": "09:00", "to": "17:00", "time_zone": "UTC"}], [UPDATE]),
    "budgets": ([{"per": "day", "max_leads": 0}], [UPDATE]),
}
"""A value of the setting, and changes that break it."""


def test_every_setting_of_the_policy_belongs_to_one_rule() -> None:
    settings = [*REFUSING, *PACE_RULES]
    assert len(settings) == len(set(settings))
    assert set(settings) == set(Policy.__struct_fields__) - NOT_RULES


def test_every_rule_has_an_example() -> None:
    assert set(EXAMPLES) == set(REFUSING)


@pytest.fixture
def bench(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Bench]:
    with Bench(tmp_path / "bench", ledger_url=postgres_server.new_database()) as made:
        made.found()
        (made.folder / "signers").write_text("")
        yield made


@pytest.mark.parametrize("setting", REFUSING)
def test_a_plan_written_by_hand_that_breaks_a_rule_is_refused(bench: Bench, setting: str) -> None:
    value, changes = EXAMPLES[setting]
    if setting in REPEAT_RULES:
        assert bench.send("earlier", *changes).code == 0
    observed = bench.folder / "observed.csv"
    observed.write_text("lead,observed_at,payout,revenue\n1,2026-01-01T00:00:00Z,1,1\n")
    bench.configure(policy=LENIENT)
    bench.changeset("later", *changes)
    target = bench.plan("later") if setting == "require_before" else bench.plan("later", observed=observed)
    bench.configure(policy=LENIENT | {setting: value})
    claim_policy(target, Project.open(bench.folder / "syncengine.yaml").settings.policy.digest)
    before = bench.effects
    for command in ("apply", "submit"):
        ended = bench.cli(command, target, "--format", "json")
        assert (ended.code, ended.json["error"]["code"]) in REFUSALS, (command, ended)
    assert bench.effects == before
    assert bench.history("--changeset", "later") == []


@pytest.mark.parametrize("kind", list(Kind))
def test_a_rule_that_is_added_is_judged_again_when_applying(
    bench: Bench, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: PlannedOperation, __: PlanFacts) -> Iterator[str]:
        yield "no such operation"

    def compile_rule(_: Terms) -> Iterator[ActiveRule]:
        yield ActiveRule(kinds=frozenset({kind}), judge=refuse)

    held_back = {"release", "reject"}
    lead = {"quarantined": "7"} if kind.value in held_back else {"lead": "7"}
    done = {
        Kind.UPDATE: {"update": {"c1": "x"}},
        Kind.REPROCESS: {"action": "reprocess"},
        Kind.RETURN: {"return": {"buyer": "33", "reason": "DNCC"}},
        Kind.TRIGGER: {"trigger": ["1053"]},
        Kind.FINANCIALS: {"financials": {"payout": "1.00"}},
        Kind.RELEASE: {"action": "release"},
        Kind.REJECT: {"action": "reject"},
    }[kind]
    bench.changeset("later", lead | done)
    target = bench.plan()
    rules = (*OPERATION_RULES, OperationRule(settings=("added",), compile=compile_rule))
    monkeypatch.setattr(compiled_policy, "OPERATION_RULES", rules)
    ended = bench.apply(target)
    assert ended.code == 3, ended
    assert "no such operation" in ended.json["error"]["message"]
    assert bench.effects == []
