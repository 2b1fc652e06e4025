"""Converts requests and tables to changesets: texts in, YAML out. Opens no file and keeps no API key.

Used by the command `import` only.
"""

from syncengine.importing.curl import BodyFile, Curl, looks_like_curl, parse_curl
from syncengine.importing.fitting import fitted
from syncengine.importing.parts import Action, Imported, ImportedChange
from syncengine.importing.request import parse_request
from syncengine.importing.table import (
    Columns,
    all_columns,
    check_columns,
    inline_changes,
    names_of,
    read_through,
    row_change,
)
from syncengine.importing.table import unreadable as unreadable_table
from syncengine.importing.writing import changeset_text

__all__ = [
    "Action",
    "BodyFile",
    "Columns",
    "Curl",
    "Imported",
    "ImportedChange",
    "all_columns",
    "changeset_text",
    "check_columns",
    "fitted",
    "inline_changes",
    "looks_like_curl",
    "names_of",
    "parse_curl",
    "parse_request",
    "read_through",
    "row_change",
    "unreadable_table",
]
