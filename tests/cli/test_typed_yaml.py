"""Texts that YAML reads as something else, through the command line: refused or shown, and never sent unseen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.console import Ended, run_inside

CONFIGURATION = """\
version: 1
accounts:
  acme: {base_url: "https://acme.leadbyte.co.uk", api_key: env:LEADBYTE_API_KEY}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "syncengine.yaml").write_text(CONFIGURATION)
    return tmp_path


def _write(root: Path, value: str) -> None:
    text = f'version: 1\nchangeset: one-lead\naccount: acme\nchanges:\n  - lead: "1"\n    update: {value}\n'
    (root / "one.yaml").write_text(text, encoding="utf-8")


def _diagnostics(ended: Ended) -> list[dict[str, object]]:
    diagnostics = json.loads(ended.out)["diagnostics"]
    assert isinstance(diagnostics, list)
    return diagnostics


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("{company: &Sons Ltd}", "SE116"),
        ("\n      company: &Sons Ltd", "SE116"),
        ("{a: &x y, b: *x, company: &x Ltd}", "SE116"),
        ("{?c1: x}", "SE118"),
        ("{c1: 'Flat 3'#4\n      }", "SE104"),
    ],
)
def test_text_that_yaml_takes_apart_is_refused_by_validate_and_plan(root: Path, value: str, code: str) -> None:
    _write(root, value)
    ended = run_inside("validate", "one.yaml", "--format", "json", cwd=root)
    assert ended.code == 1
    assert [found["code"] for found in _diagnostics(ended) if found["severity"] == "error"] == [code]
    planned = run_inside("plan", "one.yaml", "--offline", "--out", "p.plan", cwd=root)
    assert planned.code == 1
    assert code in planned.err
    assert not (root / "p.plan").exists()


def test_anchor_message_shows_the_text_typed_and_the_line_to_write(root: Path) -> None:
    _write(root, "{company: &Sons Ltd}")
    ended = run_inside("validate", "one.yaml", cwd=root)
    assert "one.yaml:6:23: error SE116: '&Sons Ltd' is read as 'Ltd'" in ended.out
    assert 'put the text into quotes: "&Sons Ltd"' in ended.out


def test_cut_value_is_a_warning_of_validate_that_shows_what_was_cut(root: Path) -> None:
    _write(root, "\n      street1: Flat #3")
    ended = run_inside("validate", "one.yaml", cwd=root)
    assert ended.code == 0
    assert "warning SE117: the value 'Flat' ends before '#3'" in ended.out
    assert 'put it all into quotes: "Flat #3"' in ended.out
    assert "valid: 1 changeset, 1 warning" in ended.out


def test_cut_value_is_a_warning_of_the_plan_without_the_value(root: Path) -> None:
    _write(root, "\n      street1: Flat #3")
    ended = run_inside("plan", "one.yaml", "--offline", "--format", "json", cwd=root)
    assert ended.code == 0
    (warning,) = [text for text in ended.json["warnings"] if "one.yaml" in text]
    assert warning.startswith("one.yaml:7:21: A value that ends before ' #'")
    assert "Flat" not in warning


@pytest.mark.parametrize("value", ['{c1: "Flat #3"}', "{c1: x} # Flat #3", "{c1: &x y, c2: *x}", "{c1: Smith & Sons}"])
def test_what_is_meant_gives_no_warning(root: Path, value: str) -> None:
    _write(root, value)
    ended = run_inside("validate", "one.yaml", cwd=root)
    assert (ended.code, ended.out) == (0, "valid: 1 changeset\n")


def test_configuration_is_read_as_strictly(root: Path) -> None:
    (root / "syncengine.yaml").write_text(CONFIGURATION + "ledger: {url: &x sqlite:///l.db}\n")
    _write(root, "{c1: x}")
    ended = run_inside("validate", "one.yaml", cwd=root)
    assert ended.code == 1
    assert "syncengine.yaml:4:15: error SE116" in ended.out


def test_value_cut_in_the_configuration_is_a_warning_and_quotes_no_secret(root: Path) -> None:
    text = CONFIGURATION.replace("api_key: env:LEADBYTE_API_KEY}", "api_key: env:LEADBYTE_API_KEY #S3cret\n    }")
    (root / "syncengine.yaml").write_text(text)
    _write(root, "{c1: x}")
    ended = run_inside("validate", "one.yaml", cwd=root)
    assert ended.code == 0
    assert "syncengine.yaml:3:81: warning SE117" in ended.out
    assert "S3cret" not in ended.out


def test_policy_file_is_read_as_strictly(root: Path) -> None:
    (root / "policy.yaml").write_text("max_leads: &x 5\n")
    _write(root, "{c1: x}")
    ended = run_inside("validate", "one.yaml", "--policy", "policy.yaml", cwd=root)
    assert ended.code == 1
    assert "policy.yaml:1:12: error SE116" in ended.out


def test_value_cut_in_a_policy_file_is_a_warning(root: Path) -> None:
    (root / "policy.yaml").write_text("max_leads: 5 #00\n")
    _write(root, "{c1: x}")
    ended = run_inside("validate", "one.yaml", "--policy", "policy.yaml", cwd=root)
    assert ended.code == 0
    assert "policy.yaml:1:14: warning SE117" in ended.out


def test_ledger_is_pinned_in_a_configuration_with_a_cut_value(root: Path) -> None:
    (root / "syncengine.yaml").write_text(CONFIGURATION + "ledger:\n  url: sqlite:///l.db #local\n  id: null\n")
    ended = run_inside("init", ".", cwd=root)
    assert ended.code == 0, ended.err
    assert "url: sqlite:///l.db #local\n" in (root / "syncengine.yaml").read_text()
