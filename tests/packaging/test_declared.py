"""What the code imports is declared, with its extra; and nothing installs another project's package."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAMESPACES = {"opentelemetry": {"opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"}}
"""Packages that several distributions share; the extra declares those that bring the rest."""


def imported(path: Path) -> set[str]:
    """The top-level packages that a module imports, in functions too, other than its own and Python's."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module).partition(".")[0])
    return names - sys.stdlib_module_names - {"syncengine"}


def distributions(package: str) -> set[str]:
    found = packages_distributions().get(package, [])
    return NAMESPACES.get(package) or {canonicalize_name(name) for name in found}


def declared(texts: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in texts}


EXTRAS = PROJECT["optional-dependencies"]
EVERYTHING = declared([*PROJECT["dependencies"], *(text for texts in EXTRAS.values() for text in texts)])
# The scripts of workflows are text here: they run in other repositories, each beside its own `forge`.
CODE = [path for path in (ROOT / "syncengine").rglob("*.py") if "workflows" not in path.parts]
PACKAGES = sorted({package for path in CODE for package in imported(path)})


@pytest.mark.parametrize("package", PACKAGES)
def test_every_import_is_of_a_declared_dependency(package: str) -> None:
    assert distributions(package), f"{package} is not installed"
    assert distributions(package) & EVERYTHING, f"{package}: declare it in pyproject.toml"


def test_the_walk_sees_imports_at_the_top_and_in_functions() -> None:
    assert {"click", "referencing", "markupsafe", "jsonschema_rs", "psycopg", "phonenumbers"} <= set(PACKAGES)


def test_every_dependency_has_a_floor() -> None:
    """Without one, the job for the lowest versions would try the first release that there ever was."""
    for text in [*PROJECT["dependencies"], *(text for texts in EXTRAS.values() for text in texts)]:
        requirement = Requirement(text)
        if requirement.name != PROJECT["name"]:
            assert any(part.operator == ">=" for part in requirement.specifier), text


# The name belongs to another project in the public index.
OTHERS = re.compile(
    r"(?:install|add|run|tool|pipx|uvx|--with|--from)\s+(?:-[-\w]+\s+)*['\"]?syncengine(?![\w/.-])(?!\s+and\b)"
    r"|(?<![\w-])syncengine(?:\[[a-z,]+\]|\s*(?:===?|~=|[<>]=?)\s*\d|\s+@\s)"
)


def test_nothing_installs_the_package_of_another_project() -> None:
    """In documents, messages, scripts, and what `init` writes: its templates are among the files."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    found = []
    for name in listed:
        path = ROOT / name
        if not name or path == Path(__file__) or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if OTHERS.search(line):
                found.append(f"{name}:{number}: {line.strip()}")
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "pip install syncengine",
        "pip install --upgrade 'syncengine'",
        'python -m pip install "syncengine[postgres]"',
        "pipx install syncengine",
        "uv tool install syncengine",
        "uv add syncengine",
        "syncengine==1.0",
        "syncengine >= 0.1",
        "extra syncengine[all]",
        "syncengine @ git+https://example.org/x",
    ],
)
def test_what_would_install_it_is_noticed(line: str) -> None:
    assert OTHERS.search(line)


@pytest.mark.parametrize(
    "line",
    [
        "pip install 'leadbyte-syncengine[postgres]'",
        "leadbyte-syncengine==1.0",
        "leadbyte-syncengine @ git+https://example.org/syncengine@0123456",
        "syncengine init --ci github",
        "pip install .",
        "from syncengine import plan",
    ],
)
def test_what_installs_ours_is_not(line: str) -> None:
    assert not OTHERS.search(line)
