"""Loading, selecting, variables, positions and counts."""

from pathlib import Path

import pytest

from syncengine.changeset.load import load, validate
from syncengine.core.changes import NameUse, Origin
from syncengine.core.errors import Problem
from syncengine.core.operations import Trigger, Update
from syncengine.documents.configuration import load_configuration
from tests.changeset.loading import CONFIGURATION, as_rows, changeset, items_of, loaded, repository

_ONE = '  - {lead: "2932682", update: {a: x}}\n'


def _codes(problems: list[Problem]) -> list[tuple[str, int, int]]:
    return [(problem.code, problem.line, problem.column) for problem in problems]


def test_changesets_are_ordered_by_id_whatever_their_files_are_called(tmp_path: Path) -> None:
    files = {
        "1.yaml": changeset(_ONE, name="zzz"),
        "2.yaml": changeset(_ONE, name="aaa"),
        "sub/3.yml": changeset(_ONE, name="mmm"),
    }
    assert [found.id for found in loaded(tmp_path, files).changesets] == ["aaa", "mmm", "zzz"]


def test_only_the_changesets_asked_for(tmp_path: Path) -> None:
    settings = repository(tmp_path, {"1.yaml": changeset(_ONE, name="one"), "2.yaml": changeset(_ONE, name="two")})
    found = load([tmp_path], settings, variables={}, only=frozenset({"two", "tow"}))
    assert [each.id for each in found.changesets] == ["two"]
    assert [(problem.code, problem.hint) for problem in found.problems] == [("SE406", "did you mean 'two'?")]


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    problems = loaded(tmp_path, {}, "nowhere.yaml").problems
    assert [problem.code for problem in problems] == ["SE114"]


def test_an_id_of_digits_wants_quotes(tmp_path: Path) -> None:
    problems = loaded(tmp_path, {"a.yaml": changeset(_ONE, name="2026")}).problems
    assert [(each.code, each.message, each.hint) for each in problems] == [
        ("SE203", "changeset must be a text, not a whole number", "write it in quotes")
    ]
    assert validate(loaded(tmp_path, {"a.yaml": changeset(_ONE, name='"2026"')})) == []


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ('{lead: "1", trigger: northwind}', 'write ["northwind"]'),
        ('{leads: "1, 2", update: {a: x}}', 'write ["1", "2"]'),
        ('{lead: "1", trigger: {a: b}}', 'write ["1053"]'),
    ],
)
def test_a_text_in_place_of_a_list_is_shown_as_a_list(tmp_path: Path, change: str, hint: str) -> None:
    problems = loaded(tmp_path, {"a.yaml": changeset(f"  - {change}\n")}).problems
    assert [(each.code, each.hint) for each in problems] == [("SE203", hint)]


def test_variables_override_declared_ones_only(tmp_path: Path) -> None:
    text = changeset('  - {lead: "2932682", update: {a: "{{ vars.note }}"}}\n', more="vars: {note: x}\n")
    found = loaded(tmp_path, {"a.yaml": text}, note="{{ y }}")
    assert as_rows(items_of(found)) == [["2932682", "update", {"a": "{{ y }}"}]]
    assert found.changesets[0].facts().vars == {"note": "{{ y }}"}
    wrong = loaded(tmp_path, {"a.yaml": text}, nota="y")
    assert [(problem.code, problem.hint) for problem in wrong.problems] == [("SE322", "did you mean 'note'?")]


def test_facts_and_origins(tmp_path: Path) -> None:
    text = "# a comment\n" + changeset(
        '  - for_each: rows\n    lead: "{{ row.lead }}"\n    update: {a: "{{ row.a }}"}\n'
        '  - id: both\n    leads:\n      - "2932684"\n      - "2932685"\n    trigger: [northwind]\n',
        more="title: A title\nsources: {rows: {file: ../data/rows.csv}}\n",
    )
    read = loaded(tmp_path, {"specs/a.yaml": text, "data/rows.csv": "lead,a\n2932682,x\n2932683,y\n"}, "specs")
    items = items_of(read)
    assert [(item.change, item.origin) for item in items] == [
        ("#1", Origin("specs/a.yaml", 8, 1, 2)),
        ("#1", Origin("specs/a.yaml", 8, 2, 3)),
        ("both", Origin("specs/a.yaml", 13)),
        ("both", Origin("specs/a.yaml", 14)),
    ]
    assert items[2].operations == (Trigger("2932684", "1053"),)
    assert items[2].names == (NameUse("delivery", "northwind", "1053"),)
    facts = read.changesets[0].facts()
    assert (facts.id, facts.account, facts.title, facts.file, facts.line) == (
        "a-changeset",
        "acme",
        "A title",
        "specs/a.yaml",
        2,
    )
    assert set(facts.sources) == {"rows"}
    assert len(facts.sources["rows"]) == 64


