"""Rows that were rejected or not sent come back as they were, apart from those of which something was done."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import duckdb
import pytest

from tests.postgres_server import PostgresServer, postgres_server
from tests.rejects.conftest import LOST, REFUSED, Rows
from tests.tables.spreadsheets import xlsx

__all__ = ["postgres_server"]

UPDATE = """
- id: fix
  for_each: calls
  lead: "{{ row.lead_id }}"
  update: {postcode: "{{ row.postcode }}"}
"""
MONEY = """
- id: money
  for_each: calls
  lead: "{{ row.lead_id }}"
  financials: {payout: "{{ row.payout }}"}
"""
HEAD = "sources: {calls: {file: ../data/calls.csv}}\n"
CALLS = "lead_id,postcode,payout\n101,TN25,80\n102,M1,81\n103,N1,82\n"
MESSAGE = "Lead not updated; Postcode is not known"


def calls(rows: Rows, changes: str = UPDATE, text: str = CALLS, head: str = HEAD) -> None:
    rows.write("data/calls.csv", text)
    rows.changeset("week-47", changes, head=head)


def outcomes(rows: Rows, name: str = "rejected.csv") -> list[tuple[str, str]]:
    return [(row["lead_id"], row["syncengine_outcome"]) for row in rows.rows(name)]


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        (
            "",
            'lead_id,postcode,note\n101,TN25,"+447700900123"\n102,M1,"=1+1,""x"""\n103,N1,\n',
            'lead_id,postcode,note,syncengine_outcome,syncengine_message\n102,M1,"=1+1,""x""",rejected,{}\n',
        ),
        (
            ', delimiter: ";"',
            "lead_id;postcode;note\r\n101;TN25;a\r\n102;M1;+44 7700 900123\r\n",
            'lead_id;postcode;note;syncengine_outcome;syncengine_message\r\n102;M1;+44 7700 900123;rejected;"{}"\r\n',
        ),
        (
            "",
            '\ufeffsep=;\r\n"lead_id";"postcode";"note"\r\n"101";"a";"b"\r\n"102";"M1";"two\nlines"\r\n',
            '\ufeffsep=;\r\n"lead_id";"postcode";"note";"syncengine_outcome";"syncengine_message"\r\n'
            '"102";"M1";"two\nlines";"rejected";"{}"\r\n',
        ),
        (
            ", quote: none",
            'lead_id,postcode,note\n101,a,b\n102,M1,5" pipe\n',
            'lead_id,postcode,note,syncengine_outcome,syncengine_message\n102,M1,5" pipe,rejected,{}\n',
        ),
    ],
    ids=["quotes", "semicolons", "sep", "no quotes"],
)
def test_csv_rows_come_back_in_the_form_of_their_file(rows: Rows, options: str, text: str, expected: str) -> None:
    (rows.root / "data").mkdir()
    (rows.root / "data/calls.csv").write_bytes(text.encode())
    rows.changeset("week-47", UPDATE, head=f"sources: {{calls: {{file: ../data/calls.csv{options}}}}}\n")
    rows.refuse("102")
    rows.rejects(rows.applied())
    assert rows.text("rejected.csv") == expected.format(MESSAGE)
    assert stat.S_IMODE((rows.root / "rejected.csv").stat().st_mode) == 0o600
    assert rows.names() == ["rejected.csv"]


def test_own_cells_fit_a_file_without_quotes_and_in_one_byte(rows: Rows) -> None:
    """A message may hold what the file cannot; the cells of the source are as they were all the same."""
    (rows.root / "data").mkdir()
    (rows.root / "data/calls.csv").write_bytes("lead_id,postcode,name\n102,M1,Zoë\n".encode("windows-1252"))
    options = "{file: ../data/calls.csv, encoding: windows-1252, quote: none}"
    rows.changeset("week-47", UPDATE, head=f"sources: {{calls: {options}}}\n")
    rows.refuse("102", fault={"reject": {"message": "=HYPERLINK(1,2) 日本\nnext"}})
    rows.rejects(rows.applied())
    header, row, *rest = (rows.root / "rejected.csv").read_bytes().decode("windows-1252").split("\n")
    assert row == "102,M1,Zoë,rejected,Lead not updated;' =HYPERLINK(1 2) ?? next"
    assert rest == [""]
    assert header.count(",") == row.count(",")


