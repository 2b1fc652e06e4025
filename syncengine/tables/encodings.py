"""Detects the encoding of a text file: byte order marks, and contents that contradict the declared encoding."""

from __future__ import annotations

from pathlib import Path

import msgspec

from syncengine.documents.files import open_ordinary

LONGEST_LINE = 1 << 20
"""Bytes without a line break after which a file is refused: it is not a table, and it would exhaust memory."""

_WIDE = {
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "utf-32": "utf-32",
    "utf-32-le": "utf-32-le",
    "utf-32-be": "utf-32-be",
}
_ONE_BYTE = {
    "iso-8859-1": "iso-8859-1",
    "iso-8859-2": "iso-8859-2",
    "iso-8859-15": "iso-8859-15",
    "latin-1": "iso-8859-1",
    "windows-1250": "cp1250",
    "windows-1251": "cp1251",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "cp437": "cp437",
    "cp850": "cp850",
    "mac-roman": "mac_roman",
    "ascii": "ascii",
}
ENCODINGS = {"utf-8": "utf-8", "utf-8-sig": "utf-8", **_WIDE, **_ONE_BYTE}
"""Encoding names in changesets, mapped to codecs. With and without byte order mark is the same name."""

_UTF8_MARK = b"\xef\xbb\xbf"
_MARKS = (
    (_UTF8_MARK, "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_LISTED = 5


class Mismatch(Exception):
    """The file is not in the declared encoding. `better` is one that fits the whole file, "" where none does."""

    def __init__(self, message: str, *, line: int = 1, better: str = "", advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.better = better
        self.advice = advice


def is_wide(codec: str) -> bool:
    """Whether a zero byte may be part of a character."""
    return codec in _WIDE


def is_one_byte(encoding: str) -> bool:
    """Whether every byte is a character, so that bytes of any encoding decode without error."""
    return encoding in _ONE_BYTE


def byte_order_mark(head: bytes) -> str:
    """The encoding of a byte order mark; "" where there is none."""
    return next((codec for mark, codec in _MARKS if head.startswith(mark)), "")


def codec_for(encoding: str, head: bytes) -> str:
    """The codec for a file that begins with `head`. With encoding "" a byte order mark decides.

    Raises Mismatch where the first bytes contradict the declared encoding.
    """
    mark = byte_order_mark(head)
    if not encoding:
        return mark or "utf-8"
    codec = ENCODINGS[encoding]
    if not mark:
        return _wide_without_mark(codec, encoding, head) if is_wide(codec) else codec
    if f"{mark}-".startswith(f"{codec}-"):  # utf-16-le is a form of utf-16.
        return mark
    if mark == "utf-8" and is_one_byte(encoding):
        return "utf-8"  # ASCII follows the mark; for anything else `refuse_utf8` has raised.
    better = mark[:6]
    message = f"it begins with the byte order mark of {better.upper()}, and is read as {encoding}"
    raise Mismatch(message, better=better)


def _wide_without_mark(codec: str, encoding: str, head: bytes) -> str:
    """UTF-16 or UTF-32 as declared. Where the byte order was not, the zero bytes of the first characters show it."""
    if b"\0" not in head:
        better = "utf-8" if _is_utf8(head[:-3]) else ""
        raise Mismatch(f"it is not {encoding} text: it has no zero bytes", better=better)
    if codec in ("utf-16", "utf-32"):
        return codec + ("-be" if head[:1] == b"\0" else "-le")
    return codec


def guess_wide(head: bytes) -> str:
    """UTF-16 without a byte order mark, recognised by the zero bytes of Latin letters; "" otherwise."""
    pairs = head[: len(head) & ~1][:200]
    even, odd = pairs[::2].count(0), pairs[1::2].count(0)
    if len(pairs) >= 4 and even == 0 and odd > len(pairs) * 0.4:
        return "utf-16-le"
    if len(pairs) >= 4 and odd == 0 and even > len(pairs) * 0.4:
        return "utf-16-be"
    return ""


class _Survey(msgspec.Struct):
    """Counts the lines of a file that hold non-ASCII bytes, that are valid UTF-8 all the same, and that are invalid in
    the declared encoding."""

    beyond: int = 0
    utf8: int = 0
    first_utf8: int = 0
    wrong: int = 0
    first_wrong: list[int] = []
    byte: int = 0
    windows: bool = True
    """Whether the file could be Windows-1252."""


def refuse_utf8(path: Path, encoding: str, head: bytes) -> tuple[str, int] | None:
    """Check a file that is declared as a one-byte encoding. Raises Mismatch where it is UTF-8.

    Where only some lines are UTF-8, the result is a sentence about them, and the first: the file mixes two encodings.
    """
    survey = _survey(path, ENCODINGS[encoding])
    marked = byte_order_mark(head) == "utf-8"
    if survey.beyond and (survey.utf8 == survey.beyond or marked):
        message = f"it is UTF-8, and is read as {encoding}: its letters beyond ASCII would be sent as others"
        raise Mismatch(message, line=survey.first_utf8 or 1, better="utf-8")
    if not survey.utf8:
        return None
    return (
        f"{_lines(survey.utf8)} of {survey.beyond:,} beyond ASCII {_are(survey.utf8)} UTF-8 (the first is line "
        f"{survey.first_utf8}), and the file is read as {encoding}: look at their letters",
        survey.first_utf8,
    )


def undecodable(path: Path, encoding: str, codec: str) -> Mismatch:
    """The problem for a file that cannot be decoded with the chosen encoding."""
    if is_wide(codec):
        return _undecodable_wide(path, encoding, codec)
    survey = _survey(path, codec)
    message = f"{_not_text(survey.wrong, survey.first_wrong, encoding)} (byte 0x{survey.byte:02x})"
    line = survey.first_wrong[0] if survey.first_wrong else 1
    if codec == "utf-8" and survey.utf8:
        advice = (
            f"{_lines(survey.utf8)} {_are(survey.utf8)} UTF-8, so no one-byte encoding fits the whole file: "
            "correct those that are not, or save it as UTF-8 where it was made"
        )
        return Mismatch(message, line=line, advice=advice)
    return Mismatch(message, line=line, better="windows-1252" if survey.windows and codec != "cp1252" else "")


def _undecodable_wide(path: Path, encoding: str, codec: str) -> Mismatch:
    wrong: list[int] = []
    count = 0
    with open_ordinary(path) as raw:
        if _is_utf8(raw.read(1 << 16)[:-3]):
            return Mismatch(f"it is not {encoding} text", better="utf-8")
    with path.open(encoding=codec, errors="replace", newline="") as text:
        for number, line in enumerate(iter(lambda: text.readline(LONGEST_LINE), ""), 1):
            if "\ufffd" in line:
                count += 1
                wrong += [number] if len(wrong) < _LISTED else []
    return Mismatch(_not_text(count, wrong, encoding), line=wrong[0] if wrong else 1)


def _survey(path: Path, codec: str) -> _Survey:
    found = _Survey()
    with open_ordinary(path) as raw:
        for number, line in enumerate(iter(lambda: raw.readline(LONGEST_LINE), b""), 1):
            if line.isascii() or (number == 1 and line.removeprefix(_UTF8_MARK).isascii()):
                continue
            found.beyond += 1
            if _is_utf8(line):
                found.utf8 += 1
                found.first_utf8 = found.first_utf8 or number
                found.windows = False
            elif not _decodes(line, "cp1252"):
                found.windows = False
            _note_wrong(found, number, line, codec)
    return found


def _note_wrong(found: _Survey, number: int, line: bytes, codec: str) -> None:
    try:
        line.decode(codec)
    except UnicodeDecodeError as error:
        found.byte = found.byte if found.wrong else line[error.start]
        found.wrong += 1
        if len(found.first_wrong) < _LISTED:
            found.first_wrong.append(number)


def _is_utf8(data: bytes) -> bool:
    return _decodes(data, "utf-8")


def _decodes(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _not_text(count: int, first: list[int], encoding: str) -> str:
    if count == 0:
        return f"it is not {encoding} text"
    if count == 1:
        return f"1 line is not {encoding} text: line {first[0]}"
    more = ", ..." if count > len(first) else ""
    return f"{_lines(count)} are not {encoding} text: {', '.join(map(str, first))}{more}"


def _lines(count: int) -> str:
    return f"{count:,} line{'' if count == 1 else 's'}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
