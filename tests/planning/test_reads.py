"""Values before from the service, where the account allows it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from syncengine.clock import SystemClock
from syncengine.core.observations import Observation, UnreadLead
from syncengine.core.settings import Account, Limits
from syncengine.core.values import LeadId
from syncengine.leadbyte import LeadReader, Secret
from syncengine.leadbyte.payload import read_json
from syncengine.leadbyte.reads import lead_values
from syncengine.sandbox import Key, Permission, Sandbox, SandboxOptions, parse_script
from tests.planning.conftest import LEADS
from tests.workspace import Workspace

CHANGES = """\
- lead: "101"
  update: {postcode: TN25 6QD, firstname: Joseph}
  financials: {payout: 90.00, revenue: 120.00, buyer: "33"}
- lead: "999"
  update: {postcode: X}
"""


def allow_reads(workspace: Workspace) -> None:
    path = workspace.root / "syncengine.yaml"
    path.write_text(path.read_text().replace("    buyers:", "    reads: {leads: true}\n    buyers:"))


def reads(workspace: Workspace) -> list[str]:
    lines = [json.loads(line) for line in workspace.sandbox.requests_log.read_text().splitlines()]
    return [line["path"] for line in lines if line["method"] == "GET"]


def test_each_lead_is_read_once_and_an_unreadable_one_says_why(workspace: Workspace) -> None:
    allow_reads(workspace)
    workspace.changeset("fix", CHANGES)
    found = workspace.plan()
    update, money, unknown = workspace.operations()
    assert update["send"] == ["firstname"]
    assert update["before"]["firstname"] == {"origin": "observed", "value": "Joe", "by": "the service"}
    assert money["send"] == ["payout", "buyer"]
    assert found["moved"]["payout"]["before"] == "80.00"
    note = "the service does not know this lead (HTTP 404)"
    assert unknown["before"]["postcode"] == {"origin": "unknown", "note": note}
    assert unknown["state"] == "to_send"
    assert f"1 lead could not be read from the service: {note}" in found["warnings"]
    assert [path.partition("?")[0].rpartition("v1.3/")[2] for path in reads(workspace)] == [
        "leads/101", "leads/999", "campaigns/1",
    ]  # fmt: skip
    assert workspace.plan()["plan"] == found["plan"]


def test_fields_that_the_campaign_does_not_have_are_named_with_the_nearest_one(workspace: Workspace) -> None:
    allow_reads(workspace)
    workspace.changeset(
        "fix", '- leads: ["101", "102"]\n  update: {postcod: TN25 6QD, c1: a}\n- quarantined: "5"\n  update: {x: y}'
    )
    found = workspace.plan()
    told = [line for line in found["warnings"] if "is no field" in line]
    assert len(told) == 1
    assert "the field postcod is no field of campaign 1 (did you mean 'postcode'?): 2 leads" in told[0]
    (finding,) = [each for each in found["findings"] if each["rule"] == "field-unknown"]
    evidence = finding["evidence"][0]
    assert (finding["severity"], finding["count"]) == ("high", 2)
    assert (evidence["field"], evidence["file"], evidence["line"]) == ("postcod", "changesets/fix.yaml", 6)
    before = len(reads(workspace))
    workspace.run("apply", "release.plan")
    workspace.plan()
    assert len(reads(workspace)) == before, "nothing is pending, so nobody is asked"


def test_campaigns_that_cannot_be_read_are_said_so(workspace: Workspace) -> None:
    allow_reads(workspace)
    rule = {
        "match": {"path": "/restapi/v1.3/campaigns/1"},
        "fault": {"effect": "none", "answer": {"status": 500, "body": "error"}},
    }
    workspace.sandbox.set_faults(parse_script(json.dumps({"rules": [rule]}).encode()))
    workspace.changeset("fix", '- lead: "101"\n  update: {postcod: TN25 6QD}')
    found = workspace.plan()
    assert any("could not be compared with those of campaign 1 (HTTP 500" in line for line in found["warnings"])


def test_nothing_is_read_offline_nor_where_it_is_not_allowed(workspace: Workspace) -> None:
    workspace.changeset("fix", CHANGES)
    workspace.plan()
    allow_reads(workspace)
    workspace.run("plan", "changesets", "--offline", LEADBYTE_API_KEY="")
    assert reads(workspace) == []


def test_reading_needs_the_key(workspace: Workspace) -> None:
    allow_reads(workspace)
    workspace.changeset("fix", CHANGES)
    ended = workspace.run("plan", "changesets", LEADBYTE_API_KEY="")
    assert (ended.code, "LEADBYTE_API_KEY" in ended.err) == (1, True)


def test_without_the_permission_nobody_is_asked_twice(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    (tmp_path / "leads.csv").write_text(LEADS, encoding="utf-8")
    key = Key(text="update-only", permissions=frozenset({Permission.UPDATE}))
    options = SandboxOptions(state=tmp_path / "sandbox", leads=tmp_path / "leads.csv", keys=(key,))
    with Sandbox(options).start() as sandbox:
        workspace = Workspace(tmp_path / "repository", sandbox)
        allow_reads(workspace)
        workspace.changeset("fix", '- leads: ["101", "102", "103"]\n  update: {postcode: X}\n')
        found = workspace.plan()
        assert found["operations"]["to_send"] == 3
        assert len(reads(workspace)) == 1
        (warning,) = [text for text in found["warnings"] if "could not be read" in text]
        assert warning.startswith("3 leads could not be read from the service: the service does not let this key")


@pytest.mark.parametrize(
    "document",
    [
        '{"status": "Success", "id": "7", "payout": "80.00", "buyer": "33", "fields": {"postcode": "N1"}}',
        '{"id": 7, "payout": 80.0, "BID": "33", "postcode": "N1", "campaign": {"id": "1"}}',
        '{"status": "Success", "lead": {"id": 7, "payout": 80, "buyer": {"id": 33}, "fields": {"postcode": "N1"}}}',
        '{"data": {"leadId": 7, "payout": 80.00, "bid": "33", "fields": [{"name": "postcode", "value": "N1"}]}}',
        '{"leads": [{"id": "8", "postcode": "X"}, {"id": "7", "payout": "80", "BID": 33, "postcode": "N1"}]}',
    ],
)
def test_shapes_of_an_answer(document: str) -> None:
    assert lead_values(read_json(document.encode()), LeadId("7")) == {
        "postcode": "N1",
        "payout": "80.00",
        "buyer": "33",
    }


@pytest.mark.parametrize("document", ['{"id": "8", "postcode": "N1"}', '{"status": "Success"}', "[]", '"x"', "null"])
def test_another_leads_answer_is_no_answer(document: str) -> None:
    assert lead_values(read_json(document.encode()), LeadId("7")) is None


Answering = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def service() -> Iterator[Callable[[Answering], LeadReader]]:
    servers: list[ThreadingHTTPServer] = []
    readers: list[LeadReader] = []

    def start(answering: Answering) -> LeadReader:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                answering(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        account = Account(
            name="acme",
            identity="acme",
            base_url=f"http://127.0.0.1:{server.server_port}",
            host="loopback",
            limits=Limits(requests_per_second=1000, timeout=5),
        )
        readers.append(LeadReader(account, Secret("s3cret-key"), SystemClock()))
        return readers[-1]

    yield start
    for reader in readers:
        reader.close()
    for server in servers:
        server.shutdown()
        server.server_close()


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def test_a_redirect_is_not_followed_and_trouble_in_a_row_ends_the_asking(
    service: Callable[[Answering], LeadReader],
) -> None:
    asked: list[str] = []

    def redirect(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        reply(handler, 302, b"", Location="/elsewhere")

    reader = service(redirect)
    told = [reader.read(LeadId(str(number))) for number in range(1, 9)]
    assert asked == [f"/restapi/v1.3/leads/{number}?key=s3cret-key" for number in range(1, 6)]
    assert all(isinstance(answer, UnreadLead) and "s3cret" not in answer.reason for answer in told)
    assert "nothing more was asked" in str(told[-1])


def test_pages_and_cut_answers_are_unread(service: Callable[[Answering], LeadReader]) -> None:
    bodies = iter([b"<html>down</html>", b'{"id": "2", "postcode": "N', b'{"id": "3", "postcode": "N1"}'])
    reader = service(lambda handler: reply(handler, 200, next(bodies)))
    assert isinstance(reader.read(LeadId("1")), UnreadLead)
    assert isinstance(reader.read(LeadId("2")), UnreadLead)
    found = reader.read(LeadId("3"))
    assert isinstance(found, Observation)
    assert found.values == {"postcode": "N1"}


def test_nobody_there() -> None:
    account = Account(name="acme", identity="acme", base_url="http://127.0.0.1:1", host="loopback")
    with LeadReader(account, Secret("s3cret-key"), SystemClock()) as reader:
        answer = reader.read(LeadId("1"))
        assert answer == UnreadLead("no connection")
        assert "s3cret" not in repr(reader)
