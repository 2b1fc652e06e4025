"""The fault format: what is taken, what is refused and with which words, and that the published schema agrees."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from syncengine.sandbox import SandboxError, parse_script, read_script

SCHEMAS = Path(__file__).parents[2] / "schemas"
FAULTS = json.loads((SCHEMAS / "sandbox-faults.v1.schema.json").read_text())
EFFECTS = json.loads((SCHEMAS / "sandbox-effects.v1.schema.json").read_text())
KILL = {"send": "KILL", "at": "received"}

WRONG = [
    ({}, "does nothing"),
    ({"reed": "reset"}, "reed"),
    ({"read": "twice"}, "read"),
    ({"delay_after": -1}, "delay_after"),
    ({"answer": "reset"}, "say whether it was done"),
    ({"answer": {"status": 500}}, "say whether it was done"),
    ({"effect": "all", "answer": {"status": 99}}, "status"),
    ({"effect": "all", "answer": {"body": "text"}}, "go together"),
    ({"effect": "all", "answer": {"text": "x"}}, "go together"),
    ({"effect": "all", "answer": {"body": "huge"}}, "go together"),
    ({"effect": "all", "answer": {"megabytes": 3}}, "go together"),
    ({"effect": "all", "answer": {"body": "flood", "gzip": True}}, "not compressed"),
    ({"effect": {}}, "exactly one of first and late"),
    ({"effect": {"first": 1, "late": 1}}, "exactly one of first and late"),
    ({"read": "reset", "delay_after": 1}, "nothing else"),
    ({"signal": KILL}, "exactly one of pid and pid_file"),
    ({"signal": {**KILL, "pid": 5, "pid_file": "x"}}, "exactly one of pid and pid_file"),
    ({"signal": {**KILL, "pid": 1}}, "pid"),
    ({"elements": ["sideways"]}, "elements"),
]


@pytest.mark.parametrize(("fault", "words"), WRONG)
def test_what_makes_no_sense_is_refused_by_file_rule_and_key(fault, words):
    document = {"rules": [{"fault": {"delay_before": 1}}, {"fault": fault}]}
    with pytest.raises(SandboxError) as error:
        parse_script(json.dumps(document).encode(), name="f.json")
    assert words in str(error.value)
    assert "f.json" in str(error.value)
    assert "rules[1]" in str(error.value) or "rules[...]" in str(error.value)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, FAULTS)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"match": {"probability": 0.5}, "fault": {"delay_before": 1}}, "needs a seed"),
        ({"match": {"lead": "1"}, "fault": {"read": "reset"}}, "before the body is read"),
        ({"match": {"delivery": "1"}, "fault": {"refuse_seconds": 1}}, "before the body is read"),
        ({"fault": {"read": "slow", "refuse_seconds": 1}}, "not both"),
        ({"fault": {"refuse_seconds": 1, "delay_before": 1}}, "nothing else"),
        ({"fault": {"effect": "all", "elements": ["extra"], "answer": {"body": "html"}}}, "must be normal"),
    ],
)
def test_rules_whose_parts_do_not_fit(rule, words):
    with pytest.raises(SandboxError, match=words):
        parse_script(json.dumps(rule).encode())


def test_every_example_of_the_schema_is_taken_by_both():
    jsonschema.Draft202012Validator.check_schema(FAULTS)
    for example in FAULTS["examples"]:
        jsonschema.validate(example, FAULTS)
        assert parse_script(json.dumps(example).encode()).rules


def test_every_key_of_the_schema_is_described():
    def undescribed(node, where):
        for name, value in node.get("properties", {}).items():
            if "$ref" not in value and "description" not in value and "const" not in value and "type" not in value:
                yield f"{where}.{name}"
            yield from undescribed(value, f"{where}.{name}")

    found = [path for name, node in FAULTS["$defs"].items() for path in undescribed(node, name)]
    assert found + list(undescribed(EFFECTS, "effects")) == []


def test_json_lines_with_a_latency_line(tmp_path):
    path = tmp_path / "faults.jsonl"
    path.write_text(
        '{"latency_ms": 20}\n\n{"fault": {"delay_before": 1}}\n{"name": "b", "fault": {"delay_after": 1}}\n'
    )
    script = read_script(path)
    assert script.latency_ms == 20
    assert [rule.name for rule in script.rules] == ["", "b"]


def test_one_line_alone_is_a_rule_or_a_latency():
    assert len(parse_script(b'{"fault": {"delay_before": 1}}').rules) == 1
    assert parse_script(b'{"latency_ms": 5}').latency_ms == 5


@pytest.mark.parametrize(
    "data", [b"", b"nonsense", b"\xff\xfe", b"[1]", b'{"rules": 3}', b'{"version": 2}', b"[" * 90_000]
)
def test_what_is_no_script_is_refused(data):
    with pytest.raises(SandboxError, match=r"f\.json"):
        parse_script(data, name="f.json")


def test_a_bad_line_is_named():
    with pytest.raises(SandboxError, match="f, line 2"):
        parse_script(b'{"fault": {"delay_before": 1}}\n{"fault": {"delay": 1}}\n', name="f")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SandboxError, match="No such file"):
        read_script(tmp_path / "none.json")


def test_every_effect_meets_its_schema(start):
    driver = start()
    driver.leads({"id": "2932682", "update": {"c1": "x"}, "triggerDeliveryId": "1053"})
    driver.leads({"id": "2932682", "action": "reprocess"}, {"quarantineId": "123", "update": {"c1": "x"}})
    driver.financials([2932682], newPayout=80, BID=33)
    for number, action in ((123, "process"), (124, "reject")):
        driver.call("POST", "/restapi/v1.3/quarantine/process", {"quarantineId": number, "action": action})
    driver.call("POST", "/restapi/v1.2/leads/return", {"leadId": 2932682, "BID": "33", "reason": "DNCC"})
    jsonschema.Draft202012Validator.check_schema(EFFECTS)
    kinds = set()
    for effect in [*driver.effects, *EFFECTS["examples"]]:
        jsonschema.validate(effect, EFFECTS)
        kinds.add(effect["effect"])
    assert kinds == set(EFFECTS["properties"]["effect"]["enum"])
