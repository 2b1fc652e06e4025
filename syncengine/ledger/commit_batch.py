"""The rows that one commit writes: answers first, then intents. Memory changes only after the commit succeeded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

import msgspec

from syncengine.core.history import Standing
from syncengine.core.message_redaction import declared_in, without_values
from syncengine.core.operations import Kind, Update, generation_of, kind_of, target_of, values_of
from syncengine.core.outcomes import LeadEntry, Outcome, Ruling, SentOperation
from syncengine.core.ports import Answered, OutgoingRequest
from syncengine.core.values import LeadId
from syncengine.ledger.chain import Entry, answer_content, request_content, seal
from syncengine.ledger.engine import Engine, Row
from syncengine.ledger.key import ValueForms
from syncengine.ledger.rows import SPAN
from syncengine.ledger.status_counts import Stand, Tally, add_tallies, after, column_of

_encode = msgspec.json.Encoder().encode
_KIND_NAMES = {kind: kind.value for kind in Kind}
SALT_CHARACTERS = 24


class Sent(msgspec.Struct, frozen=True):
    """A request of this run that awaits its answer: its entries without the stopped parts."""

    entries: tuple[LeadEntry, ...]


class RunState:
    """In-memory state of a running apply. Kept small: an operation that is simply applied leaves nothing behind."""

    def __init__(self, *, account: str, lane: str, run: str, epoch: int) -> None:
        self.account = account
        self.lane = lane
        self.run = run
        self.epoch = epoch
        self.step = 0
        """Length of the lane's chain after this run's last commit. If it is longer now, another process added
        records."""
        self.erased: frozenset[str] = frozenset()
        self.changesets: set[str] = set()
        self.sent: dict[int, Sent] = {}
        self.stands: dict[str, Stand] = {}
        self.doubts: dict[str, tuple[int, ...]] = {}
        """Open attempts by operation, as in the table doubts."""


class Batch:
    """The rows of one commit, and the changes to make in memory once it succeeded."""

    def __init__(self, state: RunState, forms: ValueForms, token: Callable[[int], str]) -> None:
        self.state = state
        self.tally: Tally = Counter()
        self.entries: list[Entry] = []
        self.changesets: list[str] = []
        self._forms = forms
        self._token = token
        self._stands: dict[str, Stand | None] = {}
        self._doubts: dict[str, tuple[int, ...]] = {}
        self._sent: dict[int, Sent] = {}
        self._answered: list[int] = []
        self._requests: list[Row] = []
        self._attempts: list[Row] = []
        self._answers: list[Row] = []
        self._outcomes: list[Row] = []
        self._new_doubts: list[Row] = []
        self._settled: list[Row] = []

    # Answers

    def answer(self, answered: Answered, sent: Sent) -> None:
        """Record the answer to one request."""
        parts = [part for entry in sent.entries for part in entry.parts]
        rulings = list(chain.from_iterable(answered.rulings))
        if len(parts) != len(rulings):
            raise ValueError(f"request {answered.request} holds {len(parts)} operations, not {len(rulings)}")
        shared = most_common(rulings)
        envelope, texts = self._redacted(answered, sent, rulings)
        message, warnings = texts[id(shared)]
        words = _encode((envelope, message, warnings)).decode()
        salts = self._salts(1)
        outcome = shared.outcome.value
        number = answered.request * SPAN
        exceptions = []
        for position, ruling in enumerate(rulings):
            if ruling is not shared and ruling != shared:
                row = self._exception(number + position, ruling, texts[id(ruling)])
                self._outcomes.append(row)
                exceptions.append((row[0], row[1], seal(row[3], row[2])))
        row = (answered.request, answered.verdict, answered.status, answered.at, outcome, words, salts[0])
        self._answers.append(row)
        content = answer_content(row, seal(salts[0], words), exceptions)
        self.entries.append(("answer", str(answered.request), content))
        self._answered.append(answered.request)
        self._count(number, parts, rulings, plain=not exceptions and shared.outcome is Outcome.APPLIED)

    def _exception(self, number: int, ruling: Ruling, texts: tuple[str, tuple[str, ...]]) -> Row:
        return (number, ruling.outcome.value, _encode(texts).decode(), self._salts(1)[0])

    def _redacted(
        self, answered: Answered, sent: Sent, rulings: Sequence[Ruling]
    ) -> tuple[str, dict[int, tuple[str, tuple[str, ...]]]]:
        """The envelope's message, and each ruling's message and warnings (by identity of the ruling)."""
        each = {id(ruling): ruling for ruling in rulings}.values()
        texts = {answered.message, *(text for ruling in each for text in (ruling.message, *ruling.warnings))}
        found = {} if self._forms.plain else declared_in("\n".join(texts), sent.entries)
        clean = {text: without_values(well_formed(text), found) for text in texts}
        return clean[answered.message], {
            id(ruling): (clean[ruling.message], tuple(clean[warning] for warning in ruling.warnings)) for ruling in each
        }

    def _count(self, number: int, parts: Sequence[SentOperation], rulings: Sequence[Ruling], *, plain: bool) -> None:
        state = self.state
        if plain and not (state.stands or self._stands or state.doubts or self._doubts):
            self.tally["", "applied"] += len(parts)
            self.tally[state.run, "applied"] += len(parts)
            return
        for position, (part, ruling) in enumerate(zip(parts, rulings, strict=True)):
            self._settle(number + position, part.id, ruling.outcome)

    def _settle(self, number: int, operation: str, outcome: Outcome) -> None:
        old = self._stand(operation)
        overall = after(old.overall if old else None, outcome)
        own = after(old.own if old else None, outcome)
        self._add("", overall, 1)
        self._add(self.state.run, own, 1)
        plain = overall is Standing.APPLIED and own is Standing.APPLIED
        if not plain or old is not None:
            self._stands[operation] = None if plain else Stand(overall, own, tried=True)
        doubts = self._doubts.get(operation, self.state.doubts.get(operation, ()))
        if outcome is Outcome.UNKNOWN:
            self._new_doubts.append((number, self.state.account, operation))
            self._doubts[operation] = (*doubts, number)
        elif outcome is Outcome.APPLIED and doubts:
            self._settled.extend((doubt,) for doubt in doubts)
            self._doubts[operation] = ()

    def _stand(self, operation: str) -> Stand | None:
        return self._stands[operation] if operation in self._stands else self.state.stands.get(operation)

    def _add(self, run: str, standing: Standing | None, difference: int) -> None:
        column = column_of(standing)
        if column:
            self.tally[run, column] += difference

    # Intents

    def intend(self, request: int, entries: tuple[LeadEntry, ...], at: str, prior: dict[str, Stand]) -> None:
        """Record the intent to send a request. `prior`: the present state of its operations."""
        state = self.state
        parts = [(entry.lead, part) for entry in entries for part in entry.parts]
        if len(parts) > SPAN:
            raise ValueError(f"one request may carry {SPAN} operations, not {len(parts)}")
        rows, sealed = self._attempt_rows(request * SPAN, parts)
        self._attempts.extend(rows)
        self._requests.append((request, state.run, state.epoch, at))
        content = request_content(request, state.run, state.epoch, at, sealed)
        self.entries.append(("request", str(request), content))
        self._sent[request] = Sent(entries)
        if prior or state.stands or self._stands:
            for _, part in parts:
                self._reopen(part.id, prior)

    def _attempt_rows(self, number: int, parts: Sequence[tuple[str, SentOperation]]) -> tuple[list[Row], list[Row]]:
        rows: list[Row] = []
        sealed: list[Row] = []
        account, stored = self.state.account, self._forms.stored
        self._note_changesets([part.changeset for _, part in parts])
        numbers = range(number, number + len(parts))
        for own, (lead, part), salt in zip(numbers, parts, self._salts(len(parts)), strict=True):
            identity, changeset, operation = part.id, part.changeset, part.operation
            if type(operation) is Update:
                kind, delivery, generation, values = Kind.UPDATE, "", 1, operation.fields
            else:
                kind, delivery = kind_of(operation), target_of(operation)
                generation, values = generation_of(operation), values_of(operation)
            vals = _encode(stored(kind, lead, values)).decode() if values else ""
            name = _KIND_NAMES[kind]
            rows.append(
                (own, account, lead, identity, changeset, name, delivery, generation, vals, salt if vals else "")
            )
            sealed.append((own, identity, changeset, lead, name, delivery, generation, seal(salt, vals)))
        return rows, sealed

    def _note_changesets(self, changesets: Sequence[str]) -> None:
        known = self.state.changesets
        self.changesets.extend(c for c in dict.fromkeys(changesets) if c not in known and c not in self.changesets)

    def _reopen(self, operation: str, prior: dict[str, Stand]) -> None:
        """Remove an operation that now has an open intent from its tallies until the answer is recorded."""
        old = self._stand(operation)
        if old is None:
            if operation not in prior:
                return
            old = self._stands[operation] = prior[operation]
        self._add("", old.overall, -1)
        if old.tried:
            self._add(self.state.run, old.own, -1)

    def _salts(self, count: int) -> list[str]:
        text = self._token(count * SALT_CHARACTERS // 2)
        return [text[start : start + SALT_CHARACTERS] for start in range(0, len(text), SALT_CHARACTERS)]

    # Writing

    def write_answers(self, engine: Engine) -> None:
        """Write the answers, inside a transaction."""
        engine.many("insert_answer", self._answers)
        engine.many("insert_outcome", self._outcomes)
        if self._answered:
            engine.put("delete_pending", requests=self._answered)

    def write_intents(self, engine: Engine) -> None:
        """Write the intents, inside a transaction."""
        state = self.state
        engine.many("insert_request", self._requests)
        engine.many("insert_pending", [(row[0], state.account, state.run) for row in self._requests])
        engine.many("insert_attempts", self._attempts)
        engine.many("add_changeset", [(state.account, changeset) for changeset in self.changesets])

    def write_counts(self, engine: Engine) -> None:
        """Write tallies and doubts as this run knows them. Only the holder of the lease may call it."""
        engine.many("delete_doubt", self._settled)
        engine.many("insert_doubt", self._new_doubts)
        add_tallies(engine, self.state.account, self.tally)

    def landed(self, engine: Engine) -> bool:
        """Whether this batch is in the database; called after a commit that got no acknowledgement."""
        if self._requests:
            return bool(engine.rows("get_request", request=self._requests[-1][0]))
        return not self._answers or bool(engine.rows("has_answer", request=self._answers[-1][0]))

    def remember(self) -> None:
        """Apply the committed batch to the state in memory."""
        state = self.state
        for request in self._answered:
            state.sent.pop(request, None)
        state.sent.update(self._sent)
        for operation, stand in self._stands.items():
            if stand is None:
                state.stands.pop(operation, None)
            else:
                state.stands[operation] = stand
        for operation, numbers in self._doubts.items():
            if numbers:
                state.doubts[operation] = numbers
            else:
                state.doubts.pop(operation, None)
        state.changesets.update(self.changesets)


def most_common(rulings: Sequence[Ruling]) -> Ruling:
    """The ruling that most operations of a request share. It is written once for all of them."""
    head = rulings[0]
    if rulings.count(head) == len(rulings):
        return head
    counts = Counter(rulings)
    return counts.most_common(1)[0][0]


def to_recheck(outgoing: Iterable[OutgoingRequest], erased: frozenset[str]) -> list[LeadEntry]:
    """The entries whose repeats, doubts and holds must be checked again in the transaction."""
    return [entry for request in outgoing for entry in request.entries if entry.lead in erased or not entry.is_harmless]


def without_stopped(outgoing: OutgoingRequest, stopped: Iterable[str]) -> tuple[LeadEntry, ...]:
    """The entries to send, without stopped parts and without entries that have no parts left."""
    refused = frozenset(stopped)
    if not refused:
        return outgoing.entries
    kept = []
    for entry in outgoing.entries:
        parts = tuple(part for part in entry.parts if part.id not in refused)
        if parts:
            kept.append(entry if len(parts) == len(entry.parts) else LeadEntry(entry.lead, entry.number, parts))
    return tuple(kept)


def leads_of(outgoing: Iterable[OutgoingRequest]) -> list[LeadId]:
    """Leads of these requests, without duplicates."""
    return leads_in(entry for request in outgoing for entry in request.entries)


def leads_in(entries: Iterable[LeadEntry]) -> list[LeadId]:
    """Leads of these entries, without duplicates."""
    return list(dict.fromkeys(entry.lead for entry in entries))


def well_formed(text: str) -> str:
    """`text` in a form that both databases can store: without NUL and lone surrogates."""
    return (
        text if text.isascii() and "\0" not in text else text.replace("\0", "\ufffd").encode(errors="replace").decode()
    )
