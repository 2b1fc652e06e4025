"""Rules about rows, leads, targets and fields, on both sides of their thresholds."""

from __future__ import annotations

from typing import Any

import pytest

from syncengine.core.changes import ChangeFacts
from syncengine.core.operations import Return
from syncengine.core.plan import PlannedOperation, State
from syncengine.core.values import BuyerId, ChangesetId, LeadId
from syncengine.findings.field_unknown import FieldUnknown
from syncengine.findings.fold import FindingsFold
from syncengine.findings.lead_unknown import LeadUnknown
from syncengine.findings.rows_taken import rows_taken
from syncengine.findings.unknown_target import UnknownTarget
from tests.findings.lines import column, found, line, money, reprocess, told, trigger, update


def shifted(count: int, by: int = -1, total: int = 10) -> list[PlannedOperation]:
    """`count` of `total` rows get the value before of their neighbour; the others a new one."""
    lines = []
    for n in range(total):
        after = f"P{n + by}" if 1 <= n <= count else f"new {n}"
        lines.append(update(1001 + n, {"postcode": after}, before={"postcode": f"P{n}"}))
    return lines


@pytest.mark.parametrize(("count", "expected"), [(2, []), (3, [("high", 3)]), (8, [("high", 8)])])
@pytest.mark.parametrize("by", [-1, 1])
def test_shifted_rows(count: int, expected: list[tuple[str, int]], by: int) -> None:
    assert told(shifted(count, by), "shifted-rows") == expected


def test_values_that_many_rows_had_are_no_shift() -> None:
    lines = [update(1001 + n, {"c1": "Google"}, before={"c1": "Google" if n % 2 else "Bing"}) for n in range(10)]
    assert told(lines, "shifted-rows") == []


def test_rows_that_change_places_are_no_shift() -> None:
    lines = [update(1001 + n, {"c1": f"P{n ^ 1}"}, before={"c1": f"P{n}"}) for n in range(8)]
    assert told(lines, "shifted-rows") == []


def test_neighbours_that_stay_as_they_are_count_as_rows() -> None:
    def plan(by: int) -> list[PlannedOperation]:
        lines = []
        for n in range(10):
            moves = 3 <= n <= 5
            state = {} if moves else {"state": State.UNCHANGED, "send": ()}
            value = {"postcode": f"P{n + by if moves else n}"}
            lines.append(update(1001 + n, value, before={"postcode": f"P{n}"}, **state))
        return lines

    for by, way in ((-1, "above"), (1, "below")):
        (finding,) = found(plan(by))
        assert (finding.rule, finding.leads) == ("shifted-rows", ("1004", "1005", "1006"))
        assert f"what the row {way} had" in finding.message


def test_other_operations_of_a_lead_may_stand_between_rows() -> None:
    lines = [each for n, row in enumerate(shifted(3)) for each in (row, trigger(1001 + n, "1053"))]
    assert told(lines, "shifted-rows") == [("high", 3)]


BEFORE = {"firstname": "Joe", "lastname": "Blogs"}


def test_values_that_change_places() -> None:
    lines = [update(1001, {"firstname": "Blogs", "lastname": "Joe"}, before=BEFORE)]
    assert told(lines, "swapped-values") == [("high", 1)]
    assert told([update(1001, {"firstname": "Jo", "lastname": "Joe"}, before=BEFORE)], "swapped-values") == []


def test_values_that_change_places_beside_an_equal_one() -> None:
    before = {"phone1": "1", "phone2": "2", "phone3": "2"}
    line_of = update(1001, {"phone1": "2", "phone2": "2", "phone3": "1"}, before=before)
    (finding,) = found([line_of])
    assert (finding.severity, finding.rule) == ("high", "swapped-values")
    assert "phone1 and phone3 change places" in finding.message


@pytest.mark.parametrize(("taken", "total", "expected"), [(2, 9, []), (3, 7, [("medium", 3)]), (3, 6, [])])
def test_values_of_another_field(taken: int, total: int, expected: list[tuple[str, int]]) -> None:
    lines = [
        update(1001 + n, {"firstname": "Blogs" if n < taken else "Jo", "lastname": "Bloggs"}, before=BEFORE)
        for n in range(total)
    ]
    assert told(lines, "swapped-values") == expected


