"""What apply, status and history print for people."""

from __future__ import annotations

import msgspec
import pytest

from syncengine.core.results import OperationLine, RunCounts, RunResult, StatusReport, Totals
from syncengine.core.values import LeadId, OperationId
from syncengine.reports.layout import cells
from syncengine.reports.model import ViewOptions
from syncengine.reports.text_results import apply_text, history_text, status_text
from tests.reports.samples import HOSTILE
from tests.reports.test_machine import RESULT, ROW, STATUS


def test_apply_lists_every_trouble_and_says_what_to_do_next() -> None:
    text = "\n".join(apply_text(RESULT, ViewOptions(width=120)))
    for part in ("applied         12", "rejected         1", "in doubt         1", "waits behind a doubt", "timed out"):
        assert part in text
    assert "Stopped: five requests without a readable answer" in text
    assert f"syncengine resolve {RESULT.in_doubt[0].operation[:12]} --as applied|not-applied" in " ".join(text.split())
    assert text.endswith('Commit to syncengine.yaml: id: "01hz@1835"')


def test_apply_says_when_all_is_well_and_when_nothing_was_needed() -> None:
    done = RunResult(run=RESULT.run, plan=RESULT.plan, counts=RunCounts(applied=3), requests=1)
    assert "Done: everything in this plan is applied." in list(apply_text(done, ViewOptions()))
    again = msgspec.structs.replace(done, run=None, counts=RunCounts(already_applied=3), requests=0)
    assert next(apply_text(again, ViewOptions())).startswith("No run was needed")


def test_apply_lists_what_was_answered_but_not_recorded() -> None:
    result = msgspec.structs.replace(RESULT, counts=RunCounts(applied=12))
    text = " ".join(" ".join(apply_text(result, ViewOptions(width=120))).split())
    assert f"Answered, but not recorded 1 operation {RESULT.unrecorded[0].operation[:12]}" in text
    assert "The ledger takes 1 operation for doubts. Repair it, then see: syncengine status." in text


def test_many_troubles_are_counted_not_listed() -> None:
    line = OperationLine(operation=OperationId("1" * 40), lead=LeadId("1"), kind="update")
    many = msgspec.structs.replace(RESULT, rejected=(line,) * 500, counts=RunCounts(rejected=500), in_doubt=())
    text = list(apply_text(many, ViewOptions()))
    assert len(text) < 60
    assert any("480 more" in part for part in text)


def test_status_lists_doubts_and_unfinished_plans() -> None:
    text = " ".join(" ".join(status_text(STATUS, ViewOptions())).split())
    assert "trigger 1053 lead 2932682" in text
    assert "release.plan" in text
    assert "in doubt 1" in text
    clean = StatusReport(ledger_id=None, ledger_url="sqlite:///x", counts=Totals())
    assert list(status_text(clean, ViewOptions()))[-1] == "Nothing is unresolved."


@pytest.mark.parametrize("width", [60, 80, 200])
def test_history_is_a_table_with_the_message_of_whatever_did_not_work(width: int) -> None:
    rows = [ROW, msgspec.structs.replace(ROW, outcome="applied", lead=LeadId("9" * 19))]
    lines = list(history_text(rows, ViewOptions(width=width)))
    assert len(lines) == 4
    assert lines[2].strip() == "in doubt: timed out"
    assert list(history_text([], ViewOptions()))[-1] == "Nothing on record matches."


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_of_the_service_stay_on_their_line(text: str, width: int) -> None:
    options = ViewOptions(width=width)
    line = OperationLine(operation=OperationId("1" * 40), lead=LeadId("1"), kind="update", message=text)
    result = msgspec.structs.replace(
        RESULT, rejected=(line,), stopped=text, not_sent_reasons={text: 4}, warnings=(text,)
    )
    shown = [
        *apply_text(result, options),
        *status_text(msgspec.structs.replace(STATUS, warnings=(text,), contradictions=(text,)), options),
        *history_text([msgspec.structs.replace(ROW, message=text, note=text)], options),
    ]
    assert all(line.isprintable() for line in shown)
    assert max(map(cells, shown)) <= width
