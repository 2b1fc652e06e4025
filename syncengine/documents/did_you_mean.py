"""Suggestions for unknown names."""

from __future__ import annotations

from collections.abc import Iterable

_COMPARED = 1000
_LISTED = 12


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint: the closest known name, otherwise the list of known names; "" where there are none."""
    import difflib

    names = sorted(known)
    # Both are bounded: a source may have thousands of columns, and a key may be a whole document.
    close = difflib.get_close_matches(word[:100], names[:_COMPARED], n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    if not names:
        return ""
    listed = f"{', '.join(names[:_LISTED])}{', …' if len(names) > _LISTED else ''}"
    return f"there {'is' if len(names) == 1 else 'are'}: {listed}"
