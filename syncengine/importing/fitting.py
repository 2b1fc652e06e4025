"""Checks an import against its account: the changeset must produce the same request, and contain no key."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from syncengine.core.settings import Account
from syncengine.importing.parts import REQUEST, Imported, ImportedChange, ImportProblems

_SHORTEST_SECRET = 6


def fitted(imported: Imported, account: Account, label: str) -> Imported:
    """The import with buyers by the account's names, and notes on what the account's settings send differently.

    Raises InputError (SE360) where a configured name would change an id, or an API key is among the values.
    """
    findings = ImportProblems(label, REQUEST)
    notes = dict.fromkeys(imported.notes)
    changes = []
    for change in imported.changes:
        if change.source:
            changes.append(change)
            continue
        if any(_holds_secret(text, imported.secrets) for text in _texts(change)):
            findings.add(f"{change.where or 'a value'} holds the API key itself, which must not be written down")
        for delivery in change.trigger:
            if account.deliveries.get(delivery, delivery) != delivery:
                findings.add(
                    f"syncengine.yaml uses {delivery!r} as a name for delivery {account.deliveries[delivery]}",
                    "give that delivery another name",
                )
        changes.append(_with_buyers(change, account, findings, notes))
    findings.stop()
    return msgspec.structs.replace(imported, changes=tuple(changes), notes=tuple(notes))


def _with_buyers(
    change: ImportedChange, account: Account, findings: ImportProblems, notes: dict[str, None]
) -> ImportedChange:
    buyer = _buyer(change.buyer, account, findings, notes)
    returned = change.returned
    if returned is not None:
        named = _buyer(returned.buyer, account, findings, notes) or ""
        returned = msgspec.structs.replace(returned, buyer=named)
    return msgspec.structs.replace(change, buyer=buyer, returned=returned)


def _buyer(buyer: str | None, account: Account, findings: ImportProblems, notes: dict[str, None]) -> str | None:
    if buyer is None:
        return None
    known = account.buyers
    if known.get(buyer, buyer) != buyer:
        findings.add(
            f"syncengine.yaml uses {buyer!r} as a name for buyer {known[buyer]!r}, which would be sent",
            "give that buyer another name",
        )
        return buyer
    if buyer.isdecimal() or not known or buyer in known:
        return buyer
    names = {target: name for name, target in reversed(known.items())}
    if buyer not in names:
        notes[f"buyer {buyer!r} must be named under buyers: of account {account.name} in syncengine.yaml"] = None
    return names.get(buyer, buyer)


def _holds_secret(text: str, secrets: tuple[str, ...]) -> bool:
    return any(len(secret) >= _SHORTEST_SECRET and secret in text for secret in secrets)


def _texts(change: ImportedChange) -> Iterator[str]:
    yield from change.update
    yield from change.update.values()
    if change.buyer is not None:
        yield change.buyer
    if change.returned is not None:
        yield from (change.returned.buyer, change.returned.reason)
