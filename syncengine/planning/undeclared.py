"""Finds recorded operations of a plan's changesets that their files no longer declare. For notes, so other leads count
too.

If every recorded attempt belongs to a declared operation, nothing is missing; comparing counts shows that. Only where
the counts differ are the records read one by one and compared with what was declared.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, KeysView, Sequence
from itertools import islice
from typing import Self

import msgspec

from syncengine.core.changes import Origin
from syncengine.core.finding import SHOWN, Evidence, Finding
from syncengine.core.history import LeadHistory
from syncengine.core.operations import Update, kind_of, names_of, target_of
from syncengine.core.plan import PlannedOperation
from syncengine.core.ports import OperationRecord
from syncengine.core.values import LeadId
from syncengine.planning.conflicts import ClaimRegistry

_RECORDS = 200_000
"""Maximum number of recorded operations that are compared with the files."""
_AT_ONCE = 4096
_IN_MEMORY = 4 << 20

_Shape = tuple[str, str, tuple[str, ...]]
"""Changeset, kind, and the names of what is set (the delivery of a trigger)."""


class Undeclared:
    """Receives every operation with its lead's history; `findings` at the end. A context manager: it keeps a temporary
    file.

    `recorded` are the plan's changesets that the ledger knows, `attempts` counts a changeset's attempts, `history`
    returns its operations. `claims` is called only where something may be missing.
    """

    def __init__(
        self,
        claims: Callable[[], ClaimRegistry],
        recorded: Iterable[str],
        attempts: Callable[[str], int],
        history: Callable[[str], Iterator[OperationRecord]],
    ) -> None:
        self._make_claims = claims
        self._recorded = frozenset(recorded)
        self._attempts = attempts
        self._history = history
        self._met = dict.fromkeys(self._recorded, 0)
        self._declared = _Declared()

    def compare(self, planned: PlannedOperation, history: LeadHistory) -> None:
        """Process one operation, in order."""
        if planned.changeset not in self._recorded:
            return
        self._declared.add(planned)
        for attempt in history.attempts:
            if attempt.operation == planned.id:
                self._met[planned.changeset] += 1

    def findings(self) -> Iterator[Finding]:
        """One finding for each changeset. Call it once, at the end."""
        suspect = [name for name in sorted(self._recorded) if self._attempts(name) != self._met[name]]
        if not suspect:
            return
        claims = self._declared.claimed(self._make_claims())
        for changeset in suspect:
            finding = self._missing(changeset, claims)
            if finding is not None:
                yield finding

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._declared.close()

    def _missing(self, changeset: str, claims: ClaimRegistry) -> Finding | None:
        history = self._history(changeset)
        gone = _GoneOperations()
        for record in islice(history, _RECORDS):
            if record.outcome in ("applied", "in_doubt") and not record.forgotten:
                names = record.attempts[-1].values or {record.delivery: ""}
                gone.add(record, [name for name in names if _is_gone(claims, record, name)])
        bound = "" if next(history, None) is None else f" (of the first {_RECORDS:,} on record)"
        return gone.finding(changeset, bound)


class _GoneOperations:
    """What one changeset no longer declares, counted, with the first examples."""

    def __init__(self) -> None:
        self._count = self._doubted = 0
        self._evidence: list[Evidence] = []

    def add(self, record: OperationRecord, names: Sequence[str]) -> None:
        """One operation and the names of it that are gone, which may be none."""
        if not names:
            return
        self._count += 1
        self._doubted += record.outcome == "in_doubt"
        if len(self._evidence) < SHOWN:
            what = ", ".join(filter(None, names)) or record.kind.value
            self._evidence.append(Evidence(operation=record.operation, lead=record.lead, field=what))

    def finding(self, changeset: str, bound: str) -> Finding | None:
        """`bound` says how many records were compared, where not all were."""
        if not self._count:
            return None
        verb = "operation is" if self._count == 1 else "operations are"
        doubts = f", {self._doubted:,} of them in doubt" if self._doubted else ""
        return Finding(
            rule="undeclared",
            severity="medium" if self._doubted else "info",
            message=f"changeset {changeset}: {self._count:,} {verb} on record{bound} that its file no longer "
            f"declares{doubts}; what was done stays done",
            changeset=changeset,
            count=self._count,
            leads=tuple(dict.fromkeys(each.lead for each in self._evidence if each.lead)),
            evidence=tuple(self._evidence),
        )


_NO_FIELDS: KeysView[str] = {}.keys()


class _Declared:
    """The declared operations, kept on disk: leads, and what is done to each as the number of a shape."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by close()
        self._shapes: dict[_Shape, int] = {}
        self._waiting: list[tuple[str, int]] = []
        self._encode = msgspec.json.Encoder().encode
        self._changeset = ""
        self._fields: KeysView[str] = _NO_FIELDS
        self._number = 0

    def add(self, planned: PlannedOperation) -> None:
        """One operation."""
        operation = planned.operation
        if not (
            isinstance(operation, Update)
            and operation.fields.keys() == self._fields
            and planned.changeset == self._changeset
        ):
            self._number = self._shape_of(planned)
        self._waiting.append((operation.lead, self._number))
        if len(self._waiting) >= _AT_ONCE:
            self._flush()

    def _shape_of(self, planned: PlannedOperation) -> int:
        operation = planned.operation
        # Most updates set the same fields as the one before.
        self._changeset = planned.changeset
        self._fields = operation.fields.keys() if isinstance(operation, Update) else _NO_FIELDS
        shape = (planned.changeset, kind_of(operation), names_of(operation) or (target_of(operation),))
        return self._shapes.setdefault(shape, len(self._shapes))

    def _flush(self) -> None:
        self._file.write(self._encode(self._waiting) + b"\n")
        self._waiting.clear()

    def claimed(self, claims: ClaimRegistry) -> ClaimRegistry:
        """`claims`, with a name for everything that was declared of a lead."""
        self._flush()
        self._file.seek(0)
        decode = msgspec.json.Decoder(list[tuple[str, int]]).decode
        keys = [{_key(changeset, kind, name): "" for name in names} for changeset, kind, names in self._shapes]
        for line in self._file:
            for lead, shape in decode(line):
                claims.claim_all(LeadId(lead), keys[shape], _NOWHERE)
        return claims

    def close(self) -> None:
        """Delete everything."""
        self._file.close()


_NOWHERE = Origin("", 0)


def _is_gone(claims: ClaimRegistry, record: OperationRecord, name: str) -> bool:
    key = _key(record.changeset, record.kind.value, name)
    return claims.claim(record.lead, key, "", _NOWHERE) is None


def _key(changeset: str, kind: str, name: str) -> str:
    return f"{changeset}\0{kind}\0{name}"
