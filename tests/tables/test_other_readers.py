"""`import`, `--observed` and the sandbox's leads read tables as sources do."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from syncengine.core.settings import Account
from syncengine.core.values import LeadId
from syncengine.planning.export import read_export
from syncengine.sandbox.leads_file import read_leads
from tests.cli.console import Ended
from tests.tables.spreadsheets import HEADER, ods, ods_row, ods_text, packed, xlsx
from tests.tables.tables import Tables

X = '<row r="2"><c r="A2"><v>2932683</v></c><c r="B2" t="str"><v>Zoë</v></c></row>'
CSV = "lead_id;name\n2932683;Zoë\n"
TWO = (("Calls", "visible"), ("Old", "visible"))
MAPPING = ("--lead", "lead_id", "--field", "name=name")
SENT = [("2932683", {"name": "Zoë"})]


def imported(tables: Tables, name: str, *args: str) -> Ended:
    return tables.run("import", f"data/{name}", *MAPPING, *args)


READ = [
    ("rows.csv", CSV.encode(), ["--delimiter", ";"], 'delimiter: ";"'),
    ("rows.csv", b"sep=;\r\n" + CSV.encode(), [], "rows.csv"),
    ("rows.csv", b"sep=;\r\n" + CSV.encode(), ["--delimiter", ";"], "rows.csv"),
    ("rows.csv", codecs.BOM_UTF8 + CSV.replace(";", ",").encode(), [], "rows.csv"),
    ("rows.csv", CSV.encode("utf-16"), ["--delimiter", ";", "--encoding", "utf-16"], 'encoding: "utf-16"'),
    ("rows.csv", CSV.encode("cp1252"), ["--delimiter", ";", "--encoding", "windows-1252"], "windows-1252"),
    ("rows.tsv", CSV.replace(";", "\t").encode(), [], "rows.tsv"),
    ("rows.txt", CSV.replace(";", "\t").encode(), ["--delimiter", "tab"], "delimiter"),
    ("rows.csv", CSV.replace(";", ",").encode() + b",\n,\n", [], "rows.csv"),
    ("rows.csv", b"lead_id,name,,\n2932683,Zo\xc3\xab,,\n", [], "rows.csv"),
    ("rows.jsonl", '{"lead_id": 2932683, "name": "Zoë"}\n'.encode(), [], "rows.jsonl"),
    ("rows.xlsx", xlsx(HEADER + X), [], "rows.xlsx"),
    ("rows.xlsx", xlsx(HEADER + X, sheets=TWO), ["--sheet", "Old"], 'sheet: "Old"'),
    ("rows.ods", ods(ods_row(ods_text("lead_id"), ods_text("name")) + ods_row(ods_text("2932683"), ods_text("Zoë"))),
     [], "rows.ods"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "args", "said"), READ)
@pytest.mark.parametrize("inline", [[], ["--inline"]])
def test_import_gives_a_changeset_that_plans_the_same_rows(
    tables: Tables, name: str, content: bytes, args: list[str], said: str, inline: list[str]
) -> None:
    tables.path(name).write_bytes(content)
    ended = imported(tables, name, *args, *inline, "--out", "changesets/again.yaml")
    assert (ended.code, ended.out.count("changeset again, 1 change")) == (0, 1), ended.err
    text = (tables.root / "changesets" / "again.yaml").read_text(encoding="utf-8")
    assert (said in text) or inline
    assert tables.sent() == SENT


REFUSED = [
    ("rows.csv", CSV.encode(), [], "SE312", '--delimiter ";"'),
    ("rows.csv", CSV.replace(";", "\t").encode(), [], "SE312", "--delimiter tab"),
    ("rows.csv", CSV.encode("utf-16"), ["--delimiter", ";"], "SE315", "--encoding utf-16"),
    ("rows.csv", CSV.encode("utf-16-le"), ["--delimiter", ";"], "SE314", "--encoding utf-16-le"),
    ("rows.csv", CSV.encode("cp1252"), ["--delimiter", ";"], "SE315", "--encoding windows-1252"),
    ("rows.csv", CSV.encode(), ["--delimiter", ";", "--encoding", "latin-1"], "SE315", "--encoding utf-8"),
    ("rows.csv", b"sep=,\n" + CSV.encode(), ["--delimiter", ";"], "SE312", "delimiter"),
    ("rows.csv", xlsx(HEADER + X), [], "SE314", ".xlsx"),
    ("rows.csv", b"<html><table>", [], "SE314", "web page"),
    ("rows.xls", b"<html><table>", [], "SE320", "save it as .xlsx"),
    ("rows.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", [], "SE320", "save it as .xlsx"),
    ("rows.xlsx", b"PK\x03\x04xl", [], "SE349", "damaged"),
    ("rows.xlsx", packed({"a": "b"}), [], "SE349", "no XLSX or ODS"),
    ("rows.xlsx", xlsx(HEADER + X, sheets=TWO), [], "SE344", "--sheet 'Calls'"),
    ("rows.xlsx", xlsx(HEADER + X.replace('r="2"', 'r="2" hidden="1"', 1)), [], "SE343", "hidden"),
    ("typo.csv", None, [], "SE310", "there is no such file"),
    ("typo.xlsx", None, [], "SE310", "there is no such file"),
    ("typo.jsonl", None, [], "SE310", "there is no such file"),
    ("rows.csv", b"lead_id,name\n1,Ann\n,\n2,Bob\n", [], "SE362", "empty, and there are rows below"),
    ("rows.csv", b"lead_id,name\n1\n", [], "SE362", "has 1 cell"),
    ("rows.csv", CSV.encode(), ["--encoding", "windows-1525"], "SE901", "windows-125"),
    ("rows.csv", CSV.encode(), ["--sheet", "Calls"], "SE901", "--sheet"),
    ("rows.xlsx", xlsx(HEADER + X), ["--delimiter", ";"], "SE901", "--delimiter"),
]


@pytest.mark.parametrize(("name", "content", "args", "code", "words"), REFUSED)
@pytest.mark.parametrize("inline", [[], ["--inline"]])
def test_import_refuses_what_sources_refuse_with_its_own_options(
    tables: Tables, name: str, content: bytes | None, args: list[str], code: str, words: str, inline: list[str]
) -> None:
    if content is not None:
        tables.path(name).write_bytes(content)
    ended = imported(tables, name, *args, *inline)
    assert (ended.code, ended.out) == (1, "")
    assert f"error {code}" in ended.err
    assert words in ended.err
    assert "sources: {" not in ended.err


def test_import_inline_refuses_cells_without_a_value_and_joins_one_cause(tables: Tables) -> None:
    error = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}" t="e"><v>#N/A</v></c></row>' for n in range(2, 500)
    )
    tables.path("rows.xlsx").write_bytes(xlsx(HEADER + error))
    ended = imported(tables, "rows.xlsx", "--inline")
    assert ended.code == 1
    assert "#N/A" in ended.err
    assert "(in 498 rows: 1, 2, 3, 4, 5, ...)" in ended.err


def test_a_request_that_is_not_there_says_so(tables: Tables) -> None:
    ended = tables.run("import", "typo.json")
    assert (ended.code, "there is no such file" in ended.err) == (1, True)
    tables.path("body.json").write_bytes('{"leads": []}'.encode("utf-16-le"))
    ended = tables.run("import", "data/body.json")
    assert (ended.code, "UTF-16" in ended.err) == (1, True)


ACCOUNT = Account(name="acme", identity="acme", base_url="", host="loopback")
OBSERVED = "lead;name\n101;Zoë\n"
OBSERVED_HEADER = HEADER.replace("lead_id", "lead")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("e.csv", b"sep=;\n" + OBSERVED.encode()),
        ("e.csv", codecs.BOM_UTF8 + OBSERVED.replace(";", ",").encode()),
        ("e.csv", OBSERVED.replace(";", ",").encode("utf-16")),
        ("e.tsv", OBSERVED.replace(";", "\t").encode()),
        ("export", OBSERVED.replace(";", ",").encode()),
        ("e.csv", OBSERVED.replace(";", ",").encode() + b",\n"),
        ("e.json", '{"lead": 101, "name": "Zoë"}\n'.encode()),
        ("e.xlsx", xlsx(OBSERVED_HEADER + X.replace("2932683", "101"))),
        ("e.ods", ods(ods_row(ods_text("lead"), ods_text("name")) + ods_row(ods_text("101"), ods_text("Zoë")))),
    ],
)  # fmt: skip
def test_observed_exports_are_read_as_sources_are(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with read_export(path, ACCOUNT, observed_at="2026-11-20T18:00:00Z") as export:
        seen = export.get(LeadId("101"))
    assert seen is not None
    assert seen.values == {"name": "Zoë"}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("e.csv", OBSERVED.encode(), "delimiter seems to be ';'"),
        ("e.csv", b"lead,name\n101,Zo\xeb\n", "1 line is not utf-8 text: line 2"),
        ("e.csv", xlsx(HEADER), "spreadsheet"),
        ("e.xls", b"x", "save it as .xlsx"),
        ("e.xlsx", xlsx(OBSERVED_HEADER + X.replace('r="2"', 'r="2" hidden="1"', 1)), "hidden row"),
        ("e.xlsx", xlsx(OBSERVED_HEADER + X.replace('t="str"><v>Zoë', 't="e"><v>#N/A')), "#N/A"),
        ("e.csv", b"lead,name\n101,a\n,\n102,b\n", "empty, and there are rows below"),
        ("e.csv", b"lead,name\n" + b"x,a\n" * 300, "(in 300 rows: 1, 2, 3, 4, 5, ...)"),
    ],
)
def test_observed_exports_are_refused_as_sources_are(tables: Tables, name: str, content: bytes, words: str) -> None:
    tables.table("lead_id,name\n101,Ann\n")
    (tables.root / name).write_bytes(content)
    ended = tables.run("plan", "changesets", "--offline", "--observed", name, "--observed-at", "2026-11-20T18:00:00Z")
    assert ended.code == 1
    assert words in ended.err


@pytest.mark.parametrize("content", [b"sep=;\nid;name\n1;Ann\n", codecs.BOM_UTF8 + b"id,name,\n1,Ann,\n,,\n"])
def test_leads_of_the_sandbox_are_read_by_the_same_rules(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(content)
    assert [(lead.number, lead.fields) for lead in read_leads(path)] == [("1", {"name": "Ann"})]


@pytest.mark.parametrize("buyer", ["33.0", "3.3E+01", "33 / 34", "33;34"])
def test_damaged_buyers_of_an_export_are_refused(tables: Tables, buyer: str) -> None:
    tables.table("lead_id,name\n101,Zoe\n")
    tables.path("export.csv").write_text(
        f"lead,buyer,payout\n101,{buyer},1.00\n102,33,\n103,DCO-5,\n", encoding="utf-8"
    )
    ended = tables.run(
        "plan", "changesets", "--offline", "--observed", "data/export.csv", "--observed-at", "2026-11-20T18:00:00Z"
    )
    assert ended.code == 1
    assert f"the buyer {buyer!r} is not a buyer's id" in ended.err
    assert "data/export.csv:2:1 (row 1)" in ended.err
    assert "hint:" in ended.err
