"""Contents of records as the tables hold them now, in the form in which they were hashed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from syncengine.ledger.chain import answer_content, request_content, seal
from syncengine.ledger.engine import Engine, Row
from syncengine.ledger.record_encoding import event_content, resolution_content, run_content
from syncengine.ledger.rows import SPAN, plain_values, run_rows


class Link(msgspec.Struct, frozen=True):
    """A row of the chain: record `ref` of that kind is the `step`th of its lane."""

    position: int
    account: str
    lane: str
    step: int
    kind: str
    ref: str
    hash: str

    @property
    def where(self) -> str:
        """Name of the record, for messages."""
        place = f" of account {self.account}" if self.account else ""
        return f"{self.kind} {self.ref}{place} (position {self.position})"


Loader = Callable[[Engine, Sequence[Link]], dict[int, Any]]


def load(engine: Engine, links: Sequence[Link]) -> dict[int, Any]:
    """Position to content. Records that are gone, or of an unknown kind, are left out."""
    contents: dict[int, Any] = {}
    for kind in sorted({link.kind for link in links}):
        loader = _LOADERS.get(kind)
        if loader is not None:
            contents.update(loader(engine, [link for link in links if link.kind == kind]))
    return contents


def sealed_text(salt: str, text: str, kept: str | None) -> str:
    """The seal of a text that may have been erased."""
    return seal(salt, text) if kept is None else kept


def _numbers(links: Sequence[Link]) -> list[int]:
    return [int(link.ref) for link in links if link.ref.isdigit()]


def _by_ref(links: Sequence[Link], found: dict[str, Any]) -> dict[int, Any]:
    return {link.position: found[link.ref] for link in links if link.ref in found}


def _requests(engine: Engine, links: Sequence[Link]) -> dict[int, Any]:
    numbers = _numbers(links)
    attempts: dict[int, list[Any]] = {}
    for row in engine.rows("attempts_of", requests=numbers):
        number, account, lead, operation, changeset, kind, delivery, generation, vals, salt, kept = row
        entry = [number, operation, changeset, lead, kind, delivery, generation, sealed_text(salt, vals, kept)]
        attempts.setdefault(number // SPAN, []).append((account, entry))
    found: dict[str, Any] = {}
    owners = {link.ref: link.account for link in links}
    for request, run, epoch, at in engine.rows("requests_of", requests=numbers):
        own = attempts.get(request, [])
        # An attempt moved to another account is missing from look-ups, so its request no longer counts as complete.
        entries = [entry for account, entry in own if account == owners.get(str(request))]
        found[str(request)] = request_content(request, run, epoch, at, entries)
    return _by_ref(links, found)


def _answers(engine: Engine, links: Sequence[Link]) -> dict[int, Any]:
    numbers = _numbers(links)
    exceptions: dict[int, list[Any]] = {}
    for number, outcome, words, salt, kept in engine.rows("outcomes_of", requests=numbers):
        exceptions.setdefault(number // SPAN, []).append([number, outcome, sealed_text(salt, words, kept)])
    found: dict[str, Any] = {}
    for row in engine.rows("answers_of", requests=numbers):
        request, _verdict, _status, _at, _outcome, text, salt, kept = row
        words = sealed_text(salt, text, kept)
        found[str(request)] = answer_content(row, words, exceptions.get(request, []))
    return _by_ref(links, found)


def _runs(engine: Engine, links: Sequence[Link]) -> dict[int, Any]:
    rows = run_rows(engine.rows("runs_of", ids=[link.ref for link in links]))
    return _by_ref(links, {row.id: run_content(row) for row in rows})


def _ends(engine: Engine, links: Sequence[Link]) -> dict[int, Any]:
    rows = run_rows(engine.rows("runs_of", ids=[link.ref for link in links]))
    return _by_ref(links, {row.id: [row.id, row.ended, row.exit_code, row.stopped] for row in rows})


def _cancels(engine: Engine, links: Sequence[Link]) -> dict[int, Any]:
    rows = run_rows(engine.rows("runs_of", ids=[link.ref for link in links]))
    return _by_ref(links, {row.id: [row.id, row.cancelled_by, row.cancelled_at] for row in rows})


def _resolutions(engine: Engine, links: Sequence[Link]) -> dict[int, Any]:
    found: dict[str, Any] = {}
    for number, applied, by, at, note, salt, kept in engine.rows("resolutions_of", numbers=_numbers(links)):
        found[str(number)] = resolution_content(
            number, applied=bool(applied), by=by, at=at, note=sealed_text(salt, note, kept)
        )
    return _by_ref(links, found)


def _erasures(engine: Engine, links: Sequence[Link]) -> dict[int, Any]:
    contents: dict[int, Any] = {}
    for link in links:
        for row in engine.rows("erasures_of", account=link.account, leads=[link.ref]):
            contents[link.position] = list(row)
    return contents


def _hosts(engine: Engine, links: Sequence[Link]) -> dict[int, Any]:
    return _by_ref(links, {row[0]: list(row) for row in engine.rows("get_accounts")})


def _names(engine: Engine, links: Sequence[Link]) -> dict[int, Any]:
    contents: dict[int, Any] = {}
    for link in links:
        account, changeset, kind, name = json.loads(link.ref)
        for row in engine.rows("get_name", account=account, changeset=changeset, kind=kind, name=name):
            contents[link.position] = list(row)
    return contents


def _events(engine: Engine, links: Sequence[Link]) -> dict[int, Any]:
    rows: list[Row] = engine.rows("events_of", ids=[link.ref for link in links])
    return _by_ref(links, {row[0]: event_content(row) for row in rows})


_LOADERS: dict[str, Loader] = {
    "request": _requests,
    "answer": _answers,
    "run": _runs,
    "end": _ends,
    "cancel": _cancels,
    "resolution": _resolutions,
    "erasure": _erasures,
    "host": _hosts,
    "name": _names,
    "event": _events,
}


def _words_in(text: str) -> Any:
    return json.loads(text) if text else None


def erasable_texts(engine: Engine, links: Sequence[Link]) -> dict[int, Any]:
    """Position to the texts of a record that its content holds only as seals: values, messages, notes."""
    requests = [int(link.ref) for link in links if link.kind == "request"]
    answers = [int(link.ref) for link in links if link.kind == "answer"]
    notes = [int(link.ref) for link in links if link.kind == "resolution"]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for attempt, *_, values, _salt, _kept in engine.rows("attempts_of", requests=requests):
        found.setdefault(("request", str(attempt // SPAN)), {})[str(attempt)] = plain_values(values)
    for request, _verdict, _status, _at, _outcome, words, *_ in engine.rows("answers_of", requests=answers):
        found.setdefault(("answer", str(request)), {})["shared"] = _words_in(words)
    for attempt, _outcome, words, *_ in engine.rows("outcomes_of", requests=answers):
        found.setdefault(("answer", str(attempt // SPAN)), {})[str(attempt)] = _words_in(words)
    for attempt, _applied, _by, _at, note, *_ in engine.rows("resolutions_of", numbers=notes):
        found[("resolution", str(attempt))] = {"note": note}
    return {link.position: found[link.kind, link.ref] for link in links if (link.kind, link.ref) in found}
