"""What pyproject.toml and the documents beside it promise."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import metadata, version
from pathlib import Path

import pytest

import syncengine
from syncengine.cli.commands import COMMANDS
from syncengine.documents.schema_files import schema_names

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MANDATED = {"pyyaml", "jsonschema", "httpx", "jinja2"}


def requirement_name(text: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", text)
    assert found is not None
    return found[0].lower()


def test_one_version() -> None:
    assert version("leadbyte-syncengine") == syncengine.__version__


def test_runtime_dependencies_and_python() -> None:
    assert {requirement_name(text) for text in PROJECT["project"]["dependencies"]} >= MANDATED
    assert PROJECT["project"]["requires-python"] == ">=3.11"


def test_the_extra_all_is_all_of_them() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    (everything,) = extras["all"]
    assert set(everything.partition("[")[2].rstrip("]").split(",")) == set(extras) - {"all"}


def test_typed_and_licensed() -> None:
    assert (Path(syncengine.__file__).parent / "py.typed").exists()
    assert metadata("leadbyte-syncengine")["License-Expression"] == "Apache-2.0"
    assert (ROOT / "LICENSE").exists()


def test_every_schema_of_the_checkout_is_found() -> None:
    there = {path.name.removesuffix(".schema.json") for path in (ROOT / "schemas").glob("*.schema.json")}
    assert set(schema_names()) == there


def test_the_readme_lists_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.partition("| command | description |")[2].partition("\n\n")[0]
    listed = {word for line in table.splitlines() for word in re.findall(r"`([a-z]+)[^`]*`", line.partition(" | ")[0])}
    assert listed == set(COMMANDS)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/install.md"])
def test_links_inside_the_repository_lead_somewhere(document: str) -> None:
    path = ROOT / document
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if not target.startswith("http"):
            file, _, anchor = target.partition("#")
            linked = (path.parent / file) if file else path
            assert linked.exists(), target
            if anchor:
                assert anchor in anchors(linked), target


def anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}
