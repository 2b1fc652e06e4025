"""`lookup` writes a table again with the ids of its leads, and sends nothing but searches."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from syncengine.sandbox.keys import parse_key
from tests.lookup.bench import KEY, Bench
from tests.lookup.service import Reply, Search, Service, found, result
from tests.workspace import Workspace

LEADS = {
    "ann@example.com": [result(1, email="ann@example.com")],
    "ben@example.com": [
        result(2, email="ben@example.com", received="2022-03-15T10:30:46Z"),
        result(3, email="ben@example.com", received="2022-03-15T12:30:46+01:00"),
    ],
    "cleo@example.com": [
        result(4, email="cleo@example.com", received="2022-03-15T10:30:46Z"),
        result(5, email="cleo@example.com", received="2022-03-15T11:30:46+01:00"),
    ],
}


def documented(searches: list[Search], _number: int) -> Reply:
    """As a service that compares addresses without case."""
    return Reply(found(*((each, LEADS.get(each.get("email", "").lower(), [])) for each in searches)))


def test_every_row_has_an_id_and_the_request_is_the_documented_one(tmp_path: Path) -> None:
    with Service(documented) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email,name\nann@example.com,Ann\n")
        ended = bench.lookup("--format", "json")
        assert ended.code == 0, ended.err
        assert ended.json == {"rows": 1, "one": 1, "none": 0, "many": 0, "unreadable": 0, "requests": 1, "exit": 0}
        assert (tmp_path / "out.csv").read_text() == (
            "email,name,lead_id,match,received\nann@example.com,Ann,1,one,2022-03-15T10:30:46Z\n"
        )
        assert service.bodies == [{"key": KEY, "searches": [{"campaignId": 565, "email": "ann@example.com"}]}]
        ((method, path, headers),) = service.heads
        assert (method, path, headers.get("x_key")) == ("POST", "/restapi/v1.3/leads/search", None)
        assert bench.names() == ["in.csv", "out.csv", "syncengine.yaml"]
        assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o600


def test_several_leads_have_no_id_unless_the_newest_is_asked_for(tmp_path: Path) -> None:
    with Service(documented) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email\nann@example.com\nben@example.com\ncleo@example.com\ndan@example.com\n")
        ended = bench.lookup("--format", "json")
        assert (ended.code, ended.json["many"], ended.json["none"]) == (4, 2, 1)
        assert bench.matches() == [("1", "one"), ("", "many"), ("", "many"), ("", "none")]
        ended = bench.lookup("--newest", "--format", "json", out="newest.csv")
        assert bench.matches("newest.csv") == [("1", "one"), ("3", "one"), ("", "many"), ("", "none")]
        assert [row["received"] for row in bench.rows("newest.csv")][1:] == ["2022-03-15T12:30:46+01:00", "", ""]


def test_blank_cells_and_what_is_no_address_are_never_searched(tmp_path: Path) -> None:
    with Service(documented) as service:
        bench = Bench(tmp_path, service)
        cells = ["", " ", "\u200b", "ann", "a@b@c", "ann @example.com", "ann@example.com; ben@example.com", "#N/A"]
        bench.write("in.csv", "email,n\n" + "".join(f'"{cell}",{n}\n' for n, cell in enumerate(cells)))
        ended = bench.lookup("--format", "json")
        assert (ended.code, ended.json["unreadable"], ended.json["requests"]) == (4, len(cells), 0)
        assert service.bodies == []


def test_blanks_and_capitals_of_an_address_do_not_matter(tmp_path: Path) -> None:
    exact: Any = lambda searches, _: Reply(found(*((each, LEADS.get(each["email"], [])) for each in searches)))  # noqa: E731
    with Service(exact) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email,n\n Ann@Example.COM\u00a0,1\n")
        ended = bench.lookup()
        assert ended.code == 0, ended.err
        assert list(service.asked()) == ["Ann@Example.COM", "ann@example.com"]
        assert bench.rows()[0]["email"] == " Ann@Example.COM\u00a0"
        assert "in lower case, for example row 1 (line 2)" in ended.err


@pytest.mark.parametrize(
    ("cell", "asked"),
    [
        ("07700900123", ["07700900123", "+447700900123"]),
        ("+44 (0)7700 900123", ["+44 (0)7700 900123", "+447700900123", "07700900123"]),
        ("+12125550100", ["+12125550100", "2125550100"]),
        ("12345", ["12345"]),
        ("4.47701E+11", []),
        ("447700900123.0", []),
        ("07700900123 / 07700900124", []),
        ("=447700900123", []),
        ("call me", []),
    ],
)
def test_numbers_are_searched_as_written_then_in_other_notations(cell: str, asked: list[str], tmp_path: Path) -> None:
    with Service(lambda searches, _: Reply(found(*((each, []) for each in searches)))) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", f"phone\n{cell}\n")
        ended = bench.lookup("--format", "json", by="phone")
        assert ended.code == 4, ended.err
        assert list(service.asked("phone")) == asked
        assert bench.matches() == [("", "none" if asked else "unreadable")]


def test_a_notation_that_finds_the_lead_is_said_and_nothing_more_is_asked(tmp_path: Path) -> None:
    def stored(searches: list[Search], _number: int) -> Reply:
        (search,) = searches
        leads = [result(7, phone1="+447700900123")] if search["phone"] == "+447700900123" else []
        return Reply(found((search, leads)))

    with Service(stored) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "phone\n07700 900123\n")
        ended = bench.lookup(by="phone")
        assert (ended.code, bench.matches()) == (0, [("7", "one")])
        assert list(service.asked("phone")) == ["07700 900123", "+447700900123"]
        assert "1 row was found not as written but in E.164 form, for example row 1 (line 2)" in ended.err


def test_two_rows_with_one_id_are_counted_and_said(tmp_path: Path) -> None:
    with Service(documented) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email\nann@example.com\nann@example.com\n")
        ended = bench.lookup()
        assert ended.code == 0
        assert "2 rows have the id of another row: lead 1 in rows 1, 2" in ended.err


@pytest.mark.parametrize("per_request", [1, 2])
def test_an_address_in_several_rows_is_searched_once(per_request: int, tmp_path: Path) -> None:
    with Service(documented) as service:
        bench = Bench(tmp_path, service, f", searches_per_request: {per_request}")
        cells = ["ann@example.com", "x@example.com", " ann@example.com", "Ben@example.com", "y@example.com"]
        bench.write("in.csv", "email\n" + "".join(f"{cell}\n" for cell in cells * 3))
        ended = bench.lookup("--format", "json")
        assert (ended.json["rows"], ended.json["one"], ended.json["many"]) == (15, 6, 3)
        assert bench.matches() == [("1", "one"), ("", "none"), ("1", "one"), ("", "many"), ("", "none")] * 3
        assert service.asked() == {"ann@example.com": 1, "x@example.com": 1, "Ben@example.com": 1, "y@example.com": 1}


@pytest.mark.parametrize("per_request", [1, 5])
def test_a_notation_that_another_row_has_is_searched_once(per_request: int, tmp_path: Path) -> None:
    def stored(searches: list[Search], _number: int) -> Reply:
        return Reply(found(*((each, [result(7)] if each["phone"] == "+447700900123" else []) for each in searches)))

    with Service(stored) as service:
        bench = Bench(tmp_path, service, f", searches_per_request: {per_request}")
        bench.write("in.csv", "phone\n07700 900123\n+447700900123\n07700900123\n07700 900123\n")
        ended = bench.lookup(by="phone")
        assert (ended.code, bench.matches()) == (0, [("7", "one")] * 4)
        assert service.asked("phone") == {"07700 900123": 1, "+447700900123": 1, "07700900123": 1}
        assert "3 rows were found not as written but in E.164 form" in ended.err


def test_an_answer_that_cannot_be_believed_is_not_taken_for_another_row(tmp_path: Path) -> None:
    def first_is_odd(searches: list[Search], number: int) -> Reply:
        reply = documented(searches, number)
        if number == 1:
            reply.body["totalMatches"] = 5
        return reply

    with Service(first_is_odd) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email\nann@example.com\nann@example.com\n")
        assert bench.lookup().code == 4
        assert bench.matches() == [("", "unreadable"), ("1", "one")]


@pytest.mark.parametrize("cell", ["ann@example.com", "ANN@example.com"])
def test_several_searches_a_request_are_matched_by_what_is_echoed(cell: str, tmp_path: Path) -> None:
    def reversed_order(searches: list[Search], number: int) -> Reply:
        reply = documented(searches, number)
        reply.body["searches"].reverse()
        for each in reply.body["searches"]:
            each["email"] = each["email"].lower()
        return reply

    with Service(reversed_order) as service:
        bench = Bench(tmp_path, service, ", searches_per_request: 3")
        bench.write("in.csv", f"email\nann@example.com\nx@example.com\n{cell}\nben@example.com\ny@example.com\n")
        ended = bench.lookup("--format", "json")
        assert bench.matches() == [("1", "one"), ("", "none"), ("1", "one"), ("", "many"), ("", "none")]
        assert ended.json["requests"] == 2
        assert all(len({each["email"].lower() for each in body["searches"]}) == len(body["searches"])
                   for body in service.bodies)  # fmt: skip


def test_a_service_that_takes_one_search_a_request_is_asked_one_at_a_time(tmp_path: Path) -> None:
    def one_only(searches: list[Search], number: int) -> Reply:
        if len(searches) > 1:
            return Reply({"status": "Error", "message": "One search a request"}, 400)
        return documented(searches, number)

    with Service(one_only) as service:
        bench = Bench(tmp_path, service, ", searches_per_request: 2")
        bench.write("in.csv", "email\nann@example.com\nx@example.com\n")
        ended = bench.lookup("--format", "json")
        assert (ended.json["requests"], bench.matches()) == (3, [("1", "one"), ("", "none")])


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ('\ufeffname;email\r\n"A; ""a""";ann@example.com\r\n"x\ny";\r\n', ("--delimiter", ";")),
        ("sep=|\nemail|n\nann@example.com|=cmd()\n", ()),
        ('"email","n"\r\n"ann@example.com","+447700900123"\r\n', ()),
        ("email\tn\rann@example.com\t1\r", ("--delimiter", "tab")),
    ],
)
def test_a_csv_goes_back_in_its_own_dialect(text: str, options: tuple[str, ...], tmp_path: Path) -> None:
    with Service(documented) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", text)
        ended = bench.lookup(*options)
        assert ended.code in (0, 4), ended.err
        written = (tmp_path / "out.csv").read_bytes().decode()
        cut = written
        delimiter = next(sign for sign in ";|\t," if f"lead_id{sign}" in written or f'lead_id"{sign}' in written)
        quote = '"' if '"lead_id"' in written else ""
        for cells in (("lead_id", "match", "received"), ("1", "one", "2022-03-15T10:30:46Z"), ("", "unreadable", "")):
            cut = cut.replace("".join(f"{delimiter}{quote}{cell}{quote}" for cell in cells), "")
        assert cut == text


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-16-le"])
def test_the_encoding_stays(encoding: str, tmp_path: Path) -> None:
    with Service(documented) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email,name\nann@example.com,Zoë\n".encode(encoding))
        assert bench.lookup("--encoding", encoding).code == 0
        assert "Zoë,1,one" in (tmp_path / "out.csv").read_bytes().decode(encoding)


