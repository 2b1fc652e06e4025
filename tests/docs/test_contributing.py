"""CONTRIBUTING's index of rules points at what is there, and class names are used once."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "syncengine"
_ROW = re.compile(r"^\| (?P<rule>.+) \| `(?P<file>[\w/]+\.py)` `(?P<name>\w+)` \|$", re.MULTILINE)
RULES = [match.groups() for match in _ROW.finditer((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))]


def defined_in(path: Path) -> set[str]:
    """Functions, methods, classes and names that a module defines."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


def test_the_index_holds_the_rules() -> None:
    assert len(RULES) >= 35
    assert len({rule for rule, _, _ in RULES}) == len(RULES)


@pytest.mark.parametrize(("rule", "file", "name"), RULES, ids=[rule for rule, _, _ in RULES])
def test_each_rule_is_where_the_index_says(rule: str, file: str, name: str) -> None:
    assert name in defined_in(PACKAGE / file), rule


def test_every_class_has_a_name_of_its_own() -> None:
    names = Counter(
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []
