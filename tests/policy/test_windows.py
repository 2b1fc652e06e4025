"""Delivery windows by the clocks of their time zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.applying.windows import DAYS, in_words, next_opening, open_until, window_note
from syncengine.core.settings import Window

WEEK = ("mon", "tue", "wed", "thu", "fri")


def window(days: tuple[str, ...], start: str, end: str, zone: str = "Europe/London") -> Window:
    return Window(days=days, start=start, end=end, time_zone=zone)


OFFICE = window(WEEK, "09:00", "17:00")
NIGHT = window(("fri",), "22:00", "02:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


@pytest.mark.parametrize(
    ("windows", "now", "until"),
    [
        # winter: London is UTC; 2026-11-23 is a Monday
        ([OFFICE], "2026-11-23T08:59", None),
        ([OFFICE], "2026-11-23T09:00", "2026-11-23T17:00"),
        ([OFFICE], "2026-11-23T16:59", "2026-11-23T17:00"),
        ([OFFICE], "2026-11-23T17:00", None),
        ([OFFICE], "2026-11-22T12:00", None),
        # summer: the same clocks an hour earlier
        ([OFFICE], "2026-07-06T08:00", "2026-07-06T16:00"),
        ([OFFICE], "2026-07-06T16:00", None),
        # across midnight, and the day counts on which it begins
        ([NIGHT], "2026-11-27T22:00", "2026-11-28T02:00"),
        ([NIGHT], "2026-11-28T01:59", "2026-11-28T02:00"),
        ([NIGHT], "2026-11-27T01:00", None),
        ([NIGHT], "2026-11-28T23:00", None),
        # whole days, and windows that follow on from each other
        ([window(("sat",), "00:00", "24:00")], "2026-11-28T23:59", "2026-11-29T00:00"),
        ([window(("sat", "sun"), "00:00", "24:00")], "2026-11-28T00:00", "2026-11-30T00:00"),
        ([OFFICE, window(("mon",), "16:00", "18:00")], "2026-11-23T10:00", "2026-11-23T18:00"),
        # clocks go forward on 2026-03-29 at 01:00 UTC: 01:00 to 02:00 is not shown
        ([window(("sun",), "01:30", "03:00")], "2026-03-29T00:59", None),
        ([window(("sun",), "01:30", "03:00")], "2026-03-29T01:00", "2026-03-29T02:00"),
        ([window(("sun",), "00:30", "01:30")], "2026-03-29T00:59", "2026-03-29T01:00"),
        ([window(("sun",), "00:30", "01:30")], "2026-03-29T01:00", None),
        ([window(("sun",), "01:10", "01:40")], "2026-03-29T01:00", None),
        # clocks go back on 2026-10-25 at 01:00 UTC: 01:00 to 02:00 is shown twice, and the first time counts
        ([window(("sun",), "01:15", "01:45")], "2026-10-25T00:15", "2026-10-25T00:45"),
        ([window(("sun",), "01:15", "01:45")], "2026-10-25T01:15", None),
        ([window(("sun",), "00:30", "02:30")], "2026-10-24T23:30", "2026-10-25T02:30"),
        # far from UTC: Monday morning in Auckland is Sunday evening in UTC
        ([window(("mon",), "09:00", "10:00", "Pacific/Auckland")], "2026-11-22T20:30", "2026-11-22T21:00"),
        ([], "2026-11-23T09:00", None),
    ],
)
def test_open_until(windows: list[Window], now: str, until: str | None) -> None:
    assert open_until(windows, at(now)) == (until and at(until))


@pytest.mark.parametrize(
    ("windows", "now", "start"),
    [
        ([OFFICE], "2026-11-20T17:00", "2026-11-23T09:00"),
        ([OFFICE], "2026-11-23T08:00", "2026-11-23T09:00"),
        ([OFFICE, NIGHT], "2026-11-27T18:00", "2026-11-27T22:00"),
        ([window(("mon",), "09:00", "10:00")], "2026-11-23T09:30", "2026-11-30T09:00"),
        ([window(("sun",), "09:00", "10:00")], "2026-03-28T12:00", "2026-03-29T08:00"),
    ],
)
def test_next_opening(windows: list[Window], now: str, start: str) -> None:
    opening = next_opening(windows, at(now))
    assert opening is not None
    assert opening.start == at(start)


def test_words() -> None:
    assert in_words([OFFICE, window(("sun", "sat"), "10:00", "12:00", "UTC")]) == (
        "Mon-Fri 09:00-17:00 Europe/London; Sat, Sun 10:00-12:00 UTC"
    )
    assert window_note([OFFICE], at("2026-07-04T12:00")) == (
        "may be applied Mon-Fri 09:00-17:00 Europe/London; the next window opens Mon 2026-07-06 09:00 Europe/London"
    )
    assert window_note([OFFICE], at("2026-07-06T12:00")) == (
        "may be applied Mon-Fri 09:00-17:00 Europe/London; "
        "the window is open now, until Mon 2026-07-06 17:00 Europe/London"
    )


TIMES = st.integers(0, 24 * 60 - 1).map(lambda minutes: f"{minutes // 60:02d}:{minutes % 60:02d}")
WINDOWS = st.builds(
    window,
    st.sets(st.sampled_from(DAYS), min_size=1).map(tuple),
    TIMES,
    TIMES,
    st.sampled_from(["Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]),
).filter(lambda each: each.start != each.end)
MOMENTS = st.integers(0, 366 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(windows=st.lists(WINDOWS, min_size=1, max_size=3), now=MOMENTS)
def test_until_its_end_a_window_stays_open_and_then_it_is_closed(windows: list[Window], now: datetime) -> None:
    until = open_until(windows, now)
    if until is None:
        opening = next_opening(windows, now)
        assert opening is not None
        assert now < opening.start <= now + timedelta(days=9)
        assert open_until(windows, opening.start - timedelta(seconds=1)) is None
        assert open_until(windows, opening.start) is not None
    else:
        assert now < until
        assert open_until(windows, now + (until - now) / 2) is not None


@given(each=WINDOWS, now=MOMENTS)
def test_away_from_clock_changes_the_clocks_decide(each: Window, now: datetime) -> None:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(each.time_zone)
    offsets = {(now + timedelta(hours=hours)).astimezone(zone).utcoffset() for hours in range(-48, 49)}
    if len(offsets) > 1:
        return
    local = now.astimezone(zone)
    clock, today = f"{local:%H:%M}", DAYS[local.weekday()]
    yesterday = DAYS[local.weekday() - 1]
    if each.start < each.end:
        expected = today in each.days and each.start <= clock < each.end
    else:
        expected = (today in each.days and clock >= each.start) or (yesterday in each.days and clock < each.end)
    assert (open_until([each], now) is not None) is expected