def test_done_before() -> None:
    lines = [trigger(1001, "1053", done=("run-1",)), trigger(1002, "1053")]
    assert told(lines, "done-before") == [("high", 1)]
    assert told([trigger(1001, "1053", 2, done=("run-1",))], "done-before") == [("medium", 1)]
    assert told([reprocess(1001)], "done-before") == []


@pytest.mark.parametrize(("short", "total", "expected"), [(1, 21, [("medium", 1)]), (1, 20, []), (0, 30, [])])
def test_lead_range(short: int, total: int, expected: list[tuple[str, int]]) -> None:
    lines = [update(100 + n if n < short else 1001 + n, {"c1": "x"}) for n in range(total)]
    assert told(lines, "lead-range") == expected


def two_changes(first: int, second: int, shared: int) -> list[PlannedOperation]:
    one = [update(1001 + n, {"c1": "x"}) for n in range(first)]
    return [*one, *(trigger(1001 + first - shared + n, "1053", change="#2") for n in range(second))]


@pytest.mark.parametrize(
    ("shared", "expected"), [(0, []), (1, [("medium", 1)]), (19, [("medium", 19)]), (20, [("info", 20)])]
)
def test_shared_lead(shared: int, expected: list[tuple[str, int]]) -> None:
    assert told(two_changes(300, 100, shared), "shared-lead") == expected


def test_a_shared_lead_names_the_changeset_where_both_changes_are_of_it() -> None:
    (finding,) = found(two_changes(300, 100, 1))
    assert (finding.changeset, finding.change) == ("repair", None)
    lines = [*column(["x"] * 100), *column(["x"] * 100, changeset="resale")[:1]]
    lines += [update(5001 + n, {"c1": "x"}, changeset="resale") for n in range(99)]
    (finding,) = found(lines)
    assert (finding.rule, finding.changeset) == ("shared-lead", None)


def test_every_pair_of_changes_is_compared() -> None:
    def change(name: str, leads: range) -> list[PlannedOperation]:
        return [update(lead, {f"c{name}": "x"}, change=name) for lead in leads]

    first, second, third = (
        change("1", range(1000, 1500)),
        change("2", range(1000, 1100)),
        change("3", range(1097, 1197)),
    )
    findings = [each for each in found([*first, *second, *third]) if each.rule == "shared-lead"]
    assert [(each.severity, each.count) for each in findings] == [("medium", 3), ("info", 197)]
    assert "change 2 of repair and in change 3 of repair" in findings[0].message
    assert findings[0].leads == ("1097", "1098", "1099")
    assert len(findings[1].leads) == 10


@pytest.mark.parametrize(("unknown", "total", "expected"), [(0, 40, []), (2, 40, [("high", 2)]), (3, 40, [])])
def test_lead_unknown(unknown: int, total: int, expected: list[tuple[str, int]]) -> None:
    rule = LeadUnknown(lambda lead: int(lead) > 1000 + unknown)
    fold = FindingsFold(more=[rule], new_lead=rule.meet)
    for planned in column(["x"] * total):
        fold.see(planned)
    assert [(each.severity, each.count) for each in fold.finish({})["covered"]] == expected


@pytest.mark.parametrize(
    ("declared", "recorded", "expected"),
    [
        ({"postcode"}, (), ["did you mean postcode"]),
        ({"postcdoe"}, (), []),
        ((), {"postcode"}, ["did you mean postcode"]),
        ((), {"firstname"}, []),
        ({"firstname"}, (), ["unknown to the lead schema"]),
        ((), (), []),
    ],
)
def test_field_unknown(declared: set[str], recorded: set[str], expected: list[str]) -> None:
    findings = found(column(["x"], field="postcdoe"), rules=[FieldUnknown(declared, lambda: recorded)])
    assert len(findings) == len(expected)
    assert all(words in finding.message for words, finding in zip(expected, findings, strict=True))


