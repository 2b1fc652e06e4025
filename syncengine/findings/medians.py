"""Exact medians of many whole numbers in little memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

_BUCKETS = 1 << 14


def median_of(numbers: Sequence[int]) -> int:
    """Twice the median, which is whole where the median of an even number of numbers need not be."""
    return _ranked(numbers, (len(numbers) - 1) // 2) + _ranked(numbers, len(numbers) // 2)


def _ranked(numbers: Sequence[int], rank: int) -> int:
    """The number of this rank (0 is the least): narrowed down by counting buckets, so that nothing is copied."""
    low, high = min(numbers), max(numbers)
    while low < high:
        width = max((high - low) // _BUCKETS, 0) + 1
        counts = Counter((number - low) // width for number in numbers if low <= number <= high)
        for bucket in sorted(counts):
            if rank < counts[bucket]:
                low, high = low + bucket * width, min(low + (bucket + 1) * width - 1, high)
                break
            rank -= counts[bucket]
    return low