def test_one_cause_in_many_rows_is_one_finding_with_their_number(tmp_path: Path) -> None:
    rows = "lead,a\n" + "0,x\n" * 250 + "2932682\n" * 3
    text = changeset(
        '  - for_each: rows\n    lead: "{{ row.lead }}"\n    update: {a: "{{ row.a }}"}\n',
        more="sources: {rows: {file: rows.csv}}\n",
    )
    problems = validate(loaded(tmp_path, {"a.yaml": text, "rows.csv": rows}))
    assert [(problem.code, problem.row) for problem in problems] == [("SE331", 1), ("SE313", 251)]
    assert problems[0].message.endswith("(in 250 rows: 1, 2, 3, 4, 5, ...)")
    assert problems[1].message.endswith("(in 3 rows: 251, 252, 253)")
    assert problems[1].line == 252


def test_what_is_written_is_limited_too_and_the_number_comes_last(tmp_path: Path) -> None:
    changes = "".join(f'  - lead: "0{number}"\n    update: {{a: b}}\n' for number in range(130))
    problems = validate(
        loaded(tmp_path, {"a.yaml": changeset(changes), "b.yaml": changeset("  - x: y\n", name="another")})
    )
    assert [problem.code for problem in problems[:100]] == ["SE231"] * 100
    assert problems[-1].message == "and 30 further errors SE231 (130 in all)"
    assert problems[-2].file == "b.yaml"


def test_a_mistake_that_parser_and_schema_place_apart_is_told_once(tmp_path: Path) -> None:
    text = changeset('  - lead: "1"\n    update: {a: b}\n    rerun: 2\n')
    assert [problem.code for problem in validate(loaded(tmp_path, {"a.yaml": text}))] == ["SE243"]


def test_items_report_on_the_way_and_can_be_read_again(tmp_path: Path) -> None:
    text = changeset(
        '  - for_each: rows\n    lead: "{{ row.lead }}"\n    update: {a: "{{ row.a }}"}\n',
        more="sources: {rows: {file: rows.csv}}\n",
    )
    read = loaded(tmp_path, {"a.yaml": text, "rows.csv": "lead,a\n2932682,x\n0,y\n2932683,z\n"})
    first: list[Problem] = []
    second: list[Problem] = []
    (found,) = read.changesets
    assert list(found.items(first.append)) == list(found.items(second.append))
    assert first == second
    assert [(problem.code, problem.row) for problem in first] == [("SE331", 2)]


def test_when_is_asked_before_the_lead_unless_it_names_it(tmp_path: Path) -> None:
    rows = "lead,ok\n2932682,yes\n,no\n2932683,yes\n"
    more = "sources: {rows: {file: rows.csv}}\n"
    plain = changeset(
        '  - for_each: rows\n    when: row.ok == "yes"\n    lead: "{{ row.lead }}"\n    update: {a: x}\n', more=more
    )
    named = changeset(
        "  - for_each: rows\n    when: row.ok == 'yes' and lead != '2932683'\n"
        "    lead: \"{{ row.lead | default('2932684') }}\"\n    update: {a: x}\n",
        more=more,
    )
    assert [item.lead for item in items_of(loaded(tmp_path, {"a.yaml": plain, "rows.csv": rows}))] == [
        "2932682",
        "2932683",
    ]
    assert [item.lead for item in items_of(loaded(tmp_path, {"a.yaml": named}))] == ["2932682"]


def test_skipped_fields_are_counted(tmp_path: Path) -> None:
    text = changeset('  - lead: "2932682"\n    update: {a: "", b: x, c: ""}\n    skip_empty: true\n')
    (item,) = items_of(loaded(tmp_path, {"a.yaml": text}))
    assert (item.skipped, item.operations) == (2, (Update("2932682", {"b": "x"}),))


def test_expectations_are_rendered_and_amounts_normalised(tmp_path: Path) -> None:
    text = changeset(
        '  - lead: "2932682"\n    update: {postcode: TN25 6QD}\n    financials: {payout: 80}\n'
        '    expect: {postcode: TN25, payout: 40, buyer: northwind, c1: ""}\n'
    )
    (item,) = items_of(loaded(tmp_path, {"a.yaml": text}))
    assert item.expect == {"postcode": "TN25", "payout": "40.00", "buyer": "33", "c1": ""}


