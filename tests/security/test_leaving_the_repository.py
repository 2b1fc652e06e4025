"""Whatever a proposal's files say, nothing outside the repository is read for them, nor a word of it shown."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from tests.cli.console import Ended
from tests.workspace import Workspace

SECRET = "oauth_token: gho_NotForYou42"
ROWS = f"lead,c1\n2932682,{SECRET}\n"
EACH_ROW = '- for_each: rows\n  lead: "{{ row.lead }}"\n  update: {c1: "{{ row.c1 }}"}\n'


@pytest.fixture
def outside(workspace: Workspace) -> Path:
    """A folder beside the repository, whose name begins like the repository's."""
    folder = workspace.root.with_name(f"{workspace.root.name}-secrets")
    folder.mkdir()
    (folder / "hosts.yaml").write_text(f"github.com:\n  {SECRET}\n")
    (folder / "rows.csv").write_text(ROWS)
    (folder / "schema.json").write_text(json.dumps({"properties": {SECRET: 1}, "type": SECRET}))
    (folder / "signers").write_text(f"{SECRET}\n")
    (folder / "key").write_text(f"{SECRET}\n")
    return folder


def _refused(ended: Ended, *codes: str) -> None:
    assert ended.code == 1, ended.out
    assert "gho_" not in ended.out + ended.err
    assert any(code in ended.out + ended.err for code in codes), ended.out + ended.err


@pytest.mark.parametrize("command", ["validate", "plan"])
@pytest.mark.parametrize(
    "named", ["changesets", "changesets/hosts.yaml", "./changesets/../changesets", "{root}/changesets"]
)
def test_a_changeset_that_is_a_link_is_not_read(workspace: Workspace, outside: Path, command: str, named: str) -> None:
    workspace.write("changesets/none.txt", "")
    (workspace.root / "changesets" / "hosts.yaml").symlink_to(outside / "hosts.yaml")
    _refused(workspace.run(command, named.format(root=workspace.root)), "SE115")


@pytest.mark.parametrize("named", ["changesets", "changesets/hosts.yaml"])
def test_a_folder_of_changesets_that_is_a_link_is_not_read(workspace: Workspace, outside: Path, named: str) -> None:
    (workspace.root / "changesets").symlink_to(outside)
    _refused(workspace.run("validate", named), "SE115")


def test_a_link_within_the_repository_is_followed(workspace: Workspace) -> None:
    workspace.changeset("shared", '- lead: "2932682"\n  update: {c1: a}\n')
    (workspace.root / "mine").mkdir()
    (workspace.root / "mine" / "a.yaml").symlink_to("../changesets/shared.yaml")
    assert workspace.run("validate", "mine").code == 0


def test_a_link_passes_no_other_file_of_the_repository_off(workspace: Workspace) -> None:
    """A repository holds keys and settings too; they are no rows and no changesets, whatever a link is called."""
    workspace.write(".syncengine/secret.yaml", f"{SECRET}\n")
    workspace.write("keys/leadbyte.key", f"{SECRET}\n")
    workspace.write(".env", ROWS)
    for target in (".syncengine/secret.yaml", "keys/leadbyte.key"):
        link = workspace.root / "changesets" / "link.yaml"
        link.parent.mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(f"../{target}")
        for named in ("changesets", "changesets/link.yaml"):
            _refused(workspace.run("validate", named), "SE115")
    link.unlink()
    (workspace.root / "changesets" / "rows.csv").symlink_to("../.env")
    workspace.changeset("rows", EACH_ROW, head="sources: {rows: {file: rows.csv}}\n")
    _refused(workspace.run("validate", "changesets"), "SE311")


def test_a_place_that_the_caller_names_is_read_wherever_it_lies(workspace: Workspace, tmp_path: Path) -> None:
    """As the check of a proposal does, with the configuration of its target."""
    workspace.changeset("proposed", '- lead: "2932682"\n  update: {c1: a}\n')
    (workspace.root / "changesets").rename(tmp_path / "proposal")
    (tmp_path / "link").symlink_to(tmp_path / "proposal")
    assert workspace.run("validate", str(tmp_path / "proposal")).code == 0
    assert workspace.run("validate", "../proposal/proposed.yaml").code == 0


