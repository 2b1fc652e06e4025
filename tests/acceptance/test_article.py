"""The requests of the vendor's article leave as the article has them, and the shipped examples work."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from tests.cli.console import run_inside
from tests.workspace import Workspace

SPECS = Path(__file__).parents[2] / "specs"
CHANGESETS = sorted([*SPECS.glob("api/*.yaml"), *SPECS.glob("campaigns/*.yaml")])

LEADS = "/restapi/v1.3/leads"
FINANCIALS = "/restapi/v1.3/leadfinancials"

ARTICLE = {
    "update": (LEADS, '{"leads": [{"id": "2932682", "update": {"postcode": "TN25 6QD"}}]}'),
    "update-and-trigger": (
        LEADS,
        '{"leads": [{"id": "2932682", "triggerDeliveryId": "1053", "update": {"postcode": "TN25 6QD"}}]}',
    ),
    "several-deliveries": (LEADS, '{"leads": [{"id": "2932684", "triggerDeliveryIds": ["1053", "1054"]}]}'),
    "update-and-reprocess": (
        LEADS,
        """{"leads": [
            {"id": "2932682", "action": "reprocess", "update": {"postcode": "TN25 6QD"}},
            {"id": "2932683", "action": "reprocess", "update": {"firstname": "Joe", "lastname": "Blogs"}},
            {"id": "2932684", "action": "reprocess",
             "update": {"postcode": "7010", "source": "www.LeadByte.com", "c1": "GoogleAdWords"}}]}""",
    ),
    "financials": (
        FINANCIALS,
        '{"key": "KEY", "leads": [2932682], "newPayout": 80.00, "newRevenue": 120.00, "BID": "33"}',
    ),
}


class Examples:
    """The shipped examples, copied, with the sandbox's address in their configuration."""

    def __init__(self, root: Path, workspace: Workspace) -> None:
        self.root = root
        self.workspace = workspace

    def run(self, *args: str) -> tuple[int, str]:
        ended = run_inside(*args, cwd=self.root, LEADBYTE_API_KEY=self.workspace.api_key)
        return ended.code, ended.out or ended.err


@pytest.fixture
def examples(tmp_path: Path) -> Iterator[Examples]:
    options = SandboxOptions(state=tmp_path / "sandbox", leads=SPECS / "data" / "sandbox-leads.csv")
    with Sandbox(options).start() as sandbox:
        (tmp_path / "other").mkdir()
        workspace = Workspace(tmp_path / "other", sandbox)
        root = tmp_path / "specs"
        shutil.copytree(SPECS, root)
        configuration = root / "syncengine.yaml"
        text = configuration.read_text(encoding="utf-8")
        assert "http://127.0.0.1:8137" in text
        configuration.write_text(text.replace("http://127.0.0.1:8137", sandbox.url), encoding="utf-8")
        yield Examples(root, workspace)


def pairs(text: str) -> object:
    """JSON with the order of its keys and the characters of its numbers kept."""
    return json.loads(text, object_pairs_hook=list, parse_float=lambda digits: ("number", digits))


@pytest.mark.parametrize("name", ARTICLE)
def test_requests_equal_the_article(name: str, examples: Examples) -> None:
    code, output = examples.run("apply", f"api/{name}.yaml", "--yes")
    assert code == 0, output
    (request,) = examples.workspace.requests
    path, body = ARTICLE[name]
    key = examples.workspace.api_key
    assert (request["method"], request["path"]) == ("PUT", path)
    assert pairs(request["body"]) == pairs(body.replace("KEY", key))
    keys = [value for header, value in request["headers"] if header == "X_KEY"]
    assert keys == ([key] if path == LEADS else [])
    types = [value for header, value in request["headers"] if header == "Content-Type"]
    assert types == ["application/json"]


@pytest.mark.parametrize("path", CHANGESETS, ids=lambda path: path.stem)
def test_every_shipped_example_applies_once(path: Path, examples: Examples) -> None:
    relative = str(path.relative_to(SPECS))
    code, output = examples.run("validate", relative)
    assert code == 0, output
    code, output = examples.run("plan", relative, "--out", "it.plan")
    assert code == 0, output
    code, output = examples.run("apply", "it.plan", "--format", "json")
    result = json.loads(output)
    assert code == 0, output
    assert result["counts"]["applied"] > 0
    done = len(examples.workspace.effects)
    assert done == result["counts"]["applied"]
    code, output = examples.run("apply", relative, "--yes", "--format", "json")
    again = json.loads(output)
    assert code == 0, output
    assert again["counts"]["applied"] == again["requests"] == 0
    assert len(examples.workspace.effects) == done


def test_there_are_examples() -> None:
    assert len(CHANGESETS) >= 8
