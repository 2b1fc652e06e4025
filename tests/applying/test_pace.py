"""The pace of a run: one for all its connections, however many there are."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from syncengine.applying.pace import LocalPace

_MOMENTS = st.lists(st.floats(0, 2, allow_nan=False), min_size=2, max_size=40)


def _departures(pace: LocalPace, waits: list[float], now: float = 0.0) -> list[float]:
    """When requests leave that are ready so many seconds after the one before, whichever connection takes them."""
    left: list[float] = []
    for wait in waits:
        now += wait
        now += pace.delay(now)
        pace.left(now)
        left.append(now)
    return left


@given(rate=st.floats(0.1, 50), waits=_MOMENTS)
def test_requests_keep_their_distance_and_an_idle_time_earns_no_burst(rate: float, waits: list[float]) -> None:
    left = _departures(LocalPace(rate), waits)
    assert all(later - earlier >= 1 / rate - 1e-6 for earlier, later in pairwise(left))


@given(rate=st.floats(51, 1000), waits=_MOMENTS)
def test_a_quick_pace_holds_over_any_stretch(rate: float, waits: list[float]) -> None:
    left = _departures(LocalPace(rate), waits)
    for first in range(len(left)):
        for last in range(first + 1, len(left)):
            assert last - first <= (left[last] - left[first] + 0.02) * rate + 1e-6


def test_what_one_connection_is_told_to_wait_holds_for_all() -> None:
    pace = LocalPace(1000)
    pace.left(10.0)
    pace.hold(13.0)
    pace.hold(12.0)
    assert pace.delay(10.5) == 2.5
    assert pace.delay(13.0) == 0
    free = LocalPace(0)
    free.left(1.0)
    assert free.delay(1.0) == 0
    free.hold(4.0)
    assert free.delay(1.0) == 3.0
