"""Are two names one slip of the pen apart?"""

from __future__ import annotations

from collections.abc import Iterable

MOST = 2
"""Letters that may differ; two neighbours that changed places count as one."""


def near(one: str, other: str) -> bool:
    """Whether the names differ by at most two letters, and by fewer than half of theirs.

    Names that differ in digits alone (c1 and c2, street1 and street2) are meant to differ.
    """
    if abs(len(one) - len(other)) > MOST or one == other:
        return False
    if _without_digits(one) == _without_digits(other):
        return False
    steps = distance(one, other)
    return steps <= MOST and steps * 2 < max(len(one), len(other))


def _without_digits(name: str) -> str:
    return "".join(letter for letter in name if not letter.isdigit())


def distance(one: str, other: str) -> int:
    """Letters to insert, remove, replace, or swap with their neighbour, to get from one name to the other."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        here = [row]
        for column, its in enumerate(other, 1):
            best = min(above[column] + 1, here[-1] + 1, above[column - 1] + (letter != its))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == its:
                best = min(best, before[column - 2] + 1)
            here.append(best)
        before, above = above, here
    return above[-1]


def nearest_name(name: str, known: Iterable[str]) -> str:
    """The known name that `name` is a slip of; "" where there is none."""
    found = sorted((distance(name, other), other) for other in known if near(name, other))
    return found[0][1] if found else ""
