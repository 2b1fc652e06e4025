"""A changeset as YAML: every value a quoted text, with comments that say where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    value = quoted if change.source else quoted_value
    if change.where:
        yield f"  # {comment(change.where)}\n"
    lines = []
    if change.source:
        lines.append(f"for_each: {change.source}")
    if len(change.leads) == 1:
        lines.append(f"{'quarantined' if change.quarantined else 'lead'}: {value(change.leads[0])}")
    else:
        lines.append("leads:")
        lines += [f"  - {value(lead)}" for lead in change.leads]
    if change.update:
        lines.append("update:")
        lines += [f"  {quoted(name)}: {value(text)}" for name, text in change.update.items()]
    if change.action is not None:
        lines.append(f"action: {change.action}")
    if change.trigger:
        lines.append(f"trigger: [{', '.join(map(value, change.trigger))}]")
    money = {"payout": change.payout, "revenue": change.revenue, "buyer": change.buyer}
    if any(text is not None for text in money.values()):
        lines.append("financials:")
        lines += [f"  {name}: {value(text)}" for name, text in money.items() if text is not None]
    if change.skip_empty:
        lines.append("skip_empty: true")
    for position, line in enumerate(lines):
        yield f"  {'- ' if position == 0 else '  '}{line}\n"
