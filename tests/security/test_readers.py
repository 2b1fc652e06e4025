"""Every reader, for any bytes: a result or a diagnostic, never a traceback, and CPU in proportion to the bytes.

`python -m tests.fuzz` goes on where this stops: see docs/testing.md.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import targets

FOUND = Path(targets.__file__).parent / "found"
_PIECES = (
    b"", b"\0", b"\n", b"\r", b"\r\n", b" ", b"\t", b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b"{{", b"}}", b"{%",
    b",", b":", b": ", b"- ", b"? ", b"&a", b"*a", b"!!x ", b"<<: ", b"|", b">", b"#", b"---\n", b"$'", b"$$", b"/*",
    b"%00", b"-1", b"1e999", b"9" * 400, b"NaN", b"null", b"true", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf",
    b"\xe2\x80\xae", b"\xf0\x9f\x98\x80", b"\x1b[2J", b"lead", b"\xfe\xff", b"-----BEGIN SSH SIGNATURE-----",
)  # fmt: skip


EXAMPLES = {"changeset": 20, "csv_rows": 20, "json_rows": 20, "wide_rows": 20, "parquet_rows": 10}
"""Fewer for those that read a whole changeset each time."""


@contextmanager
def _reader(name: str) -> Iterator[targets.Target]:
    with tempfile.TemporaryDirectory() as folder:
        yield targets.target(name, Path(folder))


@st.composite
def _spoiled(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """An honest input with a few wounds."""
    data = draw(st.sampled_from(seeds))[:5_000]
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from((0, 1, 2, 8, 60))))
        piece = draw(st.one_of(st.sampled_from(_PIECES), st.binary(max_size=6), st.just(data[start:end] * 3)))
        data = data[:start] + piece + data[end:]
    return data


@pytest.mark.parametrize("name", targets.names())
def test_any_bytes_end_in_a_result_or_a_diagnostic(name: str) -> None:
    with _reader(name) as read:
        seeds = targets.seeds()[name]
        for seed in seeds:
            read(seed)

        @settings(
            max_examples=EXAMPLES.get(name, 40), deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(st.one_of(_spoiled(seeds), _spoiled(seeds), st.binary(max_size=200)))
        def holds(data: bytes) -> None:
            read(data)

        holds()


@pytest.mark.parametrize("path", sorted(FOUND.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_once_broke_a_reader_breaks_it_no_more(path: Path) -> None:
    with _reader(path.parent.name) as read:
        read(path.read_bytes())


_Pump = Callable[[int], bytes]


def _times(before: bytes, piece: bytes, after: bytes = b"") -> _Pump:
    return lambda count: before + piece * count + after


_HEAD = b"version: 1\nchangeset: pumped\naccount: acme\nchanges:\n"
_BODY = b'{"leads": [{"id": "1", "update": {"c1": "'
_CURL = b"curl -X PUT https://a.leadbyte.co.uk/restapi/v1.3/leads -d "

PUMPS: dict[str, tuple[str, _Pump]] = {
    "keys that stand twice": ("yaml", lambda n: b"".join(b"k%d: 1\n" % i for i in range(n)) + b"k1: 1\n" * n),
    "explicit tags": ("yaml", _times(b"", b"- !x a\n")),
    "aliases": ("yaml", _times(b"- &a x\n", b"- *a\n")),
    "nested aliases": ("yaml", lambda n: b"".join(b"- &a%d [*a%d, *a%d]\n" % (i + 1, i, i) for i in range(n))),
    "documents": ("yaml", _times(b"", b"--- a\n")),
    "broken documents": ("yaml", _times(b"", b"--- [\n")),
    "open brackets": ("yaml", _times(b"", b"[")),
    "open mappings": ("yaml", _times(b"", b"{a: ")),
    "question marks": ("yaml", _times(b"", b"? ")),
    "dashes": ("yaml", _times(b"", b"- ")),
    "braces": ("yaml", _times(b"a: ", b"{{ ")),
    "one long word": ("yaml", _times(b"a: ", b"x")),
    "one long quoted text": ("yaml", _times(b'a: "', b"\\n", b'"')),
    "carriage returns": ("yaml", _times(b"a: |\n", b" x\r")),
    "anchors": ("yaml", lambda n: b"".join(b"- &a%d x\n" % i for i in range(n))),
    "control characters": ("yaml", _times(b"a: ", b"\x01")),
    "comments": ("yaml", _times(b"", b"#\n", b"a: b")),
    "wrong changes": ("changeset", _times(_HEAD, b"- {lead: 0, updat: {}}\n")),
    "changes of one lead": ("changeset", _times(_HEAD, b'- {lead: "1", update: {c1: a}}\n')),
    "values that differ": (
        "changeset", lambda n: _HEAD + b"".join(b'- {lead: "1", update: {c1: a%d}}\n' % i for i in range(n)),
    ),
    "the same trigger": ("changeset", _times(_HEAD, b'- {lead: "1", trigger: ["5"]}\n')),
    "fields of one lead": (
        "changeset",
        lambda n: _HEAD + b'- lead: "1"\n  update:\n' + b"".join(b"    f%d: a\n" % i for i in range(n)),
    ),
    "leads of one change": (
        "changeset",
        lambda n: _HEAD + b"- update: {c1: a}\n  leads:\n" + b"".join(b'  - "%d"\n' % (i + 1) for i in range(n)),
    ),
    "changesets": (
        "changeset", lambda n: b"".join(b"---\n" + _HEAD.replace(b"pumped", b"p%04d" % i) for i in range(n)),
    ),
    "templates": ("changeset", _times(_HEAD, b"- {lead: '{{ vars.x }}', update: {c1: '{{ vars.x }}'}}\n")),
    "sources": (
        "changeset",
        lambda n: _HEAD.replace(b"changes:", b"sources:") + b"".join(b"  s%d: []\n" % i for i in range(n)),
    ),
    "a deep template": ("template", _times(b"{{ ", b"(", b"row.name" + b")" * 9)),
    "quotes in a template": ("template", _times(b"{{ ", b"'\\", b" }}")),
    "braces in a template": ("template", _times(b"", b"{{ ")),
    "a long sum": ("template", _times(b"{{ row.name", b" ~ row.name", b" }}")),
    "backslashes": ("template", _times(b"{{ '", b"\\\\", b"' }}")),
    "minus signs": ("template", _times(b"{{ ", b"-", b"1 }}")),
    "open comments in a template": ("template", _times(b"", b"{# ")),
    "unknown settings": ("configuration", lambda n: b"".join(b"k%d: 1\n" % i for i in range(n))),
    "accounts": (
        "configuration",
        lambda n: b"version: 1\naccounts:\n"
        + b"".join(b"  a%d: {base_url: 'https://a%d.example', api_key: env:LEADBYTE_X}\n" % (i, i) for i in range(n)),
    ),
    "one key of a schema twice": (
        "lead_schema", lambda n: b"{" + b",".join(b'"k%d":1' % i for i in range(n)) + b',"k0":1}',
    ),
    "references": (
        "lead_schema",
        lambda n: b'{"$defs": {"d0": {}'
        + b"".join(b', "d%d": {"allOf": [{"$ref": "#/$defs/d%d"}, {"$ref": "#/$defs/d%d"}]}' % (i + 1, i, i)
                   for i in range(min(n, 200)))
        + b'}, "$ref": "#/$defs/d%d"}' % min(n, 200),
    ),
    "a schema in a schema": ("lead_schema", _times(b"", b'{"not": ', b"{}")),
    "wrong cells": ("csv_rows", _times(b"lead,c1\n", b"x,y,z\n")),
    "wrong leads": ("csv_rows", _times(b"lead,c1\n", b"x,y\n")),
    "columns": ("csv_rows", lambda n: b"lead,c1" + b"".join(b",c%d" % i for i in range(n)) + b"\n1,a\n"),
    "an open quote": ("csv_rows", _times(b'lead,c1\n1,"', b"x\n")),
    "bytes that are no text": ("csv_rows", _times(b"lead,c1\n1,\xff", b"x")),
    "quotes of a cell": ("csv_rows", _times(b'lead,c1\n1,"', b'""', b'"\n')),
    "an open list": ("json_rows", _times(b'{"lead": ', b"[")),
    "a long number": ("json_rows", _times(b'{"lead": ', b"9", b"}")),
    "keys of a row": ("json_rows", lambda n: b"{" + b",".join(b'"k%d":1' % i for i in range(n)) + b"}"),
    "wrong lines": ("json_rows", _times(b"", b"{\n")),
    "dollar quotes": ("statement", _times(b"SELECT ", b"$a$b")),
    "tags of dollars": ("statement", lambda n: b"SELECT " + b"".join(b"$a%d$ " % i for i in range(n))),
    "open comments": ("statement", _times(b"SELECT ", b"/* ")),
    "open quotes": ("statement", _times(b"SELECT ", b"' ")),
    "brackets": ("statement", _times(b"SELECT ", b"[a")),
    "wrong observations": ("observed_csv", _times(b"lead,c1\n", b"x,y,z\n")),
    "times": (
        "observed_csv", lambda n: b"lead,observed_at\n" + b"".join(b"%d,2026-%d\n" % (i + 1, i) for i in range(n)),
    ),
    "observed lists": ("observed_lines", _times(b'{"lead": ', b"[")),
    "white space of a signature": ("approval", _times(b"-----BEGIN SSH SIGNATURE-----", b" ")),
    "beginnings of signatures": ("approval", _times(b"", b"-----BEGIN SSH SIGNATURE-----\n")),
    "letters of a signature": ("approval", _times(b"-----BEGIN SSH SIGNATURE-----\n", b"A\n")),
    "quoted options": ("signers", _times(b"a x=", b'\\"')),
    "open options": ("signers", _times(b'a x="', b'\\"')),
    "more options": ("signers", _times(b"a ", b'"a"')),
    "blanks of signers": ("signers", _times(b"a", b" \t", b"b")),
    "tags of a page": ("answer", _times(b"500  \n", b"<script ")),
    "titles": ("answer", _times(b"500  \n", b"<title>")),
    "an answer in an answer": ("answer", _times(b"200  \n", b'{"message": ', b"1")),
    "one lead again": ("answer", lambda n: b'200  \n{"leads": [' + b",".join([b'{"id": "1"}'] * n) + b"]}"),
    "errors": ("answer", lambda n: b'200  \n{"status": "error", "errors": [' + b",".join(
        b'"e%d"' % i for i in range(n)) + b"]}"),
    "warnings of a lead": ("answer", lambda n: b'200  \n{"leads": [{"id": "1", "success": true, "warnings": ['
                           + b",".join([b'"w"'] * n) + b"]}]}"),
    "lists of a lead": ("reading", _times(b"", b"[", b'{"id": 2932682}')),
    "wrappers of a lead": ("reading", _times(b"", b'{"lead": ', b'{"id": 2932682}')),
    "blanks before a command": ("imported", _times(b"", b" \n", b"x")),
    "comments before a command": ("imported", _times(b"", b"  # c\n", b"{}")),
    "a long body": ("imported", _times(_CURL + b"'" + _BODY, b"x", b"\"}}]}'")),
    "a long quoted body": ("imported", _times(_CURL + b'"', b"x\\\\", b'"')),
    "an open body": ("imported", _times(_CURL + b'"', b"x")),
    "options": ("imported", _times(_CURL + b"x", b" -s")),
    "unknown names": (
        "imported", lambda n: b'{"leads": [{"id": "1", ' + b",".join(b'"k%d":1' % i for i in range(n)) + b"}]}",
    ),
    "rows of a table": ("imported_table", _times(b"lead,c1,payout\n", b"x,,\n")),
    "rules": ("faults", lambda n: b'{"rules": [' + b",".join([b'{"fault": {"delay_before": 1}}'] * n) + b"]}"),
    "lines of a script": ("faults", _times(b"", b'{"latency_ms": 1}\n')),
    "a deep script": ("faults", _times(b"", b'{"a":')),
    "leads": ("sandbox_leads", lambda n: b"id,c1\n" + b"".join(b"%d,a\n" % (i + 1) for i in range(n))),
    "a line without end": ("sandbox_leads", _times(b"id,c1\n1,", b"x")),
    "broken effects": ("sandbox_log", _times(b"", b"{\n")),
    "an effect in an effect": ("sandbox_log", _times(b'{"seq":', b"[", b"\n")),
    "a plan in a plan": ("plan", _times(b'{"syncengine_plan":', b"[", b"\n")),
    "a line of a plan": ("plan", _times(b'{"syncengine_plan":1', b"x")),
    "lines of a plan": ("plan", _times(b"", b"{}\n")),
}  # fmt: skip
"""What grows, by its name: where a reader looks back, or tries in two ways, its work grows faster than the input."""

SMALL, LARGE = 250, 5_000


@pytest.mark.parametrize("pump", PUMPS)
def test_work_grows_with_the_input(pump: str) -> None:
    """Twenty times the input may take twenty times the CPU. Noise gets tenfold slack; work that grows with the square
    of the input takes four hundred times as much, and fails."""
    name, make = PUMPS[pump]
    with _reader(name) as read:
        read(make(10))
        small, large = _cpu(read, make(SMALL)), _cpu(read, make(LARGE))
    assert large < 10 * (LARGE / SMALL) * small + 0.1, f"{small:.3f} s, then {large:.3f} s"


def _cpu(read: targets.Target, data: bytes) -> float:
    gc.disable()  # or it looks through whatever other tests hold
    try:
        started = time.process_time()
        read(data)
        return time.process_time() - started
    finally:
        gc.enable()
