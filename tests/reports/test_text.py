"""The terminal view at every width, with and without colour, small and folded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from syncengine.core.finding import Finding
from syncengine.core.operations import Financials, Trigger, Update
from syncengine.core.plan import Before, MadeFrom, State
from syncengine.core.values import BuyerId, Cents, DeliveryId
from syncengine.reports.facts import ApprovalsSoFar, LeftOut
from syncengine.reports.layout import cells
from syncengine.reports.model import ViewOptions
from syncengine.reports.text import plan_text
from tests.reports.samples import (
    BLOCKED,
    FINDINGS,
    HEADER,
    HOSTILE_PROVENANCE,
    NO_LEDGER,
    PROVENANCE,
    WARNINGS,
    hostile_operations,
    hostile_summary,
    lead,
    operations,
    planned,
    summary_of,
)

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def view(leads: int, **options: int) -> list[str]:
    summary = summary_of(operations(leads), warnings=WARNINGS, blocked=BLOCKED)
    return list(plan_text(HEADER, NO_LEDGER, operations(leads), summary, ViewOptions(**options)))


@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("leads", [20, 500])
def test_no_line_is_wider_than_the_terminal(width: int, leads: int) -> None:
    lines = view(leads, width=width)
    assert max(map(cells, lines)) <= width
    assert max(map(cells, lines)) > width // 2


@pytest.mark.parametrize("width", [60, 133, 200])
def test_hostile_text_neither_widens_nor_escapes(width: int) -> None:
    options = ViewOptions(width=width, show_values=True, detail=100)
    lines = list(plan_text(HEADER, HOSTILE_PROVENANCE, hostile_operations(), hostile_summary(), options))
    assert all(line.isprintable() for line in lines)
    assert max(map(cells, lines)) <= width


def test_colour_only_repeats_what_the_words_say() -> None:
    plain = view(500, width=80)
    coloured = view(500, width=80, colour=True)
    assert [ESCAPE.sub("", line) for line in coloured] == plain
    assert "".join(coloured).count("\x1b[1;31m") > 10


def with_findings(leads: int, findings: Sequence[Finding], **options: Any) -> list[str]:
    summary = msgspec.structs.replace(summary_of(operations(leads), blocked=BLOCKED), findings=tuple(findings))
    return list(plan_text(HEADER, NO_LEDGER, operations(leads), summary, ViewOptions(**options)))


@pytest.mark.parametrize("width", [80, 200])
def test_the_first_screen_holds_verdict_twelve_findings_irreversible_and_money(width: int) -> None:
    lines = with_findings(500, FINDINGS, width=width)
    top = "\n".join(lines[:40])
    for finding in FINDINGS:
        assert f"buyer 34 for only {finding.count} of 5,000" in top
        assert f"data/uplift.csv:{finding.evidence[0].line}" in top
    marks = ["LEDGER", "BLOCKED by 2 rules", "Plan 3f2a", "x BLOCKED max_irreversible", "!! high", "!  medium",
             "   info", "IRREVERSIBLE", "trigger delivery 1053", "Money", "payout", "revenue", "margin"]  # fmt: skip
    places = [top.index(mark) for mark in marks]
    assert places == sorted(places)
    assert lines[-1] == "BLOCKED by 2 rules"


def test_a_short_screen_shows_the_verdict_and_findings_first() -> None:
    lines = with_findings(500, FINDINGS, width=80)
    assert sum("data/uplift.csv:" in line for line in lines[:24]) >= 8


def test_a_hundred_thousand_findings_stay_readable() -> None:
    lines = with_findings(500, FINDINGS * 8_000, width=80)
    assert "… and 95,988 more findings, listed below" in "\n".join(lines[:40])
    assert "Money" in "\n".join(lines[:40])
    assert "… and 95,900 more findings; --format json has them" in "\n".join(lines)
    assert len(lines) < 500


def test_operations_with_findings_come_first_with_names_beside_ids() -> None:
    named = {("buyer", "33"): "northwind", ("delivery", "1053"): "resale"}
    lines = with_findings(500, FINDINGS, width=120, names=named)
    first = lines[next(n for n, line in enumerate(lines) if line.startswith("Operations")) + 1]
    assert first.startswith(f"   $ financials lead {lead(7)}")
    text = "\n".join(lines)
    assert "buyer unknown → 33 northwind" in text
    assert "trigger delivery 1053 resale" in text


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [(FINDINGS, "10 things to look at"), (FINDINGS[:1], "1 thing to look at"), (FINDINGS[-2:], "Nothing stands out")],
)
def test_the_verdict_is_first_and_last(findings: Sequence[Finding], verdict: str) -> None:
    lines = [planned(Update(lead(0), {"c1": "x"}))]
    summary = msgspec.structs.replace(summary_of(iter(lines)), findings=tuple(findings))
    shown = list(plan_text(HEADER, PROVENANCE, lines, summary, ViewOptions()))
    assert shown[0] == f"{verdict} · 1 operation on 1 lead to send"
    assert shown[-1] == verdict


def test_money_is_on_one_base_and_negative_numbers_are_marked() -> None:
    known = {"payout": Before("ledger", "70.00", "a"), "revenue": Before("ledger", "110.00", "a")}
    lines = [
        planned(Financials(lead(0), Cents(12000), Cents(8000)), before=known),
        planned(Financials(lead(1), Cents(100), None)),
    ]
    text = "\n".join(plan_text(HEADER, PROVENANCE, lines, summary_of(iter(lines)), ViewOptions()))
    assert "Money over 1 lead with all amounts known; 1 more with unknown ones" in text
    assert re.search(r"payout +70\.00 +120\.00 +\+50\.00 +\+71\.4 %", text)
    assert re.search(r"margin +40\.00 +-40\.00 ! +-80\.00 ! +-200\.0 %", text)


def test_approvals_and_the_commit_are_said() -> None:
    made = MadeFrom(commit="0123456789" * 4, branch="uplift", differ=("data/a.csv",), differing=1)
    approvals = ApprovalsSoFar(
        needed=2, given=("anna@example.com",), left_out=(LeftOut("bob@example.com", "wrote it"),)
    )
    provenance = msgspec.structs.replace(PROVENANCE, made_from=made)
    options = ViewOptions(width=200, approvals=approvals)
    text = "\n".join(plan_text(HEADER, provenance, (), summary_of(iter(())), options))
    assert "commit 012345678901 on branch uplift; 1 file differs from it: data/a.csv" in text
    assert "approvals: 1 of 2 given: anna@example.com; not counted: bob@example.com (wrote it)" in text


def test_irreversible_operations_come_before_all_others() -> None:
    lines = view(20, width=120)
    at = lines.index("Operations")
    kinds = [match[1] for line in lines[at:] if (match := re.match(r"  (!!| ~| \$) ", line))]
    assert kinds == sorted(kinds, key=lambda symbol: symbol != "!!")
    assert kinds.count("!!") == 3


def test_a_small_plan_shows_before_after_and_origin() -> None:
    lines = [
        planned(Update(lead(0), {"postcode": "TN25 6QD"}), before={"postcode": Before("ledger", "TN25 6QX", "launch")}),
        planned(
            Financials(lead(0), Cents(8000), Cents(12000), BuyerId("33")),
            before={"payout": Before("observed", "70.00", "2026-11-20"), "revenue": Before("ledger", None, "launch")},
        ),
        planned(Trigger(lead(1), DeliveryId("1053")), done=("run-3",)),
        planned(Update(lead(2), {"c1": "x"}), state=State.BLOCKED, reason="expected another value"),
    ]
    text = "\n".join(plan_text(HEADER, PROVENANCE, lines, summary_of(iter(lines)), ViewOptions(width=120)))
    assert "postcode T•••••QX → T•••••QD  ledger: launch" in text
    assert "payout 70.00 → 80.00 (+10.00)  observed 2026-11-20" in text
    assert "revenue unknown → 120.00  ledger: launch, kept as a digest" in text
    assert "!! trigger lead 2932683 delivery 1053 IRREVERSIBLE" in text
    assert "done before, by run-3" in text
    assert "[blocked]" in text
    assert "This plan is blocked: apply refuses it." in text
    assert "TN25" not in text


def test_times_are_short_and_tell_their_zone() -> None:
    seen = Before("observed", "TN25 6QX", "2026-11-20T18:00:00.000000Z")
    lines = [planned(Update(lead(0), {"postcode": "TN25 6QD"}), before={"postcode": seen})]
    text = "\n".join(plan_text(HEADER, PROVENANCE, lines, summary_of(iter(lines)), ViewOptions(width=120)))
    assert "T•••••QX → T•••••QD  observed 2026-11-20T18:00:00Z" in text
    assert "made 2026-11-23T14:02 UTC" in text


def test_reasons_that_are_not_listed_are_counted() -> None:
    lines = [
        planned(Update(lead(n), {"c1": "x"}), state=State.BLOCKED, reason=f"expected another value {n}")
        for n in range(5)
    ]
    text = "\n".join(plan_text(HEADER, PROVENANCE, lines, summary_of(iter(lines)), ViewOptions(width=120)))
    assert "… and 2 more reasons" in text


def test_identical_diffs_are_folded_and_values_shown_only_on_purpose() -> None:
    lines = [planned(Update(lead(n), {"c1": "GoogleAdWords", "postcode": f"AB{n} 9ZZ"})) for n in range(412)]
    summary = summary_of(iter(lines))
    masked = "\n".join(plan_text(HEADER, PROVENANCE, lines, summary, ViewOptions(width=100)))
    assert "postcode: 412 leads, more than 24 different values" in masked
    assert "c1: 412 leads, unknown → G••••••••••ds" in masked
    public = ViewOptions(width=100, public_fields=frozenset({"c1"}))
    assert "c1: 412 leads, unknown → GoogleAdWords" in "\n".join(plan_text(HEADER, PROVENANCE, lines, summary, public))
    shown = "\n".join(plan_text(HEADER, PROVENANCE, lines, summary, ViewOptions(width=100, show_values=True)))
    assert "postcode unknown → AB0 9ZZ" in shown


def test_an_empty_plan_says_that_there_is_nothing_to_send() -> None:
    assert list(plan_text(HEADER, PROVENANCE, (), summary_of(iter(())), ViewOptions()))[-1] == "Nothing to send"


def test_many_changes_stay_bounded() -> None:
    lines = [planned(Update(lead(n), {"c1": "x"}), change=f"#{n}", line=n + 1) for n in range(3000)]
    text = list(plan_text(HEADER, PROVENANCE, lines, summary_of(iter(lines)), ViewOptions()))
    assert len(text) < 250
    assert any("3,000 changes" in line for line in text)
