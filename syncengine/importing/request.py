"""The body of an API request, as the service documents it, becomes changes. Nothing is dropped without a word.

{"leads": [{"id", "update", "action" or "triggerDeliveryId(s)"}, ...]}       PUT leads
{"key", "leads": [2932682], "newPayout", "newRevenue", "BID"}                PUT leadfinancials
{"quarantineId": 123 (or "quarantineIds": [...]), "action"}                  POST quarantine/process
{"leadId": N} or {"leadIds": [N, N]}                                         POST leads/reprocess
{"key", "deliveryId", "leadId"}                                              POST deliveries/trigger
{"key", "leadId" (or "leadIds"), "BID", "reason"}                            POST leads/return
"""

from __future__ import annotations

import json
from typing import Any, Literal, NoReturn

from syncengine.core.spreadsheets import fault_of_id
from syncengine.core.text import is_blank
from syncengine.core.values import is_service_id, parse_money
from syncengine.importing.parts import REQUEST, Action, Imported, ImportedChange, ImportedReturn, ImportProblems

Call = Literal[
    "leads", "leadfinancials", "quarantine/process", "leads/reprocess", "deliveries/trigger", "leads/return"
]  # fmt: skip

_LEADS = frozenset({"leads", "key"})
_MONEY = frozenset({"leads", "key", "newPayout", "newRevenue", "BID"})
_ENTRY = frozenset({"id", "update", "action", "triggerDeliveryId", "triggerDeliveryIds"})
_QUARANTINED = frozenset({"quarantineId", "update"})
_DECISION = frozenset({"quarantineId", "quarantineIds", "action", "key"})
_LEAD_IDS = frozenset({"leadId", "leadIds", "key"})
_ACTIONS: dict[Call, frozenset[str]] = {
    "leads/reprocess": _LEAD_IDS,
    "deliveries/trigger": _LEAD_IDS | {"deliveryId"},
    "leads/return": _LEAD_IDS | {"BID", "reason"},
}
_DECISIONS: dict[str, Action] = {"process": "release", "reject": "reject"}
_SHOWN = 40
_MOST_NOTES = 50


class ImportedNumber(str):
    """A JSON number, kept as the characters that were written."""

    __slots__ = ()


def parse_request(text: str, label: str, *, call: Call | None = None) -> Imported:
    """The changes in a request's body. `call` names the call, where it is known.

    Raises InputError (SE360) with every problem; messages quote only names and ids from the body.
    """
    return _BodyReader(label, call).read(text)


