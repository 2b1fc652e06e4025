"""Problems as GitHub annotations: workflow commands that GitHub shows beside the line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from syncengine.core.errors import Problem, Severity
from syncengine.core.finding import Finding
from syncengine.core.redaction import visible


def github_annotations(problems: Iterable[Problem]) -> Iterator[str]:
    """One workflow command per problem, which GitHub shows beside the line."""
    words: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}
    for problem in problems:
        places = {"file": problem.file, "line": problem.line, "col": problem.column, "title": problem.code}
        told = ",".join(f"{name}={_property(visible(str(value)))}" for name, value in places.items() if value)
        yield f"::{words[problem.severity]} {told}::{_data(problem_text(problem))}"


def finding_problems(findings: Iterable[Finding]) -> tuple[Problem, ...]:
    """Findings that have a place, as annotations and SARIF show problems; the rule takes the place of the code."""
    levels: dict[str, Severity] = {"high": "error", "medium": "warning", "info": "note"}
    return tuple(
        Problem(
            code=finding.rule,
            severity=levels[finding.severity],
            message=finding.message,
            file=place.file,
            line=place.line,
            column=0,
        )
        for finding in findings
        if (place := next((each for each in finding.evidence if each.file and each.line), None)) is not None
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def problem_text(problem: Problem) -> str:
    """Message and hint of one problem."""
    row = f"row {problem.row}: " if problem.row is not None else ""
    hint = f"\n{visible(problem.hint)}" if problem.hint else ""
    return f"{row}{visible(problem.message)}{hint}"
