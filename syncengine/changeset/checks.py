"""Checks of rendered values before they may be sent: one check for each kind of value."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from types import MappingProxyType

import msgspec

from syncengine.changeset.structure import unsendable
from syncengine.core.changes import NameUse
from syncengine.core.settings import Account
from syncengine.core.spreadsheets import fault_of_buyer, fault_of_id
from syncengine.core.text import is_blank
from syncengine.core.values import (
    Cents,
    LeadId,
    format_money,
    is_quarantined,
    is_service_id,
    parse_money,
    quarantined,
)
from syncengine.documents.contacts import contact_in
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.tables.cells import FLOAT_ADVICE, Inexact, Unusable

MAX_TEXT = 10_000
"""Maximum length of a value, in characters; the same limit applies to templates."""


OF_DATA = MappingProxyType(
    {"SE206": "SE336", "SE231": "SE331", "SE232": "SE332", "SE233": "SE333", "SE235": "SE335", "SE236": "SE336"}
)
"""Codes of the same problems for the result of a template, where the data is at fault and not the changeset."""


class Unfit(Exception):
    """A value cannot be used: code, sentence and hint of the problem."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class Left(msgspec.Struct, frozen=True):
    """Marks a value that `skip_empty` leaves out."""


class Resolved(msgspec.Struct, frozen=True):
    """A delivery or buyer id, and the configured name that was used for it, if any."""

    id: str
    use: NameUse | None = None


LEFT_OUT = Left()
Value = str | Cents | Resolved | Left
Check = Callable[[str], Value]

_REMEMBERED = 1_000
_FRACTION = re.compile(r"-?[0-9]+\.(?!0$)[0-9]+", re.ASCII)
_money = lru_cache(maxsize=1 << 12)(parse_money)


class Checks:
    """The checks of one account, configured for one change."""

    def __init__(self, account: Account, *, allow_negative: bool, skip_empty: bool) -> None:
        self._account = account
        self._allow_negative = allow_negative
        self._skip_empty = skip_empty
        self._allow_empty = account.fields.allow_empty
        self._deliveries: dict[str, Resolved] = {}
        self._buyers: dict[str, Resolved] = {}

    def field(self, text: str) -> Value:
        """A field's text."""
        if text.__class__ is not str:
            text = _plain_decimal(text)
        # Fast path: the first two tests are cheap, and true of few visible texts.
        if (not text.isascii() or not text.strip()) and is_blank(text):
            if self._skip_empty:
                return LEFT_OUT
            # `allow_empty` sends an empty text. A space in its place is never intended, and a reader would not see it.
            if clean(text) or not self._allow_empty:
                raise _empty(text, allowed=self._allow_empty)
        return clean(text)

    def amount(self, text: str) -> Value:
        """An amount, exact."""
        cents = _money(clean(text))
        if cents is None:
            if self._skip_empty and is_blank(text):
                return LEFT_OUT
            raise not_an_amount(text)
        if cents < 0 and not self._allow_negative:
            raise Unfit("SE233", f"the amount {text} is negative", "the policy must say allow_negative: true")
        return cents

    def delivery(self, text: str) -> Value:
        """A delivery's id, or the configured name of one."""
        known = self._deliveries.get(clean(text))
        if known is None:
            known = self._delivery(text)
            if len(self._deliveries) < _REMEMBERED:
                self._deliveries[text] = known
        return known

    def buyer(self, text: str) -> Value:
        """A buyer's id, or the configured name of one."""
        if is_blank(clean(text)):
            if self._skip_empty:
                return LEFT_OUT
            raise Unfit("SE206", "the buyer is empty", "leave buyer out where there is none")
        known = self._buyers.get(text)
        if known is None:
            known = self._buyer(text)
            if len(self._buyers) < _REMEMBERED:
                self._buyers[text] = known
        return known

    def expected(self, text: str) -> Value:
        """The before-value that a field must have. An empty text is a value too."""
        return clean(text if text.__class__ is str else _plain_decimal(text))

    def expected_amount(self, text: str) -> Value:
        """The before-value that an amount must have, in the form for comparison."""
        cents = parse_money(clean(text))
        if cents is None:
            raise not_an_amount(text)
        return format_money(cents)

    def expected_buyer(self, text: str) -> Value:
        """The buyer that must be on record, as an id."""
        return self._buyer(clean(text)).id

    def _delivery(self, text: str) -> Resolved:
        target = self._account.deliveries.get(text)
        if target is not None:
            return Resolved(target, NameUse("delivery", text, target))
        if is_service_id(text):
            return Resolved(text)
        if not self._account.name:
            return Resolved(text)
        if text[:1].isdigit() or fault_of_id(text) is not None:
            raise _no_id(text, "a delivery id")
        hint = (
            did_you_mean(text, self._account.deliveries)
            or "name it under deliveries: in syncengine.yaml, or write its id"
        )
        raise Unfit("SE511", f"the account {self._account.name} has no delivery {_shown(text)}", hint)

    def _buyer(self, text: str) -> Resolved:
        """The service accepts any text as buyer. If the account names its buyers, only those names and digits are
        accepted."""
        names = self._account.buyers
        if text in names:
            return Resolved(names[text], NameUse("buyer", text, names[text]))
        fault = fault_of_buyer(text)
        if fault is not None:
            raise Unfit("SE334", f"{_shown(text)} is not a buyer's id: {fault.cause}", fault.remedy)
        if not names or (text.isascii() and text.isdecimal()):
            return Resolved(text)
        hint = did_you_mean(text, names)
        hint += " A buyer" if hint.endswith("?") else "; a buyer"
        hint += " whose id is a word is named under buyers: in syncengine.yaml"
        raise Unfit("SE512", f"the account {self._account.name} has no buyer {_shown(text)}", hint)


