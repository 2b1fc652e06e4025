"""Every file under tests/examples is validated: accepted ones give what stands beside them, rejected ones the findings
that they expect in comments: `# expect: CODE line:column`, with a file name where it is another one."""

import json
import re
from pathlib import Path

import pytest

from syncengine.changeset.load import load, validate
from syncengine.core.codes import CODES
from syncengine.documents.configuration import load_configuration
from tests.changeset.loading import EXAMPLES, as_rows, items_of

_EXPECT = re.compile(rb"# expect: (SE\d+) (\d+):(\d+)(?: (\S+))?")
_SETTINGS = load_configuration(EXAMPLES / "syncengine.yaml", {})


def _rejected() -> list[Path]:
    return sorted(
        path for path in (EXAMPLES / "rejected").iterdir() if path.suffix == ".yaml" or path.name == "two-files"
    )


def _expectations(file: Path) -> bytes:
    """The file itself, or what stands beside one that cannot hold comments."""
    beside = file.with_suffix(".expect")
    return beside.read_bytes() if beside.exists() else file.read_bytes()


@pytest.mark.parametrize("path", sorted((EXAMPLES / "accepted").glob("*.yaml")), ids=lambda path: path.stem)
def test_accepted(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert as_rows(items_of(load([path], _SETTINGS, variables={}))) == expected


@pytest.mark.parametrize("path", _rejected(), ids=lambda path: path.stem)
def test_rejected(path: Path) -> None:
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    expected = []
    for file in files:
        for code, line, column, other in _EXPECT.findall(_expectations(file)):
            named = file.parent / other.decode() if other else file
            expected.append((code.decode(), named.relative_to(EXAMPLES).as_posix(), int(line), int(column)))
    problems = [problem for problem in validate(load([path], _SETTINGS, variables={})) if problem.severity == "error"]
    found = [(problem.code, problem.file, problem.line, problem.column) for problem in problems]
    assert sorted(found) == sorted(expected)
    assert expected, "a rejected example expects something"
    assert all(problem.message for problem in problems)
    assert {problem.code for problem in problems if problem.code >= "SE2"} <= CODES.keys()


def test_findings_in_rows_name_the_file_and_the_row() -> None:
    path = EXAMPLES / "rejected" / "bad-values-in-rows.yaml"
    problems = validate(load([path], _SETTINGS, variables={}))
    assert {problem.row for problem in problems} == {1, 2, 3}  # row 4 joins row 2, whose cause it shares
    assert all(f"row {problem.row} of rejected/data/bad-values.csv" in problem.message for problem in problems)
