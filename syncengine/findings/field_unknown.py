"""Fields that nothing knows: most often a slip in a name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from msgspec import structs

from syncengine.core.operations import Kind
from syncengine.findings.near_names import nearest_name
from syncengine.findings.operations import Chunk
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, counted, in_change

_USES = 5_000


class FieldUnknown(Rule):
    """Collects the fields of each change; what is known is asked for at the end.

    `declared` are the fields of lead schema and observed export: what they do not know is covered by the digest.
    `recorded` gives those that the ledger has on record.
    """

    about = Description(
        name="field-unknown",
        severity="high",
        threshold="a field that lead schema, campaign or observed columns do not know; against the record alone only "
        "where a known field is within two letters. The unknown name is accused, the nearest known one proposed; "
        "silent where none of the four names a field",
        example="postcdoe: did you mean postcode?",
    )
    kinds = frozenset({Kind.UPDATE})

    def __init__(
        self,
        declared: Collection[str],
        recorded: Callable[[], Collection[str]],
        campaigns: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        self._declared = frozenset(declared)
        self._recorded = recorded
        self._campaigns = campaigns
        self._change: dict[str, Sample] = {}
        self._uses: dict[tuple[ChangeKey, str], Sample] = {}

    def look(self, chunk: Chunk) -> None:
        for column in chunk.columns:
            sample = self._change.setdefault(column.field, Sample())
            if sample.full:
                sample.count += len(column.values)
                continue
            for index, value in enumerate(column.values):
                sample.add(column.operations[index], column.field, column.before(index), value)

    def leave(self, change: ChangeKey) -> Iterable[Found]:
        for field, sample in self._change.items():
            if field not in self._declared and len(self._uses) < _USES:
                self._uses[change, field] = sample
        self._change = {}
        return ()

    def finish(self) -> Iterator[Found]:
        """What is covered by the digest first."""
        if self._declared:
            for (change, field), sample in self._uses.items():
                yield self._found(change, field, sample, self._declared, "the lead schema or the observed columns")
        yield from self._uncovered()

    def _uncovered(self) -> Iterator[Found]:
        """What only the campaigns or the record decide."""
        if self._declared or not self._uses:
            return
        campaigns = frozenset(self._campaigns())
        known, who = campaigns, "the campaign"
        if not campaigns:
            known, who = frozenset(self._recorded()), "the account's records"
        for (change, field), sample in self._uses.items():
            # Records hold only fields that were sent before: a new one is suspect only if its name is close to theirs.
            if known and field not in known and (campaigns or nearest_name(field, known)):
                yield _beside(self._found(change, field, sample, known, who))

    def _found(self, change: ChangeKey, field: str, sample: Sample, known: Collection[str], who: str) -> Found:
        near = nearest_name(field, known)
        hint = f": did you mean {near}?" if near else ""
        leads = counted(sample.count, "lead")
        message = f"the field {field} is unknown to {who}{hint} ({leads} of {in_change(change)})"
        return self.found("high", message, change, sample)


def _beside(found: Found) -> Found:
    """The same, not covered by the digest."""
    return structs.replace(found, basis="recorded")