def test_rows_of_which_something_was_done_are_kept_apart(rows: Rows) -> None:
    calls(rows, UPDATE + MONEY)
    rows.trouble(
        {"match": {"path": "*/leads", "lead": "101"}, "fault": REFUSED},
        {"match": {"path": "*/leadfinancials", "lead": "102"}, "fault": {"reject": {"message": "No such buyer"}}},
    )
    ended = rows.rejects(rows.applied(), "rejected.csv", "--format", "json")
    assert outcomes(rows) == [("101", "rejected")]
    [row] = rows.rows()
    assert row["syncengine_message"] == f"{MESSAGE}; an earlier operation of this lead is rejected"
    [partly] = rows.rows("rejected.csv.partly")
    update, money = (rows.operations()[place]["id"] for place in (1, 4))
    assert partly == {
        "lead_id": "102", "postcode": "M1", "payout": "81", "syncengine_outcome": "partly",
        "syncengine_message": "Lead 102: No such buyer",
        "syncengine_operations": f"update {update} applied, financials {money} rejected",
    }  # fmt: skip
    assert stat.S_IMODE((rows.root / "rejected.csv.partly").stat().st_mode) == 0o600
    [table] = ended.json["tables"]
    assert table == {
        "changeset": "week-47", "source": "calls", "file": "rejected.csv", "rejected": 1, "not_sent": 0,
        "partly_file": "rejected.csv.partly", "partly": 1,
    }  # fmt: skip


def test_doubts_are_kept_apart_until_they_are_resolved(rows: Rows) -> None:
    calls(rows, UPDATE.replace('update: {postcode: "{{ row.postcode }}"}', 'trigger: ["1053"]'))
    rows.refuse("101", "102", fault=LOST)
    run = rows.applied(code=5)
    rows.rejects(run, "first.csv")
    assert outcomes(rows, "first.csv.partly") == [("101", "in_doubt"), ("102", "in_doubt")]
    assert not (rows.root / "first.csv").exists()
    one, two, _ = (line["id"] for line in rows.operations())
    said = ("--by", "ann", "--note", "looked")
    assert rows.run("resolve", one, "--as", "not-applied", *said).code == 0
    assert rows.run("resolve", two, "--as", "applied", *said).code == 0
    rows.rejects(run, "second.csv")
    assert outcomes(rows, "second.csv") == [("101", "not_sent")]
    assert rows.rows("second.csv")[0]["syncengine_message"] == "resolved as not applied by ann"
    assert not (rows.root / "second.csv.partly").exists()


def test_the_plan_is_found_or_worked_out_again(rows: Rows) -> None:
    calls(rows, UPDATE + MONEY.replace("for_each: calls", "for_each: calls\n  when: row.lead_id != '103'"))
    rows.refuse("102")
    run = rows.applied()
    rows.rejects(run, "a.csv")
    (rows.root / "release.plan").rename(rows.root / "kept.plan")
    rows.rejects(run, "b.csv", "--plan", "kept.plan")
    rows.rejects(run, "c.csv")
    rows.plan("--lead", "101")  # another plan of the same name
    rows.rejects(run, "d.csv")
    assert outcomes(rows, "a.csv") == [("102", "rejected")]
    assert len({rows.text(f"{name}.csv") for name in "abcd"}) == 1
    refused = rows.rejects(run, "e.csv", "--plan", "release.plan", code=1)
    assert "SE682" in refused.err
    assert "SE904" in rows.rejects("nothing", "e.csv", code=1).err
    assert "e.csv" not in rows.names()


