"""The public Python API, as docs/python.md shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import syncengine
from syncengine import Project, SyncError, apply, load, plan
from tests.workspace import Workspace

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


def test_the_page_runs(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.changeset("first", '- lead: "1"\n  update: {c1: a}\n  trigger: [northwind]')
    monkeypatch.chdir(workspace.root)
    monkeypatch.setenv("LEADBYTE_API_KEY", workspace.api_key)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(code, str(PAGE), "exec"), {})
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"[0-9a-f]{64} 2", first)
    assert second.endswith(" 0")
    assert len(workspace.effects) == 2


def test_errors_carry_their_exit_code_and_places(workspace: Workspace) -> None:
    workspace.changeset("wrong", '- lead: "012"\n  update: {c1: a}')
    project = Project.open(start=workspace.root, environ={})
    with pytest.raises(SyncError) as caught:
        load([workspace.root / "changesets"], project)
    assert caught.value.exit == 1
    assert {(problem.file, problem.line) for problem in caught.value.problems} == {("changesets/wrong.yaml", 6)}


def test_a_second_apply_sends_nothing(workspace: Workspace) -> None:
    workspace.changeset("first", '- lead: "1"\n  action: reprocess')
    project = Project.open(start=workspace.root, environ={"LEADBYTE_API_KEY": workspace.api_key})
    out = workspace.root / "x.plan"
    planned = plan(load([workspace.root / "changesets"], project), project, out=out)
    assert planned.summary.counts.reprocess == 1
    assert apply(out, project).counts.applied == 1
    assert apply(out, project).counts.already_applied == 1
    assert workspace.times("reprocess", "1") == 1


def test_the_public_names_are_these_and_documented() -> None:
    assert sorted(syncengine.__all__) == ["Planned", "Project", "SyncError", "__version__", "apply", "load", "plan"]
    for name in ("Project", "SyncError", "apply", "load", "plan", "Planned"):
        assert getattr(syncengine, name).__doc__
