"""PUT /leadfinancials: payout, revenue and buyer, one set of values for a list of approved leads."""

from __future__ import annotations

import re
from dataclasses import dataclass

from syncengine.sandbox.entities import Effect, Json, LeadState, NumberText, Reply, failure, id_text
from syncengine.sandbox.keys import Key, Permission, missing_permission
from syncengine.sandbox.state import SandboxState

_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]+)?", re.ASCII)
_SHOWN_ERRORS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Values:
    payout: str | None
    revenue: str | None
    buyer: str | None


class _BadValue(Exception):
    pass


def put_financials(state: SandboxState, key: Key, document: Json, now: float) -> Reply:
    """Set the values on every approved lead. Only the envelope says whether some, all or none were changed."""
    refusal = missing_permission(key, [Permission.FINANCIALS])
    if refusal is not None:
        return refusal
    try:
        values = _values(document)
        numbers = _numbers(document.get("leads"))
    except _BadValue as bad:
        return failure(400, str(bad))
    effects: list[Effect] = []
    errors: list[str] = []
    for number in numbers:
        error = _refusal(state, number, now)
        if error is not None:
            errors.append(error)
            continue
        effects.append(
            Effect(effect="financials", lead=number, payout=values.payout, revenue=values.revenue, buyer=values.buyer)
        )
    return Reply(200, envelope(errors, some_done=bool(effects)), effects)


def envelope(errors: list[str], *, some_done: bool) -> dict[str, Json]:
    """Success, Warning where some were changed, Error where none was."""
    if not errors:
        return {"status": "Success", "message": "OK"}
    more = len(errors) - _SHOWN_ERRORS
    text = "; ".join(errors[:_SHOWN_ERRORS]) + (f"; and {more} more" if more > 0 else "")
    return {"status": "Warning" if some_done else "Error", "message": text}


def _values(document: Json) -> _Values:
    values = _Values(
        payout=_amount(document, "newPayout"), revenue=_amount(document, "newRevenue"), buyer=_buyer(document)
    )
    if values.payout is None and values.revenue is None:
        raise _BadValue('Give "newPayout", "newRevenue" or both')
    return values


def _amount(document: Json, name: str) -> str | None:
    """The characters of an amount, sent as number or text; never rounded."""
    if name not in document:
        return None
    value = document[name]
    text = str(value) if isinstance(value, str | NumberText | int) and not isinstance(value, bool) else ""
    if not _AMOUNT.fullmatch(text):
        raise _BadValue(f'"{name}" must be an amount such as 80.00')
    return text


def _buyer(document: Json) -> str | None:
    if "BID" not in document:
        return None
    text = id_text(document["BID"])
    if not text:
        raise _BadValue('"BID" must be a buyer\'s id')
    return text


def _numbers(leads: Json) -> list[str]:
    items = leads if isinstance(leads, list) else [leads]
    numbers = [text for text in (id_text(item) for item in items) if text]
    if not numbers or len(numbers) != len(items):
        raise _BadValue('"leads" must be a list of lead ids')
    return numbers


def _refusal(state: SandboxState, number: str, now: float) -> str | None:
    lead = state.lead(number, now)
    if lead is None:
        return f"Lead {number} not found"
    if lead.state is not LeadState.APPROVED:
        return f"Lead {number} is {lead.state.value}: financials can be updated for approved leads only"
    return None
