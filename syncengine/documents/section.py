"""Reads values from a configuration that matches its schema, and collects problems that the schema cannot express."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TypeVar

import msgspec

from syncengine.core.errors import Problem, Severity
from syncengine.core.values import Cents, parse_money
from syncengine.documents.misread import QUOTING
from syncengine.documents.nodes import Mapping, Node, Scalar, Sequence, SourceText
from syncengine.documents.plain import plain

_SECRET_LINE = re.compile(r"key|secret|passw|token|credential|postgres|://[^\s/]*@", re.IGNORECASE)


_Typed = TypeVar("_Typed", bound=msgspec.Struct)


class ConfigurationProblems:
    """The problems of one configuration file. Lines that may contain a secret are never quoted."""

    def __init__(self, source: SourceText) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.source = source

    def add(self, code: str, message: str, node: Node, hint: str = "", *, severity: Severity = "error") -> None:
        """Report a problem at `node`."""
        problem = self.source.problem(code, message, node.line, node.column, hint=hint, severity=severity)
        (self.problems if severity == "error" else self.warnings).append(without_secret(problem))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Add problems of the reader or of the schema."""
        for problem in problems:
            (self.problems if problem.severity == "error" else self.warnings).append(without_secret(problem))


def without_secret(problem: Problem) -> Problem:
    """The problem without its line where that may contain a secret."""
    if _SECRET_LINE.search(problem.excerpt) is None:
        return problem
    if problem.code in QUOTING:
        from syncengine.core.codes import CODES

        message, hint = CODES[problem.code].rstrip("."), "put the value into quotes"
        return msgspec.structs.replace(problem, message=message, hint=hint, excerpt="")
    return msgspec.structs.replace(problem, excerpt="")


def section(parent: Mapping, name: str) -> Mapping:
    """The mapping under `name`; an empty one at the parent's position where it is missing."""
    node = parent.get(name)
    return node if isinstance(node, Mapping) else Mapping([], parent.line, parent.column)


def scalar(parent: Mapping, name: str) -> Scalar | None:
    """The text under `name` with its position, or None where it is missing or null."""
    node = parent.get(name)
    return node if isinstance(node, Scalar) and plain(node) is not None else None


def text(parent: Mapping, name: str, default: str = "") -> str:
    """The text under `name`."""
    node = scalar(parent, name)
    return default if node is None else node.text


def scalars(parent: Mapping, name: str) -> list[Scalar]:
    """The items of the list under `name`."""
    node = parent.get(name)
    return [item for item in node.items if isinstance(item, Scalar)] if isinstance(node, Sequence) else []


def texts(parent: Mapping, name: str) -> tuple[str, ...]:
    """The items of the list under `name`, as typed."""
    return tuple(item.text for item in scalars(parent, name))


def mappings(parent: Mapping, name: str) -> list[Mapping]:
    """The mappings of the list under `name`."""
    node = parent.get(name)
    return [item for item in node.items if isinstance(item, Mapping)] if isinstance(node, Sequence) else []


def entries(parent: Mapping, name: str) -> Iterator[tuple[Scalar, Scalar]]:
    """Keys and texts of the mapping under `name`."""
    for key, value in section(parent, name).entries:
        if isinstance(value, Scalar):
            yield key, value


def flag(parent: Mapping, name: str) -> bool:
    """A boolean; false where it is missing."""
    return plain(parent.get(name)) is True


def whole(parent: Mapping, name: str) -> int | None:
    """A whole number, or None where it is missing."""
    value = plain(parent.get(name))
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def decimal(parent: Mapping, name: str) -> Decimal | None:
    """A number exactly as typed; None where it is missing (or not a number, which the schema reports)."""
    node = scalar(parent, name)
    try:
        value = Decimal(node.text) if node is not None else None
    except ArithmeticError:
        return None
    return value if value is None or value.is_finite() else None


def cents(parent: Mapping, name: str, findings: ConfigurationProblems) -> Cents | None:
    """An exact amount, or None where it is missing."""
    node = scalar(parent, name)
    if node is None:
        return None
    amount = parse_money(node.text)
    if amount is None:
        findings.add("SE504", f"{name} is not an amount with at most two decimals", node, "an amount looks like 150.00")
    return amount


def typed(parent: Mapping, kind: type[_Typed]) -> _Typed:
    """A mapping of plain settings as `kind`; its defaults where it is invalid, which the schema reports."""
    try:
        return msgspec.convert(plain(parent), kind, strict=False)
    except msgspec.ValidationError:
        return kind()
