"""Rules about money, on both sides of their thresholds, and on ordinary data where they are silent."""

from __future__ import annotations

import pytest
from msgspec import structs

from syncengine.core.plan import PlannedOperation, State
from syncengine.findings.amount_scale import AmountScaleOnRecord
from tests.findings.lines import found, money, told

KNOWN = {"payout": "80.00", "revenue": "120.00"}
TIERS = [{"payout": "80.00", "revenue": "140.00"}, {"payout": "100.00", "revenue": "140.00"}]


def ordinary(count: int = 20) -> list[PlannedOperation]:
    """Amounts in two tiers, close to what they were, with one buyer."""
    return [
        money(1001 + n, 8100 + 2000 * (n % 2), 14000, "33", before=TIERS[n % 2] | {"buyer": "33"}) for n in range(count)
    ]


def test_nothing_is_found_in_ordinary_amounts() -> None:
    assert found(ordinary()) == []


# negative-margin


@pytest.mark.parametrize(
    ("payout", "revenue", "before", "expected"),
    [
        (8000, 8000, KNOWN, []),
        (8001, 8000, KNOWN, [("high", 1)]),
        (8001, 8000, {}, [("high", 1)]),
        (13000, 12000, {"payout": "140.00", "revenue": "120.00"}, []),  # below zero, but less than before
        (15000, 12000, {"payout": "140.00", "revenue": "120.00"}, [("high", 1)]),
        (12001, None, KNOWN, [("high", 1)]),
        (12000, None, KNOWN, []),
        (12001, None, {"payout": "80.00"}, []),  # the revenue is unknown
        (None, 7999, KNOWN, [("high", 1)]),
        (None, 8000, KNOWN, []),
    ],
)
def test_negative_margin(
    payout: int | None, revenue: int | None, before: dict[str, str], expected: list[tuple[str, int]]
) -> None:
    lines = [money(1001, payout, revenue, before=before)]
    assert [each for each in told(lines, "negative-margin") if each[0] == "high"] == expected


def test_a_margin_takes_the_other_amount_from_another_operation_of_the_plan() -> None:
    payouts = [money(lead, 9000, before=KNOWN) for lead in (1001, 1002)]
    revenues = [money(1002, None, 8900, before=KNOWN, change="#2", id="revenue-1002")]
    (finding,) = [each for each in found([*payouts, *revenues]) if each.severity == "high" and each.change == "#1"]
    assert (finding.rule, finding.leads) == ("negative-margin", ("1002",))
    assert (finding.evidence[0].before, finding.evidence[0].after) == ("40.00", "-1.00")


@pytest.mark.parametrize(("after", "expected"), [(8800, []), (8801, [("medium", 1)])])
def test_the_plans_margin_falls(after: int, expected: list[tuple[str, int]]) -> None:
    assert told([money(1001, after, 12000, before=KNOWN)], "negative-margin") == expected


# amount-scale


@pytest.mark.parametrize(
    ("factor", "expected"),
    [(2.99, []), (3, [("medium", 5)]), (9.99, [("medium", 5)]), (10, [("high", 5)]), (1 / 10, [("high", 5)])],
)
def test_amount_scale(factor: float, expected: list[tuple[str, int]]) -> None:
    lines = [money(1001 + n, round(8000 * factor), before={"payout": "80.00"}) for n in range(5)]
    assert told(lines, "amount-scale") == expected


@pytest.mark.parametrize(("scaled", "expected"), [(3, [("high", 3)]), (2, [])])
def test_the_median_of_five_decides(scaled: int, expected: list[tuple[str, int]]) -> None:
    lines = [money(1001 + n, 800000 if n < scaled else 8000, before={"payout": "80.00"}) for n in range(5)]
    assert told(lines, "amount-scale") == expected


def test_with_an_even_number_the_two_in_the_middle_decide() -> None:
    def scaled(low: int) -> list[tuple[str, int]]:
        amounts = [8000, 8000, low, 800000, 800000, 800000]
        return told([money(1001 + n, a, before={"payout": "80.00"}) for n, a in enumerate(amounts)], "amount-scale")

    assert scaled(8000) == [("high", 3)]  # (1 + 100) / 2
    lines = [8000, 8000, 8000, 8000, 40000, 40000, 40000, 40000]
    assert told([money(1001 + n, a, before={"payout": "80.00"}) for n, a in enumerate(lines)], "amount-scale") == [
        ("medium", 4)
    ]


def test_zeros_and_four_known_amounts_are_no_scale() -> None:
    lines = [money(1001 + n, 800000, before={"payout": "80.00" if n < 4 else "0.00"}) for n in range(9)]
    assert told(lines, "amount-scale") == []


@pytest.mark.parametrize(("amount", "expected"), [(80000, [("high", 2)]), (24000, [("medium", 2)]), (23900, [])])
def test_few_amounts_are_compared_with_those_on_record(amount: int, expected: list[tuple[str, int]]) -> None:
    rule = AmountScaleOnRecord({"payout": 16000})
    lines = [money(1001, amount), money(1002, amount)]
    assert told(lines, "amount-scale", rules=[rule]) == expected


def test_pence_are_named() -> None:
    (finding,) = found([money(1001 + n, 800000, before={"payout": "80.00"}) for n in range(150)])
    assert finding.message.startswith("150 payouts are 100 times what they were")
    assert "pence?" in finding.message


# amount-outlier


