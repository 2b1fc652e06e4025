"""Leads that are in several changes of one plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain, combinations

from syncengine.core.finding import SHOWN
from syncengine.core.plan import PlannedOperation, State
from syncengine.documents.claims import ClaimStore
from syncengine.findings.operations import OPEN
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, counted, in_change

SHARE_PERCENT = 20
_PAIRS = 500
"""Pairs of changes whose common leads are counted apart."""
_GROUPS = 2_000
"""Different sets of changes that leads are in, which are counted apart."""
_MOST = 16
"""Changes of one lead that later ones are compared with: all of them would take the square of their number."""
_SENT = "sent"


def _leads_are(sample: Sample) -> str:
    return f"{counted(sample.count, 'lead')} {'is' if sample.count == 1 else 'are'}"


class SharedLead(Rule):
    """Sees every operation in order by `is_new`; those of one lead and change come one after the other."""

    about = Description(
        name="shared-lead",
        severity="medium, info",
        threshold="leads in two changes, one finding for each pair: medium where they are under "
        f"{SHARE_PERCENT} % of the smaller change's leads; else, as where a sheet is both updated and triggered, "
        "one info for the plan",
        example="3 leads are in the repair of 500 postcodes and in a resale of 200 leads",
    )

    def __init__(self, claims: ClaimStore) -> None:
        self._claims = claims
        self._pairs: dict[tuple[int, int], Sample] = {}
        self._others = Sample()
        self._groups: Counter[tuple[int, ...]] = Counter()
        self._changes: list[ChangeKey] = []
        self._numbers: dict[ChangeKey, int] = {}
        self._leads: Counter[int] = Counter()
        self._number = -1
        self._change = ("", "")
        self._name = ""
        self._names: dict[bool, dict[str, str]] = {}
        self._lead = ""
        self._sent = False
        self.newly_seen = False
        """Whether the last operation's lead was seen for the first time."""

    def is_new(self, planned: PlannedOperation) -> bool:
        """Whether this is the first operation to be sent to its lead."""
        self.newly_seen = False
        if planned.state not in OPEN:
            return False
        lead = planned.operation.lead
        sends = planned.state is State.TO_SEND
        goes_on = lead == self._lead
        if planned.change != self._change[1] or planned.changeset != self._change[0]:
            self._begin(planned)
            goes_on = False
        elif goes_on and (self._sent or not sends):
            # Operations of one lead and change follow each other: most need no look at the claims on disk.
            return False
        if not goes_on:
            self._leads[self._number] += 1
        self._lead, self._sent = lead, sends
        earlier = self._claims.claim_first(lead, self._names[sends], planned.origin)
        if not earlier:
            self.newly_seen = True
            return sends
        others = sorted(int(name) for name in earlier if name not in (_SENT, self._name))
        if others and self._name not in earlier:
            self._note(tuple(others), planned)
        fresh = {name: "" for name in self._names[sends] if name not in earlier}
        if len(others) >= _MOST:
            # A lead in very many changes is noted for the first of them only, so that one lead cannot fill the disk.
            fresh.pop(self._name, None)
        if fresh:
            self._claims.claim_more(lead, fresh, planned.origin)
        return sends and _SENT not in earlier

    def _begin(self, planned: PlannedOperation) -> None:
        self._change = (planned.changeset, planned.change)
        if self._change not in self._numbers:
            self._numbers[self._change] = len(self._changes)
            self._changes.append(self._change)
        self._number = self._numbers[self._change]
        self._name = str(self._number)
        self._names = {False: {self._name: ""}, True: {self._name: "", _SENT: ""}}

    def _note(self, others: tuple[int, ...], planned: PlannedOperation) -> None:
        for other in others:
            key = (min(other, self._number), max(other, self._number))
            if key not in self._pairs and len(self._pairs) < _PAIRS:
                self._pairs[key] = Sample()
            self._pairs.get(key, self._others).add(planned)
        group = tuple(sorted((*others, self._number)))
        if group in self._groups or len(self._groups) < _GROUPS:
            self._groups[group] += 1
            if others in self._groups:
                self._groups[others] -= 1

    def finish(self) -> Iterator[Found]:
        """The pairs with the fewest leads first: a lead listed twice by mistake is seldom one of many."""
        usual: dict[tuple[int, int], Sample] = {}
        for (first, second), sample in sorted(self._pairs.items(), key=lambda item: item[1].count):
            one, other = self._changes[first], self._changes[second]
            smaller = min(self._leads[first], self._leads[second])
            if sample.count * 100 < SHARE_PERCENT * smaller:
                message = f"{_leads_are(sample)} in {in_change(one)} and in {in_change(other)}"
                yield self.found("medium", message, (one[0] if one[0] == other[0] else None, None), sample)
            else:
                usual[first, second] = sample
        joined = self._joined(usual)
        if joined.count:
            changes = "several changes"
            if len(usual) == 1 and not self._others.count:
                one, other = (self._changes[number] for number in next(iter(usual)))
                changes = f"both {in_change(one)} and {in_change(other)}"
            yield self.found("info", f"{_leads_are(joined)} in {changes}", (None, None), joined)

    def _joined(self, usual: Mapping[tuple[int, int], Sample]) -> Sample:
        """One sample of the leads of these pairs and of those that were not counted pair by pair, each lead once."""
        joined = Sample()
        examples = chain(self._others.examples, *(sample.examples for sample in usual.values()))
        joined.examples = list({example.lead: example for example in examples}.values())[:SHOWN]
        joined.count = self._others.count + sum(
            leads for group, leads in self._groups.items() if not usual.keys().isdisjoint(combinations(group, 2))
        )
        return joined
