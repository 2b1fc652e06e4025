"""Placeholders that were typed to fill a form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from syncengine.findings.operations import Column
from syncengine.findings.rule import ChangeKey, Description, Found
from syncengine.findings.values import Mistake, ValueRule

SAME_DIGITS = 6
DATES = ("1900-01-01", "1970-01-01")
DATES_FROM, DATES_PERCENT = 2, 1

_PLACEHOLDER = re.compile(
    r"test@.*|.*@(?:.*\.)?example\.(?:com|org|net)|(?:asdf)+(?:ghjkl|gh|g)?|qwerty(?:uiop)?|x{3,}|([0-9])\1{5,}|1234567890|"
    r"test|n/a|undefined|\[object object\]",
    re.IGNORECASE | re.DOTALL,
)
_EMPTY_VALUES = frozenset({"NULL", "null", "nan", "NaN", "NAN"})
"""Not Nan nor Null: people have these names."""
_MARKS = (
    "\ntest", "@example.", ".example.", "\nasdf", "\nqwerty", "\nxxx", "\nn/a\n", "\nnull\n", "\nnan\n",
    "\nundefined\n", "[object object]", "\n1234567890\n",
    *(f"\n{digit * SAME_DIGITS}" for digit in "0123456789"), *(f"\n{date}" for date in DATES),
)  # fmt: skip


class Placeholder(ValueRule):
    """One placeholder is reported wherever it is; dates that systems put in place of none, where there are several."""

    about = Description(
        name="placeholder",
        severity="medium",
        threshold="test@..., ...@example.com, asdf, qwerty, xxx, one digit six times or more as the whole value, "
        "1234567890, Test, N/A, NULL, nan, undefined, [object Object]; 1900-01-01 and 1970-01-01 twice or more and in "
        f"{DATES_PERCENT} % or more",
        example="test@example.com as an e-mail address",
    )

    def may_hold(self, column: Column) -> bool:
        lowered = column.lowered
        return any(mark in lowered for mark in _MARKS)

    def mistakes(self, value: str) -> Iterable[Mistake]:
        text = value.strip()
        if text in _EMPTY_VALUES or _PLACEHOLDER.fullmatch(text):
            yield _MISTAKE
        elif text[:10] in DATES and (len(text) == 10 or text[10] in "T "):
            yield _DATE_MISTAKES[text[:10]]

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        for field, mistake in list(self._samples):
            if mistake is _MISTAKE:
                continue
            count = self._samples[field, mistake].count
            if count < DATES_FROM or count * 100 < DATES_PERCENT * self._totals.get(field, count):
                del self._samples[field, mistake]
        yield from super().leave(change)


_MISTAKE: Mistake = ("a placeholder in place of a value", "medium")
_DATE_MISTAKES: dict[str, Mistake] = {
    date: (f"the date {date}, which systems write for none", "medium") for date in DATES
}
