"""The operations of a plan as the HTML view carries them: compact JSON that its script makes the table from."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncengine.core.changes import Origin
from syncengine.core.finding import Finding
from syncengine.core.log_commands import broken
from syncengine.core.operations import IRREVERSIBLE, SPECS, Financials, Kind, is_irreversible, kind_of, target_of
from syncengine.core.plan import PlannedOperation, State
from syncengine.core.redaction import Masker, visible
from syncengine.reports.facts import TargetNames, with_name
from syncengine.reports.findings import message_words
from syncengine.reports.members import Members
from syncengine.reports.places import Places
from syncengine.reports.rows import AMOUNTS, Row, row_of, source_of
from syncengine.reports.vocabulary import short, state_word

_KINDS = tuple(Kind)
_STATES = tuple(State)
_UNSENT = frozenset({State.ALREADY_APPLIED, State.UNCHANGED, State.IN_DOUBT})
_ENCODER = msgspec.json.Encoder()
_FOR_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_ID = 16


class HtmlTable:
    """Encodes rows as JSON arrays; texts that recur are numbered."""

    def __init__(
        self, limit: int, masker: Masker, findings: Sequence[Finding], places: Places, names: TargetNames
    ) -> None:
        self._left = {False: limit, True: limit}
        self._masker = masker
        self._texts: dict[str, int] = {"": 0}
        self._changes: dict[tuple[str, str], int] = {}
        self._files: list[str] = []
        self._links: list[str] = []
        self._place_links: dict[int, str] = {}
        self._places = places
        self._names = dict(names)
        self._findings = findings
        self._members = Members(findings)
        self.listed = 0

    def add(self, planned: PlannedOperation) -> str:
        """The row as JSON, with its comma; empty where the page holds enough rows of this risk."""
        irreversible = is_irreversible(planned.operation)
        if self._left[irreversible] <= 0:
            return ""
        self._left[irreversible] -= 1
        comma = ",\n" if self.listed else "\n"
        self._members.see(self.listed, planned)
        self.listed += 1
        return comma + json_text(self._row(planned))

    def _row(self, planned: PlannedOperation) -> list[object]:
        row = row_of(planned, self._masker, self._names)
        origin = planned.origin
        for use in planned.names:
            self._names.setdefault((use.kind, str(use.target)), use.name)
        cells: list[object] = [
            short(row.id, _ID),
            self._change(planned, row),
            _KINDS.index(row.kind),
            row.lead,
            _STATES.index(row.state),
            self._declared(origin),
            origin.row or 0,
            origin.data or 0,
            self._text(row.what),
            self._text(row.reason),
            self._text(", ".join(row.done)),
            self._text(_target(planned, "delivery", self._names)),
            self._text(_target(planned, "buyer", self._names)),
            _other_before(planned),
        ]
        for diff in row.diffs:
            before = f"{diff.before} {diff.before_name}" if diff.before_name else diff.before
            after = f"{diff.after} {diff.after_name}" if diff.after_name else diff.after
            cells += [self._text(diff.name), before, after, self._text(diff.origin), int(diff.sent)]
        return cells

    def _change(self, planned: PlannedOperation, row: Row) -> int:
        key = (row.changeset, row.change)
        number = self._changes.get(key)
        if number is None:
            number = self._changes[key] = len(self._changes)
            facts = self._places.facts(planned.changeset, planned.change)
            self._files.append(visible(facts.file) if facts is not None else "")
            url = self._places.of_operation(planned).url if facts is not None else ""
            # The script appends the line of each row where the address has one.
            self._links.append(url.removesuffix(str(planned.origin.data)) if "#L" in url else url)
        return number

    def _declared(self, origin: Origin) -> int:
        number = self._text(source_of(Origin(origin.file, origin.line)))
        if number not in self._place_links:
            self._place_links[number] = self._places.of_change(origin).url
        return number

    def _text(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def names(self) -> dict[str, object]:
        """What the numbers of the rows mean."""
        return {
            "kinds": [kind.value for kind in _KINDS],
            "irreversible": [kind in IRREVERSIBLE for kind in _KINDS],
            "states": [state_word(state) for state in _STATES],
            "stateKeys": [state.value for state in _STATES],
            "unsent": [state in _UNSENT for state in _STATES],
            "changes": [list(key) for key in self._changes],
            "files": self._files,
            "links": self._links,
            "placeLinks": {str(number): url for number, url in self._place_links.items() if url},
            "texts": list(self._texts),
        }

    def findings(self) -> list[dict[str, object]]:
        """Each finding, and the rows that it is about. Once, when all rows were added."""
        return [
            {
                "rule": finding.rule,
                "severity": finding.severity,
                "message": message_words(finding, self._names),
                "count": finding.count,
                "rows": rows,
            }
            for finding, rows in zip(self._findings, self._members.finish(), strict=True)
        ]


def json_text(value: object) -> str:
    """JSON that may be inside a script element."""
    # No "<" survives, so nothing in the data can end the script element; JSON reads the escapes back. What a CI runner
    # would obey is broken here, in JSON's way: the page is broken in HTML's where it is printed.
    return broken(_ENCODER.encode(value).decode().translate(_FOR_SCRIPT), "json")


def _target(planned: PlannedOperation, what: str, names: TargetNames) -> str:
    """The delivery or buyer that a reader filters by: id and name."""
    operation = planned.operation
    if isinstance(operation, Financials):
        id_ = operation.buyer or "" if what == "buyer" else ""
    else:
        id_ = target_of(operation) if SPECS[kind_of(operation)].target == what else ""
    return with_name(what, id_, names) if id_ else ""


def _other_before(planned: PlannedOperation) -> str | None:
    """What is known of the amount that the operation does not set: its margin needs it."""
    operation = planned.operation
    if not isinstance(operation, Financials) or (operation.payout is None) == (operation.revenue is None):
        return None
    name = next(name for name in AMOUNTS if getattr(operation, name) is None)
    before = planned.before.get(name)
    return None if before is None or before.value is None else visible(before.value)
