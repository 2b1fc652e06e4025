"""What was probably meant by a word that nobody knows."""

from __future__ import annotations

from collections.abc import Collection


def nearest(word: str, known: Collection[str]) -> str:
    """A hint: what was probably meant, or what there is."""
    import difflib

    close = difflib.get_close_matches(word[:100], sorted(known)[:1000], n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    if not known:
        return "there is none"
    listed = ", ".join(sorted(known)[:12])
    return f"there is: {listed}{', …' if len(known) > 12 else ''}"
