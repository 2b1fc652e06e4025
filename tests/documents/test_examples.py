"""Every file under examples/ is read: accepted ones without a problem, rejected ones with exactly those they expect."""

import re
from pathlib import Path

import pytest

from syncengine.documents.reader import read_documents

_EXAMPLES = Path(__file__).parent / "examples"
_EXPECT = re.compile(rb"# expect: (SE\d+) (\d+):(\d+)")


def _files(folder: str) -> list[Path]:
    return sorted((_EXAMPLES / folder).glob("*.yaml"))


@pytest.mark.parametrize("path", _files("accepted"), ids=lambda path: path.stem)
def test_accepted(path: Path) -> None:
    documents, problems = read_documents(path.read_bytes(), path.name)
    assert problems == []
    assert documents


@pytest.mark.parametrize("path", _files("rejected"), ids=lambda path: path.stem)
def test_rejected(path: Path) -> None:
    data = path.read_bytes()
    expected = [(code.decode(), int(line), int(column)) for code, line, column in _EXPECT.findall(data)]
    _, problems = read_documents(data, path.name)
    assert [(problem.code, problem.line, problem.column) for problem in problems] == expected
    assert all(problem.message and problem.file == path.name for problem in problems)
