"""Damaged ids and phone numbers, and values that show nothing, as tables of people hold them: nothing is sent."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import pytest

from tests.workspace import Workspace

ROWS = "sources: {rows: {file: ../data/rows.csv}}\n"


def table(workspace: Workspace, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    workspace.write("data/rows.csv", text.getvalue())


def refused(workspace: Workspace, code: str) -> list[str]:
    """The messages and hints of a plan that is refused with `code` alone; apply sends nothing either."""
    ended = workspace.run("plan", "changesets", "--out", "it.plan", "--format", "json")
    assert ended.code == 1
    found = ended.json["diagnostics"]
    assert {each["code"] for each in found} == {code}
    assert all(each["file"] == "changesets/cells.yaml" and each["line"] and each["column"] for each in found)
    assert workspace.run("apply", "changesets", "--yes").code == 1
    assert not (workspace.root / "it.plan").exists()
    assert workspace.requests == []
    return [f"{each['message']} | {each['hint']}" for each in found]


@pytest.mark.parametrize("cell", ["2932683.0", "2932683.00", "2.93E+06", "2,93E+06", "2.93e6", "2932683,0"])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ('lead: "{{ row.id }}"\n  update: {c1: a}', "SE331"),
        ('lead: "{{ row.id | digits }}"\n  update: {c1: a}', "SE304"),
        ('quarantined: "{{ row.id }}"\n  update: {c1: a}', "SE331"),
        ('lead: "7{{ row.fine }}"\n  trigger: ["{{ row.id }}"]', "SE331"),
        ('lead: "7{{ row.fine }}"\n  trigger: ["{{ row.id | digits }}"]', "SE304"),
        ('lead: "7{{ row.fine }}"\n  financials: {payout: 1, buyer: "{{ row.id }}"}', "SE334"),
        ('lead: "7{{ row.fine }}"\n  financials: {payout: 1}\n  expect: {buyer: "{{ row.id }}"}', "SE334"),
        ('lead: "7{{ row.fine }}"\n  update: {phone1: "{{ row.id | e164 }}"}', "SE304"),
    ],
)
def test_what_a_spreadsheet_made_of_an_id_is_refused_wherever_ids_are_read(
    workspace: Workspace, cell: str, change: str, code: str
) -> None:
    table(workspace, ["id", "fine"], [[cell, "1"]])
    workspace.changeset("cells", f"- for_each: rows\n  {change}", head=ROWS)
    (message,) = refused(workspace, code)
    assert "a spreadsheet made this number of" in message
    assert "format the column as text in the spreadsheet, and export it again" in message
    assert "row 1 of data/rows.csv" in message


@pytest.mark.parametrize(
    "cell", ["2932686 / 2932687", "2932686;2932687", "2932686\n2932687", "2932686 and 2932687", "2932686, 2932687"]
)
@pytest.mark.parametrize("lead", ["row.id", "row.id | digits", "row.id | trim", "row.id | squeeze"])
def test_several_ids_in_one_cell_are_refused(workspace: Workspace, cell: str, lead: str) -> None:
    table(workspace, ["id"], [[cell]])
    workspace.changeset("cells", f'- for_each: rows\n  lead: "{{{{ {lead} }}}}"\n  update: {{c1: a}}', head=ROWS)
    (message,) = refused(workspace, "SE304" if "digits" in lead else "SE331")
    assert "it holds several numbers" in message


@pytest.mark.parametrize("target", ["deliveries: {north: 1053.0}", "buyers: {north: 33.0}", 'buyers: {"33.0": "34"}'])
def test_a_configured_name_stands_for_no_damaged_id(workspace: Workspace, target: str) -> None:
    path = workspace.root / "syncengine.yaml"
    lines = [
        line for line in path.read_text(encoding="utf-8").splitlines() if target.split(":", maxsplit=1)[0] not in line
    ]
    path.write_text("\n".join([*lines, f"    {target}"]) + "\n", encoding="utf-8")
    workspace.changeset("cells", '- lead: "1"\n  update: {c1: a}')
    ended = workspace.run("validate", "changesets")
    assert ended.code == 1
    assert "error SE554" in ended.err + ended.out


def test_clean_ids_and_phone_numbers_are_sent(workspace: Workspace) -> None:
    rows = [
        ["5003", "07700 900123"],
        ["5004 ", "+44 (0)7700-900123"],
        ["\u200b5005", "(07700) 900123"],
        ["5006", "0044 7700 900123"],
    ]
    table(workspace, ["id", "phone"], rows)
    workspace.changeset(
        "cells",
        '- for_each: rows\n  lead: "{{ row.id | trim }}"\n  update: {phone1: "{{ row.phone | e164 }}"}\n'
        '- for_each: rows\n  lead: "{{ row.id | digits }}"\n  update: {phone2: "{{ row.phone | digits }}"}\n',
        head=ROWS,
    )
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    sent = {line["lead"]: line["fields"]["phone1"] for line in workspace.effects if "phone1" in line["fields"]}
    assert sent == dict.fromkeys(["5003", "5004", "5005", "5006"], "+447700900123")


def test_blank_cells_are_left_out_where_empty_ones_are(workspace: Workspace) -> None:
    cells = [" ", "\xa0", "\u200b", "", "\ufeff", "\u3164", " \t", "TN25 6QD"]
    table(workspace, ["id", "postcode"], [[str(number), cell] for number, cell in enumerate(cells, 1)])
    workspace.changeset(
        "cells",
        '- for_each: rows\n  lead: "{{ row.id }}"\n  update: {postcode: "{{ row.postcode }}"}\n  skip_empty: true',
        head=ROWS,
    )
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    assert [line["lead"] for line in workspace.effects] == ["8"]


@pytest.mark.parametrize("cell", [" ", "\xa0", "\u200b", "\u2060 ", "\u3164"])
@pytest.mark.parametrize("allowed", [False, True])
def test_a_blank_cell_is_never_sent_over_a_value(workspace: Workspace, cell: str, *, allowed: bool) -> None:
    if allowed:
        path = workspace.root / "syncengine.yaml"
        path.write_text(path.read_text(encoding="utf-8") + "    fields: {allow_empty: true}\n", encoding="utf-8")
    table(workspace, ["id", "postcode"], [["1", cell]])
    workspace.changeset(
        "cells", '- for_each: rows\n  lead: "{{ row.id }}"\n  update: {postcode: "{{ row.postcode }}"}', head=ROWS
    )
    (message,) = refused(workspace, "SE336")
    assert "the value shows nothing" in message
    assert "skip_empty" in message


def test_an_account_that_allows_empty_values_sends_them_trimmed(workspace: Workspace) -> None:
    path = workspace.root / "syncengine.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "    fields: {allow_empty: true}\n", encoding="utf-8")
    table(workspace, ["id", "postcode"], [["1", "\xa0"], ["2", ""]])
    workspace.changeset(
        "cells",
        '- for_each: rows\n  lead: "{{ row.id }}"\n  update: {postcode: "{{ row.postcode | trim }}"}',
        head=ROWS,
    )
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    assert [line["fields"] for line in workspace.effects] == [{"postcode": ""}, {"postcode": ""}]


def test_a_blank_note_is_no_note(workspace: Workspace) -> None:
    ended = workspace.run("resolve", "0123456789ab", "--as", "applied", "--by", "ann", "--note", "\u200b")
    assert ended.code == 1
    assert "must say something" in ended.err


@pytest.mark.parametrize("option", [[], ["--inline"]])
def test_import_reads_ids_by_the_same_rule(workspace: Workspace, option: list[str]) -> None:
    table(workspace, ["id", "postcode"], [["2932683.0", "TN25 6QD"]])
    ended = workspace.run(
        *("import", "data/rows.csv", "--account", "acme", "--lead", "id", "--field", "postcode=postcode"), *option
    )
    if not option:
        assert ended.code == 0
        workspace.write("changesets/cells.yaml", ended.out.replace("data/rows.csv", "../data/rows.csv"))
        ended = workspace.run("validate", "changesets")
    assert ended.code == 1
    assert "a spreadsheet made this number of an id" in ended.out + ended.err
