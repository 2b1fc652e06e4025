"""Problems as a SARIF 2.1.0 log, which code scanning of GitHub and others reads."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from syncengine.core.codes import CODES
from syncengine.core.errors import Problem
from syncengine.core.results import ValidateResult
from syncengine.reports.annotations import problem_text

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(result: ValidateResult, *, version: str) -> str:
    """A SARIF 2.1.0 log of what `validate` found; files are relative to the repository."""
    codes = sorted({problem.code for problem in result.problems})
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "syncengine",
                "version": version,
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, codes.index(problem.code)) for problem in result.problems],
    }
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2).decode() + "\n"


def _rule(code: str) -> dict[str, Any]:
    return {"id": code, "shortDescription": {"text": CODES.get(code, "A problem that syncengine found.")}}


def _result(problem: Problem, rule: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": problem_text(problem)},
    }
    if problem.file:
        path = problem.file.encode("utf-8", "replace").decode()
        place: dict[str, Any] = {"artifactLocation": {"uri": quote(path)}}
        if problem.line > 0:
            column = {"startColumn": problem.column} if problem.column > 0 else {}
            place["region"] = {"startLine": problem.line, **column}
        found["locations"] = [{"physicalLocation": place}]
    return found