def test_conflicts_name_both_lines_and_both_rows(tmp_path: Path) -> None:
    text = changeset(
        '  - lead: "2932682"\n    update:\n      b: x\n      a: x\n'
        '  - for_each: rows\n    lead: "{{ row.lead }}"\n    update:\n      a: "{{ row.a }}"\n',
        more="sources: {rows: {file: rows.csv}}\n",
    )
    rows = "lead,a\n2932683,one\n2932683,two\n2932682,y\n2932683,one\n"
    problems = validate(loaded(tmp_path, {"a.yaml": text, "rows.csv": rows}))
    assert [(problem.code, problem.row, problem.severity) for problem in problems] == [
        ("SE402", 2, "error"),
        ("SE402", 3, "error"),
        ("SE404", 4, "note"),
    ]
    assert "in line 13 for row 1, and in line 13 for row 2" in problems[0].message
    assert "in line 9, and in line 13 for row 3" in problems[1].message
    assert not any("two" in problem.message.split(":")[0] for problem in problems)


def test_a_missing_column_that_is_defaulted_is_a_warning(tmp_path: Path) -> None:
    text = changeset(
        '  - for_each: rows\n    lead: "{{ row.lead }}"\n    update: {a: "{{ row.b | default(\'none\') }}"}\n',
        more="sources: {rows: {file: rows.csv}}\n",
    )
    read = loaded(tmp_path, {"a.yaml": text, "rows.csv": "lead,a\n2932682,x\n"})
    assert [(problem.code, problem.severity) for problem in validate(read)] == [("SE316", "warning")]
    assert as_rows(items_of(read)) == [["2932682", "update", {"a": "none"}]]


@pytest.mark.parametrize(
    "text", ["row.x in a text: {{ row.lead }}", "{{ 'row.x' ~ row.lead }}", "don't {{ row.lead }} won't"]
)
def test_only_expressions_name_columns(tmp_path: Path, text: str) -> None:
    quoted = text.replace("'", "''")
    document = changeset(
        f"  - for_each: rows\n    lead: \"{{{{ row.lead }}}}\"\n    update: {{a: '{quoted}'}}\n",
        more="sources: {rows: {file: rows.csv}}\n",
    )
    assert len(items_of(loaded(tmp_path, {"a.yaml": document, "rows.csv": "lead\n2932682\n"}))) == 1


def test_a_big_document_is_parsed_without_the_json_schema_and_refused_all_the_same(tmp_path: Path) -> None:
    lines = "".join(f'  - {{lead: "{number}", update: {{a: x}}}}\n' for number in range(1, 5_003))
    assert len(items_of(loaded(tmp_path, {"a.yaml": changeset(lines)}))) == 5_002
    wrong = changeset(lines + '  - {lead: "1", updat: {a: x}}\n')
    assert _codes(validate(loaded(tmp_path, {"a.yaml": wrong}))) == [("SE242", 5_007, 5), ("SE201", 5_007, 17)]


def test_negative_money_needs_the_policy(tmp_path: Path) -> None:
    text = changeset('  - {lead: "2932682", financials: {payout: -1.50}}\n')
    assert [problem.code for problem in validate(loaded(tmp_path, {"a.yaml": text}))] == ["SE233"]
    (tmp_path / "syncengine.yaml").write_text(CONFIGURATION + "policy: {allow_negative: true}\n")
    settings = load_configuration(tmp_path / "syncengine.yaml", {})
    assert as_rows(items_of(load([tmp_path], settings, variables={}))) == [
        ["2932682", "financials", {"payout": "-1.50"}]
    ]


def test_a_buyer_is_any_text_where_the_account_names_none(tmp_path: Path) -> None:
    text = changeset('  - {lead: "2932682", financials: {payout: 1, buyer: some-slug}}\n')
    assert [problem.code for problem in validate(loaded(tmp_path, {"a.yaml": text}))] == ["SE512"]
    (tmp_path / "syncengine.yaml").write_text(CONFIGURATION.replace('    buyers: {northwind: "33"}\n', ""))
    settings = load_configuration(tmp_path / "syncengine.yaml", {})
    rows = as_rows(items_of(load([tmp_path], settings, variables={})))
    assert rows == [["2932682", "financials", {"payout": "1.00", "buyer": "some-slug"}]]


def test_a_link_out_of_the_repository_is_refused(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    outside.mkdir()
    (outside / "rows.csv").write_text("lead\n1\n")
    text = changeset(
        '  - {for_each: r, lead: "{{ row.lead }}", update: {a: x}}\n', more="sources: {r: {file: rows.csv}}\n"
    )
    settings = repository(inside, {"a.yaml": text})
    (inside / "rows.csv").symlink_to(outside / "rows.csv")
    assert [problem.code for problem in validate(load([inside], settings, variables={}))] == ["SE311"]


def test_more_deliveries_than_a_request_should_carry_are_a_warning(tmp_path: Path) -> None:
    ids = ", ".join(f'"{number}"' for number in range(1, 12))
    text = changeset(f'  - {{lead: "2932682", trigger: [{ids}]}}\n')
    problems = validate(loaded(tmp_path, {"a.yaml": text}))
    assert [(problem.code, problem.severity) for problem in problems] == [("SE245", "warning")]
