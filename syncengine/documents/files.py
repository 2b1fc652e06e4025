"""Finding files, and opening only ordinary ones that lie where they may."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from syncengine.core.errors import InputError, Problem

CONFIGURATION_NAME = "syncengine.yaml"
NOT_ORDINARY = "it is no ordinary file"
_SUFFIXES = frozenset({".yaml", ".yml"})


def find_documents(paths: Sequence[Path], root: Path | None = None) -> tuple[list[Path], list[Problem]]:
    """The YAML files that `paths` name: files as given, folders searched recursively; sorted, each once.

    In folders, hidden entries, symbolic links to folders and syncengine.yaml itself are passed over. Links are followed
    inside `root` only: a proposal could hold one to any file of this machine, and problems quote what they are about.
    """
    found: dict[Path, Path] = {}
    problems: list[Problem] = []
    for path in paths:
        if path.is_dir():
            files = list(_walk(path))
            if not files:
                problems.append(_problem(path, "the folder holds no .yaml or .yml file", "name a folder of changesets"))
        elif path.is_file():
            files = [path]
        else:
            files = []
            problems.append(_missing(path))
        for file in files:
            real = _real(file)
            if _leads_out(path, file, real, root):
                problems.append(
                    _problem(
                        file,
                        "a link leads out of the repository, or to what is no changeset",
                        "put the file itself there",
                        "SE115",
                    )
                )
            else:
                found.setdefault(real, file)
    return sorted(found.values(), key=lambda file: file.as_posix()), problems


def inside(root: Path, path: Path) -> Path | None:
    """`path` (relative ones from `root`), links resolved, where it is an ordinary file in `root`; else None.

    Folders, fifos, devices and sockets are refused like paths that leave the repository.
    """
    try:
        home = root.resolve(strict=True)
        real = (home / path).resolve(strict=True)
        ordinary = stat.S_ISREG(real.stat().st_mode)
    except (OSError, ValueError, RuntimeError):
        return None
    if not ordinary or not real.is_relative_to(home) or _disguised(home, home / path, real):
        return None
    return real


def _disguised(home: Path, said: Path, real: Path) -> bool:
    """Whether a link gives something in `home` another name than it has: one with another ending, or none of a hidden
    folder. Keys and settings lie in repositories too, and a proposal must not pass them off as rows or changesets."""
    plain = Path(os.path.normpath(said))
    if plain == real:
        return False
    hidden = any(part.startswith(".") for part in real.relative_to(home).parts)
    admitted = plain.is_relative_to(home) and any(part.startswith(".") for part in plain.relative_to(home).parts)
    return real.suffix.lower() != plain.suffix.lower() or (hidden and not admitted)


def open_ordinary(path: Path) -> io.BufferedReader:
    """An ordinary file, opened for reading; OSError where it is anything else, or cannot be opened.

    It is opened without waiting: a fifo in its place cannot hang the program, nor a device feed it without end.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error), str(path)) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, NOT_ORDINARY, str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_bounded(path: Path, limit: int) -> bytes:
    """The bytes of an ordinary file of at most `limit` bytes; raises InputError where it is anything else."""
    try:
        with open_ordinary(path) as file:
            # A buffer for the limit would be asked for at once, and not every system grants it.
            size = os.fstat(file.fileno()).st_size
            data = file.read(min(limit, size) + 1)
            if size < len(data) <= limit:  # it has grown, or tells no size
                data += file.read(limit + 1 - len(data))
    except OSError as error:
        if error.strerror == NOT_ORDINARY:
            hint = "name a file, no folder or device"
            raise InputError(f"{path} is not an ordinary file", code="SE115", hint=hint) from error
        raise InputError(f"cannot read {path}: {error.strerror or error}", code="SE115") from error
    if len(data) > limit:
        raise InputError(f"{path} has more than {limit:,} bytes", code="SE113", hint="split it")
    return data


def _walk(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            hidden = name.startswith(".") or name == CONFIGURATION_NAME
            if not hidden and Path(name).suffix in _SUFFIXES and (Path(where) / name).is_file():
                yield Path(where) / name


def _leads_out(named: Path, file: Path, real: Path, root: Path | None) -> bool:
    """Whether `file`, in or at `named`, lies elsewhere than it says, and not openly in the repository either.

    What leads to the working folder, or to a place named outside of it, is for whoever runs the command to say.
    """
    here = Path.cwd()
    if root is not None and real.is_relative_to(home := _real(root)):
        return _disguised(home, home / os.path.relpath(here / file, root), real)
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


def _problem(path: Path, message: str, hint: str, code: str = "SE114") -> Problem:
    return Problem(code=code, message=f"{path}: {message}", file=str(path), hint=hint)
