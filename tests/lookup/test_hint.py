"""An e-mail address or a phone number in place of a lead id is refused with the way to its id."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from tests.workspace import Workspace

EMAIL = "an e-mail address, not a lead id", "lookup FILE --campaign ID --email COLUMN"
PHONE = "a phone number, not a lead id", "lookup FILE --campaign ID --phone COLUMN"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder: Path = tmp_path_factory.mktemp("hint")
    with Sandbox(SandboxOptions(state=folder / "sandbox")).start() as sandbox:
        return Workspace(folder, sandbox)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("joe@example.com", EMAIL),
        (" Joe@Example.com ", EMAIL),
        ("07700900123", PHONE),
        ("07700 900123", PHONE),
        ("+44 (0)7700 900123", PHONE),
        ("+12125550100", PHONE),
        ("020-7946-0018", PHONE),
    ],
)
@pytest.mark.parametrize("where", ["literal", "data"])
def test_what_people_hold_in_place_of_an_id_is_named(
    where: str, text: str, said: tuple[str, str], workspace: Workspace
) -> None:
    if where == "literal":
        workspace.changeset("repair", f'- lead: "{text}"\n  update: {{c1: x}}')
    else:
        workspace.write("data/rows.csv", f"lead,c1\n{text},x\n")
        workspace.changeset(
            "repair", '- for_each: rows\n  lead: "{{ row.lead }}"\n  update: {c1: x}',
            head="sources: {rows: {file: ../data/rows.csv}}\n",
        )  # fmt: skip
    ended = workspace.run("validate", "changesets")
    assert ended.code == 1
    assert ("SE231" if where == "literal" else "SE331") in ended.err + ended.out
    assert all(words in ended.err + ended.out for words in said)


@pytest.mark.parametrize("text", ["02932682", "2932682.0", "2932682 2932683", "lead-7", "2932682/2932683"])
def test_what_is_neither_is_refused_as_before(text: str, workspace: Workspace) -> None:
    workspace.changeset("repair", f'- lead: "{text}"\n  update: {{c1: x}}')
    ended = workspace.run("validate", "changesets")
    assert (ended.code, "lookup" in ended.err + ended.out) == (1, False)


def test_import_says_so_too(workspace: Workspace) -> None:
    workspace.write("data/people.csv", "email,c1\njoe@example.com,x\n")
    ended = workspace.run("import", "data/people.csv", "--lead", "email", "--field", "c1=c1", "--inline")
    assert (ended.code, EMAIL[1] in ended.err) == (1, True)
