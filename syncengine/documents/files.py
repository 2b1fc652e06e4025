"""Finding files, and opening only ordinary ones that lie where they may."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from syncengine.core.errors import InputError, Problem

CONFIGURATION_NAME = "syncengine.yaml"
_SUFFIXES = frozenset({".yaml", ".yml"})


def find_documents(paths: Sequence[Path]) -> tuple[list[Path], list[Problem]]:
    """The YAML files that `paths` name: files as given, folders searched recursively; sorted, each once.

    In folders, hidden entries, symbolic links to folders and syncengine.yaml itself are passed over.
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
            found.setdefault(_real(file), file)
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
    return real if ordinary and real.is_relative_to(home) else None


def read_bounded(path: Path, limit: int) -> bytes:
    """The bytes of an ordinary file of at most `limit` bytes; raises InputError where it is anything else.

    It is opened without waiting, so that a fifo put in its place cannot hang the program.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"cannot read {path}: {reason}", code="SE115") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputError(f"{path} is not an ordinary file", code="SE115", hint="name a file, no folder or device")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", code="SE115") from error
    finally:
        os.close(descriptor)
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
