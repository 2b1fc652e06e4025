"""Finds the changesets of the configuration in use among the named paths.

SE114 not there, or nothing in it   SE506 below another configuration          SE509 YAML that is no changeset
SE115 no ordinary file, or a link   SE507 folders of another configuration skipped
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from syncengine.core.errors import InputError, Problem, Severity
from syncengine.documents.files import CONFIGURATION_NAME, disguised, read_bounded

SUFFIXES = frozenset({".yaml", ".yml"})
"""Suffixes of changesets, in lower case: `.YAML` and `.YML` are changesets too."""

_NAMED = 5
"""Files or folders that one message names; the rest is counted."""
_HEAD = 64 * 1024
"""A file with more bytes is read as a changeset without checking first whether it is one."""
_ANY_KEY = rb"(?m)^[\w\"'$./-][^\n#]*:(?:\s|$)"
_KEY_OF_A_CHANGESET = (
    rb"(?m)^(?:\xef\xbb\xbf)?[\"'{ ]*(?:version|changeset|account|title|vars|sources|changes|for_each|leads?|update)"
    rb"[\"']?[ \t]*:"
)


def find_documents(
    paths: Sequence[Path], root: Path | None = None, *, command: str = "validate"
) -> tuple[list[Path], list[Problem]]:
    """The changesets that `paths` name: files as given, folders searched recursively; sorted, without duplicates.

    `root` is the folder of the configuration in use. In folders, the search skips hidden entries, symbolic links to
    folders, syncengine.yaml itself, folders with another one, and YAML that is not a changeset; a warning counts the
    last two. Links are followed inside `root` only: a proposal could hold a link to any file of this machine, and
    problems quote the files that they are about. `command` is the command that messages say to repeat.
    """
    search = _Search(None if root is None else _real(root), command)
    for path in paths:
        search.add(path)
    return search.files(), search.problems()


def may_hold_changesets(folder: Path) -> bool:
    """Whether a search of the folder finds YAML that is read as changesets, under whichever configuration."""
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if any(_may_be_changeset(file) for file in _documents(Path(where), names)):
            return True
    return False


class _Search:
    def __init__(self, root: Path | None, command: str) -> None:
        self._root = root
        self._repeat = command
        self._found: dict[Path, Path] = {}
        self._problems: list[Problem] = []
        self._skipped: dict[Path, int] = {}
        self._no_changesets: list[Path] = []
        self._foreign: Counter[tuple[Path, Path]] = Counter()
        self._configured: dict[Path, Path | None] = {}

    def files(self) -> list[Path]:
        return sorted(self._found.values(), key=lambda file: file.as_posix())

    def problems(self) -> list[Problem]:
        more = [self._below_another(path, folder, count) for (path, folder), count in self._foreign.items()]
        if self._skipped:
            more.append(self._skipped_folders())
        if self._no_changesets:
            more.append(self._passed_over())
        return [*self._problems, *more]

    def add(self, path: Path) -> None:
        """Add one path from the command line."""
        if path.is_dir():
            files = [file for file in self._walk(path) if self._judge(path, file, found=True)]
            if not files:
                self._problems.append(self._nothing_in(path))
        elif path.is_file():
            self._judge(path, path, found=False)
        else:
            self._problems.append(_missing(path))

    def _judge(self, path: Path, file: Path, *, found: bool) -> bool:
        """Decide whether a file is read or reported. `found`: in the folder `path`, and not named itself."""
        real = _real(file)
        if _leads_out(path, file, real, self._root):
            message = "a link leads out of the repository, or to what is no changeset"
            self._problems.append(_problem(file, message, "put the file itself there", "SE115"))
            return True
        if self._root is None:
            self._found.setdefault(real, file)
            return True
        if found and not _may_be_changeset(file):
            self._no_changesets.append(file)
            return False
        own = self._configuration_of(real.parent)
        if own is not None and own != self._root:
            self._foreign[path, own] += 1
        else:
            self._found.setdefault(real, file)
        return True

    def _walk(self, folder: Path) -> Iterator[Path]:
        for where, folders, names in os.walk(folder):
            shown = sorted(name for name in folders if not name.startswith("."))
            folders[:] = [name for name in shown if not self._skips(Path(where) / name)]
            yield from _documents(Path(where), names)

    def _skips(self, folder: Path) -> bool:
        """Whether a folder belongs to another configuration; counts its changesets."""
        if self._root is None or not (folder / CONFIGURATION_NAME).is_file() or _real(folder) == self._root:
            return False
        count = _changesets_below(folder)
        if count:
            self._skipped[folder] = count
        return True

    def _configuration_of(self, folder: Path) -> Path | None:
        """The nearest folder from here upwards that contains a syncengine.yaml."""
        if folder not in self._configured:
            if (folder / CONFIGURATION_NAME).is_file():
                self._configured[folder] = folder
            else:
                above = folder.parent
                self._configured[folder] = None if above == folder else self._configuration_of(above)
        return self._configured[folder]

    def _command(self, folder: Path, path: Path) -> str:
        import shlex

        return "syncengine " + shlex.join([self._repeat, "--config", str(folder / CONFIGURATION_NAME), str(path)])

    def _below_another(self, path: Path, folder: Path, count: int) -> Problem:
        what = "the changeset lies" if count == 1 else f"{count:,} changesets lie"
        own = _from_here(folder)
        message = f"{what} below {own / CONFIGURATION_NAME}, which is not the configuration in use"
        return _problem(path, message, f"use that one: {self._command(own, path)}", "SE506")

    def _skipped_folders(self) -> Problem:
        count, folders = sum(self._skipped.values()), list(self._skipped)
        changesets = f"{count:,} changeset{'s' if count > 1 else ''}"
        if len(folders) == 1:
            what = f"1 folder with a {CONFIGURATION_NAME} of its own was skipped"
        else:
            what = f"{len(folders):,} folders with a {CONFIGURATION_NAME} of their own were skipped"
        message = f"{what}, with {changesets}: {_listed(folders)}"
        hint = f"where they are meant too: {self._command(folders[0], folders[0])}"
        return Problem(code="SE507", message=message, file=str(folders[0]), hint=hint, severity="warning")

    def _passed_over(self) -> Problem:
        files = self._no_changesets
        if len(files) == 1:
            what = "1 YAML file that is no changeset was not read"
        else:
            what = f"{len(files):,} YAML files that are no changesets were not read"
        message = f"{what}: {_listed(files)}"
        hint = "a changeset begins with 'version: 1'; name the folder of the changesets to leave other files out"
        return Problem(code="SE509", message=message, file=str(files[0]), hint=hint, severity="warning")

    def _nothing_in(self, path: Path) -> Problem:
        if self._skipped:
            folder = next(iter(self._skipped))
            hint = f"folders with a {CONFIGURATION_NAME} of their own are skipped: {self._command(folder, folder)}"
        else:
            hint = "name a folder of changesets"
        return _problem(path, "the folder holds no .yaml or .yml file that is a changeset", hint)


def _changesets_below(folder: Path) -> int:
    count = 0
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        count += sum(_may_be_changeset(file) for file in _documents(Path(where), names))
    return count


def _documents(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    for name in names:
        hidden = name.startswith(".") or name == CONFIGURATION_NAME
        if not hidden and Path(name).suffix.lower() in SUFFIXES and (folder / name).is_file():
            yield folder / name


def _may_be_changeset(file: Path) -> bool:
    """Whether a file that was found in a folder is read. A file of another program, such as its settings, has keys and
    none of them is a changeset's; a mistyped changeset still has some."""
    try:
        data = read_bounded(file, _HEAD)
    except InputError:
        return True  # It is large, or unreadable: the reader reports that.
    return re.search(_KEY_OF_A_CHANGESET, data) is not None or re.search(_ANY_KEY, data) is None


