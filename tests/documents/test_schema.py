"""Documents against our schemas: places, plain words, no network, and two validators that agree."""

import json
import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.core.errors import InputError, Problem
from syncengine.documents.explaining import validator_for as explaining
from syncengine.documents.nodes import SourceText
from syncengine.documents.reader import read_documents
from syncengine.documents.schema import DocumentSchema, schema_names, schema_text
from syncengine.documents.schema_files import packaged_schema
from syncengine.documents.validators import compiled

CONFIG = DocumentSchema("config.v1")
GOOD = "version: 1\naccounts:\n  acme:\n    base_url: https://a.example\n    api_key: env:LEADBYTE_API_KEY\n"


def problems(text: str, schema: DocumentSchema = CONFIG) -> list[Problem]:
    data = text.encode()
    documents, faults = read_documents(data, "f.yaml")
    assert faults == []
    node = documents[0].node
    assert node is not None
    return schema.problems(node, "f.yaml", SourceText(data, "f.yaml"))


def test_what_fits_has_no_problem() -> None:
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    ("addition", "code", "line", "column", "message", "hint"),
    [
        ("ledgre: {}\n", "SE201", 6, 1, "unknown key 'ledgre'", "did you mean 'ledger'?"),
        ("    limits: {concurency: 2}\n", "SE201", 6, 14, "unknown key 'concurency' in accounts.acme.limits",
         "did you mean 'concurrency'?"),
        ("    limits: {concurrency: two}\n", "SE203", 6, 27,
         "accounts.acme.limits.concurrency must be a whole number, not a text", "for example: 1"),
        ("    was: 2026\n", "SE203", 6, 10, "accounts.acme.was must be a text, not a whole number",
         "write it in quotes"),
        ("    limits: {concurrency: 0}\n", "SE204", 6, 27, "accounts.acme.limits.concurrency must be at least 1", ""),
        ("    wire: {deliveries: togehter}\n", "SE204", 6, 24,
         "accounts.acme.wire.deliveries must be one of: together, one_by_one", "did you mean 'together'?"),
        ("    limits:\n", "SE203", 6, 5, "accounts.acme.limits must be a mapping, not null",
         "write a value; for the word itself use quotes"),
        ("    hosts: [a, a]\n", "SE204", 6, 12, "accounts.acme.hosts holds an item twice", ""),
        ("policy: {approvals: {}}\n", "SE202", 6, 21, "the key 'required' is missing in policy.approvals", ""),
        ("policy: {budgets: [{per: day}]}\n", "SE204", 6, 20,
         "policy.budgets[1]: needs one of max_irreversible, max_payout, max_revenue and max_leads", ""),
    ],
)  # fmt: skip
def test_problems_say_what_and_where(addition: str, code: str, line: int, column: int, message: str, hint: str) -> None:
    found = problems(GOOD + addition)
    assert [(each.code, each.line, each.column, each.message, each.hint) for each in found] == [
        (code, line, column, message, hint)
    ]
    assert found[0].excerpt == addition.splitlines()[0]


def test_all_problems_come_at_once_in_order() -> None:
    found = problems("version: 2\naccounts: {}\nx: 1\n")
    assert [(each.code, each.line) for each in found] == [("SE204", 1), ("SE204", 2), ("SE201", 3)]


def test_the_last_of_many_items_is_found_in_its_place() -> None:
    waves = "".join(f"    - {n}\n" for n in range(1, 5000))
    found = problems(f"{GOOD}policy:\n  waves:\n{waves}    - none\n")
    assert [(each.code, each.line, each.column) for each in found] == [("SE203", 5007, 7)]
    assert found[0].message.startswith("policy.waves[5000] ")


def test_schemas_are_found_by_name() -> None:
    assert "config.v1" in schema_names()
    assert json.loads(schema_text("config.v1"))["title"] == json.loads(schema_text("config"))["title"]
    with pytest.raises(InputError) as caught:
        schema_text("confg.v1")
    assert caught.value.hint == "did you mean 'config.v1'?"
    for name in ("../../etc/passwd", "", "/"):
        with pytest.raises(InputError):
            schema_text(name)


@pytest.mark.parametrize("name", schema_names())
def test_every_schema_is_one_and_explains_itself(name: str) -> None:
    schema = packaged_schema(name)
    explaining(schema).check_schema(schema)
    compiled(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    assert schema["description"]


def test_every_key_of_the_configuration_is_described_with_an_example() -> None:
    for place, subschema in _properties(packaged_schema("config.v1"), "config"):
        assert "description" in subschema or "$ref" in subschema, place
        if subschema.get("type") in ("string", "integer", "number"):
            assert "examples" in subschema or "default" in subschema, place


def _properties(schema: Any, place: str) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    if isinstance(schema, dict):
        for name, subschema in schema.get("properties", {}).items():
            if isinstance(subschema, dict):
                found.append((f"{place}.{name}", subschema))
        for key, value in schema.items():
            if key != "examples":
                found += _properties(value, f"{place}.{key}")
    elif isinstance(schema, list):
        for value in schema:
            found += _properties(value, place)
    return found


def test_examples_in_schemas_fit_them() -> None:
    root = packaged_schema("config.v1")
    for place, subschema in _properties(root, "config"):
        validator = explaining({**subschema, "$defs": root["$defs"]})
        for example in subschema.get("examples", []):
            assert list(validator.iter_errors(example)) == [], (place, example)


def test_no_reference_is_ever_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    schema = {"$ref": "https://json-schema.example/x.json"}
    with pytest.raises(ValueError, match="never fetched"):
        compiled(schema)
    with pytest.raises(Exception, match="Unresolvable"):
        list(explaining(schema).iter_errors({}))


_KEYS = st.sampled_from(
    ["version", "accounts", "ledger", "policy", "x", "acme", "base_url", "api_key", "limits", "waves"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_both_validators_agree_on_documents(value: dict[str, Any]) -> None:
    schema = packaged_schema("config.v1")
    assert compiled(schema).is_valid(value) == explaining(schema).is_valid(value)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(_KEYS, _VALUES, min_size=1, max_size=5))
def test_any_document_gets_problems_with_places(value: dict[str, Any]) -> None:
    for problem in problems(json.dumps(value, indent=1).replace("\\u", "u")):
        assert problem.code.startswith("SE2")
        assert problem.line >= 1
        assert problem.column >= 1
