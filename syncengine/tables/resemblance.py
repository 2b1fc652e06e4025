"""Identifies a file whose content does not match its name, by its first bytes, and suggests what to do."""

from __future__ import annotations

import re

from syncengine.tables.encodings import guess_wide
from syncengine.tables.sources import SourceOptions

ZIP = b"PK\x03\x04"
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML = re.compile(rb"\s*<(?:!doctype html|html|head|meta|body|table|style|div)\b", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml\b", re.IGNORECASE)
_OLD = (
    "it is an old Excel workbook (.xls) or one with a password",
    "open it in a spreadsheet program and save it as .xlsx, without a password",
)
_NEVER_TEXT = {
    ZIP: (
        "it is a spreadsheet or a zip archive, and no text",
        "let the name of a spreadsheet end in .xlsx or .ods, or save it as CSV; unpack an archive",
    ),
    OLD_OFFICE: _OLD,
    b"\x1f\x8b": ("it looks compressed", "unpack it"),
    b"\xfd7zXZ": ("it looks compressed", "unpack it"),
}
"""Signatures that no text table begins with."""
_BINARY = {
    b"BZh": "it looks compressed: unpack it",
    b"PAR1": "it looks like Parquet: let its name end in .parquet",
    b"SQLi": "it looks like an SQLite database: name it under databases: and read it with sql:",
}
"""Signatures of letters, which could also begin a header. They count where the file turns out to be binary."""


def no_text(head: bytes) -> tuple[str, str] | None:
    """The kind of a file that cannot be a text table, and what to do; None where it may be one."""
    for mark, words in _NEVER_TEXT.items():
        if head.startswith(mark):
            return words
    return _markup(head)


def no_workbook(head: bytes) -> tuple[str, str]:
    """The kind of a file that is named as a spreadsheet but is not a zip archive, and what to do."""
    if head.startswith(OLD_OFFICE):
        return _OLD
    return _markup(head) or (
        "it is no spreadsheet of this kind",
        "open it in a spreadsheet program and save it as .xlsx; let the name of a text file end in .csv",
    )


def hint_for_binary(head: bytes, options: SourceOptions) -> str:
    """What to do with a file that contains a zero byte."""
    wide = guess_wide(head)
    if wide:
        remedy = options.remedy("encoding", wide, "save it as UTF-8")
        return f"it looks like UTF-16 without a byte order mark: {remedy}"
    return next((hint for mark, hint in _BINARY.items() if head.startswith(mark)), "")


def _markup(head: bytes) -> tuple[str, str] | None:
    head = head.removeprefix(b"\xef\xbb\xbf")
    advice = "open it in a spreadsheet program and save it as .xlsx or CSV"
    if _HTML.match(head):
        return "it is a web page (HTML) with the name of a table", advice
    if _XML.match(head):
        return "it is an XML file, and no table of text", advice
    return None
