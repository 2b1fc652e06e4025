"""Which leads a plan is about: how many it sends something to, and which of them stand in more than one change."""

from __future__ import annotations

from syncengine.core.plan import PlannedOperation, State
from syncengine.planning.conflicts import Claims
from syncengine.planning.watching import OPEN, change_words, limited, of_leads, place

_PAIRS = 500
"""Pairs of changes whose common leads are counted apart."""
_CHANGE = "change"
_SENT = "sent"


class PlannedLeads:
    """Sees every operation in order; those of one lead and change stand together."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self._pairs: dict[tuple[str, str], tuple[int, str]] = {}
        self._others = 0
        self._change = ("", "")
        self._words = ""
        self._names: dict[bool, dict[str, str]] = {}
        self._lead = ""
        self._sent = False

    def is_new(self, planned: PlannedOperation) -> bool:
        """Whether this is the first operation to be sent to its lead."""
        if planned.state not in OPEN:
            return False
        lead = planned.operation.lead
        sends = planned.state is State.TO_SEND
        goes_on = lead == self._lead
        if planned.change != self._change[1] or planned.changeset != self._change[0]:
            self._begin(planned)
            goes_on = False
        elif goes_on and (self._sent or not sends):
            return False
        self._lead, self._sent = lead, sends
        earlier = self._claims.claim_all(lead, self._names[sends], planned.origin)
        if not earlier:
            return sends
        first = earlier.get(_CHANGE)
        if first is not None and not goes_on and first.value != self._words:
            self._note(first.value, f"lead {lead} at {place(first.origin)} and {place(planned.origin)}")
        return sends and _SENT not in earlier

    def _begin(self, planned: PlannedOperation) -> None:
        self._change = (planned.changeset, planned.change)
        self._words = change_words(*self._change)
        only = {_CHANGE: self._words}
        self._names = {False: only, True: {**only, _SENT: ""}}

    def _note(self, first: str, example: str) -> None:
        key = (first, self._words)
        known = self._pairs.get(key)
        if known is not None:
            self._pairs[key] = (known[0] + 1, known[1])
        elif len(self._pairs) < _PAIRS:
            self._pairs[key] = (1, example)
        else:
            self._others += 1

    def warnings(self) -> tuple[str, ...]:
        """The pairs with the fewest leads first: a lead listed twice by mistake is seldom one of many."""
        pairs = sorted(self._pairs.items(), key=lambda item: item[1][0])
        lines = [
            f"{of_leads(count)} {'stands' if count == 1 else 'stand'} in {first} and in {second}: {example}"
            for (first, second), (count, example) in pairs
        ]
        if self._others:
            lines.append(f"{self._others} more leads stand in several changes")
        return limited(lines)