def test_what_the_record_alone_decides_is_not_covered() -> None:
    for known, basis in (({"postcode"}, "covered"), (set(), "recorded")):
        fold = FindingsFold(more=[FieldUnknown(known, lambda: {"postcode"})])
        fold.see(column(["x"], field="postcdoe")[0])
        assert [name for name, findings in fold.finish({}).items() if findings] == [basis]


def test_unknown_target() -> None:
    named = {"delivery": ["1053"], "buyer": ["33"]}
    rule = UnknownTarget(named, lambda what, targets: {"1054"} if what == "delivery" else set())
    lines = [trigger(1001, "1053"), trigger(1002, "1054"), trigger(1003, "1503"), money(1004, 8000, buyer="33")]
    (finding,) = [each for each in found(lines, rules=[rule]) if each.rule == "unknown-target"]
    assert (finding.severity, finding.leads) == ("high", ("1003",))


def test_rows_taken() -> None:
    def facts(rows: int, taken: int, *, when: bool = True) -> ChangeFacts:
        return ChangeFacts(
            changeset=ChangesetId("repair"), change="#1", source="rows", rows=rows, taken=taken, when=when
        )

    def tell(facts: ChangeFacts, settled: set[str] = frozenset()) -> list[tuple[str, int]]:  # type: ignore[assignment]
        return [(each.severity, each.count) for each in rows_taken([facts], settled)]

    assert tell(facts(153, 150)) == [("info", 3)]
    assert tell(facts(153, 0)) == [("high", 153)]
    assert tell(facts(0, 0, when=False)) == [("high", 0)]
    assert tell(facts(153, 153, when=False)) == []
    assert tell(facts(153, 0), {"repair"}) == []
    (none_taken,) = rows_taken([facts(153, 0)], ())
    assert none_taken.message.endswith("took 0 of 153 rows; none met `when`")
    (finding,) = rows_taken([facts(153, 150)], ())
    assert "took 150 of 153 rows; 3 did not meet `when`" in finding.message


def test_updates_beside_a_doubt() -> None:
    assert told([update(1001, {"c1": "x"}, beside_doubt=True), update(1002, {"c1": "x"})], "beside-doubt") == [
        ("medium", 1)
    ]


def test_a_hundred_thousand_findings_stay_readable() -> None:
    lines = [update(1001 + n, {"c1": "#N/A"}, change=f"#{n}") for n in range(3000)]
    findings = [each for each in found(lines) if each.rule == "spreadsheet-debris"]
    assert len(findings) == 101
    assert sum(finding.count for finding in findings) == 3000
    assert "2,900 more findings of spreadsheet-debris" in findings[-1].message


def returned(lead: int, buyer: str = "33", **more: Any) -> PlannedOperation:
    return line(Return(LeadId(str(lead)), buyer=BuyerId(buyer), reason="DNCC"), change="returns", send=(), **more)


@pytest.mark.parametrize("other", [trigger(1001, "1053"), reprocess(1001), money(1001, 8000)])
def test_a_return_beside_something_else_for_the_lead(other: PlannedOperation) -> None:
    for lines in ([other, returned(1001), returned(1002)], [returned(1001), returned(1002), other]):
        (finding,) = [each for each in found(lines) if each.rule == "return-with-other"]
        assert (finding.severity, finding.leads, finding.change) == ("high", ("1001",), "returns")


def test_a_return_beside_an_update_or_another_lead_is_ordinary() -> None:
    assert told([update(1001, {"c1": "x"}), returned(1001), trigger(1002, "1053")], "return-with-other") == []


def test_buyers_of_returns_are_targets() -> None:
    rule = UnknownTarget({"delivery": [], "buyer": ["33"]}, lambda what, targets: set())
    assert told([returned(1001, "34"), returned(1002)], "unknown-target", rules=[rule]) == [("high", 1)]
    assert told([returned(1001 + n, "34" if n == 7 else "33") for n in range(60)], "rare-target") == [("medium", 1)]
