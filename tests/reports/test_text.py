"""The terminal view at every width, with and without colour, small and folded."""

from __future__ import annotations

import re

import pytest

from syncengine.core.operations import Financials, Trigger, Update
from syncengine.core.plan import Before, State
from syncengine.core.values import BuyerId, Cents, DeliveryId
from syncengine.reports.layout import cells
from syncengine.reports.model import ViewOptions
from syncengine.reports.text import plan_text
from tests.reports.samples import (
    BLOCKED,
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


@pytest.mark.parametrize("width", [80, 200])
def test_the_first_forty_lines_hold_the_note_the_findings_and_all_of_attention(width: int) -> None:
    top = " ".join(" ".join(view(500, width=width)[:40]).split())
    for text in (NO_LEDGER.ledger_note, *WARNINGS, *(finding.reason for finding in BLOCKED)):
        assert text in top
    assert top.index("LEDGER") < top.index("Plan ") < top.index("BLOCKED") < top.index("Attention")


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
    assert list(plan_text(HEADER, PROVENANCE, (), summary_of(iter(())), ViewOptions()))[-1] == "Nothing to send."


def test_many_changes_stay_bounded() -> None:
    lines = [planned(Update(lead(n), {"c1": "x"}), change=f"#{n}", line=n + 1) for n in range(3000)]
    text = list(plan_text(HEADER, PROVENANCE, lines, summary_of(iter(lines)), ViewOptions()))
    assert len(text) < 250
    assert any("3,000 changes" in line for line in text)