def lead_check(*, quarantined: bool) -> Callable[[str], LeadId]:
    """The check for the leads of a change."""
    return quarantined_lead if quarantined else lead


def lead(text: str) -> LeadId:
    """A lead id."""
    if is_service_id(clean(text)):
        return LeadId(text)
    contact = contact_in(text)
    if contact is not None:
        what, hint = contact
        raise Unfit("SE231", f"{_shown(text)} is {what}, not a lead id", hint)
    raise _no_id(text, "a lead id", 'write quarantined: "123" in place of lead' if is_quarantined(text) else "")


def quarantined_lead(text: str) -> LeadId:
    """A quarantine id."""
    if not is_service_id(clean(text)):
        raise _no_id(text, "a quarantine id")
    return quarantined(text)


def _no_id(text: str, what: str, hint: str = "") -> Unfit:
    fault = fault_of_id(text)
    if fault is None:
        return Unfit("SE231", f"{_shown(text)} is not {what}", hint or "digits without a leading zero, at most 19")
    return Unfit("SE231", f"{_shown(text)} is not {what}: {fault.cause}", fault.remedy)


def _empty(text: str, *, allowed: bool) -> Unfit:
    message = (
        "the value shows nothing: it holds only white space or unseen characters" if text else "the value is empty"
    )
    send = (
        "the filter trim makes it empty, which the account allows"
        if allowed
        else ("fields.allow_empty: true of the account sends an empty value")
    )
    return Unfit("SE236", message, f"skip_empty: true leaves it out; {send}")


def not_an_amount(text: str) -> Unfit:
    """The problem for a text that should be an amount."""
    hint = "write digits with at most two decimals and a point: 80.00"
    return Unfit("SE232", f"{_shown(text)} is not an amount", hint)


def clean(text: str) -> str:
    """`text` itself, where it is a text that can be sent."""
    if text.__class__ is not str:
        raise _no_text(text)
    if not text.isprintable() and (character := unsendable(text)) is not None:
        raise Unfit("SE235", f"the value holds {character}, which cannot be sent", "take it out of the data")
    if len(text) > MAX_TEXT:
        raise Unfit("SE235", f"the value has {len(text):,} characters; at most {MAX_TEXT:,} can be sent")
    return text


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _plain_decimal(value: object) -> str:
    """The text of a float that is a decimal fraction; all other floats are refused.

    A whole float was typed as digits, and a missing value elsewhere in the column made it a float: neither sending its
    ".0" nor cutting it off is safe. See docs/decisions/0005-binary-floats-of-sources.md.
    """
    if not isinstance(value, Inexact):
        raise _no_text(value)
    if _FRACTION.fullmatch(value.text) is None:
        raise Unfit("SE327", f"the value is the binary float {value.text}", FLOAT_ADVICE)
    return value.text


def _no_text(value: object) -> Unfit:
    if isinstance(value, Inexact):
        return Unfit("SE327", "the value is a binary float, which is not exact", FLOAT_ADVICE)
    if isinstance(value, Unusable):
        return Unfit(value.code, f"the value is {value.kind}, not a text", value.advice)
    kind = "a list" if isinstance(value, list) else "a mapping"
    return Unfit("SE317", f"the value is {kind}, not a text", "name a column with a single value")
