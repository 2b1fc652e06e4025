"""The readers, each as a function of bytes. Whatever the bytes, it returns; only documented errors end a reading.

Each goes in by the door that the commands use. A work folder stands in for the repository: readers that take a path
find the bytes there.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from syncengine.core.errors import SyncError
from syncengine.core.settings import Account, FieldRules, LedgerPin, Policy, Settings
from tests.fuzz import forging

SECONDS = 5.0
SECONDS_PER_MEGABYTE = 60.0
"""CPU that one input may take, about ten times what the slowest reader needs for its slowest honest input; loading
DuckDB is part of the first one's."""

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

Target = Callable[[bytes], None]

ACCOUNT = Account(
    name="acme",
    identity="acme",
    base_url="http://127.0.0.1:1",
    host="loopback",
    deliveries={"northwind": "1053"},
    buyers={"northwind": "33"},
    fields=FieldRules(public=("c1",)),
)
_TARGETS: dict[str, Callable[[Path], Target]] = {}


class Disproportionate(AssertionError):
    """A reader took more CPU than its input can account for."""


def _target(make: Callable[[Path], Target]) -> Callable[[Path], Target]:
    _TARGETS[make.__name__] = make
    return make


def names() -> list[str]:
    """All targets."""
    return sorted(_TARGETS)


def target(name: str, folder: Path) -> Target:
    """The reader of that name, held to its bounds; `folder` is its own to write to."""
    read = _TARGETS[name](folder)

    def bounded(data: bytes) -> None:
        started = time.process_time()
        read(data)
        spent = time.process_time() - started
        allowed = SECONDS + SECONDS_PER_MEGABYTE * len(data) / 1e6
        if spent > allowed:
            raise Disproportionate(f"{name}: {spent:.1f} s for {len(data):,} bytes")

    return bounded


@contextmanager
def _diagnosed() -> Iterator[None]:
    """Documented errors are a fine end; each names its code, and holds text that can be shown."""
    try:
        yield
    except SyncError as error:
        _told(error.message, error.code)
        _sound(error.problems)


def _told(message: str, code: str = "SE1") -> None:
    """The end of a reading: with words, and a code of ours that stands for no bug."""
    if not message or not code.startswith("SE") or code == "SE999":
        raise AssertionError(f"{code}: {message}")


def _sound(problems: Any) -> None:
    from syncengine.documents.diagnostics import render_text
    from syncengine.reports.annotations import github_annotations

    found = list(problems)
    render_text(found, colour=False).encode()
    "".join(github_annotations(found)).encode()
    assert all(problem.message and problem.code.startswith("SE") for problem in found)


def _settings(root: Path) -> Settings:
    return Settings(
        file="syncengine.yaml", root=str(root), accounts={"acme": ACCOUNT}, ledger=LedgerPin(), policy=Policy()
    )


def _validated(root: Path) -> None:
    from syncengine.changeset.load import load, validate

    loaded = load([root / "changesets"], _settings(root), variables={})
    _sound(list(validate(loaded)))


@_target
def changeset(folder: Path) -> Target:
    """A changeset file: YAML, templates, conflicts and all."""
    (folder / "changesets").mkdir()
    (folder / "changesets" / "rows.csv").write_text("lead,c1\n2932682,a\n")

    def read(data: bytes) -> None:
        (folder / "changesets" / "f.yaml").write_bytes(data)
        with _diagnosed():
            _validated(folder)

    return read


