"""Reads a text file line by line: hashed while reading, bounded, with readable errors."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

import msgspec

from syncengine.core.errors import Problem
from syncengine.documents.files import open_ordinary
from syncengine.tables.encodings import (
    LONGEST_LINE,
    Mismatch,
    codec_for,
    is_one_byte,
    is_wide,
    refuse_utf8,
    undecodable,
)
from syncengine.tables.resemblance import hint_for_binary, no_text
from syncengine.tables.sources import SourceError, SourceOptions

_CHUNK = 1 << 16


class _Hashed(io.RawIOBase):
    """Passes bytes on and hashes them; refuses NUL and endless lines."""

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
    """An OSError, since the reader's layers pass only that through."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(words)
        self.line = line
        self.words = words


class OpenText:
    """The open text. `first` is its first line, "" where there is none; `after_first` and `all` yield lines.

    Lines keep their line breaks. Use one of the iterators, once.
    """

    def __init__(self, text: io.TextIOWrapper, hashed: _Hashed) -> None:
        self.hashed = hashed
        self.codec = text.encoding
        first = text.readline()
        self.marked = first.startswith("\ufeff")
        """Whether the file begins with a byte order mark."""
        self.first = first.lstrip("\ufeff")
        self.after_first: Iterator[str] = text

    @property
    def all(self) -> Iterator[str]:
        """Every line."""
        return chain((self.first,), self.after_first) if self.first else iter(())


class TextFile:
    """One source file. A complete read sets `digest`; a second one must find the same bytes."""

    def __init__(self, options: SourceOptions) -> None:
        self.options = options
        self.digest: str | None = None
        self.doubt: Problem | None = None
        """A warning about the file as a whole, available after opening."""
        self._encoding_holds = not is_one_byte(options.encoding)

    @contextmanager
    def open(self, newline: str) -> Iterator[OpenText]:
        """The text without its byte order mark; every read error becomes a SourceError."""
        codec = ""
        try:
            with open_ordinary(Path(self.options.path)) as raw:
                head = raw.peek(_CHUNK)[:_CHUNK]
                self._refuse_what_is_no_text(head)
                self._hold_to_encoding(head)
                codec = codec_for(self.options.encoding, head)
                hashed = _Hashed(raw, wide=is_wide(codec))
                with io.TextIOWrapper(io.BufferedReader(hashed, _CHUNK), encoding=codec, newline=newline) as text:
                    yield OpenText(text, hashed)
        except _Refused as error:
            hint = hint_for_binary(head, self.options)
            raise self.failure("SE314", f"line {error.line} {error.words}", line=error.line, hint=hint) from error
        except Mismatch as error:
            raise self._mismatch(error) from error
        except UnicodeError as error:
            path = Path(self.options.path)
            raise self._mismatch(undecodable(path, self.options.encoding or codec, codec)) from error
        except FileNotFoundError as error:
            raise self.failure("SE310", "there is no such file") from error
        except OSError as error:
            raise self.failure("SE310", f"the source cannot be read: {error.strerror or error}") from error

    def finish(self, text: OpenText) -> None:
        """Call at the end of the bytes: stores the digest, or raises where the file has changed."""
        digest = text.hashed.hash.hexdigest()
        if self.digest not in (None, digest):
            raise self.failure("SE319", "the file changed while it was being read", hint="start again")
        self.digest = digest

    def problem(self, code: str, message: str, *, line: int = 0, row: int | None = None, hint: str = "") -> Problem:
        """A problem in this file."""
        return self.options.problem(code, message, line=line, row=row, hint=hint)

    def failure(self, code: str, message: str, *, line: int = 0, row: int | None = None, hint: str = "") -> SourceError:
        """The error that ends reading this file."""
        return self.options.failure(code, message, line=line, row=row, hint=hint)

    def _refuse_what_is_no_text(self, head: bytes) -> None:
        other = no_text(head)
        if other is not None:
            raise self.failure("SE314", other[0], line=1, hint=other[1])

    def _hold_to_encoding(self, head: bytes) -> None:
        """Scan a file in a one-byte encoding once: any bytes decode without error in it, UTF-8 included."""
        if self._encoding_holds:
            return
        mixed = refuse_utf8(Path(self.options.path), self.options.encoding, head)
        if mixed is not None:
            message, line = mixed
            problem = self.problem("SE328", message, line=line, hint="save the file as UTF-8 where it was made")
            self.doubt = msgspec.structs.replace(problem, severity="warning")
        self._encoding_holds = True

    def _mismatch(self, found: Mismatch) -> SourceError:
        otherwise = "save it as UTF-8"
        if found.better == "utf-8" and self.options.encoding not in ("utf-8", "utf-8-sig"):
            hint = f"read it as UTF-8: {self.options.remedy('encoding', 'utf-8', otherwise)}"
        elif found.better:
            remedy = self.options.remedy("encoding", found.better, "")
            hint = f"{otherwise}, or name its encoding: {remedy}" if remedy else otherwise
        else:
            hint = found.advice or f"{otherwise} where it was made"
        return self.failure("SE315", found.message, line=found.line, hint=hint)
