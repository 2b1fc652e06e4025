"""The parser and the JSON Schema give one verdict on the shape of a document, whatever is thrown at them."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.changeset.declared import Place
from syncengine.changeset.parse import ParseContext, parse_changeset
from syncengine.core.errors import Problem
from syncengine.documents.configuration import load_configuration
from syncengine.documents.nodes import SourceText
from syncengine.documents.reader import read_documents
from syncengine.documents.schema import DocumentSchema
from tests.changeset.loading import EXAMPLES

_SETTINGS = load_configuration(EXAMPLES / "syncengine.yaml", {})
_SCHEMA = DocumentSchema("changeset.v1")
_SHAPE = {"SE201", "SE202", "SE203", "SE204", "SE205", "SE206", "SE231", "SE232", "SE234", "SE240", "SE241", "SE242"}
_SHAPE |= {"SE243", "SE244"}

_ODD = st.sampled_from(
    [None, True, False, 0, 1, 2, -1, 1.5, "", "x", "1", "2932682", "012", "{{ row.a }}", [], {}, ["x"], {"a": "b"}]
)
_LEAD = st.one_of(st.just("2932682"), st.just("{{ row.a }}"), st.just(7), _ODD)
_CHANGE = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.one_of(st.just("a"), _ODD),
            "lead": _LEAD,
            "leads": st.one_of(st.lists(_LEAD, max_size=2), _ODD),
            "for_each": st.one_of(st.just("rows"), _ODD),
            "when": st.one_of(st.just("row.a == 'b'"), _ODD),
            "update": st.one_of(st.just({"c1": "x"}), st.dictionaries(st.just("c1"), _ODD), _ODD),
            "action": st.one_of(st.just("reprocess"), _ODD),
            "trigger": st.one_of(st.just(["1053"]), st.lists(_ODD, max_size=2), _ODD),
            "financials": st.one_of(
                st.fixed_dictionaries({}, optional={"payout": _ODD, "revenue": _ODD, "buyer": _ODD, "odd": _ODD}), _ODD
            ),
            "rerun": st.one_of(st.just(2), _ODD),
            "expect": st.one_of(st.just({"c1": "x"}), _ODD),
            "skip_empty": st.one_of(st.just(True), _ODD),
            "unknown": _ODD,
        },
    ),
    _ODD,
)
_DOCUMENT = st.fixed_dictionaries(
    {"version": st.one_of(st.just(1), _ODD), "changeset": st.one_of(st.just("a-changeset"), _ODD)},
    optional={
        "account": st.just("acme"),
        "title": _ODD,
        "vars": st.one_of(st.just({"a": "b"}), st.dictionaries(st.just("a"), _ODD), _ODD),
        "sources": st.just({"rows": [{"a": "2932682"}]}),
        "changes": st.one_of(st.lists(_CHANGE, min_size=1, max_size=2), _ODD),
        "unknown": _ODD,
    },
)


def _verdicts(data: bytes, folder: Path = EXAMPLES) -> tuple[list[Problem], list[Problem]]:
    """What the parser finds about the shape, and what the schema finds."""
    documents, problems = read_documents(data, "a.yaml")
    assert problems == []
    text = SourceText(data, "a.yaml")
    found: list[Problem] = []
    around = ParseContext(settings=_SETTINGS, folder=folder, file="a.yaml", overrides={})
    for document in documents:
        parse_changeset(document, Place(text, found.append), around)
    by_schema = [p for document in documents if document.node for p in _SCHEMA.problems(document.node, "a.yaml", text)]
    return found, by_schema


@settings(max_examples=400, deadline=None)
@given(_DOCUMENT)
def test_one_verdict_on_anything(document: object) -> None:
    parsed, by_schema = _verdicts(json.dumps(document).encode())
    if by_schema:
        assert parsed, by_schema
    if any(problem.code in _SHAPE for problem in parsed):
        assert by_schema, parsed


@pytest.mark.parametrize("path", sorted((EXAMPLES / "accepted").glob("*.yaml")), ids=lambda path: path.stem)
def test_accepted_examples_fit_the_schema(path: Path) -> None:
    assert _verdicts(path.read_bytes(), path.parent) == ([], [])
