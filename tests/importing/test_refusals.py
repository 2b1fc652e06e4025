"""What cannot be expressed is refused with its reason, everything at once; nothing is written, no key is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.console import Ended, run_inside

KEY = "cb266b24ef4a5d123s42ca5801431120"
CONFIGURATION = """\
version: 1
accounts:
  acme: {base_url: "https://acme.leadbyte.co.uk", api_key: "env:LEADBYTE_API_KEY"}
"""
URL = "https://acme.leadbyte.co.uk/restapi/v1.3/leads"
BODY = '{"leads": [{"id": "1", "update": {"c1": "x"}}]}'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "syncengine.yaml").write_text(CONFIGURATION, encoding="utf-8")
    return folder


def imported(root: Path, text: str, *args: str, name: str = "request.txt") -> Ended:
    (root / name).write_text(text, encoding="utf-8")
    return run_inside("import", name, "--changeset", "again", *args, cwd=root)


BODIES = [
    ('{"leads": [{"id": "1", "update": {"c1": null}}]}', "leads[1].update.c1 is null"),
    ('{"leads": [{"id": "1", "update": {"c1": ["x"]}}]}', "leads[1].update.c1 is a list or an object"),
    ('{"leads": [{"id": "01", "update": {"c1": "x"}}]}', "leads[1].id is not an id"),
    ('{"leads": [{"id": "1"}]}', "leads[1] does nothing"),
    ('{"leads": [{"id": "1", "update": {"c1": "x"}, "status": "y"}]}', "leads[1] has 'status'"),
    ('{"leads": [{"quarantineId": "1", "action": "reprocess", "update": {"c1": "x"}}]}', "has 'action'"),
    ('{"leads": [{"quarantineId": "1"}]}', "leads[1] does nothing"),
    ('{"quarantineId": 1, "action": "release"}', "neither process nor reject"),
    ('{"quarantineId": 1, "quarantineIds": [2], "action": "process"}', "has both"),
    ('{"quarantineIds": [], "action": "process"}', "quarantineIds is not an id"),
    ('{"leads": [{"id": "1", "action": "sell"}]}', "leads[1].action is not 'reprocess'"),
    ('{"leads": [{"id": "1", "action": "reprocess", "triggerDeliveryId": "5"}]}', "does not document that combination"),
    ('{"leads": [{"id": "1", "triggerDeliveryId": "5", "triggerDeliveryIds": ["6"]}]}', "has both"),
    ('{"leads": [{"id": "1", "update": {"c1": "x", "c1": "y"}}]}', "one name twice"),
    ('{"leads": []}', 'no list "leads"'),
    ('{"leads": [1], "newPayout": 1e2}', "newPayout is not an amount"),
    ('{"leads": [1], "newPayout": 80.001}', "newPayout is not an amount"),
    ('{"leads": [1], "BID": "33"}', "neither newPayout nor newRevenue"),
    ('{"leads": [{leadID}]}', "not JSON"),
    ('[{"id": "1"}]', "no object"),
    ("hello", "not JSON"),
    ('{"leads": ' + "[" * 100_000, "not JSON"),
    (f'{{"key": "{KEY}", "leads": [{{"id": "1", "update": {{"c1": "{KEY}"}}}}]}}', "holds the API key itself"),
]


@pytest.mark.parametrize(("body", "reason"), BODIES)
def test_bodies(body: str, reason: str, root: Path) -> None:
    ended = imported(root, body, "--out", "again.yaml")
    assert (ended.code, ended.out) == (1, "")
    assert reason in ended.err
    assert KEY not in ended.err
    assert not (root / "again.yaml").exists()


COMMANDS = [
    (f"curl -d '{BODY}' {URL}", "its method is POST"),
    (f"curl -X PUT {URL}", "it has no body"),
    (f"curl -X PUT -d '{BODY}' https://acme.leadbyte.co.uk/restapi/v1.3/leads/feedback", "none of a request"),
    (f"curl -X PUT -d '{BODY}' {URL} | jq .", "more than one command"),
    (f"curl -X PUT -d '{BODY}", "quotes do not pair up"),
    (f"curl -X PUT -d $'{BODY}' {URL}", "$'...'"),
    (f"curl -X PUT -d '{BODY}' -d '{BODY}' {URL}", "several pieces"),
    (f"curl -X PUT -d @- {URL}", "standard input"),
    (f"curl -X PUT -F a=b {URL}", "option -F is not understood"),
    (f"curl -X PUT -d @/etc/hostname {URL}", "no file inside the repository"),
    (f"curl -X PUT -d @../outside.json {URL}", "no file inside the repository"),
    (f"curl -X PUT -d '{BODY}' {URL[:-5]}leadfinancials", "the body has objects"),
]


@pytest.mark.parametrize(("command", "reason"), COMMANDS)
def test_commands(command: str, reason: str, root: Path) -> None:
    (root.parent / "outside.json").write_text(BODY, encoding="utf-8")
    ended = imported(root, f"{command} -H 'X_KEY: {KEY}'" if "pair up" not in reason else command)
    assert (ended.code, ended.out) == (1, "")
    assert reason in ended.err
    assert KEY not in ended.err


def test_the_key_is_mentioned_and_never_written(root: Path) -> None:
    ended = imported(root, f"curl -k -X PUT -H 'X_KEY: {KEY}' -d '{BODY}' '{URL}?key={KEY}'")
    assert ended.code == 0
    assert "The API key in it was left out" in ended.out
    assert "an API key was left out" in ended.err
    assert "certificates are always verified" in ended.out
    assert KEY not in ended.out + ended.err


def test_every_problem_is_told_at_once(root: Path) -> None:
    ended = imported(root, '{"leads": [{"id": "x"}, {"id": "1", "update": {"c1": null}}]}', "--format", "json")
    assert ended.code == 1
    assert len(ended.json["diagnostics"]) == 3


def test_a_file_is_never_overwritten(root: Path) -> None:
    (root / "there.yaml").write_text("mine", encoding="utf-8")
    ended = imported(root, BODY, "--out", "there.yaml")
    assert ended.code == 1
    assert "exists already" in ended.err
    assert (root / "there.yaml").read_text(encoding="utf-8") == "mine"


def test_what_does_not_validate_is_written_and_said(root: Path) -> None:
    ended = imported(root, '{"leads": [{"id": "1", "update": {"c1": ""}}]}', "--out", "again.yaml", "--format", "json")
    assert ended.code == 0
    assert [problem["code"] for problem in ended.json["diagnostics"]] == ["SE236"]
    assert "not valid yet" in ended.err


TABLES = [
    (["--lead", "id", "--field", "c1=nmae"], "did you mean 'name'?"),
    (["--lead", "id"], "nothing would be done"),
    (["--lead", "id", "--buyer", "name"], "with an amount only"),
    (["--lead", "id", "--reprocess", "--trigger", "name"], "a reprocess and a trigger"),
    (["--lead", "id", "--field", "c1"], "is not NAME=COLUMN"),
    (["--field", "c1=name"], "--lead is missing"),
    ([], "its columns are not mapped"),
    (["--lead", "name", "--reprocess", "--inline"], "'Ann' is not a lead id"),
]


@pytest.mark.parametrize(("args", "reason"), TABLES)
def test_tables(args: list[str], reason: str, root: Path) -> None:
    ended = imported(root, "id,name\n1,Ann\n", *args, name="rows.csv")
    assert (ended.code, ended.out) == (1, "")
    assert reason in ended.err


def test_a_table_outside_the_repository(root: Path) -> None:
    (root.parent / "rows.csv").write_text("id,name\n1,Ann\n", encoding="utf-8")
    ended = run_inside("import", "../rows.csv", "--lead", "id", "--field", "c1=name", cwd=root)
    assert ended.code == 1
    assert "--inline" in ended.err
    ended = run_inside("import", "../rows.csv", "--lead", "id", "--field", "c1=name", "--inline", cwd=root)
    assert (ended.code, '"c1": "Ann"' in ended.out) == (0, True)


def test_several_accounts_need_a_name_or_a_host(root: Path) -> None:
    more = CONFIGURATION + '  other: {base_url: "https://other.leadbyte.co.uk", api_key: "env:LEADBYTE_API_KEY"}\n'
    (root / "syncengine.yaml").write_text(more, encoding="utf-8")
    ended = imported(root, BODY)
    assert ended.code == 1
    assert "--account acme or other" in ended.err
    assert 'account: "other"' in imported(root, BODY, "--account", "other").out
    assert 'account: "acme"' in imported(root, f"curl -X PUT -d '{BODY}' {URL}").out
