"""The cases of yaml-test-suite (MIT, see yaml_test_suite/LICENSE), and what the reader makes of each today.

A line of cases.jsonl: the YAML, whether YAML 1.2 calls it valid, its texts in order, and the codes that are found.
Where a case is read without a finding, its texts must be those of the suite: nothing is sent that was not typed.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from syncengine.documents.reader import Mapping, Node, Scalar, Sequence, read_documents

_CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "yaml_test_suite" / "cases.jsonl").read_text(encoding="utf-8").split("\n")
    if line
]
_EMPTY_DOCUMENTS = {"6XDY", "6ZKB", "9DXL", "DK95-07", "MUS6-02", "MUS6-03", "MUS6-04", "PUW8"}
"""Cases with a document that holds nothing, of which the reader keeps no text."""
_SPACES_AT_THE_END = {"JEF9-02", "L24T-01"}
"""A block text whose file ends in a line of spaces without a line break: libyaml adds none."""
_INVALID_AND_READ = {"9C9N", "DK95-01", "EB22", "G5U8", "MUS6", "MUS6-01", "QB6E", "RHX7", "S98Z", "Y79Y-03", "YJV2"}
"""Laid out as YAML 1.2 does not allow, and read as the texts that were typed."""


def _texts(node: Node | None) -> list[str]:
    match node:
        case None:
            return []
        case Scalar():
            return [node.text]
        case Sequence():
            return [text for item in node.items for text in _texts(item)]
        case Mapping():
            return [text for key, value in node.entries for text in (key.text, *_texts(value))]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["id"])
def test_a_case_gives_what_it_gave_before(case: dict[str, Any]) -> None:
    documents, problems = read_documents(case["yaml"].encode(), case["id"])
    assert sorted({problem.code for problem in problems}) == case["found"]
    if not problems and "texts" in case and case["id"] not in _EMPTY_DOCUMENTS | _SPACES_AT_THE_END:
        assert [text for document in documents for text in _texts(document.node)] == case["texts"]


def test_what_yaml_calls_invalid_is_refused() -> None:
    read = {case["id"] for case in _CASES if not case["valid"] and not case["found"]}
    assert read == _INVALID_AND_READ