def test_a_spreadsheet_becomes_a_csv_of_commas_in_utf_8(tmp_path: Path) -> None:
    with Service(documented) as service:
        bench = Bench(tmp_path, service)
        workbook, saved = openpyxl.Workbook(), io.BytesIO()
        sheet = workbook.create_sheet("Calls")
        for row in (["email", "n"], ["ann@example.com", 2.5], ["ö", 1]):
            sheet.append(row)
        workbook.save(saved)
        bench.write("in.xlsx", saved.getvalue())
        ended = bench.lookup("--sheet", "Calls", file="in.xlsx")
        assert ended.code == 4, ended.err
        assert (tmp_path / "out.csv").read_text("utf-8") == (
            "email,n,lead_id,match,received\nann@example.com,2.5,1,one,2022-03-15T10:30:46Z\nö,1,,unreadable,\n"
        )


def test_json_lines_become_a_csv_of_all_keys(tmp_path: Path) -> None:
    with Service(documented) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.jsonl", '{"email": "ann@example.com", "n": 1.50}\n{"email": null, "tags": ["a"]}\n')
        assert bench.lookup(file="in.jsonl").code == 4
        assert bench.rows() == [
            {"email": "ann@example.com", "n": "1.50", "tags": "", "lead_id": "1", "match": "one",
             "received": "2022-03-15T10:30:46Z"},
            {"email": "", "n": "", "tags": '["a"]', "lead_id": "", "match": "unreadable", "received": ""},
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "args", "code", "said"),
    [
        ("email\nann@example.com\n", ("--phone", "phone"), "SE901", "--email and --phone together"),
        ("e-mail\nann@example.com\n", (), "SE525", "there is no column 'email'"),
        ("email,match\nann@example.com,x\n", (), "SE524", "a column 'match' already"),
        ("email\n", (), "SE525", "the table has no rows"),
        ("", (), "SE312", "the file is empty"),
        ("email,n\nann@example.com\n", (), "SE313", "has 1 cell"),
        ("email\nann@example.com\n", ("--campaign", "main"), "SE526", "'main' is not the id of a campaign"),
        ("email\nann@example.com\n", ("--account", "other"), "SE510", "no account other"),
        ("email\nann@example.com\n", ("--sheet", "A"), "SE901", "has no sheet"),
        ("email\nann@example.com\n", ("--out", "in.csv"), "SE901", "in.csv exists already"),
        ("email\nann@example.com\n", ("--out", "no/out.csv"), "SE902", "cannot write"),
    ],
)
def test_bad_input_is_one_error_and_nothing_is_asked(
    text: str, args: tuple[str, ...], code: str, said: str, tmp_path: Path
) -> None:
    with Service(documented) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", text)
        ended = bench.lookup(*args)
        assert ended.code == 1
        assert code in ended.err
        assert said in ended.err
        assert (service.bodies, bench.names()) == ([], ["in.csv", "syncengine.yaml"])


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with Service(documented) as service:
        ended = Bench(tmp_path, service).lookup()
        assert (ended.code, "no such file" in ended.err) == (1, True)


