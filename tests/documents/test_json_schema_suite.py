"""The JSON Schema Test Suite: what lead schemas refuse of it is listed with the reason; the rest has its verdicts.

Both validators are held to every case: the fast one, and the one that decides what the fast one does not accept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.documents.explaining import validator_for
from syncengine.documents.lead_schema_file import read_lead_schema
from syncengine.documents.validators import compiled

SUITE = Path(__file__).parent / "json_schema_suite"
DRAFTS = {
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
    "draft7": "http://json-schema.org/draft-07/schema#",
}
REFUSED = {
    "a reference that leads outside of the file, or to an $id or $anchor": {
        "validate definition against metaschema",
        "remote ref, containing refs itself",
        "Recursive references between schemas",
        "refs with relative uris and defs",
        "relative refs with absolute uris and defs",
        "$id must be resolved against nearest parent, not just immediate parent",
        "order of evaluation: $id and $ref",
        "order of evaluation: $id and $anchor and $ref",
        "simple URN base URI with $ref via the URN",
        "URN base URI with URN and JSON pointer ref",
        "URN base URI with URN and anchor ref",
        "URN ref with nested pointer ref",
        "ref to if",
        "ref to then",
        "ref to else",
        "ref with absolute-path-reference",
        "Location-independent identifier",
        "Reference an anchor with a non-relative URI",
        "Location-independent identifier with base URI change in subschema",
        "$ref prevents a sibling $id from changing the base uri",
        "unevaluatedItems with $dynamicRef",
        "unevaluatedProperties with $dynamicRef",
    },
    "a reference to the schema itself, which would never end": {
        "root pointer ref",
        "unevaluatedProperties + single cyclic ref",
    },
    "a reference into a list, or one that is encoded as in a URI": {
        "relative pointer ref to array",
        "escaped pointer ref",
        "refs with quote",
    },
    "draft-07 ignores what is beside $ref, so a rule there would check nothing": {
        "ref overrides any sibling keywords",
    },
    "patternProperties in a schema with unevaluatedProperties: jsonschema decides those by Python's patterns": {
        "unevaluatedProperties with adjacent patternProperties",
        "unevaluatedProperties with nested patternProperties",
        "dynamic evalation inside nested refs",
        "unevaluatedProperties can see annotations from if without then and else",
    },
}


def groups(draft: str) -> Iterator[tuple[str, str, dict[str, Any], list[tuple[str, Any, bool]]]]:
    for line in (SUITE / f"{draft}.jsonl").read_text(encoding="utf-8").splitlines():
        file, description, schema, cases = json.loads(line)
        # A lead schema is an object.
        held = schema if isinstance(schema, dict) else {"allOf": [schema]}
        yield file, description, {"$schema": DRAFTS[draft], **held}, cases


@pytest.mark.parametrize("draft", DRAFTS)
def test_both_validators_have_the_verdicts_of_the_suite(draft: str, tmp_path: Path) -> None:
    path = tmp_path / "lead.schema.json"
    judged, refused = 0, set()
    for file, description, schema, cases in groups(draft):
        path.write_text(json.dumps(schema), encoding="utf-8")
        read = read_lead_schema(path)
        if isinstance(read, list):
            assert all(problem.line and problem.hint for problem in read), read
            refused.add(description)
            continue
        fast, deciding = compiled(read), validator_for(read)
        for case, instance, valid in cases:
            verdicts = (fast.is_valid(instance), deciding.is_valid(instance))
            assert verdicts == (valid, valid), f"{file}: {description}: {case}"
            judged += 1
    known = set().union(*REFUSED.values())
    described = {description for _, description, _, _ in groups(draft)}
    assert refused == known & described
    assert judged > 1000
