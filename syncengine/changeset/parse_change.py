"""Parses one item of `changes`: its keys, and which of them can be combined."""

from __future__ import annotations

import re
from collections.abc import Iterable

from syncengine.changeset.checks import Unfit, lead_check, not_an_amount
from syncengine.changeset.declared import Action, DeclaredChange, Named, Place, kind_in_words
from syncengine.changeset.structure import Parts, as_text, named_texts, usable_name
from syncengine.changeset.templates import is_template
from syncengine.core.values import parse_money
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.nodes import Mapping, Node, Scalar, Sequence

_KEYS = frozenset(
    {
        "id",
        "lead",
        "leads",
        "quarantined",
        "for_each",
        "when",
        "update",
        "action",
        "trigger",
        "financials",
        "return",
        "rerun",
        "expect",
        "skip_empty",
    }
)
_RETURN = frozenset({"buyer", "reason"})
_FINANCIALS = frozenset({"payout", "revenue", "buyer"})
_ACTIONS: tuple[Action, ...] = ("reprocess", "release", "reject")
_OF_QUARANTINE = frozenset({"release", "reject"})
_ADDRESS_KEYS = ("lead", "leads", "quarantined")
_RERUN = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_COMPARISON = re.compile(r"[=!<>]=?|\b(?:in|is)\b")
_ADDRESSES = (
    'write one of: lead: "2932682"; leads: ["2932683", "2932684"]; quarantined: "123"; '
    'for_each: SOURCE with lead: "{{ row.lead_id }}"'
)


def parse_change(place: Place, node: Node, number: int, sources: frozenset[str]) -> DeclaredChange | None:
    """The change without its invalid parts, or None where it is not a mapping. Reports every problem.

    `number` counts from 1; `sources` are the declared names.
    """
    if not isinstance(node, Mapping):
        place.problem("SE203", f"a change must be a mapping, not {kind_in_words(node)}", node, hint=_ADDRESSES)
        return None
    parts = Parts(place, node, "a change", _KEYS, ())
    leads, source = _addresses(place, parts, sources)
    payout, revenue, buyer = _financials(place, parts)
    returned_by, reason = _return(place, parts)
    update = parts.mapping("update")
    change = DeclaredChange(
        label=_label(place, parts, number),
        line=node.line,
        column=node.column,
        leads=leads,
        quarantined="quarantined" in parts,
        source=source,
        when=_when(place, parts),
        update=() if update is None else named_texts(place, update, "the field"),
        action=_action(place, parts),
        trigger=_trigger(place, parts),
        payout=payout,
        revenue=revenue,
        buyer=buyer,
        returned_by=returned_by,
        reason=reason,
        generation=_generation(place, parts),
        expect=_expect(place, parts),
        skip_empty=_flag(place, parts, "skip_empty"),
    )
    _combinations(place, parts)
    return change


def _addresses(place: Place, parts: Parts, sources: frozenset[str]) -> tuple[tuple[Scalar, ...], Scalar | None]:
    """The lead texts, and the source over which they are rendered."""
    named = [name for name in _ADDRESS_KEYS if name in parts]
    if len(named) > 1:
        several = " and ".join(named) if len(named) == 2 else "lead, leads and quarantined"
        place.problem("SE241", f"a change says once which leads it is about, not by {several}", parts.node,
                      hint=_ADDRESSES)  # fmt: skip
    if "for_each" in parts:
        return _addressed_by_row(place, parts, sources)
    if not named:
        place.problem("SE241", "the change does not say which leads it is about", parts.node, hint=_ADDRESSES)
    return _typed_leads(place, parts), None


def _typed_leads(place: Place, parts: Parts) -> tuple[Scalar, ...]:
    for name in ("quarantined", "lead"):
        if name in parts:
            lead = parts.text(name)
            return () if lead is None else _fit(place, (lead,), quarantined=name == "quarantined")
    listed = parts.sequence("leads", example='["2932683", "2932684"]')
    texts = (as_text(place, item, "a lead id") for item in (() if listed is None else listed.items))
    return _fit(place, (text for text in texts if text is not None), quarantined=False)


