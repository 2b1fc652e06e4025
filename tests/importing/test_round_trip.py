"""What was sent by hand leaves as the very same request once it was imported, planned and applied."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from tests.acceptance.test_article import ARTICLE, FINANCIALS, LEADS, pairs
from tests.workspace import Workspace

KEY = "cb266b24ef4a5d123s42ca5801431120"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", any_lead=True)).start() as sandbox:
        yield Workspace(tmp_path / "repository", sandbox)


def sent(workspace: Workspace) -> list[tuple[str, object]]:
    """Plan and apply what was imported; the requests that left."""
    result = workspace.plan("--offline")
    assert result["operations"]["blocked"] == 0
    assert workspace.apply()["exit"] == 0
    return [(request["path"], pairs(request["body"])) for request in workspace.requests]


@pytest.mark.parametrize("name", ARTICLE)
def test_the_article_s_bodies(name: str, workspace: Workspace) -> None:
    path, body = ARTICLE[name]
    workspace.write("request.json", body.replace("KEY", "822acf66313a480c9fde66d8fce8fb7f"))
    ended = workspace.run("import", "request.json", "--changeset", "again", "--out", "changesets/again.yaml")
    assert ended.code == 1, "the folder is not there"
    (workspace.root / "changesets").mkdir()
    ended = workspace.run("import", "request.json", "--changeset", "again", "--out", "changesets/again.yaml")
    assert ended.code == 0, ended.err
    assert "822acf66" not in (workspace.root / "changesets" / "again.yaml").read_text(encoding="utf-8")
    assert sent(workspace) == [(path, pairs(body.replace("KEY", workspace.api_key)))]


@pytest.mark.parametrize("form", ["in place", "from a file", "attached options"])
def test_a_curl_command(form: str, workspace: Workspace) -> None:
    body = ARTICLE["update-and-reprocess"][1]
    workspace.write("body.json", body)
    (workspace.root / "changesets").mkdir()
    url = f"{workspace.sandbox.url}{LEADS}"
    data = {
        "in place": f"-X PUT --data-raw '{body}'",
        "from a file": "--request PUT --data-binary @body.json",
        "attached options": "-sSXPUT -d@body.json",
    }[form]
    workspace.write("call.sh", f"# by hand\n$ curl {data} \\\n  -H 'X_KEY: {KEY}' \\\n  '{url}'\n")
    ended = workspace.run("import", "call.sh", "--out", "changesets/call.yaml", "--format", "json")
    assert ended.code == 0, ended.err
    assert ended.json["changeset"] == "call"
    assert ended.json["key_left_out"] is True
    assert ended.json["diagnostics"] == []
    everything = ended.out + ended.err + (workspace.root / "changesets" / "call.yaml").read_text(encoding="utf-8")
    assert KEY not in everything
    assert sent(workspace) == [(LEADS, pairs(body))]


CSV = "lead,result,pay,rev,who\n2932682,sold,80,120.5,33\n2932683,,40.10,,33\n"


@pytest.mark.parametrize("inline", [False, True])
def test_a_table(inline: bool, workspace: Workspace) -> None:
    workspace.write("data/calls.csv", CSV)
    (workspace.root / "changesets").mkdir()
    ended = workspace.run(
        "import", "data/calls.csv", "--out", "changesets/calls.yaml", "--lead", "lead", "--field", "c1=result",
        "--payout", "pay", "--revenue", "rev", "--buyer", "who", "--skip-empty", *(["--inline"] if inline else []),
    )  # fmt: skip
    assert ended.code == 0, ended.err
    key = workspace.api_key
    one = f'{{"key": "{key}", "leads": [2932682], "newPayout": 80.00, "newRevenue": 120.50, "BID": "33"}}'
    two = f'{{"key": "{key}", "leads": [2932683], "newPayout": 40.10, "BID": "33"}}'
    update = '{"leads": [{"id": "2932682", "update": {"c1": "sold"}}]}'
    wanted = [(LEADS, update), (FINANCIALS, one), (FINANCIALS, two)]
    assert sorted(map(repr, sent(workspace))) == sorted(repr((path, pairs(body))) for path, body in wanted)


def test_triggers_and_reprocesses_of_a_table(workspace: Workspace) -> None:
    workspace.write("data/t.csv", "id;to\n2932682;1053\n")
    workspace.write("data/r.csv", "id\n2932683\n")
    (workspace.root / "changesets").mkdir()
    one = workspace.run(
        "import", "data/t.csv", "--out", "changesets/triggered.yaml", "--lead", "id", "--trigger", "to",
        "--delimiter", ";",
    )  # fmt: skip
    two = workspace.run("import", "data/r.csv", "--out", "changesets/reprocessed.yaml", "--lead", "id", "--reprocess")
    assert (one.code, two.code) == (0, 0), one.err + two.err
    entries = [entry for _, body in sent(workspace) for entry in dict(body)["leads"]]  # type: ignore[call-overload]
    assert sorted(map(sorted, entries)) == [
        [("action", "reprocess"), ("id", "2932683")],
        [("id", "2932682"), ("triggerDeliveryId", "1053")],
    ]


def test_strange_values_arrive_as_they_were(workspace: Workspace) -> None:
    fields = {
        "c1": "{{ row.x }} 'q' \"d\" \\ {% if %} é 中",
        "c2": "no",
        "c3": " x ",
        "firstname": "null",
        "lastname": "x{{" * 400,
    }
    body = json.dumps({"leads": [{"id": 2932682, "update": fields}]})
    workspace.write("request.json", body)
    (workspace.root / "changesets").mkdir()
    ended = workspace.run("import", "request.json", "--out", "changesets/odd.yaml")
    assert ended.code == 0, ended.err
    ((_, body_pairs),) = sent(workspace)
    (entry,) = dict(body_pairs)["leads"]  # type: ignore[call-overload]
    assert dict(dict(entry)["update"]) == fields


def test_a_buyer_is_written_by_its_name_where_the_account_names_it(workspace: Workspace) -> None:
    path = workspace.root / "syncengine.yaml"
    text = path.read_text(encoding="utf-8").replace('buyers: {northwind: "33"}', "buyers: {northwind: north-west}")
    path.write_text(text, encoding="utf-8")
    (workspace.root / "changesets").mkdir()
    workspace.write("request.json", '{"leads": [2932682], "newPayout": 1, "BID": "north-west"}')
    assert workspace.run("import", "request.json", "--out", "changesets/money.yaml").code == 0
    ((_, body),) = sent(workspace)
    assert ("BID", "north-west") in body  # type: ignore[operator]
    workspace.write("request.json", '{"leads": [2932682], "newPayout": 1, "BID": "northwind"}')
    ended = workspace.run("import", "request.json")
    assert ended.code == 1
    assert "as a name for buyer 'north-west'" in ended.err


PROCESS = "/restapi/v1.3/quarantine/process"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (LEADS, '{"leads": [{"quarantineId": "123", "update": {"postcode": "TN25 6QD", "c1": "x"}}]}'),
        (PROCESS, '{"quarantineId": 123, "action": "process"}'),
        (PROCESS, '{"quarantineId": 123, "action": "reject"}'),
    ],
)
@pytest.mark.parametrize("form", ["body", "curl"])
def test_leads_in_quarantine(form: str, path: str, body: str, workspace: Workspace) -> None:
    method = "-X PUT " if path == LEADS else ""
    curl = f"curl {method}-H 'X_KEY: {KEY}' -d '{body}' {workspace.sandbox.url}{path}\n"
    workspace.write("call.txt", body if form == "body" else curl)
    (workspace.root / "changesets").mkdir()
    ended = workspace.run("import", "call.txt", "--out", "changesets/call.yaml")
    assert ended.code == 0, ended.err
    assert sent(workspace) == [(path, pairs(body))]


def test_a_table_of_leads_in_quarantine(workspace: Workspace) -> None:
    workspace.write("data/held.csv", "qid,code\n11,TN25 6QD\n12,M1 1AE\n")
    (workspace.root / "changesets").mkdir()
    ended = workspace.run(
        "import", "data/held.csv", "--out", "changesets/held.yaml", "--quarantined", "qid", "--field", "postcode=code",
        "--release",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    sent(workspace)
    done = [(effect["effect"], effect["lead"]) for effect in workspace.effects]
    assert sorted(done) == [("release", "q11"), ("release", "q12"), ("update", "q11"), ("update", "q12")]
    refused = workspace.run("import", "data/held.csv", "--lead", "qid", "--release")
    assert (refused.code, "--quarantined" in refused.err) == (1, True)
    for words in (["--lead", "qid"], ["--reject"], ["--trigger", "code"]):
        assert workspace.run("import", "data/held.csv", "--quarantined", "qid", "--release", *words).code == 1