@pytest.mark.parametrize("with_plan", [True, False])
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("data/calls.csv", "M1", "M2"),
        ("changesets/week-47.yaml", "title: week-47", "title: Week 47"),
        ("changesets/week-47.yaml", "../data/calls.csv", "../data/other.csv"),
    ],
)
def test_a_source_that_changed_is_not_read(rows: Rows, name: str, old: str, new: str, *, with_plan: bool) -> None:
    calls(rows)
    rows.refuse("102")
    run = rows.applied()
    if not with_plan:
        (rows.root / "release.plan").unlink()
    for change in (lambda text: text.replace(old, new), None):
        if change is None:
            (rows.root / name).unlink()
        else:
            assert old in rows.text(name)
            rows.write(name, change(rows.text(name)))
        ended = rows.rejects(run, code=3)
        assert "SE680" in ended.err
        assert rows.names() == []


def test_another_configuration_is_refused_where_names_are_looked_up_again(rows: Rows) -> None:
    calls(rows, UPDATE.replace('update: {postcode: "{{ row.postcode }}"}', "trigger: [northwind]"))
    rows.refuse("102")
    run = rows.applied()
    rows.write("syncengine.yaml", rows.text("syncengine.yaml").replace('northwind: "1053"', 'northwind: "1055"'))
    rows.rejects(run, "a.csv")
    assert outcomes(rows, "a.csv") == [("102", "rejected")]
    (rows.root / "release.plan").unlink()
    assert "SE680" in rows.rejects(run, "b.csv", code=3).err


def test_an_sql_source_cannot_be_given_back(rows: Rows) -> None:
    import sqlite3

    (rows.root / "data").mkdir()
    with sqlite3.connect(rows.root / "data/calls.db") as database:
        database.execute("CREATE TABLE calls (lead_id TEXT, postcode TEXT)")
        database.execute("INSERT INTO calls VALUES ('101', 'TN25')")
    database.close()
    config = rows.text("syncengine.yaml") + 'databases: {crm: "sqlite:///data/calls.db"}\n'
    rows.write("syncengine.yaml", config)
    head = 'sources: {calls: {database: crm, sql: "SELECT lead_id, postcode FROM calls ORDER BY lead_id"}}\n'
    rows.changeset("week-47", UPDATE, head=head)
    rows.refuse("101")
    rows.plan()
    refused = rows.run("apply", "release.plan", "--rejects", "rejected.csv")
    assert (refused.code, rows.requests) == (1, [])
    assert "SE681" in refused.err
    assert "SE681" in rows.rejects(rows.applied(), code=1).err
    assert rows.names() == []


def test_other_kinds_of_sources_come_back_as_csv(rows: Rows) -> None:
    (rows.root / "data").mkdir()
    lines = ['{"lead_id": 101, "n": 1.50}', '{"lead_id": "102", "n": null, "tags": ["a", {"b": 1}]}']
    (rows.root / "data/a.jsonl").write_text("\n".join(lines))
    cells = '<row r="{0}"><c r="A{0}" t="str"><v>{1}</v></c><c r="B{0}" {3}><v>{2}</v></c></row>'
    sheet = [(1, "lead_id", "n", 't="str"'), (2, "101", "80.5", ""), (3, "102", "+44", 't="str"')]
    (rows.root / "data/b.xlsx").write_bytes(xlsx("".join(cells.format(*each) for each in sheet)))
    with duckdb.connect(":memory:") as connection:
        query = "SELECT * FROM (VALUES (101, 80.10::DOUBLE, [1, 2]), (102, NULL, NULL)) t(lead_id, n, tags)"
        connection.execute(f"COPY ({query}) TO '{rows.root}/data/c.parquet' (FORMAT parquet)")
    inline = '[{lead_id: "101", n: "1"}, {lead_id: "102", more: "é, \\"x\\""}]'
    head = (
        "sources: {a: {file: ../data/a.jsonl}, b: {file: ../data/b.xlsx}, c: {file: ../data/c.parquet}, "
        f"d: {inline}}}\n"
    )
    change = '- {{for_each: {0}, lead: "{{{{ row.lead_id }}}}", update: {{{0}: x}}}}\n'
    rows.changeset("week-47", "".join(change.format(name) for name in "abcd"), head=head)
    rows.refuse("101", "102")
    rows.rejects(rows.applied(), "rejected")
    assert stat.S_IMODE((rows.root / "rejected").stat().st_mode) == 0o700
    assert sorted(path.name for path in (rows.root / "rejected").iterdir()) == [f"week-47.{n}.csv" for n in "abcd"]
    shown = {
        name: [line.rsplit(",", 2)[0] for line in rows.text(f"rejected/week-47.{name}.csv").splitlines()]
        for name in "abcd"
    }
    assert shown == {
        "a": ["lead_id,n,tags", "101,1.50,", '102,,"[""a"", {""b"": ""1""}]"'],
        "b": ["lead_id,n", "101,80.5", "102,+44"],
        "c": ["lead_id,n,tags", "101,80.1,", "102,,"],
        "d": ["lead_id,n,more", "101,1,", '102,,"é, ""x"""'],
    }


