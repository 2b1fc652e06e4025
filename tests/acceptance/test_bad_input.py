"""Whatever is wrong with the input: exit 1, file, line and column, and nothing is sent."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from tests.cli.console import run_inside
from tests.workspace import Workspace

EXAMPLES = Path(__file__).parents[1] / "examples"
REJECTED = sorted(path for path in (EXAMPLES / "rejected").iterdir() if path.suffix == ".yaml" or path.name[0] == "t")
PLACE = re.compile(r"rejected/[^\s:]+(:\d+(:\d+)?( \(row \d+\))?)?: error SE[1-5]\d\d\b")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("examples")
    with Sandbox(SandboxOptions(state=folder / "sandbox", any_lead=True)).start() as sandbox:
        (folder / "repository").mkdir()
        workspace = Workspace(folder / "repository", sandbox)
        shutil.copytree(EXAMPLES, workspace.root, dirs_exist_ok=True)
        configuration = workspace.root / "syncengine.yaml"
        text = configuration.read_text(encoding="utf-8").replace("http://127.0.0.1:8137", sandbox.url)
        configuration.write_text(text, encoding="utf-8")
        yield workspace


@pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.name)
def test_rejected_examples_send_nothing(path: Path, repository: Workspace) -> None:
    name = f"rejected/{path.name}"
    for command in (["validate", name], ["plan", name, "--out", "it.plan"], ["apply", name, "--yes"]):
        ended = repository.run(*command)
        assert ended.code == 1, (command, ended.out, ended.err)
        assert PLACE.search(ended.out + ended.err), (command, ended.out, ended.err)
        assert "Traceback" not in ended.err
    assert not (repository.root / "it.plan").exists()
    assert repository.requests == []


def problems(workspace: Workspace, *args: str) -> list[dict[str, object]]:
    ended = workspace.run(*args, "--format", "json")
    assert ended.code == 1, ended.out
    document = ended.json
    found = document.get("diagnostics") or document["error"]
    assert isinstance(found, list), found
    return found


def test_every_mistake_of_a_file_is_reported_at_once(workspace: Workspace) -> None:
    workspace.changeset(
        "mistakes",
        """\
- lead: "012"
  update: {postcode: ~}
- lead: "2932682"
  updatee: {a: b}
- lead: "2932683"
  financials: {payout: 1.234}
- lead: "2932684"
  trigger: [nortwind]
""",
    )
    found = problems(workspace, "validate", "changesets")
    assert [(p["code"], p["line"]) for p in found] == sorted(
        [(p["code"], p["line"]) for p in found], key=lambda p: p[1]
    )
    assert len({p["line"] for p in found}) >= 5
    assert all(p["file"] == "changesets/mistakes.yaml" and p["column"] for p in found)
    assert any("northwind" in str(p["hint"]) for p in found), "did you mean"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("env:LEADBYTE_API_KEY", "cb266b24ef4a5d123s42ca5801431120"),
        ("env:LEADBYTE_API_KEY", "env:AWS_SECRET_ACCESS_KEY"),
        ("http://127.0.0.1", "http://acme.leadbyte.co.uk"),
        ("base_url", "base_urll"),
    ],
)
def test_a_wrong_configuration_sends_nothing(workspace: Workspace, old: str, new: str) -> None:
    workspace.changeset("fine", '- lead: "2932682"\n  update: {c1: a}')
    path = workspace.root / "syncengine.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    ended = workspace.run("apply", "changesets", "--yes")
    assert ended.code == 1
    assert re.search(r"syncengine\.yaml:\d+", ended.err), ended.err
    assert "cb266b24" not in ended.err + ended.out
    assert workspace.requests == []


def test_a_missing_key_is_named(workspace: Workspace) -> None:
    workspace.changeset("fine", '- lead: "2932682"\n  update: {c1: a}')
    ended = workspace.run("apply", "changesets", "--yes", LEADBYTE_API_KEY="")
    assert ended.code == 1
    assert "LEADBYTE_API_KEY" in ended.err
    assert workspace.requests == []


def test_missing_paths(workspace: Workspace) -> None:
    for args in (["validate", "nowhere"], ["plan", "nowhere.yaml"], ["apply", "nowhere.plan"], ["show", "no.plan"]):
        ended = workspace.run(*args)
        assert ended.code == 1, args
        assert "nowhere" in ended.out + ended.err or "no.plan" in ended.err


def test_nobody_to_ask(workspace: Workspace) -> None:
    workspace.changeset("fine", '- lead: "2932682"\n  update: {c1: a}')
    ended = workspace.process("apply", "changesets")
    assert ended.code == 1
    assert "--yes" in ended.err
    assert workspace.requests == []


def test_several_accounts_are_not_one_plan(repository: Workspace) -> None:
    for account in ("acme", "strict"):
        repository.write(
            f"two-accounts/{account}.yaml",
            f"version: 1\nchangeset: for-{account}\naccount: {account}\ntitle: x\n"
            'changes:\n  - lead: "1"\n    action: reprocess\n',
        )
    ended = run_inside("plan", "two-accounts", cwd=repository.root)
    assert ended.code == 1
    assert "acme, strict" in ended.err
