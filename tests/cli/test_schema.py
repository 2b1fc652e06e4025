"""`syncengine schema`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from syncengine.documents.schema_files import schema_names
from tests.cli.console import run

ROOT = Path(__file__).resolve().parents[2]


def test_names(tmp_path: Path) -> None:
    ended = run("schema", cwd=tmp_path)
    assert (ended.code, ended.out.splitlines()) == (0, schema_names())


@pytest.mark.parametrize("name", schema_names())
def test_each_is_printed_as_it_is(name: str, tmp_path: Path) -> None:
    ended = run("schema", name, cwd=tmp_path)
    assert ended.code == 0
    assert ended.out.rstrip("\n") == (ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8").rstrip("\n")
    assert ended.json["title"]


def test_a_name_without_its_version_is_the_newest(tmp_path: Path) -> None:
    assert json.loads(run("schema", "changeset", cwd=tmp_path).out)["properties"]["changeset"]


def test_an_unknown_name_gets_a_guess_and_the_list(tmp_path: Path) -> None:
    ended = run("schema", "chngeset", cwd=tmp_path)
    assert (ended.code, ended.out) == (1, "")
    assert "did you mean" in ended.err
    assert "there are: " in ended.err
    assert "changeset" in ended.err
