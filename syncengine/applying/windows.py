"""Windows in which a plan may be applied, in local time of their time zones, across midnight and clock changes.

A local time that occurs twice means its first occurrence; a time that is skipped means the moment of the change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from syncengine.core.settings import Window

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_AHEAD = 9
"""Days within which every window opens again; one more than a week for a day that a time zone skips."""


class Opening(msgspec.Struct, frozen=True):
    """One interval in UTC: from `start` (inclusive) to `end` (exclusive), defined by `window`."""

    start: datetime
    end: datetime
    window: Window


def open_until(windows: Sequence[Window], now: datetime) -> datetime | None:
    """End of the open interval, continuing across adjoining windows; None where no window is open."""
    end: datetime | None = None
    for opening in sorted(_openings(windows, now), key=lambda each: each.start):
        if opening.start <= (end or now) < opening.end:
            end = opening.end
    return end


def next_opening(windows: Sequence[Window], now: datetime) -> Opening | None:
    """The next window that begins after `now`; None where no window has a day."""
    later = [opening for opening in _openings(windows, now) if opening.start > now]
    return min(later, key=lambda each: each.start, default=None)


def in_words(windows: Sequence[Window]) -> str:
    """All windows, as in "Mon-Fri 09:00-17:00 Europe/London"."""
    return "; ".join(f"{_days(w.days)} {w.start}-{w.end} {w.time_zone}" for w in windows)


def window_note(windows: Sequence[Window], now: datetime) -> str:
    """When a plan may be applied, relative to `now`."""
    until = open_until(windows, now)
    if until is not None:
        zone = windows[0].time_zone
        return f"may be applied {in_words(windows)}; the window is open now, until {_clock(until, zone)}"
    return f"may be applied {in_words(windows)}; {next_in_words(windows, now)}"


def next_in_words(windows: Sequence[Window], now: datetime) -> str:
    """When the next window opens."""
    opening = next_opening(windows, now)
    if opening is None:
        return "no window ever opens"
    return f"the next window opens {_clock(opening.start, opening.window.time_zone)}"


def _openings(windows: Sequence[Window], now: datetime) -> Iterator[Opening]:
    """Every window's intervals around `now`: those that may still be open, and those of the days ahead."""
    for window in windows:
        zone = ZoneInfo(window.time_zone)
        today = now.astimezone(zone).date()
        for offset in range(-2, _AHEAD):
            day = today + timedelta(days=offset)
            if DAYS[day.weekday()] in window.days:
                begin, end = _minutes(window.start), _minutes(window.end)
                start = instant(day, begin, zone)
                stop = instant(day, end if end > begin else end + 24 * 60, zone)
                if start < stop:
                    yield Opening(start, stop, window)


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """When local time in `zone` first is so many minutes after midnight of `day`, or skips that time; UTC."""
    shown = datetime.combine(day, time()) + timedelta(minutes=minutes)
    first = shown.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == shown:
        return first
    # Skipped: the change lies between the two readings of the time, by the old offset and by the new one.
    before, after = shown.replace(tzinfo=zone, fold=1).astimezone(UTC), first
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _days(days: Sequence[str]) -> str:
    """Days in week order, with runs of three or more joined: "Mon-Fri", "Sat, Sun"."""
    numbers = sorted({DAYS.index(day) for day in days})
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = []
    for run in runs:
        names = [DAYS[number].title() for number in run]
        words.append(f"{names[0]}-{names[-1]}" if len(names) > 2 else ", ".join(names))
    return ", ".join(words)


def _clock(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} {zone}"
