"""Opens regular files inside allowed folders only."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

from syncengine.core.errors import InputError

CONFIGURATION_NAME = "syncengine.yaml"
NOT_ORDINARY = "it is no ordinary file"


def inside(root: Path, path: Path) -> Path | None:
    """`path` (relative ones from `root`), links resolved, if it is a regular file in `root`; otherwise None.

    Folders, fifos, devices and sockets are refused like paths that leave the repository.
    """
    try:
        home = root.resolve(strict=True)
        real = (home / path).resolve(strict=True)
        ordinary = stat.S_ISREG(real.stat().st_mode)
    except (OSError, ValueError, RuntimeError):
        return None
    if not ordinary or not real.is_relative_to(home) or disguised(home, home / path, real):
        return None
    return real


def disguised(home: Path, said: Path, real: Path) -> bool:
    """Whether a link presents a file in `home` under a misleading name: another suffix, or a visible path for a hidden
    folder. Repositories also hold keys and settings, and a proposal must not present them as rows or changesets."""
    plain = Path(os.path.normpath(said))
    if plain == real:
        return False
    hidden = any(part.startswith(".") for part in real.relative_to(home).parts)
    admitted = plain.is_relative_to(home) and any(part.startswith(".") for part in plain.relative_to(home).parts)
    return real.suffix.lower() != plain.suffix.lower() or (hidden and not admitted)


def open_ordinary(path: Path, *, links: bool = True) -> io.BufferedReader:
    """A regular file, opened for reading. Raises OSError where it is anything else, or cannot be opened.

    Opened non-blocking: a fifo in its place cannot hang the program, and a device cannot feed it without end. A
    symbolic link in its place is followed with `links` only.
    """
    try:
        follow = 0 if links else os.O_NOFOLLOW
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | follow)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error), str(path)) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, NOT_ORDINARY, str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_bounded(path: Path, limit: int, *, links: bool = True) -> bytes:
    """The bytes of a regular file of at most `limit` bytes, not behind a symbolic link unless `links`. Raises
    InputError where it is anything else."""
    try:
        with open_ordinary(path, links=links) as file:
            # Do not allocate a buffer of `limit` bytes at once: not every system grants it.
            size = os.fstat(file.fileno()).st_size
            data = file.read(min(limit, size) + 1)
            if size < len(data) <= limit:  # The file grew, or does not report its size.
                data += file.read(limit + 1 - len(data))
    except OSError as error:
        if error.strerror == NOT_ORDINARY:
            hint = "name a file, no folder or device"
            raise InputError(f"{path} is not an ordinary file", code="SE115", hint=hint) from error
        reason = "it is a symbolic link" if error.errno == errno.ELOOP and not links else error.strerror or error
        raise InputError(f"cannot read {path}: {reason}", code="SE115") from error
    if len(data) > limit:
        raise InputError(f"{path} has more than {limit:,} bytes", code="SE113", hint="split it")
    return data
