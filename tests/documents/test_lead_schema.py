"""An account's lead schema: texts only, honoured as written, never fetched, never hanging."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.core.errors import Problem
from syncengine.documents.explaining import validator_for as explaining
from syncengine.documents.schema import LeadSchema
from syncengine.documents.validators import compiled

POSTCODE = r"^[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}$"


def load(tmp_path: Path, schema: Any) -> LeadSchema | list[Problem]:
    path = tmp_path / "lead.schema.json"
    path.write_text(schema if isinstance(schema, str) else json.dumps(schema))
    return LeadSchema.load(path)


def loaded(tmp_path: Path, schema: Any) -> LeadSchema:
    result = load(tmp_path, schema)
    assert isinstance(result, LeadSchema), result
    return result


def test_fields_are_accepted_or_explained(tmp_path: Path) -> None:
    schema = loaded(
        tmp_path,
        {
            "type": "object",
            "properties": {
                "postcode": {"type": "string", "pattern": POSTCODE, "examples": ["TN25 6QD"]},
                "gender": {"enum": ["Male", "Female"]},
                "dob": {"type": "string", "format": "date"},
            },
            "additionalProperties": False,
        },
    )
    assert schema.accepts({"postcode": "TN25 6QD", "gender": "Male", "dob": "1990-02-28"})
    assert schema.accepts({})
    wrong = {"postcode": "tn256qd", "gender": "Mael", "dob": "1990-02-30", "postcod": "x"}
    assert not schema.accepts(wrong)
    assert sorted(schema.explain(wrong)) == [
        "dob is not a valid date",
        "gender must be one of: Male, Female (did you mean 'Male'?)",
        f"postcode does not have the form {POSTCODE} (for example: TN25 6QD)",
        "unknown key 'postcod' (did you mean 'postcode'?)",
    ]
    assert sorted(field for field, _ in schema.findings(wrong)) == ["dob", "gender", "postcod", "postcode"]


def test_required_means_every_update(tmp_path: Path) -> None:
    schema = loaded(tmp_path, {"required": ["c1"]})
    assert not schema.accepts({"postcode": "x"})
    assert schema.explain({"postcode": "x"}) == ["the key 'c1' is missing"]


def test_numbers_can_never_fit_and_the_message_says_why(tmp_path: Path) -> None:
    schema = loaded(tmp_path, {"properties": {"age": {"type": "integer"}}})
    assert not schema.accepts({"age": "18"})
    assert "sees every value as text" in schema.explain({"age": "18"})[0]


@pytest.mark.parametrize(
    "draft",
    [
        "https://json-schema.org/draft/2020-12/schema",
        "https://json-schema.org/draft/2019-09/schema",
        "http://json-schema.org/draft-07/schema#",
    ],
)
def test_drafts(tmp_path: Path, draft: str) -> None:
    schema = loaded(tmp_path, {"$schema": draft, "properties": {"a": {"maxLength": 1}}})
    assert schema.accepts({"a": "x"})
    assert not schema.accepts({"a": "xx"})


@pytest.mark.parametrize(
    "schema",
    [
        "",
        "[]",
        "{",
        '{"type": "object", "type": "string"}',
        '{"minimum": NaN, "type": 1}',
        "[" * 100_000,
        '{"not":' * 100_000,
        {"type": "objekt"},
        {"$schema": "http://json-schema.org/draft-04/schema#"},
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "other.json"},
        {"$ref": "#/$defs/none"},
        {"$ref": "#"},
        {"properties": {"a": {"$ref": "#/properties/a"}}},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$dynamicRef": "#x"},
        {"properties": {"a": {"$id": "https://example.com/"}}},
        {"properties": {"a": {"pattern": "("}}},
        {"properties": {"a": {"pattern": "(a)\\1("}}},
        {"patternProperties": {"(": {}}},
        {"properties": {"a": {"format": "date-tiem"}}},
        {"unevaluatedProperties": False, "patternProperties": {"^a$": {}}},
        {"$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 3} for n in range(40)} | {"d40": {}},
         "$ref": "#/$defs/d0"},
    ],
)  # fmt: skip
def test_schemas_that_are_refused(tmp_path: Path, schema: Any) -> None:
    result = load(tmp_path, schema)
    assert isinstance(result, list)
    assert result
    assert all(problem.code == "SE210" and problem.message for problem in result)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert isinstance(LeadSchema.load(tmp_path / "none.json"), list)
    assert isinstance(LeadSchema.load(tmp_path), list)


def test_references_within_the_file_work(tmp_path: Path) -> None:
    schema = loaded(tmp_path, {"$defs": {"s/t": {"maxLength": 2}}, "properties": {"a": {"$ref": "#/$defs/s~1t"}}})
    assert schema.accepts({"a": "xx"})
    assert not schema.accepts({"a": "xxx"})


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|aa)+$", "^(?=(a+)+$)(a|aa)+$", "(.*a){20}", "^(a?){50}a{50}$"])
def test_no_pattern_hangs(tmp_path: Path, pattern: str) -> None:
    schema = loaded(tmp_path, {"properties": {"x": {"pattern": pattern}}, "patternProperties": {pattern: {}}})
    assert not schema.accepts({"x": "a" * 5000 + "b", "a" * 5000 + "b": "c"}) or pattern == "(.*a){20}"


def test_patterns_follow_ecma_262_for_both_validators(tmp_path: Path) -> None:
    for pattern, text, fits in [
        (r"^\d+$", "٣", False),
        (r"^a$", "a\n", False),
        (r"^\w$", "é", False),
        (r"^\p{L}$", "é", True),
        (r"b", "abc", True),
    ]:
        schema = {"properties": {"x": {"pattern": pattern}}}
        assert compiled(schema).is_valid({"x": text}) is fits
        assert explaining(schema).is_valid({"x": text}) is fits


_CONSTRAINTS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "object", ["string", "null"]]),
        "enum": st.lists(st.sampled_from(["a", "b", "", "é"]), min_size=1, max_size=3, unique=True),
        "const": st.sampled_from(["a", "b"]),
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "pattern": st.sampled_from(["^a", "b$", r"^\d+$", "[a-c]{2}", "^$", r"\s", "é"]),
        "format": st.sampled_from(["date", "email", "ipv4", "uuid"]),
    },
)
_SCHEMAS = st.fixed_dictionaries(
    {"properties": st.dictionaries(st.sampled_from(["a", "b", "c"]), _CONSTRAINTS, max_size=3)},
    optional={
        "required": st.lists(st.sampled_from(["a", "b"]), unique=True),
        "additionalProperties": st.booleans() | _CONSTRAINTS,
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "b$"]), _CONSTRAINTS, max_size=2),
        "propertyNames": st.fixed_dictionaries({"maxLength": st.integers(0, 2)}),
        "minProperties": st.integers(0, 2),
        "not": st.fixed_dictionaries({"required": st.just(["a", "c"])}),
        "if": st.fixed_dictionaries({"required": st.just(["a"])}),
        "then": st.fixed_dictionaries({"required": st.just(["b"])}),
        "dependentRequired": st.just({"b": ["c"]}),
        "anyOf": st.lists(st.fixed_dictionaries({"required": st.sampled_from([["a"], ["b"]])}), min_size=1, max_size=2),
    },
)
_FIELDS = st.dictionaries(
    st.sampled_from(["a", "b", "c", "ab", "long"]),
    st.sampled_from(["", "a", "b", "ab", "12", "é", "a\n", "2020-02-30", "2020-02-28", "x@y", "1.2.3.4", " "]),
    max_size=4,
)


@settings(max_examples=600, deadline=None)
@given(_SCHEMAS, st.lists(_FIELDS, min_size=1, max_size=5))
def test_both_validators_agree_on_leads(schema: dict[str, Any], updates: list[dict[str, str]]) -> None:
    fast, deciding = compiled(schema), explaining(schema)
    lead_schema = LeadSchema(schema)
    for fields in updates:
        assert fast.is_valid(fields) == deciding.is_valid(fields)
        assert lead_schema.accepts(fields) is (lead_schema.explain(fields) == [])