@pytest.mark.parametrize(
    "file",
    [
        "../../{name}/rows.csv",
        "../../{NAME}/rows.csv",
        "{outside}/rows.csv",
        "link.csv",
        "folder/rows.csv",
        "../data/../../{name}/rows.csv",
        "..\\\\..\\\\{name}\\\\rows.csv",
        "\\u2025/\\u2025/{name}/rows.csv",
        "\\uff0e\\uff0e\\uff0f\\uff0e\\uff0e\\uff0f{name}\\uff0frows.csv",
        "%2e%2e/%2e%2e/{name}/rows.csv",
        "~/{name}/rows.csv",
        "$HOME/{name}/rows.csv",
        "file://{outside}/rows.csv",
        "/proc/self/cwd/../{name}/rows.csv",
        "../../{name}/rows.csv\\0.csv",
        "../../../../../../../../../../../../{outside}/rows.csv",
    ],
)
def test_a_source_outside_is_not_read(workspace: Workspace, outside: Path, file: str) -> None:
    told = file.format(name=outside.name, NAME=outside.name.upper(), outside=outside)
    workspace.changeset("rows", EACH_ROW, head=f'sources: {{rows: {{file: "{told}"}}}}\n')
    (workspace.root / "changesets" / "link.csv").symlink_to(outside / "rows.csv")
    (workspace.root / "changesets" / "folder").symlink_to(outside)
    _refused(workspace.run("validate", "changesets", HOME=str(outside.parent)), "SE310", "SE311", "SE104", "SE103")


def test_names_that_only_look_alike_are_other_files(workspace: Workspace, outside: Path) -> None:
    """The composed name is a link out, the decomposed one a file: neither stands in for the other."""
    composed, decomposed = (unicodedata.normalize(form, "café.csv") for form in ("NFC", "NFD"))
    workspace.write(f"changesets/{decomposed}", "lead,c1\n2932682,mine\n")
    (workspace.root / "changesets" / composed).symlink_to(outside / "rows.csv")
    workspace.changeset("rows", EACH_ROW, head=f"sources: {{rows: {{file: {composed}}}}}\n")
    _refused(workspace.run("validate", "changesets"), "SE311")
    workspace.changeset("rows", EACH_ROW, head=f"sources: {{rows: {{file: {decomposed}}}}}\n")
    assert workspace.run("validate", "changesets").code == 0


SETTINGS = {
    "lead_schema": ("    lead_schema: {place}/schema.json\n", "SE553"),
    "signers": ("policy:\n  approvals: {{required: 1, allowed_signers: {place}/signers}}\n", "SE553"),
    "api key": ("  other:\n    base_url: https://other.example\n    api_key: file:{place}/key\n", "SE553"),
    "ledger key": ("ledger: {{key: 'file:{place}/key'}}\n", "SE553"),
    "database": ("databases: {{rows: 'sqlite:///{place}/rows.csv'}}\n", "SE555"),
}


@pytest.mark.parametrize("place", ["../{name}", "{outside}", "link", "../repository/link", "/proc/self/cwd/link"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_names_nothing_outside(workspace: Workspace, outside: Path, setting: str, place: str) -> None:
    (workspace.root / "link").symlink_to(outside)
    workspace.changeset("even", '- lead: "2932682"\n  update: {c1: a}\n')
    text, code = SETTINGS[setting]
    path = workspace.root / "syncengine.yaml"
    told = place.format(name=outside.name, outside=outside)
    path.write_text(path.read_text() + text.format(place=told))
    for args in (["validate", "changesets"], ["plan", "changesets", "--offline"]):
        _refused(workspace.run(*args), code)


def test_a_body_outside_is_not_imported(workspace: Workspace, outside: Path) -> None:
    (workspace.root / "link.json").symlink_to(outside / "hosts.yaml")
    for name in ("link.json", f"../{outside.name}/hosts.yaml", str(outside / "hosts.yaml")):
        workspace.write("command.sh", f"curl -X PUT {workspace.sandbox.url}/restapi/v1.3/leads -d '@{name}'\n")
        _refused(workspace.run("import", "command.sh", "--changeset", "imported"), "SE361")


def test_a_changeset_that_became_a_link_is_not_shown(workspace: Workspace, outside: Path) -> None:
    """`explain` shows the change as its file has it today."""
    path = workspace.changeset("even", '- lead: "2932682"\n  trigger: ["1053"]\n')
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    operation = json.loads(workspace.run("history", "--format", "json").out)["operation"]
    assert "trigger: 1053" in workspace.run("explain", operation).out
    (outside / "even.yaml").write_text(path.read_text().replace("trigger", f"{SECRET}\n    trigger"))
    path.unlink()
    path.symlink_to(outside / "even.yaml")
    told = workspace.run("explain", operation)
    assert told.code == 0, told.err
    assert "trigger: 1053" not in told.out
    assert "gho_" not in told.out + told.err
