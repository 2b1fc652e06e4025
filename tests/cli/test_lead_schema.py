"""Lead schemas through `validate`: patterns of ECMA 262, keywords of the draft, formats of their RFCs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import Ended, run, run_inside

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2019 = "https://json-schema.org/draft/2019-09/schema"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
CONFIGURATION = """\
version: 1
ledger: {url: "sqlite:///.syncengine/ledger.db", id: null}
accounts:
  acme: {base_url: "https://acme.leadbyte.co.uk", api_key: "env:LEADBYTE_API_KEY", lead_schema: lead.schema.json}
"""


def _update(folder: Path, schema: Any, fields: dict[str, str]) -> None:
    (folder / "syncengine.yaml").write_text(CONFIGURATION)
    text = schema if isinstance(schema, str) else json.dumps(schema)
    (folder / "lead.schema.json").write_text(text, encoding="utf-8")
    changeset = {
        "version": 1,
        "changeset": "one",
        "account": "acme",
        "changes": [{"lead": "1", "update": fields}],
    }
    (folder / "changeset.yaml").write_text(json.dumps(changeset, ensure_ascii=False), encoding="utf-8")


def validate(folder: Path, schema: Any, **fields: str) -> Ended:
    _update(folder, schema, fields)
    return run_inside("validate", "changeset.yaml", cwd=folder)


def problems(folder: Path, schema: Any) -> list[dict[str, Any]]:
    """What `validate` finds wrong with a schema; the update beside it is one that anything accepts."""
    _update(folder, schema, {"other": "x"})
    ended = run_inside("validate", "changeset.yaml", "--format", "json", cwd=folder)
    assert ended.code == 1
    found: list[dict[str, Any]] = json.loads(ended.out)["diagnostics"]
    return found


def pattern(text: str) -> dict[str, Any]:
    return {"properties": {"f": {"pattern": text}}}


@pytest.mark.parametrize(
    ("text", "accepted", "refused"),
    [
        (r"^\p{L}+$", "Müller", "Müller1"),
        (r"^\p{Lu}\P{Lu}+$", "Émile", "émile"),
        (r"^\p{Script=Greek}+$", "αβ", "ab"),
        (r"^[\p{L}\p{M}' -]+$", "Ó Briain", "R2"),
        (r"^(?<first>\S)\S*$", "Joe", "J B"),
        (r"^(?<q>[ab])x\k<q>$", "axa", "axb"),
        (r"^a\u{1F600}$", "a😀", "a"),
        (r"^\ud83d\ude00$", "😀", "x"),
        (r"^a\cJb$", "a\nb", "acJb"),
        (r"^\x41\u0042$", "AB", "ab"),
        (r"^[[A-Z]x]$", "[x]", "x"),
        (r"^[a&&b]$", "&", "ab"),
        (r"^[a-c--]$", "-", "d"),
        (r"^[a~~b]$", "a", "c"),
        (r"^[[:alpha:]]$", ":]", "b"),
        (r"^\d+$", "12", "٣"),
        (r"^\w+$", "a_1", "é"),
        (r"^a\sb$", "a\xa0b", "a\x85b"),
        (r"^a\Sb$", "a\x85b", "a\ufeffb"),
        (r"\bx", "éx", "ax"),
        (r"^a.b$", "a\x85b", "a\u2028b"),
        (r"^(a+)(b)?\1$", "aa", "ab"),
        (r"^[\b\-]$", "-", "b"),
    ],
)
def test_patterns_are_those_of_ecma_262(text: str, accepted: str, refused: str, tmp_path: Path) -> None:
    fields = {"f": accepted}
    _update(tmp_path, pattern(text), fields)
    from syncengine.documents.lead_schema import LeadSchema

    schema = LeadSchema.load(tmp_path / "lead.schema.json")
    assert isinstance(schema, LeadSchema), schema
    # Control characters cannot be in an update; the schema itself must still read them.
    assert schema.accepts(fields)
    assert validate(tmp_path, pattern(text), f=refused).code == 1
    if accepted.isprintable():
        assert validate(tmp_path, pattern(text), f=accepted).code == 0


@pytest.mark.parametrize(
    ("text", "position", "cause", "remedy"),
    [
        ("(?i)abc", 1, "(?i)", "[Aa]"),
        ("x(?s).", 2, "flags", "[Aa]"),
        ("a(?i:b)", 2, "flags", "[Aa]"),
        (r"\Aabc", 1, r"\A is no escape", "^"),
        (r"abc\z", 4, r"\z is no escape", "$"),
        (r"abc\Z", 4, r"\Z is no escape", "$"),
        ("(?P<name>a)", 1, "Python", "(?<name>…)"),
        ("(?>a)", 1, "(?>", "(?:"),
        ("a++", 3, "repeats a repetition", "(?:"),
        ("[]]", 1, "without members", r"\]"),
        ("[^]]", 1, "without members", r"\]"),
        (r"[\w-.]", 2, "a range goes from one character", r"\-"),
        ("[z-a]", 2, "ends before it begins", r"\-"),
        (r"\p{Greek}", 1, "'Greek'", "Script=Greek"),
        (r"\p{letter}", 1, "'letter'", "'Letter'"),
        (r"\pL", 1, "in braces", r"\p{L}"),
        (r"\x{41}", 1, "hexadecimal", r"\u{…}"),
        (r"(a)|\1", 5, "need not take part", "outside of"),
        ("(", 2, "not closed", r"\("),
        ("a{2,1}", 2, "ends before it begins", "{1,2}"),
        ("*", 1, "nothing before it", r"\*"),
    ],
)
def test_a_pattern_that_is_not_one_is_one_error_with_its_place(
    text: str, position: int, cause: str, remedy: str, tmp_path: Path
) -> None:
    (problem,) = problems(tmp_path, f'{{"properties": {{\n  "f": {{"pattern": {json.dumps(text)}}}}}}}')
    assert (problem["code"], problem["line"], problem["column"]) == ("SE210", 2, 9)
    assert problem["file"].endswith("lead.schema.json")
    assert "properties.f.pattern" in problem["message"]
    assert f"at character {position}, " in problem["message"]
    assert cause in problem["message"]
    assert remedy in problem["hint"]


@pytest.mark.parametrize("text", [r"\p{Script=Nowhere}", "a{999999999}", r"\p{RGI_Emoji}"])
def test_a_pattern_that_the_engine_refuses_is_one_error(text: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {"patternProperties": {text: {}}})
    assert (problem["code"], problem["line"]) == ("SE210", 1)


def test_the_explanation_of_a_refused_value_names_the_pattern_as_it_was_written(tmp_path: Path) -> None:
    ended = validate(tmp_path, pattern(r"^\p{Lu}[a&&b]$"), f="x")
    assert r"f does not have the form ^\p{Lu}[a&&b]$" in ended.out
    schema = {"patternProperties": {r"^\p{Lu}": {"maxLength": 1}}, "additionalProperties": False}
    ended = validate(tmp_path, schema, Éa="xx", b="x")
    assert "Éa must have at most 1 characters" in ended.out
    assert "unknown key 'b'" in ended.out


def test_two_spellings_of_one_pattern_are_two_rules(tmp_path: Path) -> None:
    schema = {"patternProperties": {r"^\d$": {"maxLength": 3}, "^[0-9]$": {"minLength": 2}}}
    assert validate(tmp_path, schema, **{"1": "xx"}).code == 0
    assert validate(tmp_path, schema, **{"1": "x"}).code == 1
    assert validate(tmp_path, schema, **{"1": "xxxx"}).code == 1


def inside(keyword: str, **more: Any) -> dict[str, Any]:
    return {"properties": {"f": {keyword: "x"}}, **more}


@pytest.mark.parametrize(
    ("schema", "keyword", "remedy"),
    [
        (inside("patern"), "patern", "'pattern'"),
        (inside("maxlength"), "maxlength", "'maxLength'"),
        (inside("max_length"), "max_length", "'maxLength'"),
        (inside("Format"), "Format", "'format'"),
        ({"additionalproperties": False}, "additionalproperties", "'additionalProperties'"),
        ({"require": ["a"]}, "require", "'required'"),
        ({"$def": {}}, "$def", "'$defs'"),
        ({"dependencies": {"a": ["b"]}}, "dependencies", "dependentRequired"),
        ({"additionalItems": False}, "additionalItems", "items"),
        ({"$schema": DRAFT_7, "dependentRequired": {"a": ["b"]}}, "dependentRequired", "use dependencies"),
        ({"$schema": DRAFT_7, "unevaluatedProperties": False}, "unevaluatedProperties", "additionalProperties"),
        ({"$schema": DRAFT_7, "$defs": {}}, "$defs", "use definitions"),
        ({"allOf": [{"if": {"not": {"requird": ["a"]}}}]}, "requird", "'required'"),
        ({"$defs": {"a": {"anyOf": [{}, {"enumm": ["a"]}]}}}, "enumm", "'enum'"),
        ({"patternProperties": {"^a": {"minlen": 1}}}, "minlen", "'minLength'"),
        ({"dependentSchemas": {"a": {"propertyName": {}}}}, "propertyName", "'propertyNames'"),
        ({"$schema": DRAFT_7, "dependencies": {"a": {"maxProprties": 1}}}, "maxProprties", "'maxProperties'"),
        ({"errorMessage": "x"}, "errorMessage", "x-"),
    ],
)
def test_a_keyword_that_the_draft_does_not_have_is_an_error(
    schema: dict[str, Any], keyword: str, remedy: str, tmp_path: Path
) -> None:
    (problem,) = problems(tmp_path, json.dumps(schema, indent=1))
    lines = json.dumps(schema, indent=1).splitlines()
    assert problem["code"] == "SE211"
    assert lines[problem["line"] - 1][problem["column"] - 1 :].startswith(f'"{keyword}"')
    assert repr(keyword) in problem["message"]
    assert remedy in problem["hint"]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"patern": {"title": "t"}, "enum": {}, "maxlength": {}}},
        {"properties": {"other": {"enum": ["x"], "default": {"patern": 1}, "examples": [{"patern": 1}]}}},
        {"not": {"const": {"patern": 1}}},
        {"$comment": "c", "title": "t", "description": "d", "deprecated": True, "readOnly": True, "default": {}},
        {"x-owner": {"patern": 1}, "properties": {"other": {"x-message": "no", "x-hint": "h"}}},
        {"$schema": DRAFT_7, "dependencies": {"a": ["b"]}, "definitions": {"patern": {}}, "deprecated": True},
        {"$schema": DRAFT_7, "not": {"$ref": "#/definitions/a", "title": "t"}, "definitions": {"a": False}},
        {"$schema": DRAFT_2019 + "#", "$defs": {"a": {}}, "dependentRequired": {"a": []}},
        {"$schema": DRAFT_2020, "$id": "https://example.com/x", "dependentSchemas": {}},
        {"$defs": {"required": {}}, "dependentRequired": {"requird": ["patern"]}, "required": ["other"]},
        {"contentMediaType": "text/plain", "contentEncoding": "base64"},
    ],
)  # fmt: skip
def test_what_is_no_keyword_may_be_called_anything(schema: dict[str, Any], tmp_path: Path) -> None:
    ended = validate(tmp_path, schema, other="x")
    assert ended.code == 0, ended.out


def test_draft_07_ignores_what_is_beside_a_reference_so_it_is_refused(tmp_path: Path) -> None:
    schema = {
        "$schema": DRAFT_7,
        "properties": {"f": {"$ref": "#/definitions/a", "maxLength": 1}},
        "definitions": {"a": {}},
    }
    (problem,) = problems(tmp_path, schema)
    assert (problem["code"], problem["hint"]) == ("SE211", "put both into allOf")


@pytest.mark.parametrize(
    "reference", ["#/x-shared/a", "#/default/a", "#/patternProperties/^a", "#/$defs/a%20b", "#a", "#/$defs/nowhere"]
)
def test_a_reference_to_what_is_checked_as_no_schema_is_refused(reference: str, tmp_path: Path) -> None:
    schema = {
        "properties": {"f": {"$ref": reference}},
        "x-shared": {"a": {"patern": 1}},
        "default": {"a": {}},
        "patternProperties": {"^a": {}},
        "$defs": {"a b": {}, "a%20b": {}},
    }
    (problem,) = problems(tmp_path, schema)
    assert (problem["code"], problem["line"]) == ("SE210", 1)
    assert reference in problem["message"]


FORMATS = [
    ("email", "joe@example.org", ["@", "joe@", "@x.org", "joe bloggs@example.com", "a@x.org, b@x.org", '"J" <j@x.org>',
                                 "<j@x.org>", "j..k@x.org", ".j@x.org", "j@x_y.org", "j@-x.org", "j@x.org.", "jö@x.org",
                                 "j@[1.2.3.256]", "j" * 65 + "@x.org", "j@k@x.org", "mailto:j@x.org"]),
    ("email", "o'brien+x@sub.example.co.uk", ["o'brien"]),
    ("email", '"joe bloggs"@x.org', ['"joe@x.org', '"joe"x@y.org']),
    ("email", "a@[127.0.0.1]", ["a@[127.0.0]", "a@[x]"]),
    ("email", "a@[IPv6:::1]", ["a@[::1]"]),
    ("email", "a@localhost", ["a@local host"]),
    ("uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", ["2eb8aa08-aa98-11ea-b4aa-73b441d1_380",
             "2eb8aa08-aa98-11ea-b4aa-73b441d16380-", "2eb8aa08aa9811eab4aa73b441d16380",
             "2eb8aa08-aa98-11ea-b4aa-73b441d1638٣",
             "{2eb8aa08-aa98-11ea-b4aa-73b441d16380}", "urn:uuid:2eb8aa08-aa98-11ea-b4aa-73b441d16380"]),
    ("uuid", "2EB8AA08-AA98-11EA-B4AA-73B441D16380", ["2EB8AA08-AA98-11EA-B4AA73B441D16380-"]),
    ("date", "2024-02-29", ["2023-02-29", "20240229", "2024-2-29", "2024-W09-4", "٢024-02-29", "29/02/2024"]),
    ("time", "10:00:00+01:00", ["10:00", "10:00:00", "24:00:00Z", "10:00:00+24:00"]),
    ("date-time", "2024-02-29T10:00:00.5Z", ["2024-02-29", "2024-02-29 10:00:00Z", "2023-02-29T10:00:00Z"]),
    ("duration", "P3DT4H", ["P", "PT", "3D", "P1Y1W"]),
    ("ipv4", "127.0.0.1", ["127.0.0", "127.0.0.01", "127.0.0.256", "127.0.0.1/8"]),
    ("ipv6", "::ffff:1.2.3.4", ["::1%eth0", "1::2::3", "[::1]", "12345::"]),
    ("hostname", "x-1.example.org", ["x_1.org", "-x.org", "x..org", "x" * 64, "x y"]),
    ("uri", "https://x.org/a?b#c", ["//x.org", "x.org", "https://x y", "https://x/%zz"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "accepted", "refused"), FORMATS)
def test_formats_mean_what_their_rfcs_say(name: str, accepted: str, refused: list[str], tmp_path: Path) -> None:
    for draft in (DRAFT_2020, DRAFT_7):
        schema = {"$schema": draft, "properties": {"f": {"format": name}}}
        assert validate(tmp_path, schema, f=accepted).code == 0
        for text in refused:
            ended = validate(tmp_path, schema, f=text)
            assert ended.code == 1, text
            assert f"f is not a valid {name}" in ended.out


def test_a_format_that_is_not_checked_is_an_error(tmp_path: Path) -> None:
    for name, remedy in (
        ("e-mail", "'email'"),
        ("datetime", "'date-time'"),
        ("idn-email", "'email'"),
        ("phone", "use a pattern"),
    ):
        (problem,) = problems(tmp_path, {"properties": {"f": {"format": name}}})
        assert remedy in problem["hint"]


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [False]},
        {"anyOf": [False, {"required": ["a"]}]},
        {"oneOf": [False, False]},
        {"properties": {"f": False}},
        {"$schema": DRAFT_7, "dependencies": {"f": False}},
        {"allOf": [{"patternProperties": {"^f": False}}]},
    ],
)
def test_a_schema_that_is_false_refuses_with_words(schema: dict[str, Any], tmp_path: Path) -> None:
    ended = validate(tmp_path, schema, f="x")
    assert ended.code == 1
    assert "SE330" in ended.out


def test_a_field_whose_schema_is_false_is_named(tmp_path: Path) -> None:
    ended = validate(tmp_path, {"properties": {"f": False}}, f="x")
    assert "f is not allowed" in ended.out


def test_in_a_process_of_its_own_no_warning_of_pythons_patterns_is_shown(tmp_path: Path) -> None:
    _update(tmp_path, pattern("^[[A-Z]x]?|M.*$"), {"f": "Müller"})
    ended = run("validate", "changeset.yaml", cwd=tmp_path, PYTHONWARNINGS="error")
    assert (ended.code, ended.err) == (0, ""), ended.out


@pytest.mark.parametrize(
    "module",
    [
        "",
        "class FancyRegexOptions: pass\nclass Draft202012Validator:\n    def __init__(self, schema): pass\n"
        "    def is_valid(self, value): return True\n",
    ],
)
def test_a_validator_that_is_too_old_is_not_used(module: str, tmp_path: Path) -> None:
    """As where another package of the environment asked for a release that lacks rules, or leaves them out."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "jsonschema_rs.py").write_text(module)
    _update(tmp_path, {"required": ["a", "b"]}, {"c": "x"})
    ended = run("validate", "changeset.yaml", cwd=tmp_path, PYTHONPATH=str(tmp_path / "old"))
    assert ended.code == 1
    assert "error SE909" in ended.err
    assert "pip install 'jsonschema-rs>=0.46.2,<0.62'" in ended.err