def _listed(paths: Sequence[Path]) -> str:
    more = f" and {len(paths) - _NAMED:,} more" if len(paths) > _NAMED else ""
    return ", ".join(str(path) for path in paths[:_NAMED]) + more


def _from_here(folder: Path) -> Path:
    """A folder as the user would type it in a command in the current directory."""
    try:
        return Path(os.path.relpath(folder))
    except (OSError, ValueError):
        return folder


def _leads_out(named: Path, file: Path, real: Path, root: Path | None) -> bool:
    """Whether `file`, in or at `named`, is really elsewhere than its path says, and not openly in the repository
    either.

    The caller checks links to the working folder, or to a place that was named outside of it.
    """
    here = Path.cwd()
    if root is not None and real.is_relative_to(root):
        return disguised(root, root / os.path.relpath(here / file, root), real)
    whole = Path(os.path.normpath(here / named))
    base = here if whole.is_relative_to(here) else whole.parent
    said = Path(os.path.normpath(here / file))
    return real != _real(base) / said.relative_to(base)


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()


def _missing(path: Path) -> Problem:
    if os.path.lexists(path):
        return _problem(path, "this is neither a file nor a folder", "name a YAML file or a folder of them", "SE115")
    return _problem(path, "there is no such file or folder", f"it was looked for in {Path.cwd()}")


def _problem(path: Path, message: str, hint: str, code: str = "SE114", severity: Severity = "error") -> Problem:
    return Problem(code=code, message=f"{path}: {message}", file=str(path), hint=hint, severity=severity)
