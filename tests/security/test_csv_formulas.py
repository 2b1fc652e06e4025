"""No text makes a spreadsheet work anything out: every CSV that is written, read back as spreadsheets read it."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest

from syncengine.core.redaction import visible
from syncengine.sandbox import Sandbox, SandboxOptions, parse_script
from tests import attacks
from tests.workspace import Workspace

FORMULAS = attacks.texts("csv_formulas")
HARMLESS = ["a - b", "a=b;c=d", "x; y", "100 %", "it's", "1,000.00", 'say "no"', "me@here", "a|b", "Zoë; Amélie", "'a'"]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `history --format csv` prints where service and colleagues said these things."""
    folder = tmp_path_factory.mktemp("formulas")
    (folder / "repository").mkdir()
    with Sandbox(SandboxOptions(state=folder / "sandbox", any_lead=True)).start() as sandbox:
        workspace = Workspace(folder / "repository", sandbox, limits=", attempts: 1, leads_per_request: 1")
        _happen(workspace, [*FORMULAS, *HARMLESS])
        ended = workspace.run("history", "--format", "csv")
    assert ended.code == 0
    return ended.out


def _happen(workspace: Workspace, said: list[str]) -> None:
    """Each text is once what the service says of a refused lead, and once what a person notes of a doubt."""
    words = {str(100_000 + number): text for number, text in enumerate(said)}
    refused = [{"match": {"lead": lead}, "fault": _refusal(lead, text)} for lead, text in words.items()]
    lost = [{"match": {"lead": f"2{lead}"}, "fault": {"effect": "none", "answer": "reset"}} for lead in words]
    workspace.sandbox.set_faults(parse_script(json.dumps({"rules": [*refused, *lost]})))
    settings = (workspace.root / "syncengine.yaml").read_text()
    workspace.write("syncengine.yaml", f"{settings}policy:\n  stop_when: {{after: 10000, unanswered: 10000}}\n")
    workspace.changeset(
        "said", "\n".join(f'- lead: "{n}{lead}"\n  trigger: ["1053"]' for lead in words for n in ("", "2"))
    )
    workspace.plan()
    for line in workspace.apply()["in_doubt"]:
        text = words[line["lead"][1:]]
        done = workspace.run("resolve", line["operation"], "--as", "applied", "--by", "anna", "--note", text)
        assert done.code == 0, done.err


def _refusal(lead: str, text: str) -> Any:
    """An answer whose words are these and no others."""
    answer = {"status": "Success", "leads": [{"id": lead, "success": False, "message": text}]}
    return {"effect": "none", "answer": {"status": 200, "body": "text", "text": json.dumps(answer)}}


def _evaluated(cell: str) -> bool:
    """Whether any spreadsheet, read as generously as the most careless of them does, works this cell out."""
    seen = (each for each in unicodedata.normalize("NFKC", cell) if unicodedata.category(each)[0] not in "CZ")
    return "".join(seen).lstrip('"')[:1] in tuple("=+-@|%")


def _rows(text: str, delimiter: str = ",") -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text), delimiter=delimiter)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_cell_is_worked_out(history: str, delimiter: str) -> None:
    """Half of Europe's spreadsheets begin a cell at a semicolon."""
    assert [cell for row in _rows(history, delimiter) for cell in row if _evaluated(cell)] == []


def test_the_texts_are_there_and_only_quotes_were_added(history: str) -> None:
    header, *rows = _rows(history)
    assert {len(row) for row in rows} == {len(header)}
    notes = {row[header.index("note")].removeprefix("resolved as applied by anna: ") for row in rows}
    messages = {row[header.index("message")] for row in rows}
    assert set(HARMLESS) <= notes & messages
    assert {_unquoted(visible(text.strip())) for text in FORMULAS} <= set(map(_unquoted, notes))
    # What the service says is kept as words with single blanks between them.
    words = {" ".join(re.sub("[\x00-\x1f\x7f-\x9f]", " ", text).split()) for text in FORMULAS}
    assert {_unquoted(visible(text)) for text in words} <= set(map(_unquoted, messages))


def _unquoted(cell: str) -> str:
    return cell.replace("'", "")


@pytest.mark.parametrize("formula", FORMULAS)
def test_each_of_these_would_be_worked_out(formula: str) -> None:
    """The list itself: written without care, every line of it is a formula somewhere."""
    written = io.StringIO()
    csv.writer(written).writerow(["x", formula])
    careless = [*f"x,{formula}".splitlines(), *written.getvalue().splitlines()]
    cells = [cell for delimiter in ",;\t|" for row in csv.reader(careless, delimiter=delimiter) for cell in row]
    assert any(map(_evaluated, cells))
