"""Counting leads a second time, in memory that does not matter."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.applying.policy_recheck import Distinct

NUMBERS = st.integers(0, 2**64 - 1) | st.integers(0, 20)


def counted(batches: list[list[int]]) -> int:
    distinct = Distinct()
    for batch in batches:
        distinct.add(batch)
    return distinct.count()


@settings(deadline=None)
@given(st.lists(st.lists(NUMBERS, min_size=1, max_size=8), max_size=12))
def test_different_numbers_are_counted_once(batches: list[list[int]]) -> None:
    assert counted(batches) == len({number for batch in batches for number in batch})


def test_many_numbers_in_no_order_are_counted_in_parts() -> None:
    numbers = [(number * 7_919) % 130_003 for number in range(260_006)]
    assert counted([numbers]) == 130_003


def test_numbers_that_rise_need_no_second_look() -> None:
    assert counted([[1, 2, 3], [4, 2**64 - 1]]) == 5
    assert counted([[1, 2, 3], [3, 4]]) == 4
