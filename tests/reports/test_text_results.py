"""What apply, status, history and validate print for people."""

from __future__ import annotations

import msgspec
import pytest

from syncengine.core.errors import InputError, Problem
from syncengine.core.results import Line, RunCounts, RunResult, StatusReport, ValidateResult
from syncengine.core.values import LeadId, OperationId
from syncengine.reports.layout import cells
from syncengine.reports.model import ViewOptions
from syncengine.reports.text_results import apply_text, error_text, history_text, status_text, validate_text
from tests.reports.samples import HOSTILE
from tests.reports.test_machine import PROBLEM, RESULT, ROW, STATUS


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


def test_many_troubles_are_counted_not_listed() -> None:
    line = Line(operation=OperationId("1" * 40), lead=LeadId("1"), kind="update")
    many = msgspec.structs.replace(RESULT, rejected=(line,) * 500, counts=RunCounts(rejected=500), in_doubt=())
    text = list(apply_text(many, ViewOptions()))
    assert len(text) < 60
    assert any("480 more" in part for part in text)


def test_status_lists_doubts_and_unfinished_plans() -> None:
    text = " ".join(" ".join(status_text(STATUS, ViewOptions())).split())
    assert "trigger 1053 lead 2932682" in text
    assert "release.plan" in text
    assert "in doubt 1" in text
    clean = StatusReport(ledger_id=None, ledger_url="sqlite:///x", counts={})
    assert list(status_text(clean, ViewOptions()))[-1] == "Nothing stands open."


@pytest.mark.parametrize("width", [60, 80, 200])
def test_history_is_a_table_with_the_message_of_whatever_did_not_work(width: int) -> None:
    rows = [ROW, msgspec.structs.replace(ROW, outcome="applied", lead=LeadId("9" * 19))]
    lines = list(history_text(rows, ViewOptions(width=width)))
    assert len(lines) == 4
    assert lines[2].strip() == "in doubt: timed out"
    assert list(history_text([], ViewOptions()))[-1] == "Nothing on record matches."


def test_a_problem_shows_place_line_caret_and_hint() -> None:
    problem = msgspec.structs.replace(PROBLEM, excerpt="    updat: {postcode: x}")
    lines = list(validate_text(ValidateResult(changesets=1, problems=(problem,), more={"SE201": 3}), ViewOptions()))
    assert lines[:4] == [
        "specs/a.yaml:3:5: error SE201: unknown key",
        "  |     updat: {postcode: x}",
        "  |     ^",
        "  hint: did you mean lead?",
    ]
    assert "… and 3 more of SE201" in lines
    assert lines[-1] == "x  4 errors; nothing was sent"


def test_the_caret_stands_below_its_character_in_long_and_wide_lines() -> None:
    excerpt = "名前: " + "x" * 300 + "HERE" + "y" * 50
    problem = Problem(code="SE101", message="m", file="f", line=1, column=305, excerpt=excerpt)
    _, line, caret, *_ = validate_text(ValidateResult(changesets=1, problems=(problem,)), ViewOptions(width=80))
    assert line[caret.index("^") :].startswith("HERE")
    wide = msgspec.structs.replace(problem, excerpt="名前: HERE", column=5)
    _, line, caret, *_ = validate_text(ValidateResult(changesets=1, problems=(wide,)), ViewOptions(width=80))
    assert cells(line[: line.index("HERE")]) == caret.index("^")


def test_a_valid_changeset_says_how_much_it_declares() -> None:
    result = ValidateResult(changesets=2, operations=5, leads=4)
    assert list(validate_text(result, ViewOptions())) == ["ok Valid: 2 changesets, 5 operations on 4 leads"]


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_of_the_service_stay_on_their_line(text: str, width: int) -> None:
    options = ViewOptions(width=width)
    line = Line(operation=OperationId("1" * 40), lead=LeadId("1"), kind="update", message=text)
    problem = Problem(code="SE300", message=text, file=text, hint=text, excerpt=text, column=3, line=1)
    result = msgspec.structs.replace(
        RESULT, rejected=(line,), stopped=text, not_sent_reasons={text: 4}, warnings=(text,)
    )
    shown = [
        *apply_text(result, options),
        *status_text(msgspec.structs.replace(STATUS, warnings=(text,), contradictions=(text,)), options),
        *history_text([msgspec.structs.replace(ROW, message=text, note=text)], options),
        *validate_text(ValidateResult(changesets=1, problems=(problem,)), options),
        *error_text(InputError(text, hint=text, problems=[problem]), options),
    ]
    assert all(line.isprintable() for line in shown)
    assert max(map(cells, shown)) <= width