def _fit(place: Place, texts: Iterable[Scalar], *, quarantined: bool) -> tuple[Scalar, ...]:
    """The texts that are templates or ids. Reports the others."""
    fit: list[Scalar] = []
    checked_lead = lead_check(quarantined=quarantined)
    for scalar in texts:
        if not is_template(scalar.text):
            try:
                checked_lead(scalar.text)
            except Unfit as unfit:
                place.problem(unfit.code, unfit.message, scalar, hint=unfit.hint)
                continue
        fit.append(scalar)
    return tuple(fit)


def _source_named(place: Place, parts: Parts, sources: frozenset[str]) -> Scalar | None:
    node = parts.node_of("for_each")
    if isinstance(node, Sequence):
        hint = "type the rows under sources, `sources: {NAME: [{lead_id: ...}]}`, and write for_each: NAME"
        place.problem("SE203", "for_each names a source, and this is a list", node, hint=hint)
        return parts.node.key("for_each")  # a source that is not usable: `row` is known where templates name it
    source = None if node is None else as_text(place, node, "for_each")
    if source is not None and source.text not in sources:
        hint = did_you_mean(source.text, sources) or "declare it under sources"
        place.problem("SE318", f"there is no source {source.text!r}", source, hint=hint)
    return source


def _addressed_by_row(place: Place, parts: Parts, sources: frozenset[str]) -> tuple[tuple[Scalar, ...], Scalar | None]:
    source = _source_named(place, parts, sources)
    name = "quarantined" if "quarantined" in parts else "lead"
    if name not in parts:
        what = "for_each takes lead, not leads" if "leads" in parts else "for_each needs lead"
        hint = 'write lead: "{{ row.lead_id }}" with the column that holds the id'
        place.problem("SE241", f"{what}: which lead is each row about?", parts.node, hint=hint)
        return (), source
    lead = parts.text(name)
    if lead is None:
        return (), source
    if not is_template(lead.text):
        hint = f'write {name}: "{{{{ row.lead_id }}}}" with the column that holds the id'
        place.problem(
            "SE241", f"with for_each, {name} must be a template: all rows would change one lead", lead, hint=hint
        )
        return (), source
    return (lead,), source


def _label(place: Place, parts: Parts, number: int) -> str:
    label = parts.text("id")
    if label is None:
        return f"#{number}"
    if not usable_name(label.text):
        place.problem("SE237", "a change's id must be printable and at most 200 characters long", label)
    return label.text


def _when(place: Place, parts: Parts) -> Scalar | None:
    when = parts.text("when")
    if when is not None and when.text.lstrip().startswith("{{"):
        inner = when.text.strip().removeprefix("{{").removesuffix("}}").strip()
        compares = _COMPARISON.search(inner) is not None and "{{" not in inner
        hint = f"write when: {inner}" if compares else "write when: row.status == 'approved'"
        place.problem("SE301", "when is an expression, written without braces", when, hint=hint)
        return None
    return when


def _action(place: Place, parts: Parts) -> Action | None:
    action = parts.text("action")
    if action is None:
        return None
    known = next((name for name in _ACTIONS if name == action.text), None)
    if known is None:
        place.problem("SE204", f"there is no action {action.text!r}", action, hint=did_you_mean(action.text, _ACTIONS))
    return known


def _trigger(place: Place, parts: Parts) -> tuple[Scalar, ...]:
    listed = parts.sequence("trigger", example='["1053"]')
    if listed is None:
        return ()
    texts = (as_text(place, item, "a delivery") for item in listed.items)
    return tuple(text for text in texts if text is not None)


def _financials(place: Place, parts: Parts) -> tuple[Scalar | None, Scalar | None, Scalar | None]:
    node = parts.mapping("financials")
    if node is None:
        return None, None, None
    money = Parts(place, node, "financials", _FINANCIALS, ())
    if "payout" not in money and "revenue" not in money:
        place.problem("SE244", "financials need payout, revenue or both", node, hint="write payout: 80.00")
    return _amount(place, money, "payout"), _amount(place, money, "revenue"), money.text("buyer")


