"""Folds in words, the same in every view. What they return may hold foreign text: views escape it as a whole."""

from __future__ import annotations

from syncengine.core.redaction import Masker
from syncengine.reports.groups import AmountFold, FieldFold
from syncengine.reports.vocabulary import money, number, plural, signed


def amount_words(amounts: AmountFold) -> str:
    """Old and new money in words; the old one only as far as it is known."""
    if not amounts.known:
        return f"unknown → {money(amounts.new)}"
    moved = f"{money(amounts.known_old)} → {money(amounts.known_new)} ({signed(amounts.difference)})"
    unknown = amounts.count - amounts.known
    if not unknown:
        return moved
    return (
        f"{money(amounts.new)} new in all; {moved} for {plural(amounts.known, 'lead')} known before, "
        f"{number(unknown)} unknown"
    )


def field_words(name: str, diffs: FieldFold, masker: Masker) -> str:
    """Identical diffs of a field folded: how many leads, and to what where it is one and the same."""
    leads = plural(diffs.leads, "lead")
    after = {value for _, value in diffs.diffs}
    if diffs.overflow:
        return f"{leads}, more than {len(diffs.diffs)} different values"
    if len(after) > 1:
        return f"{leads}, {len(after)} different values"
    known = {value for value, _ in diffs.diffs}
    old = next(iter(known))
    before = (
        f"{len(known)} different values" if len(known) > 1 else "unknown" if old is None else masker.show(name, old)
    )
    return f"{leads}, {before} → {masker.show(name, next(iter(after)))}"