def test_a_folder_that_is_not_there_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    with Service(documented) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email\nann@example.com\n")
        ended = bench.lookup(out="ids/out.csv")
        assert (ended.code, service.bodies) == (1, [])
        assert "cannot write ids/out.csv: there is no folder ids" in ended.err


def test_an_unknown_campaign_is_an_error_in_the_services_words(tmp_path: Path) -> None:
    unknown = Reply({"status": "Error", "message": "Campaign 565 does not exist"}, 400)
    with Service(lambda *_: unknown) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email\nann@example.com\nben@example.com\n")
        ended = bench.lookup()
        assert ended.code == 1
        assert "Campaign 565 does not exist" in ended.err
        assert "SE526" in ended.err
        assert len(service.bodies) == 1
        assert bench.names() == ["in.csv", "syncengine.yaml"]


def test_a_host_that_the_ledger_does_not_know_for_the_account_is_refused(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox")).start() as sandbox:
        workspace = Workspace(tmp_path / "repository", sandbox)
        workspace.changeset("repair", '- lead: "2932682"\n  update: {postcode: TN25 6QD}')
        workspace.plan("--offline")
        assert workspace.apply()["exit"] == 0
        path = workspace.root / "syncengine.yaml"
        path.write_text(path.read_text().replace(sandbox.url, "https://acme.leadbyte.co.uk"))
        workspace.write("in.csv", "email\nann@example.com\n")
        ended = workspace.run("lookup", "in.csv", "--campaign", "1", "--email", "email", "--out", "out.csv")
        assert (ended.code, "SE653" in ended.err) == (3, True)
        assert not (workspace.root / "out.csv").exists()


def test_a_configuration_found_through_a_path_only_reads_no_key(tmp_path: Path) -> None:
    with Service(documented) as service:
        bench = Bench(tmp_path / "project", service)
        bench.write("in.csv", "email\nann@example.com\n")
        elsewhere = Bench.__new__(Bench)
        elsewhere.root = tmp_path
        ended = elsewhere.lookup(file="project/in.csv")
        assert (ended.code, service.bodies) == (1, [])


@pytest.mark.parametrize("permission", ["update", "revoked"])
def test_a_missing_permission_is_named(permission: str, tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    keys = [parse_key(f"{KEY}:{permission}")]
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", keys=keys)).start() as sandbox:
        workspace = Workspace(tmp_path / "repository", sandbox)
        workspace.write("in.csv", "email\nann@example.com\n")
        ended = workspace.run("lookup", "in.csv", "--campaign", "1", "--email", "email", "--out", "out.csv")
        assert ended.code == 4
        assert "Leads > Search" in ended.err
        assert KEY not in ended.err
        assert len(workspace.requests) == 1
        assert not (workspace.root / "out.csv").exists()


def test_no_value_is_in_messages_or_logs(tmp_path: Path) -> None:
    def quoting(searches: list[Search], _number: int) -> Reply:
        return Reply({"status": "Error", "message": f"{searches[0]['email']} is not valid, says {KEY}"}, 422)

    with Service(quoting) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "email\n" + "".join(f"planted{n}@example.com\n" for n in range(9)))
        ended = bench.lookup("--log-format", "json", "--log-level", "debug")
        assert ended.code == 4
        assert "5 searches in a row came to nothing: HTTP 422: [email] is not valid" in ended.err
        assert "planted" not in ended.out + ended.err
        assert KEY not in ended.out + ended.err
        assert len(service.bodies) == 5


def test_the_sandbox_searches_all_three_numbers_and_shows_what_is_documented(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    leads = tmp_path / "leads.csv"
    leads.write_text(
        "id,campaign,received,email,phone1,phone2,phone3\n"
        "7,565,2022-03-15T10:30:46Z,ann@example.com,,,07700900123\n8,9,,ann@example.com,,,\n"
    )
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", leads=leads)).start() as sandbox:
        workspace = Workspace(tmp_path / "repository", sandbox)
        workspace.write("in.csv", "email,phone\nANN@example.com,07700900123\n")
        for by in ("email", "phone"):
            ended = workspace.run("lookup", "in.csv", "--campaign", "565", f"--{by}", by, "--out", f"{by}.csv")
            assert ended.code == 0, ended.err
            written = (workspace.root / f"{by}.csv").read_text()
            assert written.endswith("07700900123,7,one,2022-03-15T10:30:46Z\n")
        assert json.dumps(workspace.bodies()[0]["searches"]) == '[{"campaignId": 565, "email": "ANN@example.com"}]'
        assert not (workspace.root / ".syncengine").exists()
