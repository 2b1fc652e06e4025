"""A text file read line by line: hashed on the way, bounded, and with its troubles put into words."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from syncengine.changeset.sources import SourceError, SourceOptions
from syncengine.core.errors import Problem
from syncengine.documents.files import open_ordinary

LONGEST_LINE = 1 << 20
"""Bytes without a line break after which a file is refused: it is no table, and it would fill the memory."""

_CHUNK = 1 << 16
_WIDE = frozenset({"utf-16", "utf-16-le", "utf-16-be"})
ENCODINGS = {
    "utf-8": "utf-8-sig",
    "utf-8-sig": "utf-8-sig",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "iso-8859-1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "latin-1": "iso-8859-1",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "ascii": "ascii",
}
"""Names as a changeset writes them, to the codec; UTF-8 with and without byte order mark are one."""


_BEGINNINGS = {
    (
        b"\xff\xfe",
        b"\xfe\xff",
    ): "it looks like UTF-16; name its encoding: sources: {NAME: {file: ..., encoding: utf-16}}",
    (b"PK\x03\x04",): "it looks like a spreadsheet or a zip archive: save it as CSV, or unpack it",
    (b"\x1f\x8b", b"BZh", b"\xfd7zX"): "it looks compressed: unpack it",
    (b"PAR1",): "it looks like Parquet: let its name end in .parquet",
    (b"SQLi",): "it looks like an SQLite database: name it under databases: and read it with sql:",
}


class _Hashed(io.RawIOBase):
    """Passes bytes on, hashing them; refuses NUL and endless lines."""

    def __init__(self, raw: IO[bytes], *, wide: bool) -> None:
        self._raw = raw
        self._wide = wide
        self._line = 1
        self._run = 0
        self.hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the stub's Buffer has no len
        chunk = self._raw.read(len(buffer))
        self.hash.update(chunk)
        if not self._wide and b"\0" in chunk:
            raise _Refused(self._line + chunk[: chunk.index(b"\0")].count(b"\n"), "holds a NUL byte: it is no text")
        self._line += chunk.count(b"\n")
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        self._run = len(chunk) - end - 1 if end >= 0 else self._run + len(chunk)
        if self._run > LONGEST_LINE:
            raise _Refused(self._line, f"is longer than {LONGEST_LINE:,} bytes")
        buffer[: len(chunk)] = chunk
        return len(chunk)


class _Refused(OSError):
    """Raised through the reader's layers, which let an OSError pass."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(words)
        self.line = line
        self.words = words


class TextFile:
    """One source file. `digest` is set by a reading that came to the end; a second one must find the same bytes."""

    def __init__(self, options: SourceOptions) -> None:
        self.options = options
        self.digest: str | None = None

    @contextmanager
    def lines(self, newline: str) -> Iterator[tuple[io.TextIOWrapper, _Hashed]]:
        """The open text, whose lines keep their line breaks; every trouble in reading it becomes a SourceError."""
        encoding = ENCODINGS[self.options.encoding]
        try:
            with open_ordinary(Path(self.options.path)) as raw:
                hashed = _Hashed(raw, wide=encoding in _WIDE)
                with io.TextIOWrapper(io.BufferedReader(hashed, _CHUNK), encoding=encoding, newline=newline) as text:
                    yield text, hashed
        except _Refused as error:
            hint = self._resemblance()
            raise self.failure("SE314", f"line {error.line} {error.words}", line=error.line, hint=hint) from error
        except UnicodeDecodeError as error:
            line = self._first_undecodable(encoding)
            where = f"line {line} " if line else "the file "
            raise self.failure(
                "SE315",
                f"{where}is not {self.options.encoding} text (byte 0x{error.object[error.start]:02x})",
                line=line,
                hint="save it as UTF-8, or name its encoding: sources: {NAME: {file: ..., encoding: windows-1252}}",
            ) from error
        except UnicodeError as error:
            raise self.failure("SE315", f"the file is not {self.options.encoding} text: {error}") from error
        except OSError as error:
            raise self.failure("SE310", f"the source cannot be read: {error.strerror or error}") from error

    def finish(self, hashed: _Hashed) -> None:
        """Called at the end of the bytes: keeps the digest, or raises because the file is not what it was."""
        digest = hashed.hash.hexdigest()
        if self.digest not in (None, digest):
            raise self.failure("SE319", "the file changed while it was being read", hint="start again")
        self.digest = digest

    def _resemblance(self) -> str:
        """What to do with a file that is no text, by how it begins."""
        with Path(self.options.path).open("rb") as raw:
            begins = raw.read(4)
        return next((hint for marks, hint in _BEGINNINGS.items() if begins.startswith(marks)), "")

    def _first_undecodable(self, encoding: str) -> int:
        """The first line that is no text; 0 where it cannot be told."""
        if encoding in _WIDE:
            return 0
        with open_ordinary(Path(self.options.path)) as raw:
            for number, line in enumerate(iter(lambda: raw.readline(LONGEST_LINE), b""), 1):
                try:
                    line.decode(encoding)
                except UnicodeDecodeError:
                    return number
        return 0

    def problem(self, code: str, message: str, *, line: int = 0, row: int | None = None, hint: str = "") -> Problem:
        """A finding in this file."""
        return Problem(
            code=code,
            message=f"{self.options.label}: {message}",
            file=self.options.label,
            line=line,
            column=1 if line else 0,
            row=row,
            hint=hint,
        )

    def failure(self, code: str, message: str, *, line: int = 0, row: int | None = None, hint: str = "") -> SourceError:
        """The end of reading this file."""
        return SourceError(self.problem(code, message, line=line, row=row, hint=hint))