class _BodyReader:
    def __init__(self, label: str, call: Call | None) -> None:
        self._label = label
        self._call = call
        self._findings = ImportProblems(label, REQUEST)
        self._notes: dict[str, None] = {}
        self._unsaid = 0

    def read(self, text: str) -> Imported:
        document = self._document(text)
        key = document.get("key")
        secrets = (str(key),) if isinstance(key, str) and key else ()
        if self._is_decision(document):
            call, changes = "POST /restapi/v1.3/quarantine/process", self._decisions(document)
        elif (action := self._action_call(document)) is not None:
            revision = "v1.2" if action == "leads/return" else "v1.3"
            call, changes = f"POST /restapi/{revision}/{action}", self._actions(action, document)
        else:
            call, changes = self._leads(document)
        return self._finish(call, changes, secrets)

    def _leads(self, document: dict[str, Any]) -> tuple[str, list[ImportedChange]]:
        """The changes of PUT leads or PUT leadfinancials, and what the request was in words."""
        items = document.get("leads")
        if not isinstance(items, list) or not items:
            self._findings.add('the body has no list "leads" with anything in it', 'it begins with {"leads": [')
            self._findings.stop()
            raise AssertionError
        money = self._is_money(items)
        self._unknown(document, _MONEY if money else _LEADS, "the body")
        changes = self._money(document, items) if money else self._entries(items)
        entries = f"{len(items)} {'lead' if len(items) == 1 else 'leads'}"
        return f"PUT /restapi/v1.3/{'leadfinancials' if money else 'leads'}, {entries}", changes

    def _finish(self, what: str, changes: list[ImportedChange], secrets: tuple[str, ...]) -> Imported:
        self._findings.stop()
        more = (f"and {self._unsaid:,} more notes of these kinds",) if self._unsaid else ()
        return Imported(what=what, changes=tuple(changes), notes=(*self._notes, *more), secrets=secrets)

    def _note(self, text: str) -> None:
        """Add a note once; beyond the first few, notes are only counted."""
        if len(self._notes) < _MOST_NOTES:
            self._notes[text] = None
        else:
            self._unsaid += 1

    def _document(self, text: str) -> dict[str, Any]:
        hint = "give the body of the request alone, a JSON object, or a curl command"
        try:
            document = json.loads(
                text.removeprefix("\ufeff"),
                parse_int=ImportedNumber,
                parse_float=ImportedNumber,
                parse_constant=_no_constant,
                object_pairs_hook=_once,
            )
        except json.JSONDecodeError as error:
            message = f"the body is not JSON: {error.msg} at column {error.colno}"
            self._findings.add(message, hint, line=error.lineno)
        except (ValueError, RecursionError) as error:
            reason = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
            self._findings.add(f"the body is not JSON that can be relied on: {reason}", hint)
        else:
            if isinstance(document, dict):
                return document
            self._findings.add("the body is JSON, but no object", hint)
        self._findings.stop()
        raise AssertionError

    def _is_money(self, items: list[Any]) -> bool:
        objects = isinstance(items[0], dict)
        if self._call is not None and (self._call == "leads") != objects:
            self._findings.add(
                f"the address is that of {self._call}, and the body has {'objects' if objects else 'ids'} in its leads",
                "is it the body of another request?",
            )
            self._findings.stop()
        return not objects

    def _unknown(self, members: dict[str, Any], known: frozenset[str], where: str) -> None:
        for name in members:
            if name not in known:
                hint = f"there are: {', '.join(sorted(known - {'key'}))}"
                self._findings.add(f"{where} has {name[:_SHOWN]!r}, which no changeset can express", hint)

    # PUT leads

    def _entries(self, items: list[Any]) -> list[ImportedChange]:
        changes = [self._entry(item, f"leads[{number}]") for number, item in enumerate(items, 1)]
        kept = [change for change in changes if change is not None]
        if len({change.quarantined for change in kept}) > 1:
            self._note("the request named leads and quarantined leads; syncengine sends them in requests of their own")
        return kept

    def _entry(self, item: Any, where: str) -> ImportedChange | None:
        if not isinstance(item, dict):
            self._findings.add(f"{where} is not an object, and others are")
            return None
        if "quarantineId" in item:
            return self._quarantined(item, where)
        self._unknown(item, _ENTRY, where)
        lead = self._id(item.get("id"), f"{where}.id")
        update = self._update(item.get("update", {}), f"{where}.update")
        reprocess = self._action(item, where)
        trigger = self._deliveries(item, where)
        if reprocess and trigger:
            self._findings.add(
                f"{where} has an action and a delivery: the service does not document that combination",
                "import them as two changesets, and apply the second once the first is done",
            )
        if not (update or reprocess or trigger):
            self._findings.add(f"{where} does nothing: no update, no action, no delivery")
        return ImportedChange(leads=(lead,), where=where, update=update, action=reprocess, trigger=trigger)

    def _quarantined(self, item: dict[str, Any], where: str) -> ImportedChange:
        self._unknown(item, _QUARANTINED, where)
        update = self._update(item.get("update", {}), f"{where}.update")
        if not update:
            self._findings.add(f"{where} does nothing: no update")
        lead = self._id(item["quarantineId"], f"{where}.quarantineId")
        return ImportedChange(leads=(lead,), quarantined=True, where=where, update=update)

    def _update(self, update: Any, where: str) -> dict[str, str]:
        if not isinstance(update, dict):
            self._findings.add(f"{where} is not an object of fields")
            return {}
        return {name: self._field(value, f"{where}.{name[:_SHOWN]}") for name, value in update.items()}

    def _field(self, value: Any, where: str) -> str:
        if isinstance(value, ImportedNumber):
            self._note(f"{where} was a JSON number; it is sent as a text with the same characters")
            return str(value)
        if isinstance(value, bool):
            self._note(f"{where} was true or false; it is sent as that word")
            return "true" if value else "false"
        if isinstance(value, str):
            if is_blank(value):
                only = "refused unless skip_empty leaves it out" if value else "sent by accounts with allow_empty only"
                self._note(f"{where} is empty or shows nothing: it is {only}")
            return value
        kind = "null" if value is None else "a list or an object"
        self._findings.add(
            f"{where} is {kind}: a field's value is a text", "it is not known what the service makes of it"
        )
        return ""

    def _action(self, item: dict[str, Any], where: str) -> Action | None:
        action = item.get("action")
        if action is None:
            return None
        if action != "reprocess":
            self._findings.add(f"{where}.action is not 'reprocess', the only action that is known")
        return "reprocess"

    def _deliveries(self, item: dict[str, Any], where: str) -> tuple[str, ...]:
        one, several = item.get("triggerDeliveryId"), item.get("triggerDeliveryIds")
        if one is not None and several is not None:
            self._findings.add(f"{where} has both triggerDeliveryId and triggerDeliveryIds", "keep one of them")
        if one is not None:
            return (self._id(one, f"{where}.triggerDeliveryId"),)
        if several is None:
            return ()
        if not isinstance(several, list) or not several:
            self._findings.add(f"{where}.triggerDeliveryIds is not a list of ids")
            return ()
        if len(several) == 1:
            self._note(f"{where}.triggerDeliveryIds holds one id; it is sent as triggerDeliveryId")
        return tuple(self._id(each, f"{where}.triggerDeliveryIds") for each in several)

    # POST quarantine/process

    def _is_decision(self, document: dict[str, Any]) -> bool:
        found = not document.keys().isdisjoint({"quarantineId", "quarantineIds"})
        if self._call is not None and found != (self._call == "quarantine/process"):
            self._findings.add(f"the body is not that of {self._call}", "is it the body of another request?")
            self._findings.stop()
        return found

    def _decisions(self, document: dict[str, Any]) -> list[ImportedChange]:
        self._unknown(document, _DECISION, "the body")
        action = document.get("action")
        decision = _DECISIONS.get(action) if isinstance(action, str) else None
        if decision is None:
            self._findings.add("the action is neither process nor reject")
        ids = self._one_or_several(document, "quarantineId", "quarantineIds")
        if len(ids) > 1:
            self._note(f"the request named {len(ids)} quarantined leads at once; syncengine sends one in each request")
        return [
            ImportedChange(leads=(lead,), quarantined=True, where=f"quarantine id {lead}", action=decision)
            for lead in ids
        ]

    def _one_or_several(self, document: dict[str, Any], one: str, several: str) -> list[str]:
        """The ids that a body gives by a key for one or by a key for a list."""
        listed = document.get(several)
        if listed is not None and one in document:
            self._findings.add(f"the body has both {one} and {several}", "keep one of them")
        items = listed if isinstance(listed, list) and listed else [document.get(one, listed)]
        return [self._id(item, one if listed is None else several) for item in items]

    # POST leads/reprocess, deliveries/trigger, leads/return

    def _action_call(self, document: dict[str, Any]) -> Call | None:
        """The call of a body, if it is one of these; otherwise None."""
        found: Call | None = None
        if "deliveryId" in document:
            found = "deliveries/trigger"
        elif "leads" not in document and not document.keys().isdisjoint({"BID", "reason"}):
            found = "leads/return"
        elif not document.keys().isdisjoint({"leadId", "leadIds"}):
            found = "leads/reprocess"
        asked = self._call if self._call in _ACTIONS else None
        if self._call is not None and found != asked:
            self._findings.add(f"the body is not that of {self._call}", "is it the body of another request?")
            self._findings.stop()
        return found

    def _actions(self, call: Call, document: dict[str, Any]) -> list[ImportedChange]:
        self._unknown(document, _ACTIONS[call], "the body")
        leads = tuple(self._one_or_several(document, "leadId", "leadIds"))
        match call:
            case "deliveries/trigger":
                self._note("the request was one of deliveries/trigger; syncengine triggers by PUT leads")
                trigger = (self._id(document.get("deliveryId"), "deliveryId"),)
                return [ImportedChange(leads=leads, where="deliveries/trigger", trigger=trigger)]
            case "leads/return":
                return [self._return(leads, document)]
            case _:
                self._note("the request was one of leads/reprocess; syncengine reprocesses by PUT leads")
                return [ImportedChange(leads=leads, where="leads/reprocess", action="reprocess")]

    def _return(self, leads: tuple[str, ...], document: dict[str, Any]) -> ImportedChange:
        if len(leads) > 1:
            self._note(f"the request named {len(leads)} leads at once; syncengine returns one in each request")
        reason = document.get("reason")
        if not isinstance(reason, str) or is_blank(reason):
            self._findings.add("reason is not a text", 'write it as "DNCC", a code of the account\'s lists')
            reason = ""
        if "BID" not in document:
            self._findings.add("a return has no BID", 'write the buyer\'s id: "BID": "33"')
        buyer = self._buyer(document) or ""
        return ImportedChange(
            leads=leads, where="leads/return", returned=ImportedReturn(buyer=buyer, reason=str(reason))
        )

    # PUT leadfinancials

    def _money(self, document: dict[str, Any], items: list[Any]) -> list[ImportedChange]:
        leads = tuple(self._id(item, f"leads[{number}]") for number, item in enumerate(items, 1))
        payout = self._amount(document, "newPayout")
        revenue = self._amount(document, "newRevenue")
        if payout is None and revenue is None:
            self._findings.add("the body has neither newPayout nor newRevenue")
        if len(leads) > 1:
            self._note(
                f"the request named {len(leads)} leads at once; syncengine sends limits.financials_per_request of them "
                "in one (by default 1), because an answer for several says nothing about each"
            )
        return [ImportedChange(leads=leads, where="leads", payout=payout, revenue=revenue, buyer=self._buyer(document))]

    def _amount(self, document: dict[str, Any], name: str) -> str | None:
        value = document.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or parse_money(value) is None:
            self._findings.add(f"{name} is not an amount with at most two decimals", "write it as 80.00")
            return None
        return str(value)

    def _buyer(self, document: dict[str, Any]) -> str | None:
        buyer = document.get("BID")
        if buyer is None:
            return None
        if not isinstance(buyer, str) or is_blank(buyer):
            self._findings.add("BID is not a text", 'write it as "33", or leave it out')
            return None
        if isinstance(buyer, ImportedNumber):
            self._note("BID was a JSON number; it is sent as a text")
        return str(buyer)

    def _id(self, value: Any, where: str) -> str:
        if isinstance(value, str) and is_service_id(value):
            return str(value)
        fault = fault_of_id(value) if isinstance(value, str) else None
        if fault is None:
            self._findings.add(f"{where} is not an id", "digits without a leading zero, at most 19")
        else:
            self._findings.add(f"{where} is not an id: {fault.cause}", fault.remedy)
        return ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has one name twice")
    return members


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON value")
