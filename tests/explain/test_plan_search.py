"""`explain` finds one operation in a saved plan without decoding the others, and trusts no plan that was altered."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncengine.core.errors import AlteredPlan
from syncengine.planning import open_plan, search_plan
from tests.crash.bench import Bench

LEADS = 2_000


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """More than one block of lines."""
    with Bench(tmp_path) as bench:
        bench.changeset("many", *({"lead": str(1000 + n), "update": {"c1": f"value {n}"}} for n in range(LEADS)))
        return bench.plan()


def test_a_search_finds_what_reading_the_whole_plan_finds(plan: Path) -> None:
    with open_plan(plan) as saved:
        operations = list(saved.operations())
    assert len(operations) == LEADS
    for wanted in (operations[0], operations[LEADS // 2], operations[-1]):
        for prefix in (wanted.id, wanted.id[:8]):
            with search_plan(plan, prefix) as found:
                assert found.found == [wanted]
    with search_plan(plan, operations[0].id[:2]) as found:
        assert found.found == [each for each in operations if each.id.startswith(operations[0].id[:2])]
    with search_plan(plan, "0" * 40) as found:
        assert found.found == []


@pytest.mark.parametrize("change", [(b'"value 7"', b'"value 8"'), (b'"format":2', b'"format":3'), (b"\n", b"\n\n")])
def test_an_altered_plan_is_refused(plan: Path, change: tuple[bytes, bytes]) -> None:
    content = plan.read_bytes()
    assert change[0] in content
    plan.write_bytes(content.replace(*change, 1))
    with pytest.raises(AlteredPlan):
        search_plan(plan, "0" * 8)


def test_a_plan_that_was_cut_is_refused(plan: Path) -> None:
    content = plan.read_bytes()
    for length in (0, 1, 200, len(content) // 2, len(content) - 1):
        plan.write_bytes(content[:length])
        with pytest.raises(AlteredPlan):
            search_plan(plan, "0" * 8)
