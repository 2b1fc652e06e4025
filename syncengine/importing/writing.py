"""Writes a changeset as YAML: every value a quoted text, with comments about its origin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from syncengine.documents.quoting import comment, quoted, quoted_value
from syncengine.importing.parts import Imported, ImportedChange


def changeset_text(
    imported: Imported,
    *,
    changeset: str,
    account: str,
    label: str,
    schema: str = "",
    sources: Iterable[tuple[str, dict[str, str]]] = (),
) -> Iterator[str]:
    """The YAML, piece by piece. `label` names the original; `schema` is the path of the schema for editors, if any.

    `sources` are names of row sources with their keys.
    """
    if schema:
        yield f"# yaml-language-server: $schema={schema}\n"
    yield f"# Imported from {comment(label)}: {comment(imported.what)}.\n"
    if imported.secrets:
        yield "# The API key in it was left out: requests carry the key of the account in syncengine.yaml.\n"
    for note in imported.notes:
        yield f"# Note: {comment(note)}.\n"
    yield f"version: 1\nchangeset: {quoted(changeset)}\naccount: {quoted(account)}\n"
    yield f"title: {quoted(f'Imported from {comment(label)}')}\n"
    yield from _sources(sources)
    yield "changes:\n"
    for change in imported.changes:
        yield from _change(change)


def _sources(sources: Iterable[tuple[str, dict[str, str]]]) -> Iterator[str]:
    for position, (name, keys) in enumerate(sources):
        if position == 0:
            yield "sources:\n"
        yield f"  {name}: {{{', '.join(f'{key}: {quoted(value)}' for key, value in keys.items())}}}\n"


def _change(change: ImportedChange) -> Iterator[str]:
    for remark in (change.where, *change.proposals):
        if remark:
            yield f"  # {comment(remark)}\n"
    lines = [*_about(change), *_done(change)]
    for position, line in enumerate(lines):
        yield f"  {'- ' if position == 0 else '  '}{line}\n"


def _about(change: ImportedChange) -> Iterator[str]:
    """The keys that select the leads."""
    value = _quoting(change)
    if change.source:
        yield f"for_each: {change.source}"
    if len(change.leads) == 1:
        yield f"{'quarantined' if change.quarantined else 'lead'}: {value(change.leads[0])}"
    else:
        yield "leads:"
        yield from (f"  - {value(lead)}" for lead in change.leads)
    if change.when:
        yield f"when: {quoted(change.when)}"


def _done(change: ImportedChange) -> Iterator[str]:
    """The keys that describe the operations."""
    value = _quoting(change)
    if change.update:
        yield "update:"
        yield from (f"  {quoted(name)}: {value(text)}" for name, text in change.update.items())
    if change.action is not None:
        yield f"action: {change.action}"
    if change.trigger:
        yield f"trigger: [{', '.join(map(value, change.trigger))}]"
    money = [("payout", change.payout), ("revenue", change.revenue), ("buyer", change.buyer)]
    amounts = [f"  {name}: {value(text)}" for name, text in money if text is not None]
    if amounts:
        yield "financials:"
        yield from amounts
    if change.returned is not None:
        yield f"return: {{buyer: {value(change.returned.buyer)}, reason: {value(change.returned.reason)}}}"
    if change.skip_empty:
        yield "skip_empty: true"


def _quoting(change: ImportedChange) -> Callable[[str], str]:
    return quoted if change.source else quoted_value
