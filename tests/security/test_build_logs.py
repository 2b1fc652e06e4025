"""Nothing that foreign text says is obeyed by the machine behind a build log, whatever is printed there."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.cli.output import Output
from syncengine.core.log_commands import begun, broken
from syncengine.core.redaction import visible
from syncengine.sandbox import Sandbox, SandboxOptions, parse_script
from tests import attacks
from tests.cli.console import Ended
from tests.workspace import Workspace

ATTACKS = attacks.texts("log_commands")
ANNOTATION = re.compile(r"::(error|warning|notice) ")
DECEIVING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def obeyed(text: str, *, annotations: bool = False) -> list[str]:
    """The lines that GitHub's, Azure's or TeamCity's machine would take for orders, read as generously as any does."""
    found = []
    for line in re.split(r"[\r\n]", text):
        seen = "".join(each for each in line if unicodedata.category(each) != "Cf").strip()
        allowed = annotations and ANNOTATION.match(line)
        if re.search(r"##(vso|teamcity)?\[", seen, re.IGNORECASE) or (seen.startswith("::") and not allowed):
            found.append(line)
    return found


@pytest.mark.parametrize("attack", ATTACKS[:33])
def test_the_machine_of_these_tests_obeys(attack: str) -> None:
    if "%" not in attack and "\x1b]" not in attack and "\u2028" not in attack:
        assert obeyed(attack)


# Everything at once, through the commands.


