"""A plan's digest does not depend on where in its file a changeset's document is."""

from __future__ import annotations

import pytest

from tests.workspace import Workspace

DOCUMENT = """\
version: 1
changeset: repair
account: acme
title: Repair
changes:
  - lead: "101"
    update: {postcode: N1 1AA}
"""
OTHER = DOCUMENT.replace("repair", "other").replace("101", "102")


def planned(workspace: Workspace, text: str) -> tuple[str, str, str]:
    """Digest of the plan, the place of its operation, and plans.json."""
    workspace.write("changesets/repair.yaml", text)
    plan = workspace.plan("--changeset", "repair")
    each = workspace.run("plan", "changesets", "--changeset", "repair", "--each", "plans", "--format", "json")
    assert each.json["plans"][0]["plan"] == plan["plan"]
    listed = (workspace.root / "plans" / "plans.json").read_text(encoding="utf-8")
    return plan["plan"], plan["lines"][0]["source"], listed


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"---\n{DOCUMENT}", 7),
        (f"\n# a comment\n\n{DOCUMENT}", 9),
        (f"%YAML 1.1\n---\n{DOCUMENT}", 8),
        (f"{OTHER}---\n{DOCUMENT}", 14),
        (f"# first\n{OTHER}...\n--- # second\n\n{DOCUMENT}", 17),
        (f"{DOCUMENT}---\n{OTHER}", 6),
        (f"{DOCUMENT}...\n---\n{OTHER}", 6),
        (f"\ufeff{DOCUMENT}", 6),
        (DOCUMENT.replace("\n", "\r\n"), 6),
    ],
)
def test_the_place_of_a_document_in_its_file_changes_neither_digest_nor_parts(
    workspace: Workspace, text: str, line: int
) -> None:
    digest, place, listed = planned(workspace, DOCUMENT)
    assert place == "changesets/repair.yaml:6"
    assert planned(workspace, text) == (digest, f"changesets/repair.yaml:{line}", listed)


def test_a_line_within_the_document_changes_the_digest(workspace: Workspace) -> None:
    digest, _, _ = planned(workspace, DOCUMENT)
    moved = planned(workspace, DOCUMENT.replace("changes:", "# these\nchanges:"))
    assert moved[0] != digest
