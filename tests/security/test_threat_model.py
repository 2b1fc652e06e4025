"""docs/security.md is a map from threats to tests: every row names some, and every test named is there and runs."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = _ROOT / "docs" / "security.md"
_TEST = re.compile(r"`(tests/[A-Za-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")
_LEAVING_OUT = re.compile(r"skip|xfail")


def _rows() -> list[tuple[str, str]]:
    """The threats of the page with their last cells."""
    rows, inside = [], False
    for line in _PAGE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if cells[-1].strip() == "shown by":
            inside = True
        elif inside and set(line) - set("|- "):
            assert len(cells) == 3, line
            rows.append((cells[0], cells[-1]))
    return rows


@cache
def _tests(file: str) -> dict[str, list[str]]:
    """The test functions of a file at its top level, each with the source of its decorators."""
    tree = ast.parse((_ROOT / file).read_text(encoding="utf-8"))
    return {
        node.name: [ast.unparse(each) for each in node.decorator_list]
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


def test_there_are_threats_of_every_kind() -> None:
    headings = re.findall(r"^## (.+)$", _PAGE.read_text(encoding="utf-8"), re.M)
    wanted = {"Parsers and templates", "Files", "Configuration from a pull request", "Network", "Output"}
    assert wanted | {"Secrets", "Personal data", "Plans, approvals and the ledger"} <= set(headings)
    assert len(_rows()) >= 25


@pytest.mark.parametrize(("threat", "shown"), _rows(), ids=[threat for threat, _ in _rows()])
def test_every_threat_is_tried_by_a_test_that_runs(threat: str, shown: str) -> None:
    named = _TEST.findall(shown)
    assert named, f"no test shows: {threat}"
    assert _TEST.sub("", shown).strip(", ") == "", "a cell that names tests holds nothing else"
    for file, name in named:
        decorators = _tests(file).get(name)
        assert decorators is not None, f"{file} has no {name}"
        assert not _LEAVING_OUT.search(" ".join(decorators)), f"{file}::{name} can be left out"