def test_several_sources_make_a_folder_of_those_with_rows(rows: Rows) -> None:
    rows.write("data/a.csv", CALLS)
    rows.write("data/b.csv", "lead_id,postcode\n201,TN25\n")
    change = '- {{for_each: {0}, lead: "{{{{ row.lead_id }}}}", update: {{postcode: "{{{{ row.postcode }}}}"}}}}\n'
    for name in "ab":
        rows.changeset(
            f"week-{name}", change.format("calls"), head=f"sources: {{calls: {{file: ../data/{name}.csv}}}}\n"
        )
    rows.trouble(
        {"match": {"lead": "101"}, "fault": REFUSED}, {"match": {"path": "*/leads", "lead": "102"}, "fault": LOST}
    )
    (rows.root / "rejected").mkdir()  # an empty folder is as good as none
    run = rows.applied(code=5)
    ended = rows.rejects(run, "rejected", "--format", "json")
    assert sorted(path.name for path in (rows.root / "rejected").iterdir()) == [
        "week-a.calls.csv", "week-a.calls.csv.partly",
    ]  # fmt: skip
    assert [(each["changeset"], each["file"]) for each in ended.json["tables"]] == [
        ("week-a", "rejected/week-a.calls.csv"), ("week-b", None),
    ]  # fmt: skip
    assert rows.names() == ["rejected"]
    assert "SE901" in rows.rejects(run, "rejected", code=1).err


def test_a_row_of_several_changes_and_leads_is_judged_as_one(rows: Rows) -> None:
    """101 is refused in both changes, 102 in one; 103's second lead is refused; 104 is left out by `when`."""
    text = "lead_id,other,postcode\n101,,TN25\n102,,M1\n103,203,N1\n104,204,E1\n"
    change = (
        '- {{for_each: calls, when: "{1}", lead: "{{{{ row.{0} }}}}", update: {{{2}: "{{{{ row.postcode }}}}"}}}}\n'
    )
    calls(
        rows,
        change.format("lead_id", "row.lead_id != '104'", "postcode")
        + change.format("lead_id", "row.lead_id in ['101', '102']", "c1")
        + change.format("other", "row.other != '' and row.lead_id != '104'", "postcode"),
        text,
    )
    refused = {"match": {"lead": "102", "nth": 2}, "fault": REFUSED}
    rows.trouble(refused, *({"match": {"lead": lead}, "fault": REFUSED} for lead in ("101", "203")))
    rows.rejects(rows.applied())
    assert outcomes(rows) == [("101", "rejected")]
    assert outcomes(rows, "rejected.csv.partly") == [("102", "partly"), ("103", "partly")]


def test_a_repeated_row_comes_back_once_and_typed_leads_are_counted(rows: Rows) -> None:
    """The second row declared nothing of its own, so it has no outcome: correcting both would be a contradiction."""
    calls(rows, UPDATE + '- {lead: "900", update: {postcode: N1}}\n', CALLS + "102,M1,81\n")
    rows.refuse("102", "900")
    ended = rows.rejects(rows.applied())
    assert outcomes(rows) == [("102", "rejected")]
    assert "1 operation of changes without a source" in ended.err


