"""Repositories in a folder, for tests of the changeset package."""

from collections.abc import Mapping
from pathlib import Path

from syncengine.changeset.load import Loaded, load, validate
from syncengine.core.changes import Item
from syncengine.core.errors import Problem
from syncengine.core.operations import generation_of, is_irreversible, kind_of, target_of, values_of
from syncengine.core.settings import Settings
from syncengine.documents.configuration import load_configuration

EXAMPLES = Path(__file__).parent.parent / "examples"

CONFIGURATION = """\
version: 1
accounts:
  acme:
    base_url: http://127.0.0.1:8137
    api_key: env:LEADBYTE_API_KEY
    deliveries: {northwind: "1053"}
    buyers: {northwind: "33"}
"""


def repository(folder: Path, files: Mapping[str, str | bytes]) -> Settings:
    """Write these files beside a configuration with the account acme."""
    for name, content in {"syncengine.yaml": CONFIGURATION, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_configuration(folder / "syncengine.yaml", {})


def changeset(changes: str, *, name: str = "a-changeset", more: str = "") -> str:
    """A document whose `changes` are these lines."""
    return f"version: 1\nchangeset: {name}\naccount: acme\n{more}changes:\n{changes}"


def loaded(folder: Path, files: Mapping[str, str | bytes], *paths: str, **variables: str) -> Loaded:
    """The changesets of these paths (of all files without any)."""
    settings = repository(folder, files)
    return load([folder / path for path in paths or ("",)], settings, variables=variables)


def items_of(read: Loaded) -> list[Item]:
    """Every item of every changeset; fails where anything is wrong with one."""
    problems: list[Problem] = [problem for problem in validate(read) if problem.severity == "error"]
    assert problems == []
    return [item for one in read.changesets for item in one.items(lambda problem: None)]


def as_rows(items: list[Item]) -> list[list[object]]:
    """Operations as the accepted examples write them: lead, kind, then values, or delivery and generation."""
    rows: list[list[object]] = []
    for item in items:
        for operation in item.operations:
            head: list[object] = [item.lead, kind_of(operation).value]
            if is_irreversible(operation):
                rows.append([*head, target_of(operation), generation_of(operation)])
            else:
                rows.append([*head, values_of(operation)])
    return rows
