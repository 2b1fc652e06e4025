"""Spreadsheets as zip archives of XML. Opened completely, with every size bounded before anything is unpacked."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

from syncengine.documents.files import open_ordinary
from syncengine.tables.resemblance import ZIP, no_workbook
from syncengine.tables.sources import SourceError, SourceOptions

MOST_BYTES = 64 << 20
"""Maximum bytes of a spreadsheet file."""
MOST_UNPACKED = 384 << 20
"""Maximum bytes of its unpacked content."""
_MOST_MEMBERS = 10_000
_CHUNK = 1 << 18
_LOCAL_HEADER = 30


class Unsafe(Exception):
    """The archive is damaged or exceeds a size limit; the message says which."""


class Package:
    """A spreadsheet file in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.digest = hashlib.sha256(data).hexdigest()
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self._members = {info.filename: info for info in self._zip.infolist()}
        except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeError) as error:
            raise Unsafe(f"it is damaged: {error}") from error
        self._check()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def parse(self, name: str, set_up: Callable[[expat.XMLParserType], None]) -> None:
        """Run an XML member through a parser. Refuses document types, and thereby entities. Raises Unsafe."""
        if name not in self._members:
            raise Unsafe(f"it has no part {name!r}")
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_document_type
        set_up(parser)
        try:
            with self._zip.open(self._members[name]) as member:
                parser.ParseFile(member)
        except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
            raise Unsafe(f"its part {name!r} is damaged: {error}") from error

    def _check(self) -> None:
        """Check the real sizes. The sizes in the archive's directory are not trusted: the value reader would unpack
        anything."""
        if len(self._members) > _MOST_MEMBERS:
            raise Unsafe(f"it has {len(self._members):,} parts, more than {_MOST_MEMBERS:,}")
        left = MOST_UNPACKED
        for info in self._members.values():
            if info.flag_bits & 1:
                raise Unsafe("it has a password: save it without one")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Unsafe(f"its part {info.filename!r} is compressed in a way that spreadsheets do not use")
            left -= self._unpacked_size(info, left)
            if left < 0:
                raise Unsafe(f"it unpacks to more than {MOST_UNPACKED >> 20} MiB: save it as CSV")

    def _unpacked_size(self, info: zipfile.ZipInfo, most: int) -> int:
        if info.compress_type == zipfile.ZIP_STORED:
            return info.compress_size
        header = self.data[info.header_offset : info.header_offset + _LOCAL_HEADER]
        names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        start = info.header_offset + _LOCAL_HEADER + names
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        packed, size = self.data[start : start + info.compress_size], 0
        try:
            while packed and not unpacker.eof and size <= most:
                size += len(unpacker.decompress(packed, _CHUNK))
                packed = unpacker.unconsumed_tail
        except zlib.error as error:
            raise Unsafe(f"its part {info.filename!r} is damaged: {error}") from error
        return size


def open_package(options: SourceOptions) -> Package:
    """The file, read completely. Raises SourceError."""
    try:
        with open_ordinary(Path(options.path)) as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise options.failure("SE310", "there is no such file") from error
    except OSError as error:
        raise options.failure("SE310", f"the source cannot be read: {error.strerror or error}") from error
    if not data.startswith(ZIP):
        message, hint = no_workbook(data[:4096])
        raise options.failure("SE314", message, hint=hint)
    if len(data) > MOST_BYTES:
        raise damaged(options, Unsafe(f"it has more than {MOST_BYTES >> 20} MiB: save it as CSV"))
    try:
        return Package(data)
    except Unsafe as error:
        raise damaged(options, error) from error


def damaged(options: SourceOptions, error: Unsafe) -> SourceError:
    """The problem for a package that cannot be read."""
    hint = "open it in a spreadsheet program and save it anew, as .xlsx or CSV"
    return options.failure("SE349", f"it cannot be read as a spreadsheet: {error}", hint=hint)


def _refuse_document_type(*_: object) -> None:
    raise ValueError("a document type, which spreadsheets do not have")