def test_nothing_rejected_writes_nothing(rows: Rows) -> None:
    calls(rows)
    ended = rows.rejects(rows.applied(code=0))
    assert rows.names() == []
    assert ended.out == "No row was rejected or kept back; no file was written.\n"


def test_a_ledger_on_postgresql_says_the_same(rows: Rows, postgres_server: PostgresServer) -> None:
    ledger = f'ledger: {{url: "{postgres_server.new_database()}"}}\n'
    rows.write("syncengine.yaml", rows.text("syncengine.yaml") + ledger)
    calls(rows)
    rows.refuse("102")
    rows.rejects(rows.applied())
    assert outcomes(rows) == [("102", "rejected")]


def test_what_another_run_applied_since_is_no_reject(rows: Rows) -> None:
    calls(rows)
    rows.refuse("101", "102")
    run = rows.applied()
    rows.refuse("102")
    again = rows.applied()
    for each, name in ((run, "a.csv"), (again, "b.csv")):
        rows.rejects(each, name)
        assert outcomes(rows, name) == [("102", "rejected")]


def test_an_earlier_value_of_the_same_field_does_not_count_as_applied(rows: Rows) -> None:
    calls(rows)
    rows.applied(code=0)
    rows.write("data/calls.csv", CALLS.replace("M1", "M2").replace("N1", "N2"))
    rows.refuse("102")
    rows.trouble({"match": {}, "fault": {"answer": {"status": 401}, "effect": "none"}})
    run = rows.applied()
    for name in ("a.csv", "b.csv"):
        rows.rejects(run, name)
        assert [row for row in outcomes(rows, name) if row[0] != "101"] == [("102", "not_sent"), ("103", "not_sent")]
        (rows.root / "release.plan").unlink(missing_ok=True)


def test_a_part_gives_back_its_own_rows_only(rows: Rows) -> None:
    calls(rows)
    rows.refuse("101", "102", "103")
    rows.plan("--lead", "102")
    run = rows.apply()["run"]
    rows.rejects(run, "a.csv")
    (rows.root / "release.plan").unlink()
    rows.rejects(run, "b.csv")
    assert outcomes(rows, "a.csv") == outcomes(rows, "b.csv") == [("102", "rejected")]
    rows.plan("--limit", "2", out="two.plan")
    run = rows.apply("two.plan")["run"]
    rows.rejects(run, "c.csv")
    assert outcomes(rows, "c.csv") == [("101", "rejected"), ("102", "rejected")]
    (rows.root / "two.plan").unlink()
    assert "SE684" in rows.rejects(run, "d.csv", code=1).err


def test_variables_of_the_command_line_are_on_record(rows: Rows) -> None:
    calls(rows, UPDATE.replace("{{ row.postcode }}", "{{ vars.code }}"), head=f"{HEAD}vars: {{code: N1}}\n")
    rows.refuse("102")
    rows.plan("--var", "code=E1")
    run = rows.apply()["run"]
    (rows.root / "release.plan").unlink()
    rows.rejects(run)
    assert outcomes(rows) == [("102", "rejected")]


def test_existing_files_stay(rows: Rows) -> None:
    calls(rows)
    rows.refuse("102")
    run = rows.applied()
    for name in ("rejected.csv", "rejected.csv.partly"):
        rows.write(name, "mine")
        assert "SE901" in rows.rejects(run, code=1).err
        assert rows.text(name) == "mine"
        (rows.root / name).unlink()
    assert "SE902" in rows.rejects(run, "no/such/folder.csv", code=1).err
    (rows.root / "rejected.csv").symlink_to("data/calls.csv")
    assert "SE901" in rows.rejects(run, code=1).err
    assert rows.text("data/calls.csv") == CALLS


