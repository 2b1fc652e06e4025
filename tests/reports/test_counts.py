"""Whatever the size of a plan, every view says the same numbers as the plan."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from syncengine.core.plan import PlanSummary, State
from syncengine.reports.html import plan_html
from syncengine.reports.machine import plan_json
from syncengine.reports.markdown import plan_markdown
from syncengine.reports.model import Fold, ViewOptions
from syncengine.reports.text import plan_text
from tests.reports.samples import HEADER, PROVENANCE, operations, summary_of

SIZES = [1, 500, 100_000]


@pytest.fixture(params=SIZES, scope="module")
def size(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def summary(size: int) -> PlanSummary:
    return summary_of(operations(size))


def test_the_model_folds_every_operation_exactly_once(size: int, summary: PlanSummary) -> None:
    folding = Fold(ViewOptions(), keep=10)
    for planned in operations(size):
        folding.add(planned)
    view = folding.view(HEADER, PROVENANCE, summary)
    counts = summary.counts
    assert sum(group.total for group in view.groups) == counts.total == size
    for state in State:
        assert sum(group.states[state] for group in view.groups) == getattr(counts, state.value)
    assert sum(group.irreversible for group in view.groups) == counts.irreversible
    strikes = [strike for group in view.groups for strike in group.strikes.values()]
    assert sum(strike.count for strike in strikes) == counts.irreversible
    assert view.money.payout.new == counts.payout
    assert view.money.revenue.new == counts.revenue
    assert sum(view.unsent.values()) == counts.total - counts.to_send


def test_json_counts_and_lists_every_operation(size: int, summary: PlanSummary) -> None:
    found = json.loads("".join(plan_json(HEADER, PROVENANCE, operations(size), summary, ViewOptions())))
    states = [line["state"] for line in found["lines"]]
    assert len(states) == size == found["operations"].pop("total")
    assert found["operations"] == {state.value: states.count(state.value) for state in State}
    kinds = [line["kind"] for line in found["lines"] if line["state"] == "to_send"]
    assert found["by_kind"] == {kind: kinds.count(kind) for kind in found["by_kind"]}
    assert sum(found["by_kind"].values()) == found["operations"]["to_send"]


def test_text_says_the_counts(size: int, summary: PlanSummary) -> None:
    counts = summary.counts
    lines = list(plan_text(HEADER, PROVENANCE, operations(size), summary, ViewOptions(width=100)))
    text = "\n".join(lines)
    assert f"{counts.to_send:,} operation{'s' * (counts.to_send != 1)} on {counts.leads:,} lead" in text
    assert (f"!! {counts.irreversible:,} IRREVERSIBLE" in text) == bool(counts.irreversible)
    shown = sum(bool(re.match(r"  (!!| ~| \$) (update|trigger|reprocess|financials) lead ", line)) for line in lines)
    if shown < size:
        assert f"{size - shown:,} more operations not shown" in text
    assert len(lines) < 200


def test_markdown_says_the_counts(size: int, summary: PlanSummary) -> None:
    text = plan_markdown(HEADER, PROVENANCE, operations(size), summary, ViewOptions())
    assert f"| total in the plan | {size:,} |" in text
    assert f"| updates | {summary.counts.update:,} |" in text
    shown = len(re.findall(r"^- (?:‼ )?\*\*(?:update|trigger|reprocess|financials)\*\* lead ", text, re.MULTILINE))
    if shown < size:
        assert f"{size - shown:,} more operations not shown" in text
    assert len(text) <= 60_000


def test_html_says_the_counts_and_holds_every_operation(size: int, summary: PlanSummary) -> None:
    counts = summary.counts
    page = "".join(plan_html(HEADER, PROVENANCE, operations(size), summary, ViewOptions()))
    rows = json.loads(page.split('id="rows">')[1].split("</script>")[0])
    names = json.loads(page.split('id="names">')[1].split("</script>")[0])
    assert len(rows) == size
    for index, state in enumerate(State):
        assert names["stateKeys"][index] == state.value
        assert sum(row[4] == index for row in rows) == getattr(counts, state.value)
    body = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", unescape(page.split('id="names">')[1])))
    assert f"{counts.to_send:,} operation{'s' * (counts.to_send != 1)} on {counts.leads:,} lead" in body
    if counts.irreversible:
        assert f"Cannot be taken back {counts.irreversible:,} operations: " in body
    assert f" {counts.update:,} update" in body


def test_a_page_that_cannot_hold_every_row_keeps_the_irreversible_ones_and_says_so() -> None:
    summary = summary_of(operations(500))
    page = "".join(plan_html(HEADER, PROVENANCE, operations(500), summary, ViewOptions(rows=100)))
    rows = json.loads(page.split('id="rows">')[1].split("</script>")[0])
    irreversible = sum(row[2] in (1, 2) for row in rows)
    assert irreversible == 70
    assert len(rows) == 170
    assert "The table lists 170 of 500 operations" in page
