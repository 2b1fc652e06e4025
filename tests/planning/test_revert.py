"""Turning a plan round."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syncengine.changeset.templates import is_template
from syncengine.core.values import is_changeset_id
from syncengine.documents.expressions import Expressions
from syncengine.documents.nodes import Mapping, Scalar
from syncengine.documents.quoting import quoted_value
from syncengine.documents.reader import read_documents
from syncengine.documents.rendering import CHANGE_NAMES
from syncengine.planning.revert import revert_id
from tests.workspace import Workspace

CHANGES = """\
- leads: ["101", "102"]
  update: {postcode: "XX1 1XX", firstname: Changed}
- lead: "103"
  update: {postcode: "XX1 1XX", firstname: Changed, c1: other}
  trigger: ["1053"]
- leads: ["101", "103"]
  financials: {payout: 99.00, revenue: 199.00, buyer: "41"}
- lead: "104"
  update: {postcode: "XX1 1XX"}
"""


def held(workspace: Workspace, lead: str) -> dict[str, Any]:
    url = f"{workspace.sandbox.url}/restapi/v1.3/leads/{lead}?key={workspace.api_key}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        found = json.load(answer)
    return {name: found[name] for name in ("payout", "revenue", "buyer", "fields")}


def world(workspace: Workspace, *leads: str) -> dict[str, dict[str, Any]]:
    return {lead: held(workspace, lead) for lead in leads}


def read_before(workspace: Workspace) -> None:
    path = workspace.root / "syncengine.yaml"
    path.write_text(path.read_text().replace("    buyers:", "    reads: {leads: true}\n    buyers:"))


def revert(workspace: Workspace, plan: str = "release.plan", out: str = "changesets/back.yaml") -> Any:
    ended = workspace.run("revert", plan, "--out", out, "--format", "json")
    assert ended.code == 0, ended.err
    return ended.json


def test_applying_a_revert_restores_the_world(workspace: Workspace) -> None:
    read_before(workspace)
    before = world(workspace, "101", "102", "103", "104")
    workspace.changeset("repair", CHANGES)
    plan = workspace.plan()
    applied = workspace.apply()
    assert applied["exit"] == 0, applied
    assert world(workspace, "101", "102", "103", "104") != before

    found = revert(workspace)
    assert found["changeset"] == f"revert-repair-{plan['plan'][:8]}"
    assert [(kept["lead"], kept["kind"]) for kept in found["not_reverted"]] == [("103", "trigger")]
    assert "irreversible" in found["not_reverted"][0]["reason"]
    text = (workspace.root / "changesets/back.yaml").read_text()
    assert "# Not set back:" in text
    assert "changesets/repair.yaml:" in text

    # Reads within `settle` of the run may show old values, so the ledger alone is asked here.
    assert workspace.run("validate", "changesets/back.yaml").code == 0
    workspace.run("plan", "changesets/back.yaml", "--offline", "--out", "back.plan")
    assert workspace.apply("back.plan")["exit"] == 0
    assert world(workspace, "101", "102", "103", "104") == before


def test_the_file_names_the_schema_for_editors_where_init_wrote_one(workspace: Workspace) -> None:
    read_before(workspace)
    schema = workspace.write(".syncengine/schemas/changeset.v1.schema.json", "{}")
    workspace.changeset("repair", CHANGES)
    workspace.plan()
    workspace.apply()
    revert(workspace)
    written = workspace.root / "changesets" / "back.yaml"
    first = written.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../.syncengine/schemas/changeset.v1.schema.json"
    assert (written.parent / first.partition("=")[2]).resolve() == schema.resolve()


def test_what_is_not_known_or_was_written_since_is_listed(workspace: Workspace) -> None:
    workspace.changeset("one", '- leads: ["101", "102"]\n  update: {postcode: A, firstname: B}\n')
    workspace.write("seen.csv", "lead,postcode\n101,TN25 6QD\n102,TN25 6QE\n")
    workspace.plan("--observed", "seen.csv", "--observed-at", "2020-01-01T00:00:00Z", out="one.plan")
    assert workspace.apply("one.plan")["exit"] == 0
    workspace.changeset("two", '- lead: "101"\n  update: {postcode: C, firstname: D}\n')
    workspace.plan("--changeset", "two", out="two.plan")
    assert workspace.apply("two.plan")["exit"] == 0

    found = revert(workspace, "one.plan")
    reasons = {(kept["lead"], kept["name"]): kept["reason"] for kept in found["not_reverted"]}
    assert "overwritten since by changeset two" in reasons["101", "postcode"]
    assert "overwritten since by changeset two" in reasons["101", "firstname"]
    assert "unknown" in reasons["102", "firstname"]
    assert found["values"] == 1

    later = revert(workspace, "two.plan", "changesets/later.yaml")
    assert {kept["reason"] for kept in later["not_reverted"]} == {
        "the ledger keeps its value before as a digest only (set by one)"
    }
    assert later["file"] is None
    assert not (workspace.root / "changesets/later.yaml").exists()


def test_a_plan_that_was_never_applied_has_nothing_to_turn_round(workspace: Workspace) -> None:
    workspace.changeset("one", '- lead: "101"\n  update: {postcode: A}\n')
    workspace.plan()
    ended = workspace.run("revert", "release.plan", "--out", "x.yaml")
    assert (ended.code, "no ledger" in ended.err) == (1, True)
    assert workspace.apply()["exit"] == 0
    workspace.changeset("two", '- lead: "102"\n  update: {postcode: A}\n')
    workspace.plan(out="two.plan")
    assert revert(workspace, "two.plan")["values"] == 0


def test_an_existing_file_and_an_altered_plan_are_refused(workspace: Workspace) -> None:
    workspace.changeset("one", '- lead: "101"\n  update: {postcode: A}\n')
    workspace.plan()
    assert workspace.run("revert", "release.plan", "--out", "changesets/one.yaml").code == 1
    path = workspace.root / "release.plan"
    path.write_text(path.read_text().replace('"101"', '"102"'))
    assert workspace.run("revert", "release.plan", "--out", "new.yaml").code == 3


@given(st.text(st.characters(codec="utf-8"), max_size=300))
@example("{{ braces }}")
@example('it\'s {% \\ %}\n\r\t{# "x" #} \u2028\x85\ufeff\U0001f600')
@example("{{" * 600)
def test_quoted_gives_back_exactly_the_text(text: str) -> None:
    documents, problems = read_documents(f"value: {quoted_value(text)}\n".encode(), "x.yaml")
    assert problems == []
    node = documents[0].node
    assert isinstance(node, Mapping)
    value = node.get("value")
    assert isinstance(value, Scalar)
    if not is_template(value.text):
        assert value.text == text
        return
    template = Expressions(names=CHANGE_NAMES).compile_value(value.text)
    assert template.render({}) == text  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["abc", "a" * 64, "x.y_z-1"])
def test_the_id_is_valid(name: str) -> None:
    assert is_changeset_id(revert_id([name], "0123456789abcdef"))