def test_git_that_would_take_the_file_along_is_a_warning(rows: Rows) -> None:
    calls(rows)
    rows.refuse("102")
    run = rows.applied()
    said = "git does not ignore it"
    assert said not in rows.rejects(run, "a.csv").err
    subprocess.run(["git", "init", "--quiet", rows.root], check=True)
    assert said in rows.rejects(run, "b.csv").err
    rows.write(".gitignore", "rejects/\n")
    (rows.root / "rejects").mkdir()
    assert said not in rows.rejects(run, "rejects/c.csv").err


def test_no_value_of_a_row_is_printed_or_logged(rows: Rows) -> None:
    calls(rows, text="lead_id,postcode,name\n102,QX9 9ZZ,Ermintrude\n")
    rows.refuse("102", fault={"reject": {"message": "QX9 9ZZ is no postcode"}})
    run = rows.applied()
    ended = rows.rejects(run, "a.csv", "--log-format", "json", "--log-level", "debug")
    for value in ("Ermintrude", "QX9"):
        assert value not in ended.out + ended.err
    assert rows.rows("a.csv")[0]["name"] == "Ermintrude"


def test_the_corrected_file_replaces_the_source_of_the_same_changeset(rows: Rows) -> None:
    """The road back: nothing that was applied is sent again, and the added columns may stay."""
    calls(rows, UPDATE + MONEY.replace('financials: {payout: "{{ row.payout }}"}', 'trigger: ["1053"]'))
    rows.refuse("102")
    run = rows.applied()
    rows.rejects(run)
    assert outcomes(rows) == [("102", "rejected")]
    sent = len(rows.requests)
    rows.write("data/calls.csv", rows.text("rejected.csv").replace("M1", "M1 1AE"))
    rows.trouble()
    planned = rows.plan()
    assert planned["operations"]["to_send"] == planned["operations"]["total"] == 2
    done = rows.apply("release.plan", "--rejects", "second.csv")
    assert (done["exit"], done["counts"]["applied"]) == (0, 2)
    assert [table["file"] for table in done["rejects"]["tables"]] == [None]
    assert {lead: rows.times("trigger", lead) for lead in ("101", "102", "103")} == {"101": 1, "102": 1, "103": 1}
    assert all('"102"' in line["body"] for line in rows.requests[sent:])


def test_columns_of_an_earlier_table_are_replaced(rows: Rows) -> None:
    added = "syncengine_outcome,syncengine_message,syncengine_operations"
    calls(rows, text=f"lead_id,postcode,{added},note\n102,M1,rejected,old,update x rejected,kept\n")
    rows.refuse("102")
    rows.rejects(rows.applied())
    [row] = rows.rows()
    assert json.dumps(row) == json.dumps(
        {"lead_id": "102", "postcode": "M1", "note": "kept", "syncengine_outcome": "rejected",
         "syncengine_message": MESSAGE}
    )  # fmt: skip


def test_several_documents_in_one_file_and_a_moved_file(rows: Rows) -> None:
    calls(rows)
    file = rows.root / "changesets/week-47.yaml"
    other = 'version: 1\nchangeset: other\naccount: acme\nchanges: [{lead: "7", update: {c1: x}}]\n'
    file.write_text(f"{other}---\n{file.read_text()}")
    rows.refuse("102")
    run = rows.applied()
    (rows.root / "elsewhere").mkdir()
    file.rename(rows.root / "elsewhere/calls.yaml")
    rows.write("changesets/broken.yaml", "version: 1\nchangeset: [\n")
    rows.rejects(run)
    assert outcomes(rows) == [("102", "rejected")]


def test_rows_are_found_in_a_part_of_the_repository_that_nothing_names(rows: Rows, tmp_path: Path) -> None:
    del tmp_path
    calls(rows)
    rows.refuse("102")
    run = rows.applied()
    ended = rows.run("rejects", run, "--out", "../elsewhere.csv")
    assert ended.code == 0
    assert (rows.root.parent / "elsewhere.csv").exists()
