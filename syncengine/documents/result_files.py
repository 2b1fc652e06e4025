"""Writing a result file: whole or not at all, never through a symbolic link."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from syncengine.core.errors import InputError


def write_file(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write `path` atomically, mode 0600 where `private`. Raises InputError where it cannot be written."""
    with result_file(path, private=private) as file:
        file.write(data)


@contextmanager
def result_file(path: Path, *, private: bool = False, partial: Path | None = None) -> Iterator[IO[bytes]]:
    """A file that takes its place at `path` once the block ends without an error; mode 0600 where `private`.

    `partial` is its name until then, which must not exist. Raises InputError where it cannot be written.
    """
    partial = partial or path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        mode = 0o600 if private else 0o644
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {error.strerror}", code="SE902", hint="choose another place, or free space"
        ) from error