@_target
def template(_folder: Path) -> Target:
    """A template over a row, and the same text as a condition."""
    from syncengine.documents.expressions import ExpressionProblem, Expressions, RenderError

    expressions = Expressions()
    scope: Mapping[str, object] = {
        "row": {"name": "Joe", "amount": "80.00", "none": None, "list": ["a"], "deep": {"x": "y"}, "mark": "{{ 1 }}"},
        "vars": {"x": "1"},
        "lead": {"id": "2932682"},
        "changeset": {"id": "a-b"},
    }

    def read(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        for compiled in (expressions.compile_value(text), expressions.compile_condition(text)):
            if isinstance(compiled, ExpressionProblem):
                assert compiled.message
                continue
            try:
                if hasattr(compiled, "render"):
                    assert len(compiled.render(scope)) <= 10_000
                else:
                    assert compiled.evaluate(scope) in (True, False)
            except RenderError as error:
                _told(error.message)

    return read


@_target
def yaml(_folder: Path) -> Target:
    """The reader below changesets, configuration and policies."""
    from syncengine.documents.plain import plain
    from syncengine.documents.reader import read_documents

    def read(data: bytes) -> None:
        documents, problems = read_documents(data, "f.yaml")
        assert documents or problems
        _sound(problems)
        for document in documents:
            plain(document.node)

    return read


@_target
def configuration(folder: Path) -> Target:
    """syncengine.yaml, and the same as an outside policy."""
    from syncengine.documents.configuration import load_configuration

    (folder / "signers").write_text("anna@example.com ssh-ed25519 AAAA\n")
    (folder / "plain.yaml").write_text(
        "version: 1\naccounts: {acme: {base_url: 'https://acme.example', api_key: 'env:LEADBYTE_API_KEY'}}\n"
    )

    def read(data: bytes) -> None:
        path = folder / "syncengine.yaml"
        path.write_bytes(data)
        with _diagnosed():
            load_configuration(path, {})
        with _diagnosed():
            load_configuration(folder / "plain.yaml", {}, path)

    return read


@_target
def lead_schema(folder: Path) -> Target:
    """An account's JSON Schema, then held against two updates."""
    from syncengine.documents.lead_schema import LeadSchema

    def read(data: bytes) -> None:
        path = folder / "lead.json"
        path.write_bytes(data)
        schema = LeadSchema.load(path)
        if isinstance(schema, list):
            _sound(schema)
            return
        for fields in ({"postcode": "TN25 6QD"}, {"c1": "a" * 200, "email": "x@y"}):
            if not schema.accepts(fields):
                assert all(schema.explain(fields))

    return read


def _source(folder: Path, suffix: str, options: str = "") -> Target:
    (folder / "changesets").mkdir()
    (folder / "changesets" / "f.yaml").write_text(
        "version: 1\nchangeset: fuzzed\naccount: acme\n"
        f"sources: {{rows: {{file: rows.{suffix}{options}}}}}\n"
        "changes:\n- {for_each: rows, when: \"row.c1 != 'x'\", lead: '{{ row.lead }}',"
        " update: {c1: '{{ row.c1 }}'}, financials: {payout: '{{ row.payout | default(\"1\") | money }}'}}\n"
    )

    def read(data: bytes) -> None:
        (folder / "changesets" / f"rows.{suffix}").write_bytes(data)
        with _diagnosed():
            _validated(folder)

    return read


@_target
def csv_rows(folder: Path) -> Target:
    """A CSV source."""
    return _source(folder, "csv")


@_target
def wide_rows(folder: Path) -> Target:
    """A CSV source in UTF-16, with another delimiter."""
    return _source(folder, "csv", ", encoding: utf-16, delimiter: '|', quote: none")


@_target
def json_rows(folder: Path) -> Target:
    """A JSON Lines source."""
    return _source(folder, "jsonl")


@_target
def parquet_rows(folder: Path) -> Target:
    """A Parquet source."""
    return _source(folder, "parquet")


@_target
def statement(_folder: Path) -> Target:
    """The SQL of a source."""
    from syncengine.changeset.statement import checked_statement

    def read(data: bytes) -> None:
        checked_statement(data.decode("utf-8", "replace"))

    return read


def _observed(folder: Path, suffix: str) -> Target:
    from syncengine.core.values import LeadId
    from syncengine.planning.export import read_export

    def read(data: bytes) -> None:
        path = folder / f"observed.{suffix}"
        path.write_bytes(data)
        with _diagnosed(), read_export(path, ACCOUNT, observed_at="2026-11-20T18:00:00Z") as export:
            export.get(LeadId("2932682"))

    return read


@_target
def observed_csv(folder: Path) -> Target:
    """An observed export, CSV."""
    return _observed(folder, "csv")


@_target
def observed_lines(folder: Path) -> Target:
    """An observed export, JSON Lines."""
    return _observed(folder, "jsonl")


def _shown(path: Path) -> None:
    """Every view of a saved plan."""
    from syncengine.planning import open_plan
    from syncengine.reports.html import plan_html
    from syncengine.reports.machine import plan_json
    from syncengine.reports.markdown import plan_markdown
    from syncengine.reports.model import ViewOptions
    from syncengine.reports.text import plan_text

    options = ViewOptions(width=80, colour=False, show_values=True, public_fields=frozenset())
    with open_plan(path) as plan:
        for view in (plan_text, plan_markdown, plan_json, plan_html):
            text = "".join(view(plan.header, plan.provenance, plan.operations(), plan.summary, options))
            text.encode()
            if view is plan_json:
                json.loads(text)
            elif view is not plan_html:
                assert not _STEERING.search(text), view


@_target
def plan(folder: Path) -> Target:
    """A plan file."""

    def read(data: bytes) -> None:
        path = folder / "f.plan"
        path.write_bytes(data)
        with _diagnosed():
            _shown(path)

    return read


@_target
def forged_plan(folder: Path) -> Target:
    """A plan file whose sums are right, and whose content was made to hurt."""

    def read(data: bytes) -> None:
        path = folder / "f.plan"
        path.write_bytes(forging.plan(data))
        with _diagnosed():
            _shown(path)

    return read


@_target
def approval(_folder: Path) -> Target:
    """An approval file."""
    from syncengine.planning.approvals.sshsig import signatures_in

    def read(data: bytes) -> None:
        found, problems = signatures_in(data.decode("utf-8", "replace"))
        assert found or problems
        for signature in found:
            assert signature.fingerprint.startswith("SHA256:")
            assert isinstance(signature.weakness() + signature.key_type, str)

    return read


@_target
def signers(_folder: Path) -> Target:
    """A file of allowed signers."""
    from syncengine.planning.approvals.signers import signers_in

    def read(data: bytes) -> None:
        for signer in signers_in(data.decode("utf-8", "replace")):
            assert signer.fault or (signer.principals and signer.line.count("\n") == 1)
            assert signer.is_authority in (True, False)

    return read


@_target
def answer(_folder: Path) -> Target:
    """What the service sends: status, some headers, body. The first line of the input is the head."""
    from tests.leadbyte.samples import NOW, SECRET, entry, financials, reprocess, trigger, update

    entries = (
        (entry(update("1")), entry(update("2"), trigger("1053", "2"))),
        (entry(reprocess("3")),),
        (entry(financials("4")), entry(financials("5"))),
    )

    def read(data: bytes) -> None:
        from syncengine.leadbyte.responses import HttpAnswer, read_answer

        head, _, body = data.partition(b"\n")
        text = head.decode("latin-1")
        status, _, rest = text.partition(" ")
        number = int(status) if status.isascii() and status.isdigit() and len(status) == 3 else 200
        encoding, _, header = rest.partition(" ")
        headers = {"content-encoding": encoding, "retry-after": header, "location": header}
        for carried in entries:
            verdict = read_answer(
                HttpAnswer(status=number, headers=headers, body=body), carried, now=NOW, hide=SECRET.hide_in
            )
            assert len(repr(verdict)) < 100_000

    return read


@_target
def reading(_folder: Path) -> Target:
    """What the service says of a lead, a campaign, or nobody."""
    from syncengine.core.values import LeadId
    from syncengine.leadbyte.payload import Unreadable, read_json
    from syncengine.leadbyte.probes import campaign_of, field_names
    from syncengine.leadbyte.reads import lead_values

    def read(data: bytes) -> None:
        try:
            document = read_json(data)
        except Unreadable as error:
            _told(str(error))
            return
        campaign_of(document)
        field_names(document)
        values = lead_values(document, LeadId("2932682")) or {}
        assert all(isinstance(value, str) for value in values.values())

    return read


@_target
def imported(folder: Path) -> Target:
    """A body or a curl command to import; what it becomes is a changeset that can be read."""
    from syncengine.importing import changeset_text, fitted, looks_like_curl, parse_request
    from syncengine.importing.curl import BodyFile, parse_curl

    (folder / "changesets").mkdir()

    def read(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        with _diagnosed():
            if looks_like_curl(text):
                found = parse_curl(text, "f")
                if isinstance(found.body, BodyFile):
                    return
                text = found.body
            ready = fitted(parse_request(text, "f"), ACCOUNT, "f")
            written = "".join(changeset_text(ready, changeset="again", account="acme", label="f"))
            (folder / "changesets" / "f.yaml").write_text(written, "utf-8", "backslashreplace")
            _validated(folder)

    return read


@_target
def imported_table(folder: Path) -> Target:
    """A CSV whose rows are written out."""
    from syncengine.importing import Columns, check_columns, inline_changes, names_of
    from syncengine.tables.csv_source import CsvSource
    from syncengine.tables.sources import SourceOptions

    columns = Columns(lead="lead", fields={"c1": "c1"}, payout="payout", skip_empty=True)

    def read(data: bytes) -> None:
        path = folder / "imported.csv"
        path.write_bytes(data)
        with _diagnosed():
            source = CsvSource(SourceOptions(label="f", path=str(path)))
            check_columns(columns, names_of(source), "f")
            list(inline_changes(source, columns))

    return read


@_target
def faults(_folder: Path) -> Target:
    """A fault script of the sandbox."""
    from syncengine.sandbox.errors import SandboxError
    from syncengine.sandbox.faults_file import parse_script

    def read(data: bytes) -> None:
        try:
            parse_script(data)
        except SandboxError as error:
            _told(str(error))

    return read


@_target
def sandbox_leads(folder: Path) -> Target:
    """A leads file of the sandbox."""
    from syncengine.sandbox.errors import SandboxError
    from syncengine.sandbox.leads_file import read_leads

    def read(data: bytes) -> None:
        path = folder / "leads.csv"
        path.write_bytes(data)
        try:
            read_leads(path)
        except SandboxError as error:
            _told(str(error))

    return read


@_target
def sandbox_log(folder: Path) -> Target:
    """The effects that a sandbox finds in its folder."""
    from syncengine.sandbox.errors import SandboxError
    from syncengine.sandbox.store import SandboxStore

    def read(data: bytes) -> None:
        (folder / "effects.jsonl").write_bytes(data)
        store = SandboxStore(folder, log_requests=False)
        try:
            for line in store.replay():
                line.bare()
        except SandboxError as error:
            _told(str(error))
        finally:
            store.close()

    return read


@cache
def seeds() -> Mapping[str, tuple[bytes, ...]]:
    """Honest inputs, for mutation to begin with."""
    from tests.fuzz.honest import seeds_by_target

    return seeds_by_target()