def _return(place: Place, parts: Parts) -> tuple[Scalar | None, Scalar | None]:
    """Buyer and reason of a return."""
    node = parts.mapping("return")
    if node is None:
        return None, None
    said = Parts(place, node, "return", _RETURN, ())
    missing = [name for name in ("buyer", "reason") if name not in said]
    if missing:
        hint = "write return: {buyer: northwind, reason: DNCC}, the reason as the account's lists have it"
        place.problem("SE247", f"a return needs {' and '.join(missing)}", node, hint=hint)
    return said.text("buyer"), said.text("reason")


def _amount(place: Place, money: Parts, name: str) -> Scalar | None:
    amount = money.text(name)
    if amount is None or is_template(amount.text) or parse_money(amount.text) is not None:
        return amount
    unfit = not_an_amount(amount.text)
    place.problem(unfit.code, f"the {name}: {unfit.message}", amount, hint=unfit.hint)
    return None


def _generation(place: Place, parts: Parts) -> int:
    rerun = parts.text("rerun")
    if rerun is None:
        return 1
    number = int(rerun.text) if rerun.plain and _RERUN.fullmatch(rerun.text) else 0
    if number < 2:
        hint = "leave it out the first time; 2 does it again on purpose"
        place.problem("SE243", "rerun must be a whole number from 2 to 999999", rerun, hint=hint)
        return 1
    if not any(name in parts for name in ("action", "trigger", "return")):
        hint = "updates and financials are sent again whenever their values change"
        place.problem("SE243", "rerun needs something irreversible in its change", rerun, hint=hint)
    return number


def _expect(place: Place, parts: Parts) -> tuple[Named, ...]:
    node = parts.mapping("expect")
    return () if node is None else named_texts(place, node, "the expected value of")


def _flag(place: Place, parts: Parts, name: str) -> bool:
    flag = parts.text(name)
    if flag is None:
        return False
    if not flag.plain or flag.text not in ("true", "false"):
        place.problem("SE204", f"{name} must be true or false", flag)
    return flag.text == "true"


def _fits_lead(place: Place, parts: Parts) -> None:
    """Whether the operation suits the kind of lead: some apply to quarantined leads only, the others to all other
    leads."""
    action = parts.scalar_text("action")
    if "quarantined" not in parts:
        if action in _OF_QUARANTINE:
            hint = 'address it by its quarantine id: quarantined: "123" in place of lead'
            message = f"only a lead in quarantine can be {'released' if action == 'release' else 'rejected'}"
            place.problem("SE246", message, parts.place_of("action"), hint=hint)
        return
    hint = "a lead in quarantine takes update, and action: release or action: reject; for a lead that left it, use lead"
    for name, words in (("trigger", "triggered"), ("financials", "given financials"), ("return", "returned")):
        if name in parts:
            message = f"a lead in quarantine cannot be {words}"
            place.problem("SE246", message, parts.place_of(name), hint=hint)
    if action == "reprocess":
        place.problem("SE246", "a lead in quarantine cannot be reprocessed", parts.place_of("action"), hint=hint)


def _combinations(place: Place, parts: Parts) -> None:
    _fits_lead(place, parts)
    others = [name for name in ("update", "action", "trigger", "financials") if name in parts]
    if {"action", "trigger"}.issubset(others) and "quarantined" not in parts:
        hint = "make it two changesets, and apply the second once the first is done"
        message = "action and trigger in one change: the service does not document that combination"
        place.problem("SE240", message, parts.place_of("trigger"), hint=hint)
    if "return" in parts and others:
        hint = "make the return a change of its own"
        place.problem("SE248", f"a change with return has no {others[0]}", parts.place_of(others[0]), hint=hint)
    if "return" not in parts and not others:
        hint = "add update, action, trigger, financials or return"
        place.problem("SE242", "the change does nothing", parts.node, hint=hint)