class Told:
    """What the commands printed."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.all: dict[str, Ended] = {}

    def run(self, *words: str) -> Ended:
        ended = self.workspace.run(*words, "--log-level", "debug")
        self.all[" ".join(words)] = ended
        if words[-1] in ("json", "markdown", "csv", "--show-values"):
            return ended
        logged = self.workspace.run(*words, "--log-level", "debug", "--log-format", "json")
        self.all[" ".join((*words, "--log-format json"))] = logged
        for line in logged.err.splitlines():
            json.loads(line)
        return ended


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("logs")
    (folder / "repository").mkdir()
    with Sandbox(SandboxOptions(state=folder / "sandbox", any_lead=True)).start() as sandbox:
        workspace = Workspace(folder / "repository", sandbox, limits=", settle: 0, attempts: 1, leads_per_request: 1")
        made = Told(workspace)
        _write(workspace)
        _run(made)
        yield made


def _sendable(text: str) -> str:
    """Without the controls that no value may hold."""
    return re.sub("[\x00-\x09\x0b-\x1f\x7f-\x9f]", "?", text)


def _write(workspace: Workspace) -> None:
    settings = (workspace.root / "syncengine.yaml").read_text(encoding="utf-8")
    workspace.write("syncengine.yaml", f"{settings}policy:\n  stop_when: {{after: 1000}}\n")
    for number, attack in enumerate(ATTACKS):
        head = f"version: 1\nchangeset: attack-{number}\naccount: acme\ntitle: {json.dumps(attack)}\n"
        where = f"    note: {json.dumps(attack)}\n"
        update = f"    update: {{firstname: {json.dumps(_sendable(attack))}, {json.dumps(visible(attack))}: x}}\n"
        lead = f'changes:\n  - lead: "{293000 + number}"\n'
        workspace.write(f"changesets/c{number}.yaml", head + lead + update)
        bad = f"{json.dumps(attack)}: 1\nvars: {{x: {json.dumps('{{ ' + attack)}}}\n"
        workspace.write(f"bad/b{number}.yaml", head + bad + lead + where + update)
    workspace.write("named/##[stop-commands]x.yaml", "::add-mask::a\n")
    workspace.write("named/##vso[task.complete]x.yaml", "a: [::set-output name=x::y\n")


def _run(made: Told) -> None:
    for format_ in ("text", "json", "sarif", "github"):
        for folder in ("changesets", "bad", "named", "##[add-mask]a", "::add-mask::a"):
            made.run("validate", folder, "--format", format_)
    for format_ in ("text", "markdown", "html", "json"):
        made.run("plan", "changesets", "--out", "release.plan", "--format", format_, "--show-values")
        made.run("show", "release.plan", "--format", format_, "--show-values")
    rules = [
        {"match": {"lead": str(293000 + number)}, "fault": {"reject": {"message": attack}}}
        for number, attack in enumerate(ATTACKS)
    ]
    made.workspace.sandbox.set_faults(parse_script(json.dumps({"rules": rules})))
    for format_ in ("text", "json"):
        made.run("apply", "release.plan", "--junit", "junit.xml", "--format", format_)
        made.run("status", "--format", format_)
    for format_ in ("text", "json", "csv"):
        made.run("history", "--format", format_)
    first = json.loads(made.run("history", "--format", "json").out.splitlines()[0])
    for format_ in ("text", "json"):
        made.run("explain", first["operation"], "--format", format_)
    made.run("ledger", "export")
    body = {
        "leads": [
            {"id": str(293000 + number), "update": {"firstname": _sendable(attack)}}
            for number, attack in enumerate(ATTACKS)
        ]
    }
    made.workspace.write("request.json", json.dumps(body))
    made.run("import", "request.json", "--account", "acme")
    made.run("##[add-mask]a")
    made.run("plan", "--::add-mask::a")


def test_no_line_is_obeyed(told: Told) -> None:
    for command, ended in told.all.items():
        assert obeyed(ended.out, annotations="--format github" in command) == [], command
        assert obeyed(ended.err) == [], command
        for text in (ended.out, ended.err):
            assert not DECEIVING.search(text), command
    junit = (told.workspace.root / "junit.xml").read_text()
    assert obeyed(junit) == []


def test_the_attacks_were_on_the_way(told: Told) -> None:
    for command in ("validate bad", "plan changesets", "show release.plan", "apply release.plan"):
        texts = [ended.out for words, ended in told.all.items() if words.startswith(command)]
        assert all("add-mask" in text for text in texts), command
    assert told.workspace.effects == []
    assert len(told.workspace.requests) >= len(ATTACKS)


def test_annotations_still_work(told: Told) -> None:
    lines = told.all["validate bad --format github"].out.splitlines()
    assert len(lines) >= len(ATTACKS)
    assert all(ANNOTATION.match(line) for line in lines)


def _json(told: Told, command: str) -> Any:
    return json.loads(told.all[command].out)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, str):
        yield value


def test_json_parses_to_what_was_written(told: Told) -> None:
    for command in (
        "plan changesets --out release.plan --format json --show-values",
        "show release.plan --format json",
    ):
        words = command if command in told.all else f"{command} --show-values"
        assert set(map(_sendable, ATTACKS)) <= set(_leaves(_json(told, words)))
    for command, ended in told.all.items():
        if re.search(r"--format (json|sarif)", command) and command.split()[0] not in ("history", "ledger"):
            json.loads(ended.out)
    for line in told.all["ledger export"].out.splitlines():
        json.loads(line)


def test_an_imported_changeset_says_what_the_request_said(told: Told) -> None:
    text = told.all["import request.json --account acme"].out
    told.workspace.write("imported/back.yaml", text)
    ended = told.workspace.run(
        "plan", "imported", "--offline", "--out", "imported.plan", "--format", "json", "--show-values"
    )
    said = "\n".join(_leaves(ended.json)) if ended.out else ended.err
    assert "##[stop-commands]x" in said, ended


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.rows = ""
        self._into = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._into = dict(attrs).get("id") or "" if tag == "script" else ""

    def handle_data(self, data: str) -> None:
        if self._into:
            self.rows += data
        self.text.append(data)


def test_the_page_shows_the_text(told: Told) -> None:
    page = _Page()
    page.feed(told.all["show release.plan --format html --show-values"].out)
    text = "".join(page.text)
    assert "##[stop-commands]x" in text
    assert "##vso[task.setsecret]a" in text
    # Rows, names and findings as data, and the one program.
    assert page.tags.count("script") == 4


def test_junit_holds_the_services_words(told: Told) -> None:
    root = ElementTree.parse(told.workspace.root / "junit.xml").getroot()
    messages = {each.get("message") for each in root.iter() if each.get("message")}
    assert any("##[stop-commands]x" in str(message) for message in messages)


def test_csv_keeps_its_columns(told: Told) -> None:
    rows = list(csv.reader(io.StringIO(told.all["history --format csv"].out)))
    assert {len(row) for row in rows} == {10}
    assert len(rows) > len(ATTACKS)


# The one place by itself: texts that arrive in pieces.


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("syntax", ["text", "json", "html"])
def test_pieces_do_not_add_up_to_an_order(attack: str, syntax: Any) -> None:
    for size in (1, 2, 3, 5):
        line, written = "", ""
        for start in range(0, len(attack), size):
            text = broken(attack[start : start + size], syntax, line=line)
            line = begun(line, text)
            written += text
        assert obeyed(written) == []


SIGNS = st.sampled_from(
    ["#", ":", "[", "]", "a", "vso", " ", "\t", "\n", "\r", "•", "é", "\u00ad", "\u200b", "\u2060", "\ufe0f", "\ufeff",
     "\u3000", "\u3164", "\u2028", "\x7f", "\x9b", "\u202e", "\U000e0041"]
)  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.lists(SIGNS, max_size=8).map("".join), max_size=4), st.sampled_from(["text", "json", "html"]))
def test_no_mixture_of_signs_is_an_order(pieces: list[str], syntax: Any) -> None:
    """Whichever of them let a text pass unlooked at."""
    line, written = "", ""
    for piece in pieces:
        text = broken(piece, syntax, line=line)
        line = begun(line, text)
        written += text
    assert obeyed(written) == []
    if syntax == "json":
        assert not DECEIVING.search(re.sub(r"[\r\t]", "", written))


def test_what_is_no_order_is_written_as_it_is() -> None:
    text = "# a\n## b [c]\n#[d]\n a::b\n[[e]] #1: x:: y\n"
    stdout = io.StringIO()
    output = Output(stdout=stdout, stderr=None, environ={})
    output.verbatim(text)
    output.piece("##")
    output.piece("[x]\n", "json")
    assert stdout.getvalue() == text + "##\\u005bx]\n"