@pytest.mark.parametrize(
    ("amount", "expected"), [(40000, []), (40001, [("high", 1)]), (1600, []), (1599, [("high", 1)]), (0, [])]
)
def test_amount_outlier(amount: int, expected: list[tuple[str, int]]) -> None:
    lines = [money(1001 + n, 8000 if n else amount) for n in range(40)]
    assert told(lines, "amount-outlier") == expected


@pytest.mark.parametrize(("count", "expected"), [(40, [("info", 2)]), (41, [("high", 2)]), (9, [])])
def test_many_far_amounts_are_a_tier(count: int, expected: list[tuple[str, int]]) -> None:
    lines = [money(1001 + n, 90000 if n < 2 else 8000) for n in range(count)]
    assert told(lines, "amount-outlier") == expected


def test_the_far_amounts_are_the_evidence_wherever_they_stand() -> None:
    lines = [money(1001 + n, 90000 if n in (7, 4321) else 8000 + n % 100) for n in range(5000)]
    (finding,) = found(lines)
    assert finding.leads == ("1008", "5322")
    assert (finding.evidence[0].file, finding.evidence[0].line, finding.evidence[0].row) == (
        "data/rows.csv",
        1009,
        1008,
    )


def test_amounts_that_stay_as_they_are_measure_the_others_and_are_not_told() -> None:
    def plan(stays: int) -> list[PlannedOperation]:
        lines = [money(1001 + n, 8000, 13000, before=KNOWN, send=("revenue",)) for n in range(40)]
        far = [money(2001 + n, 80000, 130000, before=KNOWN | {"payout": "800.00"}, send=()) for n in range(stays)]
        return [*lines, money(1999, 80000, 130000, before=KNOWN), *[structs.replace(x, send=("revenue",)) for x in far]]

    payouts = [each for each in found(plan(0)) if each.rule == "amount-outlier" and "payout" in each.message]
    assert [(each.severity, each.leads) for each in payouts] == [("high", ("1999",))]
    payouts = [each for each in found(plan(2)) if each.rule == "amount-outlier" and "payout" in each.message]
    assert [(each.severity, each.leads) for each in payouts] == [("info", ("1999",))]


def test_known_amounts_that_stay_keep_a_change_from_the_record() -> None:
    rule = AmountScaleOnRecord({"payout": 1600})
    lines = [money(1001 + n, 8000, 13000, before=KNOWN, send=("revenue",)) for n in range(5)]
    assert told([*lines, money(1009, 8000)], "amount-scale", rules=[rule]) == []
    assert told([*lines[1:], money(1009, 8000)], "amount-scale", rules=[rule]) == [("high", 1)]


# swapped-amounts


def test_what_swapped_amounts_tell_is_no_fall_of_the_margin() -> None:
    lines = [money(1001 + n, 8000, 12000, before=KNOWN) for n in range(9)]
    swapped = money(1010, 90000, 80000, before={"payout": "800.00", "revenue": "900.00"})
    assert told([*lines, swapped], "negative-margin") == []
    assert told([*lines, swapped], "swapped-amounts") == [("high", 1)]
    falling = [money(2001 + n, 11000, 12000, before=KNOWN) for n in range(9)]
    (finding,) = [each for each in found([*falling, swapped]) if each.rule == "negative-margin"]
    assert (finding.severity, finding.count) == ("medium", 9)
    assert "without 1 operation whose amounts look swapped" in finding.message


def test_payout_and_revenue_that_change_places() -> None:
    lines = [*ordinary(20), money(2001, 12000, 11000, "33", before={"payout": "110.00", "revenue": "120.00"})]
    assert told(lines, "swapped-amounts") == [("high", 1)]
    assert told(lines, "negative-margin") == []


@pytest.mark.parametrize(("above", "expected"), [(1, [("high", 1)]), (2, [])])
def test_payouts_above_revenue_are_slips_where_they_are_rare(above: int, expected: list[tuple[str, int]]) -> None:
    lines = [money(1001 + n, 13000 if n < above else 8000, 12000) for n in range(10)]
    assert told(lines, "swapped-amounts") == expected
    assert told(lines, "negative-margin") == ([] if expected else [("high", 2)])


def test_nine_amounts_are_too_few_for_slips() -> None:
    lines = [money(1001 + n, 13000 if n < 1 else 8000, 12000) for n in range(9)]
    assert told(lines, "swapped-amounts") == []
    assert told(lines, "negative-margin") == [("high", 1)]


# buyers


@pytest.mark.parametrize(("changed", "expected"), [(0, []), (1, [("medium", 1)]), (2, [])])
def test_buyer_changed(changed: int, expected: list[tuple[str, int]]) -> None:
    lines = [money(1001 + n, 8000, buyer="34" if n < changed else "33", before={"buyer": "33"}) for n in range(10)]
    assert told(lines, "buyer-changed") == expected


@pytest.mark.parametrize(
    ("total", "rare", "expected"),
    [(200, 3, [("medium", 3)]), (200, 4, []), (150, 3, []), (151, 3, [("medium", 3)])],
)
def test_rare_target(total: int, rare: int, expected: list[tuple[str, int]]) -> None:
    lines = [money(1001 + n, 8000, buyer="41" if n < rare else "33") for n in range(total)]
    assert told(lines, "rare-target") == expected


def test_many_rare_targets_are_one_line() -> None:
    lines = [money(1001 + n, 8000, buyer=str(n) if n < 4 else "33") for n in range(500)]
    assert told(lines, "rare-target") == [("info", 4)]


def test_what_is_settled_is_not_looked_at() -> None:
    lines = [money(1001, 13000, 12000, state=state) for state in State]
    assert told(lines, "negative-margin") == [("high", 3)]
