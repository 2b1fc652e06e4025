"""The folder of `plan --each`: which of its files belong to it, and are removed before new ones are written."""

from __future__ import annotations

import os
from pathlib import Path

from syncengine.core.errors import InputError
from syncengine.documents.files import open_ordinary
from syncengine.planning.planfile import made_for
from syncengine.planning.plans_file import NAME, plan_name

_SUFFIX = ".plan"
_PAGE = ".plan.html"
_MARK = "<!-- syncengine plan --each: the page of "
_LONGEST_MARK = 200


class PlansFolder:
    """A folder that holds one plan for each changeset, and plans.json."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Create the folder where it is missing, and remove what an earlier `plan --each` left. Raises InputError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"cannot create the folder {self.path}: {error.strerror}", code="SE902", hint="name another --each DIR"
            ) from error
        self.clear()

    def clear(self) -> None:
        """Remove plans.json, and the plans and pages that `--each` made, and nothing else.

        plans.json goes first: a folder without it is never applied, however far the rest came.
        """
        try:
            (self.path / NAME).unlink(missing_ok=True)
            with os.scandir(self.path) as entries:
                own = [Path(entry.path) for entry in entries if _is_own(entry)]
            for path in own:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(
                f"cannot remove earlier plans from {self.path}: {error.strerror}",
                code="SE902",
                hint="remove them, or name another --each DIR",
            ) from error

    def place_for(self, changeset: str) -> Path:
        """The file for a changeset's plan. Raises InputError where something else has its name."""
        return self._unused(self.path / plan_name(changeset))

    def page_for(self, changeset: str) -> tuple[Path, str]:
        """The file for a page about a changeset's plan, and the comment that it must begin with after its first line.

        Raises InputError where something else has its name.
        """
        return self._unused(self.path / page_name(changeset)), f"{_MARK}{changeset} -->"

    def _unused(self, path: Path) -> Path:
        if os.path.lexists(path):
            raise InputError(
                f"{path} is there already, and 'plan --each' did not make it: it stays as it is",
                code="SE141",
                hint="move it elsewhere, or name another --each DIR",
            )
        return path


def page_name(changeset: str) -> str:
    """Name of the page about a changeset's plan."""
    return f"{changeset}{_PAGE}"


def _is_own(entry: os.DirEntry[str]) -> bool:
    """Whether `--each` made this plan or page, for the changeset of this name."""
    name, path = entry.name, Path(entry.path)
    if not name.endswith((_SUFFIX, _PAGE)) or not entry.is_file(follow_symlinks=False):
        return False
    if name.endswith(_SUFFIX):
        return made_for(path) == name.removesuffix(_SUFFIX)
    try:
        with open_ordinary(path, links=False) as page:
            head = page.read(_LONGEST_MARK)
    except OSError:
        return False
    return f"{_MARK}{name.removesuffix(_PAGE)} -->".encode() in head
