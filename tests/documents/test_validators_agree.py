"""The fast validator against the one that decides, over random lead schemas and updates.

Also run with the lowest versions that are allowed, by scripts/check-floors.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from syncengine.documents.ecma_pattern import PatternError
from syncengine.documents.explaining import validator_for
from syncengine.documents.formats import FORMATS
from syncengine.documents.lead_schema import LeadSchema
from syncengine.documents.lead_schema_file import _faults  # what `load` finds, without a file
from syncengine.documents.schema_keywords import DRAFTS, Draft
from syncengine.documents.validators import compiled, pattern

NAMES = ["a", "b", "c", "ab", "é"]
TEXTS = [
    "", "a", "b", "ab", "AB", "12", "٣", "é", "ſ", "😀", "a\n", "\n", " ", "\xa0", "\x85", "\u2028", "\ufeff", "[", "]",
    "a]", "&", "-", "^", "{", "2020-02-30", "2020-02-28", "2020-02-28T10:00:00Z", "10:00:00Z", "P1D", "x@y", "x@y.org",
    '"x y"@z', "joe@", "@", "1.2.3.4", "01.2.3.4", "::1", "::1%a", "x.org", "x_y", "http://x/", "//x",
    "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1_380",
]  # fmt: skip
ATOMS = [
    "a", "b", "é", "😀", ".", "^", "$", "|", "(", "(?:", "(?=", "(?!", "(?<=", "(?<n>", ")", "*", "+", "?", "{2}",
    "{0,2}",
    r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\b", r"\B", r"\p{L}", r"\P{Lu}", r"\p{Script=Latin}", r"\u{1F600}",
    r"\x41",
    r"\cJ", r"\1", "[a-c]", "[^a]", "[[A-Z]x]", "[a&&b]", "[a~~b]", r"[\s\S]", r"[^\d]", r"[\p{L}-]", "]", r"\]", "&",
]  # fmt: skip


def _is_pattern(text: str) -> bool:
    try:
        pattern(text)
    except (PatternError, ValueError):
        return False
    return True


PATTERNS = st.lists(st.sampled_from(ATOMS), min_size=1, max_size=4).map("".join).filter(_is_pattern)


def keywords(draft: Draft, inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """One schema, its parts being `inner`."""
    maps = st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    names = st.lists(st.sampled_from(NAMES), unique=True, max_size=2)
    several = st.lists(inner, min_size=1, max_size=3)
    optional: dict[str, st.SearchStrategy[Any]] = {
        "type": st.sampled_from(["string", "object", "integer", ["string", "null"], ["object", "string"]]),
        "enum": st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3, unique=True),
        "const": st.sampled_from([*TEXTS, 1, None]),
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "minimum": st.integers(0, 3),
        "pattern": PATTERNS,
        "format": st.sampled_from(FORMATS),
        "properties": maps,
        "patternProperties": st.dictionaries(PATTERNS, inner, max_size=2),
        "additionalProperties": inner,
        "propertyNames": inner,
        "required": names,
        "minProperties": st.integers(0, 2),
        "maxProperties": st.integers(0, 3),
        "allOf": several,
        "anyOf": several,
        "oneOf": several,
        "not": inner,
        "if": inner,
        "then": inner,
        "else": inner,
        "$ref": st.just("#/definitions/d"),
        "title": st.just("t"),
    }
    if draft == "draft-07":
        optional["dependencies"] = st.dictionaries(st.sampled_from(NAMES), names | inner, max_size=2)
    else:
        optional["dependentRequired"] = st.dictionaries(st.sampled_from(NAMES), names, max_size=2)
        optional["dependentSchemas"] = st.dictionaries(st.sampled_from(NAMES), inner, max_size=2)
        optional["unevaluatedProperties"] = inner
    # A few keywords a schema: with all of them at once, nothing is ever accepted.
    some = st.lists(st.sampled_from(sorted(optional)), min_size=1, max_size=4, unique=True)
    return some.flatmap(lambda chosen: st.fixed_dictionaries({name: optional[name] for name in chosen}))


@st.composite
def lead_schemas(draw: st.DrawFn) -> dict[str, Any]:
    url, draft = draw(st.sampled_from(sorted(DRAFTS.items())))
    leaf = st.booleans() | keywords(draft, st.booleans())
    inner = leaf | keywords(draft, leaf)
    schema = draw(keywords(draft, inner))
    return {"$schema": url, **schema, "definitions": {"d": draw(leaf)}}


UPDATES = st.lists(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(TEXTS), max_size=4), min_size=1, max_size=6)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(lead_schemas(), UPDATES)
def test_the_fast_validator_never_accepts_what_the_deciding_one_refuses(
    schema: dict[str, Any], updates: list[dict[str, str]]
) -> None:
    assume(not list(_faults(schema)))
    fast, deciding = compiled(schema), validator_for(schema)
    lead_schema = LeadSchema(schema)
    # About these the validators disagree, and the deciding one is asked alone.
    is_decided_alone = "unevaluated" in json.dumps(schema)
    for fields in updates:
        assert is_decided_alone or fast.is_valid(fields) == deciding.is_valid(fields)
        assert lead_schema.accepts(fields) is (lead_schema.explain(fields) == [])


def test_a_schema_about_which_the_validators_disagree_is_left_to_the_deciding_one() -> None:
    inner = {"additionalProperties": {"additionalProperties": False}, "unevaluatedProperties": False}
    schema = {"$schema": "https://json-schema.org/draft/2019-09/schema", **inner}
    lead_schema = LeadSchema(schema)
    for fields in ({"a": ""}, {"a": "x"}, {}):
        assert lead_schema.accepts(fields) is validator_for(schema).is_valid(fields)


@settings(max_examples=300, deadline=None)
@given(PATTERNS, st.lists(st.sampled_from(TEXTS), min_size=1, max_size=8))
def test_a_pattern_means_the_same_to_both(text: str, values: list[str]) -> None:
    schema = {"patternProperties": {text: False}, "properties": {"a": {"pattern": text}}}
    fast, deciding = compiled(schema), validator_for(schema)
    for value in values:
        for fields in ({"a": value}, {value: "a"}):
            assert fast.is_valid(fields) == deciding.is_valid(fields)
