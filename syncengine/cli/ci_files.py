"""What `init --ci` writes: a workflow, the scripts of its steps, what it installs, and what keeps its pins up to date.

The texts are files in workflows/, so that they can be read, checked and run as what they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from syncengine.cli.init_templates import Starter, requirement_lines
from syncengine.cli.installation import Installed

_TEXTS = Path(__file__).parent / "workflows"
_LOCKED = """\
# What a runner installs before syncengine itself: the packages that it needs, and what builds it where it is installed
# from a commit, each with its hashes. Written by `syncengine init --ci`. With a newer syncengine, delete this file and
# run that command again.
"""


class CiSystem(NamedTuple):
    """`workflow` is the file with the jobs; `others` are the rest, by the names of their texts."""

    workflow: str
    text: str
    folder: str
    others: Mapping[str, str]


CI_SYSTEMS: Mapping[str, CiSystem] = {
    "github": CiSystem(
        ".github/workflows/syncengine.yml",
        "github/syncengine.yml",
        ".github/syncengine",
        {".github/syncengine/forge.py": "github/forge.py", ".github/dependabot.yml": "github/dependabot.yml"},
    ),
    "gitlab": CiSystem(
        ".gitlab-ci.yml",
        "gitlab/gitlab-ci.yml",
        ".gitlab/syncengine",
        {".gitlab/syncengine/forge.py": "gitlab/forge.py"},
    ),
}


def ci_files(system: CiSystem, installed: Installed) -> Iterator[Starter]:
    """The files for a system. Its jobs install what is `installed` here."""
    yield Starter(system.workflow, _text(system.text).replace("@SYNCENGINE@", requirement_lines(installed)))
    yield Starter(f"{system.folder}/requirements.txt", _LOCKED + _text("requirements.txt"))
    yield Starter(f"{system.folder}/steps.py", _text("steps.py"))
    for path, name in system.others.items():
        yield Starter(path, _text(name))


def _text(name: str) -> str:
    return (_TEXTS / name).read_text(encoding="utf-8")
