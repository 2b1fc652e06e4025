"""Bodies of reprocess, trigger and return calls; all columns of a table, conditions, and filters that are proposed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from tests.workspace import Workspace

KEY = "cb266b24ef4a5d123s42ca5801431120"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "repository" / "changesets").mkdir(parents=True)
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", any_lead=True)).start() as sandbox:
        yield Workspace(tmp_path / "repository", sandbox)


def imported(workspace: Workspace, name: str, *args: str) -> str:
    """Import a file; the changeset that came of it."""
    ended = workspace.run("import", name, "--changeset", "again", "--out", "changesets/again.yaml", *args)
    assert ended.code == 0, ended.err
    assert "not valid" not in ended.err, ended.err
    return (workspace.root / "changesets" / "again.yaml").read_text(encoding="utf-8")


BODIES: list[tuple[str, str, str, list[dict[str, Any]]]] = [
    ("leads/reprocess", "v1.3", '{"leadId": 2932682}', [{"effect": "reprocess", "lead": "2932682"}]),
    (
        "leads/reprocess", "v1.3", '{"leadIds": [2932682, "2932683"]}',
        [{"effect": "reprocess", "lead": "2932682"}, {"effect": "reprocess", "lead": "2932683"}],
    ),
    (
        "deliveries/trigger", "v1.3", f'{{"key": "{KEY}", "deliveryId": 1053, "leadId": 2932682}}',
        [{"effect": "trigger", "lead": "2932682", "delivery": "1053"}],
    ),
    (
        "leads/return", "v1.2", f'{{"key": "{KEY}", "leadId": 84145, "BID": "33", "reason": "DNCC"}}',
        [{"effect": "return", "lead": "84145", "buyer": "33", "reason": "DNCC"}],
    ),
]  # fmt: skip


@pytest.mark.parametrize("form", ["body", "curl"])
@pytest.mark.parametrize(("call", "revision", "body", "effects"), BODIES)
def test_what_was_asked_by_hand_is_what_is_done(
    call: str, revision: str, body: str, effects: list[dict[str, Any]], form: str, workspace: Workspace
) -> None:
    url = f"{workspace.sandbox.url}/restapi/{revision}/{call}"
    workspace.write("request", body if form == "body" else f"curl {url} -H 'X_KEY: {KEY}' -d '{body}'")
    written = imported(workspace, "request")
    assert KEY not in written
    assert workspace.plan("--offline")["operations"]["blocked"] == 0
    assert workspace.apply()["exit"] == 0
    assert [{name: done.get(name) for name in effects[0]} for done in workspace.effects] == effects


def test_a_return_is_the_very_same_request(workspace: Workspace) -> None:
    workspace.write("request.json", '{"key": "x", "leadId": 84145, "BID": "33", "reason": "DNCC"}')
    assert 'return: {buyer: "33", reason: "DNCC"}' in imported(workspace, "request.json")
    workspace.plan("--offline")
    assert workspace.apply()["exit"] == 0
    assert workspace.bodies() == [{"key": workspace.api_key, "leadId": 84145, "BID": "33", "reason": "DNCC"}]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"leadId": 1, "leadIds": [2]}', "both leadId and leadIds"),
        ('{"leadIds": []}', "leadIds is not an id"),
        ('{"leadId": "01"}', "leadId is not an id"),
        ('{"leadId": 1, "at": "now"}', "has 'at'"),
        ('{"deliveryId": 1}', "leadId is not an id"),
        ('{"deliveryId": "northwind", "leadId": 1}', "deliveryId is not an id"),
        ('{"leadId": 1, "reason": "DNCC"}', "a return has no BID"),
        ('{"leadId": 1, "BID": "33"}', "reason is not a text"),
        ('{"leadId": 1, "BID": "33", "reason": ""}', "reason is not a text"),
    ],
)
def test_what_cannot_be_expressed_is_refused(body: str, said: str, workspace: Workspace) -> None:
    workspace.write("request.json", body)
    ended = workspace.run("import", "request.json")
    assert (ended.code, said in ended.err) == (1, True), ended.err


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("leads/reprocess", '{"leads": [{"id": "1", "action": "reprocess"}]}'),
        ("leads", '{"leadId": 1}'),
        ("leads/return", '{"leadId": 1}'),
        ("deliveries/trigger", '{"leadId": 1, "BID": "33", "reason": "DNCC"}'),
    ],
)
def test_a_body_of_another_call_is_refused(call: str, body: str, workspace: Workspace) -> None:
    method = "PUT" if call == "leads" else "POST"
    workspace.write("call.sh", f"curl -X {method} {workspace.sandbox.url}/restapi/v1.3/{call} -d '{body}'")
    ended = workspace.run("import", "call.sh")
    assert (ended.code, f"not that of {call}" in ended.err) == (1, True), ended.err


def test_all_columns_are_fields_but_those_that_mean_something_else(workspace: Workspace) -> None:
    workspace.write("data/rows.csv", "id,postcode,First Name,result,pay\n2932682,TN25 6QD,Ann,sold,80.00\n")
    written = imported(
        workspace, "data/rows.csv", "--lead", "id", "--payout", "pay", "--field", "c1=result", "--all-columns"
    )
    assert '"c1": "{{ row.result }}"' in written
    assert '"postcode": "{{ row.postcode }}"' in written
    assert '"First Name": "{{ row[\'First Name\'] }}"' in written
    assert '"id":' not in written
    assert '"pay":' not in written


def test_what_lookup_added_is_no_field(workspace: Workspace) -> None:
    workspace.write("data/rows.csv", "postcode,lead_id,match,received\nTN25 6QD,2932682,one,2022-03-15T10:30:46Z\n")
    written = imported(workspace, "data/rows.csv", "--lead", "lead_id", "--all-columns")
    assert '"postcode"' in written
    assert '"match":' not in written
    assert '"received":' not in written
    assert "the column 'match' was added by lookup" in written


def test_only_rows_that_meet_the_condition_are_changed(workspace: Workspace) -> None:
    workspace.write("data/rows.csv", "id,result\n2932682,sold\n2932683,lost\n")
    imported(workspace, "data/rows.csv", "--lead", "id", "--field", "c1=result", "--when", "row.result == 'sold'")
    workspace.plan("--offline")
    assert workspace.apply()["exit"] == 0
    assert [done["lead"] for done in workspace.effects] == ["2932682"]


def test_a_condition_needs_the_table_as_a_source(workspace: Workspace) -> None:
    workspace.write("data/rows.csv", "id,result\n2932682,sold\n")
    ended = workspace.run(
        "import", "data/rows.csv", "--lead", "id", "--field", "c1=result", "--when", "row.result == 'sold'", "--inline"
    )
    assert (ended.code, "--when and --inline together" in ended.err) == (1, True)


@pytest.mark.parametrize(
    ("values", "proposed"),
    [
        (["07700 900123", "+44 7700 900124", ""], "e164"),
        (["07700900123", "447700900124"], "e164"),
        (["£1,234.50", "80"], "money"),
        (["1.234,50", "80,00"], "money(decimal=',')"),
        (["tn256qd", "M1 1AE"], "uk_postcode"),
        ([" Ann", "Ben"], "trim"),
        (["Ann", "Ben"], ""),
        (["80.00", "40.10"], ""),
        (["2932682", "2932683"], ""),
        (["2026-11-02", "2026-11-03"], ""),
        (["TN25 6QD", "M1 1AE"], ""),
        (["+447700900123"], ""),
        (["", ""], ""),
        (["07700 900123", "no number", "none"], ""),
    ],
)
def test_filters_that_values_call_for_are_proposed_and_not_applied(
    values: list[str], proposed: str, workspace: Workspace
) -> None:
    rows = "".join(f'{2932682 + number},"{value}"\n' for number, value in enumerate(values))
    workspace.write("data/rows.csv", f"id,what\n{rows}")
    written = imported(workspace, "data/rows.csv", "--lead", "id", "--field", "c1=what", "--skip-empty")
    assert '"c1": "{{ row.what }}"' in written
    comments = [line for line in written.splitlines() if "Proposed" in line]
    expected = f"  # Proposed by the values of 'what': c1: \"{{{{ row.what | {proposed} }}}}\""
    assert comments == ([expected] if proposed else [])
    assert all(value not in line for line in comments for value in values if value)


def test_an_amount_and_an_id_have_their_proposals(workspace: Workspace) -> None:
    workspace.write("data/rows.csv", "id,pay\n 2932682,£80\n")
    ended = workspace.run("import", "data/rows.csv", "--lead", "id", "--payout", "pay", "--changeset", "again")
    assert 'lead: "{{ row.id | trim }}"' in ended.out
    assert 'payout: "{{ row.pay | money }}"' in ended.out
